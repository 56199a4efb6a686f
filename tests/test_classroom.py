"""The classroom kit: copies that hide, check and grade what they should."""

import copy
import json
import shutil
import zipfile

import nbformat
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from nbgrader.apps import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config

import exercises
import kit
from conftest import NOTEBOOKS, ROOT, make_book

CHAPTERS = sorted(NOTEBOOKS.glob("0*.ipynb"))
TODO = "nothing to check yet"
# An answer that learners give, and words of the sentence that it must get.
WRONG = """
1.1 | arrived = 2000 | too early
1.1 | arrived += 1 | has been there before
1.2 | best_rate = 2 / eigenvalues.max() | not 2 over the sum
1.2 | arrived = 3607 | at another step
1.3 | broken = losses | of the right gradient
1.3 | broken = again | that of the book's start
2.1 | shape = (1,) | 1 axes
2.1 | kind = torch.float32 | not torch.float32
2.1 | plain = torch.Tensor | that Python has
2.2 | message = "expected 2000 losses" | another mistake
2.2 | message = len(message) | expected text, got int
2.3 | message = "Expected a float" | another error
3.1 | gradient = 1 | from one backward
3.1 | gradient = 0.5 | Which slope
3.2 | loss = losses[-1] | is not where the run ends
3.2 | loss = piled[-1] | swings without friction
3.2 | loss = losses | expected one number, got list
3.3 | message = "element 0 of tensors" | another error
4.1 | ratio = -1 | never negative
4.1 | ratio = 2 | what does P3 do
4.2 | ends = ends.flip(0) | comes first
4.2 | ends = [float("nan"), 8.9] | another learning rate
4.3 | Spoilt = LegendrePolynomial2 | finds its backward right
4.3 | LegendrePolynomial2 = LegendrePolynomial3 | other values than P2
5.1 | numbers = 7 | What else
5.1 | degree = 8 | the highest power
5.2 | linear = torch.nn.Linear(4, 1) | a bias of its own
5.2 | loss = loss / 2000 | not the first one
5.3 | piled = losses | are zeroed at each step
5.3 | piled = losses[:2] | expected 3 losses or more
6.1 | left = 0.999**2000 | shrinks by its root
6.1 | left = 0.9 | the factor of one step
6.2 | rate = rate**0.5 | this is its root
6.2 | beta = beta**0.5 | Is it squared
6.2 | arrived += 1 | at another step
6.3 | stuck = losses | these losses move
7.1 | count = 6 | learned once
7.1 | count = 2 | not the names
7.2 | limit = limit / 2 | over the largest eigenvalue
7.2 | losses5 = losses[:] | the run ends at
7.3 | message = "ok" | another thing
"""


def wrong_answers(name):
    rows = [line.split(" | ") for line in WRONG.strip().splitlines()]
    return [row[1:] for row in rows if row[0] == name]


def source(cell):
    return "".join(cell["source"])


def chapters():
    return pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)


@pytest.fixture(scope="module")
def made():
    """Make the kit; return its folder."""
    done = make_book(ROOT, "classroom")
    assert done.returncode == 0, done.stdout
    return ROOT / "_build" / "classroom"


@chapters()
def test_exercises_check_themselves(path, monkeypatch):
    monkeypatch.chdir(NOTEBOOKS)
    chapter, found = kit.read(path)
    shell = InteractiveShell()
    done = 0

    def see(text):
        with capture_output() as said:
            result = shell.run_cell(text, silent=True)
        error = result.error_before_exec or result.error_in_exec
        return f"{type(error).__name__}: {error}" if error else said.stdout

    for name, solution, stub in found:
        for cell in chapter.cells[done:solution]:
            if cell.cell_type == "code":
                assert "Error" not in see(cell.source)
        check = chapter.cells[solution + 1].source
        see(stub)
        assert f"NotYet: Exercise {name}: {TODO}" in see(check)
        assert wrong_answers(name)
        for answer, words in wrong_answers(name):
            see(chapter.cells[solution].source)
            assert see(answer) == ""
            told = see(check)
            assert told.startswith(f"NotYet: Exercise {name}: "), answer
            assert words in told, (answer, told)
        see(chapter.cells[solution].source)
        assert see(check) == f"Exercise {name}: right.\n"
        done = solution + 2


def test_a_learner_sees_the_sentence_alone():
    with pytest.raises(exercises.NotYet) as caught:
        exercises.check("1.1", ...)
    assert caught.value._render_traceback_() == [str(caught.value)]
    with pytest.raises(ValueError, match=r"expected one of .*'1.1'"):
        exercises.check("8.1", 1)


