"""Building, tried on a book of two pages: what is made, and what is kept."""

import os
import re
import zipfile
from urllib.parse import urldefrag, urljoin
from xml.etree import ElementTree

import pytest

from conftest import copy_parts, make
from runner import write

PRINT = "make .venv/print brings it"
MORE = """# More

![A line](line.svg), $x^2$, and [the page](page).

<details><summary>Show the solution</summary>

Here.

</details>
"""
LINE = """<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "none.dtd">
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9">
<path id="idle"/><path d="M0 0L9 9" stroke="#000"/></svg>
"""


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Build a book of two pages; return its folder, which has a hard name."""
    folder = tmp_path_factory.mktemp("small") / "Ann's bücher"
    folder.mkdir()
    copy_parts(folder, "Makefile", "_config.yml", "pyproject.toml", "tools")
    for part in ("_ext", "style", "images", "templates"):
        copy_parts(folder, f"book/{part}")
    copy_parts(folder, "tests/kernels.py", "tests/sanitize.ini")
    copy_parts(folder, "notebooks/sinefit.py")  # which names the colours
    (folder / "_toc.yml").write_text(
        "format: jb-book\nroot: index\n"
        "chapters: [{file: notebooks/page}, {file: notebooks/more}]\n"
    )
    (folder / "index.md").write_text(
        "# Small\n\n{.start}\n[Begin](notebooks/page.ipynb)\n"
    )
    notebooks = folder / "notebooks"
    (notebooks / ".cache").mkdir()
    (notebooks / ".cache" / "README.md").write_text("# A tool's\n")
    (notebooks / "words.py").write_text('WORD = "first"\n')
    (notebooks / "more.md").write_text(MORE)
    (notebooks / "line.svg").write_text(LINE)
    write(folder, "page", "import words\nprint(words.WORD, 'word')")
    done = make(folder, "book")
    assert done.returncode == 0, done.stdout
    return folder


def page(folder):
    """Return the small book's page, as last built."""
    path = folder / "_build" / "html" / "notebooks" / "page.html"
    return path.read_text(encoding="utf-8")


def addresses(folder):
    """Return all addresses outside that the small book's page names."""
    return re.findall(r'(?:href|content)="(https?://[^"]+)"', page(folder))


def files(folder):
    """Return the files of the small book's pages, with what they hold."""
    html = folder / "_build" / "html"
    return {p: p.read_bytes() for p in html.rglob("*") if p.is_file()}


def test_a_book_is_built_when_it_must_be_and_names_no_address(small):
    assert "first word" in page(small)
    assert addresses(small) == []
    done = make(small, "book")
    assert done.returncode == 0
    assert "Read it: " in done.stdout
    assert "ing the" not in done.stdout
    (small / "README.md").touch()  # of which no page is made
    kept = files(small)
    done = make(small, "pages")
    assert done.returncode == 0, done.stdout
    assert "Building the book" in done.stdout
    assert files(small) == kept


def test_a_failure_is_named_and_leaves_the_last_good_book(small):
    pages = small / "notebooks"
    kept, words = page(small), pages / "words.py"
    stored = (pages / "page.ipynb").read_text("utf-8")
    try:
        words.write_text('WORD = "second"\n')  # what the notebook imports
        write(small, "raises", "1 / 0")
        done = make(small, "book")
        assert done.returncode != 0
        for line in (
            r"'first word\n' == 'second word\n'",
            ": division by zero",
            "2 failed",
            "ONLY='page raises'",
        ):
            assert line in done.stdout, done.stdout
        (pages / "raises.ipynb").unlink()
        words.write_text('WORD = "first"\n')
        write(small, "page", "print('no more')", "no more\n")
        (pages / "more.md").write_text("# More\n\n[To nowhere](none.md)\n")
        for _ in range(2):  # as long as it is there
            done = make(small, "pages")
            assert done.returncode != 0
            assert "'none.md'" in done.stdout
            assert page(small) == kept
    finally:
        words.write_text('WORD = "first"\n')
        (pages / "more.md").write_text(MORE)
        (pages / "page.ipynb").write_text(stored, "utf-8")


