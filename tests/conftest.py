"""What several test files share."""

import contextlib
import functools
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
from urllib.parse import urljoin

import matplotlib.pyplot as plt
import psutil
import pytest
from filelock import FileLock
from hypothesis import settings

from browser import NoBrowser, chromium

# so that it says what differed
pytest.register_assert_rewrite("reference", "every_chapter")
# The same few examples at each run; make test-long looks for others.
settings.register_profile(
    "book", max_examples=50, derandomize=True, deadline=None
)
settings.register_profile("search", max_examples=1000, deadline=None)
settings.load_profile("book")

ROOT = pathlib.Path(__file__).parents[1]
NOTEBOOKS = ROOT / "notebooks"
NO_HUB = "JupyterHub is not installed: make .venv/class brings it"
CHAPTERS = sorted(NOTEBOOKS.glob("*.ipynb"))
PROSE = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "index.md")]
PROSE += sorted((ROOT / "book").glob("*.md"))
STAMPS = ("lab", "ready", "class", "tests", "print")  # of the set-up

each_chapter = pytest.mark.parametrize("path", CHAPTERS)


def pytest_make_parametrize_id(val):
    """Name a test about a file after it."""
    return val.stem if isinstance(val, pathlib.Path) else None


def long(values):
    """Leave what is tried with these values to make test-long."""
    return [pytest.param(value, marks=pytest.mark.long) for value in values]


def surround(folder, variables):
    """Return how a command is started there, and heard."""
    # a browser that opens nothing, and nothing of the make that tests
    fresh = {"NO_COLOR": "1", "BROWSER": "true"}
    fresh |= {"MAKELEVEL": "0", "MAKEFLAGS": ""}
    return {
        "cwd": folder,
        "env": os.environ | fresh | variables,
        "text": True,
        "stdout": subprocess.PIPE,
        "stderr": subprocess.STDOUT,
    }


def run(command, folder, **variables):
    """Run a command there; return how it ended, with all that it said."""
    return subprocess.run(command, **surround(folder, variables), check=False)


@contextlib.contextmanager
def serve(command, folder, until, **variables):
    """Start a command that serves; give what it says until then; stop it."""
    with subprocess.Popen(command, **surround(folder, variables)) as server:
        try:
            said = ""
            while until not in said:
                line = server.stdout.readline()
                assert line, said
                said += line
            yield said
        finally:
            own = psutil.Process(server.pid)
            started = [*own.children(recursive=True), own]
            for stop in ("terminate", "kill"):  # one may be deaf
                for process in started:
                    with contextlib.suppress(psutil.NoSuchProcess):
                        getattr(process, stop)()
                _, started = psutil.wait_procs(started, timeout=20)


@functools.cache
def name_venv():
    """Give this Python's folder a name that make takes: one without spaces."""
    folder = tempfile.TemporaryDirectory()
    pathlib.Path(folder.name, "venv").symlink_to(sys.prefix)
    return folder  # which goes with this process


def make(folder, *targets, **variables):
    """Make targets there, with the packages that run this test."""
    if shutil.which("make") is None:
        pytest.skip("make is not on this machine")
    variables = {"PYTEST_XDIST_AUTO_NUM_WORKERS": "0"} | variables
    venv = f"{name_venv().name}/venv"
    made = [f"--old-file={venv}/{stamp}" for stamp in STAMPS]
    command = ["make", *targets, f"VENV={venv}", *made]
    return run(command, folder, **variables)


def make_once(target, folder, run_id):
    """Make a target of the Makefile, once for all workers of a run."""
    done = folder.getbasetemp().parent / f"{target}-{run_id}"
    with FileLock(f"{done}.lock"):
        if not done.exists():
            result = make(ROOT, target)
            assert result.returncode == 0, result.stdout
            done.touch()


@pytest.fixture(scope="session")
def built(tmp_path_factory, testrun_uid):
    """Build the book; return the folder of its pages."""
    make_once("pages", tmp_path_factory, testrun_uid)
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


@pytest.fixture
def visit(browser, built):
    """Return what opens a page of the book, in a window of its own."""
    windows = []

    def visit(address, width=1280, theme="light", height=900, **settings):
        windows.append(
            browser.new_context(
                viewport={"width": width, "height": height},
                color_scheme=theme,
                **{"reduced_motion": "reduce"} | settings,
            )
        )
        page = windows[-1].new_page()
        page.set_default_timeout(10_000)
        page.clock.install()
        page.goto(urljoin(f"{built.as_uri()}/", address))
        return page

    yield visit
    for window in windows:
        window.close()


def enter(monkeypatch, copy):
    """Let Python run in a copy of the notebooks' folder, with its modules."""
    monkeypatch.chdir(copy)
    monkeypatch.syspath_prepend(copy)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setattr(plt, "show", lambda: None)
    for module in (path.stem for path in NOTEBOOKS.glob("*.py")):
        monkeypatch.delitem(sys.modules, module, raising=False)


def copy_parts(folder, *names):
    """Copy files and folders of the repository to another folder."""
    for name in names:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name)
        else:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)


def tracked():
    """Return the names of the files that git tracks, where it does."""
    names = run(["git", "ls-files", "-z"], ROOT).stdout.split("\0")
    return [name for name in names if (ROOT / name).is_file()]


def program(path, code):
    """Write a program for the shell; return its path, as text."""
    path.write_text(f"#!/bin/sh\n{code}\n")
    path.chmod(0o755)
    return str(path)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return a copy of the notebooks' folder, in which Python now runs."""
    copy = tmp_path / "notebooks"
    shutil.copytree(NOTEBOOKS, copy)
    enter(monkeypatch, copy)
    return copy
