"""Read chapters, and run them in the test's own Python, without a kernel."""

import ast
import contextlib
import io
import re
from xml.etree import ElementTree

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


def sketch(svg):
    """Return the words and styles of a picture, and how its lines run.

    Last bits may move a point, or leave it out, and not the line's ends, its
    middle, or the box about it.
    """
    root, looks, runs = ElementTree.fromstring(svg), [], []
    for element in root.iter():
        if element.tag.endswith("}text"):
            looks.append("".join("".join(element.itertext()).split()))
        if element.tag.endswith("}path"):
            found = re.findall(r"(-?[\d.]+) (-?[\d.]+)", element.get("d", ""))
            at = np.array(found, dtype=float)
            if len(at) > 1:
                steps = np.linalg.norm(np.diff(at, axis=0), axis=1)
                middle = steps @ (at[1:] + at[:-1]) / 2 / max(sum(steps), 1e-9)
                looks.append(element.get("style"))
                runs.append([at.min(axis=0), at.max(axis=0), middle])
    return looks, np.array(runs)


def hold_stored(cell, names, said, axes, after):
    """Hold what nbval ignores: a stored text to what holds a fresh one.

    A stored picture is held to the fresh one, or, of times, to its words.
    """
    stored = printed(cell)
    # what another machine stored may name no device of this one
    other = "torch" in names and names["torch"].accelerator.is_available()
    if after and stored != said and not other:
        try:
            after(cell, names, stored, axes)
        except AssertionError as error:
            raise Caught(f"{OUTPUT}: {stored!r}, got {said!r}") from error
    shown = [out.get("data", {}).get("image/svg+xml") for out in cell.outputs]
    shown = [*filter(None, shown)]
    if not (axes or shown):
        return
    if not (axes and shown):
        raise Caught(f"{OUTPUT}: {len(shown)} pictures, got {bool(axes):d}")
    drawn = io.StringIO()
    plt.savefig(drawn, format="svg", bbox_inches="tight")
    (looks, runs), (new, fresh) = sketch(shown[0]), sketch(drawn.getvalue())
    if any("second" in ax.get_ylabel() for ax in axes):
        bare = [{re.sub(r"\W|\d", "", x) for x in y} for y in (looks, new)]
        same = bare[0] == bare[1]
    else:
        same = looks == new and np.allclose(runs, fresh, rtol=0, atol=1)
    if not same:
        raise Caught(f"{OUTPUT}: another picture than {cell.source!r} draws")


def run(cells, names=None, compare=False, watch=None, after=None):
    """Run the cells; raise Caught where a reader would see something wrong.

    That is an error, and, to compare, an output that is not the stored one.
    after is called with each cell, the names, what was said, and the axes.
    """
    names = {"__name__": "__main__"} if names is None else names
    for cell in cells:
        plt.close("all")
        said = run_text(cell.source, names, watch)
        axes = plt.gcf().axes if plt.get_fignums() else []
        if after:
            after(cell, names, said, axes)
        if compare and "nbval-ignore-output" in tags(cell):
            hold_stored(cell, names, said, axes, after)
        elif compare:
            stored = printed(cell)
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
