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


def mark(line):
    """Wrap one line of highlighted code, with its indentation in it."""
    bare = re.sub("<[^>]*>", "", line)
    indent = len(re.match(r"[-+]?\s*", bare.rstrip()).group())
    style = f' style="--in:{indent}ch"' if indent else ""
    return f'<span class="line"{style}>{line}</span>'


def mark_all(code):
    """Wrap each line of a match of CODE."""
    lines = code[2].splitlines(keepends=True)
    return code[1] + "".join(map(mark, lines)) + code[3]


def wrap(body):
    """Return HTML with the lines of all its code marked."""
    for kind, name in ("gi", "ins"), ("gd", "del"):
        line = rf'<{name} class="{kind}">\1</{name}>'
        body = re.sub(rf'<span class="{kind}">([^<]*)</span>', line, body)
    # a fold's name is what it shows
    body = re.sub(r'(<summary) aria-label="[^"]*"', r"\1", body)
    return CODE.sub(mark_all, body)


def mark_lines(app, pagename, templatename, context, doctree):
    """Mark the lines of all code on a page."""
    if body := context.get("body"):
        context["body"] = wrap(body)


def setup(app):
    """Register the extension."""
    app.connect("html-page-context", mark_lines)
    return {"version": "1", "parallel_read_safe": True}
