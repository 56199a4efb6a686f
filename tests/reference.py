"""The book's curve and its bowl, found by hand: NumPy, loops, differences.

What the chapters' tests compare with. Nothing here uses what it stands
against: no PyTorch, and of sinefit the start and the data alone.
"""

import re

import numpy as np

import sinefit

X, Y = sinefit.data()
V = np.vander(X, 4, increasing=True)
RATE, START = 1e-6, np.array(sinefit.START)
H = np.array([[2 * np.sum(X ** (i + j)) for i in range(4)] for j in range(4)])
BEST = np.linalg.solve(V.T @ V, V.T @ Y)
FLOOR = np.square(V @ BEST - Y).sum()
AXES = np.linalg.svd(V)[2][::-1]  # of the bowl, the flattest first
CURVATURES = np.array([2 * np.square(V @ axis).sum() for axis in AXES])
LIMIT = 1 / np.linalg.norm(V, 2) ** 2
TIMES = "\N{MULTIPLICATION SIGN}"
LEGENDRE = np.polynomial.Legendre


def squares(A, target, weight=1.0):
    """Return what gives the loss of A @ w, and its slopes, at some w.

    weight: how much each square counts, or all of them.
    """

    def look(w):
        error = A @ w - target
        weighed = weight * error
        return weighed @ error, 2 * weighed @ A

    return look


@np.errstate(over="ignore", invalid="ignore")  # some runs diverge
def walk(w, look, rates, beta=0.0, alpha=0.0, even=True, decay=0.0):
    """Return the losses before steps at these rates, and weights around them.

    look gives the loss and its slopes at some weights. beta is the momentum
    of SGD. With alpha the steps are those of Adam, with decay of AdamW, and,
    where the start is not made even, of RMSprop.
    """
    losses, path, m, s = [], [w], 0.0, 0.0
    for t, rate in enumerate(rates, 1):
        loss, g = look(w)
        losses.append(loss)
        m = beta * m + (1 - beta if alpha else 1) * g
        step = m
        if alpha:
            s = alpha * s + (1 - alpha) * g * g
            first, second = (1 - beta**t, 1 - alpha**t) if even else (1, 1)
            step = m / first / ((s / second) ** 0.5 + 1e-8)
        w = w * (1 - decay * rate) - rate * step
        path.append(w)
    return np.array(losses), path


def descend(lr=1e-6, momentum=0, steps=2000, start=START):
    """Return the losses and weights of gradient descent, in a loop."""
    cubic = squares(V, Y)
    losses, path = walk(np.array(start), cubic, [lr] * steps, momentum)
    return losses, path[-1]


LOSSES, END = descend()


def loss(w):
    """Return the summed squared error of the cubic with these weights."""
    return sum((np.polyval(w[::-1], x) - np.sin(x)) ** 2 for x in X)


def slope(w, f=loss, h=1e-3):
    """Return the derivatives at these weights, by differences."""
    steps = h * np.eye(len(w))
    return np.array([(f(w + step) - f(w - step)) / (2 * h) for step in steps])


def steepest(look, w, h=1e-5):
    """Return the largest curvature at these weights, by differences."""
    return np.linalg.eigvalsh(slope(w, lambda w: look(w)[1], h)).max()


def close(values, expected, rtol=1e-6, atol=1e-9):
    """Tell whether two numbers or rows are nearly the same."""
    return np.allclose(values, expected, rtol=rtol, atol=atol)


def equally_slow():
    """Tell whether the steepest and the flattest axis are, at the formula."""
    return close(
        *np.abs(1 - 2 / (CURVATURES[0] + CURVATURES[-1]) * CURVATURES[[0, -1]])
    )


# What a cell holds


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


def table(said):
    """Return the numbers in each line of what was printed."""
    return [numbers(line) for line in said.splitlines()]


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


def run_shown(axes, curve, losses, atol=1e-4):
    """Hold the two panels of a run: its curve, and its losses."""
    left, right = axes
    near(lines(left)["fit"][1], curve, atol=atol)
    near(lines(left)["sin(x)"], (X, np.sin(X)), atol=1e-12)
    near(lines(right)["loss"], (range(2000), losses))
    near(lines(right)["floor"][1], FLOOR)
    named(left, "x", "y")
    named(right, "step", "loss", y_scale="log")


# Cells that several chapters have


def the_loop(n, said, axes):
    near(n["losses"], LOSSES, rtol=1e-12)
    expected = [(t, LOSSES[t]) for t in range(399, 2000, 400)]
    near(table(said), expected, atol=6e-5)


def result(n, said, axes):
    found = numbers(said.replace("x^2", "x").replace("x^3", "x"))
    near(found, END, atol=6e-5)


def run_drawn(n, said, axes):
    a, b, c, d = (plain(n[name]) for name in "abcd")
    curve = np.polyval((d, c, b, a), X)
    run_shown(axes, curve, LOSSES, atol=2e-3)  # one update later


def device_found(n, said, axes):
    found = n["torch"].accelerator.current_accelerator(check_available=True)
    assert n["found"] == found
    if "there" in n:  # chapter 7
        assert n["there"].type == getattr(found, "type", "cpu").replace(
            "mps", "cpu"
        )
    else:  # it may have been stored where there is none
        assert said in (f"{found}\n", "cpu\n")
