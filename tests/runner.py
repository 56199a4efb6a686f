"""Read chapters, and run them in the test's own Python, without a kernel."""

import ast
import contextlib
import io
import re

import matplotlib.pyplot as plt
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
    return "".join(out.get("text", "") for out in cell.outputs)


def figures(path):
    """Return the cells of a notebook that drew a figure."""
    return [
        cell
        for cell in cells(path, "code")
        if any("image/svg+xml" in out.get("data", {}) for out in cell.outputs)
    ]


def alt(cell):
    """Return what a cell says of its figure to those who cannot see it."""
    return cell.metadata.mystnb.image.alt


def is_check(cell):
    """Tell a check that must pass from one that is meant to fail."""
    text = cell.source
    return "sinefit.check" in text and "except AssertionError" not in text


def run_text(text, names, watch=None):
    """Run code among these names, as a cell; return what it prints.

    Raise Caught for an error. watch is an ast.NodeTransformer for the code.
    """
    said = io.StringIO()
    try:
        tree = ast.parse(text)
        if watch:
            names["_watch"] = watch.see
            tree = ast.fix_missing_locations(watch.visit(tree))
        with contextlib.redirect_stdout(said):
            exec(compile(tree, "<cell>", "exec"), names)
    except Exception as error:
        raise Caught(f"{type(error).__name__}: {error}") from error
    return said.getvalue()


def run(cells, names=None, compare=False, watch=None, after=None):
    """Run the cells; raise Caught where a reader would see something wrong.

    That is an error, and, to compare, an output that is not the stored one.
    after is called with each cell, the names, what was said, and the axes.
    """
    names = {"__name__": "__main__"} if names is None else names
    for cell in cells:
        plt.close("all")
        said = run_text(cell.source, names, watch)
        if after:
            axes = plt.gcf().axes if plt.get_fignums() else []
            after(cell, names, said, axes)
        if compare and "nbval-ignore-output" not in tags(cell):
            stored = printed(cell)
            if VARIES.sub("", said) != VARIES.sub("", stored):
                raise Caught(f"{OUTPUT}: {stored!r}, got {said!r}")
