"""What the book is made of: pinned, small, and what Colab opens."""

import os
import re

import pytest

from conftest import CHAPTERS, ROOT, run

LISTS = [*ROOT.glob("requirements.txt"), *ROOT.glob("*/requirements.txt")]
LISTS += [*ROOT.glob("tools/*.txt")]


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.parent.name)
def test_every_requirement_is_pinned(path):
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    names = re.findall(r"^([a-z][\w-]+)", path.read_text("utf-8"), re.M)
    assert names
    for name in names:
        assert re.search(rf"^{name}==", pins, re.M), name


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


def test_the_repository_is_small():
    names = run(["git", "ls-files", "-z"], ROOT).stdout.split("\0")
    files = [ROOT / name for name in names if name]
    if not files:
        pytest.skip("not a git checkout")
    assert sum(f.stat().st_size for f in files if f.exists()) < 10_000_000
