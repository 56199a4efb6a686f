"""Offer each chapter to take away: unsolved, with solutions, as a script.

It adds to the head of each chapter's page a card: the minutes it takes, these
files, and its settings in the playground. Without it the card and the files
are missing.
"""

import sys
from html import escape
from pathlib import Path

import nbformat
from docutils import nodes
from nbconvert import PythonExporter

from address import in_colab

sys.path.append(str(Path(__file__).parents[2] / "tools"))
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


def offer(app, doctree, page):
    """Put the card under the chapter's first words, in place of its time."""
    name = Path(page).name
    chapters = [chapter.stem for chapter in CHAPTERS]
    if name not in chapters or app.builder.format != "html":
        return
    strong = doctree.findall(nodes.strong)
    time = next(part for part in strong if part.astext() == "Time")
    words, at = time.parent, time.parent.index(time)
    minutes = "".join(part.astext() for part in words[at + 1 :])
    words[at:] = []
    take = "../" * page.count("/") + "take"
    files = {
        "notebook": f"{name}.ipynb",
        "with solutions": f"solved/{name}.ipynb",
        "script": f"{name}.py",
    }
    there = in_colab(name)
    items = [f'<a href="{there}">Colab</a>'] if there else []
    items.append("<span>Download:</span>")
    for what, file in files.items():
        items.append(f'<a href="{take}/{file}" download>{what}</a>')
    if setting := OWN.get(name, BOOKS):
        there = app.builder.get_relative_uri(page, "book/playground")
        there += f"#{escape(setting[0])}"
        items.append(f'<a href="{there}">{setting[1]}</a>')
    card = f'<p class="take"><b>{minutes.strip()}</b> {" ".join(items)}</p>\n'
    section, after = words.parent, words.parent.index(words) + 1
    section.insert(after, nodes.raw("", card, format="html"))


def write_files(app, error):
    """Put the files beside the pages."""
    if error or app.builder.name != "html":
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
    app.connect("doctree-resolved", offer)
    app.connect("build-finished", write_files)
    return {"version": "1", "parallel_read_safe": True}
