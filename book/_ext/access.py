"""Mend in every page what keeps some readers out.

The theme leaves the book's name outside of all landmarks, names buttons other
than they look, and marks a diff by colour alone. Without this extension the
pages look the same, and a screen reader says less.
"""

import re

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


def setup(app):
    """Register the extension."""
    app.connect("builder-inited", mend)
    return {"version": "1", "parallel_read_safe": True}
