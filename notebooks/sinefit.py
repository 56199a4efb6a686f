"""What every chapter shares: start, data, theory, check, plots.

Rows of numbers may be lists, arrays or tensors; torch need not be installed.
"""

import inspect
import json
import re
from contextlib import suppress
from difflib import unified_diff
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

# Exact in float32 and float64, none zero. Chapter 4 alone starts elsewhere.
START = (-0.5, 0.25, 0.125, -0.0625)

COLORS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000"]  # Okabe-Ito
LINES = plt.cycler(color=COLORS, linestyle=["-", "--", "-.", ":", (0, (1, 1))])
plt.rc("axes", prop_cycle=LINES, facecolor="none")
plt.rc("axes.spines", right=False, top=False)
plt.rc("figure", dpi=160, figsize=(6.4, 3.2), facecolor="none")
plt.rcParams.update({"font.size": 11, "legend.frameon": False})

with suppress(ImportError):  # in Jupyter: sharp at any size, and light
    from matplotlib_inline.config import InlineBackend

    plt.rc("svg", hashsalt="book", fonttype="none")
    inline = InlineBackend.instance()
    bare = {"Creator": None, "Date": None}
    inline.print_figure_kwargs = {"bbox_inches": "tight", "metadata": bare}
    inline.figure_formats = {"svg"}


def data(points=2000):
    """Return x, even on [-pi, pi], and sin(x): float64, shape (points,)."""
    x = np.linspace(-np.pi, np.pi, points)
    return x, np.sin(x)


def optimum(x, y, degree=3):
    """Return the least-squares weights, shape (degree + 1,), and their loss.

    x, y: shape (n,). Weight k multiplies x**k; the loss is the summed squared
    error. Source: np.linalg.lstsq.
    """
    x = _numbers("x", x)
    y = _numbers("y", y, x.size)
    V = np.vander(x, degree + 1, increasing=True)
    weights = np.linalg.lstsq(V, y, rcond=None)[0]
    return weights, np.square(V @ weights - y).sum()


def predict(learning_rate=1e-6, steps=2000, start=START):
    """Return the losses of gradient descent and its last weights, by theory.

    Losses, shape (steps,): before each update; weights, shape (4,): after the
    last. Along each eigenvector of the Hessian, every step multiplies the
    distance from the optimum by 1 - learning_rate * eigenvalue (Goh, Distill
    2017).
    """
    best, floor = optimum(*data())
    V = np.vander(data()[0], 4, increasing=True)
    _, singular, axes = np.linalg.svd(V, full_matrices=False)
    eigenvalues = 2 * singular**2
    t = np.arange(steps + 1)[:, None]
    distance = axes @ (_numbers("start", start, 4) - best)
    left = distance * (1 - learning_rate * eigenvalues) ** t
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


def predict_network(units=8):
    """Return the same for chapter 8's network, at a learning rate of 5e-5.

    Its last weights, shape (3 * units + 1,), are w, b, v and c in a row. This
    is forward mode: how each prediction changes with each weight, then a sum.
    """
    x, y = data()
    signs = (-1.0) ** np.arange(units)
    steps_at = np.linspace(-np.pi, np.pi, units)
    weights = np.concatenate([signs**2, -steps_at, 0.0125 * signs, [0]])
    losses = []
    for _ in range(2000):
        w, b, v = weights[:-1].reshape(3, units, 1)
        unit = np.tanh(w * x + b)
        error = (v * unit).sum(axis=0) + weights[-1] - y
        losses.append(error @ error)
        slope = v * (1 - unit**2)
        parts = np.concatenate([slope * x, slope, unit, [np.ones_like(x)]])
        weights = weights - 5e-5 * 2 * parts @ error
    return np.array(losses), weights


def predict_batches(size, learning_rate=1e-6, steps=2000):
    """Return the expected losses of chapter 9's run in batches, by theory.

    size: points in a batch, drawn with replacement; the gradient is scaled to
    that of all points. Losses, shape (steps,), before each update. The mean
    of the distance from the optimum, and that of its products, obey a linear
    recursion, for the gradient is linear in the weights.
    """
    x, y = data()
    best, floor = optimum(x, y)
    V = np.vander(x, 4, increasing=True)
    left, H = V @ best - y, 2 * V.T @ V
    scale = 4 * x.size / size
    by_square = np.einsum("ia,ib,ic,id->abcd", V, V, V, V)
    by_mean = 2 * np.einsum("i,ia,ib,ic->abc", left, V, V, V)
    alone = np.einsum("i,ia,ib->ab", left**2, V, V)
    mean = START - best
    square, losses = np.outer(mean, mean), []
    for _ in range(steps):
        losses.append(floor + 0.5 * (H * square).sum())
        noise = scale * (by_square.reshape(16, 16) @ square.ravel())
        noise = noise.reshape(4, 4) + scale * (by_mean @ mean + alone)
        pull = H @ square
        noise += (1 - 1 / size) * pull @ H
        square = square - learning_rate * (pull + square @ H)
        square = square + learning_rate**2 * noise
        mean = mean - learning_rate * H @ mean
    return np.array(losses)


