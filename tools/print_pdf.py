"""Print the book from one long page: `make pdf`, after Sphinx has made that.

The settings of paper stand in book.css. Chromium writes the bookmarks; the
list of contents is made here, from the titles that are on the page.
"""

import sys
from pathlib import Path

from browser import NoBrowser, chromium

CONTENTS = """() => {
  document.getElementById("playground")?.remove(); // it needs a screen
  for (const fold of document.querySelectorAll("details")) fold.open = true;
  const list = document.createElement("ul");
  for (const part of document.querySelectorAll(".toctree-wrapper > section")) {
    const link = document.createElement("a");
    link.href = "#" + part.id;
    link.textContent = part.querySelector("h2").textContent.replace("#", "");
    list.appendChild(document.createElement("li")).append(link);
  }
  list.className = "contents";
  document.querySelector("article h1").after(list);
}"""


def print_book(single, target):
    """Print the page, made by Sphinx's builder singlehtml, to a PDF."""
    with chromium() as browser:
        page = browser.new_page(color_scheme="light", reduced_motion="reduce")
        page.goto((single / "index.html").resolve().as_uri())
        page.evaluate(CONTENTS)
        page.pdf(
            path=target,
            prefer_css_page_size=True,
            print_background=True,
            outline=True,
            tagged=True,
        )


if __name__ == "__main__":
    try:
        print_book(Path(sys.argv[1]), Path(sys.argv[2]))
    except NoBrowser as missing:
        sys.exit(str(missing))
