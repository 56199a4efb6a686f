"""What every chapter passes: each chapter's file of tests takes all of it in.

That file holds its notebook, which bears its name. For each cell that prints
or draws it has a function of the cell's name, with _ for -, which is given the
chapter's names, what the cell said and the axes that it drew on, and finds the
same in another way. Beside these stand three tables: WRONG, the answers to the
exercises that a check must refuse; BROKEN, the mistakes that the chapter's own
check must name; FORMULAS, each with what shows it true.
"""

import ast
import contextlib
import json
import re
import statistics
import sys

import numpy as np
import pytest
import torch
from coverage import Coverage

import copies
import prose
import runner
from by_hand import texts
from conftest import CHAPTERS, NOTEBOOKS, enter
from runner import alt, cells, figures, printed, tags

TODO = "nothing to check yet"
NUMBER = re.compile(r"(?<![\w.-])-?\d+(?:\.\d+)?(?:e[+-]?\d+)?(?!\w)")
BY_OTHERS = {"loop", "check", "verify", "solution"}  # tests below hold these


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
    own, long = metafunc.module, [pytest.mark.long]
    if "broken" in metafunc.fixturenames:
        now = int(own.__name__[:2]) % 3 == 1
        table = [
            pytest.param(row, id=row[-3][:30], marks=[] if first else long)
            for number, row in enumerate(rows(own.BROKEN))
            for first in [now and number == 0]
        ]
        assert len(table) >= 4, f"{own.__name__}: four mistakes or more"
        metafunc.parametrize("broken", table)
    if "left_out" in metafunc.fixturenames:
        slow = getattr(own, "SLOW", None)
        partly = (
            [pytest.param(slow, id="without what is slow")] if slow else []
        )
        whole = pytest.param(None, id="whole", marks=long if slow else [])
        metafunc.parametrize("left_out", [*partly, whole])


# Its anatomy


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


def test_the_loop_stands_on_the_page(path):
    (loop,) = cells(path, tag="loop")
    lines = [line for line in loop.source.splitlines() if line.strip()]
    assert len(lines) <= 20
    assert "for t in range(2000):" in lines
    assert any("losses.append(loss" in line for line in lines)


def test_what_changed_is_the_diff_of_the_loops(path):
    found = [c for c in cells(path, "code") if "loop_diff" in c.source]
    if path == CHAPTERS[0]:  # nothing stands before it
        assert not found
        return
    (cell,) = found
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


def test_cells_are_short_and_narrow(path):
    lengths = []
    for cell in cells(path, "code"):
        lines = [line for line in cell.source.splitlines() if line.strip()]
        assert max(map(len, lines)) <= 79, lines
        lengths.append(len(lines))
    assert max(lengths) <= 25
    assert statistics.median(lengths) <= 5
    assert sum(length < 12 for length in lengths) >= 0.9 * len(lengths)


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


def test_what_nbval_does_not_compare_is_neither_loop_nor_check(path):
    for cell in cells(path, "code"):
        own = {*tags(cell)}
        assert not own & {"nbval-skip", "raises-exception"}
        assert not ("nbval-ignore-output" in own and own & BY_OTHERS)


def test_figures_say_what_they_show(path):
    drawn = figures(path)
    assert len(drawn) >= 2
    assert all(len(alt(cell)) > 40 for cell in drawn)
    shown = "".join(cell.source for cell in drawn)
    assert "plot_run(" in shown or "batch" in shown


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


def test_three_exercises_each_with_its_solution_and_its_check(path):
    parts = [
        cells(path, tag=tag) for tag in ("exercise", "solution", "verify")
    ]
    kinds = "Predict", "Change|Build", "Break"
    for number, kind, text, solution, check in zip(
        (1, 2, 3), kinds, *parts, strict=True
    ):
        assert re.match(rf"\*\*{number}\. ({kind})\.\*\* ", text.source)
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


class Watch(ast.NodeTransformer):
    """See each number that an f-string formats, and keep those on an edge.

    An edge is where another machine, off by 1e-10, would print another digit.
    """

    def __init__(self):
        self.seen, self.on_edge = 0, []

    def visit_FormattedValue(self, node):
        """Let see() do the formatting, where digits are cut."""
        self.generic_visit(node)
        if node.format_spec is None:
            return node
        name = ast.Name("_watch", ast.Load())
        call = ast.Call(name, [node.value, node.format_spec], [])
        return ast.FormattedValue(call, -1, None)

    def see(self, value, spec):
        """Return the formatted value; note it if its neighbours look other."""
        text = format(value, spec)
        if spec[-1:] in "efg" and abs(value) < float("inf"):
            self.seen += 1
            number = value.item() if hasattr(value, "item") else value
            # a number that is fixed after the point may come close to zero
            least = 1e-2 if spec[-1] == "f" else 0
            shift = 1e-10 * max(abs(number), least)
            for near in (number - shift, number + shift):
                if format(near, spec) != text:
                    self.on_edge.append(f"{text!r} is {number!r}")
        return text


def told(cell, names):
    """Return what the check of an exercise tells a learner."""
    try:
        return runner.run_text(cell.source, names)
    except runner.Caught as caught:
        return str(caught)


