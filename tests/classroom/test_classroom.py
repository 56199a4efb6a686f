"""The classroom: copies that hide, check and grade what they should."""

import os
import re
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest

import copies
import hand_out
import runner
from conftest import (
    CHAPTERS,
    NOTEBOOKS,
    ROOT,
    copy_parts,
    each_chapter,
    enter,
    long,
    make,
    run,
)
from runner import cells, tags


@pytest.fixture(scope="module")
def handed_out(made):
    """Return the texts of all files that a student may get."""
    texts = [p.read_text("utf-8") for p in (made / "student").iterdir()]
    with zipfile.ZipFile(made / "student.zip") as archive:
        texts += [archive.read(n).decode() for n in archive.namelist()]
    texts += [p.read_text("utf-8") for p in (made / "alone").iterdir()]
    texts += copies.handed_out().values()
    assert len(texts) > 50
    return [t.replace('\\"', '"').replace("\\\\", "\\") for t in texts]


@each_chapter
def test_students_get_no_solution(path, handed_out):
    shown = "\n".join(
        cell.source
        for other in CHAPTERS
        for cell in cells(other)
        if not {"solution", "teacher"} & {*tags(cell)}
    )
    lines = {
        line.strip()
        for cell in cells(path, tag="solution")
        for line in cell.source.splitlines()
        if len(line.strip()) > 15 and line.strip() not in shown
    }
    assert len(lines) >= 3
    for text in handed_out:
        assert [line for line in lines if line in text] == []
        assert "For the teacher" not in text
        assert "mystnb" not in text


@pytest.mark.parametrize("name", ["02_tensors", *long(["07_module"])])
def test_a_students_copy_runs_to_its_first_todo(name, made, monkeypatch):
    enter(monkeypatch, made / "student")
    code = cells(made / "student" / f"{name}.ipynb", "code")
    words = rf"Exercise {int(name[:2])}.1: nothing .* in place of"
    with pytest.raises(runner.Caught, match=words):
        runner.run(code)


@each_chapter
def test_copies_are_what_they_are_called(path, made):
    chapter = [cell.source for cell in cells(path)]
    plain = [c.source for c in cells(path) if "teacher" not in tags(c)]
    _, found = copies.read(path)
    student = cells(made / "student" / path.name)
    sources = [cell.source for cell in student]
    # before its first stub, the copy runs as the chapter does
    first = sources.index(found[0][2])
    assert sources[:first] == plain[:first]
    assert plain[first] == chapter[found[0][1]]
    for name, _, _ in found:
        assert f"# TODO {name}: " in "\n".join(sources)
    for cell in student:
        assert {*cell.metadata} <= {"nbgrader", "tags"}
        assert tags(cell) in ([], ["loop"])
        assert cell.get("outputs", []) == []
    assert (made / "student" / "exercises.py").exists()
    teacher = made / "teacher" / path.name
    assert [cell.source for cell in cells(teacher)] == chapter
    shown = teacher.read_text("utf-8")
    assert "hide-cell" not in shown
    assert "For the teacher" in shown
    assert re.search(r"2000 .*losses are as expected", shown)


def test_work_of_ones_own_stays_and_a_later_edition_comes_beside(tmp_path):
    first = {"a.ipynb": "one", "b.py": "one"}
    assert hand_out.lay_out(first, tmp_path) == []
    (tmp_path / "a.ipynb").write_text("mine")
    assert hand_out.lay_out(first, tmp_path) == []
    assert not (tmp_path / "a.2.ipynb").exists()
    (tmp_path / "c.py").write_text("also mine")
    later = {"a.ipynb": "two", "b.py": "two", "c.py": "two"}
    for said in (["a.2.ipynb", "c.2.py"], []):  # the second time, nothing
        told = hand_out.lay_out(later, tmp_path)
        assert [Path(sentence.split()[0]).name for sentence in told] == said
        texts = {p.name: p.read_text() for p in tmp_path.glob("[!.]*")}
        assert texts == {
            "a.ipynb": "mine",
            "a.2.ipynb": "two",
            "b.py": "two",
            "c.py": "also mine",
            "c.2.py": "two",
        }
    (tmp_path / "a.2.ipynb").write_text("mine, too")
    (tmp_path / "b.py").unlink()
    (told,) = hand_out.lay_out(later | {"a.ipynb": "three"}, tmp_path)
    assert "a.3.ipynb is a later edition, beside your own a.ipynb" in told
    assert (tmp_path / "a.2.ipynb").read_text() == "mine, too"
    assert (tmp_path / "b.py").read_text() == "two", "brought back"
    for garbled in ("{", "[1]"):
        (tmp_path / hand_out.LEDGER).write_text(garbled)
        hand_out.lay_out(later, tmp_path)
        assert (tmp_path / "a.ipynb").read_text() == "mine"


