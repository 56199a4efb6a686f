"""The chapters: one curve, one anatomy, outputs that hold anywhere."""

import json
import re
import statistics

import pytest

import sinefit
from conftest import CHAPTERS, ROOT, each_chapter
from runner import alt, cells, figures, printed, tags

LADDER = [path for path in CHAPTERS if path.name < "08"]
SAME_CURVE = [path for path in LADDER if "04_" not in path.name]
BUILDS = ("07_module", "08_network", "09_data")
TIMES = [path for path in CHAPTERS if path.stem == "10_scale"]


def test_the_ladder_has_seven_rungs():
    assert [path.stem for path in LADDER] == [
        "01_numpy",
        "02_tensors",
        "03_autograd",
        "04_custom_function",
        "05_nn",
        "06_optim",
        "07_module",
    ]


@pytest.mark.parametrize("path", SAME_CURVE + TIMES)
def test_the_loop_prints_theorys_losses(path):
    (loop,) = cells(path, tag="loop")
    theory, _ = sinefit.predict()
    expected = [f"{t:4d} {theory[t]:9.4f}" for t in range(399, 2000, 400)]
    assert printed(loop).splitlines() == expected


@each_chapter
def test_the_check_passed_where_it_is_stored(path):
    (check,) = cells(path, tag="check")
    if "check_mean(runs, expected)" in check.source:  # of runs in batches
        words = "2000 mean losses are as expected, to 5 errors"
        assert printed(check).startswith(words)
        return
    assert re.search(r"^sinefit\.check\(losses, ", check.source, re.M)
    assert "rtol" not in check.source
    assert printed(check).startswith("2000 losses are as expected, to 1e-12")
    assert "fell at 1999 of 1999 steps" in printed(check)


@each_chapter
def test_the_loop_stands_on_the_page(path):
    (loop,) = cells(path, tag="loop")
    lines = [line for line in loop.source.splitlines() if line.strip()]
    assert len(lines) <= 20
    assert "for t in range(2000):" in lines
    assert any("losses.append(loss" in line for line in lines)


@pytest.mark.parametrize("path", CHAPTERS[1:])
def test_what_changed_is_the_diff_of_the_loops(path):
    (cell,) = (c for c in cells(path, "code") if "loop_diff" in c.source)
    before, after = re.findall(r'"(\w+)"', cell.source)
    assert before < after == path.stem
    loops = [
        cells(path.with_name(f"{name}.ipynb"), tag="loop")[0].source
        for name in (before, after)
    ]
    body = cell.outputs[0].data["text/markdown"].removeprefix("```diff\n")
    patched = loops[0]
    for part in body.removesuffix("\n```").split("\n...\n"):
        old, new = (
            "\n".join(x[1:] for x in part.splitlines() if x[0] != others)
            for others in "+-"
        )
        assert patched.count(old) == 1
        patched = patched.replace(old, new)
    assert patched == loops[1]


@each_chapter
def test_cells_are_short_and_narrow(path):
    lengths = []
    for cell in cells(path, "code"):
        lines = [line for line in cell.source.splitlines() if line.strip()]
        assert max(map(len, lines)) <= 79, lines
        lengths.append(len(lines))
    assert max(lengths) <= 25
    assert statistics.median(lengths) <= 5
    assert sum(length < 12 for length in lengths) >= 0.9 * len(lengths)


@each_chapter
def test_every_cell_has_run_and_stores_text_and_pictures_alone(path):
    assert path.stat().st_size < 500_000
    assert not any("attachments" in cell for cell in cells(path))
    code = cells(path, "code")
    numbers = [cell.execution_count for cell in code]
    assert numbers == list(range(1, len(numbers) + 1))
    of_a_machine = r"/(home|root|tmp|work|Users)/|0x[0-9a-f]{6}"
    for out in (out for cell in code for out in cell.outputs):
        assert not re.search(of_a_machine, json.dumps(out))
        # Colab and papermill stop at an error, whatever its tag
        assert out.output_type != "error"
        assert out.get("name") != "stderr"
        data = out.get("data", {})
        assert {*data} <= {"text/plain", "text/markdown", "image/svg+xml"}
        assert re.match(
            "```(diff|python)\n", data.get("text/markdown", "```diff\n")
        )


