"""The classroom kit: copies that hide, check and grade what they should."""

import copy
import json
import re
import shutil
import sys
import zipfile

import nbformat
import pytest

import kit
import runner
from conftest import NOTEBOOKS, copy_parts, enter, make_book

CHAPTERS = sorted(NOTEBOOKS.glob("0*.ipynb"))


def chapters():
    return pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)


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


@pytest.mark.parametrize("name", ["02_tensors", "07_module"])
def test_a_students_copy_runs_to_its_first_todo(name, made, monkeypatch):
    enter(monkeypatch, made / "student")
    cells = runner.code_cells(made / "student" / f"{name}.ipynb")
    words = rf"Exercise {int(name[:2])}.1: nothing .* in place of"
    with pytest.raises(runner.Caught, match=words):
        runner.run(cells, compare=False)


@chapters()
def test_copies_are_what_they_are_called(path, made):
    chapter, found = kit.read(path)
    student = nbformat.read(made / "student" / path.name, as_version=4)
    text = json.dumps(student)
    first = found[0][1]  # before it, the copy runs as the chapter does
    for cell, same in zip(
        student.cells[:first], chapter.cells[:first], strict=True
    ):
        assert cell.source == same.source
    for name, _, _ in found:
        assert f"# TODO {name}: " in text
    for cell in student.cells:
        assert cell.metadata in ({}, {"tags": ["loop"]})
        assert cell.get("outputs", []) == []
    assert (made / "student" / "exercises.py").exists()
    teacher = nbformat.read(made / "teacher" / path.name, as_version=4)
    assert [c.source for c in teacher.cells] == [
        c.source for c in chapter.cells
    ]
    assert "hide-cell" not in json.dumps(teacher)
    assert "For the teacher" in json.dumps(teacher)
    assert "2000 losses are as expected" in json.dumps(teacher)


@chapters()
def test_a_released_notebook_needs_no_other_file(
    path, made, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    release = made / "nbgrader" / "release" / path.stem / path.name
    exec(runner.source(runner.code_cells(release)[0]), {})
    chapter, _ = kit.read(path)
    code = [c.source for c in chapter.cells if c.cell_type == "code"]
    reads = re.findall(r'loop_diff\("(\w+)", "(\w+)"\)', "\n".join(code))
    wanted = {f"{name}.ipynb" for pair in reads for name in pair}
    wanted |= {"sinefit.py", "exercises.py"}
    assert wanted <= {file.name for file in tmp_path.iterdir()}


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
    return folder, kit.grader(folder)


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


def test_nbgrader_gives_solutions_all_and_blanks_nothing(course):
    assert grade(course, "whole", "01_numpy", 3) == (3, 3)
    assert grade(course, "blank", "01_numpy", 0) == (0, 3)


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
    check = copy.deepcopy(notebook.cells[tagged(notebook, "verify")])
    check.id = "stray"
    notebook.cells.append(check)


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
    copy_parts(tmp_path, "Makefile", "book/_ext", "classroom", "notebooks")
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
