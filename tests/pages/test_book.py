"""The book that was built: its outputs, links, glyphs, addresses."""

import re

import pytest
from bs4 import BeautifulSoup
from fontTools.ttLib import TTFont

import address
from conftest import ROOT, each_chapter
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


@each_chapter
def test_a_chapter_shows_its_stored_outputs(path, book):
    page = book[f"notebooks/{path.stem}"]
    text = page.get_text()
    for cell in cells(path, "code"):
        for line in printed(cell).splitlines():
            # of the readers' own work there is no verdict yet
            assert (line in text) is ("verify" not in tags(cell)), line
    shown = page.select(".cell_output img")
    assert [image["alt"] for image in shown] == [*map(alt, figures(path))]


def test_the_ladder_says_what_its_chapters_say(book):
    """Their titles, how many lines of the loop came and went, the end."""
    rows = book["index"].select(".ladder > li")
    assert len(rows) == 7
    for row in rows:
        page = book[row.a["href"].removesuffix(".html")]
        assert row.a.get_text() in page.h1.get_text()
        path = (ROOT / row.a["href"]).with_suffix(".ipynb")
        (loop,) = cells(path, tag="loop")
        end = row.select_one(".loss").get_text()
        assert end == printed(loop).split()[-1]
        if diff := page.select_one(".highlight-diff pre"):
            lines = diff.get_text().splitlines()
            came, went = (sum(x[0] == sign for x in lines) for sign in "+-")
            told = row.select_one(".diff").get_text()
            assert told == f"+{came} \N{MINUS SIGN}{went}"


def test_links_inside_the_book_lead_somewhere(book, built):
    for name, page in book.items():
        here = (built / f"{name}.html").parent
        for link in page.select("a[href], img[src], script[src], link[href]"):
            target = link.get("href") or link.get("src")
            if re.match(r"[a-z]+:", target):
                continue
            path, _, anchor = target.partition("#")
            file = here / path.partition("?")[0]  # or the folder
            assert file.exists(), f"{name}: {target}"
            if anchor and not path and "=" not in anchor:
                assert page.find(id=anchor), f"{name}: {target}"


def test_the_font_of_formulas_has_all_their_signs(built, book):
    font = TTFont(built / "_static" / "math.woff")
    signs = set("√𝑎𝑏𝑐𝑑𝑥𝑦𝑤𝐻𝐿𝜂𝜆𝛽")
    for page in book.values():
        for formula in page.find_all("math"):
            signs.update("".join(formula.get_text().split()))
    assert signs <= set(map(chr, font.getBestCmap()))
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
