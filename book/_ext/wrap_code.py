"""Tell the style sheet where each line of code starts, so that it can wrap.

On a phone a long line then goes on under itself, four characters further in,
and a line of a diff says, not by colour alone, that it came or went. Without
this extension code goes on at the left edge, as if it were another line.

Written for the HTML of Pygments 2 and MyST-NB 1, on pages and in decks.
"""

import re

CODE = re.compile(
    r'(<div class="[^"]*\bhighlight\b[^"]*"><pre>)(.*?)(</pre>)', re.S
)
MENDS = [
    (
        re.compile(r'<span class="gi">([^<]*)</span>'),
        r'<ins class="gi">\1</ins>',
    ),
    (
        re.compile(r'<span class="gd">([^<]*)</span>'),
        r'<del class="gd">\1</del>',
    ),
    # a fold's name is what it shows
    (re.compile(r'(<summary) aria-label="[^"]*"'), r"\1"),
]


def mark(line):
    """Wrap one line of highlighted code, with its indentation in it."""
    bare = re.sub("<[^>]*>", "", line)
    indent = len(re.match(r"[-+]?\s*", bare.rstrip()).group())
    style = f' style="--in:{indent}ch"' if indent else ""
    return f'<span class="line"{style}>{line}</span>'


def wrap(body):
    """Return HTML with the lines of all its code marked."""
    for old, new in MENDS:
        body = old.sub(new, body)
    return CODE.sub(
        lambda code: (
            code[1]
            + "".join(map(mark, code[2].splitlines(keepends=True)))
            + code[3]
        ),
        body,
    )


def mark_lines(app, pagename, templatename, context, doctree):
    """Mark the lines of all code on a page."""
    if body := context.get("body"):
        context["body"] = wrap(body)


def setup(app):
    """Register the extension."""
    app.connect("html-page-context", mark_lines)
    return {"version": "1", "parallel_read_safe": True}
