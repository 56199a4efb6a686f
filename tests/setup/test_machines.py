"""Setting up and building on other people's machines, kind or not."""

import os
import re
import shutil
import sys

import pytest

from conftest import ROOT, copy_parts, make, program, run
from runner import write

pytestmark = pytest.mark.skipif(
    os.name != "posix" or not shutil.which("make"),
    reason="needs make, and a Unix shell",
)


def test_a_proxy_is_not_asked_for_what_is_on_this_machine(tmp_path):
    code = "import urllib.request as u; print(u.proxy_bypass('localhost'))"
    (tmp_path / "more").write_text(f'code: ; @$(BIN)/python -c "{code}"\n')
    files = ("-f", str(ROOT / "Makefile"), "-f", "more")
    proxy = {
        "http_proxy": "http://localhost:9",
        "no_proxy": "",
        "NO_PROXY": "",
    }
    assert make(tmp_path, "-s", *files, "code", **proxy).stdout == "True\n"


def test_a_python_that_will_not_do_is_named(tmp_path):
    code = "import sys; sys.version_info = (3, 10, 2); exec(sys.argv[1])"
    old = program(tmp_path / "python3", f'{sys.executable} -c "{code}" "$2"')
    venv = tmp_path / "venv"
    done = run(["make", "lab", f"PYTHON={old}", f"VENV={venv}"], ROOT)
    assert done.returncode != 0
    first, last = done.stdout.splitlines()
    assert f"needs Python 3.11 to 3.14, and {old} is no such one" in first
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
    command = ["make", f"{venv}/lab", f"PYTHON={python}", f"VENV={venv}"]
    done = run(command, ROOT, PATH=path)
    assert done.returncode == 0, done.stdout
    *torch, asked = re.findall("-m pip install.*", log.read_text())
    assert "torch" not in asked, "the list brings it, where it has to"
    assert len(torch) == (not gpu)
    assert ("PyTorch for the CPU did not come" in done.stdout) == (not gpu)
    assert "no such host" not in done.stdout
    for line in torch:
        assert "torch --no-deps --index-url" in line
        assert "--retries 0 --timeout 10" in line


def test_a_chapter_is_compared_from_its_own_folder(tmp_path):
    copy_parts(tmp_path, "pyproject.toml", "tests/kernels.py")
    copy_parts(tmp_path, "tests/sanitize.ini")
    words = "print('largest relative difference: 1e-15')"
    write(tmp_path, "page", words, "largest relative difference: 2e-15\n")
    command = [sys.executable, "-m", "pytest", "-n0", "page.ipynb"]
    done = run(command, tmp_path / "notebooks")
    assert "1 passed" in done.stdout, done.stdout


def test_print_and_e_reader_share_one_page():
    said = make(ROOT, "-n", "-j2", "pdf", "epub").stdout
    assert said.count("--builder singlehtml") == 1, said
