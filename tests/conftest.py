"""What several test files share."""

import os
import pathlib
import shutil
import subprocess
import sys

import matplotlib.pyplot as plt
import pytest
from filelock import FileLock

from browser import NoBrowser, chromium

# Several workers and kernels run at once: each keeps to one core.
os.environ.setdefault("OMP_NUM_THREADS", "1")

ROOT = pathlib.Path(__file__).parents[1]
NOTEBOOKS = ROOT / "notebooks"


def run(command, folder):
    """Run a command there; return how it ended, with all that it said."""
    return subprocess.run(
        command,
        cwd=folder,
        env=os.environ | {"NO_COLOR": "1"},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )


def make_book(folder, target="book"):
    """Run `make book` there, with the packages that run this test."""
    if shutil.which("make") is None:
        pytest.skip("make is not on this machine")
    ready = pathlib.Path(sys.prefix) / "ready"
    command = ["make", target, f"VENV={sys.prefix}", f"--old-file={ready}"]
    return run(command, folder)


def make_once(target, folder, run_id):
    """Make a target of the Makefile, once for all workers of a run."""
    done = folder.getbasetemp().parent / f"{target}-{run_id}"
    with FileLock(f"{done}.lock"):
        if not done.exists():
            result = make_book(ROOT, target)
            assert result.returncode == 0, result.stdout
            done.touch()


@pytest.fixture(scope="session")
def built(tmp_path_factory, testrun_uid):
    """Build the book; return the folder of its pages."""
    make_once("book", tmp_path_factory, testrun_uid)
    return ROOT / "_build" / "html"


@pytest.fixture(scope="session")
def made(tmp_path_factory, testrun_uid):
    """Make the classroom's copies; return their folder."""
    make_once("classroom", tmp_path_factory, testrun_uid)
    return ROOT / "_build" / "classroom"


@pytest.fixture(scope="session")
def browser():
    """Start a browser, or skip with what is missing."""
    try:
        with chromium() as started:
            yield started
    except NoBrowser as missing:
        pytest.skip(str(missing))


def enter(monkeypatch, copy):
    """Let Python run in a copy of the notebooks' folder, with its modules."""
    monkeypatch.chdir(copy)
    monkeypatch.syspath_prepend(copy)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setattr(plt, "show", lambda: plt.close("all"))
    for module in ("sinefit", "polynomial", "exercises"):
        monkeypatch.delitem(sys.modules, module, raising=False)


def copy_parts(folder, *names):
    """Copy files and folders of the repository to another folder."""
    for name in names:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name)
        else:
            shutil.copy(ROOT / name, folder / name)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return a copy of the notebooks' folder, in which Python now runs."""
    copy = tmp_path / "notebooks"
    shutil.copytree(NOTEBOOKS, copy)
    enter(monkeypatch, copy)
    return copy
