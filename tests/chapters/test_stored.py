"""What nbval ignores is held as well: stored texts, pictures, and times."""

import io
import time

import matplotlib.pyplot as plt
import pytest
from nbformat import v4

import sinefit
from conftest import NOTEBOOKS, enter
from runner import OUTPUT, Caught, cells, printed, run, run_text

DRAW = "import matplotlib.pyplot as plt\nplt.plot([1, 3, 2])\n"
LABEL = "plt.ylabel('loss')\n"


def ignored(source, text="", picture=""):
    """Return a cell that nbval ignores, with what another one stored."""
    cell = v4.new_code_cell(source)
    cell.metadata["tags"] = ["nbval-ignore-output"]
    if text:
        cell.outputs.append(v4.new_output("stream", text=text))
    if picture:
        plt.close("all")
        run_text(picture, {})
        drawn = io.StringIO()
        plt.savefig(drawn, format="svg", bbox_inches="tight")
        data = {"image/svg+xml": drawn.getvalue()}
        cell.outputs.append(v4.new_output("display_data", data))
    return cell


@pytest.mark.parametrize(
    "stored", ["", DRAW, f"{DRAW}{LABEL}".replace("3", "4")]
)
def test_a_stored_picture_of_another_cell_is_caught(stored):
    run([ignored(DRAW + LABEL, picture=DRAW + LABEL)], compare=True)
    with pytest.raises(Caught, match=OUTPUT):
        run([ignored(DRAW + LABEL, picture=stored)], compare=True)


def test_a_stored_text_is_held_as_a_fresh_one():
    def after(cell, names, said, axes):
        assert said.endswith(" s\n")

    source = "print('2.1 s')"
    run([ignored(source, "2.4 s\n")], compare=True, after=after)
    with pytest.raises(Caught, match=OUTPUT):
        run([ignored(source, "2.4\n")], compare=True, after=after)


@pytest.fixture(scope="module")
def timed():
    """Return chapter 10's code cells that come before its table, and it."""
    code = cells(NOTEBOOKS / "10_scale.ipynb", "code")
    at = next(i for i, cell in enumerate(code) if "took = " in cell.source)
    return code[:at], code[at]


@pytest.fixture
def clock(timed):
    """Return the names of chapter 10 once its clock is there."""
    names = {}
    for cell in timed[0]:
        if "import " in cell.source or "def seconds(" in cell.source:
            run_text(cell.source, names)
    return names


def test_the_clock_of_chapter_10_does_not_count_the_first_call(clock):
    calls = []

    def slow_at_first():
        calls.append(0)
        time.sleep(0.5 if len(calls) == 1 else 0.01)

    assert 0.01 <= clock["seconds"](slow_at_first) < 0.03


def test_the_table_of_chapter_10_times_each_run_under_its_name(clock, timed):
    theory = sinefit.predict()[0]
    waits = {"chapter 1": 0.04, "slow": 0.16, "fast": 0.01, "off": 0.02}

    def waiting(name):
        def run():
            time.sleep(waits[name])
            return theory * (1 + 1e-3 * (name == "off"))

        return run

    clock["runs"] = {name: waiting(name) for name in waits}
    rows = run_text(timed[1].source, clock).splitlines()[1:]
    for row, (name, wait) in zip(rows, waits.items(), strict=True):
        fast, off = map(float, row.removeprefix(name).split())
        assert fast == pytest.approx(waits["chapter 1"] / wait, rel=0.3)
        assert (off > 1e-4) == (name == "off")


def test_the_table_of_chapter_10_that_is_stored_is_of_its_runs(
    timed, monkeypatch
):
    enter(monkeypatch, NOTEBOOKS)
    names = {"__name__": "__main__"}
    run(timed[0], names)
    rows = printed(timed[1]).splitlines()[1:]
    for row, name in zip(rows, names["runs"], strict=True):
        its, fast, off = row.rsplit(maxsplit=2)
        assert its == name
        assert float(off) < 1e-12
        assert (float(fast) == 1) == (name == "chapter 1")
