"""What commands leave behind them."""

import pytest
from nbformat import v4

from conftest import copy_parts, make, run
from runner import write

OWN = ("work", "hub", "grades")  # where people's work lies, not the book's


def test_cleaning_up_deletes_what_was_built_alone(tmp_path):
    copy_parts(tmp_path, "Makefile", "notebooks")
    made = [tmp_path / "_build" / "html", tmp_path / ".venv" / "bin"]
    own = [tmp_path / name / "deep" for name in OWN]
    for folder in made + own:
        folder.mkdir(parents=True)
        (folder / "a file").write_text("of a learner")
    (tmp_path / "notebooks" / "mine.ipynb").write_text("of a learner")
    kept = [*(tmp_path / "notebooks").rglob("*"), *own, tmp_path / "Makefile"]
    # never the environment that runs this test
    command = ["make", "clean", f"VENV={tmp_path / '.venv'}"]
    done = run(command, tmp_path, MAKELEVEL="0", MAKEFLAGS="")
    assert done.returncode == 0, done.stdout
    assert [path for path in kept if not path.exists()] == []
    assert all((folder / "a file").exists() for folder in own)
    assert [folder for folder in made if folder.exists()] == []


@pytest.mark.long
def test_outputs_are_stored_and_pictures_drawn_anew(tmp_path):
    copy_parts(tmp_path, "Makefile", "tools", "book/images")
    copy_parts(tmp_path, "notebooks/sinefit.py")
    write(tmp_path, "page", "import sinefit\nprint('anew')", "old\n")
    images = tmp_path / "book" / "images"
    there = {path.name for path in images.iterdir()}
    (images / "fit.png").unlink()
    (images / "motion.svg").write_text("old")
    done = make(tmp_path, "notebooks")
    assert done.returncode == 0, done.stdout
    text = (tmp_path / "notebooks" / "page.ipynb").read_text("utf-8")
    (cell,) = (c for c in v4.reads(text).cells if c.cell_type == "code")
    assert cell.outputs[0].text == "anew\n"
    assert {path.name for path in images.iterdir()} == there
    assert (images / "fit.png").read_bytes().startswith(b"\x89PNG")
    assert (images / "motion.svg").read_text("utf-8").count("<path ") > 4
