"""The book: it builds without a warning, and fails where it should."""

import itertools
import json
import os
import re
import sys
import zipfile

import pytest
from bs4 import BeautifulSoup
from fontTools.ttLib import TTFont

import address
from conftest import ROOT, copy_parts, make_book, run

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


def test_every_page_is_there_with_its_title(book):
    assert len(book) == len(PAGES) >= 11
    for page in book.values():
        assert page.h1.get_text(strip=True)
    assert (ROOT / "_build" / "html" / "index.html").exists()


@pytest.mark.parametrize("name", [p for p in PAGES if "notebooks/" in p])
def test_a_chapter_shows_its_stored_outputs(book, name):
    text = book[name].get_text()
    cells = json.loads((ROOT / f"{name}.ipynb").read_text("utf-8"))["cells"]
    outputs = [out for cell in cells for out in cell.get("outputs", [])]
    lines = [
        line
        for out in outputs
        if out["output_type"] == "stream"
        for line in "".join(out["text"]).splitlines()
        if "largest relative difference" not in line
    ]
    assert len(lines) > 20
    missing = [line for line in lines if line not in text]
    assert not missing
    figures = [
        out for out in outputs if "image/svg+xml" in out.get("data", {})
    ]
    shown = book[name].select(".cell_output img")
    assert len(shown) == len(figures)
    assert all(len(image["alt"]) > 40 for image in shown)


def test_links_inside_the_book_lead_somewhere(book):
    built = ROOT / "_build" / "html"
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
                assert page.find(id=anchor) or anchor == "", (
                    f"{name}: {target}"
                )


def test_each_chapter_links_to_the_next(book):
    chapters = [name for name in PAGES if "notebooks/" in name]
    for name, following in itertools.pairwise(chapters):
        ending = book[name].select_one("a.right-next")["href"]
        assert ending == f"{following.split('/')[1]}.html"


def test_formulas_are_drawn_and_no_script_is_asked_from_outside(book):
    assert book["notebooks/01_numpy"].find("math")
    for page in book.values():
        text = re.sub(r"\$ (\S+=\S+ )?make", "", page.get_text())
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


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Return the folder of a book with few words, not yet built."""
    folder = tmp_path_factory.mktemp("small")
    copy_parts(folder, "Makefile", "_config.yml")
    copy_parts(folder, "book/_ext", "book/style", "book/images")
    (folder / "_toc.yml").write_text(
        "format: jb-book\nroot: notebooks/page\n"
        "chapters: [{file: notebooks/more}]\n"
    )
    (folder / "notebooks" / ".cache").mkdir(parents=True)
    (folder / "notebooks" / ".cache" / "README.md").write_text("# A tool's\n")
    (folder / "notebooks" / "words.py").write_text('WORD = "first"\n')
    (folder / "notebooks" / "more.md").write_text("# More\n\nWords.\n")
    return folder


def write_page(folder, *lines, prints=None):
    """Write the notebook: a title, and a cell that stores what it prints."""
    stream = {"name": "stdout", "output_type": "stream", "text": prints}
    title = {"cell_type": "markdown", "metadata": {}, "source": "# Page"}
    cell = {
        "cell_type": "code",
        "execution_count": 1 if prints else None,
        "metadata": {},
        "outputs": [stream] if prints else [],
        "source": "\n".join(lines),
    }
    notebook = {
        "cells": [title | {"id": "a"}, cell | {"id": "b"}],
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "name": "python3"}
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    page = folder / "notebooks" / "page.ipynb"
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(json.dumps(notebook), encoding="utf-8")


def shown(folder):
    """Return the text of the small book's page, as last built."""
    page = folder / "_build" / "html" / "notebooks" / "page.html"
    text = page.read_text(encoding="utf-8")
    return BeautifulSoup(text, "html.parser").select_one("article").get_text()


