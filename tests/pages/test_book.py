"""The book that was built: its pages, links, formulas, addresses."""

import itertools
import re

import pytest
from bs4 import BeautifulSoup
from fontTools.ttLib import TTFont

import address
from conftest import CHAPTERS, ROOT, each_chapter, run
from runner import alt, cells, figures, printed, tags

PAGES = re.findall(
    r"(?:root|file): (\S+)", (ROOT / "_toc.yml").read_text(encoding="utf-8")
)


@pytest.fixture(scope="module")
def book(built):
    """Return the parsed pages by their names in _toc.yml."""
    return {
        name: BeautifulSoup(
            (built / f"{name}.html").read_text(encoding="utf-8"), "html.parser"
        )
        for name in PAGES
    }


def test_every_page_is_there_with_its_title(book, built):
    assert len(book) == len(PAGES) >= 11
    assert all(page.h1.get_text(strip=True) for page in book.values())
    assert (built / "index.html").exists()


@each_chapter
def test_a_chapter_shows_its_stored_outputs(path, book):
    page = book[f"notebooks/{path.stem}"]
    verdicts = "".join(map(printed, cells(path, tag="verify")))
    code = [c for c in cells(path, "code") if "verify" not in tags(c)]
    text = "".join(map(printed, code))
    lines = [x for x in text.splitlines() if "largest relative" not in x]
    assert len(lines) > 20
    assert [line for line in lines if line not in page.get_text()] == []
    for verdict in verdicts.splitlines():  # nobody has done the work yet
        assert verdict not in page.get_text()
    shown = page.select(".cell_output img")
    assert [image["alt"] for image in shown] == [*map(alt, figures(path))]


def test_the_ladder_says_what_its_chapters_say(book):
    """Their titles, how many lines of the loop came and went, the end."""
    rows = book["index"].select(".ladder > li")
    assert len(rows) == 7
    for row in rows:
        page = book[row.a["href"].removesuffix(".html")]
        assert row.a.get_text() in page.h1.get_text()
        diff = page.select(".highlight-diff pre")[:1]
        lines = "".join(part.get_text() for part in diff).splitlines()
        counts = [sum(x[0] == sign for x in lines) for sign in "+-"]
        path = ROOT / "notebooks" / row.a["href"].rpartition("/")[2]
        (loop,) = cells(path.with_suffix(".ipynb"), tag="loop")
        told = [row.select_one(f".{name}") for name in ("diff", "loss")]
        told = [part.get_text() for part in told if part]
        assert told.pop() == printed(loop).split()[-1]
        minus = "\N{MINUS SIGN}"
        assert told == ([f"+{counts[0]} {minus}{counts[1]}"] if diff else [])


def test_links_inside_the_book_lead_somewhere(book, built):
    for name, page in book.items():
        here = (built / f"{name}.html").parent
        for link in page.select("a[href], img[src], script[src], link[href]"):
            target = link.get("href") or link.get("src")
            path, _, anchor = target.partition("#")
            if re.match(r"[a-z]+:", target) or not (path or anchor):
                continue
            file = here / path.partition("?")[0] if path else None
            assert file is None or file.exists(), f"{name}: {target}"
            if anchor and not path and "=" not in anchor:
                assert page.find(id=anchor), f"{name}: {target}"


def test_each_chapter_links_to_the_next(book):
    for path, following in itertools.pairwise(CHAPTERS):
        page = book[f"notebooks/{path.stem}"]
        ending = page.select_one("a.right-next")["href"]
        assert ending == f"{following.stem}.html"


def test_formulas_are_drawn_and_no_script_is_asked_from_outside(book):
    assert book["notebooks/01_numpy"].find("math")
    for page in book.values():
        text = re.sub(r"\$ (\S+=\S+ )*make", "", page.get_text())
        assert "$" not in text
        assert not page.select("script[src^=http], link[href^=http]")


def test_the_font_of_formulas_has_all_their_signs(built, book):
    font = TTFont(built / "_static" / "math.woff")
    formulas = [f for page in book.values() for f in page.find_all("math")]
    text = "".join(formula.get_text() for formula in formulas)
    signs = {ord(sign) for sign in text if not sign.isspace()}
    drawn = {ord("√"), *map(ord, "𝑎𝑏𝑐𝑑𝑥𝑦𝑤𝐻𝐿𝜂𝜆𝛽")}
    assert signs | drawn <= set(font.getBestCmap())
    assert "MATH" in font  # large sums and roots


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("GITHUB_REPOSITORY", "an owner/name"),
        ("GITHUB_REF_NAME", "a branch"),
        ("BOOK_URL", "book.example"),
        ("JUPYTERHUB_URL", "javascript:alert(1)"),
    ],
)
def test_a_malformed_address_is_refused_by_its_name(name, wrong, monkeypatch):
    monkeypatch.setenv(name, wrong)
    with pytest.raises(SystemExit, match=f"{name}: expected .*, got '"):
        address.given(name)


def test_a_branch_is_what_git_takes_for_one():
    names = ["fix#12", "a@b/c", "@", "1'", "a.b", "a-", "HEAD/a", "é"]
    names += ["-a", ".a", "a/.b", "a.", "a/", "/a", "a//b", "a..b", "a@{b"]
    names += ["a.lock", "a.lock/b", "HEAD", "a b", "a~b", "a^", "a:b", "a\\b"]
    names += ["a?", "a*", "[a", "a\nb", "a\x7f"]
    for name in names:
        done = run(["git", "check-ref-format", "--branch", name], ROOT)
        assert bool(re.fullmatch(address.BRANCH, name)) == (
            done.returncode == 0
        ), name


def test_only_the_search_page_loads_what_it_takes_to_search(built):
    pages = {p.name: p.read_text("utf-8") for p in built.rglob("*.html")}
    loading = {name for name, text in pages.items() if "search.js" in text}
    assert loading == {"search.html"}
    tools = ("searchindex.js", "searchtools.js", "language_data.js")
    assert not any(tool in text for text in pages.values() for tool in tools)
