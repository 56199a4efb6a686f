"""Mend in every page what keeps some readers out.

The theme leaves the book's name outside of all landmarks, names buttons other
than they look, marks a diff by colour alone, and writes an index without a
title. Without this extension the pages look the same, and a screen reader
says less.
"""

import re
from pathlib import Path

MENDS = [
    # the book's name belongs to a landmark
    (
        r'(<a class="navbar-brand logo".*?</a>)',
        r'<nav aria-label="Home">\1</nav>',
    ),
    # a button's name is what it shows
    (r'(<button\b[^>]*search-button-field[^>]*?) aria-label="[^"]*"', r"\1"),
    (r'(<summary) aria-label="[^"]*"', r"\1"),
    # a line that came or went
    (r'<span class="gi">([^<]*)</span>', r'<ins class="gi">\1</ins>'),
    (r'<span class="gd">([^<]*)</span>', r'<del class="gd">\1</del>'),
]


def mend(app):
    """Let each page pass through the mends when it is made."""
    if app.builder.format != "html":
        return
    templates = app.builder.templates
    render = templates.render

    def rendered(name, context):
        page = render(name, context)
        for old, new in MENDS:
            page = re.sub(old, new, page, flags=re.S)
        return page

    templates.render = rendered


def write_index(app, error):
    """Lead from the folder to its first page, in a page that is one."""
    first = f"{app.config.root_doc}.html"
    if error or app.builder.name != "html" or first == "index.html":
        return
    title, icon = app.config.html_title, app.config.html_favicon
    link = (
        f'<link rel="icon" href="_static/{Path(icon).name}">' if icon else ""
    )
    (app.outdir / "index.html").write_text(
        f"""<!doctype html>
<html lang="{app.config.language}"><head><meta charset="utf-8">
<title>{title}</title>{link}
<meta http-equiv="refresh" content="0; url={first}"></head>
<body><h1><a href="{first}">{title}</a></h1></body></html>
""",
        encoding="utf-8",
    )


def setup(app):
    """Register the extension."""
    app.connect("builder-inited", mend)
    app.connect("build-finished", write_index, priority=950)
    return {"version": "1", "parallel_read_safe": True}
