"""Chapter 4: Write your own gradient."""

import functools
import re

import numpy as np

import sinefit
from by_hand import *
from every_chapter import *


def p3(z):
    return LEGENDRE([0, 0, 0, 1])(z)


def legendre_loss(w):
    a, b, c, d = w
    return np.square(a + b * p3(c + d * X) - Y).sum()


STARTS = [(0, -1, 0, 0.3), (0, -1, 0, 0.5), (0, -1, 1, 0.3), (0, 0, 0, 0)]


STARTS.append((0, 0.5, 0.6, 0.1))


def path_from(w, rate, steps):
    """Return the losses, and the weights, before each of so many steps."""
    losses, path = [], []
    slope = LEGENDRE([0, 0, 0, 1]).deriv()
    for _ in range(steps):
        path.append(np.array(w))
        a, b, c, d = w
        error = a + b * p3(c + d * X) - Y
        losses.append(error @ error)
        inner = b * slope(c + d * X)
        parts = np.ones_like(X), p3(c + d * X), inner, inner * X
        w = w - rate * 2 * np.array([part @ error for part in parts])
    return np.array(losses), path


@functools.cache
def stalled():
    """Return the same for the last start, at the page's rate."""
    return path_from(STARTS[-1], 5e-6, 3000)


@functools.cache
@np.errstate(over="ignore", invalid="ignore")  # some runs diverge
def legendre_run(*start):
    """Return the losses and weights of chapter 4's run from there."""
    return sinefit.predict_legendre(start=start)


def limit_near(w, h=1e-4):
    """Return 2 over the largest curvature, by differences of the loss."""
    steps = h * np.eye(4)
    H = [
        [
            sum(
                s * t * legendre_loss(np.add(w, s * u + t * v))
                for s in (1, -1)
                for t in (1, -1)
            )
            for u in steps
        ]
        for v in steps
    ]
    return 2 / np.linalg.eigvalsh(np.array(H) / (4 * h * h)).max()


def legendre_result(n, said, axes):
    _, (_, b, _, d) = sinefit.predict_legendre()
    first, second = said.replace("P3", "").splitlines()
    near(numbers(first), (b, d), atol=6e-5)
    assert second.endswith("True")


def straight_through(n, said, axes):
    assert said == "from 0.25 to 0.25\nfrom 0.25 to 1.0\n"
    w = n["torch"].linspace(-1, 1, 201)
    near(n["Round"].apply(w) * 8, np.round(w.numpy() * 8))


def same_floor(n, said, axes):
    b, d, *losses = numbers(said)
    near([legendre_loss((0, b, 0, d)), *losses], FLOOR, rtol=1e-4)


def landscape(n, said, axes):
    (ax,) = axes
    *runs, starts, lowest, saddle = [
        np.array(x.get_data(), float) for x in ax.lines
    ]
    near(starts.T[0], (-1, 0.3))  # the page's own run is the blue one
    for run, begun in zip(runs, starts.T, strict=True):
        begin = (0, begun[0], 0, begun[1])
        losses, end = legendre_run(*begin)
        near(run[:, 0], begun)
        near(run[:, -1], end[[1, 3]], rtol=1e-3)
        assert losses[-1] < 10
    assert {np.sign(run[0, -1]) for run in runs} == {-1, 1}
    for b, d in lowest.T:
        near(legendre_loss((0, b, 0, d)), FLOOR)
    near(saddle, 0, atol=1e-12)
    (drawn,) = ax.collections
    near(np.divide(drawn.levels[1:], drawn.levels[:-1]), 1.6)
    for level, path in zip(drawn.levels, drawn.get_paths(), strict=True):
        if level >= 60:
            at = [legendre_loss((0, b, 0, d)) for b, d in path.vertices[::20]]
            near(at, np.full(len(at), level), rtol=0.15)
    named(ax, "b", "d")


def five_starts(n, said, axes):
    rows = [numbers(line) for line in said.splitlines()]
    ends = []
    for limit, end, *begun in rows:
        near(limit, limit_near(begun), rtol=0.05)
        losses, _ = legendre_run(*begun)
        near(end, losses[-1], atol=0.06)
        ends.append((5e-6 < limit, end))
    within, lasts = zip(*ends, strict=True)
    assert within == (True, False, False, True, True)
    assert lasts[0] < 9 and np.isnan(lasts[1:3]).all()
    assert lasts[3] > 999 and 400 < lasts[4] < 450
    for rate in (5e-6, 5e-7):  # at any rate, those beside the saddle part
        beside = [(0, h, 0, -h) for h in (1e-6, -1e-6)]
        ends = [sinefit.predict_legendre(rate, w)[1] for w in beside]
        assert np.linalg.norm(ends[0] - ends[1]) > 100 * 2e-6


def five_runs(n, said, axes):
    left, right = axes
    for ax, steps in ((left, 12), (right, 2000)):
        for line, begun in zip(ax.lines, STARTS, strict=True):
            losses, _ = legendre_run(*begun)
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
    losses, path = stalled()
    assert limit_near(path[step - 10]) > 5e-6 > limit_near(path[step + 10])
    rises = np.diff(losses) > 0
    assert never.endswith("False") and not rises[:2000].any()
    assert then.endswith("True") and rises[2000:2500].any()


