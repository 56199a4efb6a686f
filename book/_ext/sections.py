"""Let the search find sections, and show a sentence of each.

It writes what search.js looks through. Without it the search page finds
nothing; Sphinx's own search, which it replaces, finds pages alone, and no
error message that holds a word as common as "being".
"""

import json

from docutils import nodes


def text_of(section):
    """Return what a section says, without its heading and its subsections."""
    parts = [
        part.astext()
        for part in section.children
        if not isinstance(part, nodes.section | nodes.title | nodes.raw)
    ]
    return " ".join(" \N{PILCROW SIGN} ".join(parts).split())


def sections(app):
    """Yield the address, the page's title, the heading and the text of all."""
    env = app.env
    for page in sorted(env.found_docs):
        title = env.titles[page].astext()
        tree = env.get_doctree(page)
        for section in tree.findall(nodes.section):
            heading = section.next_node(nodes.title).astext()
            place = "" if heading == title else f"#{section['ids'][0]}"
            address = app.builder.get_target_uri(page) + place
            yield address, title, heading, text_of(section)


def write(app, error):
    """Put it beside the search page."""
    if error or app.builder.format != "html":
        return
    found = json.dumps([*sections(app)], ensure_ascii=False)
    script = f"const SECTIONS = {found};\n"
    (app.outdir / "sections.js").write_text(script, "utf-8")


def load(app, page, template, context, doctree):
    """Load it on the search page alone."""
    if page == "search":
        app.add_js_file("../sections.js", loading_method="defer")
        app.add_js_file("search.js", loading_method="defer")


def setup(app):
    """Register the extension."""
    app.connect("html-page-context", load)
    app.connect("build-finished", write)
    return {"version": "1", "parallel_read_safe": True}
