"""A broken chapter is caught, in words that a beginner can act on.

That an unbroken one passes, run in the same way, test_digits shows.
"""

import collections
import pathlib
import re

import pytest

from runner import OUTPUT, Caught, code_cells, is_check, run, source, tags
from sabotage import rows

NOTEBOOKS = pathlib.Path(__file__).parents[1] / "notebooks"


def edit(cells, old, new):
    """Put the new text into the loop, or into the first cell with the old."""
    for cell in [c for c in cells if "loop" in tags(c)] + cells:
        if old in source(cell):
            cell["source"] = [source(cell).replace(old, new)]
            return
    raise LookupError(f"no cell holds {old!r}: change the table")


def up_to_the_last_check(cells):
    last = max(i for i, cell in enumerate(cells) if is_check(cell))
    return cells[: last + 1]


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
        assert old in text, f"{module} holds no {old!r}: change the table"
        path.write_text(text.replace(old, new), encoding="utf-8")
    else:
        edit(cells, old, new)
    with pytest.raises(Caught, match=re.escape(words)):
        run(up_to_the_last_check(cells), compare=words == OUTPUT)


def test_a_stored_output_edited_by_hand_is_caught(folder):
    cells = code_cells(folder / "01_numpy.ipynb")
    for out in (out for cell in cells for out in cell["outputs"]):
        if "text" in out:
            out["text"] = [t.replace("9.1413", "9.1314") for t in out["text"]]
    with pytest.raises(Caught, match=OUTPUT):
        run(cells, compare=True)


def test_each_chapter_is_broken_at_least_four_times():
    counts = collections.Counter(row[0] for row in rows())
    assert len(counts) == 7
    assert min(counts.values()) >= 4


def test_an_edit_that_does_not_apply_is_an_error(folder):
    with pytest.raises(LookupError, match="change the table"):
        edit(code_cells(folder / "01_numpy.ipynb"), "no such text", "")
