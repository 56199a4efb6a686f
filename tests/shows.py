"""What the cells of the chapters are there to show, found in another way.

SHOWS has a function for each cell that prints or draws: it gets the chapter's
names, what the cell printed, and the axes that it drew on. NumPy, loops and
finite differences stand here against formulas, PyTorch and helpers there.
SAYS has the words without which a number, or a line, would mean another.
"""

import functools
import re

import numpy as np
import pytest
import torch

import sinefit
from conftest import NOTEBOOKS
from runner import descend

SHOWS = {}
X, Y = sinefit.data()
V = np.vander(X, 4, increasing=True)
BEST = np.linalg.solve(V.T @ V, V.T @ Y)
FLOOR = np.square(V @ BEST - Y).sum()
AXES = np.linalg.svd(V)[2][::-1]  # of the bowl, the flattest first
CURVATURES = [2 * np.square(V @ axis).sum() for axis in AXES]
LIMIT = 1 / np.linalg.norm(V, 2) ** 2
TIMES = "\N{MULTIPLICATION SIGN}"
RATES = {"1e-6": 1e-6, f"0.999 {TIMES} limit": 0.999 * LIMIT}


def shows(*cells):
    """Make the function what these cells, by id, have to show."""

    def keep(function):
        SHOWS.update(dict.fromkeys(cells, function))
        return function

    return keep


def plain(values):
    """Return numbers, lists, arrays or tensors as an array."""
    values = values.tolist() if hasattr(values, "tolist") else values
    return np.array(values, dtype=float)


def near(values, expected, rtol=1e-9, atol=0.0):
    """Compare two numbers, lists, arrays or tensors."""
    np.testing.assert_allclose(plain(values), plain(expected), rtol, atol)


def numbers(said):
    """Return the numbers in what was printed."""
    found = re.findall(r"-?\d+\.?\d*(?:e[+-]?\d+)?|nan|inf", said)
    return [float(number) for number in found]


def lines(ax):
    """Return x and y of each line with a label."""
    drawn = [(line.get_label(), line.get_data()) for line in ax.lines]
    return {k: np.array(v, float) for k, v in drawn if not k.startswith("_")}


def texts(ax):
    """Return what is written in the axes."""
    return [text.get_text() for text in ax.texts]


def named(ax, x, y, x_scale="linear", y_scale="linear"):
    """Tell names and scales of the axes, the right way up."""
    assert (ax.get_xlabel(), ax.get_ylabel()) == (x, y)
    assert (ax.get_xscale(), ax.get_yscale()) == (x_scale, y_scale)
    assert not (ax.xaxis_inverted() or ax.yaxis_inverted())


def level_and_fourfold(ax, loss_at):
    """Hold each grey line to one height, four times that of the next one."""
    rings = [line for line in ax.lines if line.get_zorder() == 1]
    heights = []
    for ring in rings:
        some = [loss_at(*point) for point in ring.get_xydata()[::10]]
        near(some, some[0], rtol=1e-2, atol=1e-9)
        heights.append(some[0])
    near(np.divide(heights[1:], heights[:-1]), 4, rtol=1e-2)
    assert len(heights) == 7


def height(ax, low, high):
    """See that the axes are as high as what they show, or somewhat higher."""
    bottom, top = ax.get_ylim()
    assert low / 100 < bottom <= low < high <= top < high * 100


def colours(ax):
    """Tell the lines of a figure apart by colour and by style."""
    looks = [(n.get_color(), str(n.get_linestyle())) for n in ax.lines]
    assert len({color for color, _ in looks}) == len(looks)


# Words that a cell prints, or that stand in its picture; # is any number.
SAYS = {
    "b4ee9939": "(#,) float64",
    "e92e8a90": "past the limit: False c past #: True",
    "239cfc3e": "# by hand, # measured",
    "e985a7f3": "sin(x) fit loss floor",
    "c8cb8960": "floor #, the run ended at #",
    "bowl0001": "# by the formula, # by the sum",
    "4472cd8f": "curvature shares of a, b, c, d, without sign",
    "b5b785c4": "largest relative difference: #",
    "f2dee037": "curvature # # # # run",
    "bowl0004": "factors [# # # #] steps to halve [# # # #] in the last loss",
    "70895ed7": "stable below #; for the mean #",
    "bowl0006": "curvature # # # #",
    "a4d20264": f"# # {TIMES} limit # {TIMES} limit floor",
    "ac9e8a64": f"# {TIMES} limit: # # {TIMES} limit: # factors at #: [",
    "74bceb6a": "is #, expected #. No update yet: look at start",
    "cea63c5e": "torch.Size([#]) torch.float64 cpu",
    "488c33ce": "torch.float32 # torch.float64 #",
    "7fa83b69": "# losses are as expected, to #",
    "29a98b08": "False",
    "34344fda": "SumBackward0 None",
    "adfc75ea": "# by autograd, # by hand",
    "auto0008": "# losses are as expected, to #",
    "5963cd27": "not zeroed zeroed floor",
    "ba4f4650": "One update is right, two are not: are the gradients zeroed?",
    "auto0011": "not zeroed",
    "66155a37": "one swing in # steps " * 3,
    "401d458d": "leaf Variable that requires grad is being used in",
    "5c629d55": "d has moved: False",
    "auto0014": "does not require grad and does not have a grad_fn",
    "c7277d6e": "True True",
    "92292f3c": "Jacobian mismatch",
    "383f099a": "y = # P#(# x) a and c stay at zero: True",
    "e1cabbab": "b #, d #: loss #, floor #",
    "land0001": "start lowest saddle",
    "e027451e": "limit # end nan [",
    "edge0004": "limit below the rate from step # "
    "the loss rises before step #: False the loss rises before step #: True",
    "edge0002": "even steps odd steps",
    "5649421d": "c is now #, past # the best straight line has loss #",
    "ce5f6450": "False and a warning: UserWarning",
    "gone0001": "gradcheck True gradgradcheck False",
    "shap0001": "x # unsqueeze",
    "b1503dad": "sum #, should be # mean #, should be #",
    "shap0002": f"Linear #{TIMES}# y # difference",
    "shap0007": "the loss of the square: # -> # the true loss of this "
    "model: # that of the line y = #: # that of the fit above",
    "shap0005": "mat1 and mat2 must have the same dtype",
    "24a54df7": "False",
    "c420d175": "last loss first step within # SGD # # not in # momentum "
    "# # #",
    "40b867d7": "# evaluations, loss #, floor #",
    "e31ca215": "b in the last # steps: # # loss #",
    "opti0004": "near the floor at steps # to #: True and at # to #: False",
    "7ac92cfa": "#, and the floor is #",
    "6668a02b": "# at the start # after # steps # is possible",
    "255bfa7c": "limit # condition number # "
    "flattest axis: half the way in # steps",
    "cb617ee7": "condition number loss powers of x # # powers of x / pi #",
    "opti0006": "# steps",
    "opti0007": "# steps",
    "opti0011": "loss below #: True under # evaluations: True",
    "23067146": "# losses are as expected, to #",
    "ab3b2b89": "False True",
    "eb635157": "up to order #: # " * 3 + "e is #",
    "b9c8be57": "random orders floor",
    "e94f6a4c": "# losses are as expected, to #",
    "5d037de9": "cannot assign parameters before Module.__init__() call",
    "0364bc25": "optimizer got an empty parameter list",
    "netw0010": "# -> #",
    "netw0017": "sin(x) fit loss floor",
    "netw0019": "largest relative difference: #",
    "netw0025": "their sum, with c",
    "netw0029": "this page seed # seed # floor",
    "netw0031": "seed #: SGD #, Adam # " * 2,
    "netw0053": "# units: # " * 3,
    "netw0055": "degree #: #",
    "netw0057": "# units: # " * 2,
    "netw0034": "#, and the best straight line has #",
    "netw0036": "loss #, input weights from # to #",
    "netw0038": "loss #",
    "data0004": "# days, from #",
    "data0007": "the mean # seen, # unseen",
    "data0010": "cubic # seen, # unseen # waves # seen, # unseen "
    "# waves # seen, # unseen",
    "data0014": "seen unseen",
    "data0021": "batches floor",
    "data0028": "batches of #, expected all points",
    "data0035": "dropout #: # in epoch #, # at the end " * 2,
    "data0038": "# waves # seen, # unseen " * 2,
    "data0046": "eval # seen, # unseen " + "train # seen, # unseen " * 2,
    "data0049": "by time # seen, # unseen",
    "scal0035": "floor from the book's start",
    "scal0043": "one process, one thread one process, # threads two "
    "processes, one thread each",
    "scal0051": "sum # mean #",
}
NUMBER = re.compile(r"-?(?<![a-z\d])\d+\.?\d*(?:e[+-]?\d+)?")


def hold(cell, names, said, axes):
    """Hold a cell, by its id, to its words and to what it shows."""
    words = [said]
    for ax in axes:
        words += texts(ax)
        if legend := ax.get_legend():
            words.append(legend.get_title().get_text())
            words += [text.get_text() for text in legend.texts]
    try:
        if cell in SHOWS:
            SHOWS[cell](names, said, axes)
        assert SAYS.get(cell, "").strip() in " ".join(
            NUMBER.sub("#", " ".join(words)).split()
        )
    except (AssertionError, KeyError, ValueError) as error:
        error.add_note(f"in cell {cell}")
        raise


