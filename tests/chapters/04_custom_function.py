"""Chapter 4: Write your own gradient."""

import functools
import itertools

import numpy as np

from every_chapter import *
from reference import *

# The cells of the landscape, and of the run that stalls.
SLOW = r"\b(ways|stalled|even)\b|path\[2000"

STARTS = [(0, -1, 0, 0.3), (0, -1, 0, 0.5), (0, -1, 1, 0.3), (0, 0, 0, 0)]
STARTS.append((0, 0.5, 0.6, 0.1))
p3 = LEGENDRE.basis(3)


def legendre(w):
    """Return the loss and its slopes at these weights."""
    a, b, c, d = w
    error = a + b * p3(c + d * X) - Y
    inner = b * p3.deriv()(c + d * X)
    parts = np.array([np.ones_like(X), p3(c + d * X), inner, inner * X])
    return error @ error, 2 * parts @ error


@functools.cache
def run_from(start=STARTS[0], rate=5e-6, steps=2000):
    """Return the losses of a run of the page, and the weights around them."""
    return walk(np.array(start), legendre, [rate] * steps)


def legendre_result(n, said, axes):
    _, b, _, d = run_from()[1][-1]
    first, second = said.replace("P3", "").splitlines()
    near(numbers(first), (b, d), atol=6e-5)
    assert second.endswith("True")


def straight_through(n, said, axes):
    assert said == "from 0.25 to 0.25\nfrom 0.25 to 1.0\n"
    w = n["torch"].linspace(-1, 1, 201)
    near(n["Round"].apply(w) * 8, np.round(w.numpy() * 8))


def same_floor(n, said, axes):
    b, d, *losses = numbers(said)
    near([legendre((0, b, 0, d))[0], *losses], FLOOR, rtol=1e-4)


def landscape(n, said, axes):
    (ax,) = axes
    *runs, starts, _, _ = [np.array(x.get_data(), float) for x in ax.lines]
    lowest, saddle = (lines(ax)[name] for name in ("lowest", "saddle"))
    near(starts.T[0], (-1, 0.3))  # the page's own run is the blue one
    for run, begun in zip(runs, starts.T, strict=True):
        losses, path = run_from((0, begun[0], 0, begun[1]))
        near(run[:, 0], begun)
        near(run[:, -1], path[-1][[1, 3]], rtol=1e-3)
        assert losses[-1] < 10
    assert {np.sign(run[0, -1]) for run in runs} == {-1, 1}
    for b, d in np.transpose(lowest):
        near(legendre((0, b, 0, d))[0], FLOOR)
    near(saddle, 0, atol=1e-12)
    (drawn,) = ax.collections
    near(np.divide(drawn.levels[1:], drawn.levels[:-1]), 2)
    lightness = drawn.cmap(drawn.norm(drawn.levels))[:, 0]
    assert (np.diff(lightness) < 0).all()
    bands = itertools.pairwise([*drawn.levels[:-1], np.inf])
    for (low, high), path in zip(bands, drawn.get_paths(), strict=True):
        if low >= 60:
            for b, d in path.vertices[::20]:
                here = legendre((0, b, 0, d))[0]
                assert 0.8 * low < here < 1.2 * high  # by a coarse grid
    named(ax, "b", "d")


def five_starts(n, said, axes):
    limits, lasts, *starts = np.transpose(table(said))
    near(np.transpose(starts), STARTS)
    near(limits, [2 / steepest(legendre, s) for s in STARTS], rtol=0.05)
    near(lasts, [run_from(s)[0][-1] for s in STARTS], atol=0.06)
    assert [*(limits > 5e-6)] == [True, False, False, True, True]
    assert lasts[0] < 9 and np.isnan(lasts[1:3]).all()
    assert lasts[3] > 999 and 400 < lasts[4] < 450
    for rate in (5e-6, 5e-7):  # at any rate, those beside the saddle part
        beside = [(0, h, 0, -h) for h in (1e-6, -1e-6)]
        ends = [run_from(w, rate)[1][-1] for w in beside]
        assert np.linalg.norm(ends[0] - ends[1]) > 100 * 2e-6


