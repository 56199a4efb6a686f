"""Building, tried on a book of two pages: what is made, and what is kept."""

import os
import posixpath
import re
import zipfile
from xml.etree import ElementTree

import pytest

from conftest import copy_parts, long, make
from runner import write

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
    copy_parts(folder, "Makefile", "_config.yml", "pyproject.toml")
    copy_parts(
        folder, "book/_ext", "book/style", "book/images", "book/templates"
    )
    copy_parts(folder, "classroom", "tools")
    copy_parts(folder, "tests/kernels.py", "tests/sanitize.ini")
    copy_parts(folder, "notebooks/sinefit.py")  # which names the colours
    (folder / "_toc.yml").write_text(
        "format: jb-book\nroot: index\n"
        "chapters: [{file: notebooks/page}, {file: notebooks/more}]\n"
    )
    (folder / "index.md").write_text(
        "# Small\n\n{.start}\n[Begin](notebooks/page.ipynb)\n"
    )
    (folder / "notebooks" / ".cache").mkdir(parents=True)
    (folder / "notebooks" / ".cache" / "README.md").write_text("# A tool's\n")
    (folder / "notebooks" / "words.py").write_text('WORD = "first"\n')
    (folder / "notebooks" / "more.md").write_text(MORE)
    (folder / "notebooks" / "line.svg").write_text(LINE)
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


def test_a_book_without_an_address_names_none(small):
    assert "first word" in page(small)
    assert addresses(small) == []


def test_a_book_that_is_up_to_date_is_not_built_again(small):
    done = make(small, "book")
    assert done.returncode == 0
    assert "Read it: " in done.stdout
    assert "ing the" not in done.stdout
    (small / "README.md").touch()  # of which no page is made
    html = small / "_build" / "html"
    files = sorted(file for file in html.rglob("*") if file.is_file())
    kept = [file.read_bytes() for file in files]
    done = make(small, "pages")
    assert done.returncode == 0, done.stdout
    assert "Building the book" in done.stdout
    assert sorted(file for file in html.rglob("*") if file.is_file()) == files
    for file, content in zip(files, kept, strict=True):
        assert file.read_bytes() == content, file


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


def files(folder):
    """Return the files of the small book's pages, with what they hold."""
    html = folder / "_build" / "html"
    return {p: p.read_bytes() for p in html.rglob("*") if p.is_file()}


def limit(size):
    """Let no file that this process or its children write be longer."""
    import resource  # which Windows has not

    kept = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, kept[1]))
    return kept[0]


@pytest.mark.skipif(os.name != "posix", reason="needs a Unix system")
@pytest.mark.parametrize("step", ["copy", *long(["build"])])
def test_a_disk_that_is_full_leaves_the_last_good_book(step, small, tmp_path):
    kept, path = files(small), os.environ["PATH"]
    (small / "notebooks" / "more.md").touch()
    if step == "copy":
        cp = tmp_path / "cp"
        cp.write_text('#!/bin/sh\nmkdir "$3"; : > "$3/index.html"; exit 1\n')
        cp.chmod(0o755)
        path = f"{tmp_path}:{path}"
    size = limit(2**18) if step == "build" else None
    try:
        done = make(small, "pages", PATH=path)
    finally:
        if size:
            limit(size)
    assert done.returncode != 0, done.stdout
    assert files(small) == kept
    done = make(small, "pages")
    assert done.returncode == 0, done.stdout
    assert "Building the book" in done.stdout
    assert files(small) == kept


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
    lost = (html / "404.html").read_text("utf-8")
    assert 'src="/a.fork/_static/' in lost
    assert '<a href="/a.fork/">begin at the first</a>' in lost
    first = (html / "index.html").read_text("utf-8")
    start = first.partition('<p class="start">')[2].partition("</p>")[0]
    colab = f"/github/{fork}/blob/copies/page.ipynb"
    assert f'{colab}">Open it in Colab</a>' in start
    for tag in (
        'rel="canonical"',
        'property="og:image"',
        'name="description"',
    ):
        assert tag in first

    monkeypatch.setenv("GITHUB_REPOSITORY", "just-a-name")
    done = make(small, "pages")
    assert done.returncode != 0
    wanted = "GITHUB_REPOSITORY: expected owner/name, got 'just-a-name'"
    assert wanted in done.stdout
    assert "Traceback" not in done.stdout
    assert "first word" in page(small)


@pytest.fixture(scope="module")
def one_file(small):
    """Return what makes the small book into one file, and its bytes."""
    pytest.importorskip("pypdf", reason="make .venv/print brings it")

    def one_file(kind):
        done = make(small, kind)
        assert done.returncode == 0, done.stdout
        path = small / "_build" / f"one-curve-seven-times.{kind}"
        assert path.name in done.stdout
        return path

    return one_file


@pytest.mark.long
def test_the_book_can_be_printed(one_file, browser):
    path = one_file("pdf")
    content = path.read_bytes()
    assert b"/StructTreeRoot" in content  # what screen readers go by
    from pypdf import PdfReader

    pages = PdfReader(path).pages
    lines = pages[0].extract_text().splitlines()
    for title in ("Page", "More"):  # its number, then that page
        found = [re.match(rf"{title}\s*(\d+)$", line) for line in lines]
        (number,) = [int(line[1]) for line in found if line]
        assert number > 1
        assert title in pages[number - 1].extract_text().split()
    for number, page in enumerate(pages[1:], 2):
        assert str(number) in page.extract_text().split(), "its number"
    text = "\n".join(page.extract_text() for page in pages)
    for words in ("print(words.WORD", "first word", "Solution", "Here."):
        assert words in text, words
    links = [
        note.get_object().get("/A", {}).get("/URI", "")
        for page in pages
        for note in page.get("/Annots", [])
    ]
    assert not [link for link in links if link.startswith("file:")]


@pytest.mark.long
def test_the_book_can_be_handed_out(one_file):
    with zipfile.ZipFile(one_file("zip")) as packed:
        assert packed.read("html/index.html")
        assert b"first word" in packed.read("html/notebooks/page.html")


@pytest.mark.long
def test_an_e_reader_can_show_the_book(one_file):
    """What epubcheck minds: XML, addresses, and no DTD from elsewhere."""
    with zipfile.ZipFile(one_file("epub")) as packed:
        names = packed.namelist()
        assert names[0] == "mimetype"
        files = {n: packed.read(n) for n in names if n.endswith("xhtml")}
        text = b"".join(files.values())
        assert b"first word" in text
        assert b"print(words.WORD" in text
        assert b"<p>Solution</p>" in text
        (about,) = (n for n in names if n.endswith(".opf"))
        about = packed.read(about).decode()
        assert re.search(r"<dc:title[^>]*>One curve, seven times<", about)
        assert re.search(r"<dc:language[^>]*>en<", about)
        pages = {name: ElementTree.fromstring(t) for name, t in files.items()}
        ids = {
            name: {e.get("id") for e in page.iter()}
            for name, page in pages.items()
        }
        for name, page in pages.items():
            folder = name.rpartition("/")[0]
            for link in page.iter("{http://www.w3.org/1999/xhtml}a"):
                file, _, part = link.get("href", "").partition("#")
                if ":" not in file and link.get("href"):
                    target = posixpath.normpath(f"{folder}/{file}")
                    target = name if not file else target
                    assert target in ids
                    assert not part or part in ids[target], link.get("href")
        assert b"<math" in b"".join(files.values())
        (drawing,) = (name for name in names if name.endswith(".svg"))
        drawn = packed.read(drawing)
        assert b"M0 0L9 9" in drawn
        assert not re.search(rb"DOCTYPE|idle", drawn)
