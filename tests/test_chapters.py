"""The chapters: one curve, one anatomy, outputs that hold anywhere."""

import json
import pathlib
import re
import statistics

import pytest

import sinefit

ROOT = pathlib.Path(__file__).parents[1]
CHAPTERS = sorted((ROOT / "notebooks").glob("0*.ipynb"))
SAME_CURVE = [path for path in CHAPTERS if "04_" not in path.name]


def cells(path, kind="code", tag=None):
    """Return the cells of a chapter, of one kind and with one tag."""
    return [
        cell
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
        if cell["cell_type"] == kind
        and (tag is None or tag in cell["metadata"].get("tags", []))
    ]


def source(cell):
    return "".join(cell["source"])


def printed(cell):
    return "".join("".join(o.get("text", "")) for o in cell["outputs"])


def chapters(paths=CHAPTERS):
    return pytest.mark.parametrize("path", paths, ids=lambda path: path.stem)


def test_there_are_seven():
    assert [path.stem for path in CHAPTERS] == [
        "01_numpy",
        "02_tensors",
        "03_autograd",
        "04_custom_function",
        "05_nn",
        "06_optim",
        "07_module",
    ]


@chapters(SAME_CURVE)
def test_the_loop_prints_theorys_losses(path):
    (loop,) = cells(path, tag="loop")
    theory, _ = sinefit.predict()
    expected = [f"{t:4d} {theory[t]:9.4f}" for t in range(99, 2000, 100)]
    assert printed(loop).splitlines() == expected


@chapters()
def test_the_check_passed_where_it_is_stored(path):
    (check,) = cells(path, tag="check")
    assert re.search(r"^sinefit\.check\(losses, ", source(check), re.M)
    assert "rtol" not in source(check)
    assert printed(check).startswith("2000 losses are as expected, to 1e-12")
    assert "1999 steps down" in printed(check)


@chapters()
def test_the_loop_stands_on_the_page(path):
    (loop,) = cells(path, tag="loop")
    lines = [line for line in source(loop).splitlines() if line.strip()]
    assert len(lines) <= 20
    assert "for t in range(2000):" in lines
    assert any("losses.append(loss" in line for line in lines)


@chapters(CHAPTERS[1:])
def test_what_changed_is_the_diff_of_the_loops(path):
    (cell,) = (c for c in cells(path) if "loop_diff" in source(c))
    before, after = re.findall(r'"(\w+)"', source(cell))
    assert after == path.stem
    assert before < after
    stored = "".join(cell["outputs"][0]["data"]["text/markdown"])
    marks = {"old": " -", "new": " +"}
    body = stored.splitlines()[1:-1]
    for name, (keep, drop) in {
        before: (marks["old"], "+"),
        after: (marks["new"], "-"),
    }.items():
        (loop,) = cells(path.with_name(f"{name}.ipynb"), tag="loop")
        lines = [line[1:] for line in body if line[:1] != drop]
        assert "\n".join(lines) == source(loop), keep


@chapters()
def test_cells_are_short_and_narrow(path):
    lengths = []
    for cell in cells(path):
        lines = [line for line in source(cell).splitlines() if line.strip()]
        assert max(map(len, lines)) <= 79, lines
        lengths.append(len(lines))
    assert max(lengths) <= 25
    assert statistics.median(lengths) <= 5
    assert sum(length < 12 for length in lengths) >= 0.9 * len(lengths)


@chapters()
def test_every_cell_has_run_and_none_tells_of_its_machine(path):
    numbers = [cell["execution_count"] for cell in cells(path)]
    assert numbers == list(range(1, len(numbers) + 1))
    for cell in cells(path):
        stored = json.dumps(cell["outputs"])
        assert not re.search(
            r"/(home|root|tmp|work|Users)/|0x[0-9a-f]{6}", stored
        )
        assert '"stderr"' not in stored, source(cell)
        # Colab and papermill stop at an error, whatever its tag
        assert '"output_type": "error"' not in stored


@chapters()
def test_figures_say_what_they_show(path):
    figures = [
        c for c in cells(path) if "image/svg+xml" in json.dumps(c["outputs"])
    ]
    assert len(figures) >= 2
    for cell in figures:
        alt = cell["metadata"]["mystnb"]["image"]["alt"]
        assert len(alt) > 40
    shown = "".join(source(cell) for cell in figures)
    assert "plot_fit" in shown
    assert "plot_losses" in shown


@chapters()
def test_the_anatomy_of_a_chapter(path):
    text = "\n".join(source(cell) for cell in cells(path, "markdown"))
    for phrase in ("**You will learn**", "**You need**", "**Time**"):
        assert phrase in text
    headings = re.findall(r"^## (.+)$", text, re.M)
    order = ["The loop", "What changed", "What goes wrong", "Exercises"]
    if path == CHAPTERS[0]:
        order.remove("What changed")
    assert [h for h in headings if h in order] == order
    assert headings[-1] == "Summary"
    summary = text.split("## Summary")[1]
    assert len(re.findall(r"^- ", summary, re.M)) == 3
    following = CHAPTERS[CHAPTERS.index(path) + 1 :][:1]
    assert all(f"({chapter.name})" in summary for chapter in following)


@chapters()
def test_three_exercises_each_with_its_solution_and_its_check(path):
    everything = json.loads(path.read_text(encoding="utf-8"))["cells"]
    asked = []
    for cell, solution, check in zip(
        everything, everything[1:], everything[2:], strict=False
    ):
        if "exercise" in cell["metadata"].get("tags", []):
            found = re.match(r"\*\*(\d)\. (\w+)\.\*\* ", source(cell))
            asked.append(found.groups())
            assert solution["metadata"]["tags"] == ["hide-cell", "solution"]
            name = f"{int(path.stem[:2])}.{found[1]}"
            assert f'exercises.check("{name}", ' in source(check)
            assert printed(check) == f"Exercise {name}: right.\n"
            answers = re.search(r'", (.+)\)$', source(check))[1].split(", ")
            named = re.findall(r"`(\w+)`", source(cell))
            assert set(answers) <= set(named), "the text names its answers"
    assert asked == [("1", "Predict"), ("2", "Change"), ("3", "Break")]


def test_the_welcome_page_tells_the_chapters_titles_and_losses():
    page = (ROOT / "book" / "welcome.md").read_text(encoding="utf-8")
    rows = re.findall(
        r"^\| \d\. \[(.+)\]\(\.\./notebooks/(\w+)\.ipynb\).*\| ([\d.]+) \|$",
        page,
        re.M,
    )
    expected = []
    for path in CHAPTERS:
        title = source(cells(path, "markdown")[0]).splitlines()[0]
        (loop,) = cells(path, tag="loop")
        last = printed(loop).split()[-1]
        expected.append((title.removeprefix("# "), path.stem, last))
    assert rows == expected
    floor = sinefit.optimum(*sinefit.data())[1]
    assert f"below a loss of {floor:.4f}." in page


def test_the_helper_module_stays_small():
    lines = (ROOT / "notebooks" / "sinefit.py").read_text().splitlines()
    assert len(lines) < 200