# Chapter 1


@shows("619f7fc5")
def start(n, said, axes):
    assert numbers(said) == [*sinefit.START]


@shows("1dd094c4")
def start_drawn(n, said, axes):
    drawn = lines(axes[0])
    near(drawn["sin(x)"], (X, np.sin(X)))
    near(drawn["start"][1], np.polyval(sinefit.START[::-1], X), atol=1e-12)
    named(axes[0], "x", "y")


@shows("fa77df45")
def first_loss(n, said, axes):
    near(numbers(said), descend(steps=1)[0], rtol=1e-7)


@shows("239cfc3e")
def slopes(n, said, axes):
    first, second = (descend(1e-9, steps=k)[1] for k in (0, 1))
    slope = (first - second) / 1e-9
    near(numbers(said), np.repeat(slope, 2), rtol=1e-4)


@shows("c0d27ffe", "9a33a5b9", "a556c94b")
def result(n, said, axes):
    found = numbers(said.replace("x^2", "x").replace("x^3", "x"))
    near(found, descend()[1], atol=6e-5)


@shows("e985a7f3")
def run_drawn(n, said, axes):
    left, right = axes
    a, b, c, d = (plain(n[name]) for name in "abcd")
    legendre = "P3" in n
    losses, _ = sinefit.predict_legendre() if legendre else descend()
    z = c + d * X
    curve = a + (b * (2.5 * z**3 - 1.5 * z) if legendre else z * X**2 + b * X)
    near(lines(left)["fit"][1], curve, atol=2e-3)  # one update later
    near(lines(left)["sin(x)"], (X, np.sin(X)), atol=1e-12)
    near(lines(right)["loss"], (range(2000), losses))
    near(lines(right)["floor"][1], FLOOR)
    named(left, "x", "y")
    named(right, "step", "loss", y_scale="log")


@shows("c8cb8960")
def floor(n, said, axes):
    *weights, lowest, end = numbers(said)
    near(weights, BEST, atol=6e-5)
    near((lowest, end), (FLOOR, descend()[0][-1]), rtol=1e-5)


@shows("bowl0001")
def bowl(n, said, axes):
    near(numbers(said), descend(steps=1)[0].repeat(2), rtol=1e-7)


@shows("4472cd8f")
def curvatures(n, said, axes):
    rows = [numbers(line) for line in said.splitlines()[1:]]
    near([row[0] for row in rows], CURVATURES, rtol=1e-4)
    near([row[1:] for row in rows], np.abs(AXES), atol=6e-3)


@shows("b5b785c4")
def theory(n, said, axes):
    assert 0 < numbers(said)[0] < 1e-12, "two ways agree, but for rounding"


@shows("f2dee037")
def terms(n, said, axes):
    drawn = lines(axes[0])
    losses, _ = descend()
    near(drawn.pop("run"), (range(2000), losses - FLOOR), rtol=1e-6)
    away = np.array(sinefit.START) - BEST
    for (label, (t, term)), axis in zip(drawn.items(), AXES, strict=True):
        near(float(label), 2 * np.square(V @ axis).sum(), rtol=1e-3)
        alone = descend(steps=100, start=BEST + axis * (axis @ away))[0]
        near(t, range(2000))
        near(term[:100], alone - FLOOR, rtol=1e-4, atol=1e-9)
    named(axes[0], "step", "loss above the floor", y_scale="log")
    height(axes[0], losses[-1] - FLOOR, losses[0])
    colours(axes[0])


@shows("bowl0004")
def half_lives(n, said, axes):
    factors, halves, last = (
        numbers(x.split("[")[1]) for x in said.splitlines()
    )
    for axis, factor, half in zip(AXES, factors, halves, strict=True):
        w = descend(steps=1, start=BEST + axis)[1]
        near(w, BEST + factor * axis, rtol=0, atol=6e-5)
        assert (factor - 6e-5) ** (2 * half + 0.2) < 0.5
        assert (factor + 6e-5) ** (2 * half - 0.2) > 0.5
    near(sum(last), descend()[0][-1] - FLOOR, atol=2e-4)


@shows("70895ed7")
def limit(n, said, axes):
    rate, of_the_mean = numbers(said)
    near(rate, LIMIT, rtol=1e-4)
    near(of_the_mean, LIMIT * 2000, rtol=1e-2)


@shows("bowl0006")
def factors_drawn(n, said, axes):
    *curves, upright = [line.get_data() for line in axes[0].lines]
    near(upright[0], LIMIT)
    for (rates, sizes), axis in zip(curves, AXES, strict=True):
        for k in range(0, 551, 50):
            _, w = descend(rates[k], steps=1, start=BEST + axis)
            near(sizes[k], np.linalg.norm(w - BEST), atol=1e-9)
    labels = [text.get_text() for text in axes[0].get_legend().texts]
    near([float(label) for label in labels], CURVATURES, rtol=1e-3)
    named(axes[0], "learning rate", "|factor of a step|")
    colours(axes[0])


@shows("a4d20264")
def at_the_limit(n, said, axes):
    drawn = lines(axes[0])
    above = {f"1.001 {TIMES} limit": 1.001 * LIMIT}
    for label, rate in (RATES | above).items():
        near(drawn[label], (range(2000), descend(rate)[0]), rtol=1e-6)
    named(axes[0], "step", "loss", y_scale="log")
    colours(axes[0])


@shows("ac9e8a64")
def ends_at_the_limit(n, said, axes):
    below, above, factors = said.splitlines()
    for line, f in ((below, 0.999), (above, 1.001)):
        near(numbers(line), (f, descend(f * LIMIT)[0][-1]), rtol=1e-5)
    assert numbers(below)[1] < 9.2 < 1e6 < numbers(above)[1]
    for axis, factor in zip(AXES, numbers(factors)[1:], strict=True):
        w = descend(0.999 * LIMIT, steps=1, start=BEST + axis)[1]
        near(w, BEST + factor * axis, rtol=0, atol=6e-4)


@shows("bowl0008")
def valley(n, said, axes):
    drawn = lines(axes[0])
    for label, rate in RATES.items():
        assert len(drawn[label][0]) == 51
        for steps in (0, 1, 2, 50):
            at = descend(rate, steps=steps)[1][[1, 3]]
            near(drawn[label][:, steps], at, rtol=1e-6)

    def above(b, d):
        return np.square(V @ [BEST[0], b, BEST[2], d] - Y).sum() - FLOOR

    level_and_fourfold(axes[0], above)
    named(axes[0], "b", "d")


@shows("5131ef39")
def sign_flipped(n, said, axes):
    climbing = numbers(said)
    near(climbing, descend(-1e-6, steps=5)[0], rtol=1e-3)
    assert climbing == sorted(climbing)


@shows("74bceb6a")
def goes_on(n, said, axes):
    near(numbers(said)[1], descend(steps=2001)[0][-1], rtol=1e-6)
    assert said.startswith("losses[0] is 9.1")


# Chapter 2


@shows("6ec1e970")
def as_numpy(n, said, axes):
    assert said == "True\nTrue\n"
    near(n["x"], X, atol=1e-15)
    near(n["y"], Y, atol=1e-15)


@shows("ddca4562")
def no_axes(n, said, axes):
    shape, number = said.splitlines()
    assert shape == "torch.Size([]) <class 'torch.Tensor'>"
    near(float(number.split()[0]), np.square(Y).sum(), atol=0.05)
    assert number.endswith("<class 'float'>")


@shows("tens0002")
def view(n, said, axes):
    near(numbers(said), np.subtract(sinefit.START, (1, 0, 0, 0)))


@shows("488c33ce")
def eps(n, said, axes):
    single, double = (numbers(line)[-1] for line in said.splitlines())
    for value, bits in ((single, 23), (double, 52)):
        near(value, 2.0**-bits, rtol=0.05)


@shows("tens0003")
def gaps(n, said, axes):
    for label, bits in (("float32", 23), ("float64", 52)):
        x, gap = lines(axes[0])[label]
        near(gap, 2.0 ** (np.floor(np.log2(x)) - bits))
        assert min(x) < 1 < 1521 < max(x), "as this page's numbers do"
    named(axes[0], "number", "gap to the next", "log", "log")


@shows("7fa83b69")
def single(n, said, axes):
    off = numbers(said.partition("difference: ")[2])[0]
    assert 1e-6 < off < 1e-5, "about five digits"


@shows("7b957fc8")
def shared(n, said, axes):
    near(numbers(said), np.subtract(sinefit.START, 1))


@shows("f5acfcd3")
def no_gpu(n, said, axes):
    # a PyTorch for GPUs misses the driver first
    assert re.search("CUDA|NVIDIA", said) or n["torch"].cuda.is_available()


# Chapter 3


@shows("adfc75ea")
def autograd(n, said, axes):
    first, second = (descend(1e-9, steps=k)[1] for k in (0, 1))
    near(numbers(said), [(first - second)[1] / 1e-9] * 2, rtol=1e-4)


