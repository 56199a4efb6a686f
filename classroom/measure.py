"""Measure what a class needs, and write it down: `make measure`.

It writes book/measured.md, which the teacher's page includes: the running time
and the memory of each chapter, and how rooms of learners fare on a hub (15
minutes; load_hub.py), all on this machine.
"""

import asyncio
import math
import platform
import time
from pathlib import Path

import nbformat
import psutil
from nbclient import NotebookClient

import load_hub

ROOT = Path(__file__).parents[1]
CHAPTERS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
ROOMS, HALF = (1, 10, 40), (2, 10)  # learners of a lesson, and of half a day
RESERVE = 2  # GB
TELL = "import psutil; print(psutil.Process().memory_full_info().uss)"


def table(head, *rows):
    """Return a table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def chapter_row(path):
    """Run a chapter; return its seconds and its memory."""
    notebook = nbformat.read(path, as_version=4)
    title = notebook.cells[0].source
    name = title.splitlines()[0].removeprefix("# ")
    notebook.cells.append(nbformat.v4.new_code_cell(TELL))
    start = time.monotonic()
    place = {"metadata": {"path": path.parent}}
    NotebookClient(notebook, resources=place).execute()
    took = time.monotonic() - start
    used = notebook.cells[-1].outputs[0].text
    return (
        f"{int(path.stem[:2])}. {name}",
        f"{took:.0f}\N{NO-BREAK SPACE}s",
        f"{int(used) / 1e6:.0f}\N{NO-BREAK SPACE}MB",
    )


def each(rooms, few, many):
    """Return the gigabytes that one learner more takes."""
    return (rooms[many][-1] - rooms[few][-1]) / (many - few) / 1e9


if __name__ == "__main__":
    load_hub.go_private()
    rooms = {n: asyncio.run(load_hub.room(n, "03_autograd")) for n in ROOMS}
    half = {
        n: asyncio.run(load_hub.room(n, load_hub.HALF_DAY, keep=True))
        for n in HALF
    }
    (few, many), cores = ROOMS[-2:], psutil.cpu_count()
    closed, opened = each(rooms, *ROOMS[-2:]), each(half, *HALF)
    work = (max(rooms[many][1]) - max(rooms[few][1])) / (many - few) * cores
    chapters = table(("chapter", "run", "memory"), *map(chapter_row, CHAPTERS))
    wants = table(
        ("room", "memory, closed", "memory, left open", "cores"),
        *(
            (
                size,
                *(
                    f"{size * memory + RESERVE:.0f}\N{NO-BREAK SPACE}GB"
                    for memory in (closed, opened)
                ),
                math.ceil(size * work / 60),
            )
            for size in (10, 40, 200, 500)
        ),
    )
    rows = [
        load_hub.row(size, *found)
        for measured in (rooms, half)
        for size, found in measured.items()
    ]
    page = f"""\
<!-- Written by make measure. -->
<!-- chapters -->

{chapters}

<!-- kernels -->
<!-- rooms -->

{table(load_hub.HEAD, *rows)}

Measured on {cores} cores of {platform.machine()} with \
{psutil.virtual_memory().total / 1e9:.0f} GB of memory. One learner more \
takes {closed:.2f} GB, or {opened:.2f} GB with the chapters of half a day \
left open, and {work:.0f} seconds of a core. So this is what a room wants, \
{RESERVE} GB for the hub and the machine included, and cores for all to be \
done within a minute of one key:

{wants}
"""
    (ROOT / "book" / "measured.md").write_text(page, encoding="utf-8")
    print(page, end="")
