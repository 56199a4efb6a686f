"""Each command that a page prints is run, as printed: here, or by CI."""

import contextlib
import os
import re
import time
import urllib.request

import pytest
from nbformat import v4

from conftest import (
    PROSE,
    ROOT,
    copy_parts,
    make,
    program,
    run,
    serve,
    tracked,
)
from runner import write

LAB = "/lab?token="  # in the address that JupyterLab tells
MAKES = {  # a command, and what it leaves
    "make zip": "_build/one-curve-seven-times.zip",
    "make pdf": "_build/one-curve-seven-times.pdf",
    "make epub": "_build/one-curve-seven-times.epub",
    "make classroom": "_build/classroom/student.zip",
}
pytestmark = pytest.mark.skipif(
    os.name != "posix", reason="needs a Unix shell"
)


def test_make_alone_lists_each_command_that_a_page_prints():
    listed = {*re.findall(r"^  make (\S+) +\w", make(ROOT).stdout, re.M)}
    for path in PROSE:
        text = path.read_text(encoding="utf-8")
        code = re.findall(r"```.+?```|`[^`\n]+`", text, re.S)
        printed = re.findall(r"\bmake ([a-z][a-z-]*)", "\n".join(code))
        assert {*printed} <= listed, path.name


def test_ci_runs_the_readmes_commands_and_fails_with_any_of_them(tmp_path):
    program(tmp_path / "make", 'echo "make $*"; [ "make $*" != "$FAILS" ]')
    for name in ("chromium", "bwrap"):  # so that it installs none
        program(tmp_path / name, "")
    path = f"{tmp_path}:{os.environ['PATH']}"
    done = run(ROOT / ".ci" / "run", ROOT, PATH=path, FAILS="")
    assert done.returncode == 0, done.stdout
    parts = re.findall("^make .+", done.stdout, re.M)
    readme = (ROOT / "README.md").read_text("utf-8")
    assert {*re.findall(r"^\$ (make \w+)", readme, re.M)} <= {*parts}
    for part in parts:
        done = run(ROOT / ".ci" / "run", ROOT, PATH=path, FAILS=part)
        assert done.returncode != 0, part


@pytest.mark.long
def test_outputs_are_stored_and_pictures_drawn_anew(tmp_path):
    copy_parts(tmp_path, "Makefile", "tools", "book/images")
    copy_parts(tmp_path, "notebooks/sinefit.py")
    write(tmp_path, "01_page", "import sinefit\nprint('anew')", "old\n")
    images = tmp_path / "book" / "images"
    for path in images.iterdir():
        path.write_text("old")
    done = make(tmp_path, "notebooks")
    assert done.returncode == 0, done.stdout
    text = (tmp_path / "notebooks" / "01_page.ipynb").read_text("utf-8")
    assert v4.reads(text).cells[1].outputs[0].text == "anew\n"
    for path in images.iterdir():
        assert path.read_bytes() != b"old", path.name


def opened(said):
    """Return the page at the address that a server told last."""
    for _ in range(60):  # it is told before it answers
        with contextlib.suppress(OSError):
            address = said.split()[-1]
            return urllib.request.urlopen(address, timeout=60).read().decode()
        time.sleep(0.5)
    raise TimeoutError(said)


@pytest.mark.long
def test_the_plain_commands_work_where_nothing_is_installed(tmp_path):
    folder, home = tmp_path / "book", tmp_path / "home"
    copy_parts(folder, *tracked())
    settings = home / ".jupyter" / "jupyter_server_config.json"
    settings.parent.mkdir(parents=True)
    settings.write_text('{"ServerApp": {"allow_root": true}}')
    variables = {"HOME": str(home), "PYTHONPATH": ""}
    page = (ROOT / "book" / "setup.md").read_text("utf-8")
    plain, *others = re.findall(r"```bash\n(.+?)```", page, re.S)
    with serve(["bash", "-ec", plain], folder, LAB, **variables) as said:
        assert "JupyterLab" in opened(said)
    activate = re.search("source .+", plain)[0]
    for commands in others:
        command = ["bash", "-ec", f"{activate}\n{commands}"]
        done = run(command, folder, **variables)
        assert done.returncode == 0, done.stdout
    assert (folder / "_build" / "html" / "index.html").exists()


@pytest.mark.long
def test_each_command_of_make_takes_the_least_wherever_it_is(tmp_path):
    """From nothing, in a folder with a name of its own, without a home."""
    folder = tmp_path / "Ann's bücher & more"
    copy_parts(folder, *tracked())
    run(["git", "init", "-q"], folder)
    run(["git", "add", "."], folder)
    unkind = {"HOME": "/dev/null/none", "PIP_USER": "1", "PYTHONPATH": ""}
    unkind |= {"HUB_PASSWORD": "choose-one", "HUB_ALLOW_ROOT": "1"}
    with serve(["make", "lab"], folder, LAB, **unkind) as said:
        assert "JupyterLab" in opened(said)
    assert "Successfully installed" in said, "it shows what it does"
    assert (folder / "work" / "01_numpy.ipynb").exists()
    python = folder / ".venv" / "bin" / "python"
    for module, brought in {
        **dict.fromkeys(("sinefit", "torch"), True),
        **dict.fromkeys(("sphinx", "nbgrader", "playwright", "pytest"), False),
    }.items():
        done = run([python, "-c", f"import {module}"], tmp_path)
        assert (done.returncode == 0) == brought, (module, done.stdout)
    for command, made in MAKES.items():
        done = run(command.split(), folder, **unkind)
        assert done.returncode == 0, done.stdout
        assert (folder / made).exists(), done.stdout
    with serve(["make", "hub"], folder, "Hub is now running", **unkind):
        assert "JupyterHub" in opened("http://localhost:8000")
    assert run(["git", "diff", "--name-only"], folder).stdout == ""
    moved = folder.rename(tmp_path / "moved")
    again = run(["make", "-n", "lab"], moved)
    assert "-m venv --clear" in again.stdout, "its programs lead nowhere now"


def test_cleaning_up_deletes_what_was_built_alone(tmp_path):
    copy_parts(tmp_path, "Makefile")
    built = {"_build/html", "env/bin"}
    for name in built | {"work", "hub/disks", "grades/received", "notebooks"}:
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "mine.ipynb").write_text("of a learner")
    # never the environment that runs this test
    done = run(["make", "clean", f"VENV={tmp_path / 'env'}"], tmp_path)
    assert done.returncode == 0, done.stdout
    left = {path.parent.name for path in tmp_path.rglob("mine.ipynb")}
    assert left == {"work", "disks", "received", "notebooks"}
