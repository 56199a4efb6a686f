"""Offer each chapter to take away: alone in one file, and as a script.

`make notebooks` runs this file, which writes notebooks/standalone/: there
each notebook brings the modules it imports, for Colab, Kaggle or an e-mail.
As an extension it adds to each chapter's page a line with these files and its
settings in the playground. Without it the line and the scripts are missing.
"""

import json
import re
import shutil
from html import escape
from pathlib import Path

import nbformat
from nbconvert import PythonExporter

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
# Written where they are not yet, so that a reader's own are safe.
HELPERS = """\
#@title Run this cell first: it brings what the chapter imports
import sys
from pathlib import Path

files = {{}}
{files}
for name, text in files.items():
    if not Path(name).exists():
        Path(name).write_text(text, encoding="utf-8")
sys.path.insert(0, "")
"""
BOOKS = "lr=1e-6&momentum=0&steps=2000", "these settings in the playground"
OWN = {  # a chapter whose weights are not those of powers of x
    "04_custom_function": (
        "a=0&b=0.45&c=0&d=-0.0675&lr=5e-6",
        "this start and rate on powers of x, in the playground",
    )
}


def loop_of(path):
    """Return a notebook that holds the chapter's loop alone, as text."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    loops = [c for c in cells if "loop" in c["metadata"].get("tags", [])]
    kept = [{k: c[k] for k in ("metadata", "source")} for c in loops]
    return json.dumps({"cells": kept})


def standalone(path):
    """Return the chapter with all that it imports inside, and no outputs."""
    chapter = nbformat.read(path, as_version=4)
    chapter.cells = [
        cell
        for cell in chapter.cells
        if "teacher" not in cell.metadata.get("tags", [])
    ]
    code = "\n".join(c.source for c in chapter.cells if c.cell_type == "code")
    files = {
        module.name: module.read_text(encoding="utf-8")
        for module in sorted(path.parent.glob("*.py"))
        if re.search(rf"\b(import|from) {module.stem}\b", code)
    }
    for name in re.findall(r'"(\d\d_\w+)"', code):  # loop_diff reads them
        files[f"{name}.ipynb"] = loop_of(path.with_name(f"{name}.ipynb"))
    texts = [f"files[{name!r}] = r'''{files[name]}'''" for name in files]
    for cell in chapter.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    first = nbformat.v4.new_code_cell(
        HELPERS.format(files="\n".join(texts)).rstrip(),
        id="helpers",
        metadata={"cellView": "form", "jupyter": {"source_hidden": True}},
    )
    chapter.cells.insert(1, first)
    return chapter


def offer(app, page, template, context, doctree):
    """Write the line of things to take away above the first cell."""
    name = Path(page).name
    if not (NOTEBOOKS / "standalone" / f"{name}.ipynb").exists():
        return
    up = context["pathto"]
    settings, words = OWN.get(name, BOOKS)
    items = [
        f'<a href="{up("take", 1)}/{name}.ipynb" download>notebook</a>',
        f'<a href="{up("take", 1)}/alone/{name}.ipynb" download>'
        "notebook that needs no other file</a>",
        f'<a href="{up("take", 1)}/{name}.py" download>script</a>',
        f'<a href="{up("book/playground")}#{escape(settings)}">{words}</a>',
    ]
    line = f'<p class="take"><b>Take it along:</b> {", ".join(items)}.</p>\n'
    before, cell, after = context["body"].partition('<div class="cell ')
    context["body"] = before + line + cell + after


def write_files(app, error):
    """Put the files beside the pages."""
    if error or app.builder.format != "html":
        return
    take = app.outdir / "take"
    (take / "alone").mkdir(parents=True, exist_ok=True)
    exporter = PythonExporter(exclude_input_prompt=True)
    for alone in sorted((NOTEBOOKS / "standalone").glob("*.ipynb")):
        shutil.copy(NOTEBOOKS / alone.name, take)
        shutil.copy(alone, take / "alone")
        script, _ = exporter.from_filename(str(alone))
        target = take / alone.with_suffix(".py").name
        target.write_text(script, encoding="utf-8")


def setup(app):
    """Register the extension."""
    app.connect("html-page-context", offer, priority=600)
    app.connect("build-finished", write_files)
    return {"version": "1", "parallel_read_safe": True}


if __name__ == "__main__":
    (NOTEBOOKS / "standalone").mkdir(exist_ok=True)
    for chapter in sorted(NOTEBOOKS.glob("0*.ipynb")):
        target = NOTEBOOKS / "standalone" / chapter.name
        nbformat.write(standalone(chapter), target)