@pytest.mark.skipif(os.name != "posix", reason="needs ulimit")
def test_a_full_disk_cuts_no_file_and_makes_none_the_readers(made, tmp_path):
    files = [p for p in (made / "student").iterdir() if p.is_file()]
    first, later, home = (tmp_path / name for name in ("1", "2", "home"))
    for folder, end in (first, ""), (later, "\n"):
        folder.mkdir()
        for file in files:
            (folder / file.name).write_bytes(file.read_bytes() + end.encode())
    size = max(file.stat().st_size for file in files) // 1024 - 1
    lay_out = [sys.executable, ROOT / "tools" / "hand_out.py", home]
    full = ["bash", "-c", f'ulimit -f {size}; exec "$0" "$@"', *lay_out]

    def whole(edition):
        there = {p.name: p.read_bytes() for p in home.glob("[!.]*")}
        for name, content in there.items():
            assert content == (edition / name).read_bytes()
        return len(there)

    done = run([*full, first], ROOT)
    assert done.returncode != 0
    assert re.fullmatch(
        r".+/home: expected a folder .+ room .+ too large.+\n", done.stdout
    )
    assert 0 < whole(first) < len(files)
    assert run([*lay_out, later], ROOT).returncode == 0
    assert whole(later) == len(files)
    assert run([*full, first], ROOT).returncode != 0
    assert run([*lay_out, later], ROOT).returncode == 0
    assert whole(later) == len(files) == len([*home.iterdir()]) - 1


def test_make_lab_opens_a_folder_of_ones_own(made, tmp_path):
    copy_parts(tmp_path, "Makefile", "tools", "notebooks")
    copy_parts(tmp_path, ".binder/chapters.txt", "constraints.txt")
    commands = make(
        tmp_path, "-n", "--no-print-directory", "lab"
    ).stdout.splitlines()
    assert commands[-1].endswith("/jupyter lab --allow-root work")
    lay_out = commands[-2].split()
    done = run(lay_out, tmp_path, PYTHONPATH="")
    assert done.returncode == 0, done.stdout
    assert done.stdout.endswith(f"are in {tmp_path / 'work'}\n")
    for file in (made / "student").iterdir():
        copy = tmp_path / "work" / file.name
        assert copy.read_bytes() == file.read_bytes(), file.name
    done = run([*lay_out[:2], "Makefile"], tmp_path, PYTHONPATH="")
    assert done.returncode != 0
    assert done.stdout.startswith("Makefile: expected a folder to write to")


def text(old, new):
    """Return what puts a new text for the old one into a cell."""
    return lambda cell: cell.update(source=cell.source.replace(old, new))


def tagged(new):
    """Return what gives a cell these tags."""
    return lambda cell: cell.metadata.update(tags=new)


# Of the first exercise, a cell (0: its text, 1: its solution, 2: its check),
# what befalls it, the cell that is then named, and words about it.
SPOILT = [
    (1, tagged(["solutoin"]), 1, "no tag is called ['solutoin']"),
    (1, tagged("solution"), 1, "a list of tags, got 'solution'"),
    (0, tagged([]), 1, "a solution without its exercise"),
    (1, tagged([]), 0, "expected the exercise's solution"),
    (2, tagged([]), 0, "expected the exercise's solution"),
    (3, tagged(["verify"]), 3, "a check without its solution"),
    (5, text("1.2", "1.1"), 5, "a second exercise is called 1.1"),
    (1, text("arrived", "came"), 2, "not make all of ['guess', 'arrived']"),
    (2, text("exercises.", ""), 2, "expected exercises.check("),
]


def write(notebook, folder):
    """Write the first chapter there; return its path."""
    path = folder / "notebooks" / CHAPTERS[0].name
    path.parent.mkdir(exist_ok=True)
    nbformat.write(notebook, path)
    return path


