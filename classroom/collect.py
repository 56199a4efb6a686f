"""Take in what learners hand in: `make collect FROM=folder`.

A file is known by its cells, whatever its name, and its owner by the folder
it lies in, or else by its name: ada/01_numpy.ipynb, "ada 01_numpy (2).ipynb".
grades/received/ then has each version of each chapter, numbered, and nothing
in it is ever changed.
"""

import os
import re
import stat
import sys
from pathlib import Path

import nbformat

sys.path.append(str(Path(__file__).parents[1] / "tools"))
from copies import CHAPTERS, ROOT, read, unsolved

GRADES = Path(os.environ.get("GRADES", ROOT / "grades"))
LARGEST = 20_000_000  # bytes, that a notebook may have


def given():
    """Return the chapters as learners get them, by their names."""
    return {path.stem: unsolved(*read(path)) for path in CHAPTERS}


def grade_id(cell):
    """Return how nbgrader calls a cell of an exercise, or None."""
    own = cell.get("metadata", {}).get("nbgrader")
    return own.get("grade_id") if isinstance(own, dict) else None


def content(path):
    """Return the bytes of a file that is no link, or say what is wrong."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)
    flags |= getattr(os, "O_NONBLOCK", 0)  # a pipe would wait for ever
    with open(os.open(path, flags), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError("expected a file")
        found = file.read(LARGEST + 1)
    if len(found) > LARGEST:
        raise OSError(f"more than {LARGEST // 10**6} MB")
    return found


def parse(raw):
    """Return the notebook in these bytes, or None if there is none."""
    try:
        notebook = nbformat.reads(raw.decode("utf-8"), as_version=4)
        "".join(cell.source for cell in notebook.cells)
    except Exception:  # whatever a learner's file can hold
        return None
    return notebook


def recognize(raw, name, chapters):
    """Return which chapter was handed in, and whether any of it is done."""
    notebook = parse(raw)
    if notebook:
        sources = {grade_id(c): c.source for c in notebook.cells}
        stubs = {
            chapter: {
                grade_id(c): c.source
                for c in blank.cells
                if str(grade_id(c)).startswith("solution")
            }
            for chapter, blank in chapters.items()
        }
        chapter = max(stubs, key=lambda one: len(stubs[one].keys() & sources))
        if stubs[chapter].keys() & sources:
            return chapter, any(
                sources.get(key, stub).strip() != stub.strip()
                for key, stub in stubs[chapter].items()
            )
    for chapter in chapters:
        if chapter in name:
            return chapter, True
    return None, False


def owner(path, chapter):
    """Return whose file it is: nbgrader's name for a learner."""
    name = path.parts[0] if len(path.parts) > 1 else path.stem
    name = name.partition("_assignsubmission")[0].replace(chapter, "")
    name = re.sub(r"\(\d+\)|[^\w .@+-]", " ", name)
    return " ".join(name.split()).strip(" ._-") or "unknown"


def collect(folder, target):
    """Keep what was handed in; return a line for each file that is new.

    Raise NotADirectoryError where there is no folder to collect from.
    """
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder}: expected a folder of notebooks")
    lines, blank, chapters = [], 0, given()
    files = [
        path
        for path in folder.rglob("*.ipynb")
        if not any(p.startswith(".") for p in path.relative_to(folder).parts)
    ]
    if not files:
        lines.append(f"{folder}: no notebook. A hub's are there as it runs.")
    for path in sorted(files, key=lambda path: path.lstat().st_mtime):
        name = path.relative_to(folder)
        try:
            raw = content(path)
        except OSError as error:
            lines.append(f"{name}: left where it is. {error}")
            continue
        chapter, begun = recognize(raw, path.name, chapters)
        if not chapter:
            words = "for it is none of the book's chapters"
            lines.append(f"{name}: left where it is, {words}.")
            continue
        kept = target / owner(name, chapter) / chapter
        kept.parent.mkdir(parents=True, exist_ok=True)  # in the table, anyway
        if not begun:
            blank += 1
            continue
        kept.mkdir(exist_ok=True)
        versions = [version.read_bytes() for version in kept.iterdir()]
        if raw not in versions:
            number = len(versions) + 1
            (kept / f"{number}.ipynb").write_bytes(raw)
            again = f", version {number}" * (number > 1)
            lines.append(f"{kept.parent.name}: {chapter}{again}, from {name}")
    if blank:
        lines.append(f"{blank} chapters without an answer stay where they are")
    return lines


def newest(folder):
    """Return student, chapter and file of each last version in it."""
    return [
        (*kept.parts[-2:], max(kept.iterdir(), key=lambda p: int(p.stem)))
        for kept in sorted(folder.glob("*/*"))
    ]


if __name__ == "__main__":
    there = [*ROOT.glob("hub/learners"), *ROOT.glob("hub/homes")]
    source = Path(os.environ.get("FROM") or [*there, ROOT / "hub"][0])
    try:
        for line in collect(source, GRADES / "received"):
            print(line)
    except NotADirectoryError as wrong:
        sys.exit(f"{wrong}: make collect FROM=...")
    print(f"All that was handed in is in {GRADES / 'received'}")