@shows("auto0006")
def graph_drawn(n, said, axes):
    error = -0.5 + 0.25 * 3 - np.sin(3)
    values = {
        "a": (-0.5, 2 * error),
        "b": (0.25, 2 * error * 3),
        "x": (3, 2 * error * 0.25),
        "-y": (-np.sin(3), 2 * error),
        TIMES: (0.75, 2 * error),
        "+": (0.25, 2 * error),
        "error": (error, 2 * error),
        "loss": (error**2, 1),
    }
    drawn = [text for text in texts(axes[0]) if text]
    pairs = zip(drawn[1::3], drawn[2::3], strict=True)
    nodes = dict(zip(drawn[::3], pairs, strict=True))
    assert nodes == {
        k: (f"{v:.3f}", f"{g:.3f}") for k, (v, g) in values.items()
    }


@shows("5963cd27")
def swing(n, said, axes):
    drawn = lines(axes[0])
    near(drawn["not zeroed"][1], descend(momentum=1, steps=300)[0])
    near(drawn["zeroed"][1], descend(steps=300)[0])
    named(axes[0], "step", "loss", y_scale="log")


@shows("ba4f4650")
def not_zeroed_found(n, said, axes):
    at = descend(momentum=1)[0][2], descend()[0][2]
    near(numbers(said)[1:3], at, rtol=1e-6)
    assert "gradients zeroed?" in said


@shows("auto0011")
def ball(n, said, axes):
    (path,) = lines(axes[0]).values()
    assert path.shape == (2, 70)
    for steps in (0, 1, 2, 40, 69):
        near(path[:, steps], descend(momentum=1, steps=steps)[1][[1, 3]])
    named(axes[0], "b", "d")


@shows("66155a37")
def periods(n, said, axes):
    for period, value in zip(numbers(said), CURVATURES, strict=True):
        q, velocity, signs = 1.0, 0.0, []
        for _ in range(20000):
            signs.append(q > 0)
            velocity += value * q
            q -= 1e-6 * velocity
        near(2 * 20000 / np.diff(signs).sum(), period, rtol=0.01)


# Chapter 4


def p3(z):
    return np.polynomial.Legendre([0, 0, 0, 1])(z)


def legendre_loss(w):
    a, b, c, d = w
    return np.square(a + b * p3(c + d * X) - Y).sum()


STARTS = [(0, -1, 0, 0.3), (0, -1, 0, 0.5), (0, -1, 1, 0.3), (0, 0, 0, 0)]
STARTS.append((0, 0.5, 0.6, 0.1))


@functools.cache
def stalled():
    """Return the losses and the weights of the last start's 3000 steps."""
    w, losses, path = np.array(STARTS[-1]), [], []
    slope = np.polynomial.Legendre([0, 0, 0, 1]).deriv()
    for _ in range(3000):
        path.append(w)
        a, b, c, d = w
        error = a + b * p3(c + d * X) - Y
        losses.append(error @ error)
        inner = b * slope(c + d * X)
        parts = np.ones_like(X), p3(c + d * X), inner, inner * X
        w = w - 5e-6 * 2 * np.array([part @ error for part in parts])
    return np.array(losses), path


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


@shows("383f099a")
def legendre_result(n, said, axes):
    _, (_, b, _, d) = sinefit.predict_legendre()
    first, second = said.replace("P3", "").splitlines()
    near(numbers(first), (b, d), atol=6e-5)
    assert second.endswith("True")


@shows("func0003")
def straight_through(n, said, axes):
    assert said == "from 0.25 to 0.25\nfrom 0.25 to 1.0\n"
    w = n["torch"].linspace(-1, 1, 201)
    near(n["Round"].apply(w) * 8, np.round(w.numpy() * 8))


@shows("e1cabbab")
def same_floor(n, said, axes):
    b, d, *losses = numbers(said)
    near([legendre_loss((0, b, 0, d)), *losses], FLOOR, rtol=1e-4)


@shows("land0001")
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


@shows("e027451e")
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


@shows("land0003")
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


@shows("edge0004")
def edge(n, said, axes):
    _, never, then = said.splitlines()
    step, *until = (int(number) for number in numbers(said))
    assert until == [2000, 2500]
    losses, path = stalled()
    assert limit_near(path[step - 10]) > 5e-6 > limit_near(path[step + 10])
    rises = np.diff(losses) > 0
    assert never.endswith("False") and not rises[:2000].any()
    assert then.endswith("True") and rises[2000:2500].any()


@shows("edge0002")
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


@shows("5649421d")
def why_it_creeps(n, said, axes):
    _, end = legendre_run(*STARTS[-1])
    line = np.polyfit(X, Y, 1)
    at, root, loss = numbers(said)
    near((at, root), (end[2], 1 / np.sqrt(5)), atol=6e-3)
    near(loss, np.square(np.polyval(line, X) - Y).sum(), atol=0.06)


@shows("7e856038")
def chain_broken(n, said, axes):
    *climbing, verdict = said.splitlines()
    losses = [float(loss) for loss in climbing]
    near(losses[0], legendre_loss((0, -1, 0, 0.3)), atol=0.06)
    assert losses == sorted(losses) and len(losses) == 5
    assert verdict == "gradcheck: False"


# Chapter 5


@shows("554ddba7")
def powers(n, said, axes):
    assert re.findall(r"\[(.+?)\]", said) == ["2000", "2000, 1", "2000, 3"]


@shows("4956736a")
def flattened(n, said, axes):
    assert re.findall(r"\[(.+?)\]", said) == ["2000, 1", "2000"]


@shows("shap0001")
def shapes_drawn(n, said, axes):
    stages = {"x": "2000", "unsqueeze": f"2000{TIMES}1"}
    stages |= {"pow": f"2000{TIMES}3", "Linear": f"2000{TIMES}1"}
    stages |= {"Flatten": "2000"}
    drawn = texts(axes[0])
    assert dict(zip(drawn[::2], drawn[1::2], strict=True)) == stages
    wide = [box.get_width() > box.get_height() for box in axes[0].patches]
    assert wide == [True, False, False, False, True]


@shows("d4d9ea12")
def parameters(n, said, axes):
    assert said == "0.weight (1, 3)\n0.bias (1,)\n"


@shows("b3cbaed0")
def sum_or_mean(n, said, axes):
    slow, same = (numbers(line) for line in said.splitlines())
    for found, rate in ((slow, 1e-6 / 2000), (same, 1e-6)):
        losses, _ = descend(rate)
        near(found[1:], losses[[0, -1]], atol=6e-3)
    near((slow[0], same[0]), (1e-6, 2e-3))


@shows("b1503dad")
def square(n, said, axes):
    y_pred = np.polyval(sinefit.START[::-1], X)
    every = np.square(y_pred[:, None] - Y)
    right = np.square(y_pred - Y)
    found = [numbers(line) for line in said.splitlines()[-2:]]
    near(found[0], (every.sum(), right.sum()), atol=1)
    near(found[1], (every.mean(), right.mean()), atol=6e-4)
    assert "target size (torch.Size([2000]))" in said


@shows("shap0002")
def square_drawn(n, said, axes):
    drawn = texts(axes[0])
    column, row, difference = drawn[1::2]
    assert column == f"2000{TIMES}1" and row == "2000"
    assert difference == f"2000{TIMES}2000"


@shows("shap0007")
def flat(n, said, axes):
    w = np.array(sinefit.START)
    ends = []
    for _ in range(2000):
        error = V[::20] @ w - Y[::20].mean()
        ends.append(np.square(error).mean() + Y[::20].var())
        w = w - 2e-3 * 2 * error @ V[::20] / 100
    wanted = np.square(V @ w - Y).mean()
    found = ends[0], ends[-1], wanted, np.square(Y).mean()
    found += (descend()[0][-1] / 2000,)
    near(numbers(said.replace("y = 0", "")), found, atol=6e-4)


@shows("40c5f095")
def registered(n, said, axes):
    plain, parameter = said.splitlines()
    assert "extra" not in plain and "extra" in parameter


@shows("c5fc67ec")
def same_loss(n, said, axes):
    near(numbers(said), descend(steps=1)[0], rtol=1e-7)


# Chapter 6


def adaptive(steps, lr, beta, alpha, fixed=False, decay=False):
    """Run RMSprop, or Adam, which corrects for its start; return losses."""
    w, m, s, losses = np.array(sinefit.START), 0.0, 0.0, []
    for t in range(1, steps + 1):
        error = V @ w - Y
        losses.append(error @ error)
        g = 2 * error @ V
        m = beta * m + (1 - beta) * g
        s = alpha * s + (1 - alpha) * g * g
        scale = (1 - beta**t, 1 - alpha**t) if fixed else (1, 1)
        rate = lr * (1 - (t - 1) / steps) if decay else lr
        w = w - rate * (m / scale[0]) / (np.sqrt(s / scale[1]) + 1e-8)
    return np.array(losses)


def rmsprop(steps, lr, **settings):
    return adaptive(steps, lr, 0, 0.99, **settings)


def adam(steps, lr):
    return adaptive(steps, lr, 0.9, 0.999, fixed=True)


