"""Let the search find sections, and show a sentence of each.

It writes what search.js looks through. Without it the search page finds
nothing; Sphinx's own search, which it replaces, finds pages alone, and no
error message that holds a word as common as "being".
"""

import json
import re
from urllib.parse import quote

from docutils import nodes
from sphinx import addnodes

BREAK = "\N{PILCROW SIGN}"  # between paragraphs
ELSEWHERE = (nodes.math, nodes.math_block, nodes.raw, addnodes.glossary)


def said(node, code):
    """Return what a node says, on one line, without formulas and notes.

    The names in its code are added to those in the dictionary.
    """
    if isinstance(node, nodes.Text):
        return node.astext()
    classes = node.get("classes", ())
    if "cell_input" in classes or node.get("language") == "diff":
        code.update(dict.fromkeys(re.findall(r"[^\W\d]\w+", node.astext())))
        return ""
    if "teaching-notes" in classes or isinstance(node, ELSEWHERE):
        return ""
    shown = node.children
    if node.get("nb_element") == "mime_bundle" and len(shown) > 1:
        shown = [o for o in shown if o.get("mime_type") != "text/plain"]
    parts = [said(child, code) for child in shown]
    if isinstance(node, nodes.TextElement):
        return " ".join("".join(parts).split())
    return f" {BREAK} ".join(filter(None, parts))


def name(part):
    """Return the name in bold with which a mistake, or its like, begins."""
    if isinstance(part, nodes.paragraph):
        first = [child for child in part.children if child.astext()][:1]
        if first and isinstance(first[0], nodes.strong):
            text = first[0].astext()
            if text.endswith(".") and not text[0].isdigit():
                return text[:-1]
    return None


def entries(section):
    """Yield what a section, or a part of it, is called, says, and names."""
    called, parts, code = section.next_node(nodes.title).astext(), [], {}
    for part in section.children:
        if isinstance(part, nodes.section | nodes.title):
            continue
        if name(part):
            yield called, parts, code
            called, parts, code = name(part), [], {}
        parts.append(said(part, code))
    yield called, parts, code


def sections(app):
    """Yield the address, the place, the name, the text and the code of all."""
    env = app.env
    for page in sorted(env.found_docs):
        title = env.titles[page].astext()
        tree = env.get_doctree(page)
        for term in (t for t in tree.findall(nodes.term) if t["ids"]):
            at = f"{app.builder.get_target_uri(page)}#{term['ids'][0]}"
            text = said(term.parent.children[-1], {})
            yield at, title, term.astext(), text, ""
        for section in tree.findall(nodes.section):
            first = section.next_node(nodes.title).astext()
            hash_ = "" if first == title else f"#{section['ids'][0]}"
            address = app.builder.get_target_uri(page) + hash_
            for called, parts, code in entries(section):
                text = f" {BREAK} ".join(filter(None, parts))
                place, at = title if hash_ else "", address
                if called != first:  # a browser goes to these words
                    place = f"{title}: {first}" if hash_ else title
                    at += f"{'' if hash_ else '#'}:~:text={quote(called)}"
                if text or not hash_:
                    new = [word for word in code if word not in text]
                    yield at, place, called, text, " ".join(new)


def write(app, error):
    """Put it beside the search page."""
    if error or app.builder.format != "html":
        return
    form = {"ensure_ascii": False, "separators": (",", ":")}
    script = f"const SECTIONS = {json.dumps([*sections(app)], **form)};\n"
    (app.outdir / "sections.js").write_text(script, "utf-8")


def setup(app):
    """Register the extension."""
    app.connect("build-finished", write)
    return {"version": "1", "parallel_read_safe": True}
