"""Give the pages the colours of the figures: the first two of sinefit.COLORS.

book.css makes of them what links, the playground and the picture that plays
are drawn in. Without it all these have the colours of the text.
"""

import ast
from pathlib import Path

SINEFIT = Path(__file__).parents[2] / "notebooks" / "sinefit.py"


def tell_colors(app, config):
    """Tell layout.html, which writes them on each page."""
    tree = ast.parse(SINEFIT.read_text("utf-8"))  # Matplotlib imports slowly
    (config.html_context["colors"],) = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and node.targets[0].id == "COLORS"
    ]


def setup(app):
    """Register the extension."""
    app.connect("config-inited", tell_colors)
    return {"version": "1", "parallel_read_safe": True}
