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


@pytest.fixture(scope="session")
def built(tmp_path_factory, testrun_uid):
    """Build the book, once for all workers; return the folder of its pages."""
    done = tmp_path_factory.getbasetemp().parent / f"built-{testrun_uid}"
    with FileLock(f"{done}.lock"):
        if not done.exists():
            result = make_book(ROOT)
            assert result.returncode == 0, result.stdout
            assert "_build/html/index.html" in result.stdout
            done.touch()
    return ROOT / "_build" / "html"


@pytest.fixture(scope="session")
def browser():
    """Start a browser, or skip with what is missing."""
    try:
        with chromium() as started:
            yield started
    except NoBrowser as missing:
        pytest.skip(str(missing))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return a copy of the notebooks' folder, in which Python now runs."""
    copy = tmp_path / "notebooks"
    shutil.copytree(NOTEBOOKS, copy)
    monkeypatch.chdir(copy)
    monkeypatch.syspath_prepend(copy)
    monkeypatch.setattr(plt, "show", lambda: plt.close("all"))
    for module in ("sinefit", "polynomial"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    return copy