@chapters()
def test_students_get_no_solution(path, made):
    chapter, found = kit.read(path)
    lines = {
        line.strip()
        for _, index, _ in found
        for line in chapter.cells[index].source.splitlines()
    }
    shown = "\n".join(
        cell.source
        for other in CHAPTERS
        for cell in nbformat.read(other, as_version=4).cells
        if not {"solution", "teacher"} & {*kit.tags(cell)}
    )
    lines = {line for line in lines if len(line) > 15 and line not in shown}
    assert len(lines) >= 3
    texts = [p.read_text("utf-8") for p in (made / "student").iterdir()]
    with zipfile.ZipFile(made / "student.zip") as archive:
        texts += [archive.read(n).decode() for n in archive.namelist()]
    release = made / "nbgrader" / "release"
    texts += [p.read_text("utf-8") for p in release.rglob("*.*")]
    assert len(texts) > 30
    for text in texts:
        plain = text.replace('\\"', '"').replace("\\\\", "\\")
        assert [line for line in lines if line in plain] == []
        assert "For the teacher" not in text
        assert "mystnb" not in text


@chapters()
def test_copies_are_what_they_are_called(path, made):
    chapter, found = kit.read(path)
    student = nbformat.read(made / "student" / path.name, as_version=4)
    text = json.dumps(student)
    for name, _, _ in found:
        assert f"# TODO {name}: " in text
    for cell in student.cells:
        assert (cell.metadata, cell.get("outputs", [])) == ({}, [])
    assert (made / "student" / "exercises.py").exists()
    teacher = nbformat.read(made / "teacher" / path.name, as_version=4)
    assert [c.source for c in teacher.cells] == [
        c.source for c in chapter.cells
    ]
    assert "hide-cell" not in json.dumps(teacher)
    assert "For the teacher" in json.dumps(teacher)
    assert "2000 losses are as expected" in json.dumps(teacher)


def submit(course, student, name, fill):
    """Hand in a released assignment, with the solutions of some exercises."""
    target = course / "submitted" / student / name
    shutil.copytree(course / "release" / name, target)
    path = target / f"{name}.ipynb"
    chapter, found = kit.read(NOTEBOOKS / path.name)
    solutions = {
        f"solution-{n}".replace(".", "-"): chapter.cells[index].source
        for n, index, _ in found[:fill]
    }
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
        cell.source = solutions.get(grade_id, cell.source)
    nbformat.write(notebook, path)


@pytest.fixture(scope="module")
def course(made, tmp_path_factory):
    """Return a copy of the course, and nbgrader's interface to it."""
    folder = tmp_path_factory.mktemp("course") / "nbgrader"
    shutil.copytree(made / "nbgrader", folder)
    settings = Config()
    settings.CourseDirectory.root = str(folder)
    settings.CourseDirectory.course_id = "one-curve"
    settings.ExecutePreprocessor.timeout = 60
    return folder, NbGraderAPI(
        CourseDirectory(config=settings), config=settings
    )


def grade(course, student, name, fill):
    """Return the points, given and possible, of a submission."""
    folder, api = course
    submit(folder, student, name, fill)
    done = api.autograde(name, student)
    assert done["success"], done["log"]
    with api.gradebook as book:
        submission = book.find_submission(name, student)
        return submission.score, submission.max_score


@chapters()
def test_nbgrader_grades_a_submission_half_filled_in(path, course):
    assert grade(course, "half", path.stem, 2) == (2, 3)


@pytest.mark.parametrize("name", ["01_numpy", "03_autograd"])
def test_nbgrader_gives_solutions_all_and_blanks_nothing(name, course):
    assert grade(course, "whole", name, 3) == (3, 3)
    assert grade(course, "blank", name, 0) == (0, 3)


def test_nbgrader_is_not_deceived_by_another_exercises_py(course):
    folder, _ = course
    released = folder / "release" / "01_numpy" / "exercises.py"
    kept = released.read_text("utf-8")
    released.write_text("def check(*answers):\n    pass\n")
    try:
        assert grade(course, "sly", "01_numpy", 0) == (0, 3)
    finally:
        released.write_text(kept)


@pytest.fixture(scope="module")
def decks(made, browser):
    """Return a page to show decks in, and what it has asked for."""
    page, asked = browser.new_page(), []
    page.set_viewport_size({"width": 1280, "height": 720})
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: asked.append(error.message))
    yield page, asked
    page.close()