@each_chapter
def test_figures_say_what_they_show(path):
    drawn = figures(path)
    assert len(drawn) >= 2
    assert all(len(alt(cell)) > 40 for cell in drawn)
    shown = "".join(cell.source for cell in drawn)
    assert "plot_run(" in shown or "batch" in shown


@each_chapter
def test_the_anatomy_of_a_chapter(path):
    text = "\n".join(cell.source for cell in cells(path, "markdown"))
    for phrase in ("**You will learn**", "**You need**", "**Time**"):
        assert phrase in text
    headings = re.findall(r"^## (.+)$", text, re.M)
    order = ["The loop", "What changed", "What goes wrong", "Exercises"]
    if path == CHAPTERS[0]:
        order.remove("What changed")
    assert [h for h in headings if h in order] == order
    assert headings[-1] == "Summary"
    summary = text.split("## Summary")[1]
    assert len(re.findall(r"^- ", summary, re.M)) >= 3
    following = CHAPTERS[CHAPTERS.index(path) + 1 :][:1]
    assert all(f"({chapter.name})" in summary for chapter in following)


@each_chapter
def test_three_exercises_each_with_its_solution_and_its_check(path):
    parts = [
        cells(path, tag=tag) for tag in ("exercise", "solution", "verify")
    ]
    kinds = "Predict", "Build" if path.stem in BUILDS else "Change", "Break"
    for number, kind, text, solution, check in zip(
        (1, 2, 3), kinds, *parts, strict=True
    ):
        assert text.source.startswith(f"**{number}. {kind}.** ")
        assert tags(solution) == ["hide-cell", "solution"]
        hidden = {"outputs_hidden": True, "source_hidden": True}
        assert solution.metadata.jupyter == hidden  # in JupyterLab
        assert solution.metadata.cellView == "form"  # in Colab
        assert tags(check) == ["remove-output", "verify"]
        name = f"{int(path.stem[:2])}.{number}"
        assert f'exercises.check("{name}", ' in check.source
        assert printed(check).startswith(f"Exercise {name}: right.")
        answers = re.search(r'", (.+)\)$', check.source)[1].split(", ")
        named = re.findall(r"`(\w+)`", text.source)
        assert set(answers) <= set(named), "the text names its answers"


def changes(path):
    """Return how many lines of the loop are new and gone, as a page tells."""
    code = "\n".join(cell.source for cell in cells(path, "code"))
    if not (compared := re.search(r'loop_diff\("(\w+)", "(\w+)"', code)):
        return "", ""
    lines = str(sinefit.loop_diff(*compared.groups())).splitlines()
    return tuple(str(sum(x[0] == sign for x in lines)) for sign in "+-")


def test_the_welcome_page_tells_the_chapters_titles_and_losses():
    page = (ROOT / "index.md").read_text(encoding="utf-8")
    rows = re.findall(
        r"^\d\. \[(.+)\]\(notebooks/(\w+)\.ipynb\) \[(.+)\]\{\.job\}"
        r"(?: \[\+(\d+) \N{MINUS SIGN}(\d+)\]\{\.diff\})?"
        r" \[([\d.]+)\]\{\.loss\}$",
        page,
        re.M,
    )
    expected = []
    for path in CHAPTERS:
        title = cells(path, "markdown")[0].source.splitlines()[0][2:]
        (loop,) = cells(path, tag="loop")
        last = printed(loop).split()[-1]
        if path in LADDER:
            job = next(row[2] for row in rows if row[1] == path.stem)
            if not job.startswith("nothing"):
                opening = cells(path, "markdown")[0].source
                assert f"takes over {job.removesuffix('s')}" in opening
            expected.append((title, path.stem, job, *changes(path), last))
        else:
            assert f"**{title}](notebooks/{path.name})" in page.replace(
                "[", "**"
            )
            assert last in page or "batch" in loop.source
    assert rows == expected
    assert rows[4][1] == "05_nn"
    assert 'loop_diff(\\"03_autograd' in CHAPTERS[4].read_text("utf-8")
    assert "Rung 5 goes on from rung 3." in page
    floor = sinefit.optimum(*sinefit.data())[1]
    assert f"below a loss of {floor:.4f}." in page
