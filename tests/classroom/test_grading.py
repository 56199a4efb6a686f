"""What learners hand in: collected, graded apart, and nothing of it lost."""

import csv
import os
import re
import shutil
import socket
import sys

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbformat import v4

import collect
import copies
import grade
from conftest import CHAPTERS, ROOT, long, make, run

NO_BOX = "learners' code is not kept apart here: apt install bubblewrap"
SECRET = "what only the teacher knows"


def answers(path=CHAPTERS[0]):
    """Return the solutions of a chapter, by the exercise's name."""
    chapter, found = copies.read(path)
    return {name: chapter.cells[index].source for name, index, _ in found}


def blank(path=CHAPTERS[0]):
    """Return what a learner gets of a chapter."""
    return copies.unsolved(*copies.read(path))


def filled(changed=(), path=CHAPTERS[0]):
    """Return a learner's copy with the solutions, but for those changed."""
    notebook = blank(path)
    for name, source in (answers(path) | dict(changed)).items():
        notebook.cells[at(notebook, f"answer {name}")].source = source
    return notebook


def at(notebook, what):
    """Return the index of the cell that is called so, or that says it."""
    return next(
        index
        for index, cell in enumerate(notebook.cells)
        if what == grade.title(collect.grade_id(cell)) or what in cell.source
    )


def write(folder, name, notebook):
    """Write a notebook that a learner hands in."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
    return path


@pytest.mark.skipif(os.name != "posix", reason="needs links and pipes")
def test_a_file_is_known_by_its_cells_and_its_owner_by_its_folder(tmp_path):
    # where a folder above is hidden, too
    folder, target = tmp_path / ".all" / "in", tmp_path / "received"
    two = filled(path=CHAPTERS[1])
    write(folder, "ada/01_numpy.ipynb", filled())
    write(folder, "ada/02_tensors.ipynb", blank(CHAPTERS[1]))
    write(folder, "Ünsal Öz_7_assignsubmission_file/work (3).ipynb", two)
    write(folder, "李 02_tensors (1).ipynb", two)
    write(folder, "ada/.ipynb_checkpoints/01_numpy.ipynb", two)
    write(folder, "ada/mine.ipynb", v4.new_notebook())
    write(folder, "bob/02_tensors.ipynb", two).write_text("{")
    link = folder / "bob" / "01_numpy.ipynb"
    link.symlink_to(folder / "ada" / "01_numpy.ipynb")
    os.mkfifo(folder / "bob" / "pipe.ipynb")
    (folder / "bob" / "large.ipynb").write_bytes(b" " * 20_000_001)
    lines = collect.collect(folder, target)
    said = "\n".join(lines)
    assert {str(p.relative_to(target)) for p in target.rglob("*.ipynb")} == {
        "ada/01_numpy/1.ipynb",
        "Ünsal Öz_7/02_tensors/1.ipynb",
        "李/02_tensors/1.ipynb",
        "bob/02_tensors/1.ipynb",
    }
    for words in (
        "ada/mine.ipynb: left where it is, for it is none of",
        "bob/01_numpy.ipynb: left where it is. ",
        "bob/pipe.ipynb: left where it is. expected a file",
        "bob/large.ipynb: left where it is. more than 20 MB",
        "1 chapters without an answer",
    ):
        assert words in said
    kept = {path: path.read_bytes() for path in target.rglob("*.ipynb")}
    collect.collect(folder, target)
    write(folder, "ada/01_numpy.ipynb", filled({"1.1": "guess = 1"}))
    (line,) = [x for x in collect.collect(folder, target) if "version 2" in x]
    assert line.startswith("ada: 01_numpy, version 2, from ada/01_numpy")
    collect.collect(folder, target)
    assert len([*target.rglob("*.ipynb")]) == 5
    assert all(path.read_bytes() == raw for path, raw in kept.items())
    ours = target / "ada" / "01_numpy"
    for version in range(3, 11):
        (ours / f"{version}.ipynb").touch()
    assert ("ada", "01_numpy", ours / "10.ipynb") in collect.newest(target)
    (tmp_path / "empty").mkdir()
    (line,) = collect.collect(tmp_path / "empty", target)
    assert "no notebook" in line
    with pytest.raises(NotADirectoryError, match="expected a folder of"):
        collect.collect(folder / "none", target)


def twice(notebook):
    index = at(notebook, "answer 1.1")
    second = v4.new_code_cell(notebook.cells[index].source)
    second.metadata = notebook.cells[index].metadata
    notebook.cells[index].source = "guess = arrived = ..."
    notebook.cells.insert(index + 2, second)


def without(what):
    return lambda notebook: notebook.cells.pop(at(notebook, what))


def spoilt(notebook):
    notebook.cells[at(notebook, "y = np.sin(x)")].source = ""


def renumbered(notebook):
    """As some editors do: other ids, and a cell of one's own before each."""
    for cell in notebook.cells:
        cell.id = f"x{cell.id}"
    own = v4.new_code_cell("helper = 1")
    notebook.cells.insert(at(notebook, "answer 1.1"), own)