def check(losses, weights, *, expected=None, rtol=1e-12):
    """Compare a run with what theory expects, and print or raise the outcome.

    losses: before each update; weights: (a, b, c, d) after the last; expected:
    such a pair, by default predict's. AssertionError if any is off by rtol.
    """
    theory, last = predict() if expected is None else expected
    losses = _numbers("losses", losses)
    weights = _numbers("weights", weights, last.size)
    if losses.size != theory.size:
        raise AssertionError(
            f"expected {theory.size} losses, one a step, got {losses.size}.\n"
            "Does the loop start from an empty list, and take every step?"
        )
    off = np.abs(losses / theory - 1)
    first = int(np.argmin(off <= rtol))
    if not off[first] <= rtol:  # nan is not
        difference = losses[first] - theory[first]
        alike = f" (difference {difference:.1e})" if off[first] < 1e-4 else ""
        raise AssertionError(
            f"losses[{first}] is {losses[first]:.8g}, expected "
            f"{theory[first]:.8g}{alike}.\n"
            f"{_hint(first, losses, theory, off.max())}"
        )
    if not (np.abs(weights - last) <= rtol).all():
        raise AssertionError(
            f"The losses are right, the weights not: {weights}, not {last}.\n"
            "Give all of them in the page's order, after the last update."
        )
    end, floor = losses[-1], optimum(*data())[1]
    digits = 6 if rtol < 1e-8 else 3  # no more than rtol lets stand
    print(f"{losses.size} losses are as expected, to {rtol:g}")
    print(f"largest relative difference: {off.max():.1e}")
    fell = (np.diff(losses) < 0).sum()
    print(f"fell at {fell} of {losses.size - 1} steps, to {end:.{digits}g}")
    side = "above the" if end >= floor else "below the cubics'"
    print(f"{abs(end - floor):.{digits - 1}g} {side} floor, {floor:.6g}")


def check_mean(losses, expected):
    """Compare the mean over many runs with what theory expects.

    losses: shape (steps, runs), two runs or more; expected: shape (steps,).
    AssertionError if the mean is off by more than 5 of its standard errors at
    any step.
    """
    losses, expected = np.asarray(losses), np.asarray(expected)
    means, runs = losses.mean(axis=1), losses.shape[1]
    error = losses.std(axis=1, ddof=1) / np.sqrt(runs)
    off = ~(np.abs(means - expected) <= 5 * error + 1e-12 * expected)
    if off.any():  # or nan
        t = off.argmax()
        raise AssertionError(
            f"step {t}: the mean of {runs} losses is {means[t]:.6g}, "
            f"give or take {error[t]:.1g}, and theory expects "
            f"{expected[t]:.6g}. Is each gradient scaled to all points, and "
            "is the theory that of this rate, and of batches of this size?"
        )
    print(f"{off.size} mean losses are as expected, to 5 errors")
    print(f"the last: {means[-1]:.2f}, and theory expects {expected[-1]:.2f}")


def _hint(first, losses, theory, worst):
    if worst < 1e-4:
        return "So close: float32? Check it with rtol=1e-4. Or data a bit off?"
    if np.isclose(losses[0] * 2000, theory[0]):
        return "That is the mean over the points: take the sum."
    if np.isclose(losses[0], theory[1]):
        return "That is the loss after one update: record it before."
    longer, _ = predict(steps=10_000)
    later = np.flatnonzero(np.isclose(losses[0], longer, rtol=1e-9))
    if first == 0 and later.size:
        return f"That is the loss of step {later[0]}: go back to the start."
    if first == 1 and np.ptp(losses) == 0:
        return "It never changes: backward, then update, on these weights?"
    if first == 1 and losses[1] > losses[0]:
        return "It climbs: the gradient's sign, or a learning rate too large?"
    hints = {
        0: "No update yet: look at start, data and loss, and at their shapes.",
        1: "The start is right: look at the gradient and the learning rate.",
        2: "One update is right, two are not: are the gradients zeroed?",
    }
    return hints.get(first, f"The first {first} are right: what came then?")


