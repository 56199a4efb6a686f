"""Print the book from one long page: `make pdf`, after Sphinx has made that.

The settings of paper stand in book.css. Chromium writes the bookmarks; the
list of contents is made here, from the titles that are on the page. It gets
its numbers from the bookmarks of a first print.
"""

import sys
from pathlib import Path

from pypdf import PdfReader

from browser import NoBrowser, chromium

CONTENTS = """() => {
  document.getElementById("playground")?.remove(); // it needs a screen
  for (const fold of document.querySelectorAll("details")) {
    const name = fold.querySelector("summary");
    if (name.textContent.includes("solution")) name.textContent = "Solution";
    fold.open = true;
  }
  const list = document.createElement("ul");
  for (const part of document.querySelectorAll(".toctree-wrapper > section")) {
    const link = document.createElement("a");
    link.href = "#" + part.id;
    link.textContent = part.querySelector("h2").textContent.replace("#", "");
    list.appendChild(document.createElement("li")).append(link);
  }
  list.className = "contents";
  document.querySelector("article h1").after(list);
  for (const link of document.querySelectorAll("a[href]")) {
    const elsewhere = link.href.split("#")[0] !== location.href.split("#")[0];
    if (link.protocol === "file:" && elsewhere)
      link.replaceWith(...link.childNodes); // a file of the builder's disk
  }
}"""
NUMBER = """pages => {
  for (const line of document.querySelectorAll(".contents li")) {
    const number = document.createElement("span");
    number.textContent = pages[line.textContent];
    line.append(number);
  }
}"""
PAPER = {
    "prefer_css_page_size": True,
    "print_background": True,
    "outline": True,
    "tagged": True,
}


def numbers(target):
    """Return the page of each title in the bookmarks of a PDF."""
    printed = PdfReader(target)
    marks, pages = [*printed.outline], {}
    while marks:
        mark = marks.pop()
        if isinstance(mark, list):
            marks += mark
        else:
            pages[mark.title] = printed.get_destination_page_number(mark) + 1
    return pages


def print_book(single, target):
    """Print the page, made by Sphinx's builder singlehtml, to a PDF."""
    with chromium() as browser:
        page = browser.new_page(color_scheme="light", reduced_motion="reduce")
        page.goto((single / "index.html").resolve().as_uri())
        page.evaluate(CONTENTS)
        page.pdf(path=target, **PAPER)
        page.evaluate(NUMBER, numbers(target))
        page.pdf(path=target, **PAPER)


if __name__ == "__main__":
    try:
        print_book(Path(sys.argv[1]), Path(sys.argv[2]))
    except NoBrowser as missing:
        sys.exit(str(missing))
