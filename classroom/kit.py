"""Write what a class needs from the chapters: `make classroom`.

_build/classroom then holds student/ (solutions left out) and student.zip,
teacher/ (solutions open, notes in), slides/ (a deck a chapter, in one file),
and nbgrader/, a course whose release/ nbgrader itself has made of source/.

The tags of a chapter's cells say what is what: an exercise is a cell of text
tagged exercise, then code tagged solution, then its check tagged verify. A
cell tagged slide is shown in class, and one tagged teacher is for notes.
"""

import ast
import base64
import copy
import logging
import os
import re
import shutil
import sys
from html import escape
from pathlib import Path

import nbformat
import sphinx_revealjs
from nbconvert import SlidesExporter
from nbgrader.apps import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config, PyFileConfigLoader

import mathml
import takeaway

ROOT = Path(__file__).parents[1]
NOTEBOOKS = ROOT / "notebooks"
CONFIG = ROOT / "classroom" / "nbgrader_config.py"
TAGS = {  # all there are
    *("imports", "data", "loop", "check", "hide-cell", "remove-cell"),
    *("exercise", "solution", "verify", "teacher", "slide"),
    "nbval-ignore-output",
}
LONG = 12  # lines of output, and more than a slide has room for


class Malformed(Exception):
    """A chapter from which no class can be taught."""


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
    for number, cell in enumerate(cells, 1):
        words = tags(cell)
        need(
            isinstance(words, list),
            number,
            f"expected a list of tags, got {words!r}.",
        )
        unknown = sorted({*map(str, words)} - TAGS)
        need(
            not unknown,
            number,
            f"no tag is called {unknown}: expected some of {sorted(TAGS)}.",
        )
    for number, cell in enumerate(cells, 1):
        before = tags(cells[number - 2]) if number > 1 else []
        after = [*map(tags, cells[number : number + 2]), [], []]
        if "solution" in tags(cell):
            need(
                "exercise" in before,
                number,
                "a solution without its exercise: put the cell of text "
                "tagged exercise right before it.",
            )
        if "exercise" in tags(cell):
            need(
                "solution" in after[0] and "verify" in after[1],
                number,
                "expected the exercise's solution and its check, tagged "
                "solution and verify, in the two cells that follow.",
            )
        if "verify" in tags(cell):
            need(
                "solution" in before,
                number,
                "a check without its solution: it belongs right after it.",
            )
            call = re.search(
                r'^exercises\.check\("([\d.]+)", ([\w, ]+)\)$',
                cell.source,
                re.M,
            )
            need(
                call,
                number,
                'expected exercises.check("chapter.number", names).',
            )
            name, names = call[1], call[2].split(", ")
            need(
                name not in [n for n, _, _ in found],
                number,
                f"a second exercise is called {name}: count on.",
            )
            made = {
                getattr(node, "name", None) or getattr(node, "id", None)
                for node in ast.walk(ast.parse(cells[number - 2].source))
            }
            need(
                made.issuperset(names),
                number,
                f"the solution does not make all of {names}.",
            )
            lines = [f"# TODO {name}: your code, in place of the dots."]
            stub = "\n".join([*lines, *(f"{n} = ..." for n in names)])
            found.append((name, number - 2, stub))
    need(found, len(cells), "no exercise in this chapter: add one.")
    return chapter, found


def bare(chapter):
    """Return a copy without notes, outputs, counts and metadata.

    The tag of the loop stays: another chapter's diff looks for it.
    """
    chapter = copy.deepcopy(chapter)
    chapter.cells = [c for c in chapter.cells if "teacher" not in tags(c)]
    for cell in chapter.cells:
        loop = "loop" in tags(cell)
        cell.metadata = nbformat.from_dict({"tags": ["loop"]} if loop else {})
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return chapter


def for_students(chapter, exercises):
    """Return the chapter with stubs for solutions, and nothing that ran."""
    chapter = copy.deepcopy(chapter)
    for _, solution, stub in exercises:
        chapter.cells[solution].source = stub
    return bare(chapter)


def for_teachers(chapter):
    """Return the chapter with its solutions open and its notes in."""
    chapter = copy.deepcopy(chapter)
    for cell in chapter.cells:
        cell.metadata.pop("tags", None)
    return chapter


def for_nbgrader(path, chapter, exercises):
    """Return the chapter as nbgrader's source: one file, a point a check."""
    grades = {}
    for name, solution, stub in exercises:
        grades[chapter.cells[solution].id] = f"solution-{name}", stub
        grades[chapter.cells[solution + 1].id] = f"check-{name}", None
    source = bare(chapter)
    for cell in source.cells:
        if cell.id not in grades:
            continue
        grade_id, stub = grades[cell.id]
        if stub:
            cell.source = (
                f"{stub}\n### BEGIN SOLUTION\n{cell.source}\n### END SOLUTION"
            )
        cell.metadata["nbgrader"] = {
            "grade_id": grade_id.replace(".", "-"),
            "grade": not stub,
            "points": 0 if stub else 1,
            "solution": bool(stub),
            "locked": not stub,
            "task": False,
            "cell_type": "code",
            "schema_version": 3,
        }
    # the cell that brings what the chapter imports and reads of other ones
    source.cells.insert(1, takeaway.standalone(path).cells[1])
    return source


