"""A translator finds every sentence: the book in a language that is none."""

import os
import re
import sys
from pathlib import Path

import pytest
from babel.messages import mofile, pofile
from bs4 import BeautifulSoup, NavigableString

from conftest import CHAPTERS, copy_parts, run

# What Sphinx does not extract; CONTRIBUTING.md says where it stands.
LISTED = {
    "form#descent, noscript": "book/playground.md",
    ".motion": "tools/draw_pictures.py",
    ".take :is(a, span)": "book/_ext/downloads.py",
    ".cell summary": "a solution's cell",
}
CODE = "pre, code, script, style, math, .headerlink, .copybtn"
BEGIN = "\N{MATHEMATICAL LEFT WHITE SQUARE BRACKET}"
END = "\N{MATHEMATICAL RIGHT WHITE SQUARE BRACKET}"


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """Return a copy of the book, with Sphinx's settings and its catalogs."""
    folder = tmp_path_factory.mktemp("source")
    copy_parts(folder, "_config.yml", "_toc.yml", "index.md", "README.md")
    copy_parts(folder, "book", "notebooks", "classroom", "constraints.txt")
    copy_parts(folder, ".binder")
    book = Path(sys.executable).with_name("jupyter-book")
    for command in ([book, "config", "sphinx", "."], build("gettext", "pot")):
        done = run(command, folder, PYTHONPATH="book/_ext")
        assert done.returncode == 0, done.stdout
    return folder


def build(builder, target, *settings):
    """Return the command that builds the book with Sphinx alone."""
    settings = [part for name in settings for part in ("-D", name)]
    sphinx = [sys.executable, "-m", "sphinx", "-q", "-b", builder]
    return [*sphinx, *settings, ".", target]


def untranslated(page):
    """Return the texts of a page's article that stand in no brackets."""
    article = BeautifulSoup(page, "html.parser").find("article")
    for element in article.select(", ".join([CODE, *LISTED])):
        element.decompose()
    depth, left = 0, []
    for text in article.descendants:
        if isinstance(text, NavigableString):
            for part in re.split(f"([{BEGIN}{END}])", text):
                depth += (part == BEGIN) - (part == END)
                if depth == 0 and re.search("[A-Za-z]{2}", part):
                    left.append(part.strip())
    assert depth == 0
    return left


@pytest.mark.long
@pytest.mark.skipif(os.name != "posix", reason="Windows spells paths so")
def test_no_sentence_is_left_behind(source):
    catalogs = [*(source / "pot").rglob("*.pot")]
    assert catalogs
    for catalog in catalogs:
        with catalog.open("rb") as file:
            messages = pofile.read_po(file)
        for message in messages:
            if message.id:
                message.string = f"{BEGIN}{message.id}{END}"
        place = source / "locale" / "eo" / "LC_MESSAGES" / catalog.name
        place.parent.mkdir(parents=True, exist_ok=True)
        with place.with_suffix(".mo").open("wb") as file:
            mofile.write_mo(file, messages)
    settings = "language=eo", "locale_dirs=locale"
    done = run(
        build("html", "html", *settings), source, PYTHONPATH="book/_ext"
    )
    assert done.returncode == 0, done.stdout
    pages = [*source.glob("html/*/*.html"), source / "html" / "index.html"]
    pages = [p for p in pages if "article" in p.read_text("utf-8")]
    assert {path.stem for path in CHAPTERS} <= {page.stem for page in pages}
    left = {p.stem: untranslated(p.read_text("utf-8")) for p in pages}
    assert not any(left.values()), left


def test_what_is_not_extracted_is_listed():
    guide = (Path(__file__).parents[1] / "CONTRIBUTING.md").read_text("utf-8")
    listed = guide.partition("Not in the catalogs")[2].partition("\n\n")[0]
    for place in (*LISTED.values(), "notebooks/sinefit.py", "alt text"):
        assert place in listed, place
    page = (
        f"<article>{BEGIN}All.{END} <p>Left behind</p><pre>co</pre></article>"
    )
    assert untranslated(page) == ["Left behind"]
