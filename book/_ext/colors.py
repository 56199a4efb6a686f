"""Give the pages the colours of the figures: the first two of sinefit.COLORS.

book.css makes of them what links, the playground and the picture that plays
are drawn in. Without it all these have the colours of the text.
"""

import ast
from pathlib import Path

SINEFIT = Path(__file__).parents[2] / "notebooks" / "sinefit.py"


def colors():
    """Return sinefit.COLORS, without Matplotlib, which is slow to import."""
    for node in ast.parse(SINEFIT.read_text("utf-8")).body:
        if isinstance(node, ast.Assign) and node.targets[0].id == "COLORS":
            return ast.literal_eval(node.value)
    raise SystemExit(f"{SINEFIT}: expected COLORS, the figures' colours")


def tell(app, config):
    """Tell layout.html, which writes them on each page."""
    config.html_context["colors"] = colors()


def setup(app):
    """Register the extension."""
    app.connect("config-inited", tell)
    return {"version": "1", "parallel_read_safe": True}
