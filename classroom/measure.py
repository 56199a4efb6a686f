"""Measure what a class needs, and write it down: `make measure`.

It writes book/measured.md, which the teacher's page includes: minutes and
running time of each chapter, memory and threads of a kernel, and how rooms of
learners fare on a hub (10 minutes; load.py). All on the machine it runs on.
"""

import asyncio
import math
import os
import platform
import re
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import psutil
from nbclient import NotebookClient

import load

ROOT = Path(__file__).parents[1]
CHAPTERS = sorted((ROOT / "notebooks").glob("0*.ipynb"))
ROOMS = (1, 10, 40)
RESERVE = 2  # GB
TIME = re.compile(
    r"\*\*Time\*\* (\d+) minutes to read, (\d+) for the exercises, "
    r"(\d+) to teach"
)
KERNELS = {
    "nothing else": "",
    "NumPy, Matplotlib": "import sinefit",
    "PyTorch": "import torch",
    "PyTorch, multiplying": (
        "import torch; (torch.ones(999, 999) @ torch.ones(999, 999)).sum()"
    ),
}


def table(head, rows):
    """Return lines of a table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return ["| " + " | ".join(map(str, line)) + " |" for line in lines]


def chapter_row(path):
    """Run a chapter; return its minutes, its seconds and its memory."""
    notebook = nbformat.read(path, as_version=4)
    title = notebook.cells[0].source
    minutes = TIME.search(title).groups()
    client = NotebookClient(
        notebook, resources={"metadata": {"path": path.parent}}
    )
    start = time.monotonic()
    with client.setup_kernel():
        for index, cell in enumerate(notebook.cells):
            client.execute_cell(cell, index)
        took = time.monotonic() - start
        process = psutil.Process(client.km.provisioner.pid)
        used = process.memory_full_info().uss
    name = title.splitlines()[0].removeprefix("# ")
    return (
        f"{int(path.stem[:2])}. {name}",
        *minutes,
        *(
            f"{took:.0f}\N{NO-BREAK SPACE}s",
            f"{used / 1e6:.0f}\N{NO-BREAK SPACE}MB",
        ),
    )


def kernel_row(name, code, threads):
    """Return the memory of a Python that ran this, and its threads."""
    end = (
        "\nimport psutil; p = psutil.Process()"
        "\nprint(p.memory_full_info().uss, p.num_threads())"
    )
    variables = {k: v for k, v in os.environ.items() if "THREADS" not in k}
    if threads:
        variables["OMP_NUM_THREADS"] = str(threads)
    said = subprocess.run(
        [sys.executable, "-c", code + end],
        env=variables | {"MPLBACKEND": "agg"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    used, running = map(int, said.split())
    return (
        name,
        threads or "nothing",
        f"{used / 1e6:.0f}\N{NO-BREAK SPACE}MB",
        running,
    )


if __name__ == "__main__":
    rooms = {n: asyncio.run(load.room(n, "03_autograd")) for n in ROOMS}
    few, many = ROOMS[-2:]
    more = many - few
    cores = psutil.cpu_count()
    memory = (rooms[many][2] - rooms[few][2]) / more / 1e9
    work = (max(rooms[many][0]) - max(rooms[few][0])) / more * cores
    wants = [
        (
            size,
            f"{size * memory + RESERVE:.0f}\N{NO-BREAK SPACE}GB",
            math.ceil(size * work / 60),
        )
        for size in (10, 40, 200)
    ]
    lines = [
        "<!-- Written by make measure. -->",
        "<!-- chapters -->",
        "",
        *table(
            ("chapter", "read", "do", "teach", "run", "memory"),
            [chapter_row(path) for path in CHAPTERS],
        ),
        "",
        "<!-- kernels -->",
        "",
        *table(
            ("Python with", "told", "memory", "threads"),
            [
                kernel_row(name, code, threads)
                for name, code in KERNELS.items()
                for threads in (None, 1)
            ],
        ),
        "",
        "<!-- rooms -->",
        "",
        *table(load.HEAD, [load.row(n, *rooms[n]) for n in ROOMS]),
        "",
        f"Measured on {cores} cores of {platform.machine()} with "
        f"{psutil.virtual_memory().total / 1e9:.0f} GB of memory. From the "
        f"last two rows, one learner more takes {memory:.2f} GB, and "
        f"{work:.0f} seconds of a core. So this is what a room wants, "
        f"{RESERVE} GB for the hub and the machine included, and cores for "
        "all to be done within a minute of one key:",
        "",
        *table(("room", "memory", "cores"), wants),
    ]
    (ROOT / "book" / "measured.md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))
