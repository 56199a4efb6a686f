"""What a reader takes away runs alone."""

import json
import re
import shutil
import sys
from urllib.parse import parse_qsl

import pytest

import copies
import downloads
import sinefit
from conftest import CHAPTERS, NOTEBOOKS, each_chapter, long, run
from reference import descend
from runner import cells


def reads(code):
    """Return the names of the files that code reads beside itself."""
    loops = re.findall(r'loop_diff\("(\w+)", "(\w+)"\)', code)
    modules = re.findall(r"^ *(?:import|from) (\w+)", code, re.M)
    files = {f"{name}.ipynb" for pair in loops for name in pair}
    files |= {f"{name}.py" for name in modules}
    files |= {*re.findall(r'"([\w-]+\.csv)"', code)}
    return {name for name in files if (NOTEBOOKS / name).exists()}


@each_chapter
def test_the_first_cell_brings_all_that_a_copy_reads(
    path, built, tmp_path, monkeypatch
):
    script = (built / "take" / f"{path.stem}.py").read_text("utf-8")
    compile(script, path.stem, "exec")
    assert "For the teacher" not in script
    first = cells(built / "take" / path.name, "code")[0].source
    assert first in script
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    exec(first, {})
    brought = {file.name for file in tmp_path.iterdir()}
    assert {"sinefit.py", "exercises.py"} <= reads(script) <= brought
    for other in tmp_path.glob("*.ipynb"):
        (loop,) = json.loads(other.read_text("utf-8"))["cells"]
        assert "for t in range(2000):" in "".join(loop["source"])


@pytest.mark.parametrize(
    "path", [CHAPTERS[1], *long([CHAPTERS[0], *CHAPTERS[2:]])]
)
def test_a_script_runs_in_an_empty_folder(path, built, tmp_path):
    name = f"{path.stem}.py"
    shutil.copy(built / "take" / name, tmp_path)
    with (tmp_path / name).open("a", encoding="utf-8") as script:
        script.write("print(sinefit.__file__)\n")
    done = run(
        [sys.executable, name], tmp_path, MPLBACKEND="agg", PYTHONPATH=""
    )
    assert done.returncode == 0, done.stdout
    assert re.search("2000 .*losses are as expected", done.stdout)
    assert str(tmp_path) in done.stdout.splitlines()[-1]


def test_a_readers_own_module_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "sinefit.py").write_text("mine = True")
    exec(copies.bring(copies.read(CHAPTERS[-1])[0]).source, {})
    assert (tmp_path / "sinefit.py").read_text() == "mine = True"
    assert "class Polynomial" in (tmp_path / "polynomial.py").read_text()


@each_chapter
def test_a_page_offers_its_files_and_its_settings(path, built, made):
    page = (built / "notebooks" / f"{path.stem}.html").read_text("utf-8")
    line = page.partition('<p class="take">')[2].partition("</p>")[0]
    time = re.search(r"\*\*Time\*\* (.+)", cells(path)[0].source)[1]
    assert line.startswith(f"<b>{time}</b>")
    assert ("playground" in line) is bool(downloads.OWN.get(path.stem, True))
    found = re.findall(r'href="\.\./(take/[^"]+)" download>(.+?)<', line)
    offered = {label: (built / file).read_bytes() for file, label in found}
    script = offered.pop("script").decode()
    for solution in cells(path, tag="solution"):
        assert solution.source in script
    assert offered == {
        "notebook": (made / "alone" / path.name).read_bytes(),
        "with solutions": (made / "solved" / path.name).read_bytes(),
    }


def test_chapter_4s_start_in_powers_of_x_is_the_same_curve():
    settings = dict(parse_qsl(downloads.OWN["04_custom_function"][0]))
    losses, _ = descend(steps=1, start=[float(settings[k]) for k in "abcd"])
    assert abs(losses[0] / sinefit.predict_legendre()[0][0] - 1) < 1e-12
