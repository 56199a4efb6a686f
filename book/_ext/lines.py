"""Tell the style sheet where each line of code starts, so that it can wrap.

On a phone a long line then goes on under itself, four characters further in.
Without this extension it goes on at the left edge, as if it were another one.
"""

import re

CODE = re.compile(r'(<div class="highlight"><pre>)(.*?)(</pre>)', re.S)


def mark(line):
    """Wrap one line of highlighted code, with its indentation in it."""
    bare = re.sub("<[^>]*>", "", line)
    indent = len(re.match(r"[-+]?\s*", bare.rstrip()).group())
    style = f' style="--in:{indent}ch"' if indent else ""
    return f'<span class="line"{style}>{line}</span>'


def mark_lines(app, pagename, templatename, context, doctree):
    """Mark the lines of all code on a page."""
    if context.get("body"):
        context["body"] = CODE.sub(
            lambda code: (
                code[1]
                + "".join(map(mark, code[2].splitlines(keepends=True)))
                + code[3]
            ),
            context["body"],
        )


def setup(app):
    """Register the extension."""
    app.connect("html-page-context", mark_lines)
    return {"version": "1", "parallel_read_safe": True}
