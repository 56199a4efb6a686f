"""A chapter run as learners do, with answers right and wrong.

No printed number sits so close to its rounding edge that it might flip, all
outputs are the stored ones, and the check of an exercise lets its solution
pass, and it alone. That they are also the stored ones when the cells are run
once more, make test-long shows.
"""

import ast
import contextlib
import re

import numpy as np
import pytest
import torch
from coverage import Coverage

import copies
import exercises
import runner
import sinefit
from conftest import CHAPTERS, NOTEBOOKS, enter, long
from shows import SAYS, SHOWS, hold

# What two machines may differ by, with room for differences of numbers.
TOLERANCE = 1e-10
TODO = "nothing to check yet"
# Cells that train once more, start processes or take times: in make test
# nbval alone runs them, here make test-long does.
PARTLY = {
    "08_network": re.compile(r"for (seed|units) in"),
    "10_scale": re.compile(r"torchrun|seconds\(|\b(folder|file)\b"),
}
# An answer that learners give, and words of the sentence that it must get.
WRONG = """
1.1 | guess = "soon" | expected one number, got str
1.1 | arrived -= 1 | too early
1.1 | arrived = 2000 | too early
1.1 | arrived = 0 | what argmax gives when it finds nothing
1.1 | arrived += 1 | has been there before
1.1 | arrived = losses | expected one number, got list
1.2 | best_rate *= 1.0002 | not equally slow
1.2 | best_rate = 2 / eigenvalues.max() | not equally slow
1.2 | best_rate = 2 / eigenvalues[:2].sum() | not equally slow
1.2 | arrived = 3607 | at another step
1.2 | arrived += 1 | at another step
1.2 | arrived -= 1 | at another step
1.3 | broken = losses | of the right gradient
1.3 | broken = 3 | expected a list of losses, got int
1.3 | broken = again | that of the book's start
1.3 | broken = broken[:1999] | expected 2000 losses, got 1999
1.3 | broken = [*broken, 0] | expected 2000 losses, got 2001
1.3 | broken = [*losses, *broken] | Start from an empty list
1.3 | broken = [x * (1 - 1e-4 * (x < 50)) for x in broken] | broken as well
1.3 | falls = 2000 | compare each loss
1.3 | falls = 1998 | compare each loss
2.1 | kinds = kinds[::-1] | PyTorch says otherwise
2.1 | kinds = [torch.float64] * 3 | PyTorch says otherwise
2.1 | guess = "float32" | guess: expected a list of three
2.1 | guess = [1, 2, 3] | got 1
2.1 | kinds = torch.float32 | kinds: expected a list of three
2.2 | errors = [1e-9] * 6 | too small for float32
2.2 | errors = [*errors[:5], 0.013] | weights all in float32
2.2 | errors = [353 * e for e in errors] | Is it relative
2.2 | errors = errors[:5] | expected 6 numbers, got 5
2.2 | errors = errors[::-1] | the first, 0.
2.2 | errors = [2 * e + 1 for e in errors] | step both ways
2.2 | errors = [*errors[:5], 100] | larger than rounding
2.2 | errors = [-1e-7] * 6 | too small for float32
2.2 | errors = 3 | expected a list of 6 numbers, got int
2.3 | message = "Expected a float" | another error
2.3 | message = len(message) | expected text, got int
3.1 | gradient = 1 | what one backward() gives
3.1 | gradient = 0.5 | not 0.5
3.1 | gradient = 4 | not 4
3.1 | guess = None | guess: expected one number
3.2 | arrived = 0 | when it finds nothing
3.2 | arrived = 3607 | without momentum
3.2 | arrived = 340 | not at step 340
3.2 | arrived += 1 | less than 0.001 above
3.2 | arrived -= 1 | keep 0.9
3.2 | arrived = losses | expected one number, got list
3.3 | message = "element 0 of tensors" | another error
4.1 | guess = 1e-6 | one of the two rates
4.1 | ends = ends[::-1] | the other way round
4.1 | ends = [148.3, 8.9] | another learning rate
4.1 | ends = [8.9, 12.2] | another learning rate
4.1 | ends = [runs[:, 0], runs[:, 1]] | got list of Tensor
4.1 | ends = [end * 1.01 for end in ends] | another learning rate
4.1 | ends = 148.3 | expected a list of 2 numbers, got float
4.1 | ends = [float("nan"), 12.2] | another learning rate
4.2 | end = runs[-1, 4] | the page's own rate
4.2 | end = end * 1.01 | another rate
4.2 | end = end * 0.99 | another rate
4.2 | limit = limit_at(path[0, 0]) | at the start
4.2 | limit = limit * 1.02 | of another place
4.2 | limit = limit / 2 | of another place
4.2 | limit = "1e-5" | of another place
4.3 | Spoilt = object | made from torch.autograd.Function
4.3 | Spoilt = LegendrePolynomial2 | finds its backward right
4.3 | LegendrePolynomial2 = LegendrePolynomial3 | other values than P2
4.3 | LegendrePolynomial2 = LegendrePolynomial2.apply | the classes
4.3 | LegendrePolynomial2 = torch.autograd.Function | trying it gives
4.3 | LegendrePolynomial2 = Spoilt | gradcheck finds its backward wrong
5.1 | count = 7 | What else
5.1 | count = 9 | not 9. Add up
5.1 | count = 2 | Add up the numbers
5.1 | degree = 8 | the highest power
5.1 | degree = 6 | the highest power
5.2 | linear = torch.nn.Linear(4, 1) | a bias of its own
5.2 | linear = torch.nn.Linear(3, 1) | four inputs
5.2 | loss = loss / 2000 | is it the sum
5.2 | loss = loss + 0.01 | not the first one
5.2 | linear = torch.nn.Linear(4, 1, bias=False) | not the start
5.2 | w, linear = linear.weight.data, torch.nn.Linear(4, 1, bias=False); \
linear.weight.data.copy_(w.flip(1)) | not the start
5.2 | w, linear = linear.weight.data, torch.nn.Linear(4, 1, bias=False); \
linear.weight.data.copy_(w) | expected float64, got torch.float32
5.3 | message = "element 0 of tensors does not require grad" | another error
5.3 | message = TypeError(message) | expected text, got TypeError
6.1 | guess = 1 | guess: one of
6.1 | rate = 1e-2 | another of the four
6.1 | rate = 1e-1 | rate: one of
6.1 | guess = "soon" | expected one number
6.1 | arrived = 257 | at another step
6.1 | arrived += 1 | at another step
6.1 | arrived -= 1 | at another step
6.2 | rate = rate**0.5 | this is its root
6.2 | rate, beta = beta, rate | swapped rate and beta
6.2 | rate = rate * 1.01 | They are 1727.5 and 562121.9
6.2 | beta = beta**0.5 | Is it squared
6.2 | beta = beta * 0.99 | the formula gives another
6.2 | arrived += 1 | at another step
6.2 | arrived -= 1 | at another step
6.3 | stuck = losses | these losses move
6.3 | stuck = stuck[:2] | expected 3 losses or more
7.1 | count = 6 | learned once
7.1 | count = 2 | numbers, not tensors
7.1 | guess = [] | guess: expected one number
7.2 | legendre = Legendre | expected a module
7.2 | legendre = polynomial.Polynomial(3, dtype=dtype) | no buffer
7.2 | legendre = polynomial.Polynomial(4, dtype=dtype) | learns 5 numbers
7.2 | legendre = Legendre(); legendre.factors[1] = 1 | does not hold the roots
7.2 | run = [r * (1 + 1e-5) for r in run] | it begins at 999.51
7.2 | run = run[:19] | expected 20 numbers, got 19
7.2 | run = 8.8 | expected a list of 20 numbers, got float
7.2 | run = losses[:20] | the weights zero at first
7.2 | run = [*run[:19], 9.0] | Is the rate 2e-4
7.2 | run = [*run[:19], 8.0] | Is the rate 2e-4
7.2 | legendre = Legendre() | the one that was fitted
7.3 | message = "ok" | another thing
7.3 | message = "the loss is inf at step 1: rebuild" | give up at step 1 with
7.3 | message = "the loss is inf at step 231: rebuild" | give up at step 231
7.3 | message = "the loss is inf at step 53: rebuild" | give up at step 53
8.1 | count = 4 | the odd ones as well
8.1 | count = 2 | above the floor
8.1 | count = 2.5 | a whole number from 1 to 8
8.1 | count = 9 | a whole number from 1 to 8
8.1 | guess = None | guess: expected one number
8.2 | relu = by_hand | that of tanh
8.2 | relu = relu[1:] | expected 2000 numbers, got 1999
8.2 | relu = [r / 2000 for r in relu] | Is the start the page's
8.2 | relu = [*relu[:1], *(1.01 * r for r in relu[1:])] | off by 1e-02
8.2 | relu = relu[:1999] + [3.2] | loss 1999 is
8.2 | relu = [*relu[:1], *(r * (1 + 1e-6) for r in relu[1:])] | rate of 1e-5?
8.3 | stuck = 8.8 | no curve between -1 and 1
8.3 | stuck = 812.1 | another run
8.3 | stuck = 805 | another run
8.3 | lowest = 690 | lowest: not 690
8.3 | lowest = 808.1 | lowest: not 808.1
8.3 | stuck = [stuck] * 2 | expected one number, got list
9.1 | ends = runs[-1] | where batches of 20 end
9.1 | ends = ends - 2 | their mean is 8.
9.1 | ends = ends - 0.7 | not the losses of a thousand runs
9.1 | ends = ends + 0.7 | not the losses of a thousand runs
9.1 | ends = ends * float("nan") | not the losses of a thousand runs
9.1 | ends = ends[:999] | expected 1000 numbers, got 999
9.1 | ends = [10.9] * 1000 | not the losses of a thousand runs
9.1 | ends = ends.mean() | expected a list of 1000 numbers
9.1 | guess = "more" | guess: expected one number
9.2 | error = 0.72 | more than luck
9.2 | error = 5 | Does x come round
9.2 | error = 0 | a number above 0
9.2 | error = [0.2, 0.3] | error: expected one number
9.2 | mine = mine[:19] | expected 20 or more, got 19
9.2 | mine = 3 | expected a column of numbers, got int
9.2 | mine = ["a"] * 30 | expected a column of numbers, got list of str
9.3 | in_order = losses | the first loss is
9.3 | in_order = in_order[:1999] | 2000 losses or more, got 1999
9.3 | in_order = [*in_order, 1] | expected 2000 losses, got 2001
9.3 | in_order = sinefit.predict()[0] | loss 1 is
9.3 | in_order = [*in_order[:1999], 35.23] | loss 1999 is
9.3 | in_order = 35.22 | expected a list of losses, got float
10.1 | last = losses[-1] | that is where one process ends
10.1 | last = averaged(halves, 1e-6)[-1] | where two processes end
10.1 | last = last * 1.001 | not the last loss of four parts
10.1 | last = last * 0.999 | not the last loss of four parts
10.1 | last = [last] * 2 | last: expected one number
10.1 | guess = "less" | guess: expected one number
10.2 | ends = ends[1:] | expected 1000 numbers, got 999
10.2 | ends = ends.flip(0) | at the rate 1e-07 the loss at the last step is
10.2 | ends = ends * 1.001 | in float64, and is the floor added
10.2 | ends = ends - floor | Do you take 1999 steps
10.2 | ends = 8.817 | expected a list of 1000 numbers, got float
10.2 | best = 3.6e-6 | the lowest of ends, got 3.6e-06
10.2 | best = best * 0.999 | the lowest of ends
10.2 | best = best * 1.001 | the lowest of ends
10.3 | lasts = lasts[:2] | expected 3 numbers, got 2
10.3 | lasts = [losses[-1], *lasts[1:]] | of 2 processes it is 9.14126
10.3 | lasts = [lasts[0], lasts[0] + 1, lasts[2]] | of 3 processes it is 9.8
10.3 | lasts = [*lasts[:2], 8.817] | of 4 processes it is 8.817
10.3 | most = 4 | 4 is too many
10.3 | most = 2 | 2 is not the largest number
10.3 | most = "three" | most: expected one number
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
        if spec[-1:] in "efg" and abs(value) < float("inf"):
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


def show(cell, names, said, axes):
    """Hold a cell to what it is there to show."""
    if cell.id in SHOWS.keys() | SAYS.keys():
        hold(cell.id, names, said, axes)
    else:
        by_others = {"loop", "check", "verify", "solution"}
        told = by_others & {*runner.tags(cell)} or "loop_diff" in cell.source
        assert told or not (said or axes), f"nothing in shows.py: {cell.id}"


@pytest.mark.parametrize(
    ("path", "left_out"),
    [
        *(
            pytest.param(path, PARTLY.get(path.stem), id=path.stem)
            for path in CHAPTERS
        ),
        *(
            pytest.param(path, None, marks=pytest.mark.long, id=path.stem)
            for path in CHAPTERS
            if path.stem in PARTLY
        ),
    ],
)
def test_a_chapter_and_its_exercises_as_learners_run_them(
    path, left_out, monkeypatch
):
    enter(monkeypatch, NOTEBOOKS)
    _, found = copies.read(path)
    cells = runner.cells(path)
    names, watch, done = {"__name__": "__main__"}, Watch(), 0

    def go_on(start, end):
        code = [
            cell
            for cell in cells[start:end]
            if cell.cell_type == "code"
            and not (left_out and left_out.search(cell.source))
        ]
        with untraced():
            runner.run(code, names, True, watch, show)

    for name, solution, stub in found:
        check = cells[solution + 1]
        go_on(done, solution)
        before = dict(names)
        go_on(solution, solution + 1)
        try_answers(name, stub, check, before, names)
        assert told(check, names) == runner.printed(check)
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


@pytest.mark.parametrize("path", long(CHAPTERS))
def test_a_chapter_says_the_same_once_more_with_other_last_bits(
    path, monkeypatch
):
    enter(monkeypatch, NOTEBOOKS)
    code, names = runner.cells(path, "code"), {"__name__": "__main__"}
    for seed in (1, 2):
        with monkeypatch.context() as context:
            round_otherwise(context, seed)
            runner.run(code, names, compare=True)


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
        exercises.check("0.1", 1)