@chapters()
def test_a_deck_shows_the_chapter_without_a_network(path, made, decks):
    page, asked = decks
    asked.clear()
    page.goto((made / "slides" / f"{path.stem}.slides.html").as_uri())
    page.wait_for_function("Reveal.isReady()")
    assert [a for a in asked if not a.startswith(("file:", "data:"))] == []
    slides = page.locator(".slides > section")
    texts = slides.all_text_contents()
    for words in ("You will learn", "for t in range(2000)", "You see", "Your"):
        assert any(words in text for text in texts), words
    assert page.locator(".slides img").count() >= 2
    assert page.locator("aside.notes").count() == 1
    assert all("$" not in text for text in texts)
    heights = page.evaluate(
        "[...Array(Reveal.getTotalSlides()).keys()].map(slide => {"
        "Reveal.slide(slide); return Reveal.getCurrentSlide().scrollHeight})"
    )
    assert len(heights) >= 6
    assert max(heights) <= 720


def tagged(notebook, tag):
    """Return the index of the first cell with this tag."""
    return next(i for i, c in enumerate(notebook.cells) if tag in kit.tags(c))


def misspell(notebook):
    notebook.cells[tagged(notebook, "solution")].metadata.tags = ["solutoin"]


def one_word(notebook):
    notebook.cells[tagged(notebook, "solution")].metadata.tags = "solution"


def orphan(notebook):
    del notebook.cells[tagged(notebook, "exercise")]


def unsolved(notebook):
    del notebook.cells[tagged(notebook, "solution")]


def unchecked(notebook):
    del notebook.cells[tagged(notebook, "verify")]


def stray(notebook):
    check = notebook.cells[tagged(notebook, "verify")]
    notebook.cells.append(copy.deepcopy(check))


def twice(notebook):
    second = notebook.cells[tagged(notebook, "verify") + 3]
    second.source = second.source.replace("1.2", "1.1")


def unnamed(notebook):
    cell = notebook.cells[tagged(notebook, "solution")]
    cell.source = cell.source.replace("arrived", "came")


def uncalled(notebook):
    notebook.cells[tagged(notebook, "verify")].source = "print('fine')"


def none(notebook):
    notebook.cells = notebook.cells[: tagged(notebook, "exercise")]


@pytest.mark.parametrize(
    ("spoil", "tag", "offset", "words"),
    [
        (misspell, "solution", 0, "no tag is called ['solutoin']"),
        (one_word, "solution", 0, "a list of tags, got 'solution'"),
        (orphan, "exercise", 0, "a solution without its exercise"),
        (unsolved, "exercise", 0, "expected the exercise's solution"),
        (unchecked, "exercise", 0, "expected the exercise's solution"),
        (stray, None, 0, "a check without its solution"),
        (twice, "verify", 3, "a second exercise is called 1.1"),
        (unnamed, "verify", 0, "does not make all of ['arrived']"),
        (uncalled, "verify", 0, "expected exercises.check("),
        (none, "exercise", -1, "no exercise in this chapter"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_malformed_chapter_is_named(spoil, tag, offset, words, tmp_path):
    notebook = nbformat.read(CHAPTERS[0], as_version=4)
    number = tagged(notebook, tag) if tag else len(notebook.cells)
    spoil(notebook)
    path = tmp_path / "notebooks" / "01_numpy.ipynb"
    path.parent.mkdir()
    nbformat.write(notebook, path)
    with pytest.raises(kit.Malformed) as caught:
        kit.read(path)
    told = str(caught.value)
    assert told.startswith(
        f"notebooks/01_numpy.ipynb, cell {number + offset + 1}: "
    )
    assert words in told


def test_a_failure_leaves_the_last_good_copies(tmp_path):
    for name in ("Makefile", "book/_ext", "classroom", "notebooks"):
        source_, target = ROOT / name, tmp_path / name
        if source_.is_dir():
            shutil.copytree(source_, target)
        else:
            shutil.copy(source_, target)
    kept = tmp_path / "_build" / "classroom" / "student.zip"
    kept.parent.mkdir(parents=True)
    kept.write_text("the last good one")
    path = tmp_path / "notebooks" / "07_module.ipynb"
    notebook = nbformat.read(path, as_version=4)
    misspell(notebook)
    nbformat.write(notebook, path)
    done = make_book(tmp_path, "classroom")
    assert done.returncode != 0
    assert "07_module.ipynb, cell" in done.stdout
    assert "Traceback" not in done.stdout
    assert kept.read_text() == "the last good one"
