"""Grade what was collected: `make grade`.

grades/ becomes a course of nbgrader. points.csv has a row a learner and a
column an exercise; report.txt says what was unusual; feedback/ holds a page
for each notebook. What has been graded is not graded again.
"""

import base64
import contextlib
import copy
import csv
import hashlib
import html
import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import nbformat
from nbconvert import HTMLExporter
from nbconvert.preprocessors import CSSHTMLHeaderPreprocessor
from nbgrader.apps import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import GetGrades
from traitlets.config import PyFileConfigLoader

import sandbox
from collect import GRADES, content, given, grade_id, newest, parse
from decks import in_mathml

HERE = Path(__file__).resolve().parent
COURSE = HERE.parent / "_build" / "classroom" / "nbgrader"
LOST = """\
raise TimeoutError("this answer took more than a minute and could not be "
                   "stopped, or it ended Python. It was left out.")"""
UNSAFE = """\
Here learners' code would be graded as you: it could read and change all that
you can. On Linux, bubblewrap keeps it apart (apt install bubblewrap). Grade
without it? Type yes: """


def rebuild(blank, handed_in):
    """Return a notebook to grade, and what was unusual about the one given.

    Its cells are the book's, in the book's order, with the learner's answers,
    and the learner's own cells where they stood. A second copy of an answer
    follows the first.
    """
    remarks, own, extra = [], {}, {}
    keys = {grade_id(c): i for i, c in enumerate(blank.cells) if grade_id(c)}
    ids = {c.id: i for i, c in enumerate(blank.cells)}
    texts = {c.source: i for i, c in enumerate(blank.cells)}
    after = -1
    for cell in handed_in.cells:
        key = grade_id(cell)
        place = keys.get(key)
        if place is None:
            place = ids.get(cell.get("id"), texts.get(cell.source))
        if place is not None and place not in own:
            own[place], after = cell.source, place
            continue
        if place is not None and key in keys:
            remarks.append(f"{title(key)} is there twice: both run")
            after = place
        if cell.get("id") != "helpers" and not title(key).startswith("check"):
            stays = nbformat.v4.new_code_cell(cell.source)
            if cell.cell_type != "code":
                text = html.escape(cell.source)  # it will be looked at
                stays = nbformat.v4.new_markdown_cell(text)
            extra.setdefault(after, []).append(stays)
    cells = [*extra.get(-1, [])]
    for place, cell in enumerate(blank.cells):
        cell, key = copy.deepcopy(cell), grade_id(cell)
        what = title(key) if key else f"cell {place + 1}"
        if place not in own and (key or cell.cell_type == "code"):
            remarks.append(f"{what} is missing: the book's was put back")
        elif what.startswith("answer"):
            cell.source = own[place]
        elif cell.cell_type == "code" and own[place] != cell.source:
            remarks.append(f"{what} was changed: the book's was run")
        cells += [cell, *extra.get(place, [])]
    rebuilt = copy.deepcopy(blank)
    rebuilt.cells = cells
    return rebuilt, remarks


def title(key):
    """Return what a reader calls a cell that nbgrader calls solution-1-1."""
    kind, _, name = str(key).partition("-")
    kind = {"solution": "answer"}.get(kind, kind)
    return f"{kind} {name.replace('-', '.')}"


def course(folder):
    """Return nbgrader's interface to a course, under the course's settings."""
    tools = str(Path(sys.executable).parent)  # nbgrader calls alembic
    os.environ["PATH"] = os.pathsep.join([tools, os.environ["PATH"]])
    loader = PyFileConfigLoader("nbgrader_config.py", str(folder))
    settings = loader.load_config()
    settings.CourseDirectory.root = str(folder)
    runtime = os.environ["JUPYTER_RUNTIME_DIR"]  # where kernels are told to be
    settings.KernelManager.connection_file = f"{runtime}/kernel.json"
    return NbGraderAPI(CourseDirectory(config=settings), config=settings)


def box(folder):
    """Let kernels start in a sandbox; return whether one works here."""
    start = [sys.executable, str(HERE / "sandbox.py"), "{connection_file}"]
    spec = {
        "argv": start,
        "display_name": "Python, apart",
        "language": "python",
        "interrupt_mode": "message",  # a signal would end the sandbox
    }
    place = folder / "kernels" / "python3" / "kernel.json"
    place.parent.mkdir(parents=True)
    place.write_text(json.dumps(spec), encoding="utf-8")
    runtime = folder / "runtime"
    runtime.mkdir()
    os.environ["JUPYTER_PATH"] = str(folder)
    os.environ["JUPYTER_RUNTIME_DIR"] = str(runtime)
    try:
        with contextlib.chdir(folder):
            tried = sandbox.command(["true"], runtime / "kernel.json")
            subprocess.run(tried, check=True, capture_output=True)
        return True
    except (OSError, subprocess.CalledProcessError):
        shutil.rmtree(folder / "kernels")
        return False


def run(api, chapter, student, notebook):
    """Let nbgrader grade a notebook; return what had to be left out."""
    place = Path(api.coursedir.root, "submitted", student, chapter)
    place.mkdir(parents=True, exist_ok=True)
    answers = [c for c in notebook.cells if "answer" in title(grade_id(c))]
    sources, done = [c.source for c in answers], {}
    for left_out in ([], *([cell] for cell in answers), answers):
        for cell, source in zip(answers, sources, strict=True):
            cell.source = LOST if cell in left_out else source
        nbformat.write(notebook, place / f"{chapter}.ipynb")
        done = api.autograde(chapter, student)
        if done["success"]:
            return [
                f"{title(grade_id(cell))} never ended, or ended Python: "
                "it was left out"
                for cell in left_out
            ]
    raise RuntimeError(f"{student}, {chapter}: nbgrader says {done}")