@functools.cache
def rules():
    """Return the losses of the five runs that the chapter compares."""
    return {
        "SGD 1e-6": descend()[0],
        "momentum 0.9": descend(momentum=0.9)[0],
        "RMSprop 1e-6": rmsprop(2000, 1e-6),
        "RMSprop 1e-3": rmsprop(2000, 1e-3),
        "Adam 1e-2": adam(2000, 1e-2),
    }


@shows("2661f2d3")
def rules_drawn(n, said, axes):
    drawn = lines(axes[0])
    assert [*drawn] == [*rules()]
    for name, run in rules().items():
        above = drawn[name][1]
        near(above[:600], run[:600] - FLOOR, rtol=1e-3, atol=1e-6)
        near(above[-1], run[-1] - FLOOR, rtol=2e-2, atol=1e-6)
    named(axes[0], "step", "loss above the floor", y_scale="log")
    colours(axes[0])


@shows("c420d175")
def rules_table(n, said, axes):
    rows = zip(said.splitlines()[1:], rules().items(), strict=True)
    for line, (name, run) in rows:
        assert line.startswith(name)
        near(numbers(line[13:])[0], run[-1], atol=2e-2)
        within = np.flatnonzero(run - FLOOR < 1e-3)
        first = str(within[0]) if within.size else "not in 2000"
        assert line.endswith(f"  {first}")


@shows("opti0002")
def race(n, said, axes):
    drawn = lines(axes[0])
    for name, run in {
        "SGD": lambda rate: descend(rate, steps=200)[0],
        "momentum 0.9": lambda rate: descend(rate, 0.9, steps=200)[0],
        "RMSprop": lambda rate: rmsprop(200, rate),
        "Adam": lambda rate: adam(200, rate),
    }.items():
        for rate, above in drawn[name].T[:5]:  # then some hover
            near(above, max(run(rate)[-20:]) - FLOOR, rtol=0.01, atol=1e-5)
    lowest = {name: min(above) for name, (_, above) in drawn.items()}
    assert lowest["SGD"] > 10 > 1e-4 > lowest["momentum 0.9"]
    assert lowest["Adam"] < lowest["RMSprop"]
    assert LIMIT * 0.9 < max(drawn["SGD"][0]) < LIMIT
    assert LIMIT * 1.7 < max(drawn["momentum 0.9"][0]) < LIMIT * 1.9
    named(axes[0], "learning rate", "loss above the floor", "log", "log")


@shows("40b867d7")
def one_call(n, said, axes):
    near(numbers(said)[1:], FLOOR, rtol=1e-5)
    assert 1 < numbers(said)[0] < 25


@shows("e31ca215")
def hovers(n, said, axes):
    last, low, high, loss = numbers(said)
    steps = np.abs(np.diff(np.array(n["seen"], dtype=float)[-int(last) :]))
    near(steps, 1e-3, rtol=0.11)  # back and forth, of four digits each
    near(high - low, 1e-3, rtol=0.11)
    near(loss, rmsprop(2500, 1e-3)[-1], atol=2e-3)


@shows("opti0004")
def adam_leaves(n, said, axes):
    settled, gone = said.splitlines()
    assert numbers(said) == [1000, 4000, 4000, 5000]
    above = adam(6000, 1e-2) - FLOOR
    assert settled.endswith("True") and (above[1000:4000] < 1e-3).all()
    assert gone.endswith("False") and not (above[4000:5000] < 1e-3).all()
    out = np.flatnonzero(above > 1e-3)
    assert (np.diff(out[out > 4000]) > 100).any(), "settles, and leaps again"


@shows("7ac92cfa")
def scheduled(n, said, axes):
    near(numbers(said), FLOOR, rtol=1e-5)
    near(rmsprop(2000, 1e-3, decay=True)[-1], FLOOR, rtol=1e-4)
    assert rmsprop(1000, 1e-3, decay=True)[-1] > FLOOR + 1, "slowly"


X7 = np.linspace(-np.pi, np.pi, 4000)


def descend_on(basis, rate, steps):
    """Return the mean loss after so many steps from zero."""
    w = np.zeros(basis.shape[1])
    for _ in range(steps):
        w = w - rate * 2 * (basis @ w - np.sin(X7)) @ basis / 4000
    return np.square(basis @ w - np.sin(X7)).mean()


@shows("6668a02b")
def degree_7(n, said, axes):
    V7 = np.vander(X7, 8, increasing=True)
    found = [numbers(line)[0] for line in said.splitlines()]
    near(found[0], np.square(np.sin(X7)).mean(), atol=6e-5)
    near(found[1], descend_on(V7, 1e-6, 2000), atol=6e-5)
    fit = np.polynomial.Chebyshev.fit(X7, np.sin(X7), 7)
    near(found[2], np.square(fit(X7) - np.sin(X7)).mean(), rtol=1e-3)


@shows("255bfa7c")
def condition(n, said, axes):
    V7 = np.vander(X7, 8, increasing=True)
    steep, flat = np.linalg.svd(V7)[1][[0, -1]] ** 2 * 2 / 4000
    limit, ratio, steps = numbers(said)
    near(limit, 2 / steep, rtol=0.04)
    near(ratio, steep / flat, rtol=0.04)
    near((1 - 1e-6 * flat) ** steps, 0.5, rtol=0.02)


@shows("cb617ee7")
def bases(n, said, axes):
    legvander = np.polynomial.legendre.legvander(X7 / np.pi, 7)
    sized = legvander / np.sqrt(np.square(legvander).mean(0))
    expected = {
        "powers of x": np.vander(X7, 8, increasing=True),
        "powers of x / pi": np.vander(X7 / np.pi, 8, increasing=True),
        "Legendre": legvander,
        "normalised": sized,
    }
    rows = zip(said.splitlines()[1:], expected.items(), strict=True)
    for line, (name, basis) in rows:
        assert line.startswith(f"{name} ")
        ratio, loss = numbers(line[17:])
        near(ratio, np.linalg.cond(basis) ** 2, rtol=0.02)
        steep, flat = np.linalg.svd(basis)[1][[0, -1]] ** 2 / 2000
        after = descend_on(basis, 2 / (steep + flat), 10)
        near(loss, after, rtol=0.02)


@shows("opti0006", "opti0007")
def narrow_and_round(n, said, axes):
    (ax,) = axes
    ((label, path),) = lines(ax).items()
    center = np.array(ax.lines[-1].get_data(), float).ravel()
    away = np.linalg.norm(path.T - center, axis=1)
    assert label == "20 steps" and path.shape == (2, 20)
    narrow = ax.get_xlabel() == "weight of x"
    assert not narrow or (np.diff(np.sign(np.diff(path[1]))) != 0).all()
    assert away[0] > 0.7 and (away[-1] > 0.6 if narrow else away[1] < 0.01)
    columns = (
        V[:, [1, 3]]
        if narrow
        else np.polynomial.legendre.legvander(X7 / np.pi, 3)[:, [1, 3]]
        * np.sqrt([3, 7])
    )
    target = Y if narrow else np.sin(X7)
    level_and_fourfold(
        ax, lambda *point: np.square(columns @ (point - center)).mean()
    )
    best = np.linalg.lstsq(columns, target, rcond=None)[0]
    near(center, best, atol=1e-3)
    assert ax.get_aspect() == 1


@shows("opti0011")
def second_cure(n, said, axes):
    fit = np.polynomial.Chebyshev.fit(X7, np.sin(X7), 7)
    least = np.square(fit(X7) - np.sin(X7)).mean()
    bound, evaluations = numbers(said)
    assert bound == pytest.approx(1.05 * least, rel=0.02)
    assert 0.999 * least < n["calls"][-1] < bound
    assert len(n["calls"]) < evaluations


@shows("b7d580c8")
def rates_of_adam(n, said, axes):
    found = numbers(said.replace("inf", "2000"))
    for rate, arrived in zip(found[::2], found[1::2], strict=True):
        near_floor = adam(2000, rate) - FLOOR < 1e-3
        first = np.argmax(near_floor) if near_floor.any() else 2000
        assert arrived == first


@shows("fe92beac")
def best_momentum(n, said, axes):
    rate, beta, arrived, highest = numbers(said)
    near((rate, beta), (n["rate"], n["beta"]), rtol=2e-3)
    losses, _ = descend(float(n["rate"]), float(n["beta"]), steps=300)
    near(highest, max(losses), rtol=1e-4)
    assert arrived == np.argmax(losses - FLOOR < 1e-3)


@shows("ef610715")
def another_model(n, said, axes):
    near(numbers(said), descend(steps=1)[0].repeat(3), rtol=1e-7)


# Chapter 7


@shows("5612f39c")
def source(n, said, axes):
    assert "return sum(w * x**k for k, w in enumerate(self.weights))" in said
    assert "learning_rate=None\nsteps=2000\n" in said


@shows("1b2d1ef5")
def column_refused(n, said, axes):
    assert said.startswith("y: expected") and "(2000, 1)" in said


@shows("9b1484d8")
def test_fails(n, said, axes):
    with pytest.MonkeyPatch.context() as patch, pytest.raises(AssertionError):
        patch.setattr(n["polynomial"].Polynomial, "forward", lambda self, x: x)
        n["test_value"]()


