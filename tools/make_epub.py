"""Make the book for e-readers, from the one long page that Sphinx made.

`make epub` calls it. pandoc writes the book; here the page is cut to what such
a reader can show.
"""

import re
import sys
from pathlib import Path
from urllib.parse import unquote

import pypandoc
import yaml
from bs4 import BeautifulSoup

# What needs a screen, a script or a file beside the page.
GONE = (
    "script, style, form, .headerlink, .copybtn, .motion, .caption, .start"
    ", #playground"
)
HEADING = re.compile(r"h[1-6]")


def article(page):
    """Return the long page's article, for pandoc.

    Chapters have headings of the first level, as the book has; headings have
    the addresses of their sections; a link that leads nowhere here is text.
    """
    soup = BeautifulSoup(page, "html.parser")
    body = soup.find("article")
    for element in body.select(GONE):
        element.decompose()
    for chapter in body.select(".toctree-wrapper > section"):
        for heading in chapter.find_all(HEADING):
            heading.name = f"h{int(heading.name[1]) - 1}"
        for part in chapter.find_all("section"):  # chapters share headings
            for link in chapter.find_all("a", href=f"#{part['id']}"):
                link["href"] = f"#{chapter['id']}-{part['id']}"
            part["id"] = f"{chapter['id']}-{part['id']}"
    for section in body.find_all("section"):
        section.find(HEADING)["id"] = section.attrs.pop("id")
    for fold in body.find_all("summary"):  # it has no folds
        text = fold.get_text(" ", strip=True)
        fold.name, fold.attrs = "p", {}
        fold.string = "Solution" if "solution" in text else text
    for code in body.select(".cell_input pre"):
        code["class"] = "input"
    for term in body.find_all("dt", id=True):
        term.insert(0, soup.new_tag("span", id=term.attrs.pop("id")))
    known = {element["id"] for element in body.find_all(id=True)}
    for link in body.find_all("a", href=True):
        place = link["href"]
        if place.startswith("#") and unquote(place[1:]) in known:
            continue
        if not place.startswith(("https:", "http:")):
            link.unwrap()
    return str(body)


def make(single, target):
    """Make the book from the folder that Sphinx's builder singlehtml wrote."""
    settings = yaml.safe_load(Path("_config.yml").read_text("utf-8"))
    page = article((single / "index.html").read_text("utf-8"))
    pypandoc.convert_text(
        page,
        "epub3",
        format="html-native_divs",
        outputfile=target,
        extra_args=[
            "--syntax-highlighting=none",
            *("--mathml", "--split-level=1", "--toc-depth=2"),
            *("--metadata", f"title={settings['title']}"),
            *("--metadata", "lang=en", "--resource-path", str(single)),
            *("--css", "tools/epub.css"),
            *("--epub-cover-image", "book/images/fit.png"),
        ],
    )


if __name__ == "__main__":
    make(*map(Path, sys.argv[1:]))
