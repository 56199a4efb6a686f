"""What the book is made of: pinned, small, and with nothing hidden in it."""

import json
import os
import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
MAY_WRITE = {"pages: write", "id-token: write"}  # to publish the book


def test_every_requirement_is_pinned():
    wanted = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    names = re.findall(r"^([a-z][\w-]+)", wanted, re.M)
    assert "torch" in names
    for name in names:
        assert re.search(rf"^{name}==", pins, re.M), name
    lines = [x for x in pins.splitlines() if x and not x.startswith("#")]
    assert all(re.match(r"[\w.-]+==\S+", line) for line in lines)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_are_pinned_and_may_do_little(path):
    text = path.read_text(encoding="utf-8")
    used = re.findall(r"uses: (.+)", text)
    assert used
    for action in used:
        assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v[\d.]+", action), action
    assert "\npermissions:\n  contents: read\n" in text
    assert set(re.findall(r"[\w-]+: write", text)) <= MAY_WRITE
    assert text.count("persist-credentials: false") == text.count("checkout@")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_hold_text_and_pictures_alone(path):
    assert path.stat().st_size < 500_000
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        assert "attachments" not in cell
        for out in cell.get("outputs", []):
            kinds = set(out.get("data", {}))
            assert kinds <= {"text/plain", "text/markdown", "image/svg+xml"}
            if "text/markdown" in kinds:
                shown = "".join(out["data"]["text/markdown"])
                assert shown.startswith("```diff\n")


SCRIPTS = re.findall(
    r"(?:PYTHONPATH=(\S+) )?\$\(BIN\)/python (\S+\.py)",
    (ROOT / "Makefile").read_text(encoding="utf-8"),
)


@pytest.mark.parametrize(("path", "script"), SCRIPTS)
def test_scripts_of_the_makefile_find_what_they_import(path, script):
    subprocess.run(
        [sys.executable, "-c", f"import runpy; runpy.run_path({script!r})"],
        cwd=ROOT,
        env=os.environ
        | {"PYTHONPATH": os.pathsep.join([path, os.path.dirname(script)])},
        check=True,
    )


def test_the_repository_is_small():
    names = subprocess.run(
        ["git", "ls-files", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.split("\0")
    files = [ROOT / name for name in names if name]
    if not files:
        pytest.skip("not a git checkout")
    assert sum(f.stat().st_size for f in files if f.exists()) < 10_000_000