@shows("tree0001")
def tree(n, said, axes):
    (ax,) = axes
    at = {text.get_text(): text.get_position() for text in ax.texts}
    assert [*at] == ["model", "e  ()", "cubic", "weights  (4,)"]
    assert [x for x, _ in at.values()] == [0, 1, 1, 2]
    assert len({y for _, y in at.values()}) == 4
    starts = [line.get_xydata()[0].tolist() for line in ax.lines]
    assert [y > -1 for _, y in starts] == [True, True, False]


@shows("63a7be90")
def shared_gradient(n, said, axes):
    assert said == "True\n"
    loss = n["loss_fn"]
    with n["torch"].no_grad():
        e, ends = n["model"].e, []
        for way in (1e-4, -1e-4):
            e += way
            ends.append(loss(n["model"](n["x"], top=5), n["y"]).item())
            e -= way
    near(e.grad.item(), (ends[0] - ends[1]) / 2e-4, rtol=1e-6)


@shows("eb635157")
def random_orders(n, said, axes):
    z = X / np.pi
    *weights, e = (
        *n["model"].cubic.weights.tolist(),
        n["model"].e.item(),
    )
    *rows, last = said.splitlines()
    for top, line in zip((3, 4, 5), rows, strict=True):
        terms = [e * z**k for k in range(4, top + 1)]
        y_pred = np.polyval(weights[::-1], z) + sum(terms)
        loss = np.square(y_pred - Y).sum()
        near(numbers(line), (top, loss), atol=6e-3)
        assert loss < 9
    near(numbers(last), e, atol=6e-3)
    assert abs(e) < 0.03, "it has become small"


@shows("b9c8be57")
def orders_drawn(n, said, axes):
    near(lines(axes[0])["random orders"][1], n["losses"][:500])
    assert (np.diff(n["losses"][:500]) > 0).any(), "it is jagged"


@shows("fcf62f71")
def device(n, said, axes):
    found = n["torch"].accelerator.current_accelerator(check_available=True)
    assert n["found"] == found
    if "there" in n:  # chapter 7
        assert n["there"].type == getattr(found, "type", "cpu").replace(
            "mps", "cpu"
        )
    else:
        assert said == f"{found or 'cpu'}\n"


@shows("ac965566")
def kept(n, said, axes):
    assert n["file"].read_text(encoding="utf-8") == "degree = 11"
    assert said == "3\n" and n["mine"].degree == 3


@shows("96bea43f")
def reloaded(n, said, axes):
    assert said == "11\n" and n["mine"].degree == 11


# Chapter 8


def network_start(units=8):
    """Return the page's start: w, b, v and c in a row."""
    signs = [0.0125 * (-1) ** j for j in range(units)]
    return np.array(
        [1.0] * units + [*np.linspace(np.pi, -np.pi, units)] + signs + [0]
    )


def network_slopes(p, x=X):
    """Return the predictions, and how each changes with each weight."""
    w, b, v = p[:-1].reshape(3, -1, 1)
    unit = 1 - 2 / (np.exp(2 * (w * x + b)) + 1)
    bent = v * (1 - unit * unit)
    rows = np.concatenate([x * bent, bent, unit, np.ones_like([x])])
    return v[:, 0] @ unit + p[-1], rows


@np.errstate(over="ignore", invalid="ignore")  # some runs diverge
def network_run(p, rate, x=X, adam=False, steps=2000):
    """Return the losses of so many steps, and the weights after them."""
    losses, m, s = [], 0.0, 0.0
    for t in range(1, steps + 1):
        y_pred, slopes = network_slopes(p, x)
        losses.append(np.square(y_pred - Y).sum())
        g = 2 * slopes @ (y_pred - Y)
        if adam:
            m, s = 0.9 * m + 0.1 * g, 0.999 * s + 0.001 * g * g
            g = m / (1 - 0.9**t) / (np.sqrt(s / (1 - 0.999**t)) + 1e-8)
        p = p - rate * g
    return np.array(losses), p


@functools.cache
def page_run():
    """Return the same for the page's own run."""
    return network_run(network_start(), 5e-5)


def drawn_by_pytorch(n, seed):
    """Return the weights that a new network of the page starts with."""
    n["torch"].manual_seed(seed)
    return plain(n["parameters_to_vector"](n["network"](8).parameters()))


@functools.cache
def run_from(start):
    """Return the losses of the page's SGD from there."""
    return network_run(np.array(start), 5e-5)[0]


@shows("netw0006")
def units_drawn(n, said, axes):
    rows = network_slopes(network_start())[1][16:24]
    for line, unit in zip(axes[0].lines, rows, strict=True):
        near(line.get_data(), (X, unit), atol=1e-12)
    named(axes[0], "x", "unit")


@shows("netw0014")
def counted(n, said, axes):
    assert said == f"{network_start().size} weights\n"
    learned = n["network"](8, n["start"]).parameters()
    for part, parameter in zip(n["start"], learned, strict=True):
        near(parameter.flatten(), part)


@shows("netw0010")
def network_by_hand(n, said, axes):
    losses, end = page_run()
    near(numbers(said), losses[[0, -1]], atol=6e-5)
    near(n["by_hand"], losses, rtol=1e-12)
    near(np.concatenate(n["weights"]), end, atol=1e-11)
    assert np.argmax(losses < FLOOR) < 100 and losses[-1] < FLOOR / 100


@shows("netw0017")
def network_drawn(n, said, axes):
    losses, end = page_run()
    near(lines(axes[0])["fit"][1], network_slopes(end)[0], atol=1e-4)
    near(lines(axes[0])["sin(x)"], (X, Y), atol=1e-12)
    named(axes[0], "x", "y")
    near(lines(axes[1])["loss"], (range(2000), losses), rtol=1e-12)
    near(lines(axes[1])["floor"][1], FLOOR)
    named(axes[1], "step", "loss", y_scale="log")


@shows("netw0019")
def two_ways(n, said, axes):
    assert 0 < numbers(said)[0] < 1e-12


@shows("netw0025")
def parts_drawn(n, said, axes):
    *parts, total = [line.get_ydata() for line in axes[0].lines]
    p = page_run()[1]
    near(parts, network_slopes(p)[1][16:24] * p[16:24, None], atol=1e-9)
    near(total, np.sum(parts, axis=0) + p[-1], atol=1e-4)
    rises = [part[-1] > part[0] for part in parts]
    assert True in rises and False in rises
    named(axes[0], "x", "unit times output weight")


@shows("netw0053")
def held(n, said, axes):
    floors = []
    for units in (4, 5, 8):
        rows = network_slopes(network_start(units))[1][2 * units :]
        left = Y - Y @ np.linalg.pinv(rows) @ rows
        floors.append(left @ left)
    near(
        [float(line.split()[-1]) for line in said.splitlines()],
        floors,
        0,
        6e-5,
    )
    assert floors[2] < page_run()[0][-1] < 1 < min(floors[:2])


@shows("netw0057")
def learned(n, said, axes):
    ends = [sinefit.predict_network(units)[0][-1] for units in (4, 5)]
    near(numbers(said), (4, ends[0], 5, ends[1]), atol=6e-5)
    assert page_run()[0][-1] < min(ends) and max(ends) < 1


@shows("netw0055")
def fifth_degree(n, said, axes):
    floor = np.square(np.polyval(np.polyfit(X, Y, 5), X) - Y).sum()
    near(numbers(said), (5, floor), atol=6e-5)
    assert floor < page_run()[0][-1]


@shows("netw0027")
def outside(n, said, axes):
    drawn = lines(axes[0])
    x, y = drawn["network"]
    near(x, 2 * X)
    near(drawn["sin(x)"], (2 * X, np.sin(2 * X)), atol=1e-12)
    (box,) = axes[0].patches
    near((box.get_x(), box.get_width()), (-np.pi, 2 * np.pi))
    near(y, network_slopes(page_run()[1], x)[0], atol=1e-9)
    cubic = np.polyval(BEST[::-1], x)
    near(drawn["cubic"][1], np.where(abs(cubic) < 3, cubic, np.nan), atol=1e-9)
    assert abs(y[0] - y[200]) < 0.1 > abs(y[-1] - y[-200]), "nearly level"
    assert abs(y - np.sin(x))[abs(x) > 4].max() > 0.4


@shows("netw0029")
def seeds_drawn(n, said, axes):
    drawn = lines(axes[0])
    near(drawn["this page"][1], sinefit.predict_network()[0], rtol=1e-12)
    for seed in (0, 1):
        losses = run_from(tuple(drawn_by_pytorch(n, seed)))
        near(drawn[f"seed {seed}"][1], losses, rtol=1e-9)
        assert losses[-1] > 50 * drawn["this page"][1][-1]
    named(axes[0], "step", "loss", y_scale="log")
    colours(axes[0])


@shows("netw0031")
def seeds_with_adam(n, said, axes):
    for seed, line in enumerate(said.splitlines()):
        start = drawn_by_pytorch(n, seed)
        with_adam = network_run(start, 5e-3, adam=True)[0]
        ends = run_from(tuple(start))[-1], with_adam[-1]
        near(numbers(line), (seed, *ends), atol=6e-4)
        assert ends[1] < ends[0] / 50


