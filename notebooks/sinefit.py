"""What every chapter shares: start, data, theory, check, plots.

NumPy and Matplotlib alone, so that chapter 1 runs where torch is not.
Arguments are lists, arrays or tensors, on any device, with grad or without.
"""

import difflib
import json
import pathlib

import matplotlib.pyplot as plt
import numpy as np
from numpy.polynomial import Legendre

# Exact in float32 and float64, none of them zero: every rung starts here.
START = (-0.5, 0.25, 0.125, -0.0625)

# Blue, vermilion, green, purple, black: Okabe and Ito, Color Universal Design
COLORS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000"]
STYLES = ["-", "--", "-.", ":", (0, (1, 1))]
plt.rc("axes", prop_cycle=plt.cycler(color=COLORS, linestyle=STYLES))
plt.rc("axes", facecolor="none")
plt.rc("axes.spines", right=False, top=False)
plt.rc("figure", dpi=160, figsize=(6.4, 3.2), facecolor="none")
plt.rc("font", size=11)
plt.rc("lines", linewidth=2)


def data(points=2000):
    """Return x, even on [-pi, pi] (radians), and y = sin(x), as float64.

    Both have shape (points,). ValueError below 2 points.
    """
    if not isinstance(points, int) or points < 2:
        raise ValueError(f"points: expected a whole number > 1, got {points}")
    x = np.linspace(-np.pi, np.pi, points)
    return x, np.sin(x)


def optimum(x, y, degree=3):
    """Return the least-squares weights, shape (degree + 1,), and their loss.

    x, y: shape (n,). Weight k multiplies x**k; the loss is the summed squared
    error. ValueError for fewer points than weights. Source: np.linalg.lstsq.
    """
    x = _numbers("x", x)
    y = _numbers("y", y, x.size)
    if not 0 <= degree < x.size:
        limit = f"0 to {x.size - 1} for {x.size} points"
        raise ValueError(f"degree: expected {limit}, got {degree}")
    V = np.vander(x, degree + 1, increasing=True)
    weights = np.linalg.lstsq(V, y, rcond=None)[0]
    return weights, np.square(V @ weights - y).sum()


def predict(learning_rate=1e-6, steps=2000, start=START):
    """Return the losses of gradient descent and its last weights, by theory.

    Losses, shape (steps,), are those before each update; weights, shape (4,),
    those after the last. No loop: along each eigenvector of the Hessian, the
    distance from the optimum shrinks by 1 - learning_rate * eigenvalue a step.
    Source: Goh, Why Momentum Really Works, Distill 2017.
    """
    x, y = data()
    best, floor = optimum(x, y)
    V = np.vander(x, 4, increasing=True)
    _, singular, axes = np.linalg.svd(V, full_matrices=False)
    eigenvalues = 2 * singular**2
    shrink = 1 - learning_rate * eigenvalues
    distance = axes @ (_numbers("start", start, 4) - best)
    left = distance * shrink ** np.arange(steps + 1)[:, None]
    losses = floor + 0.5 * left[:-1] ** 2 @ eigenvalues
    return losses, best + axes.T @ left[-1]


def predict_legendre(learning_rate=5e-6, steps=2000, start=(0, -1, 0, 0.3)):
    """Return the same for a + b * P3(c + d * x), chapter 4's model.

    No formula gives this curve, so NumPy takes the steps, by hand.
    """
    x, y = data()
    p3 = Legendre.basis(3)
    weights, losses = _numbers("start", start, 4), []
    for _ in range(steps):
        a, b, c, d = weights
        error = a + b * p3(c + d * x) - y
        losses.append(error @ error)
        slope = b * p3.deriv()(c + d * x)
        parts = np.array([np.ones_like(x), p3(c + d * x), slope, slope * x])
        weights = weights - learning_rate * 2 * parts @ error
    return np.array(losses), weights