def five_runs(n, said, axes):
    left, right = axes
    for ax, steps in ((left, 12), (right, 2000)):
        for line, begun in zip(ax.lines, STARTS, strict=True):
            losses, _ = run_from(begun)
            near(line.get_ydata(), losses[:steps].clip(max=1e6), rtol=1e-6)
        named(ax, "step", "loss" if ax is left else "", y_scale="log")
        height(ax, FLOOR, 1e6)
        colours(ax)
    labels = [text.get_text() for text in right.get_legend().texts]
    assert labels == ["first", "second", "third", "fourth", "fifth"]


def limit_below_the_rate(n, said, axes):
    _, never, then = said.splitlines()
    step, *until = (int(number) for number in numbers(said))
    assert until == [2000, 2500]
    losses, path = run_from(STARTS[-1], steps=3000)
    before, after = (steepest(legendre, path[step + k]) for k in (-10, 10))
    assert 2 / before > 5e-6 > 2 / after
    rises = np.diff(losses) > 0
    assert never.endswith("False") and not rises[:2000].any()
    assert then.endswith("True") and rises[2000:2500].any()


def edge_drawn(n, said, axes):
    top, bottom = axes
    losses, path = run_from(STARTS[-1], steps=3000)
    near(top.lines[0].get_ydata()[:2000], losses[:2000], rtol=1e-6)
    even, odd, rate = (np.array(x.get_data(), float) for x in bottom.lines)
    near(rate[1], 5e-6)
    for k in (0, 50, 150, 200):
        for parity, curve in enumerate((even, odd)):
            at = int(curve[0][k])
            limit = 2 / steepest(legendre, path[at + parity])
            near(curve[1][k], limit, rtol=0.02)
    low, high = sorted((even[1][-1], odd[1][-1]))
    assert low < 5e-6 < high
    named(bottom, "step", "limit", y_scale="log")
    assert top.get_ylabel() == "loss"


def why_it_creeps(n, said, axes):
    end = run_from(STARTS[-1])[1][-1]
    line = np.polyfit(X, Y, 1)
    at, root, loss = numbers(said)
    near((at, root), (end[2], 1 / np.sqrt(5)), atol=6e-3)
    near(loss, np.square(np.polyval(line, X) - Y).sum(), atol=0.06)


def chain_broken(n, said, axes):
    *climbing, verdict = said.splitlines()
    losses = [float(loss) for loss in climbing]
    near(losses[0], run_from()[0][0], atol=0.06)
    assert losses == sorted(losses) and len(losses) == 5
    assert verdict == "gradcheck: False"


def the_loop(n, said, axes):
    near(n["losses"], run_from()[0], rtol=1e-12)


def run_drawn(n, said, axes):
    a, b, c, d = (plain(n[name]) for name in "abcd")
    run_shown(axes, a + b * p3(c + d * X), run_from()[0], atol=2e-3)


def solution_1(n, said, axes):
    (rates, lasts), (limit, _) = (x.get_data() for x in axes[0].lines)
    near(limit, 2 / steepest(legendre, STARTS[1]), rtol=0.05)
    for at in (1, 6, 7):
        losses, _ = run_from(STARTS[1], rates[at])
        near(lasts[at], losses[-1], rtol=1e-6)
        assert (np.diff(losses) < 0).all()
    assert (np.diff(lasts[:8]) < 0).all() and min(lasts[8:]) == 500
    assert all(run_from(STARTS[1], r)[0][-1] > 800 for r in rates[8:])
    second = run_from(STARTS[1], 3e-6)[1][1]
    assert 2 / steepest(legendre, second) > 100 * limit[0]
    named(axes[0], "learning rate", "last loss", y_scale="log")


