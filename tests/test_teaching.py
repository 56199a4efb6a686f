"""The teacher's page, and the hub of `make hub`."""

import re
import runpy
import shutil
import sys

import pytest
from bs4 import BeautifulSoup
from traitlets.config import Config

from conftest import CHAPTERS, NO_HUB, ROOT, run
from runner import cells

HUB = ROOT / "classroom" / "jupyterhub_config.py"


def test_what_was_measured_is_of_these_chapters():
    measured = (ROOT / "book" / "measured.md").read_text(encoding="utf-8")
    minutes = r"(\d+) minutes to read, (\d+) for the exercises, (\d+) to teach"
    for path in CHAPTERS:
        title = cells(path)[0].source
        name = title.splitlines()[0].removeprefix("# ")
        told = " | ".join(re.search(minutes, title).groups())
        assert f"| {int(path.stem[:2])}. {name} | {told} | " in measured
    for learners in (1, 10, 40):
        assert re.search(rf"^\| {learners} \| \d+ \|", measured, re.M)
    for learners in (10, 40, 200):
        row = rf"^\| {learners} \| \d+\sGB \| \d+ \|$"
        assert re.search(row, measured, re.M)


def test_the_page_has_the_notes_and_the_chapters_have_not(built):
    page = BeautifulSoup(
        (built / "book/teaching.html").read_text(), "html.parser"
    )
    text = " ".join(page.get_text().split())
    for path in CHAPTERS:
        (note,) = cells(path, tag="teacher")
        first = re.findall(r"\* ([^*`]{20,})", note.source)[0]
        words = " ".join(first.split())[:40]
        assert words in text
        html = (built / "notebooks" / f"{path.stem}.html").read_text()
        assert "For the teacher" not in html
        assert words not in html


def configure(monkeypatch, **variables):
    """Return what the hub is told, with these in the environment."""
    for name, value in variables.items():
        monkeypatch.setenv(name, str(value))
    settings = Config()
    runpy.run_path(str(HUB), {"get_config": lambda: settings})
    return settings


def test_a_hub_without_a_password_or_copies_does_not_start(
    monkeypatch, tmp_path
):
    monkeypatch.setattr("os.geteuid", lambda: 1000, raising=False)
    with pytest.raises(SystemExit, match="8 letters or more, got 5"):
        configure(monkeypatch, HUB_PASSWORD="short")
    copy = tmp_path / "classroom" / HUB.name
    copy.parent.mkdir()
    shutil.copy(HUB, copy)
    monkeypatch.setattr(f"{__name__}.HUB", copy)
    with pytest.raises(SystemExit, match=r"copies: make classroom"):
        configure(monkeypatch, HUB_PASSWORD="longenough")


def test_a_hub_gives_a_learner_copies_few_threads_and_no_root(
    monkeypatch, tmp_path, made
):
    monkeypatch.delenv("HUB_ALLOW_ROOT", raising=False)
    monkeypatch.setattr("os.geteuid", lambda: 0, raising=False)
    where = {"HUB_PASSWORD": "longenough", "HUB_FOLDER": tmp_path}
    with pytest.raises(SystemExit, match="got root"):
        configure(monkeypatch, **where)
    monkeypatch.setattr("os.geteuid", lambda: 1000, raising=False)
    told = configure(monkeypatch, **where)
    assert told.Spawner.environment["OMP_NUM_THREADS"] == "1"
    if shutil.which("prlimit"):
        assert "--data=2000000000" in told.Spawner.cmd
    assert "--allow-root" not in told.Spawner.args

    class Ada:
        user = type("User", (), {"name": "ada"})

    home = tmp_path / "homes" / "ada"
    told.Spawner.pre_spawn_hook(Ada)
    assert "TODO 1.1" in (home / "01_numpy.ipynb").read_text("utf-8")
    (home / "01_numpy.ipynb").write_text("my work")
    told.Spawner.pre_spawn_hook(Ada)
    assert (home / "01_numpy.ipynb").read_text() == "my work"


@pytest.mark.long
def test_a_learner_runs_a_chapter_on_a_hub(made, monkeypatch):
    pytest.importorskip("jupyterhub", reason=NO_HUB)
    monkeypatch.setenv("N", "1")
    monkeypatch.setenv("CHAPTER", "01_numpy")
    done = run([sys.executable, "classroom/load_hub.py"], ROOT)
    assert done.returncode == 0, done.stdout
    last = done.stdout.splitlines()[-1].split()
    assert (last[:2], last[-1]) == (["1", "1"], "none")