def errors(root, chapter, student):
    """Return a remark on each answer that ended in an error."""
    place = Path(root, "autograded", student, chapter, f"{chapter}.ipynb")
    return [
        f"{title(grade_id(cell))} ends in {out.ename}"
        for cell in nbformat.read(place, as_version=4).cells
        for out in cell.get("outputs", [])
        if out.output_type == "error"
        and "answer" in title(grade_id(cell))
        and cell.source != LOST
    ]


def harmless(output):
    """Keep of an output what cannot run where it is looked at."""
    data = output.get("data", {})
    for kind in [*data]:
        if kind != "text/plain" and not kind.startswith("image/"):
            del data[kind]
    drawn = data.pop("image/svg+xml", None)
    if drawn:  # a picture runs no script, unlike a part of the page
        drawn = base64.b64encode(drawn.encode()).decode()
        address = f"data:image/svg+xml;base64,{drawn}"
        data["text/html"] = f'<img alt="figure" src="{address}">'


def feedback(api, chapter, student):
    """Write a page of what was graded, which needs no network."""
    root = Path(api.coursedir.root)
    exporter = HTMLExporter(
        template_name="feedback",
        extra_template_basedirs=[str(HERE)],
        preprocessors=[GetGrades, CSSHTMLHeaderPreprocessor],
        filters={"name": lambda key: title(key).capitalize()},
    )
    notebook = nbformat.read(
        root / "autograded" / student / chapter / f"{chapter}.ipynb", 4
    )
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = in_mathml(cell.source)
        for out in cell.get("outputs", []):
            harmless(out)
    about = {
        "notebook": chapter,
        "assignment": chapter,
        "student": student,
        "db_url": api.coursedir.db_url,
    }
    page, _ = exporter.from_notebook_node(notebook, {"nbgrader": about})
    place = root / "feedback" / student / f"{chapter}.html"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(page, encoding="utf-8")


def grade(folder):
    """Grade what folder/received holds, as far as it is new."""
    handed_in, blanks = newest(folder / "received"), given()
    shutil.copytree(COURSE, folder, dirs_exist_ok=True)
    api, ledger = course(folder), folder / "ledger.json"
    known = json.loads(ledger.read_text("utf-8")) if ledger.exists() else {}
    for chapter in sorted({chapter for _, chapter, _ in handed_in}):
        source = folder / "source" / chapter / f"{chapter}.ipynb"
        edition = hashlib.sha256(source.read_bytes()).hexdigest()
        if known.get(chapter) != edition:
            done = api.generate_assignment(chapter)
            if not done["success"]:
                raise RuntimeError(f"{chapter}: nbgrader says {done}")
            known[chapter] = edition
    for student, chapter, file in handed_in:
        raw = content(file)
        digest = hashlib.sha256(known[chapter].encode() + raw).hexdigest()
        key = f"{student}/{chapter}"
        if known.get(key, {}).get("digest") == digest:
            continue
        print(f"Grading {chapter} of {student}")
        notebook, remarks = parse(raw), []
        if notebook is None:
            remarks.append("no notebook that can be read: no points")
            notebook = blanks[chapter]
        rebuilt, unusual = rebuild(blanks[chapter], notebook)
        remarks += unusual + run(api, chapter, student, rebuilt)
        remarks += errors(folder, chapter, student)
        feedback(api, chapter, student)
        known[key] = {"digest": digest, "remarks": remarks}
        ledger.write_text(json.dumps(known, indent=1), encoding="utf-8")
    write_down(api, folder, handed_in, known)


def write_down(api, folder, handed_in, known):
    """Write points.csv and report.txt."""
    rows = {p.name: {} for p in (folder / "received").iterdir() if p.is_dir()}
    lines, names = [], set()
    with api.gradebook as book:
        for student, chapter, file in handed_in:
            done = book.find_submission_notebook(chapter, chapter, student)
            found = {title(g.name).split()[1]: g.score for g in done.grades}
            rows[student].update(found)
            names.update(found)
            score = f"{sum(found.values()):g} of {len(found)}"
            lines.append(
                f"{student}, {chapter} (version {file.stem}): {score}"
            )
            remarks = known[f"{student}/{chapter}"]["remarks"]
            lines += [f"    {remark}." for remark in remarks]
    lines += [f"{one}: no answer" for one in sorted(rows) if not rows[one]]
    names = sorted(names, key=lambda name: [*map(int, name.split("."))])
    with (folder / "points.csv").open("w", encoding="utf-8", newline="") as to:
        table = csv.writer(to)
        table.writerow(["student", *names, "total"])
        for student, found in sorted(rows.items()):
            scores = [f"{found.get(name, 0):g}" for name in names]
            total = f"{sum(found.values()):g}"
            table.writerow([student, *scores, total])
    report = "\n".join(lines) + "\n"
    (folder / "report.txt").write_text(report, encoding="utf-8")


def agreed():
    """Ask whether to grade where nothing keeps learners' code apart."""
    try:
        return input(UNSAFE).strip() == "yes"
    except EOFError:  # nobody is there to ask
        return False


def main():
    """Grade what was collected, and say where the points are."""
    logging.disable(logging.CRITICAL)
    warnings.filterwarnings("ignore", "Object of type <Submitted")
    if not (GRADES / "received").is_dir():
        sys.exit(
            f"{GRADES / 'received'}: expected what was handed in: make collect"
        )
    with tempfile.TemporaryDirectory() as temporary:
        if not box(Path(temporary)) and not agreed():
            sys.exit("\nNothing was graded.")
        grade(GRADES)
    print((GRADES / "report.txt").read_text("utf-8"), end="")
    print(f"Points: {GRADES / 'points.csv'}. Feedback: {GRADES / 'feedback'}")


if __name__ == "__main__":
    main()
