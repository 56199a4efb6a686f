"""What every chapter shares: start, data, theory, check, plots.

Rows of numbers may be lists, arrays or tensors; torch need not be installed.
"""

import json
from contextlib import suppress
from difflib import unified_diff
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

# Exact in float32 and float64, none of them zero: every rung starts here.
START = (-0.5, 0.25, 0.125, -0.0625)

COLORS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000"]  # Okabe-Ito
LINES = plt.cycler(color=COLORS, linestyle=["-", "--", "-.", ":", (0, (1, 1))])
plt.rc("axes", prop_cycle=LINES, facecolor="none")
plt.rc("axes.spines", right=False, top=False)
plt.rc("figure", dpi=160, figsize=(6.4, 3.2), facecolor="none")
plt.rcParams.update({"font.size": 11, "legend.frameon": False})

with suppress(ImportError):  # in Jupyter: sharp at any size, and light
    from matplotlib_inline.config import InlineBackend

    plt.rc("svg", hashsalt="book")
    inline = InlineBackend.instance()
    bare = {"Creator": None, "Date": None}
    inline.print_figure_kwargs = {"bbox_inches": "tight", "metadata": bare}
    inline.figure_formats = {"svg"}


def data(points=2000):
    """Return x, even on [-pi, pi], and sin(x): float64, shape (points,)."""
    x = np.linspace(-np.pi, np.pi, _number("points", points, 1))
    return x, np.sin(x)


def optimum(x, y, degree=3):
    """Return the least-squares weights, shape (degree + 1,), and their loss.

    x, y: shape (n,). Weight k multiplies x**k; the loss is the summed squared
    error. ValueError for fewer points than weights. Source: np.linalg.lstsq.
    """
    x = _numbers("x", x)
    y = _numbers("y", y, x.size)
    _number("points", x.size, _number("degree", degree, -1))
    V = np.vander(x, degree + 1, increasing=True)
    weights = np.linalg.lstsq(V, y, rcond=None)[0]
    return weights, np.square(V @ weights - y).sum()


def predict(learning_rate=1e-6, steps=2000, start=START):
    """Return the losses of gradient descent and its last weights, by theory.

    Losses, shape (steps,): before each update; weights, shape (4,): after the
    last. Along each eigenvector of the Hessian, the distance from the optimum
    shrinks by 1 - learning_rate * eigenvalue a step (Goh, Distill 2017).
    """
    best, floor = optimum(*data())
    V = np.vander(data()[0], 4, increasing=True)
    _, singular, axes = np.linalg.svd(V, full_matrices=False)
    eigenvalues = 2 * singular**2
    rate = _number("learning_rate", learning_rate, 0, whole=False)
    t = np.arange(_number("steps", steps, 0) + 1)[:, None]
    distance = axes @ (_numbers("start", start, 4) - best)
    left = distance * (1 - rate * eigenvalues) ** t
    losses = floor + 0.5 * left[:-1] ** 2 @ eigenvalues
    return losses, best + axes.T @ left[-1]


def predict_legendre(learning_rate=5e-6, start=(0, -1, 0, 0.3)):
    """Return the same for chapter 4's model, which NumPy runs by hand."""
    x, y = data()
    p3 = np.polynomial.Legendre.basis(3)
    weights, losses = _numbers("start", start, 4), []
    for _ in range(2000):
        a, b, c, d = weights
        error = a + b * p3(c + d * x) - y
        losses.append(error @ error)
        slope = b * p3.deriv()(c + d * x)
        parts = np.array([np.ones_like(x), p3(c + d * x), slope, slope * x])
        weights = weights - learning_rate * 2 * parts @ error
    return np.array(losses), weights


def check(losses, weights, *, expected=None, rtol=1e-12):
    """Compare a run with what theory expects, and print or raise the outcome.

    losses: before each update; weights: (a, b, c, d) after the last; expected:
    a pair like predict's, the default. AssertionError if any is off by rtol.
    """
    theory, last = predict() if expected is None else expected
    losses = _numbers("losses", losses, finite=False)
    weights = _numbers("weights", weights, 4, finite=False)
    if losses.size != theory.size:
        raise AssertionError(
            f"expected {theory.size} losses, one a step, got {losses.size}.\n"
            "Does the loop start from an empty list, and take every step?"
        )
    off = np.abs(losses / theory - 1)
    first = int(np.argmin(off <= _number("rtol", rtol, 0, whole=False)))
    if not off[first] <= rtol:  # nan is not
        raise AssertionError(
            f"losses[{first}] is {losses[first]:.8g}, expected "
            f"{theory[first]:.8g}.\n{_hint(first, losses, theory, off.max())}"
        )
    if (np.diff(losses)[np.diff(theory) < -rtol * theory[1:]] >= 0).any():
        raise AssertionError("A loss does not fall where it must.")
    if not (np.abs(weights - last) <= rtol).all():
        raise AssertionError(
            f"The losses are right, the weights not: {weights}, not {last}.\n"
            "Give a, b, c, d in this order, after the last update."
        )
    end, floor = losses[-1], optimum(*data())[1]
    digits = 6 if rtol < 1e-8 else 3  # no more than rtol lets stand
    print(f"{losses.size} losses are as expected, to {rtol:g}")
    print(f"largest relative difference: {off.max():.1e}")
    print(f"{(np.diff(losses) < 0).sum()} steps down, to {end:.{digits}g}")
    print(f"{end - floor:.{digits - 1}g} above the floor, {floor:.6g}")


