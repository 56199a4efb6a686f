"""Draw formulas when the book is built, as MathML: no script, no network.

A browser draws MathML well where the machine has a font of mathematics; phones
and many Linux machines have none, so the book brings the glyphs that it uses.
Without this extension Jupyter Book asks a content network for MathJax.
"""

import html
import io
import re
from importlib.util import find_spec
from pathlib import Path
from unicodedata import normalize

from docutils import nodes
from fontTools import subset
from latex2mathml import converter
from sphinx.util.math import get_node_equation_number

# What latex2mathml 3 leaves to the browser: a sign, sin before its x, and
# which of two bars opens.
SIGN = re.compile(r"(<mo[^>]*>(?:&#x00028;|&#x0003D;)</mo>)<mo>(?=&#x02212;)")
NAME = re.compile(r"(<mi>[a-z]{2,}</mi>)(?=<mi>)")
BARS = re.compile(
    r'<mo stretchy="false">(&#x0007C;</mo>.*?<mo) (?=\S*>&#x0007C;)'
)


def convert(formula, display="inline"):
    """Return a formula in TeX as MathML."""
    mathml = converter.convert(formula, display=display)
    mathml = SIGN.sub(r'\1<mo form="prefix">', mathml)
    mathml = BARS.sub(
        r'<mo form="prefix" stretchy="false">\1 form="postfix" ', mathml
    )
    return NAME.sub(r'\1<mspace width="0.17em"/>', mathml)


def inline(self, node):
    """Write a formula in a line of text."""
    self.body.append(convert(node.astext()))
    raise nodes.SkipNode


def keep_stops(app, doctree, name):
    """Let no line begin with the full stop, or comma, after a formula."""
    for formula in [*doctree.findall(nodes.math)]:
        after = formula.next_node(nodes.Text, descend=False, siblings=True)
        place = formula.parent.index(formula) + 1
        if after and after[0] in ".,;:?!)" and after is formula.parent[place]:
            stop, rest = nodes.Text(after[0]), nodes.Text(after[1:])
            kept = nodes.inline(classes=["stop"])
            formula.parent[place - 1 : place + 1] = [kept, rest]
            kept += [formula, stop]


def block(self, node):
    """Write a formula on a line of its own, with its number if it has one."""
    # on a phone a long one scrolls, by keys too
    self.body.append(self.starttag(node, "div", CLASS="math", TABINDEX="0"))
    if node["number"]:
        number = get_node_equation_number(self, node)
        self.body.append(f'<span class="eqno">({number})</span>')
    self.body.append(convert(node.astext(), "block") + "</div>")
    raise nodes.SkipNode


def glyphs(formulas):
    """Return the characters of formulas, a lone letter also as its italic."""
    letters = set(html.unescape(re.sub("<[^>]*>", "", formulas)))
    letters |= set("√" * ("<msqrt" in formulas))  # a sign that no text has
    italics = [*range(0x1D434, 0x1D468), *range(0x1D6E2, 0x1D71C), 0x210E]
    return letters | {
        chr(code)
        for code in italics
        if normalize("NFKC", chr(code)) in letters
    }


def font(pages):
    """Return STIX Two Math, cut down to what the formulas of pages need."""
    formulas = "".join(re.findall("(?s)<math.*?</math>", "".join(pages)))
    options = subset.Options(
        flavor="woff",
        hinting=False,
        name_IDs=[0, 1, 13, 14],  # whose it is, its name, and its licence
    )
    (ziamath,) = find_spec("ziamath").submodule_search_locations
    whole = Path(ziamath, "fonts", "STIXTwoMath-Regular.ttf")
    cut = subset.load_font(whole, options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(text="".join(glyphs(formulas)))
    subsetter.subset(cut)
    written = io.BytesIO()
    subset.save_font(cut, written, options)
    return written.getvalue()


def write_font(app, error):
    """Write the font that the formulas of all pages need."""
    if error or app.builder.format != "html":
        return
    pages = (page.read_text("utf-8") for page in app.outdir.rglob("*.html"))
    (app.outdir / "_static" / "math.woff").write_bytes(font(pages))


def setup(app):
    """Register the renderer, which _config.yml chooses, and its font."""
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
    app.connect("doctree-resolved", keep_stops)
    app.connect("build-finished", write_font)
    return {"version": "1", "parallel_read_safe": True}