# What befalls a notebook with all answers right, and what the report says.
REBUILT = {
    "nothing": (lambda notebook: None, []),
    "an answer twice": (twice, ["answer 1.1 is there twice: both run"]),
    "no answer": (
        without("answer 1.2"),
        ["answer 1.2 is missing: the book's was put back"],
    ),
    "no check": (
        without("check 1.2"),
        ["check 1.2 is missing: the book's was put back"],
    ),
    "no imports": (without("import numpy"), ["is missing: the book's was"]),
    "no data": (spoilt, ["was changed: the book's was run"]),
    "other ids": (renumbered, []),
}


@pytest.mark.parametrize(("spoil", "words"), REBUILT.values(), ids=REBUILT)
def test_a_notebook_is_put_in_order_before_it_is_graded(spoil, words):
    notebook = filled()
    spoil(notebook)
    rebuilt, remarks = grade.rebuild(blank(), notebook)
    for word, said in zip(words, remarks, strict=True):
        assert word in said
    sources = [cell.source for cell in rebuilt.cells]
    for cell in blank().cells:
        if not str(collect.grade_id(cell)).startswith("solution"):
            assert cell.source in sources
    for name, solution in answers().items():
        assert solution in sources or f"answer {name} is m" in str(remarks)
    names, wanted = (
        [*filter(None, map(collect.grade_id, notebook.cells))]
        for notebook in (rebuilt, blank())
    )
    assert names == wanted
    place = at(rebuilt, "answer 1.1")
    if spoil is twice:
        assert sources[place + 1] == answers()["1.1"]
    if spoil is renumbered:
        assert sources[place - 1] == "helper = 1"


# Learners' code that must give no point, and reach nothing.
PATCHED = """
import sys, pathlib, types
import exercises, sinefit
lax = lambda *answers: None
exercises.check = lax
exercises.CHECKS["1.1"] = exercises._refuse = lax
sinefit.predict = lax
sys.path.insert(0, "/tmp")
sys.modules["exercises"] = types.SimpleNamespace(check=lax)
guess = arrived = best_rate = broken = falls = 1
for folder in "/tmp", ".", "/book":
    try:
        pathlib.Path(folder, "exercises.py").write_text("def check(*a): pass")
    except OSError:
        pass
"""
STUBBORN = """
while True:
    try:
        while True:
            pass
    except KeyboardInterrupt:
        pass
"""
ATTACK = """
import os, pathlib, socket
def attempt(what, how):
    try:
        print(what, "REACHED", how())
    except OSError:
        print(what, "refused")
secret = pathlib.Path(at["secret"])
from IPython.display import HTML, SVG, display
display(HTML("<script>document.title = 'html'</script>"))
display(SVG('<svg xmlns="http://www.w3.org/2000/svg">'
            "<script>document.title = 'svg'</script></svg>"))
attempt("read", secret.read_text)
attempt("write", lambda: secret.write_text("changed"))
attempt("beside", lambda: (secret.parent / "new").write_text("new"))
attempt("python", lambda: pathlib.Path(os.__file__).write_text("new"))
attempt("solutions", lambda: os.listdir(at["book"]))
attempt("network", lambda: socket.create_connection(at["server"], 2))
attempt("processes", pathlib.Path("/proc", at["pid"], "environ").read_text)
"""
LOST = "answer 1.2 never ended, or ended Python"
# Answers in place of right ones, the points that are left, and what is said.
SPOILT = {
    "whole": ({}, "111", ": 3 of 3"),
    "blank": ({"1.1": "guess = 1", "1.2": "", "1.3": ""}, "000", ": 0 of 3"),
    "patched": (dict.fromkeys(answers(), PATCHED), "000", ": 0 of 3"),
    "syntax": ({"1.2": "def (:"}, "101", "1.2 ends in SyntaxError"),
    "endless": ({"1.2": "while 1: pass"}, "101", "ends in CellTimeoutError"),
    "stubborn": ({"1.2": STUBBORN}, "101", LOST),
    "flood": (
        {"1.2": "while True: print('a lot ' * 1000)"},
        "101",
        "1.2 ends in RuntimeError",
    ),
    "ends": ({"1.2": "import os\nos._exit(0)"}, "101", LOST),
    "memory": ({"1.2": "a = bytearray(10**11)"}, "101", "ends in MemoryError"),
}
POINTS = {name: points for name, (_, points, _) in SPOILT.items()}
POINTS |= {"idle": "000", "garbled": "000", "no answer": "101"}


