"""What the book is made of: pinned, small, and with nothing hidden in it."""

import os
import re
import shutil
import sys

import pytest
import yaml

from conftest import CHAPTERS, NO_HUB, ROOT, copy_parts, run

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
MAY_WRITE = {  # jobs that publish: the book, and what Colab opens
    ("publish.yml", "publish"): {"pages: write", "id-token: write"},
    ("publish.yml", "copies"): {"contents: write"},
}


def read(path):
    return (ROOT / path).read_text(encoding="utf-8")


@pytest.mark.parametrize("path", WORKFLOWS)
def test_workflows_are_pinned_and_may_do_little(path):
    text = read(path)
    used = re.findall(r"uses: (.+)", text)
    for action in used:
        assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v[\d.]+", action), action
    workflow = yaml.safe_load(text)
    assert workflow.get("permissions") in ({"contents": "read"}, {}), (
        f"{path.name}: expected permissions, contents: read or none"
    )
    for name, job in workflow["jobs"].items():
        asks = job.get("permissions", {})
        assert isinstance(asks, dict), f"{name} asks for {asks}"
        writes = {f"{what}: {may}" for what, may in asks.items()}
        writes = {ask for ask in writes if ask.endswith("write")}
        assert writes <= MAY_WRITE.get((path.name, name), set()), name
    assert text.count("persist-credentials: false") == text.count("checkout@")


def test_the_branch_that_colab_opens_holds_the_copies(
    made, tmp_path, monkeypatch
):
    jobs = yaml.safe_load(read(".github/workflows/publish.yml"))["jobs"]
    push, bare = jobs["copies"]["steps"][-1], tmp_path / "bare"
    address = "https://x-access-token:t@github.com/o/n"
    run(["git", "init", "--bare", bare], tmp_path)
    for name, value in {
        "GITHUB_REPOSITORY": "o/n",
        "TOKEN": "t",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{bare.as_uri()}.insteadOf",
        "GIT_CONFIG_VALUE_0": address,
    }.items():
        monkeypatch.setenv(name, value)
    for sha in ("first", "second"):
        monkeypatch.setenv("GITHUB_SHA", sha)
        folder = tmp_path / sha / push["working-directory"]
        shutil.copytree(made, folder.parent)
        copy_parts(tmp_path / sha, ".binder", "constraints.txt")
        done = run(["bash", "-e", "-c", push["run"]], folder)
        assert done.returncode == 0, done.stdout
    held = ["git", "ls-tree", "-r", "--name-only", "copies"]
    names = {*run(held, bare).stdout.split()}
    copies = "student", "solved"
    held = {f"{f}/{p.name}" for f in copies for p in (made / f).iterdir()}
    held |= {f".binder/{p.name}" for p in (ROOT / ".binder").iterdir()}
    assert names == {path.name for path in CHAPTERS} | held | {
        "constraints.txt"
    }
    # Binder finds there what it installs
    run(["git", "clone", "--branch=copies", bare, "clone"], tmp_path)
    options = "--dry-run", "--no-deps", "--no-index"
    wanted = tmp_path / "clone" / ".binder" / "requirements.txt"
    pip = [sys.executable, "-m", "pip", "install", *options, "-r", wanted]
    done = run(pip, tmp_path)
    assert done.returncode == 0, done.stdout
    for name in ("numpy", "matplotlib", "torch", "tqdm"):
        assert f"Requirement already satisfied: {name}" in done.stdout


SCRIPTS = re.findall(r"\$\(BIN\)/python (\S+\.py)", read("Makefile"))


HUB = ("classroom/load_hub.py", "classroom/measure.py")


@pytest.mark.long
@pytest.mark.parametrize("script", SCRIPTS)
def test_scripts_of_the_makefile_find_what_they_import(script):
    if script in HUB:
        pytest.importorskip("jupyterhub", reason=NO_HUB)
    if script in ("tools/print_pdf.py", "tools/make_epub.py"):
        pytest.importorskip("pypdf", reason="make .venv/print brings it")
    near = ["notebooks", f"{script}/.."]  # as the set-up has it
    near += ["book/_ext"] * script.startswith("classroom")
    done = run(
        [sys.executable, "-c", f"import runpy; runpy.run_path({script!r})"],
        ROOT,
        PYTHONPATH=os.pathsep.join(near),
    )
    assert done.returncode == 0, done.stdout


def test_the_repository_is_small():
    names = run(["git", "ls-files", "-z"], ROOT).stdout.split("\0")
    files = [ROOT / name for name in names if name]
    if not files:
        pytest.skip("not a git checkout")
    assert sum(f.stat().st_size for f in files if f.exists()) < 10_000_000
