"""Read chapters, and run them in the test's own Python, without a kernel."""

import contextlib
import io
import re

import matplotlib.pyplot as plt
import numpy as np
from nbformat import v4

OUTPUT = "stored output"
VARIES = re.compile(r"largest relative difference: [\d.e+-]+")


class Caught(Exception):
    """What a reader of a broken chapter would see."""


def cells(path, kind=None, tag=None):
    """Return the cells of a notebook, of one kind and with one tag."""
    return [
        cell
        for cell in v4.reads(path.read_text(encoding="utf-8")).cells
        if kind in (None, cell.cell_type) and (not tag or tag in tags(cell))
    ]


def tags(cell):
    """Return a cell's tags."""
    return cell.metadata.get("tags", [])


def printed(cell):
    """Return what a cell printed when its outputs were stored."""
    return "".join(out.get("text", "") for out in cell.get("outputs", ()))


def pictures(cell):
    """Return the pictures that are stored in a cell."""
    shown = [out.get("data", {}) for out in cell.outputs]
    return [data["image/svg+xml"] for data in shown if "image/svg+xml" in data]


def figures(path):
    """Return the cells of a notebook that drew a figure."""
    return [cell for cell in cells(path, "code") if pictures(cell)]


def alt(cell):
    """Return what a cell says of its figure to those who cannot see it."""
    return cell.metadata.mystnb.image.alt


def run_text(text, names):
    """Run code among these names, as a cell; return what it prints.

    Raise Caught for an error.
    """
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said):
            exec(compile(text, "<cell>", "exec"), names)
    except Exception as error:
        raise Caught(f"{type(error).__name__}: {error}") from error
    return said.getvalue()


def sketch(svg):
    """Return the words of a picture, and the box about each line and mark."""
    boxes = []
    for drawn in re.findall(r' d="[^"]+"| x="[^"]+" y="[^"]+"', svg):
        at = np.array(re.findall(r"-?[\d.]+", drawn), float).reshape(-1, 2)
        boxes.append([at.min(axis=0), at.max(axis=0)])
    return re.findall(r"<text[^>]*>\s*([^\W\d][^<]*)", svg), np.array(boxes)


def hold_picture(cell, axes):
    """Hold a picture that nbval ignores: to the fresh one, or to its words.

    Last bits may move a point, or leave it out, and not the box about a line.
    """
    drawn = io.StringIO()
    plt.savefig(drawn, format="svg", bbox_inches="tight")
    (stored,) = pictures(cell)
    words, boxes = sketch(stored)
    said, fresh = sketch(drawn.getvalue())
    same = words == said and boxes.shape == fresh.shape
    if any("second" in ax.get_ylabel() for ax in axes):
        same = words == said  # times are others on each machine
    elif same:
        same = abs(boxes - fresh).max() < 1
    if not same:
        raise Caught(f"{OUTPUT}: another picture than {cell.source!r} draws")


def run(cells, names=None, compare=False, after=None):
    """Run the cells; raise Caught where a reader would see something wrong.

    That is an error, and, to compare, an output that is not the stored one;
    where nbval ignores it, what holds a fresh one must hold the stored one.
    after is called with each cell, the names, what was said, and the axes.
    """
    names = {"__name__": "__main__"} if names is None else names
    for cell in cells:
        plt.close("all")
        said, stored = run_text(cell.source, names), printed(cell)
        axes = plt.gcf().axes if plt.get_fignums() else []
        ignored = "nbval-ignore-output" in tags(cell)
        if after:
            after(cell, names, said, axes)
            if compare and ignored and said != stored:
                after(cell, names, stored, axes)
        if compare and ignored and axes:
            hold_picture(cell, axes)
        if compare and not ignored:
            if VARIES.sub("", said) != VARIES.sub("", stored):
                raise Caught(f"{OUTPUT}: {stored!r}, got {said!r}")


def write(folder, name, source, prints="first word\n"):
    """Write a notebook: a title, and a cell that stores what it prints."""
    cell = v4.new_code_cell(source, execution_count=1)
    cell.outputs = [v4.new_output("stream", text=prints)]
    notebook = v4.new_notebook(cells=[v4.new_markdown_cell("# Page"), cell])
    kernel = {"display_name": "", "language": "python", "name": "python3"}
    notebook.metadata["kernelspec"] = kernel
    path = folder / "notebooks" / f"{name}.ipynb"
    path.parent.mkdir(exist_ok=True)
    path.write_text(v4.writes(notebook), encoding="utf-8")