@shows("netw0034")
def no_activation(n, said, axes):
    line = np.polyfit(X, Y, 1)
    floor = np.square(np.polyval(line, X) - Y).sum()
    near(numbers(said), (floor, floor), atol=6e-4)
    w, b, v, c = map(np.array, n["start"])  # at the page's rate, by hand
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in range(100):
            inside = np.outer(X, w) + b
            g = 2 * (inside @ v + c - Y)
            steps = X @ g * v, g.sum() * v, g @ inside, g.sum()
            pairs = zip((w, b, v, c), steps, strict=True)
            w, b, v, c = (p - 5e-5 * step for p, step in pairs)
    assert not np.isfinite(w).all()


@shows("netw0043")
def few_units(n, said, axes):
    for line, units in zip(said.splitlines(), (1, 2, 3), strict=True):
        end = sinefit.predict_network(units)[0][-1]
        near(numbers(line), (units, end), atol=6e-3)
        assert (end < FLOOR) == (units == 3)


@shows("netw0049")
def bounded(n, said, axes):
    stuck, lowest = numbers(said)
    far = np.abs(2 * Y) > 1
    near(lowest, np.square(np.abs(2 * Y[far]) - 1).sum(), atol=0.06)
    y_pred = n["bounded"](n["x"]).detach().numpy()
    off = np.square(y_pred - 2 * Y)
    near(stuck, off.sum(), rtol=1e-3)
    at_ends = np.abs(X) > 5 / 6 * np.pi
    assert off[at_ends].sum() > (off.sum() - lowest) / 2


@shows("netw0036")
def alike(n, said, axes):
    one = np.array([1.0] * 8 + [0.0] * 8 + [0.0125] * 8 + [0])
    losses, end = network_run(one, 5e-5, steps=500)
    near(numbers(said), (losses[-1], end[0], end[7]), atol=0.06)
    assert numbers(said)[1] == numbers(said)[2]
    assert losses[-1] > 10 * FLOOR


@shows("netw0038")
def not_scaled(n, said, axes):
    losses, end = network_run(network_start(), 5e-5, 100 * X, steps=500)
    near(numbers(said), losses[-1], atol=0.06)
    flat = abs(network_slopes(end, 100 * X)[1][16:24]) > 0.99
    assert flat.mean() > 0.9 and losses[-1] > 10 * FLOOR


@shows("netw0040")
def sixteen(n, said, axes):
    first, second = said.splitlines()
    near(float(first), network_run(network_start(), 1e-4)[0][-1], atol=6e-5)
    assert second == "the loss is inf"
    for units in (8, 16):
        p = network_start(units)
        vector = np.random.default_rng(0).normal(size=p.size)
        for _ in range(200):  # the steepest direction, by power iteration
            vector /= np.linalg.norm(vector)
            ends = [network_slopes(p + h * vector) for h in (1e-5, -1e-5)]
            up, down = (2 * rows @ (y_pred - Y) for y_pred, rows in ends)
            vector = (up - down) / 2e-5
        assert (2 / np.linalg.norm(vector) > 1e-4) == (units == 8)
        assert network_run(p, 5e-3, adam=True)[0][-1] < 0.0534


# Chapter 9


@functools.cache
def weather():
    """Return the years, the temperatures, and which of them are seen."""
    text = NOTEBOOKS.joinpath("seattle-temperature.csv").read_text("utf-8")
    rows = [line.split(",") for line in text.splitlines()[1:]]
    year = np.array([2012 + k / 365.25 for k in range(len(rows))])
    seen = np.array([not day.startswith("2015") for day, _ in rows])
    return year, np.array([float(value) for _, value in rows]), seen


def turning(columns, part):
    """Fit the weather with columns of the year's angle, where part holds."""
    year, value, _ = weather()
    angle = 2 * np.pi * (year - 2012)
    A = np.array([column(angle) for column in columns]).T
    inverse = np.linalg.pinv(A[part])
    return A @ (inverse @ value[part])


def waves(K, part):
    """Fit so many waves to a part of the weather."""
    trig = [
        functools.partial(lambda f, k, angle: f(k * angle), f, k)
        for k in range(1, K + 1)
        for f in (np.sin, np.cos)
    ]
    return turning([np.ones_like, *trig], part)


def off(y_pred, *parts):
    """Return the root of the mean squared error over each part."""
    square = np.square(y_pred - weather()[1])
    return [np.sqrt(square[part].sum() / part.sum()) for part in parts]


@shows("data0004")
def weather_read(n, said, axes):
    year, value, _ = weather()
    assert said == f"{year.size} days, from 2012-01-01 to 2015-12-31\n"
    near(n["temperature"], value)
    near(n["year"], year, rtol=1e-15)
    assert np.sum(value > 25) > 100 and np.sum(value < 8) > 100


@shows("data0005")
def weather_drawn(n, said, axes):
    near(axes[0].lines[0].get_data(), [part[::5] for part in weather()[:2]])
    named(axes[0], "", "highest of the day, °C")


@shows("data0007")
def mean_of_weather(n, said, axes):
    value, seen = weather()[1:]
    near(numbers(said), off(value[seen].mean(), seen, ~seen), atol=6e-3)


def three_models():
    """Return the predictions of the page's cubic, 2 and 100 waves."""
    seen = weather()[2]
    rows = [lambda a, k=k: (a % (2 * np.pi)) ** k for k in range(4)]
    return turning(rows, seen), waves(2, seen), waves(100, seen)


@shows("data0010")
def three_fits(n, said, axes):
    seen = weather()[2]
    models = three_models()
    errors = [off(y_pred, seen, ~seen) for y_pred in models]
    for line, both in zip(said.splitlines(), errors, strict=True):
        near(numbers(line)[-2:], both, atol=6e-3)
    assert errors[1][1] < errors[0][1] < errors[2][1]
    jumps = [abs(y_pred[~seen][0] - y_pred[~seen][-1]) for y_pred in models]
    assert jumps[0] > 3 and jumps[1] < 0.1


@shows("data0011")
def three_drawn(n, said, axes):
    year, value, seen = weather()
    dots, *curves = axes[0].lines
    days = np.flatnonzero(~seen)[::4]
    near(dots.get_data(), (year[days], value[days]))
    for curve, y_pred in zip(curves, three_models(), strict=True):
        near(curve.get_data(), (year[days], y_pred[days]), atol=1e-5)
    named(axes[0], "year", "°C")
    colours(axes[0])


COUNTS = (1, 2, 3, 5, 10, 20, 30, 50, 100)


@functools.cache
def by_count():
    """Return the errors, seen and not, for so many waves."""
    seen = weather()[2]
    return np.array([off(waves(K, seen), seen, ~seen) for K in COUNTS])


@shows("data0013")
def more_waves(n, said, axes):
    for line, K, both in zip(
        said.splitlines(), COUNTS, by_count(), strict=True
    ):
        near(numbers(line), (K, *both), atol=6e-3)
    on_seen, on_unseen = by_count().T
    assert (np.diff(on_seen) < 0).all()
    assert on_unseen[1] < on_unseen[0]
    assert (np.diff(on_unseen[1:]) > 0).all()


@shows("data0014")
def more_waves_drawn(n, said, axes):
    for name, column in zip(("seen", "unseen"), by_count().T, strict=True):
        near(lines(axes[0])[name], (COUNTS, column), rtol=1e-6)
    named(axes[0], "waves", "error, °C", x_scale="log")
    colours(axes[0])


@shows("data0016")
def leaked(n, said, axes):
    drawn = plain(n["at_random"]).astype(bool)
    assert 0.7 < drawn.mean() < 0.8
    for line, K in zip(said.splitlines(), (2, 30), strict=True):
        near(numbers(line), (K, *off(waves(K, drawn), ~drawn)), atol=6e-3)
    gaps = []
    for seed in range(20):  # whoever draws them
        part = np.random.default_rng(seed).random(drawn.size) < 0.75
        few, many = (off(waves(K, part), ~part)[0] for K in (2, 30))
        gaps.append(many - few)
    assert np.mean(gaps) < 0.15 < by_count()[6, 1] - by_count()[1, 1] - 0.1


@functools.cache
def one_run():
    """Return batch losses and weights of the page's run in batches of 20."""
    torch.manual_seed(0)
    w, losses = np.array(sinefit.START), []
    for _ in range(2000):
        some = torch.randint(2000, (20,)).numpy()
        error = V[some] @ w - Y[some]
        losses.append(100 * error @ error)
        w = w - 2e-4 * error @ V[some]
    return np.array(losses), w


@shows("data0020")
def one_run_printed(n, said, axes):
    told = [(t, one_run()[0][t]) for t in range(399, 2000, 400)]
    near([numbers(line) for line in said.splitlines()], told, atol=6e-5)


@shows("data0021")
def one_run_drawn(n, said, axes):
    losses, w = one_run()
    near(n["losses"], losses, rtol=1e-9)
    near(n["model"].weights, w, rtol=1e-9)
    drawn = lines(axes[0])
    near(drawn["batches"], (range(0, 2000, 10), losses[::10]), rtol=1e-9)
    near(drawn["floor"][1], FLOOR)
    named(axes[0], "step", "loss of a batch, times 100", y_scale="log")
    assert 0.2 < (losses[1500:] < FLOOR).mean() < 0.5


