"""Each command that a page prints is run, as printed: here, or by CI."""

import os
import re
import shutil
import signal
import subprocess
import time
import urllib.request

import pytest

from conftest import PROSE, ROOT, make, run

posix = pytest.mark.skipif(os.name != "posix", reason="needs a Unix shell")
MAKES = {  # a command, and what it leaves
    "make zip": "_build/one-curve-seven-times.zip",
    "make pdf": "_build/one-curve-seven-times.pdf",
    "make epub": "_build/one-curve-seven-times.epub",
    "make classroom": "_build/classroom/student.zip",
    "make notebooks": "book/images/fit.png",
}
SERVES = {"make lab": 8888, "HUB_PASSWORD=choose-one make hub": 8000}


def test_make_alone_lists_each_command_that_a_page_prints():
    listed = {*re.findall(r"^  make (\S+) +\w", make(ROOT).stdout, re.M)}
    for path in PROSE:
        text = path.read_text(encoding="utf-8")
        code = re.findall(r"```.+?```|`[^`\n]+`", text, re.S)
        printed = re.findall(r"\bmake ([a-z][a-z-]*)", "\n".join(code))
        assert {*printed} <= listed, path.name


STUB = """#!/bin/sh
called="$(basename "$0") $*"
echo "$called" >> "$LOG"
[ "$called" != "$FAILS" ]
"""


def calls(command, folder, fails="", **variables):
    """Return how a command ended, and what it called of programs there."""
    log = folder / "log"
    log.write_text("")
    fresh = {"MAKEFLAGS": "", "ONLY": "", "LOG": str(log), "FAILS": fails}
    done = run(command, ROOT, **fresh, **variables)
    return done.returncode, log.read_text().splitlines()


@pytest.fixture
def stubs(tmp_path):
    """Write programs that do nothing, but fail when told to."""
    for name in ("make", "pytest", "ruff"):
        (tmp_path / name).write_text(STUB)
    for name in ("python", "jupyter", "chromium", "bwrap"):  # for the set-up
        (tmp_path / name).write_text("#!/bin/sh\n")
    for path in tmp_path.iterdir():
        path.chmod(0o755)
    return tmp_path


@posix
def test_ci_runs_the_readmes_commands_and_fails_with_any_of_them(stubs):
    path = f"{stubs}:{os.environ['PATH']}"
    script = ROOT / ".ci" / "run"
    code, parts = calls(script, stubs, PATH=path)
    assert code == 0
    readme = (ROOT / "README.md").read_text("utf-8")
    assert {*re.findall(r"^\$ (make \w+)", readme, re.M)} <= {*parts}
    for part in parts:
        assert calls(script, stubs, part, PATH=path)[0] != 0, part


@posix
@pytest.mark.parametrize("target", ["test", "test-long"])
def test_all_parts_run_though_one_fails(target, stubs):
    command = [shutil.which("make"), target, f"VENV={stubs}", f"BIN={stubs}"]
    command += [f"PYTHON={stubs}/python", f"MAKE={stubs}/make"]
    code, parts = calls(command, stubs)
    assert code == 0
    assert len(parts) > 1
    for part in parts:
        code, called = calls(command, stubs, part)
        assert code != 0, part
        assert sorted(called) == sorted(parts), part


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """Return a copy of what git tracks, and variables with an empty HOME."""
    home = tmp_path_factory.mktemp("home")
    settings = home / ".jupyter" / "jupyter_server_config.json"
    settings.parent.mkdir()
    settings.write_text('{"ServerApp": {"allow_root": true}}')
    copy = tmp_path_factory.mktemp("clone") / "book"
    names = run(["git", "ls-files"], ROOT).stdout.split()
    for name in names:
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, copy / name)
    run(["git", "init", "-q"], copy)
    run(["git", "add", "."], copy)
    return copy, {
        "HOME": str(home),
        "HUB_ALLOW_ROOT": "1",
        "BROWSER": "true",  # what opens a page opens none
        "PYTHONPATH": "",
    }


def serve(command, port, folder, variables):
    """Start a command that serves; return its first page; stop it."""
    server = subprocess.Popen(
        ["bash", "-ec", command],
        cwd=folder,
        env=os.environ | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        for _ in range(300):
            time.sleep(1)
            assert server.poll() is None, server.stdout.read().decode()
            try:
                address = f"http://localhost:{port}"
                return urllib.request.urlopen(address).read().decode()
            except OSError:
                continue
        raise TimeoutError(command)
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait()


@posix
@pytest.mark.long
def test_the_plain_commands_work_where_nothing_is_installed(clone):
    folder, variables = clone
    page = (ROOT / "book" / "setup.md").read_text("utf-8")
    plain, *others = re.findall(r"```bash\n(.+?)```", page, re.S)
    assert "Jupyter" in serve(plain, 8888, folder, variables)
    activate = re.search("source .+", plain)[0]
    for commands in others:
        done = run(
            ["bash", "-ec", f"{activate}\n{commands}"], folder, **variables
        )
        assert done.returncode == 0, done.stdout
    assert (folder / "_build" / "html" / "index.html").exists()
    shutil.rmtree(folder / ".venv")


@pytest.mark.long
@pytest.mark.parametrize(("command", "made"), MAKES.items())
def test_a_command_of_make_leaves_what_it_says(command, made, clone):
    folder, variables = clone
    start = time.time()
    done = run(["bash", "-ec", command], folder, **variables)
    assert done.returncode == 0, done.stdout
    assert (folder / made).stat().st_mtime >= start
    changed = run(["git", "diff", "--name-only"], folder).stdout.split()
    # what make notebooks stores anew; nbval compares it
    for name in changed:
        assert re.match(r"notebooks/\d|book/images/", name), name


@pytest.mark.long
@pytest.mark.parametrize(("command", "port"), SERVES.items())
def test_a_command_of_make_serves_what_it_says(command, port, clone):
    folder, variables = clone
    assert "Jupyter" in serve(command, port, folder, variables)