@pytest.fixture(scope="module")
def graded(made, tmp_path_factory):
    """Let `make grade` grade notebooks of all kinds; return its folder."""
    if not shutil.which("bwrap"):
        pytest.skip(NO_BOX)
    folder = tmp_path_factory.mktemp("grading")
    (folder / "secret.txt").write_text(SECRET)
    server = socket.create_server(("127.0.0.1", 0))
    paths = {
        "secret": str(folder / "secret.txt"),
        "book": str(ROOT / "notebooks"),
        "server": server.getsockname(),
        "pid": str(os.getpid()),
    }
    attack = f"at = {paths}\n{ATTACK}\n{answers()['1.3']}"
    handed_in = {name: filled(row[0]) for name, row in SPOILT.items()}
    handed_in["colab"] = copies.alone(filled())
    handed_in["idle"] = blank()
    handed_in["attack"] = filled({"1.3": attack})
    for name, (spoil, _) in REBUILT.items():
        handed_in[name] = filled()
        spoil(handed_in[name])
    for name, notebook in handed_in.items():
        write(folder / "in", f"{name}/work.ipynb", notebook)
    garbled = write(folder / "in", "garbled/01_numpy.ipynb", filled())
    garbled.write_text("{")
    collect.collect(folder / "in", folder / "grades" / "received")
    return folder, make_grade(folder, made)


def make_grade(folder, made, answer="", **variables):
    """Run classroom/grade.py as make does, with a few seconds a cell."""
    quick = folder / "course"
    shutil.copytree(made / "nbgrader", quick, dirs_exist_ok=True)
    config = quick / "nbgrader_config.py"
    text = config.read_text().replace("timeout = 60", "timeout = 15")
    config.write_text(text)
    code = (
        "import sys, pathlib; sys.path.insert(0, 'classroom'); import grade; "
        f"grade.COURSE = pathlib.Path({str(quick)!r}); grade.main()"
    )
    answered = ["bash", "-c", f'echo {answer} | "$0" -c "$1"']
    own = {"GRADES": str(folder / "grades")} | variables
    return run([*answered, sys.executable, code], ROOT, **own)


def table(folder):
    """Return the points in points.csv, by learner."""
    with (folder / "grades" / "points.csv").open(encoding="utf-8") as file:
        rows = [*csv.DictReader(file)]
    assert [*rows[0]] == ["student", "1.1", "1.2", "1.3", "total"]
    return {row.pop("student"): [*row.values()] for row in rows}