def plot_fit(x, y, y_pred):
    """Draw y_pred, or a dict of label: y_pred, over y; shapes are all (n,)."""
    _draw_fit(plt.gca(), x, y, y_pred)
    plt.show()


def plot_losses(losses, above_floor=False):
    """Draw losses, shape (n,), or a dict of label: losses, over the floor.

    above_floor: draw how far above it they are, and no line for it.
    """
    _draw_losses(plt.gca(), losses, above_floor)
    plt.show()


def plot_run(x, y, y_pred, losses):
    """Draw both, side by side: the fit, and the losses that led to it."""
    _, (left, right) = plt.subplots(1, 2, layout="constrained")
    _draw_fit(left, x, y, y_pred)
    _draw_losses(right, losses)
    plt.show()


def plot_bowl(center, hessian, paths, names=("b", "d"), half=None):
    """Draw the contours of a quadratic loss of two weights, and paths in it.

    center, where the loss is least: shape (2,); hessian: shape (2, 2); paths:
    a dict of label: weights, shape (steps, 2); names: of the two weights;
    half: draw a square, so far to each side of the center, and not all paths;
    a path that would be lost in it is drawn once more, in an inset.
    Each contour is four times as high above the floor as the next one in.
    """
    center, hessian = np.asarray(center, float), np.asarray(hessian, float)
    paths = {label: np.asarray(path, float) for label, path in paths.items()}
    points = np.concatenate([*paths.values(), center[None]])
    low, high = points.min(0), points.max(0)
    low, high = low - 0.1 * (high - low), high + 0.1 * (high - low)
    if half is not None:
        low, high = center - half, center + half
        plt.gca().set_aspect("equal")
    low, high = low.round(9), high.round(9)  # the same on every machine
    corners = np.array([low, high, [low[0], high[1]], [high[0], low[1]]])
    away = corners - center
    highest = np.einsum("ci,ij,cj->c", away, hessian, away).max() / 2
    turn = np.linspace(0, 2 * np.pi, 101)
    circle = np.stack([np.cos(turn), np.sin(turn)])
    ring = np.linalg.solve(np.linalg.cholesky(hessian).T, circle)
    for level in highest * 4.0 ** np.arange(-7, 0):
        contour = center[:, None] + np.sqrt(2 * level) * ring
        plt.plot(*contour, "-", color="0.7", lw=1, zorder=1)
    for number, (label, path) in enumerate(paths.items()):
        style = {"color": COLORS[number], "ms": 5, "lw": 1}
        style["zorder"] = 4 - number
        plt.plot(*path.T, ".-", label=label, **style)  # the first on top
        if half is not None and 0 < np.ptp(path, axis=0).max() < half / 4:
            inset = plt.gca().inset_axes([0.5, 0.06, 0.45, 0.35])
            inset.plot(*path.T, ".-", **style)
            inset.set(xticks=[], yticks=[])
            plt.gca().indicate_inset_zoom(inset, edgecolor="k")
    plt.plot(*center, "k+", ms=12, mew=2)
    plt.axis([low[0], high[0], low[1], high[1]])
    plt.gca().set(xlabel=names[0], ylabel=names[1])
    plt.legend()
    plt.show()


def plot_graph(result):
    """Draw how a value was computed, and the gradients that came back.

    result: an object with value and grad, numbers, name, and parents, a list
    of pairs whose first is such an object; as chapter 3 makes them.
    """
    depth, rows = {}, {}

    def place(node, steps):
        depth[node] = max(steps, depth.get(node, 0))
        for parent, _ in node.parents:
            place(parent, steps + 1)
        if not node.parents:
            rows.setdefault(node, -sum(not other.parents for other in rows))
        else:
            rows[node] = np.mean([rows[parent] for parent, _ in node.parents])

    place(result, 0)
    for node, steps in depth.items():
        to = -steps, rows[node]
        for number, (parent, _) in enumerate(node.parents):
            twice = sum(parent is other for other, _ in node.parents) > 1
            bend = 0.3 * (2 * number - 1) if twice else 0
            arrow = {"arrowstyle": "->", "color": "0.6"}
            arrow |= {"shrinkA": 22, "shrinkB": 22}
            arrow |= {"connectionstyle": f"arc3,rad={bend}"}
            start = -depth[parent], rows[parent]
            plt.annotate("", to, start, arrowprops=arrow)
        for text, color, up in (
            (node.name, "0", 13),
            (f"{node.value:.3f}", COLORS[0], 0),
            (f"{node.grad:.3f}", COLORS[1], -13),
        ):
            spot = {"xytext": (0, up), "textcoords": "offset points"}
            spot |= {"ha": "center", "va": "center"}
            plt.annotate(text, to, color=color, **spot)
    plt.xlim(-max(depth.values()) - 0.4, 0.4)
    plt.ylim(min(rows.values()) - 0.5, max(rows.values()) + 0.5)
    plt.axis("off")
    plt.show()


