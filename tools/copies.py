"""Make the copies of the chapters that a reader or a learner gets.

`python tools/copies.py FOLDER` writes student/ (solutions left out) and
student.zip, alone/ (the same, but each notebook brings the modules that it
imports, for Colab or an e-mail) and solved/ (alone, with the solutions).

The tags of a chapter's cells say what is what: an exercise is a cell of text
tagged exercise, then code tagged solution, then its check tagged verify. A
cell tagged slide is shown in class, and one tagged teacher is for notes.
"""

import ast
import copy
import json
import re
import shutil
import sys
import tempfile
from pathlib import Path

import nbformat
from nbconvert import Exporter
from nbconvert.preprocessors import (
    ClearOutputPreprocessor,
    TagRemovePreprocessor,
)

ROOT = Path(__file__).parents[1]
CHAPTERS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
MODULES = sorted((ROOT / "notebooks").glob("*.py"))
DATA = sorted((ROOT / "notebooks").glob("*.csv"))
TAGS = {  # all there are
    *("imports", "data", "loop", "check"),
    *("hide-cell", "remove-cell", "remove-output"),
    *("exercise", "solution", "verify", "teacher", "slide"),
    "nbval-ignore-output",
}
PARTS = {  # of an exercise, and what is wrong with one out of order
    "exercise": "expected the exercise's solution and its check, tagged "
    "solution and verify, in the two cells that follow.",
    "solution": "a solution without its exercise: put the cell of text "
    "tagged exercise right before it.",
    "verify": "a check without its solution: it belongs right after it.",
}
CALL = re.compile(r'^exercises\.check\("([\d.]+)", ([\w, ]+)\)$', re.M)
PLAIN = Exporter(  # a copy without notes, and nothing that ran
    default_preprocessors=[],
    preprocessors=[
        TagRemovePreprocessor(remove_cell_tags={"teacher"}),
        ClearOutputPreprocessor(),
    ],
)
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
sys.path.insert(0, "")"""


class Malformed(SystemExit):
    """A chapter of which no copy can be made; its words end the program."""


def tags(cell):
    """Return the tags of a cell."""
    return cell.metadata.get("tags", [])


def read(path):
    """Return a chapter and its exercises, or raise Malformed.

    The exercises are triples: name, index of the solution, stub. Its check
    stands in the cell after the solution.
    """

    def need(condition, number, words):
        if not condition:
            where = f"{path.parent.name}/{path.name}, cell {number}"
            raise Malformed(f"{where}: {words}")

    chapter = nbformat.read(path, as_version=4)
    cells, found = chapter.cells, []
    for number, own in enumerate(map(tags, cells), 1):
        words = f"expected a list of tags, got {own!r}."
        need(isinstance(own, list), number, words)
        unknown = sorted({*map(str, own)} - TAGS)
        words = f"no tag is called {unknown}: expected some of {sorted(TAGS)}."
        need(not unknown, number, words)
    parts = [next((p for p in PARTS if p in tags(c)), None) for c in cells]
    for index, part in enumerate(parts):
        if not part:
            continue
        first = index - [*PARTS].index(part)
        need(parts[first : first + 3] == [*PARTS], index + 1, PARTS[part])
        if part != "verify":
            continue
        solution, check = cells[index - 1 : index + 1]
        call = CALL.search(check.source)
        words = 'expected exercises.check("chapter.number", names).'
        need(call, index + 1, words)
        name, names = call[1], call[2].split(", ")
        words = f"a second exercise is called {name}: count on."
        need(name not in [n for n, _, _ in found], index + 1, words)
        made = {
            getattr(node, "name", None) or getattr(node, "id", None)
            for node in ast.walk(ast.parse(solution.source))
        }
        words = f"the solution does not make all of {names}."
        need(made.issuperset(names), index + 1, words)
        lines = [f"# TODO {name}: your code, in place of the dots."]
        stub = "\n".join([*lines, *(f"{n} = ..." for n in names)])
        found.append((name, index - 1, stub))
    need(found, len(cells), "no exercise in this chapter: add one.")
    return chapter, found


def bring(chapter):
    """Return a cell that writes what the chapter reads beside itself."""
    code = "\n".join(c.source for c in chapter.cells if c.cell_type == "code")
    files = {}
    for _ in range(2):  # what the chapter imports, and what that imports
        needs = "\n".join([code, *files.values()])
        files |= {
            module.name: module.read_text(encoding="utf-8")
            for module in MODULES
            if re.search(rf"\b(import|from) {module.stem}\b", needs)
        }
    files |= {
        table.name: table.read_text(encoding="utf-8")
        for table in DATA
        if f'"{table.name}"' in code
    }
    for name in re.findall(r'"(\d\d_\w+)"', code):  # loop_diff reads them
        other = ROOT / "notebooks" / f"{name}.ipynb"
        loops = [
            {key: cell[key] for key in ("metadata", "source")}
            for cell in json.loads(other.read_text(encoding="utf-8"))["cells"]
            if "loop" in cell["metadata"].get("tags", [])
        ]
        files[other.name] = json.dumps({"cells": loops})
    texts = [f"files[{name!r}] = r'''{files[name]}'''" for name in files]
    return nbformat.v4.new_code_cell(
        HELPERS.format(files="\n".join(texts)),
        id="helpers",
        metadata={"cellView": "form", "jupyter": {"source_hidden": True}},
    )


def alone(chapter):
    """Return a plain copy with all that it imports inside, and no outputs."""
    chapter, _ = PLAIN.from_notebook_node(chapter)
    chapter.cells.insert(1, bring(chapter))
    return chapter


def bare(chapter):
    """Return a plain copy without metadata, but for nbgrader's.

    The tag of the loop stays, too: another chapter's diff looks for it.
    """
    chapter, _ = PLAIN.from_notebook_node(chapter)
    for cell in chapter.cells:
        loop = [tag for tag in tags(cell) if tag == "loop"]
        kept = {"tags": loop, "nbgrader": cell.metadata.get("nbgrader")}
        cell.metadata = nbformat.from_dict(
            {k: v for k, v in kept.items() if v}
        )
    return chapter


def unsolved(chapter, exercises):
    """Return what learners get, and nbgrader knows again: a point a check.

    It is a bare copy, with stubs for solutions.
    """
    chapter = copy.deepcopy(chapter)
    for name, index, stub in exercises:
        solution, check = chapter.cells[index : index + 2]
        solution.source = stub
        for cell, points in (solution, 0), (check, 1):
            kind = "check" if points else "solution"
            cell.metadata["nbgrader"] = {
                "grade_id": f"{kind}-{name}".replace(".", "-"),
                "grade": bool(points),
                "points": points,
                "solution": not points,
                "locked": bool(points),
                "task": False,
                "cell_type": "code",
                "schema_version": 3,
            }
    return bare(chapter)


def handed_out():
    """Return what learners get: the texts of the files, by their names."""
    texts = {path.name: path.read_text("utf-8") for path in MODULES + DATA}
    for path in CHAPTERS:
        texts[path.name] = nbformat.writes(unsolved(*read(path))) + "\n"
    start = (ROOT / "tools" / "readme_of_copies.md").read_text("utf-8")
    wanted = (ROOT / ".binder" / "chapters.txt").read_text("utf-8")
    pins = (ROOT / "constraints.txt").read_text("utf-8")
    texts["requirements.txt"] = "".join(
        re.search(rf"^{name}==\S+", pins, re.M)[0] + "\n"
        for name in re.findall("^[a-z]+", wanted, re.M)
    )
    return texts | {"README.md": start}


def write(folder):
    """Write all copies into a folder that does not exist yet."""
    for path in CHAPTERS:
        chapter, exercises = read(path)
        for name, copied in {
            "alone": alone(unsolved(chapter, exercises)),
            "solved": alone(chapter),
        }.items():
            (folder / name).mkdir(parents=True, exist_ok=True)
            nbformat.write(copied, folder / name / path.name)
    (folder / "student").mkdir()
    for name, text in handed_out().items():
        (folder / "student" / name).write_text(text, encoding="utf-8")
    shutil.make_archive(str(folder / "student"), "zip", folder / "student")


def renew(target, write):
    """Let write make a folder anew, which replaces the last when it is whole.

    Where it fails, the last stays, and the reason is told.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(
            prefix=f"{target.name}.", dir=target.parent
        ) as folder:
            fresh, last = Path(folder, "fresh"), Path(folder, "last")
            write(fresh)
            if target.exists():
                target.rename(last)
            fresh.rename(target)
    except OSError as error:
        sys.exit(
            f"{target}: expected a folder to write to, with room. {error}. "
            "The last copies stay: mend it, and run this again."
        )


if __name__ == "__main__":
    renew(Path(sys.argv[1]), write)
