"""What the eye meets on a page: formulas, what code says by its look, losses.

Formulas are read as MathML and compared with what docutils, which shares no
code with the book's converter, makes of their source. Colours are those of
the screen, so that whatever hides or covers a sign is seen.
"""

import collections
import colorsys
import io
import re

import numpy as np
import pytest
from bs4 import BeautifulSoup
from docutils.utils.math.latex2mathml import tex2mathml
from PIL import Image
from test_book import PAGES
from test_pages import in_turn, visit

from conftest import CHAPTERS, NOTEBOOKS, ROOT, each_chapter
from runner import cells

SOURCES = [
    *CHAPTERS,
    *(path for name in PAGES if (path := ROOT / f"{name}.md").exists()),
]
# How MathML writes an index, an exponent, an accent: all go below or above.
PLACES = {
    "msub": "_",
    "munder": "_",
    "msup": "^",
    "mover": "^",
    "msubsup": "_^",
    "munderover": "_^",
}
# One sign, as the two converters write it.
SAME = {0x2C6: "^", 0x2217: "*", 0x22C5: "\u00b7", 0x2061: None}


def spoken(element):
    """Return what a formula in MathML says, in a line, with its brackets."""
    parts = [spoken(part) for part in element.find_all(recursive=False)]
    if element.name in PLACES:
        rest = zip(PLACES[element.name], parts[1:], strict=True)
        return parts[0] + "".join(f"{at}{{{part}}}" for at, part in rest)
    if element.name == "mfrac":
        return "{{{}}}/{{{}}}".format(*parts)
    text = "".join(parts) if parts else element.get_text().translate(SAME)
    text = "".join(text.split())
    return f"√{{{text}}}" if element.name == "msqrt" else text


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
    tex = re.sub(r"\\tfrac(\d)(\d)", r"\\tfrac{\1}{\2}", tex).replace(
        "'", r"^\prime "
    )
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


# Formulas that do not stand as they should: in the middle of a line of their
# own, and large, or else in a line of text, and small.
MISPLACED = """[...document.querySelectorAll('article math')].filter(math => {
  const style = getComputedStyle(math), around = math.parentElement;
  if (math.getAttribute('display') != 'block')
    return style.display != 'math' || style.mathStyle != 'compact';
  const box = math.getBoundingClientRect();
  const line = around.getBoundingClientRect();
  return style.display != 'block math' || style.mathStyle != 'normal'
    || Math.abs(box.left + box.right - line.left - line.right) > 4
    || line.width < document.querySelector('article p').offsetWidth;
}).map(math => math.textContent)"""
# The lines of a diff: what each says, whether it came or went by its element,
# and the box of its first sign, in the box of the whole.
LINES = """pre => [...pre.querySelectorAll('.line')].map(line => {
  const range = document.createRange(), here = pre.getBoundingClientRect();
  const texts = document.createTreeWalker(line, NodeFilter.SHOW_TEXT);
  range.setStart(texts.nextNode(), 0);
  range.setEnd(range.startContainer, 1);
  const box = range.getBoundingClientRect();
  return {text: line.textContent.trimEnd(),
    kind: range.startContainer.parentElement.closest('ins, del')?.tagName,
    box: [box.left - here.left, box.top - here.top,
      box.right - here.left, box.bottom - here.top]};
})"""
SMALL = """[...document.querySelectorAll('article pre')].filter(
  pre => parseFloat(getComputedStyle(pre).fontSize) < 11
).map(pre => pre.textContent.slice(0, 80))"""
WAYS = [(390, "light"), (1280, "dark"), (390, "dark"), (1280, "light")]


@pytest.fixture(scope="module")
def page(browser):
    """Open a page of the browser."""
    page = browser.new_page(reduced_motion="reduce")
    page.set_default_timeout(10_000)
    yield page
    page.close()


def see(page, built, name, width, theme):
    """Open a page of the book, with all that it folds away."""
    visit(page, f"{built.as_uri()}/{name}.html", width, theme)
    page.locator("details").evaluate_all("all => all.map(d => d.open = 1)")


def ink(picture):
    """Return hue, in degrees, and strength of what stands out of the paper.

    Strength is the largest difference to the paper, in 255, of any channel.
    """
    pixels = np.asarray(picture.convert("RGB"), dtype=int).reshape(-1, 3)
    off = np.abs(pixels - np.median(pixels, axis=0)).max(axis=1)
    hue = colorsys.rgb_to_hsv(*pixels[off.argmax()] / 255)[0]
    return 360 * hue, off.max()


@each_chapter
def test_a_formula_stands_where_it_should(path, built, page):
    see(page, built, f"notebooks/{path.stem}", 1280, "light")
    assert page.evaluate(MISPLACED) == []


@pytest.mark.parametrize(
    "shown", in_turn([(path.stem,) for path in CHAPTERS[1:]], WAYS)
)
def test_a_diff_shows_what_came_and_what_went(shown, built, page):
    name, *way = shown
    see(page, built, f"notebooks/{name}", *way)
    assert page.evaluate(SMALL) == []
    diff = page.locator("article .highlight-diff pre").first
    picture = Image.open(io.BytesIO(diff.screenshot()))
    lines = diff.evaluate(LINES)
    for line in lines:
        sign, box = line["text"][:1], line["box"]
        if sign not in ("+", "-"):
            assert line["kind"] is None, line
            continue
        assert min(box) >= 0 and box[2] <= picture.width, line
        hue, strength = ink(picture.crop(box))
        assert strength > 60, f"not to be seen: {line}"
        green, red = 90 < hue < 200, hue < 30 or hue > 330
        came = sign == "+"
        assert (line["kind"], green, red) == (
            "INS" if came else "DEL",
            came,
            not came,
        ), line
    (stored,) = (
        out.data["text/markdown"]
        for cell in cells(NOTEBOOKS / f"{name}.ipynb", "code")
        for out in cell.outputs
        if "```diff" in out.get("data", {}).get("text/markdown", "")
    )
    told = [line.rstrip() for line in stored.splitlines()[1:-1]]
    assert [line["text"] for line in lines] == told


@pytest.mark.parametrize("way", WAYS[:2])
def test_the_ladder_shows_its_losses(way, built, page):
    see(page, built, "index", *way)
    rows = page.locator(".ladder .loss").all()
    for row in rows:
        assert re.fullmatch(r"\d+\.\d{4}", row.inner_text())
        picture = Image.open(io.BytesIO(row.screenshot()))
        assert ink(picture)[1] > 100, f"not to be seen: {row.inner_text()}"
        assert picture.height >= 11
    assert len(rows) == 7