def plot_shapes(shapes):
    """Draw shapes as boxes, side by side: a dict of label: shape.

    A shape of one axis lies, as it does when it broadcasts.
    """

    def side(length):
        return 0.12 * min(length, 8)

    for number, (label, shape) in enumerate(shapes.items()):
        height, width = map(side, (1, *shape)[-2:])
        middle = 1.3 * number
        corner = middle - width / 2, -height / 2
        box = plt.Rectangle(corner, width, height, color=COLORS[0], alpha=0.5)
        plt.gca().add_patch(box)
        plt.text(middle, 0.6, label, ha="center")
        size = "\N{MULTIPLICATION SIGN}".join(map(str, shape))
        plt.text(middle, -0.75, size, ha="center")
    plt.axis([-0.7, 1.3 * len(shapes) - 0.6, -0.9, 0.8])
    plt.gca().set_aspect("equal")
    plt.axis("off")
    plt.show()


def plot_tree(parameters):
    """Draw the modules that parameters belong to, as a tree.

    parameters: a dict of dotted name: shape, as named_parameters gives them.
    """
    rows = {"": 0}
    for name in parameters:
        for end in [m.start() for m in re.finditer(r"\.|$", name)]:
            rows.setdefault(name[:end], -len(rows))
    for name, row in rows.items():
        depth, above = name.count(".") + (name != ""), name.rpartition(".")[0]
        if name:
            stem = [depth - 0.9, depth - 0.9, depth - 0.05]
            line = [rows[above] - 0.35, row, row]
            plt.plot(stem, line, color="0.6", ls="-", lw=1)
        label = name.rpartition(".")[2] or "model"
        label += f"  {parameters[name]}" if name in parameters else ""
        plt.text(depth, row, label, va="center")
    plt.axis([-0.1, 5, 0.6 - len(rows), 0.6])
    plt.axis("off")
    plt.show()


def _draw_fit(ax, x, y, y_pred):
    x = _numbers("x", x)
    ax.plot(x, _numbers("y", y, x.size), "0.7", lw=7, label="sin(x)")
    curves = y_pred if isinstance(y_pred, dict) else {"fit": y_pred}
    for label, values in curves.items():
        values = _numbers("y_pred", values, x.size)
        ax.plot(x, values.clip(-1e3, 1e3), lw=2, label=label)
    ax.set_xticks([-np.pi, 0, np.pi], ["-π", "0", "π"])
    ax.set(xlabel="x", ylabel="y")
    ax.legend()


def _draw_losses(ax, losses, above_floor=False):
    curves = losses if isinstance(losses, dict) else {"loss": losses}
    floor = optimum(*data())[1]
    for label, values in curves.items():
        values = _numbers("losses", values).clip(max=1e9)
        ax.plot(values - floor * above_floor, lw=2, label=label)
    if above_floor:
        ax.set_ylim(1e-9)  # below it is rounding
    else:
        ax.axhline(floor, color="0.5", lw=1, label="floor")
    name = "loss above the floor" if above_floor else "loss"
    ax.set(xlabel="step", ylabel=name, yscale="log")
    ax.legend()


class Code(str):
    """Code, which Jupyter shows in the colours of its language."""

    language = "python"

    def _repr_markdown_(self):
        return f"```{self.language}\n{self}\n```"


def listing(*functions):
    """Return the Code of functions."""
    return Code("\n\n".join(map(inspect.getsource, functions)).rstrip())


def loop_diff(before, after):
    """Return the diff of the loops in two notebooks, named without .ipynb."""
    loops = []
    for name in (before, after):
        path = Path(__file__).with_name(f"{name}.ipynb")
        for cell in json.loads(path.read_text("utf-8"))["cells"]:
            if "loop" in cell["metadata"].get("tags", []):
                loops.append("".join(cell["source"]).splitlines())
    lines = [*unified_diff(*loops, n=1, lineterm="")][3:]
    diff = Code("\n".join("..." if x[:2] == "@@" else x for x in lines))
    diff.language = "diff"
    return diff


def _numbers(name, values, size=None):
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
    return array
