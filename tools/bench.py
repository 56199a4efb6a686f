"""Measure how long the book takes, in one run on one machine: `make bench`.

Seconds differ from machine to machine; the ratio of the first two travels.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).parents[1]
VENV = pathlib.Path(sys.prefix)
CHAPTERS = sorted((ROOT / "notebooks").glob("0*.ipynb"))
BOOK = ["make", "book", f"VENV={VENV}", f"--old-file={VENV}/ready"]
ENV = {"OMP_NUM_THREADS": "1", **os.environ}


def seconds(command, folder, **variables):
    """Run the command in the folder, without its output; return the time."""
    start = time.perf_counter()
    subprocess.run(
        command,
        cwd=folder,
        check=True,
        env=ENV | variables,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return time.perf_counter() - start


def script(chapter, until_loop):
    """Return a chapter's code as a script, whole or up to its loop."""
    lines = []
    for cell in json.loads(chapter.read_text(encoding="utf-8"))["cells"]:
        tags = cell["metadata"].get("tags", [])
        if cell["cell_type"] == "code":
            lines += ["".join(cell["source"])]
        if until_loop and "loop" in tags:
            break
    return "\n".join(lines)


def scripts(folder, until_loop):
    """Return the time of the seven chapters as scripts, one after another."""
    shutil.copytree(ROOT / "notebooks", folder)
    total = 0
    for chapter in CHAPTERS:
        path = folder / f"{chapter.stem}.py"
        path.write_text(script(chapter, until_loop), encoding="utf-8")
        total += seconds([sys.executable, path], folder, MPLBACKEND="Agg")
    return total


def report(what, took, note=""):
    """Print one line of the table."""
    print(f"{what:46} {took:6.1f} s  {note}", flush=True)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        scratch = pathlib.Path(name)
        whole = scripts(scratch / "whole", until_loop=False)
        report("the chapters as seven scripts", whole)
        loops = scripts(scratch / "loops", until_loop=True)
        report("the same, only up to the loop of each", loops)
        nbval = [sys.executable, "-m", "pytest", "notebooks"]
        took = seconds(nbval, ROOT)
        report(
            "the notebooks under nbval, outputs compared",
            took,
            f"{took / whole:.2f} and {took / loops:.2f} of these two",
        )
        for chapter in CHAPTERS:
            convert = ["jupyter", "nbconvert", "--execute", "--to", "notebook"]
            convert[0] = VENV / "bin" / "jupyter"
            took = seconds([*convert, "--stdout", chapter], ROOT)
            report(f"run all cells of {chapter.stem}", took)
        book = scratch / "book"
        ignore = shutil.ignore_patterns(".venv", "_build", ".git")
        shutil.copytree(ROOT, book, ignore=ignore)
        report("make book from no cache", seconds(BOOK, book))
        page = book / "book" / "setup.md"
        page.write_text(page.read_text(encoding="utf-8") + "\nOne more.\n")
        report("make book after a change of prose", seconds(BOOK, book))
