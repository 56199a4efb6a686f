"""A broken chapter is caught, in words that a beginner can act on.

That an unbroken one passes, run in the same way, test_learner shows.
"""

import collections
import re

import pytest

from conftest import CHAPTERS
from runner import OUTPUT, Caught, cells, is_check, run, tags
from sabotage import rows


def edit(code, old, new):
    """Put the new text into the loop, or into the first cell with the old."""
    for cell in [c for c in code if "loop" in tags(c)] + code:
        if old in cell.source:
            cell.source = cell.source.replace(old, new)
            return
    raise LookupError(f"no cell holds {old!r}: change the table")


def breaks():
    """Return the rows; all but the first of each third chapter can wait."""
    so_far = collections.Counter()
    for row in rows():
        so_far[row[0]] += 1
        now = so_far[row[0]] == 1 and len(so_far) % 3 == 1
        later = [] if now else [pytest.mark.long]
        yield pytest.param(*row, marks=later)


@pytest.mark.parametrize(
    ("chapter", "module", "old", "new", "words"),
    list(breaks()),
    ids=lambda value: value[:30],
)
@pytest.mark.filterwarnings("ignore")  # a broken chapter may warn
def test_a_broken_chapter_is_caught(chapter, module, old, new, words, folder):
    code = cells(folder / f"{chapter}.ipynb", "code")
    if module:
        path = folder / module
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{module} holds no {old!r}: change the table"
        path.write_text(text.replace(old, new), encoding="utf-8")
    else:
        edit(code, old, new)
    last = max(i for i, cell in enumerate(code) if is_check(cell))
    with pytest.raises(Caught, match=re.escape(words)):
        run(code[: last + 1], compare=words == OUTPUT)


def test_a_stored_output_edited_by_hand_is_caught(folder):
    code = cells(folder / "01_numpy.ipynb", "code")
    for out in (out for cell in code for out in cell.outputs):
        if "text" in out:
            out.text = out.text.replace("9.1413", "9.1314")
    with pytest.raises(Caught, match=OUTPUT):
        run(code, compare=True)


def test_each_chapter_is_broken_at_least_four_times():
    counts = collections.Counter(row[0] for row in rows())
    assert {*counts} == {path.stem for path in CHAPTERS}
    assert min(counts.values()) >= 4


def test_an_edit_that_does_not_apply_is_an_error(folder):
    with pytest.raises(LookupError, match="change the table"):
        edit(cells(folder / "01_numpy.ipynb", "code"), "no such text", "")
