"""What every chapter passes: each chapter's file of tests takes all of it in.

That file holds its notebook, which bears its name. For each cell that prints
or draws it has a function of the cell's name, with _ for -, which is given the
chapter's names, what the cell said and the axes that it drew on, and finds the
same in another way. Beside these stand tables: PRINTS, of cells that need only
say something, as patterns; WRONG, the answers to the exercises that a check
must refuse; BROKEN, the mistakes that the chapter's own check must name;
FORMULAS, each with what shows it true.
"""

import contextlib
import json
import re
import statistics
import sys
from decimal import Decimal

import numpy as np
import pytest
import torch
from matplotlib.text import Text

import copies
import prose
import runner
from conftest import CHAPTERS, NOTEBOOKS, enter
from prose import NUMBER
from runner import alt, cells, figures, printed, tags

TODO = "nothing to check yet"
BY_OTHERS = {"loop", "check", "verify", "solution"}  # tests below hold these
PRINTS = ""  # unless a chapter has its own
SLOW = None


@pytest.fixture
def path(request):
    """Return the notebook that the file of tests is about."""
    return NOTEBOOKS / f"{request.path.stem}.ipynb"


def rows(table):
    """Return the rows of a table in a string, as lists of what | parts."""
    lines = table.strip().replace("\\\n", "").splitlines()
    return [[part.strip() for part in line.split(" |")] for line in lines]


def pytest_generate_tests(metafunc):
    """Break a chapter once for each row of its BROKEN.

    make test has the first row of each third chapter; the others can wait.
    Cells that train once more, start processes or take times can wait, too:
    in make test they are run by nbval alone.
    """
    own, long = metafunc.module, pytest.mark.long
    if "broken" in metafunc.fixturenames:
        now = int(own.__name__[:2]) % 3 == 1
        table = [
            pytest.param(row, marks=() if now and not number else long)
            for number, row in enumerate(rows(own.BROKEN))
        ]
        assert len(table) >= 4, f"{own.__name__}: four mistakes or more"
        metafunc.parametrize("broken", table)
    if "left_out" in metafunc.fixturenames:
        whole = pytest.param(None, id="whole", marks=long if own.SLOW else ())
        slow = pytest.param(own.SLOW, id="without what is slow")
        metafunc.parametrize("left_out", [whole, slow][: 1 + bool(own.SLOW)])


# Its anatomy


def test_the_loop_stands_on_the_page_and_its_check_passed(path):
    (loop,), (check,) = (cells(path, tag=tag) for tag in ("loop", "check"))
    lines = [line for line in loop.source.splitlines() if line.strip()]
    assert len(lines) <= 20
    assert "for t in range(2000):" in lines
    assert any("losses.append(loss" in line for line in lines)
    # of chapter 9's runs in batches, the mean is
    right = r"2000 (losses are as expected, to 1e-12|mean losses are as)"
    assert re.match(right, printed(check))


def test_what_changed_is_the_diff_of_the_loops(path):
    code = "\n".join(cell.source for cell in cells(path, "code"))
    found = re.findall(r'loop_diff\("(\w+)", "(\w+)"\)', code)
    if path == CHAPTERS[0]:  # nothing stands before it
        assert not found
    else:
        ((before, after),) = found
        assert before < after == path.stem


