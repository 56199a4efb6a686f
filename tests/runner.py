"""Run a chapter's code cells in the test's own Python, without a kernel."""

import json
import re

from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

OUTPUT = "stored output"
VARIES = re.compile(r"largest relative difference: .+")


class Caught(Exception):
    """What a reader of a broken chapter would see."""


def code_cells(path):
    """Return the code cells of a notebook."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


def source(cell):
    """Return a cell's text."""
    return "".join(cell["source"])


def tags(cell):
    """Return a cell's tags."""
    return cell["metadata"].get("tags", [])


def printed(cell):
    """Return what a cell printed when its outputs were stored."""
    outputs = cell["outputs"]
    streams = (out for out in outputs if out["output_type"] == "stream")
    return "".join("".join(out["text"]) for out in streams)


def is_check(cell):
    """Tell a check that must pass from one that is meant to fail."""
    text = source(cell)
    return "sinefit.check(" in text and "except AssertionError" not in text


def run(cells, compare, watch=None):
    """Run the cells; raise Caught where a reader would see something wrong.

    That is an error, and, to compare, an output that is not the stored one.
    watch is an ast.NodeTransformer for every cell.
    """
    shell = InteractiveShell()
    if watch:
        shell.ast_transformers.append(watch)
        shell.user_ns["_watch"] = watch.see
    for cell in cells:
        with capture_output() as said:
            result = shell.run_cell(source(cell), silent=True)
        error = result.error_before_exec or result.error_in_exec
        if error:
            raise Caught(f"{type(error).__name__}: {error}")
        stored = printed(cell)
        ignored = "nbval-ignore-output" in tags(cell)
        same = VARIES.sub("", said.stdout) == VARIES.sub("", stored)
        if compare and not ignored and not same:
            raise Caught(f"{OUTPUT}: {stored!r}, got {said.stdout!r}")