@contextlib.contextmanager
def untraced():
    """Let coverage rest, which would slow what is not the modules' own."""
    tracer = Coverage.current()
    if tracer:
        tracer.stop()
    yield
    if tracer:
        tracer.start()


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
    words, found = [], []
    for ax in axes:
        legend = ax.get_legend()
        words += [*texts(ax), ax.get_xlabel(), ax.get_ylabel()]
        words += [text.get_text() for text in legend.texts] if legend else []
        found += [*ax.get_xticks(), *ax.get_yticks()]
        curves = [line.get_xydata() for line in ax.lines]
        parts = [p for c in ax.collections for p in c.get_paths()]
        curves += [path.vertices for path in parts]
        for bar in ax.patches:
            box = ax.transData.inverted().transform(bar.get_extents())
            found += [*box.ravel()]
        for x, y in (np.array(c, float).T for c in curves if len(c)):
            ends = [0, -1, np.nanargmin(y), np.nanargmax(y)]
            found += [*x[ends], *y[ends], *y[:6], np.nanmin(x), np.nanmax(x)]
            found += [*y[x == np.nanmax(x)]]
            found += [*x, *y] if len(x) < 20 else []
    return [*found, *(float(n) for w in words for n in NUMBER.findall(w))]


def unseen(text, known):
    """Return the numbers of a text that are none of these, rounded."""
    wrong = []
    for number in NUMBER.findall(text):
        digits, _, power = number.strip("-").partition("e")
        whole, _, rest = digits.partition(".")
        zeros = 0 if rest else len(whole) - len(whole.rstrip("0"))
        unit = 10.0 ** (int(power or 0) + zeros - len(rest))
        room = max(0.5 * unit, 0.005 * abs(float(number)))
        off = np.abs(np.abs(known) - abs(float(number)))
        if not (off <= room * 1.001).any():
            wrong.append(number)
    return wrong


def hold(own, cell, names, said, axes):
    """Hold a cell to what it is there to show."""
    function = holders(own).get(cell.id.replace("-", "_"))
    if function is None:
        others = BY_OTHERS & {*tags(cell)} or "loop_diff" in cell.source
        assert others or not (said or axes), f"no function holds {cell.id}"
        return
    try:
        function(names, said, axes)
    except (AssertionError, KeyError, ValueError) as error:
        error.add_note(f"in cell {cell.id}")
        raise


def test_each_function_holds_a_cell(path, request):
    own = request.module
    held = {cell.id.replace("-", "_") for cell in cells(path, "code")}
    lost = holders(own).keys() - held
    lost = [n for n in lost if holders(own)[n].__module__ == own.__name__]
    assert not lost, "no cell is called so"


def test_as_learners_run_it(path, left_out, request, monkeypatch):
    """All outputs are stored so, no digit is on an edge, answers are judged.

    The check of an exercise lets its solution pass, and it alone.
    """
    own = request.module
    enter(monkeypatch, NOTEBOOKS)
    _, found = copies.read(path)
    all_cells, wrong = cells(path), rows(own.WRONG)
    names, watch, done = {"__name__": "__main__"}, Watch(), 0

    def see(cell, names, said, axes):
        hold(own, cell, names, said, axes)
        if axes:  # an alt text's numbers are its figure's, or beside it
            at = all_cells.index(cell)
            near = all_cells[max(0, at - 1) : at + 2]
            page = [c.source + printed(c) for c in near]
            beside = [float(n) for part in page for n in NUMBER.findall(part)]
            wrong = unseen(alt(cell), [*drawn(axes), *beside])
            assert not wrong, f"the alt text of {cell.id} says {wrong}"

    def go_on(start, end):
        code = [
            cell
            for cell in all_cells[start:end]
            if cell.cell_type == "code"
            and not (left_out and re.search(left_out, cell.source))
        ]
        with untraced():
            runner.run(code, names, True, watch, see)

    for name, solution, stub in found:
        check = all_cells[solution + 1]
        go_on(done, solution)
        before = dict(names)
        go_on(solution, solution + 1)
        runner.run_text(stub, before)
        assert f"NotYet: Exercise {name}: {TODO}" in told(check, before)
        answers = [row[1:] for row in wrong if row[0] == name]
        assert answers, f"no wrong answer to {name} is in WRONG"
        for answer, words in answers:
            after = dict(names)
            with untraced():
                runner.run_text(answer, after)
            sentence = told(check, after)
            assert sentence.startswith(f"NotYet: Exercise {name}: "), answer
            assert words in sentence, (answer, sentence)
        assert told(check, names) == printed(check)
        done = solution + 2
    go_on(done, None)
    assert watch.seen > 10
    assert not watch.on_edge


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
    modules, slow = dict(sys.modules), getattr(request.module, "SLOW", "$^")
    for cell in code:
        if re.search(slow, cell.source):
            continue
        try:
            runner.run([cell], dict(names), compare=True)
        except runner.Caught as caught:
            caught.add_note(f"in cell {cell.id}")
            if "through the graph a second time" not in str(caught):
                raise
        sys.modules.update(modules)


def edit(code, old, new):
    """Put the new text into the loop, or into the first cell with the old."""
    for cell in [c for c in code if "loop" in tags(c)] + code:
        if old in cell.source:
            cell.source = cell.source.replace(old, new)
            return
    raise LookupError(f"no cell holds {old!r}: change the table")


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
        edit(code, old, new)
    last = max(i for i, cell in enumerate(code) if runner.is_check(cell))
    with pytest.raises(runner.Caught, match=re.escape(words)):
        runner.run(code[: last + 1], compare=words == runner.OUTPUT)
