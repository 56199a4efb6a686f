"""Make a chapter's deck of slides, in one file that needs no network.

The cells tagged slide are shown in their order. Each slide is headed by the
section that its cells stand in, and a cell for which it has no room opens the
next. A cell tagged teacher is a note to the last slide before it.
"""

import base64
import copy
import math
import re
import sys
from pathlib import Path

import nbformat
import sphinx_revealjs
from nbconvert import SlidesExporter

sys.path.append(str(Path(__file__).parents[1] / "book" / "_ext"))
sys.path.append(str(Path(__file__).parents[1] / "tools"))
import mathml
import wrap_code
from colors import colors
from copies import tags

# Pixels of a slide's height of 720, as slides.css sets them.
ROOM = 624  # below the heading
PICTURE = 430  # at least: it has what words leave it
TEXT, CODE = (36, 90), (31, 75)  # a row's height, and the letters in it
GAP, BOX, FORMULA = 16, 12, 90  # below all, around code, of a formula
ZOOMS = (1.4, 1.3, 1.2, 1.1, 1)  # the first that fits is taken

LONG = 12  # lines of output, and more than is read out
HALVED = 14  # lines of a diff, and more go into two columns
APART = re.compile(r"\$\$.+?\$\$|```.+?```", re.S)
HEADING = re.compile("##? .+")


def height(text, row, letters, zoom=1.0):
    """Return how high text stands that wraps at so many letters."""
    rows = [math.ceil(len(line) * zoom / letters) for line in text.split("\n")]
    return zoom * row * sum(max(1, n) for n in rows) + GAP


def wraps(code, zoom):
    """Tell whether a zoom makes a line of code too long."""
    widest = max(map(len, "\n".join(code).split("\n")))
    return zoom > 1 and widest * zoom > CODE[1]


def needs(cell, zoom=1.0):
    """Return about how much of a slide's height a cell takes.

    No zoom may wrap a line of code, or take room from a picture.
    """
    if cell.cell_type == "markdown":
        apart = APART.findall(cell.source)
        code = [part for part in apart if part[0] == "`"]
        blocks = re.split("\n\n+", APART.sub("", cell.source).strip())
        total = FORMULA * zoom * (len(apart) - len(code))
        total += sum(height(block, *TEXT, zoom) for block in blocks)
        total += sum(height(part, *CODE, zoom) for part in code)
        return math.inf if wraps(code, zoom) else total
    if any("image/svg+xml" in out.get("data", {}) for out in cell.outputs):
        return PICTURE if zoom == 1 else math.inf
    parts = [] if "transient" in cell.metadata else [cell.source]
    for out in cell.outputs:
        shows = out.get("text") or out.data["text/markdown"]
        parts.append(shows.strip())
    row, letters = CODE
    if {"loop", "halved"} & {*tags(cell)}:
        halves = sum(height(part, row, letters // 2) for part in parts)
        return row + halves / 2 if zoom == 1 else math.inf
    total = BOX + sum(height(part, row, letters, zoom) for part in parts)
    return math.inf if wraps(parts, zoom) else total


def shown(chapter):
    """Yield what is for the deck: its heading, the cell, and if it may go.

    That may which stands before a cell's own heading and reads what came
    before: where there is no room for it, the teacher says it.
    """
    section = ""
    for cell in copy.deepcopy(chapter.cells):
        own = {*tags(cell)}
        if "exercise" in own:
            section = "## Your turn"
        parts = [cell.source]
        if cell.cell_type == "markdown":
            parts = re.split(r"\n(?=## )", cell.source)
        for number, part in enumerate(parts):
            may_go = number < len(parts) - 1
            if cell.cell_type == "markdown":
                if heading := HEADING.match(part):
                    section, part = heading[0], part[heading.end() :]
                    may_go = False
                if part.startswith("*You see*"):
                    part, may_go = part.split("\n\n")[0], False
            if part.strip() and own & {"slide", "teacher"}:
                new = {"source": part.strip(), "id": f"{cell.id}-{number}"}
                yield section, nbformat.from_dict(cell | new), may_go


def trim(cell):
    """Leave out of a cell of code what a slide does not show."""
    cell.outputs = [
        out for out in cell.outputs if out.get("text", "").count("\n") <= LONG
    ]
    for out in cell.outputs:
        if {"image/svg+xml", "text/markdown"} & {*out.get("data", {})}:
            cell.metadata["transient"] = {"remove_source": True}
        if out.get("data", {}).get("text/markdown", "").count("\n") > HALVED:
            cell.metadata["tags"].append("halved")


def slides(chapter):
    """Return a chapter of what is shown, a heading before each slide."""
    cells, opened, used = [], None, []
    for section, cell, may_go in shown(chapter):
        cell.metadata["slideshow"] = {"slide_type": "-"}
        if "teacher" in tags(cell):
            cell.metadata["slideshow"]["slide_type"] = "notes"
            cells.append(cell)
            continue
        if cell.cell_type == "code":
            trim(cell)
        # What goes wrong next has its name in bold.
        another = cell.source.startswith("**") and "exercise" not in tags(cell)
        fits = sum(map(needs, [*used, cell])) <= ROOM
        if section != opened or another or not fits:
            if may_go:
                continue
            opened, used = section, []
            heading = nbformat.v4.new_markdown_cell(section)
            heading.id = f"slide-{len(cells)}"
            heading.metadata["slideshow"] = {"slide_type": "slide"}
            cells.append(heading)
        used.append(cell)
        cells.append(cell)
        left = ROOM - sum(map(needs, used)) + PICTURE
        for drawn in used:
            drawn.metadata["height"] = left
        heading.metadata["zoom"] = next(
            zoom
            for zoom in ZOOMS
            if zoom == 1 or sum(needs(u, zoom) for u in used) <= ROOM
        )
    for cell in cells:
        if cell.cell_type == "markdown":
            cell.source = in_mathml(cell.source)
            cell.source = cell.source.replace(".ipynb)", ".slides.html)")
    chapter = copy.copy(chapter)
    chapter.cells = cells
    return chapter


def in_mathml(text):
    """Return Markdown with its formulas drawn, so that no script need be."""
    text = re.sub(
        r"\$\$(.+?)\$\$",
        lambda m: mathml.convert(m[1], "block").replace("\n", " "),
        text,
        flags=re.S,
    )
    return re.sub(r"\$([^$]+)\$", lambda m: mathml.convert(m[1]), text)


def deck(chapter):
    """Return a chapter's deck: one page of HTML, with reveal.js inside."""
    chapter = slides(chapter)
    font = mathml.font(cell.source for cell in chapter.cells)
    brought = {"math_font": base64.b64encode(font).decode()}
    brought["color"] = colors()[0]
    reveal = Path(sphinx_revealjs.__file__).parent / "_static" / "revealjs"
    exporter = SlidesExporter(
        template_name="slides",
        extra_template_basedirs=[str(Path(__file__).parent)],
        extra_template_paths=[str(reveal)],
    )
    page, _ = exporter.from_notebook_node(chapter, brought)
    return wrap_code.wrap(page)
