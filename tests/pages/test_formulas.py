"""What the eye meets on a page where a formula stands.

Formulas are read as MathML and compared with what docutils, which shares no
code with the book's converter, makes of their source.
"""

import collections
import re

from bs4 import BeautifulSoup
from docutils.utils.math.latex2mathml import tex2mathml
from test_book import PAGES

from conftest import CHAPTERS, ROOT
from runner import cells

SOURCES = [
    *CHAPTERS,
    *(path for name in PAGES if (path := ROOT / f"{name}.md").exists()),
]
FORMS = {
    "msub": "{}_({})",
    "msup": "{}^({})",
    "msubsup": "{}_({})^({})",
    "mfrac": "({})/({})",
}
# One sign, as the two converters write it.
SAME = {0x2C6: "^", 0x2217: "*", 0x22C5: "\u00b7", 0x2061: None}


def spoken(element):
    """Return what a formula in MathML says, in a line, with its parts."""
    parts = [spoken(part) for part in element.find_all(recursive=False)]
    # a limit of a sum is an index or an exponent, below or above
    name = element.name.replace("under", "sub").replace("over", "sup")
    if name in FORMS:
        return FORMS[name].format(*parts)
    text = "".join(parts) or element.get_text().translate(SAME)
    text = "".join(text.split())
    return f"√({text})" if name == "msqrt" else text


def written(path):
    """Return (TeX, whether on a line of its own) of each formula."""
    if path.suffix == ".ipynb":
        text = "\n\n".join(cell.source for cell in cells(path, "markdown"))
    else:
        text = path.read_text(encoding="utf-8")
    text = re.sub(r"`[^`\n]+`|(?m:^ *\$ .*)", "", text)  # code, and prompts
    found = re.findall(r"(?s)\$\$(.+?)\$\$|\$([^$]+)\$", text)
    return [(alone or among, bool(alone)) for alone, among in found]


def expected(tex):
    """Return what a formula in TeX says, by another converter."""
    # which puts an index under the hat, and wants braces about each half
    tex = re.sub(r"\\hat (\w)", r"\\hat{\1}{}", tex)
    tex = re.sub(r"\\tfrac(\d)(\d)", r"\\tfrac{\1}{\2}", tex)
    tex = tex.replace("'", r"^\prime ")
    return spoken(BeautifulSoup(tex2mathml(tex), "html.parser"))


def test_formulas_are_drawn_as_they_are_written(built):
    """In what order, and on which page, is not looked at."""
    drawn = collections.Counter(
        (spoken(formula), formula["display"])
        for name in PAGES
        for formula in BeautifulSoup(
            (built / f"{name}.html").read_text("utf-8"), "html.parser"
        ).select("article math")
    )
    meant = collections.Counter(
        (expected(tex), "block" if alone else "inline")
        for path in SOURCES
        for tex, alone in written(path)
    )
    assert (meant - drawn, drawn - meant) == ({}, {}), "written, drawn"