@functools.cache
def expected_by_hand(size):
    """Return the expected losses, by following the mean of all products."""
    left = V @ BEST - Y
    d, losses = sinefit.START - BEST, []
    products = np.outer(d, d)
    H = 2 * V.T @ V
    one = np.eye(4) - 1e-6 * H
    for _ in range(2000):
        losses.append(FLOOR + np.trace(H @ products) / 2)
        # of single points' gradients, 2000 times as large: the mean square
        along = np.einsum("ia,ab,ib->i", V, products, V)
        square = (along + 2 * left * (V @ d) + left**2) * 4 * 2000
        spread = (V.T * square) @ V - H @ products @ H
        products = one @ products @ one + 1e-12 / size * spread
        d = one @ d
    return np.array(losses)


@shows("data0028")
def band(n, said, axes):
    drawn, floor = lines(axes[0]), FLOOR
    expected = expected_by_hand(20)
    near(drawn["batches of 20, expected"][1], expected - floor, rtol=1e-6)
    near(drawn["all points"][1], descend()[0] - floor, rtol=1e-6)
    runs = plain(n["runs"])
    (filled,) = axes[0].collections
    edge = filled.get_paths()[0].vertices[:, 1]
    low, high = np.sort(runs, axis=1)[-1, [50, 949]] - floor
    assert np.isclose(edge, low, rtol=0.1).any()
    assert np.isclose(edge, high, rtol=0.1).any()
    share = (runs > low + floor)[-1] & (runs < high + floor)[-1]
    assert 0.85 < share.mean() < 0.95
    early = np.sort(runs, axis=1)[200, [50, 949]]
    assert np.ptp(early) < 0.1 * early[0]
    on_and_on = sinefit.predict_batches(20, steps=6000)[-1] - floor
    slower = sinefit.predict_batches(20, 5e-7, steps=12_000)[-1] - floor
    assert on_and_on > 0.3 and slower < 0.6 * on_and_on
    named(axes[0], "step", "loss above the floor", y_scale="log")
    colours(axes[0])


def adamw(p, slopes, rates):
    """Take a step of AdamW for each rate; yield the parameters before it."""
    m, s = [0.0] * len(p), [0.0] * len(p)
    for t, rate in enumerate(rates, 1):
        yield p
        g = slopes(p)
        m = [0.9 * a + 0.1 * b for a, b in zip(m, g, strict=True)]
        s = [0.999 * a + 0.001 * b * b for a, b in zip(s, g, strict=True)]
        p = [
            q * (1 - 0.01 * rate)
            - rate * a / (1 - 0.9**t) / (np.sqrt(b / (1 - 0.999**t)) + 1e-8)
            for q, a, b in zip(p, m, s, strict=True)
        ]
    yield p


