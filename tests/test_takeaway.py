"""What a reader takes away runs alone."""

import shutil
import subprocess
import sys

import nbformat
import pytest

import sinefit
import takeaway
from conftest import NOTEBOOKS

CHAPTERS = sorted(NOTEBOOKS.glob("0*.ipynb"))


def chapters():
    return pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)


@chapters()
def test_standalone_notebooks_are_current(path):
    stored = nbformat.read(NOTEBOOKS / "standalone" / path.name, as_version=4)
    assert stored == takeaway.standalone(path), "run make notebooks"


@chapters()
def test_a_script_runs_in_an_empty_folder(path, built, tmp_path):
    name = f"{path.stem}.py"
    shutil.copy(built / "take" / name, tmp_path)
    with (tmp_path / name).open("a", encoding="utf-8") as script:
        script.write("print(sinefit.__file__)\n")
    done = subprocess.run(
        [sys.executable, name],
        cwd=tmp_path,
        env={"MPLBACKEND": "agg", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "2000 losses are as expected" in done.stdout
    assert str(tmp_path) in done.stdout.splitlines()[-1]


def test_a_readers_own_module_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "sinefit.py").write_text("mine = True")
    exec(takeaway.standalone(CHAPTERS[-1]).cells[1].source, {})
    assert (tmp_path / "sinefit.py").read_text() == "mine = True"
    assert "class Polynomial" in (tmp_path / "polynomial.py").read_text()


def test_a_page_offers_its_files_and_its_settings(built):
    for path in CHAPTERS:
        page = (built / "notebooks" / f"{path.stem}.html").read_text("utf-8")
        for file in (f"{path.stem}.ipynb", f"alone/{path.stem}.ipynb"):
            assert f"take/{file}" in page
            assert (built / "take" / file).exists()
        lr = 5e-6 if path.stem.startswith("04") else 1e-6
        assert f"lr={lr:g}".replace("e-0", "e-") in page


def test_chapter_4s_start_in_powers_of_x_is_the_same_curve():
    settings = dict(
        pair.split("=")
        for pair in takeaway.OWN["04_custom_function"][0].split("&")
    )
    a, b, c, d = (float(settings[k]) for k in "abcd")
    x, y = sinefit.data()
    loss = ((a + b * x + c * x**2 + d * x**3 - y) ** 2).sum()
    assert abs(loss / sinefit.predict_legendre()[0][0] - 1) < 1e-12
