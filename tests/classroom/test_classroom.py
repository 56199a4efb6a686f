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
from conftest import (
    CHAPTERS,
    ROOT,
    each_chapter,
    make,
    run,
)
from runner import cells, tags


def test_students_get_no_solution(made):
    texts = [p.read_text("utf-8") for p in (made / "alone").iterdir()]
    with zipfile.ZipFile(made / "student.zip") as archive:
        texts += [archive.read(n).decode() for n in archive.namelist()]
    assert len(texts) > 2 * len(CHAPTERS)
    texts = [t.replace('\\"', '"').replace("\\\\", "\\") for t in texts]
    shown = "\n".join(
        cell.source
        for path in CHAPTERS
        for cell in cells(path)
        if not {"solution", "teacher"} & {*tags(cell)}
    )
    for path in CHAPTERS:
        lines = {
            line.strip()
            for cell in cells(path, tag="solution")
            for line in cell.source.splitlines()
            if len(line.strip()) > 15 and line.strip() not in shown
        }
        assert len(lines) >= 3
        for text in texts:
            assert [line for line in lines if line in text] == []
    for text in texts:
        assert "For the teacher" not in text
        assert "mystnb" not in text


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
    loop = [cell.source for cell in cells(path, tag="loop")]
    for folder in ("student", "teacher"):
        copied = cells(made / folder / path.name, tag="loop")
        assert [cell.source for cell in copied] == loop
    for cell in student:
        assert {*cell.metadata} <= {"nbgrader", "tags"}
        assert tags(cell) in ([], ["loop"])
        assert cell.get("outputs", []) == []
    teacher = made / "teacher" / path.name
    assert [cell.source for cell in cells(teacher)] == chapter
    shown = teacher.read_text("utf-8")
    assert "hide-cell" not in shown
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
def test_a_full_disk_cuts_no_file_and_makes_none_the_readers(tmp_path):
    editions, home = [tmp_path / "1", tmp_path / "2"], tmp_path / "home"
    sizes = {"a.py": 500, "b.ipynb": 1500, "c.csv": 500}  # bytes
    for letter, folder in zip("xy", editions, strict=True):
        folder.mkdir()
        for name, size in sizes.items():
            (folder / name).write_text(letter * size)
    lay_out = [sys.executable, ROOT / "tools" / "hand_out.py", home]
    full = ["bash", "-c", 'ulimit -f 1; exec "$0" "$@"', *lay_out]
    for edition in editions:
        done = run([*full, edition], ROOT)
        assert done.returncode != 0
        assert re.fullmatch(
            r".+/home: expected a folder .+ room .+ too large.+\n", done.stdout
        )
    first = {path.name: path.read_text() for path in home.glob("[!.]*")}
    assert first == {"a.py": "y" * 500}
    assert run([*lay_out, editions[0]], ROOT).returncode == 0
    whole = {path.name: path.read_text() for path in home.glob("[!.]*")}
    assert whole == {name: "x" * size for name, size in sizes.items()}


def test_make_lab_opens_a_folder_of_ones_own(made, tmp_path):
    done = make(ROOT, "-n", "--no-print-directory", "lab")
    *_, lay_out, lab = done.stdout.splitlines()
    assert lab.endswith("/jupyter lab --allow-root work")
    *lay_out, folder = lay_out.split()
    assert folder == "work"
    done = run([*lay_out, tmp_path / folder], ROOT, PYTHONPATH="")
    assert done.returncode == 0, done.stdout
    assert done.stdout.endswith(f"are in {tmp_path / 'work'}\n")
    for file in (made / "student").iterdir():
        copy = tmp_path / "work" / file.name
        assert copy.read_bytes() == file.read_bytes(), file.name


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


@pytest.mark.parametrize(("cell", "spoil", "named", "words"), SPOILT)
def test_a_malformed_chapter_is_named(cell, spoil, named, words, tmp_path):
    notebook = nbformat.read(CHAPTERS[0], as_version=4)
    first = copies.read(CHAPTERS[0])[1][0][1] - 1
    spoil(notebook.cells[first + cell])
    nbformat.write(notebook, tmp_path / "chapter.ipynb")
    with pytest.raises(copies.Malformed) as caught:
        copies.read(tmp_path / "chapter.ipynb")
    place = f"{tmp_path.name}/chapter.ipynb, cell {first + named + 1}: "
    assert str(caught.value).startswith(place)
    assert words in str(caught.value)


def test_a_chapter_without_an_exercise_is_named(tmp_path):
    notebook = nbformat.read(CHAPTERS[0], as_version=4)
    del notebook.cells[7:]
    nbformat.write(notebook, tmp_path / "chapter.ipynb")
    with pytest.raises(copies.Malformed, match="cell 7: no exercise in this"):
        copies.read(tmp_path / "chapter.ipynb")


def test_copies_replace_the_last_when_they_are_whole(tmp_path):
    target = tmp_path / "_build" / "classroom"

    def write(text, error=None, meanwhile=lambda: None):
        def to(folder):
            folder.mkdir()
            (folder / "copy").write_text(text)
            meanwhile()
            if error:
                raise error

        return to

    copies.renew(target, write("mine"))
    with pytest.raises(SystemExit, match=r"with room\. No space left"):
        copies.renew(target, write("half", OSError("No space left on it")))
    with pytest.raises(SystemExit, match="cell 7"):
        copies.renew(target, write("half", copies.Malformed("cell 7")))
    assert (target / "copy").read_text() == "mine"

    def another():  # is done before this one
        copies.renew(target, write("another's"))

    copies.renew(target, write("later", meanwhile=another))
    assert (target / "copy").read_text() == "later"
    assert [*target.parent.iterdir()] == [target]