def trained(n, drop, epochs):
    """Return the page's network after each epoch, trained by hand.

    PyTorch draws the start, the order and who is left out, and no more.
    """
    year, value, seen = weather()
    part = seen & (year >= 2014)
    angle = np.outer(year, range(1, 11)) * 2 * np.pi
    x = np.concatenate([np.sin(angle), np.cos(angle)], axis=1)
    mean, deviation = value[part].mean(), value[part].std(ddof=1)
    start = n["start_again"](drop)[0].parameters()
    start = [p.detach().numpy().astype(float) for p in start]
    order = torch.utils.data.DataLoader(
        torch.arange(part.sum()), batch_size=32, shuffle=True
    )
    steps = (some.numpy() for _ in range(epochs) for some in order)

    def slopes(p):
        (w, b, v, c), some = p, next(steps)
        rows, wanted = x[part][some], (value[part][some] - mean) / deviation
        left = torch.ones(some.size, 128, dtype=torch.float64)
        left = torch.nn.functional.dropout(left, drop).numpy()
        inside = rows @ w.T + b
        units = inside * (inside > 0) * left
        e = 2 * (units @ v[0] + c - wanted) / some.size
        back = np.outer(e, v[0]) * (inside > 0) * left
        return back.T @ rows, back.sum(axis=0), e[None] @ units, e.sum()[None]

    each = len(order)
    rates = [
        1e-3 * (1 + np.cos(np.pi * (t // each) / 80))
        for t in range(each * epochs)
    ]
    errors = []
    for t, (w, b, v, c) in enumerate(adamw(start, slopes, rates)):
        if t and t % each == 0:
            units = np.maximum(x @ w.T + b, 0)
            y_pred = mean + deviation * (units @ v[0] + c)
            errors.append(off(y_pred, part, ~seen))
    return np.array(errors)


@shows("data0035")
def dropout_or_not(n, said, axes):
    for line, drop in zip(said.splitlines(), (0.0, 0.5), strict=True):
        errors = trained(n, drop, 80)
        near(n["histories"][drop], errors, rtol=1e-6)
        on_unseen = errors[:, 1]
        first = on_unseen.argmin()
        told = (drop, on_unseen[first], first + 1, on_unseen[-1])
        near(numbers(line), told, atol=6e-3)
    with_none, with_half = (plain(n["histories"][d]) for d in (0.0, 0.5))
    assert with_none[-1, 1] > with_none[:, 1].min() + 0.2
    assert with_none[:, 1].argmin() < 15
    assert with_half[-1, 1] < with_none[-1, 1] - 0.1
    for history in (with_none, with_half):
        assert (history[-10:, 0] < history[10:20, 0].min()).all()


@shows("data0036")
def dropout_drawn(n, said, axes):
    drawn = lines(axes[0])
    for drop, history in n["histories"].items():
        for name, column in zip(("seen", "unseen"), history.T, strict=True):
            near(drawn[f"{name}, dropout {drop}"], (range(80), column))
    looks = {(k.get_color(), k.get_linestyle()) for k in axes[0].lines}
    assert len(looks) == 4
    named(axes[0], "epoch", "error, °C")


@shows("data0038")
def waves_alone(n, said, axes):
    year, _, seen = weather()
    part = seen & (year >= 2014)
    few, many = (off(waves(K, part), part, ~seen) for K in (2, 10))
    near(numbers(said), (2, *few, 10, *many), atol=6e-3)
    for history in n["histories"].values():
        assert few[1] < plain(history)[:, 1].min() < many[1]
    value = weather()[1]
    warm = [value[year.astype(int) == y].mean() for y in range(2012, 2016)]
    assert max(warm[:2]) + 0.5 < warm[2] < warm[3] < warm[2] + 1


@shows("data0042")
def resumed_or_not(n, said, axes):
    assert said == "True\n"
    whole = plain(torch.cat([p.flatten() for p in n["whole"][0].parameters()]))
    *states, generator = torch.load(n["checkpoint"], weights_only=True)
    for missing in range(4):  # leave out one of the four
        resumed = n["start_again"](0.5)
        for k, part in enumerate(resumed):
            if k != missing:
                part.load_state_dict(states[k])
        torch.manual_seed(1) if missing == 3 else torch.set_rng_state(
            generator
        )
        for _ in range(10):
            n["train_epoch"](*resumed)
        ends = [p.flatten() for p in resumed[0].parameters()]
        assert np.abs(plain(torch.cat(ends)) - whole).max() > 1e-6, missing


@shows("data0044")
def help_printed(n, said, axes):
    for option in ("--x", "--y", "--period", "--device", "--resume"):
        assert option in said
    assert max(map(len, said.splitlines())) <= 79


@shows("data0046")
def not_judging(n, said, axes):
    year, _, seen = weather()
    part = seen & (year >= 2014)
    errors = np.array([numbers(line) for line in said.splitlines()])
    assert len({*errors[:, 1]}) == 3
    judged, errors = errors[0], errors[1:]
    model = n["whole"][0].eval()
    with torch.no_grad():
        y_pred = n["mean"] + n["deviation"] * model(n["inputs"])
    near(judged, off(y_pred.numpy(), part, ~seen), atol=6e-3)
    assert (errors > judged).all()


@shows("data0049")
def by_time(n, said, axes):
    year, value, seen = weather()
    scaled = (year - year[seen].mean()) / year[seen].std(ddof=1)
    part = seen & (year >= 2014)
    mean, deviation = value[part].mean(), value[part].std(ddof=1)
    wanted = (value[seen] - mean) / deviation
    torch.manual_seed(0)
    parts = torch.nn.Linear(1, 64), torch.nn.Linear(64, 1)
    for layer in parts:
        layer.double()
    start = [plain(p) for layer in parts for p in layer.parameters()]

    def slopes(p):
        w, b, v, c = p
        units = np.tanh(np.outer(scaled[seen], w[:, 0]) + b)
        e = 2 * (units @ v[0] + c - wanted)
        back = np.outer(e, v[0]) * (1 - units**2)
        return (
            (back.T @ scaled[seen])[:, None],
            back.sum(axis=0),
            e[None] @ units,
            e.sum()[None],
        )

    *_, (w, b, v, c) = adamw(start, slopes, [5e-3] * 1000)
    units = np.tanh(np.outer(scaled, w[:, 0]) + b)
    errors = off(mean + deviation * (units @ v[0] + c), seen, ~seen)
    near(numbers(said), errors, atol=6e-3)
    assert errors[0] < 3.5 and errors[1] > off(value[seen].mean(), ~seen)[0]


@shows("data0051")
def chosen(n, said, axes):
    year, _, seen = weather()
    early, last = seen & (year < 2014), seen & (year >= 2014)
    table = {K: off(waves(K, early), last, ~seen) for K in (1, 2, 3, 5)}
    for line, (K, both) in zip(said.splitlines(), table.items(), strict=True):
        near(numbers(line), (K, *both), atol=6e-3)
    best = [min(table, key=lambda K, k=k: table[K][k]) for k in (0, 1)]
    assert best == [3, 2]


@shows("data0053")
def one_gap(n, said, axes):
    assert said == "[nan, nan]\n"
    assert int(torch.isnan(n["with_gap"]).sum()) == 1


@shows("data0056")
def batches_of_5(n, said, axes):
    assert abs(numbers(said)[0] - expected_by_hand(5)[-1]) < 0.5


@shows("data0062")
def not_shuffled(n, said, axes):
    steep = [
        200 * np.linalg.eigvalsh(V[k : k + 20].T @ V[k : k + 20])[-1]
        for k in range(0, 2000, 20)
    ]
    assert 2 / steep[0] < 1e-6 < 2 / steep[50] and steep[0] > steep[10]
    run = lines(axes[0])["loss"][1]
    near(run, plain(n["in_order"])[:100])
    assert (
        max(run[:10]) > 1e6 and max(run[11:20]) < 1e4 and run[75] > 2 * run[20]
    )
    peaks = []
    for rate in (1e-6, 4e-7):  # above the limit of some batches; of none
        w, losses = np.array(sinefit.START), []
        for t in range(1000):
            some = slice(t % 100 * 20, t % 100 * 20 + 20)
            losses.append(np.square(V @ w - Y).sum())
            w = w - rate * 200 * (V[some] @ w - Y[some]) @ V[some]
        peaks.append(max(losses[-100:]))
    assert 2 / max(steep) > 4e-7 and peaks[1] < peaks[0] / 100


# Chapter 10


def last_losses(starts, rates=1e-6):
    """Return the losses at the last step: rows of starts, or of rates."""
    curvatures, axes = np.linalg.eigh(2 * V.T @ V)
    left = (starts - BEST) @ axes
    shrunk = (1 - np.multiply.outer(rates, curvatures)) ** (2 * 1999)
    return FLOOR + (shrunk * left**2) @ curvatures / 2


def weighed(points, rate):
    """Return the last loss where each point counts so often."""
    w = np.array(sinefit.START)
    for _ in range(1999):
        w = w - rate * 2 * V.T @ (points * (V @ w - Y))
    return np.square(V @ w - Y).sum()


@shows("scal0013")
def four_rows_drawn(n, said, axes):
    losses, end = descend()
    near(lines(axes[0])["fit"][1], V @ end, atol=1e-9)
    near(lines(axes[0])["sin(x)"], (X, Y), atol=1e-12)
    near(lines(axes[1])["loss"], (range(2000), losses), rtol=1e-12)
    near(lines(axes[1])["floor"][1], FLOOR)
    named(axes[0], "x", "y")
    named(axes[1], "step", "loss", y_scale="log")
    assert n["R"].shape == (4, 4)


@shows("scal0072")
def compiled_or_not(n, said, axes):
    assert re.match(r"first call: [\d.]+ s|no C\+\+ compiler here", said)


@shows("scal0030")
def table_of_speeds(n, said, axes):
    first, *rows = said.splitlines()
    assert re.fullmatch(r"\s+times as fast\s+off by", first)
    assert [row[:18].rstrip() for row in rows] == [*n["runs"]]
    assert numbers(rows[0].removeprefix("chapter 1"))[0] == 1
    assert n["took"].keys() == n["runs"].keys()
    expected, _ = descend()
    for row, run in zip(rows, n["runs"].values(), strict=True):
        near(run(), expected, rtol=1e-11 if "Gram" in row else 1e-12)
        assert numbers(row)[-1] < (1e-11 if "Gram" in row else 1e-12)
    worse = []
    for seed in range(10):  # other orders of the same sums
        p = np.random.default_rng(seed).permutation(2000)
        G, m, s = V[p].T @ V[p], V[p].T @ Y[p], Y[p] @ Y[p]
        w = descend(steps=1999)[1]
        worse.append(abs((w @ G @ w - 2 * w @ m + s) / expected[-1] - 1))
        Q, R = np.linalg.qr(V[p])
        error = np.append(R @ w - Q.T @ Y[p], np.sqrt(FLOOR))
        assert abs(error @ error / expected[-1] - 1) < 2e-14
    assert np.median(worse) > 5e-14


@shows("scal0078")
def two_ways_for_a_thousand(n, said, axes):
    assert said == "True\n"
    assert n["starts"].shape == (1000, 4)
    near(n["ends"], last_losses(plain(n["starts"])))
    near(n["by_rows"], last_losses(plain(n["starts"])))


@shows("scal0035")
def thousand_drawn(n, said, axes):
    ends = last_losses(plain(n["starts"]))
    bars = axes[0].patches
    assert sum(bar.get_height() for bar in bars) == 1000
    near((bars[0].get_x(), bars[-1].get_x()), (min(ends), max(ends)), 0.02)
    near(lines(axes[0])["floor"][0], FLOOR)
    near(lines(axes[0])["from the book's start"][0], descend()[0][-1])
    named(axes[0], "loss at the last step", "starts")


@shows("scal0080")
def share_below(n, said, axes):
    below = np.mean(last_losses(plain(n["starts"])) < descend()[0][-1])
    assert said == f"{below:.0%} end below {descend()[0][-1]:.4f}\n"
    assert 0.15 < below < 0.3


@shows("scal0083")
def thousand_timed(n, said, axes):
    assert re.fullmatch(r"a thousand take [\d.]+ times as long as one\n", said)
    far, rate = plain(n["starts"]) - BEST, 0.99 * LIMIT
    for curvature, axis in zip(CURVATURES, AXES, strict=True):
        assert abs(1 - rate * curvature) < 1  # all reach the floor
        assert np.ptp(far @ axis) > 1


@shows("scal0081")
def end_alone(n, said, axes):
    assert re.fullmatch(r"least squares +\d+  the end alone\n", said)


@shows("scal0079")
def two_processes(n, said, axes):
    assert said == "2 at work from step 0 to 2000\n\n"


@shows("scal0040", "scal0055")
def the_same_losses(n, said, axes):
    together = n.get("resumed", n["shared"])
    near(together, descend()[0], rtol=1e-12)
    near(n["state"]["weights"], descend()[1])
    assert "2000 losses are as expected, to 1e-12" in said
    if "resumed" in n:
        assert said.startswith("1 at work from step 500 to 2000\n")


@shows("scal0043")
def costs_drawn(n, said, axes):
    drawn = lines(axes[0])
    assert [*drawn] == [*n["names"].values()]
    for sizes, seconds in drawn.values():
        assert [*sizes] == [2e3, 2e4, 2e5, 2e6]
        assert all(seconds > 0)
    named(axes[0], "points", "seconds a step", "log", "log")


@shows("scal0048")
def not_multiplied(n, said, axes):
    (one, other), (halved, slow) = map(numbers, said.splitlines())
    assert (one, halved) == (2e-6, 1e-6)
    near(other, descend()[0][-1], atol=6e-5)
    near(slow, descend(5e-7)[0][-1], atol=6e-5)
    for t in (400, 1000, 1998):  # two steps of half the length, for one
        near(descend(5e-7)[0][t], descend()[0][t // 2], rtol=5e-3)


@shows("scal0051")
def unequal_parts(n, said, axes):
    summed, mean = map(numbers, said.splitlines())
    near(summed, descend()[0][-1], atol=6e-5)
    near(mean, weighed(np.repeat([2 / 3, 2], [1500, 500]), 1e-6), atol=6e-5)
    assert abs(mean[0] - summed[0]) > 1
    near(weighed(np.ones(2000), 1e-6), descend()[0][-1])
    near(n["averaged"](n["halves"], 2e-3, mean=True), descend()[0])


@shows("scal0054")
def one_died(n, said, axes):
    assert said == "exit code 1\n"
    losses = torch.load(n["file"], weights_only=True)[1]
    near(losses, descend(steps=500)[0], rtol=1e-12)


@shows("scal0058")
def four_processes(n, said, axes):
    near(numbers(said), weighed(np.ones(2000) / 4, 1e-6), atol=6e-3)
    near(descend()[0][500], weighed(np.ones(2000) / 4, 1e-6), rtol=1e-2)


@shows("scal0061")
def thousand_rates(n, said, axes):
    rates = np.linspace(1e-7, 3.6e-6, 1000)
    ends = last_losses(np.array(sinefit.START), rates)
    near(n["ends"], ends)
    near(numbers(said), rates[np.argmin(ends)], rtol=5e-4)


@shows("scal0064")
def all_points_each(n, said, axes):
    for count, line in zip((2, 3, 4), said.splitlines(), strict=True):
        end = descend(count * 1e-6)[0][-1]
        assert line == f"{count} {end:.4g}"
    assert 3e-6 < LIMIT < 4e-6
