"""Offer each chapter to take away: unsolved, with solutions, as a script.

It adds to the head of each chapter's page a card: the minutes it takes, these
files, and its settings in the playground. Without it the card and the files
are missing.
"""

import sys
from html import escape
from pathlib import Path

import nbformat
from nbconvert import PythonExporter

sys.path.append(str(Path(__file__).parents[2] / "tools"))
from address import in_colab
from copies import CHAPTERS, alone, read, unsolved

BOOKS = "lr=1e-6&momentum=0&steps=2000", "playground"
OWN = {  # experiments for one chapter; 8's weights are not those of a cubic
    "01_numpy": ("lr=3.55e-6", "playground: just below the limit"),
    "03_autograd": ("lr=1e-6&momentum=1", "playground: never zeroed"),
    "04_custom_function": (
        "a=0&b=0.45&c=0&d=-0.0675&lr=5e-6",
        "playground, on powers of x",
    ),
    "06_optim": ("lr=1e-6&momentum=0.9", "playground: momentum"),
    "08_network": None,
    "09_data": (BOOKS[0], "playground, on all points"),
}


def offer(app, page, template, context, doctree):
    """Write the line of things to take away above the first cell."""
    name = Path(page).name
    if name not in [chapter.stem for chapter in CHAPTERS]:
        return
    up = context["pathto"]
    files = {
        "notebook": f"{name}.ipynb",
        "with solutions": f"solved/{name}.ipynb",
        "script": f"{name}.py",
    }
    items = [
        f'<a href="{up("take", 1)}/{file}" download>{what}</a>'
        for what, file in files.items()
    ]
    items.insert(0, "<span>Download:</span>")
    if there := in_colab(name):
        items.insert(0, f'<a href="{there}">Colab</a>')
    if setting := OWN.get(name, BOOKS):
        there = f"{up('book/playground')}#{escape(setting[0])}"
        items.append(f'<a href="{there}">{setting[1]}</a>')
    before, cell, after = context["body"].partition('<div class="cell ')
    before, _, minutes = before.partition("<strong>Time</strong> ")
    minutes, end, rest = minutes.partition("</p>")
    card = f'<p class="take"><b>{minutes}</b> {" ".join(items)}</p>\n'
    context["body"] = before + end + rest + card + cell + after


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
