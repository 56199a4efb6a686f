"""Prepare a class: `make classroom`.

_build/classroom then holds the copies of tools/copies.py, and what only a
class needs: teacher/ (solutions open, notes in), slides/ (a deck a chapter, in
one file), and nbgrader/, the source of a course, of which nbgrader makes what
student/ holds.
"""

import copy
import shutil
import sys
from pathlib import Path

import nbformat

sys.path.append(str(Path(__file__).parents[1] / "tools"))
import copies
from decks import deck

# Before each check that is graded, whatever a learner has made of its module.
AFRESH = """\
### BEGIN HIDDEN TESTS
import sys

sys.path.insert(0, "/book")
for name in "exercises", "sinefit":
    sys.modules.pop(name, None)
import exercises
### END HIDDEN TESTS"""


def graded(chapter, exercises):
    """Return nbgrader's source, of which it makes what learners get."""
    solved = [chapter.cells[index] for _, index, _ in exercises]
    answers = {cell.id: cell.source for cell in solved}
    source = copies.unsolved(chapter, exercises)
    for cell in source.cells:
        if cell.id in answers:
            cell.source += (
                f"\n### BEGIN SOLUTION\n{answers[cell.id]}\n### END SOLUTION"
            )
        elif "nbgrader" in cell.metadata:
            cell.source = f"{AFRESH}\n{cell.source}"
    return source


def for_teachers(chapter):
    """Return the chapter with its solutions open and its notes in."""
    chapter = copy.deepcopy(chapter)
    for cell in chapter.cells:
        loop = "loop" in copies.tags(cell)  # which the chapters compare
        cell.metadata = nbformat.from_dict({"tags": ["loop"]} if loop else {})
    return chapter


def write(folder):
    """Write all that a class needs into a folder that does not exist yet."""
    copies.write(folder)
    (folder / "slides").mkdir()
    course = folder / "nbgrader"
    for path in copies.CHAPTERS:
        chapter, exercises = copies.read(path)
        for target, notebook in {
            folder / "teacher": for_teachers(chapter),
            course / "source" / path.stem: graded(chapter, exercises),
        }.items():
            target.mkdir(parents=True, exist_ok=True)
            nbformat.write(notebook, target / path.name)
            for file in copies.MODULES + copies.DATA:
                shutil.copy(file, target)
        page = folder / "slides" / f"{path.stem}.slides.html"
        page.write_text(deck(chapter), encoding="utf-8")
    shutil.copy(Path(__file__).with_name("nbgrader_config.py"), course)


if __name__ == "__main__":
    copies.renew(copies.ROOT / "_build" / "classroom", write)