def test_cells_are_short_and_store_text_and_pictures_alone(path):
    assert path.stat().st_size < 500_000
    assert not any("attachments" in cell for cell in cells(path))
    code = cells(path, "code")
    numbers = [cell.execution_count for cell in code]
    assert numbers == list(range(1, len(numbers) + 1))
    lengths = [len(re.findall(r"(?m)^.*\S", cell.source)) for cell in code]
    assert max(lengths) <= 25
    assert statistics.median(lengths) <= 5
    assert sum(length < 12 for length in lengths) >= 0.9 * len(lengths)
    for cell in code:
        own = {*tags(cell)}
        assert not ("nbval-ignore-output" in own and own & BY_OTHERS)
    of_a_machine = r"/(home|root|tmp|work|Users)/|0x[0-9a-f]{6}"
    for out in (out for cell in code for out in cell.outputs):
        assert not re.search(of_a_machine, json.dumps(out))
        # Colab and papermill stop at an error, whatever its tag
        assert out.output_type != "error"
        assert out.get("name") != "stderr"
        kinds = {"text/plain", "text/markdown", "image/svg+xml"}
        assert kinds.issuperset(out.get("data", {}))


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
    drawn = figures(path)
    assert len(drawn) >= 2
    assert all(len(alt(cell)) > 40 for cell in drawn)
    shown = "".join(cell.source for cell in drawn)
    assert "plot_run(" in shown or "batch" in shown


def test_three_exercises_that_name_their_answers_and_hide_solutions(path):
    chapter, found = copies.read(path)
    kinds = "Predict", "Change|Build", "Break"
    for number, kind, (name, solution, _) in zip(
        (1, 2, 3), kinds, found, strict=True
    ):
        assert name == f"{int(path.stem[:2])}.{number}"
        text, solved, check = chapter.cells[solution - 1 : solution + 2]
        assert re.match(rf"\*\*{number}\. ({kind})\.\*\* ", text.source)
        hidden = {"outputs_hidden": True, "source_hidden": True}
        folded = {"jupyter": hidden, "cellView": "form"}  # there and in Colab
        assert {*tags(solved)} == {"hide-cell", "solution"}
        assert solved.metadata.items() >= folded.items(), (
            "a solution lies open: copy the metadata of another one's cell"
        )
        assert {*tags(check)} == {"remove-output", "verify"}
        answers = answers_of(check)
        named = re.findall(r"`(\w+)`", text.source)
        assert {*answers} <= {*named}, "the text names its answers"


def test_what_it_says_is_on_its_page(path):
    assert not prose.unexplained(*prose.chapter(path))
    assert not prose.missing_names(*prose.chapter(path))


def bare(text):
    """Return a formula without its spaces, and its stop."""
    return re.sub(r"\\,|\s|[.,]$", "", text)


def test_each_formula_is_true(path, request):
    """None in FORMULAS claims nothing: it says what a letter stands for."""
    known = {bare(k): v for k, v in request.module.FORMULAS.items()}
    there = {
        bare(display or inline)
        for cell in cells(path, "markdown")
        for display, inline in re.findall(
            r"\$\$(.+?)\$\$|\$([^$]+)\$", cell.source, re.S
        )
        if re.search(r"[=<>/(]|\\(?!hat|lambda$|eta$|\w+$)", display or inline)
    }
    assert there <= known.keys(), "put what shows it true into FORMULAS"
    assert known.keys() <= there, "the chapter has these no more"
    for formula, holds in known.items():
        assert holds is None or holds(), formula


# Run as learners run it


def told(cell, names):
    """Return what the check of an exercise tells a learner."""
    try:
        return runner.run_text(cell.source, names)
    except runner.Caught as caught:
        return str(caught)


def answers_of(check):
    """Return the names of the answers that a check is given."""
    return copies.CALL.search(check.source)[2].split(", ")


def leaves(value):
    """Return the numbers in an answer: a number, a text, arrays, lists."""
    value = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(value, str):
        return [float(number) for number in re.findall(NUMBER, value)]
    if isinstance(value, (list, tuple)):
        return [number for part in value for number in leaves(part)]
    with contextlib.suppress(TypeError, ValueError, RuntimeError):
        return np.array(value, float).ravel().tolist()
    return []


def given_away(sentence, right, known):
    """Return the numbers of a sentence that are answers not known before."""
    found = []
    for number in re.findall(NUMBER, sentence):
        digits = Decimal(number).normalize().as_tuple()
        room = 0.5 * 10.0 ** min(digits.exponent, 0) + 1e-12
        near = [r for r in right if abs(abs(r) - abs(float(number))) <= room]
        told = any(abs(abs(k) - abs(float(number))) <= room for k in known)
        if near and not told:
            found.append(number)
    return found


