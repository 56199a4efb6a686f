"""Each command that a page prints is run, as printed: here, or by CI."""

import os
import re
import shutil
import signal
import subprocess
import time
import urllib.request

import pytest

from conftest import LONG, PROSE, ROOT, make, run

BY_CI = {"make book", "make test", "make test-long"}
MAKES = {  # a command, and what it leaves
    "make zip": "_build/one-curve-seven-times.zip",
    "make pdf": "_build/one-curve-seven-times.pdf",
    "make epub": "_build/one-curve-seven-times.epub",
    "make classroom": "_build/classroom/student.zip",
    "make notebooks": "book/images/fit.png",
}
GRADES = {"make collect", "make grade"}  # tests/test_grading.py runs them
LOOKS = {"make room"}  # tests/test_teaching.py
SERVES = {"make lab": 8888, "HUB_PASSWORD=choose-one make hub": 8000}
# What runs for longer than a check may, or asks for the newest packages.
BY_HAND = {"make measure", "make constraints"}


def blocks(path, language):
    """Return the code blocks of a page in one language."""
    text = path.read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.+?)```", text, re.S)


def test_each_command_of_make_is_run_by_something():
    text = "\n".join(path.read_text(encoding="utf-8") for path in PROSE)
    printed = re.findall(r"`([^`\n]*\bmake\b[^`\n]*)`", text)
    fenced = "\n".join(re.findall(r"```.+?```", text, re.S))
    printed += re.findall(r"^(?:\$ )?(.*\bmake\b[^#\n]*\w)", fenced, re.M)
    known = {"make", *BY_CI, *BY_HAND, *GRADES, *LOOKS, *MAKES, *SERVES}
    known |= {f"make {target}" for target in LONG}
    # a variable is the reader's to choose
    choice = re.compile(r"\b[A-Z_]+=\S+ ?")
    known = {choice.sub("", command) for command in known}
    assert {choice.sub("", command).strip() for command in printed} == known
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in (command.split()[1] for command in known - {"make"}):
        assert re.search(rf"^{target}:", makefile, re.M), target


def test_make_alone_lists_what_there_is():
    said = make(ROOT, "help").stdout
    for target in ("lab", "book", "test", "test-long", "classroom", "pdf"):
        assert re.search(rf"^  make {target} +\w", said, re.M), target
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert ".DEFAULT_GOAL := help" in makefile


def test_windows_runs_what_the_setup_page_prints():
    (plain,) = blocks(ROOT / "book" / "setup.md", "powershell")
    workflow = (ROOT / ".github/workflows/test.yml").read_text("utf-8")
    job = workflow.split("\n  windows:")[1].split("\n\n")[0]
    *commands, lab = plain.splitlines()
    assert lab == "jupyter lab work"
    for command in [*commands, "jupyter-book build .", "pytest"]:
        assert command in job, command


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


@pytest.mark.long
@pytest.mark.skipif(os.name != "posix", reason="Windows has a job of its own")
def test_the_plain_commands_work_where_nothing_is_installed(clone):
    folder, variables = clone
    (plain,) = blocks(ROOT / "book" / "setup.md", "bash")[:1]
    *install, lab = plain.splitlines()
    assert lab == "jupyter lab work"
    assert "Jupyter" in serve(plain, 8888, folder, variables)
    activate = install[1]
    for command in ("jupyter-book build .", "pytest"):
        done = run(
            ["bash", "-ec", f"{activate}\n{command}"], folder, **variables
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
