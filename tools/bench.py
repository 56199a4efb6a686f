"""Measure how long the book takes, in one run on one machine: `make bench`.

Seconds differ from machine to machine; the ratio at the end travels. A bare
script is a chapter's cells tagged imports, data and loop, and nothing else,
nor any data that come after the loop.
"""

import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import nbformat

ROOT = pathlib.Path(__file__).parents[1]
CHAPTERS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
READY = [f"VENV={sys.prefix}", f"--old-file={sys.prefix}/ready"]


def bare(chapter):
    """Return a chapter's bare script."""
    lines = []
    for cell in nbformat.read(chapter, as_version=4).cells:
        tags = {*cell.metadata.get("tags", [])}
        if tags & {"imports", "data", "loop"}:
            lines.append(cell.source)
        if "loop" in tags:
            return "\n".join(lines)
    raise LookupError(f"{chapter.name}: no cell is tagged loop")


def seconds(what, folder, *commands):
    """Run the commands there; print and return how long they take."""
    start = time.perf_counter()
    for command in commands:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, check=False
        )
        if done.returncode:
            sys.exit(f"{what}: failed\n{done.stdout[-3000:]}{done.stderr}")
    took = time.perf_counter() - start
    print(f"{what:36} {took:6.1f} s", flush=True)
    return took


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        copy = pathlib.Path(name) / "book"
        ignore = shutil.ignore_patterns(".venv", ".git", "_build")
        shutil.copytree(ROOT, copy, ignore=ignore)
        scripts = [[sys.executable, "-c", bare(path)] for path in CHAPTERS]
        once = seconds(
            "the chapters as bare scripts", copy / "notebooks", *scripts
        )
        nbval = [sys.executable, "-m", "pytest", "notebooks"]
        seconds("the notebooks under nbval", copy, nbval)
        pages = ["make", "pages", *READY]
        seconds("make pages, from nothing", copy, pages)
        with (copy / "book" / "setup.md").open("a") as page:
            page.write("\nOne sentence more.\n")
        seconds("make pages, after a change of prose", copy, pages)
    test = seconds("make test", ROOT, ["make", "test", *READY])
    print(f"make test takes {test / once:.1f} times the bare scripts")
