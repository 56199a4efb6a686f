"""Offer each chapter to take away: unsolved, with solutions, as a script.

It adds to each chapter's page a line with these files and its settings in the
playground. Without it the line and the files are missing.
"""

import sys
from html import escape
from pathlib import Path

import nbformat
from nbconvert import PythonExporter

sys.path.append(str(Path(__file__).parents[2] / "classroom"))
from copies import CHAPTERS, alone, read, unsolved

BOOKS = "lr=1e-6&momentum=0&steps=2000", "these settings in the playground"
OWN = {  # chapters whose weights are not those of powers of x
    "04_custom_function": (
        "a=0&b=0.45&c=0&d=-0.0675&lr=5e-6",
        "this start and rate on powers of x, in the playground",
    ),
    "08_network": None,
    "09_data": (BOOKS[0], "the same run on all points, in the playground"),
}


def offer(app, page, template, context, doctree):
    """Write the line of things to take away above the first cell."""
    name = Path(page).name
    if name not in [chapter.stem for chapter in CHAPTERS]:
        return
    up = context["pathto"]
    items = [
        f'<a href="{up("take", 1)}/{name}.ipynb" download>notebook</a>',
        f'<a href="{up("take", 1)}/solved/{name}.ipynb" download>'
        "with solutions</a>",
        f'<a href="{up("take", 1)}/{name}.py" download>script</a>',
    ]
    if setting := OWN.get(name, BOOKS):
        there = f"{up('book/playground')}#{escape(setting[0])}"
        items.append(f'<a href="{there}">{setting[1]}</a>')
    line = f'<p class="take"><b>Take it along:</b> {", ".join(items)}.</p>\n'
    before, cell, after = context["body"].partition('<div class="cell ')
    context["body"] = before + line + cell + after


def write_files(app, error):
    """Put the files beside the pages."""
    if error or app.builder.format != "html":
        return
    take = app.outdir / "take"
    (take / "solved").mkdir(parents=True, exist_ok=True)
    exporter = PythonExporter(exclude_input_prompt=True)
    for path in CHAPTERS:
        chapter, exercises = read(path)
        stubs, solved = alone(unsolved(chapter, exercises)), alone(chapter)
        nbformat.write(stubs, take / path.name)
        nbformat.write(solved, take / "solved" / path.name)
        script, _ = exporter.from_notebook_node(solved)
        (take / f"{path.stem}.py").write_text(script, encoding="utf-8")


def setup(app):
    """Register the extension."""
    app.connect("html-page-context", offer, priority=600)
    app.connect("build-finished", write_files)
    return {"version": "1", "parallel_read_safe": True}