@pytest.mark.long
def test_a_disk_that_is_full_leaves_the_last_good_book(small, tmp_path):
    kept, cp = files(small), tmp_path / "cp"
    (small / "notebooks" / "more.md").touch()
    cp.write_text('#!/bin/sh\nmkdir "$3"; : > "$3/index.html"; exit 1\n')
    cp.chmod(0o755)
    done = make(small, "pages", PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert done.returncode != 0, done.stdout
    assert files(small) == kept
    done = make(small, "pages")
    assert done.returncode == 0, done.stdout
    assert "Building the book" in done.stdout
    assert files(small).keys() == kept.keys()


@pytest.mark.long
def test_buttons_follow_the_address_of_the_fork(small, monkeypatch):
    fork = "An-owner/a.fork"
    monkeypatch.setenv("GITHUB_REPOSITORY", fork)
    monkeypatch.setenv("GITHUB_REF_NAME", "a@b/fix#12")
    monkeypatch.setenv("JUPYTERHUB_URL", "https://hub.example")
    done = make(small, "pages")
    assert done.returncode == 0, done.stdout
    found = " ".join(addresses(small))
    for link in (
        f"/github/{fork}/blob/copies/page.ipynb",
        f"/v2/gh/{fork}/copies?urlpath=lab/tree/page.ipynb",
        f"https://github.com/{fork}/blob/a%40b/fix%2312/notebooks/page.ipynb",
        f"https://hub.example/hub/user-redirect/git-pull?repo=https%3A//github.com/{fork}&",
        "&urlpath=lab/tree/a.fork/page.ipynb&branch=copies",
        "https://an-owner.github.io/a.fork/notebooks/page.html",
        "https://an-owner.github.io/a.fork/_images/social_previews/",
        f"https://github.com/{fork}/issues/new?title=An%20error%20in%20notebooks/page",
    ):
        assert link in found, link
    html = small / "_build" / "html"
    site = (html / "sitemap.xml").read_text("utf-8")
    assert "https://an-owner.github.io/a.fork/notebooks/page.html" in site
    assert not re.search(r"/(404|search|genindex)\.html", site)
    assert 'src="/a.fork/_static/' in (html / "404.html").read_text("utf-8")
    first = (html / "index.html").read_text("utf-8")
    start = first.partition('<p class="start">')[2].partition("</p>")[0]
    assert 'copies/page.ipynb">Open it in Colab</a>' in start
    for name in ('"canonical"', '"og:image"', '"description"'):
        assert f"={name}" in first


def one_file(small, kind):
    """Make the small book into one file; return its path."""
    done = make(small, kind)
    assert done.returncode == 0, done.stdout
    path = small / "_build" / f"one-curve-seven-times.{kind}"
    assert path.name in done.stdout
    return path


@pytest.mark.long
def test_the_book_can_be_printed(small, browser):
    pypdf = pytest.importorskip("pypdf", reason=PRINT)
    path = one_file(small, "pdf")
    assert b"/StructTreeRoot" in path.read_bytes()  # for screen readers
    pages = pypdf.PdfReader(path).pages
    texts = [page.extract_text() for page in pages]
    for title in ("Page", "More"):  # its number, then that page
        (number,) = re.findall(rf"(?m)^{title}\s*(\d+)$", texts[0])
        assert int(number) > 1
        assert title in texts[int(number) - 1].split()
    for number, text in enumerate(texts[1:], 2):
        assert str(number) in text.split(), "its number"
    for words in ("print(words.WORD", "first word", "Solution", "Here."):
        assert words in "".join(texts), words
    for page in pages:
        for note in page.get("/Annots", []):
            link = note.get_object().get("/A", {}).get("/URI", "")
            assert not link.startswith("file:")


@pytest.mark.long
def test_the_book_can_be_handed_out(small):
    with zipfile.ZipFile(one_file(small, "zip")) as packed:
        assert packed.read("html/index.html")
        assert b"first word" in packed.read("html/notebooks/page.html")


@pytest.mark.long
def test_an_e_reader_can_show_the_book(small):
    """What epubcheck minds: XML, addresses, and no DTD from elsewhere."""
    pytest.importorskip("pypandoc", reason=PRINT)
    with zipfile.ZipFile(one_file(small, "epub")) as packed:
        files = {name: packed.read(name) for name in packed.namelist()}
    assert next(iter(files)) == "mimetype"
    (about,) = (t.decode() for n, t in files.items() if n.endswith(".opf"))
    assert re.search(r"<dc:title[^>]*>One curve, seven times<", about)
    assert re.search(r"<dc:language[^>]*>en<", about)
    (drawn,) = (text for n, text in files.items() if n.endswith(".svg"))
    assert b"M0 0L9 9" in drawn
    assert not re.search(rb"DOCTYPE|idle", drawn)
    texts = {n: t for n, t in files.items() if n.endswith("xhtml")}
    for words in ("first word", "print(words.WORD", "<p>Solution", "<math"):
        assert words in b"".join(texts.values()).decode(), words
    pages = {n: ElementTree.fromstring(text) for n, text in texts.items()}
    places = {name: {""} for name in pages}
    for name, page in pages.items():
        places[name].update(part.get("id", "") for part in page.iter())
    for name, page in pages.items():
        for link in page.iter("{http://www.w3.org/1999/xhtml}a"):
            file, part = urldefrag(urljoin(name, link.get("href", "")))
            if ":" not in file:
                assert part in places[file], link.get("href")