def solution_2(n, said, axes):
    losses, path = run_from(STARTS[-1], 1e-6)
    near(numbers(said)[0], losses[-1], atol=0.06)
    assert said.count("False") == 1 and min(w[2] for w in path) > 5**-0.5


PRINTS = r"""
p3-passes-gradcheck | ^True True$
wrong-backward-found | ^Jacobian mismatch
float32-fails-the-test | ^False.*Warning
second-slope-wrong | ^gradcheck True\ngradgradcheck False$
"""


WRONG = r"""
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
4.2 | limit = limit_at(paths[0, -1]) | at the start
4.2 | limit = limit * 1.02 | of another place
4.2 | limit = limit / 2 | of another place
4.2 | limit = "1e-5" | expected one number, got str
4.3 | Spoilt = object | made from torch.autograd.Function
4.3 | Spoilt = LegendrePolynomial2 | finds its backward right
4.3 | LegendrePolynomial2 = LegendrePolynomial3 | other values than P2
4.3 | LegendrePolynomial2 = LegendrePolynomial2.apply | the classes
4.3 | LegendrePolynomial2 = torch.autograd.Function | trying it gives
4.3 | LegendrePolynomial2 = Spoilt | gradcheck finds its backward wrong
4.3 | LegendrePolynomial2 = type("P2", (LegendrePolynomial2,), {"backward": \
staticmethod(lambda ctx, g: 3 * ctx.saved_tensors[0])}) | by grad_output
"""


BROKEN = r"""
5 * z**2 - 1) | 5 * z**2 - 3) | Jacobian mismatch
1.5 * (5 | 15 * (5 | Jacobian mismatch
return grad_output * | return | Jacobian mismatch
w.grad = None | pass | gradients zeroed
rate = 5e-6 | rate = 5e-7 | learning rate
0.5 * (5 * z**3 | 0.6 * (5 * z**3 | Jacobian mismatch
start = (0, -1, 0, 0.3) | start = (0, -1, 0, 0.2) | start
"""


LEGENDRE_D = np.sqrt(-3 * BEST[3] / (5 * BEST[1]))
LEGENDRE_B = -2 * BEST[1] / (3 * LEGENDRE_D)
POWERS = np.polyfit(X, 7 * p3(2 * X), 3)  # of b = 7 and d = 2


FORMULAS = {
    r"y = a + b\,P_3(c + dx)": None,
    r"P_3'(c)": None,
    r"c = 0": None,
    r"a = c = 0": None,
    r"x = 0": None,
    r"P_3(z) = \tfrac12 (5z^3 - 3z), \qquad"
    r" P_3'(z) = \tfrac32 (5z^2 - 1)": lambda: (
        close(p3(X), (5 * X**3 - 3 * X) / 2)
        and close(p3.deriv()(X), 1.5 * (5 * X**2 - 1))
    ),
    r"-\tfrac32 bd": lambda: close(POWERS[2], -1.5 * 7 * 2),
    r"\tfrac52 bd^3": lambda: close(POWERS[0], 2.5 * 7 * 2**3),
    r"d = \sqrt{-\frac{3\delta}{5\beta}}, \qquad"
    r" b = -\frac{2\beta}{3d}": lambda: close(
        np.polyfit(X, LEGENDRE_B * p3(LEGENDRE_D * X), 3)[[0, 2]],
        BEST[[3, 1]],
    ),
    r"2/\lambda_{\max}": lambda: close(LIMIT, 2 / CURVATURES[-1]),
    r"-1/\sqrt5": lambda: close(p3.deriv()(-(5**-0.5)), 0),
    r"1/\sqrt5": lambda: close(p3.deriv()(5**-0.5), 0),
    r"P_2(z) = \tfrac12(3z^2 - 1)": lambda: close(
        LEGENDRE.basis(2)(X), (3 * X**2 - 1) / 2
    ),
}