@pytest.mark.long
def test_each_costs_its_learner_only_what_it_should(graded):
    folder, done = graded
    assert done.returncode == 0, done.stdout
    points = table(folder)
    assert {*points} == {*REBUILT, *POINTS, "colab", "attack"}
    for name, given in points.items():
        wanted = [*POINTS.get(name, "111")]
        assert given == [*wanted, str(sum(map(int, wanted)))], name
    report = (folder / "grades" / "report.txt").read_text("utf-8")
    assert report in done.stdout
    blocks = re.split(r"\n(?=\S)", report)
    remarks = {block.split(",")[0]: block for block in blocks}
    for name, (_, words) in REBUILT.items():
        assert all(word in remarks[name] for word in words), name
    for name, (_, _, words) in SPOILT.items():
        assert words in remarks[name], name
    assert "no notebook that can be read" in remarks["garbled"]
    assert re.findall("^(.+): no answer$", report, re.M) == ["idle"]
    assert "\n" not in remarks["whole"].strip()


@pytest.mark.long
def test_learners_code_reaches_nothing_of_the_teachers(graded):
    folder, _ = graded
    path = folder / "grades/autograded/attack/01_numpy/01_numpy.ipynb"
    said = "".join(
        out.get("text", "")
        for cell in nbformat.read(path, 4).cells
        for out in cell.get("outputs", [])
    )
    tried = dict(re.findall(r"^(\w+) (refused|REACHED.*)$", said, re.M))
    assert len(tried) == 7
    # what it writes is gone with its own, empty, folder of temporary files
    reached = {what for what, how in tried.items() if how != "refused"}
    assert reached <= {"write", "beside"}, tried
    assert (folder / "secret.txt").read_text() == SECRET
    assert not (folder / "new").exists()
    page = folder / "grades" / "feedback" / "attack" / "01_numpy.html"
    shown = page.read_text("utf-8")
    assert "<img alt" in shown
    for place in re.findall("<script>[^<]*", shown):
        assert "document.title" not in place


@pytest.mark.long
def test_a_second_run_changes_nothing_and_feedback_needs_no_network(
    graded, made
):
    folder, _ = graded
    kinds = (".csv", ".txt", ".ipynb", ".html", ".json")
    files = [*(folder / "grades").rglob("*")]
    files = [path for path in files if path.suffix in kinds]
    before = [path.read_bytes() for path in files]
    done = make_grade(folder, made)
    assert done.returncode == 0, done.stdout
    assert "Grading" not in done.stdout
    assert [path.read_bytes() for path in files] == before
    page = (folder / "grades/feedback/whole/01_numpy.html").read_text("utf-8")
    assert not re.search(r'<(script|link|img)[^>]+(src|href)="http', page)
    assert "<math" in page and "window.MathJax" not in page
    shown = BeautifulSoup(page, "html.parser")
    assert shown.h1.get_text() == "01_numpy: 3 of 3"
    for link in shown.select("ul a[href^='#check']"):
        assert shown.select_one(link["href"]).get_text() == link.get_text()
    assert "Check 1.1: 1 of 1" in page and "Answer 1.1" in page


@pytest.mark.long
def test_where_nothing_keeps_code_apart_the_teacher_is_asked(made, tmp_path):
    write(tmp_path / "in", "ada/work.ipynb", filled())
    collect.collect(tmp_path / "in", tmp_path / "grades" / "received")
    tools = tmp_path / "tools"  # all there is, but bubblewrap
    tools.mkdir()
    for name in ("bash", "env"):
        (tools / name).symlink_to(shutil.which(name))
    done = make_grade(tmp_path, made, PATH=str(tools))
    assert "learners' code would be graded as you" in done.stdout
    assert "Nothing was graded." in done.stdout
    assert done.returncode != 0
    done = make_grade(tmp_path, made, "yes", PATH=str(tools))
    assert done.returncode == 0, done.stdout
    assert table(tmp_path) == {"ada": ["1", "1", "1", "3"]}


@pytest.mark.parametrize("path", long(CHAPTERS))
def test_make_collect_and_make_grade_give_points(path, made, tmp_path):
    if not shutil.which("bwrap"):
        pytest.skip(NO_BOX)
    write(tmp_path / "in", "ada/work.ipynb", filled(path=path))
    own = {"FROM": str(tmp_path / "in"), "GRADES": str(tmp_path / "grades")}
    done = make(ROOT, "collect", "grade", **own)
    assert done.returncode == 0, done.stdout
    with (tmp_path / "grades" / "points.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert (row["student"], row["total"]) == ("ada", "3")
