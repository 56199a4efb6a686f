"""A chapter run as learners do: twice, and with answers right and wrong.

No printed number sits so close to its rounding edge that it might flip, all
outputs are the stored ones, also when the cells are run once more, and the
check of an exercise lets its solution pass, and it alone.
"""

import ast
import contextlib

import pytest
from coverage import Coverage

import copies
import exercises
import runner
import sinefit
from conftest import NOTEBOOKS, each_chapter, enter

# What two machines may differ by, with room for differences of numbers.
TOLERANCE = 1e-10
TODO = "nothing to check yet"
# An answer that learners give, and words of the sentence that it must get.
WRONG = """
1.1 | arrived = 2000 | too early
1.1 | arrived += 1 | has been there before
1.2 | best_rate = 2 / eigenvalues.max() | not 2 over the sum
1.2 | arrived = 3607 | at another step
1.3 | broken = losses | of the right gradient
1.3 | broken = 3 | expected a list of losses, got int
1.3 | broken = again | that of the book's start
2.1 | shape = (1,) | 1 axes
2.1 | kind = torch.float32 | not torch.float32
2.1 | plain = torch.Tensor | that Python has
2.2 | message = "expected 2000 losses" | another mistake
2.2 | message = len(message) | expected text, got int
2.3 | message = "Expected a float" | another error
3.1 | gradient = 1 | from one backward
3.1 | gradient = 0.5 | Which slope
3.2 | loss = losses[-1] | is not where the run ends
3.2 | loss = piled[-1] | swings without friction
3.2 | loss = losses | expected one number, got list
3.3 | message = "element 0 of tensors" | another error
4.1 | ratio = -1 | never negative
4.1 | ratio = 2 | what does P3 do
4.2 | ends = ends.flip(0) | comes first
4.2 | ends = 148.3 | of no use to the check
4.2 | ends = [float("nan"), 8.9] | another learning rate
4.3 | Spoilt = object | of no use to the check
4.3 | Spoilt = LegendrePolynomial2 | finds its backward right
4.3 | LegendrePolynomial2 = LegendrePolynomial3 | other values than P2
5.1 | numbers = 7 | What else
5.1 | degree = 8 | the highest power
5.2 | linear = torch.nn.Linear(4, 1) | a bias of its own
5.2 | loss = loss / 2000 | not the first one
5.3 | piled = losses | are zeroed at each step
5.3 | piled = losses[:2] | expected 3 losses or more
6.1 | left = 0.999**2000 | shrinks by its root
6.1 | left = 0.9 | the factor of one step
6.2 | rate = rate**0.5 | this is its root
6.2 | beta = beta**0.5 | Is it squared
6.2 | arrived += 1 | at another step
6.3 | stuck = losses | these losses move
7.1 | count = 6 | learned once
7.1 | count = 2 | not the names
7.2 | limit = limit / 2 | over the largest eigenvalue
7.2 | losses5 = losses[:] | the run ends at
7.3 | message = "ok" | another thing
"""


def wrong_answers(name):
    rows = [line.split(" | ") for line in WRONG.strip().splitlines()]
    return [row[1:] for row in rows if row[0] == name]


class Watch(ast.NodeTransformer):
    """See each number that an f-string formats, and keep those on an edge."""

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
        if spec[-1:] in "efg":
            self.seen += 1
            number = value.item() if hasattr(value, "item") else value
            # a number that is fixed after the point may come close to zero
            least = 1e-2 if spec[-1] == "f" else 0
            shift = TOLERANCE * max(abs(number), least)
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


def try_answers(name, stub, check, before, after):
    """Give no answer, and wrong ones; each must get its sentence."""
    runner.run_text(stub, before)
    assert f"NotYet: Exercise {name}: {TODO}" in told(check, before)
    assert wrong_answers(name)
    for answer, words in wrong_answers(name):
        names = dict(after)
        with untraced():
            runner.run_text(answer, names)
        sentence = told(check, names)
        assert sentence.startswith(f"NotYet: Exercise {name}: "), answer
        assert words in sentence, (answer, sentence)


@contextlib.contextmanager
def untraced():
    """Let coverage rest, which would slow what is not the modules' own."""
    tracer = Coverage.current()
    if tracer:
        tracer.stop()
    yield
    if tracer:
        tracer.start()


@each_chapter
def test_a_chapter_and_its_exercises_as_learners_run_them(path, monkeypatch):
    enter(monkeypatch, NOTEBOOKS)
    _, found = copies.read(path)
    cells = runner.cells(path)
    names, watch, done = {"__name__": "__main__"}, Watch(), 0

    def go_on(start, end):
        code = [c for c in cells[start:end] if c.cell_type == "code"]
        with untraced():
            runner.run(code, names, compare=True, watch=watch)

    for name, solution, stub in found:
        check = cells[solution + 1]
        go_on(done, solution)
        before = dict(names)
        go_on(solution, solution + 1)
        try_answers(name, stub, check, before, names)
        assert told(check, names) == runner.printed(check)
        done = solution + 2
    go_on(done, None)
    go_on(0, None)
    assert watch.seen > 20
    assert not watch.on_edge


def test_an_edge_is_seen():
    watch = Watch()
    watch.see(0.25 + 1e-13, ".1f")
    watch.see(-1e-17, ".4f")
    assert len(watch.on_edge) == 2


@pytest.mark.parametrize("rtol", [1e-12, 1e-4])
def test_the_check_prints_no_more_digits_than_it_checks(rtol, capsys):
    losses, weights = sinefit.predict()
    said = set()
    for factor in (1 - 0.9 * rtol, 1, 1 + 0.9 * rtol):
        sinefit.check(losses * factor, weights, rtol=rtol)
        lines = capsys.readouterr().out.splitlines()
        said.add(tuple(line for line in lines if "difference" not in line))
    assert len(said) == 1


def test_a_learner_sees_the_sentence_alone():
    with pytest.raises(exercises.NotYet) as caught:
        exercises.check("1.1", ...)
    assert caught.value._render_traceback_() == [str(caught.value)]
    with pytest.raises(ValueError, match=r"expected one of .*'1.1'"):
        exercises.check("8.1", 1)
