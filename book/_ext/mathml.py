"""Draw formulas when the book is built, as MathML: no script, no network.

Without this extension Jupyter Book asks a content network for MathJax.
"""

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.util.math import get_node_equation_number


def inline(self, node):
    """Write a formula in a line of text."""
    self.body.append(convert(node.astext()))
    raise nodes.SkipNode


def block(self, node):
    """Write a formula on a line of its own, with its number if it has one."""
    # on a phone a long one scrolls, by keys too
    self.body.append(self.starttag(node, "div", CLASS="math", TABINDEX="0"))
    if node["number"]:
        number = get_node_equation_number(self, node)
        self.body.append(f'<span class="eqno">({number})</span>')
    self.body.append(convert(node.astext(), display="block") + "</div>")
    raise nodes.SkipNode


def setup(app):
    """Register the renderer; _config.yml chooses it."""
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
    return {"version": "1", "parallel_read_safe": True}
