"""Setting up and building on other people's machines, kind or not."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request

import pytest

from conftest import ROOT, copy_parts, make, run
from runner import write

pytestmark = pytest.mark.skipif(
    os.name != "posix" or not shutil.which("make"),
    reason="needs make, and a Unix shell",
)
FETCH = """
import http.server, threading, urllib.request
server = http.server.HTTPServer(
    ("localhost", 0), http.server.SimpleHTTPRequestHandler)
server.RequestHandlerClass.log_message = lambda *_: None
threading.Thread(target=server.handle_request, daemon=True).start()
urllib.request.urlopen(f"http://localhost:{server.server_port}").read()
"""
START = """
import IPython.paths, jupyter_core.paths, matplotlib.pyplot, os
IPython.paths.get_ipython_dir()
os.makedirs(jupyter_core.paths.jupyter_runtime_dir())
"""
INSTALL = """
import runpy, sys
sys.argv = ["pip", "install", "-q", "--no-deps", "--no-index", "numpy"]
runpy.run_module("pip", run_name="__main__")
"""
UNKIND = {
    "a proxy for all": ({"http_proxy": "http://localhost:9"}, FETCH),
    "no home": ({"HOME": "/dev/null/none"}, START),
    "packages of the user's": ({"PIP_USER": "1"}, INSTALL),
}


@pytest.mark.parametrize(("variables", "code"), UNKIND.values(), ids=UNKIND)
def test_what_make_starts_fares_well_with(variables, code, tmp_path):
    copy_parts(tmp_path, "Makefile")
    (tmp_path / "code.py").write_text(code)
    (tmp_path / "more").write_text("code: ; @$(BIN)/python code.py\n")
    unset = dict.fromkeys(("no_proxy", "NO_PROXY", "MPLCONFIGDIR"), "")
    done = make(
        *(tmp_path, "-s", "-f", "Makefile", "-f", "more", "code"),
        **unset | variables,
    )
    assert (done.returncode, done.stdout) == (0, "")


def program(path, code):
    """Write a program for the shell; return its path, as text."""
    path.write_text(f"#!/bin/sh\n{code}\n")
    path.chmod(0o755)
    return str(path)


OLD = f"""case "$2" in *sys*) exec "{sys.executable}" -c \
  'import sys; sys.version_info = (3, 10, 2); exec(sys.argv[1])' "$2"; esac"""


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (OLD, "{} is 3.10"),
        ("exit 127", "no {} on this machine"),
        (None, "no {} on this machine"),
    ],
    ids=["too old", "a shim", "none"],
)
def test_a_python_that_will_not_do_is_named(code, said, tmp_path):
    name = str(tmp_path / "python3")
    if code:
        program(tmp_path / "python3", code)
    venv = tmp_path / "venv"
    done = run(["make", "lab", f"PYTHON={name}", f"VENV={venv}"], ROOT)
    assert done.returncode != 0
    first, last = done.stdout.splitlines()
    assert said.format(name) in first
    assert "make PYTHON=" in first
    assert "Error 1" in last
    assert not venv.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere, pip knows")
@pytest.mark.parametrize("gpu", [False, True], ids=["no GPU", "a GPU"])
def test_pytorch_comes_for_the_cpu_and_nothing_waits_for_it(gpu, tmp_path):
    log, venv = tmp_path / "log", tmp_path / "venv"
    python = program(
        tmp_path / "python",
        f"""echo "$*" >> "{log}"
        case "$*" in
          *"-m venv"*) mkdir -p "{venv}/bin"; cp "$0" "{venv}/bin/python";;
          *--index-url*) echo "no such host" >&2; exit 1;;
        esac""",
    )
    program(tmp_path / "nvidia-smi", "exit 0" if gpu else "exit 9")
    path = f"{tmp_path}:{os.environ['PATH']}"
    stamp = f"{venv}/lab"
    command = ["make", stamp, f"PYTHON={python}", f"VENV={venv}"]
    done = run(command, ROOT, PATH=path)
    assert done.returncode == 0, done.stdout
    asked = re.findall("-m pip install.*", log.read_text())
    torch = [line for line in asked if " --index-url" in line]
    assert len(torch) == (not gpu)
    assert ("PyTorch for the CPU did not come" in done.stdout) == (not gpu)
    assert "no such host" not in done.stdout
    assert "torch" not in asked[-1], "the list brings it, where it has to"
    assert len(asked) == 1 + len(torch)
    for line in torch:
        assert {"torch", "--no-deps"} <= {*line.split()}
        assert "--retries 0 --timeout 10" in line


def test_a_chapter_is_compared_from_its_own_folder(tmp_path):
    copy_parts(tmp_path, "pyproject.toml", "tests/kernels.py")
    copy_parts(tmp_path, "tests/sanitize.ini")
    words = "print('largest relative difference: 1e-15')"
    write(tmp_path, "page", words, "largest relative difference: 2e-15\n")
    command = [sys.executable, "-m", "pytest", "-n0", "page.ipynb"]
    done = run(command, tmp_path / "notebooks")
    assert "1 passed" in done.stdout, done.stdout


def test_what_a_shell_reads_has_its_line_ends_on_windows_too(tmp_path):
    parts = "Makefile", ".binder/start", ".ci/run", "notebooks/01_numpy.ipynb"
    copy_parts(tmp_path, ".gitattributes", *parts)
    git = ["git", "-c", "core.autocrlf=true", "-c", "core.eol=crlf"]
    run([*git, "init"], tmp_path)
    run([*git, "add", "."], tmp_path)
    for part in parts:
        (tmp_path / part).unlink()
    run([*git, "checkout", "--", "."], tmp_path)
    for part in parts:
        assert b"\r" not in (tmp_path / part).read_bytes(), part


def test_print_and_e_reader_share_one_page():
    said = make(ROOT, "-n", "-j2", "pdf", "epub").stdout
    assert said.count("--builder singlehtml") == 1, said


@pytest.mark.long
def test_lab_takes_the_least_and_opens_wherever_it_is(tmp_path):
    """From nothing, in a folder with a name of its own, without a home."""
    folder = tmp_path / "Ann's bücher & more"
    for name in run(["git", "ls-files"], ROOT).stdout.split():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    unkind = {"HOME": "/dev/null/none", "PIP_USER": "1", "PYTHONPATH": ""}
    server = subprocess.Popen(
        ["make", "lab"],
        cwd=folder,
        env=os.environ | unkind | {"BROWSER": "true", "MAKEFLAGS": ""},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    said = ""
    try:
        for line in server.stdout:
            said += line
            address = re.search(r"http://\S+/lab\?token=\w+", line)
            if address:
                break
        assert address, said
        for _ in range(60):  # it is told before it answers
            time.sleep(0.5)
            try:
                page = urllib.request.urlopen(address[0]).read().decode()
                break
            except OSError as error:
                page = str(error)
        assert "JupyterLab" in page
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait()
    assert "Successfully installed" in said, "it shows what it does"
    assert (folder / "work" / "01_numpy.ipynb").exists()
    python = folder / ".venv" / "bin" / "python"
    for module in ("sinefit", "torch"):
        done = run([python, "-c", f"import {module}"], tmp_path)
        assert done.returncode == 0, done.stdout
    for module in ("sphinx", "nbgrader", "playwright", "pytest"):
        done = run([python, "-c", f"import {module}"], tmp_path)
        assert "ModuleNotFoundError" in done.stdout, module
    moved = folder.rename(tmp_path / "moved")
    again = run(["make", "-n", "lab"], moved, MAKEFLAGS="")
    assert "-m venv --clear" in again.stdout, "its programs lead nowhere now"