def holders(own):
    """Return the functions in a chapter's tests that hold cells, by name."""
    given = "n", "said", "axes"
    return {
        name: function
        for name, function in vars(own).items()
        if getattr(function, "__code__", None)
        and function.__code__.co_varnames[:3] == given
    }


def drawn(axes):
    """Return the numbers that a figure labels, or where its lines end."""
    found = []
    for ax in axes:
        words = [text.get_text() for text in ax.findobj(Text)]
        found += [float(n) for n in re.findall(NUMBER, " ".join(words))]
        found += [*ax.get_xticks(), *ax.get_yticks()]
        curves = [line.get_xydata() for line in ax.lines]
        curves += [p.vertices for c in ax.collections for p in c.get_paths()]
        curves += [bar.get_bbox().get_points() for bar in ax.patches]
        for x, y in (np.array(c, float).T for c in curves if len(c)):
            last = np.flatnonzero(x == np.nanmax(x))
            ends = [0, -1, np.nanargmin(y), np.nanargmax(y), *last]
            shown = slice(None) if len(x) < 20 else ends
            found += [*x[shown], *y[shown], *y[:6]]
    return found


def unseen(text, known):
    """Return the numbers of a text that are none of these, rounded."""
    wrong = []
    for number in re.findall(NUMBER, text):
        value = abs(float(number))
        unit = 10.0 ** Decimal(number).normalize().as_tuple().exponent
        room = max(0.5 * unit, 0.005 * value)
        if np.abs(np.abs(known) - value).min() > room * 1.001:
            wrong.append(number)
    return wrong


def hold(own, cell, names, said, axes):
    """Hold a cell to what it is there to show."""
    says = dict(rows(own.PRINTS)).get(cell.id)
    function = holders(own).get(cell.id.replace("-", "_"))
    if says:
        assert re.search(says, said.strip(), re.S), (cell.id, said)
    elif function:
        function(names, said, axes)
    elif not BY_OTHERS & {*tags(cell)} and "loop_diff" not in cell.source:
        assert not (said or axes), f"nothing holds {cell.id}"


def test_what_holds_a_cell_bears_its_name(path, request):
    own = request.module
    ids = {cell.id for cell in cells(path, "code")}
    lost = {*dict(rows(own.PRINTS))} - ids
    for name, function in holders(own).items():
        if function.__module__ == own.__name__:
            lost |= {name.replace("_", "-")} - ids
    assert not lost, "no cell is called so"


def test_as_learners_run_it(path, left_out, request, monkeypatch):
    """All outputs are stored so, and answers are judged.

    The check of an exercise lets its solution pass, and it alone.
    """
    own = request.module
    enter(monkeypatch, NOTEBOOKS)
    _, found = copies.read(path)
    all_cells, wrong = cells(path), rows(own.WRONG)
    names, done = {"__name__": "__main__"}, 0

    def see(cell, names, said, axes):
        hold(own, cell, names, said, axes)
        if axes:  # an alt text's numbers are its figure's, or beside it
            at = all_cells.index(cell)
            near = all_cells[max(0, at - 1) : at + 2]
            page = "\n".join(c.source + printed(c) for c in near)
            beside = [float(n) for n in re.findall(NUMBER, page)]
            wrong = unseen(alt(cell), [*drawn(axes), *beside])
            assert not wrong, f"the alt text of {cell.id} says {wrong}"

    def go_on(start, end):
        code = [
            cell
            for cell in all_cells[start:end]
            if cell.cell_type == "code"
            and not (left_out and re.search(left_out, cell.source))
        ]
        runner.run(code, names, True, see)

    for name, solution, stub in found:
        check = all_cells[solution + 1]
        go_on(done, solution)
        before, text = dict(names), all_cells[solution - 1].source
        go_on(solution, solution + 1)
        runner.run_text(stub, before)
        assert f"NotYet: Exercise {name}: {TODO}" in told(check, before)
        answers = [row[1:] for row in wrong if row[0] == name]
        assert answers, f"no wrong answer to {name} is in WRONG"
        for answer, words in answers:
            after = dict(names)
            runner.run_text(answer, after)
            sentence = told(check, after)
            assert sentence.startswith(f"NotYet: Exercise {name}: "), answer
            assert words in sentence, (answer, sentence)
            asked = [*answers_of(check), "guess"]
            known = [*leaves([after[n] for n in asked if n in after])]
            known += map(float, re.findall(NUMBER, text + answer))
            right = {*leaves([names[n] for n in asked[:-1] if n != "guess"])}
            away = given_away(sentence.split(": ", 2)[2], right, known)
            assert not away, f"{sentence!r} gives the answer away"
        assert told(check, names) == printed(check)
        done = solution + 2
    go_on(done, None)