@pytest.mark.parametrize(("cell", "spoil", "named", "words"), SPOILT)
def test_a_malformed_chapter_is_named(cell, spoil, named, words, tmp_path):
    notebook = nbformat.read(CHAPTERS[0], as_version=4)
    first = copies.read(CHAPTERS[0])[1][0][1] - 1
    spoil(notebook.cells[first + cell])
    place = rf"^notebooks/01_numpy.ipynb, cell {first + named + 1}: "
    with pytest.raises(copies.Malformed, match=place) as caught:
        copies.read(write(notebook, tmp_path))
    assert words in str(caught.value)


def test_a_chapter_without_an_exercise_is_named(tmp_path):
    notebook = nbformat.read(CHAPTERS[0], as_version=4)
    del notebook.cells[7:]
    with pytest.raises(copies.Malformed, match="cell 7: no exercise in this"):
        copies.read(write(notebook, tmp_path))


def copy_classroom(folder):
    """Copy what `make classroom` needs to another folder."""
    copy_parts(folder, "Makefile", "book/_ext", "classroom", "notebooks")
    copy_parts(folder, "tools", ".binder/chapters.txt", "constraints.txt")


def test_a_failure_leaves_the_last_good_copies(tmp_path):
    copy_classroom(tmp_path)
    kept = tmp_path / "_build" / "classroom" / "student.zip"
    kept.parent.mkdir(parents=True)
    kept.write_text("the last good one")
    path = tmp_path / "notebooks" / "07_module.ipynb"
    chapter = path.read_text("utf-8").replace('"solution"', '"solutoin"')
    path.write_text(chapter, "utf-8")
    done = make(tmp_path, "classroom")
    assert done.returncode != 0
    assert "07_module.ipynb, cell" in done.stdout
    assert "Traceback" not in done.stdout
    assert kept.read_text() == "the last good one"


def test_copies_replace_the_last_when_they_are_whole(tmp_path):
    target = tmp_path / "_build" / "classroom"

    def write(folder, text="mine", meanwhile=lambda: None):
        folder.mkdir()
        (folder / "copy").write_text(text)
        meanwhile()

    def fail():
        raise OSError("No space left on device")

    copies.renew(target, write)
    with pytest.raises(SystemExit, match=r"with room\. No space left"):
        copies.renew(target, lambda folder: write(folder, "half", fail))
    assert (target / "copy").read_text() == "mine"

    def another():  # is done before this one
        copies.renew(target, lambda folder: write(folder, "another's"))

    copies.renew(target, lambda folder: write(folder, "later", another))
    assert (target / "copy").read_text() == "later"
    assert [*target.parent.iterdir()] == [target]


def test_copies_are_written_anew_for_their_parts_alone(tmp_path):
    copy_classroom(tmp_path)
    (tmp_path / "classroom" / "__pycache__").mkdir(exist_ok=True)
    written = tmp_path / "_build" / "classroom" / "student.zip"
    written.parent.mkdir(parents=True)
    written.touch()
    later = written.stat().st_mtime + 9
    for part, stale in (
        ("classroom/__pycache__", False),  # what Python keeps for itself
        ("notebooks/polynomial.py", True),
        ("notebooks/01_numpy.ipynb", True),
        ("tools/copies.py", True),
        ("classroom/slides/slides.css", True),
        ("book/_ext/mathml.py", True),
        ("constraints.txt", True),
    ):
        os.utime(tmp_path / part, (later, later))
        done = make(tmp_path, "-q", "_build/classroom/student.zip")
        assert done.returncode == stale, (part, done.stdout)
        os.utime(tmp_path / part, (later - 99, later - 99))


def test_copies_compare_their_loops(made):
    """A copy's own sinefit.py finds the loops in the notebooks beside it."""
    text = "".join(path.read_text("utf-8") for path in CHAPTERS)
    pairs = re.findall(r'loop_diff\(\\"(\w+)\\", \\"(\w+)\\"', text)
    assert len(pairs) == len(CHAPTERS) - 1
    code = f"import sinefit\nfor p in {pairs}: print(sinefit.loop_diff(*p))"
    command = [sys.executable, "-B", "-c", code]  # which leaves nothing
    wanted = run(command, NOTEBOOKS, PYTHONPATH="")
    assert wanted.returncode == 0, wanted.stdout
    for folder in (made / "teacher", made / "student"):
        done = run(command, folder, PYTHONPATH="")
        assert done.stdout == wanted.stdout