def check(losses, weights, expected=None, rtol=1e-12):
    """Compare a run with theory: print what was found, or say what is wrong.

    losses: before each of 2000 updates. weights: (a, b, c, d) after the last.
    expected: the pair to compare with, predict() by default. AssertionError if
    a loss is off by more than rtol of its value, or a weight by more than
    rtol, or if a loss does not fall where theory says that it must.
    """
    theory, last = predict() if expected is None else expected
    losses = _numbers("losses", losses, finite=False)
    weights = _numbers("weights", weights, 4, finite=False)
    if losses.size != theory.size:
        raise AssertionError(
            f"expected {theory.size} losses, one a step, got {losses.size}: "
            "does the loop start from an empty list and take every step?"
        )
    off = np.abs(losses / theory - 1)
    first = int(np.argmin(off <= rtol))  # a nan is never <= rtol
    if not off[first] <= rtol:
        raise AssertionError(
            f"losses[{first}] is {losses[first]:.8g}, but theory says "
            f"{theory[first]:.8g}: {_hint(first, losses, theory, off.max())}"
        )
    if (np.diff(losses)[np.diff(theory) < -rtol * theory[1:]] >= 0).any():
        raise AssertionError("a loss does not fall where theory says it must")
    if not (np.abs(weights - last) <= rtol).all():
        raise AssertionError(
            f"the losses are right, the weights not: {weights}, not {last}: "
            "give a, b, c, d in this order, after the last update"
        )
    floor = optimum(*data())[1]
    digits = 6 if rtol < 1e-8 else 3  # no more than rtol lets stand
    print(f"{losses.size} losses agree with theory to {rtol:g}")
    print(f"largest relative difference: {off.max():.1e}")
    print(f"falling at every step, the last is {losses[-1]:.{digits}g}")
    print(f"above the smallest possible, {floor:.6g}, ", end="")
    print(f"by {losses[-1] - floor:.{digits - 1}g}")


def _hint(first, losses, theory, worst):
    """Say where to look when losses[first] is the first wrong one."""
    if worst < 1e-4:
        return "so close is float32: use float64, or check with rtol=1e-4"
    if np.isclose(losses[0] * 2000, theory[0]):
        return "that is the mean over the points: take the sum"
    if first == 1 and np.ptp(losses) == 0:
        return "it never changes: are backward and the update in the loop?"
    hints = {
        0: "no update yet, so look at the start, the data and the loss",
        1: "the start is right: look at the gradient and the learning rate",
        2: "one update was right, two are not: are the gradients zeroed?",
    }
    return hints.get(first, f"the first {first} are right: what came then?")


def plot_fit(x, y, y_pred):
    """Draw y_pred, or a dict of label: y_pred, over y; shapes are all (n,)."""
    x = _numbers("x", x)
    plt.plot(x, _numbers("y", y, x.size), "0.7", lw=7, label="sin(x)")
    curves = y_pred if isinstance(y_pred, dict) else {"fit": y_pred}
    for label, values in curves.items():
        plt.plot(x, _numbers("y_pred", values, x.size), label=label)
    plt.xticks([-np.pi, 0, np.pi], ["-π", "0", "π"])
    plt.gca().set(xlabel="x", ylabel="y")
    plt.legend()
    plt.show()


def plot_losses(losses):
    """Draw losses, shape (steps,), or a dict of label: losses, on a log scale.

    The thin line is the smallest summed loss possible on the 2000 points.
    """
    curves = losses if isinstance(losses, dict) else {"loss": losses}
    for label, values in curves.items():
        plt.plot(_numbers("losses", values, finite=False), label=label)
    plt.axhline(optimum(*data())[1], color="0.5", lw=1, label="optimum")
    plt.gca().set(xlabel="step", ylabel="loss", yscale="log")
    plt.legend()
    plt.show()


class Diff(str):
    """A diff, which Jupyter shows in colour."""

    def _repr_markdown_(self):
        return f"```diff\n{self}\n```"


def loop_diff(before, after):
    """Return the Diff of two chapters' cells tagged loop, as in their files.

    before, after: file names without .ipynb. ValueError if one has no loop.
    """
    loops = []
    for name in (before, after):
        text = pathlib.Path(f"{name}.ipynb").read_text(encoding="utf-8")
        for cell in json.loads(text)["cells"]:
            if "loop" in cell["metadata"].get("tags", []):
                loops.append("".join(cell["source"]).splitlines())
    if len(loops) != 2:
        raise ValueError(f"{before}, {after}: expected one loop in each")
    return Diff(
        "\n".join([*difflib.unified_diff(*loops, n=99, lineterm="")][3:])
    )


def _plain(value):
    """Return a tensor without its graph and off its device."""
    return value.detach().cpu() if hasattr(value, "detach") else value


def _numbers(name, values, size=None, finite=True):
    """Return values as a float64 array of one axis, or name what is wrong."""
    try:
        array = np.array([float(_plain(value)) for value in _plain(values)])
    except (TypeError, ValueError):
        wanted = f"{name}: expected a row of numbers"
        raise TypeError(f"{wanted}, got {type(values).__name__}") from None
    if not array.size or (size and array.size != size):
        wanted = f"{name}: expected {size or 'some'} numbers"
        raise ValueError(f"{wanted}, got {array.size}")
    if finite and not np.isfinite(array).all():
        raise ValueError(f"{name}: expected finite numbers, got nan or inf")
    return array