def round_otherwise(monkeypatch, seed):
    """Let the sine of a number be off by its last bit, now and then."""
    random = np.random.default_rng(seed)
    for module in (np, torch):

        def off(x, *rest, sine=module.sin, array=module.asarray):
            values = sine(x, *rest)
            if "float64" in str(values.dtype) and values.ndim:
                bits = random.integers(-1, 2, tuple(values.shape))
                values = values * (1 + 1.2e-16 * array(bits))
            return values

        monkeypatch.setattr(module, "sin", off)


@pytest.mark.long
def test_it_says_the_same_once_more_with_other_last_bits(path, monkeypatch):
    enter(monkeypatch, NOTEBOOKS)
    code, names = cells(path, "code"), {"__name__": "__main__"}
    for seed in (1, 2):
        with monkeypatch.context() as context:
            round_otherwise(context, seed)
            runner.run(code, names, compare=True)


@pytest.mark.long
def test_each_cell_says_the_same_again_after_the_last(
    path, request, monkeypatch
):
    """Whoever scrolls back and runs a cell gets what stands there.

    But for PyTorch's own refusal to go back through a graph twice, and cells
    that start processes, which find their files there already.
    """
    enter(monkeypatch, NOTEBOOKS)
    code, names = cells(path, "code"), {"__name__": "__main__"}
    runner.run(code, names)
    modules, slow = dict(sys.modules), request.module.SLOW
    for cell in code:
        if slow and re.search(slow, cell.source):
            continue
        try:
            runner.run([cell], dict(names), compare=True)
        except runner.Caught as caught:
            twice = "through the graph a second time" in str(caught)
            assert twice, f"{cell.id}: {caught}"
        sys.modules.update(modules)


@pytest.mark.filterwarnings("ignore")  # a broken chapter may warn
def test_a_broken_chapter_is_caught(path, broken, folder):
    """In words that a beginner can act on.

    A row that begins with a module's name breaks that module.
    """
    *module, old, new, words = broken
    code = cells(folder / path.name, "code")
    if module:
        (file,) = (folder / name for name in module)
        text = file.read_text(encoding="utf-8")
        assert old in text, f"{file.name} holds no {old!r}: change the table"
        file.write_text(text.replace(old, new), encoding="utf-8")
    else:
        # in the loop, or in the first cell that has it
        first = sorted(code, key=lambda cell: "loop" not in tags(cell))
        cell, *_ = (cell for cell in first if old in cell.source)
        cell.source = cell.source.replace(old, new)
    checks = [
        number
        for number, cell in enumerate(code)
        if "sinefit.check" in cell.source
        and "except AssertionError" not in cell.source
    ]
    with pytest.raises(runner.Caught, match=re.escape(words)):
        runner.run(code[: checks[-1] + 1], compare=words == runner.OUTPUT)
