"""A broken chapter is caught, in words that a beginner can act on."""

import collections
import json
import pathlib
import re
import shutil
import sys

import matplotlib.pyplot as plt
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from sabotage import OUTPUT, rows

ROOT = pathlib.Path(__file__).parents[1]
VARIES = re.compile(r"largest relative difference: .+")


class Caught(Exception):
    """What a reader of the broken chapter would see."""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return a copy of the notebooks' folder, in which Python now runs."""
    copy = tmp_path / "notebooks"
    shutil.copytree(ROOT / "notebooks", copy)
    monkeypatch.chdir(copy)
    monkeypatch.syspath_prepend(copy)
    monkeypatch.setattr(plt, "show", lambda: plt.close("all"))
    for module in ("sinefit", "polynomial"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    return copy


def code_cells(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


def edit(cells, old, new):
    """Put the new text into the loop, or into the first cell with the old."""
    loop = [c for c in cells if "loop" in c["metadata"].get("tags", [])]
    for cell in loop + cells:
        text = "".join(cell["source"])
        if old in text:
            cell["source"] = [text.replace(old, new)]
            return
    raise LookupError(f"no cell holds {old!r}: change the table")


def run(cells, compare):
    """Run the cells up to the last check; raise Caught as a reader would."""
    shell = InteractiveShell()
    checks = [i for i, c in enumerate(cells) if is_check(c)]
    for cell in cells[: checks[-1] + 1]:
        with capture_output() as said:
            result = shell.run_cell("".join(cell["source"]), silent=True)
        error = result.error_before_exec or result.error_in_exec
        expected = "raises-exception" in cell["metadata"].get("tags", [])
        if error and not expected:
            raise Caught(f"{type(error).__name__}: {error}")
        stored = "".join(
            "".join(out.get("text", ""))
            for out in cell["outputs"]
            if out["output_type"] == "stream"
        )
        ignored = "nbval-ignore-output" in cell["metadata"].get("tags", [])
        if compare and not ignored and not expected:
            if VARIES.sub("", said.stdout) != VARIES.sub("", stored):
                raise Caught(f"{OUTPUT}: {stored!r}, got {said.stdout!r}")


def is_check(cell):
    text = "".join(cell["source"])
    return "sinefit.check(" in text and "except AssertionError" not in text


@pytest.mark.parametrize(
    "path", sorted((ROOT / "notebooks").glob("0*.ipynb")), ids=lambda p: p.stem
)
def test_an_unbroken_chapter_passes(path, folder):
    run(code_cells(folder / path.name), compare=True)


@pytest.mark.parametrize(
    ("chapter", "module", "old", "new", "words"),
    rows(),
    ids=lambda value: value[:30],
)
@pytest.mark.filterwarnings("ignore")  # a broken chapter may warn
def test_a_broken_chapter_is_caught(chapter, module, old, new, words, folder):
    cells = code_cells(folder / f"{chapter}.ipynb")
    if module:
        path = folder / module
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{module} does not hold {old!r}: change the table"
        path.write_text(text.replace(old, new), encoding="utf-8")
    else:
        edit(cells, old, new)
    with pytest.raises(Caught, match=re.escape(words)):
        run(cells, compare=words == OUTPUT)


def test_a_stored_output_edited_by_hand_is_caught(folder):
    cells = code_cells(folder / "01_numpy.ipynb")
    for cell in cells:
        for out in cell["outputs"]:
            out["text"] = [
                t.replace("9.1413", "9.1314") for t in out.get("text", [])
            ]
    with pytest.raises(Caught, match=OUTPUT):
        run(cells, compare=True)


def test_each_chapter_is_broken_at_least_four_times():
    counts = collections.Counter(row[0] for row in rows())
    assert len(counts) == 7
    assert min(counts.values()) >= 4


def test_an_edit_that_does_not_apply_is_an_error(folder):
    with pytest.raises(LookupError, match="change the table"):
        edit(code_cells(folder / "01_numpy.ipynb"), "no such text", "")