def test_a_change_is_built_and_a_failure_is_not(small):
    write_page(small, "import words", "print('the', words.WORD, 'word')")
    done = make_book(small)
    assert done.returncode == 0, done.stdout
    assert "the first word" in shown(small)

    # a module changes, and the notebook that imports it does not
    (small / "notebooks" / "words.py").write_text('WORD = "second"\n')
    assert make_book(small).returncode == 0
    assert "the second word" in shown(small)

    # a cell that raises: the build fails, says why, and leaves the last book
    write_page(small, "import words", "print(words.NONE)")
    done = make_book(small)
    assert done.returncode != 0
    assert "has no attribute 'NONE'" in done.stdout
    assert "the second word" in shown(small)


def links(folder):
    """Return all addresses outside that the small book's page names."""
    text = (folder / "_build/html/notebooks/page.html").read_text("utf-8")
    return set(re.findall(r'(?:href|content)="(https?://[^"]+)"', text))


def test_buttons_follow_the_address_of_the_fork(small, monkeypatch):
    for name in ("GITHUB_REPOSITORY", "GITHUB_REF_NAME", "BOOK_URL"):
        monkeypatch.delenv(name, raising=False)
    write_page(small, "print('a page')")
    assert make_book(small).returncode == 0
    assert links(small) == set()

    monkeypatch.setenv("GITHUB_REPOSITORY", "An-owner/a.fork")
    monkeypatch.setenv("GITHUB_REF_NAME", "topic/new")
    monkeypatch.setenv("JUPYTERHUB_URL", "https://hub.example")
    done = make_book(small)
    assert done.returncode == 0, done.stdout
    fork, found = "An-owner/a.fork", " ".join(sorted(links(small)))
    for link in (
        f"/github/{fork}/blob/topic/new/notebooks/standalone/page.ipynb",
        f"/v2/gh/{fork}/topic/new?urlpath=lab/tree/notebooks/page.ipynb",
        f"https://github.com/{fork}/blob/topic/new/notebooks/page.ipynb",
        f"https://hub.example/hub/user-redirect/git-pull?repo=https%3A//github.com/{fork}&",
        "https://an-owner.github.io/a.fork/notebooks/page.html",
        "https://an-owner.github.io/a.fork/_images/social_previews/",
    ):
        assert link in found, link
    html = small / "_build" / "html"
    site = (html / "sitemap.xml").read_text("utf-8")
    assert "https://an-owner.github.io/a.fork/notebooks/page.html" in site
    assert 'src="/a.fork/_static/' in (html / "404.html").read_text("utf-8")

    monkeypatch.setenv("GITHUB_REPOSITORY", "just-a-name")
    done = make_book(small)
    assert done.returncode != 0
    wanted = "GITHUB_REPOSITORY: expected owner/name, got 'just-a-name'"
    assert wanted in done.stdout
    assert "Traceback" not in done.stdout
    assert "a page" in shown(small)


def test_the_book_can_be_printed_and_handed_out(small, browser):
    write_page(small, "print('a page')")
    for target, made in (("pdf", "times.pdf"), ("zip", "times.zip")):
        done = make_book(small, target)
        assert done.returncode == 0, done.stdout
        assert made in done.stdout
    pdf = (small / "_build" / "one-curve-seven-times.pdf").read_bytes()
    assert pdf.startswith(b"%PDF")
    assert len(re.findall(rb"/Type /Page\b", pdf)) >= 2  # a part, a page
    assert b"/Outlines" in pdf
    assert b"/StructTreeRoot" in pdf  # what screen readers go by
    with zipfile.ZipFile(small / "_build/one-curve-seven-times.zip") as packed:
        assert packed.read("html/index.html")
        assert b"a page" in packed.read("html/notebooks/page.html")


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


def test_a_cell_that_raises_or_prints_something_else_fails_the_tests(tmp_path):
    printed = "the first word\n"
    write_page(tmp_path / "good", "print('the first word')", prints=printed)
    write_page(tmp_path / "other", "print('a second word')", prints=printed)
    write_page(tmp_path / "raises", "1 / 0")
    done = run(
        [sys.executable, "-m", "pytest", "--nbval", "-c", os.devnull, "-v"],
        tmp_path,
    )
    outcomes = re.findall(r"(\w+)/notebooks.+? (PASSED|FAILED)", done.stdout)
    assert dict(outcomes) == {
        "good": "PASSED",
        "other": "FAILED",
        "raises": "FAILED",
    }
    assert "ZeroDivisionError" in done.stdout
