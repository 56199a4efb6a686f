"""What the book is made of: small, and what Colab opens."""

import os
import sys

import pytest

from conftest import CHAPTERS, ROOT, run, tracked


@pytest.mark.skipif(os.name != "posix", reason="needs a Unix shell")
def test_the_branch_that_colab_opens_holds_the_copies(made, tmp_path):
    bare = tmp_path / "bare"
    run(["git", "init", "--bare", bare], tmp_path)
    for _ in ("first", "in place of the first"):
        done = run([ROOT / ".ci" / "push_copies", bare.as_uri()], tmp_path)
        assert done.returncode == 0, done.stdout
    held = run(["git", "ls-tree", "-r", "--name-only", "copies"], bare).stdout
    wanted = {path.name for path in CHAPTERS} | {"constraints.txt"}
    for folder in (made / "student", made / "solved", ROOT / ".binder"):
        wanted |= {f"{folder.name}/{path.name}" for path in folder.iterdir()}
    assert {*held.split()} == wanted
    commits = run(["git", "rev-list", "--count", "copies"], bare).stdout
    assert commits.strip() == "1"
    # Binder finds there all that its list leads to
    run(["git", "clone", "--branch=copies", bare, "clone"], tmp_path)
    wanted = tmp_path / "clone" / ".binder" / "requirements.txt"
    options = "--dry-run", "--no-deps", "--no-index", "-r"
    done = run(
        [sys.executable, "-m", "pip", "install", *options, wanted], ROOT
    )
    assert done.returncode == 0, done.stdout
    for name in ("numpy", "matplotlib", "torch", "tqdm"):
        assert f"Requirement already satisfied: {name}" in done.stdout


def test_the_repository_is_small():
    files = [ROOT / name for name in tracked()]
    if not files:
        pytest.skip("not a git checkout")
    assert sum(file.stat().st_size for file in files) < 10_000_000