def edge_drawn(n, said, axes):
    top, bottom = axes
    losses, path = stalled()
    near(top.lines[0].get_ydata()[:2000], losses[:2000], rtol=1e-6)
    even, odd, rate = (np.array(x.get_data(), float) for x in bottom.lines)
    near(rate[1], 5e-6)
    for k in (0, 50, 150, 200):
        for parity, curve in enumerate((even, odd)):
            at = int(curve[0][k])
            near(curve[1][k], limit_near(path[at + parity]), rtol=0.02)
    low, high = sorted((even[1][-1], odd[1][-1]))
    assert low < 5e-6 < high
    named(bottom, "step", "limit", y_scale="log")
    assert top.get_ylabel() == "loss"


def why_it_creeps(n, said, axes):
    _, end = legendre_run(*STARTS[-1])
    line = np.polyfit(X, Y, 1)
    at, root, loss = numbers(said)
    near((at, root), (end[2], 1 / np.sqrt(5)), atol=6e-3)
    near(loss, np.square(np.polyval(line, X) - Y).sum(), atol=0.06)


def chain_broken(n, said, axes):
    *climbing, verdict = said.splitlines()
    losses = [float(loss) for loss in climbing]
    near(losses[0], legendre_loss((0, -1, 0, 0.3)), atol=0.06)
    assert losses == sorted(losses) and len(losses) == 5
    assert verdict == "gradcheck: False"


def the_loop(n, said, axes):
    losses, _ = legendre_run(*STARTS[0])
    near(n["losses"], losses, rtol=1e-12)


def p3_passes_gradcheck(n, said, axes):
    assert said == "True True\n"


def wrong_backward_found(n, said, axes):
    assert said.startswith("Jacobian mismatch")


def float32_fails_the_test(n, said, axes):
    assert said.startswith("False") and "Warning" in said


def second_slope_wrong(n, said, axes):
    assert re.findall("True|False", said) == ["True", "False"]


def solution_1(n, said, axes):
    (rates, lasts), (limit, _) = (x.get_data() for x in axes[0].lines)
    near(limit, limit_near(STARTS[1]), rtol=0.05)
    for at in (1, 6, 7):
        losses, _ = sinefit.predict_legendre(rates[at], STARTS[1])
        near(lasts[at], losses[-1], rtol=1e-6)
        assert (np.diff(losses) < 0).all()
    assert (np.diff(lasts[:8]) < 0).all() and min(lasts[8:]) > 800
    _, (_, second) = path_from(STARTS[1], 3e-6, 2)
    assert limit_near(second) > 100 * limit[0]
    named(axes[0], "learning rate", "last loss", y_scale="log")


def solution_2(n, said, axes):
    losses, (*_, c, _) = sinefit.predict_legendre(1e-6, start=STARTS[-1])
    near(numbers(said)[0], losses[-1], atol=0.06)
    assert said.count("False") == 1 and c > 0.45


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
4.2 | limit = limit_at(path[0, 0]) | at the start
4.2 | limit = limit * 1.02 | of another place
4.2 | limit = limit / 2 | of another place
4.2 | limit = "1e-5" | expected one number, got str
4.3 | Spoilt = object | made from torch.autograd.Function
4.3 | Spoilt = LegendrePolynomial2 | finds its backward right
4.3 | LegendrePolynomial2 = LegendrePolynomial3 | other values than P2
4.3 | LegendrePolynomial2 = LegendrePolynomial2.apply | the classes
4.3 | LegendrePolynomial2 = torch.autograd.Function | trying it gives
4.3 | LegendrePolynomial2 = Spoilt | gradcheck finds its backward wrong
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


FORMULAS = {
    r"y = a + b\,P_3(c + dx)": None,
    r"P_3'(c)": None,
    r"c = 0": None,
    r"a = c = 0": None,
    r"x = 0": None,
    r"P_3(z) = \tfrac12 (5z^3 - 3z), \qquad"
    r" P_3'(z) = \tfrac32 (5z^2 - 1)": lambda: (
        close(p3(X), (5 * X**3 - 3 * X) / 2)
        and close(LEGENDRE.basis(3).deriv()(X), 1.5 * (5 * X**2 - 1))
    ),
    r"-\tfrac32 bd": lambda: close(
        np.polyfit(X, 7 * p3(2 * X), 3)[2], -1.5 * 7 * 2
    ),
    r"\tfrac52 bd^3": lambda: close(
        np.polyfit(X, 7 * p3(2 * X), 3)[0], 2.5 * 7 * 2**3
    ),
    r"d = \sqrt{-\frac{3\delta}{5\beta}}, \qquad"
    r" b = -\frac{2\beta}{3d}": lambda: close(
        np.polyfit(X, LEGENDRE_B * p3(LEGENDRE_D * X), 3)[[0, 2]],
        BEST[[3, 1]],
    ),
    r"2/\lambda_{\max}": lambda: close(LIMIT, 2 / CURVATURES[-1]),
    r"-1/\sqrt5": lambda: close(LEGENDRE.basis(3).deriv()(-(5**-0.5)), 0),
    r"1/\sqrt5": lambda: close(LEGENDRE.basis(3).deriv()(5**-0.5), 0),
    r"P_2(z) = \tfrac12(3z^2 - 1)": lambda: close(
        LEGENDRE.basis(2)(X), (3 * X**2 - 1) / 2
    ),
}