def _hint(first, losses, theory, worst):
    if worst < 1e-4:
        return "So close: float32? Check it with rtol=1e-4. Or data a bit off?"
    if np.isclose(losses[0] * 2000, theory[0]):
        return "That is the mean over the points: take the sum."
    if np.isclose(losses[0], theory[1]):
        return "That is the loss after one update: record it before."
    if first == 1 and np.ptp(losses) == 0:
        return "It never changes: backward, then update, on these weights?"
    hints = {
        0: "No update yet: look at start, data and loss, and at their shapes.",
        1: "The start is right: look at the gradient and the learning rate.",
        2: "One update is right, two are not: are the gradients zeroed?",
    }
    return hints.get(first, f"The first {first} are right: what came then?")


def plot_fit(x, y, y_pred):
    """Draw y_pred, or a dict of label: y_pred, over y; shapes are all (n,)."""
    x = _numbers("x", x)
    plt.plot(x, _numbers("y", y, x.size), "0.7", lw=7, label="sin(x)")
    curves = y_pred if isinstance(y_pred, dict) else {"fit": y_pred}
    for label, values in curves.items():
        values = _numbers("y_pred", values, x.size, finite=False)
        plt.plot(x, values.clip(-1e3, 1e3), lw=2, label=label)
    plt.xticks([-np.pi, 0, np.pi], ["-π", "0", "π"])
    plt.gca().set(xlabel="x", ylabel="y")
    plt.legend()
    plt.show()


def plot_losses(losses):
    """Draw losses, shape (n,), or a dict of label: losses, over the floor."""
    curves = losses if isinstance(losses, dict) else {"loss": losses}
    for label, values in curves.items():
        values = _numbers("losses", values, finite=False).clip(max=1e9)
        plt.plot(values, lw=2, label=label)
    plt.axhline(optimum(*data())[1], color="0.5", lw=1, label="floor")
    plt.gca().set(xlabel="step", ylabel="loss", yscale="log")
    plt.legend()
    plt.show()


class Diff(str):
    """A diff, which Jupyter shows in colour."""

    def _repr_markdown_(self):
        return f"```diff\n{self}\n```"


def loop_diff(before, after):
    """Return the Diff of the loops in two notebooks, named without .ipynb."""
    loops = []
    for name in (before, after):
        path = Path(__file__).with_name(f"{name}.ipynb")
        for cell in json.loads(path.read_text("utf-8"))["cells"]:
            if "loop" in cell["metadata"].get("tags", []):
                loops.append("".join(cell["source"]).splitlines())
    if len(loops) != 2:
        raise ValueError(f"{before}, {after}: expected one loop in each")
    return Diff("\n".join([*unified_diff(*loops, n=99, lineterm="")][3:]))


def _numbers(name, values, size=None, finite=True):
    """Return values as a float64 array of one axis, or name what is wrong."""
    try:
        row = [v.item() if hasattr(v, "item") else v for v in values]
        array = np.array([float(value + 0.0) for value in row])  # no "1"
    except (TypeError, ValueError, RuntimeError):
        wanted = f"{name}: expected a row of numbers"
        raise TypeError(f"{wanted}, got {type(values).__name__}") from None
    if not array.size or (size and array.size != size):
        wanted = f"{name}: expected {size or 'some'} numbers"
        raise ValueError(f"{wanted}, got {array.size}")
    if finite and not np.isfinite(array).all():
        raise ValueError(f"{name}: expected finite numbers, got nan or inf")
    return array


def _number(name, value, above, whole=True):
    """Return value, a number above the one given, or say what is wrong."""
    kinds = (int, np.integer) if whole else (int, float, np.number)
    if not isinstance(value, kinds) or not above < value < np.inf:
        wanted = f"{name}: expected a {'whole ' * whole}number above {above}"
        raise ValueError(f"{wanted}, got {value!r}")
    return value