def for_slides(chapter):
    """Return the cells tagged slide; a heading begins a new one."""
    chapter = copy.deepcopy(chapter)
    notes = [cell for cell in chapter.cells if "teacher" in tags(cell)]
    shown = [cell for cell in chapter.cells if "slide" in tags(cell)]
    for cell in notes:
        cell.metadata["slideshow"] = {"slide_type": "notes"}
    for cell in shown:
        kind = "-"
        if cell.cell_type == "markdown":
            if "\n## " in cell.source:  # what came before belongs elsewhere
                cell.source = "## " + cell.source.split("\n## ")[-1]
            if cell.source.startswith("*You see*"):
                cell.source = cell.source.split("\n\n")[0]
            if "exercise" in tags(cell):
                cell.source = f"## Your turn\n\n{cell.source}"
            if cell.source.startswith("#"):
                kind = "slide"
            cell.source = in_mathml(cell.source).replace(
                ".ipynb)", ".slides.html)"
            )
        else:
            cell.outputs = [
                out
                for out in cell.outputs
                if out.get("text", "").count("\n") <= LONG
            ]
            for out in cell.outputs:
                if "image/svg+xml" in out.get("data", {}):  # a picture, alone
                    as_image(out.data, cell.metadata["mystnb"]["image"]["alt"])
                    cell.metadata["transient"] = {"remove_source": True}
                    kind = "slide"
        cell.metadata["slideshow"] = {"slide_type": kind}
    chapter.cells = [shown[0], *notes, *shown[1:]]
    return chapter


def as_image(data, alt):
    """Put a drawing into an element that says what it shows."""
    svg = data.pop("image/svg+xml")
    code = base64.b64encode(svg.encode()).decode()
    data["text/html"] = (
        f'<img alt="{escape(alt)}" src="data:image/svg+xml;base64,{code}">'
    )


def in_mathml(text):
    """Return Markdown with its formulas drawn, so that no script need be."""
    text = re.sub(
        r"\$\$(.+?)\$\$",
        lambda m: mathml.convert(m[1], "block").replace("\n", " "),
        text,
        flags=re.S,
    )
    return re.sub(r"\$([^$]+)\$", lambda m: mathml.convert(m[1]), text)


def deck(chapter, title):
    """Return a deck of slides: one page, with reveal.js inside."""
    reveal = Path(sphinx_revealjs.__file__).parent / "_static" / "revealjs"
    settings = Config()
    settings.SlidesExporter.extra_template_basedirs = [str(ROOT / "classroom")]
    settings.SlidesExporter.extra_template_paths = [str(reveal)]
    settings.SlidesExporter.template_name = "slides"
    settings.CSSHTMLHeaderPreprocessor.style = "default"
    chapter.metadata["title"] = title
    page, _ = SlidesExporter(config=settings).from_notebook_node(chapter)
    return page


def grader(course):
    """Return nbgrader's interface to a course, under the course's settings."""
    tools = str(Path(sys.executable).parent)  # nbgrader calls alembic
    os.environ["PATH"] = os.pathsep.join([tools, os.environ["PATH"]])
    settings = PyFileConfigLoader(CONFIG.name, str(course)).load_config()
    settings.CourseDirectory.root = str(course)
    return NbGraderAPI(CourseDirectory(config=settings), config=settings)


def release(course, names):
    """Let nbgrader make the students' copies of these assignments."""
    api = grader(course)
    for name in names:
        done = api.generate_assignment(name)
        if not done["success"]:
            raise Malformed(f"{name}: nbgrader says {done['log']}")


def write(notebook, path):
    """Write a notebook, and its folder where there is none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)


def make(folder, paths):
    """Write all of it into a folder that does not exist yet."""
    chapters = [(path, *read(path)) for path in paths]  # before all else
    modules = sorted(NOTEBOOKS.glob("*.py"))
    for path, chapter, exercises in chapters:
        write(for_students(chapter, exercises), folder / "student" / path.name)
        write(for_teachers(chapter), folder / "teacher" / path.name)
        source = folder / "nbgrader" / "source" / path.stem
        write(for_nbgrader(path, chapter, exercises), source / path.name)
        for target in (folder / "student", folder / "teacher", source):
            for module in modules:
                shutil.copy(module, target)
        slides = folder / "slides" / f"{path.stem}.slides.html"
        slides.parent.mkdir(exist_ok=True)
        title = chapter.cells[0].source.splitlines()[0].removeprefix("# ")
        slides.write_text(deck(for_slides(chapter), title), encoding="utf-8")
    course = folder / "nbgrader"
    shutil.copy(CONFIG, course)
    release(course, [path.stem for path in paths])
    shutil.make_archive(str(folder / "student"), "zip", folder / "student")


if __name__ == "__main__":
    logging.disable(logging.INFO)
    target = ROOT / "_build" / "classroom"
    fresh = target.with_name("classroom.next")
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        make(fresh, sorted(NOTEBOOKS.glob("0*.ipynb")))
    except Malformed as wrong:
        sys.exit(str(wrong))
    shutil.rmtree(target, ignore_errors=True)
    fresh.rename(target)
    print(f"Teach from {target}")
