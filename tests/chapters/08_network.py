"""Chapter 8: Learn the features with a network."""

import functools

import numpy as np

from every_chapter import *
from reference import *

# Cells that train once more, start processes or take times.
SLOW = r"for (seed|units) in"


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


def network_loss(p, x=X):
    """Return the loss of a network, and its slopes."""
    y_pred, rows = network_slopes(p, x)
    return np.square(y_pred - Y).sum(), 2 * rows @ (y_pred - Y)


def network_run(p, rate=5e-5, x=X, steps=2000, **rule):
    """Return the losses of so many steps, and the weights after them."""
    look = functools.partial(network_loss, x=x)
    losses, path = walk(p, look, [rate] * steps, **rule)
    return losses, path[-1]


ADAM = {"beta": 0.9, "alpha": 0.999}
PAGE, LEARNED = network_run(network_start())  # the page's own run


def drawn_by_pytorch(n, seed):
    """Return the weights that a new network of the page starts with."""
    n["torch"].manual_seed(seed)
    return plain(n["parameters_to_vector"](n["network"](8).parameters()))


@functools.cache
def run_from(*start):
    """Return the losses of the page's SGD from there."""
    return network_run(np.array(start))[0]


def units_drawn(n, said, axes):
    rows = network_slopes(network_start())[1][16:24]
    for line, unit in zip(axes[0].lines, rows, strict=True):
        near(line.get_data(), (X, unit), atol=1e-12)
    named(axes[0], "x", "unit")


def weights_counted(n, said, axes):
    assert said == f"{network_start().size} weights\n"
    learned = n["network"](8, n["start"]).parameters()
    for part, parameter in zip(n["start"], learned, strict=True):
        near(parameter.flatten(), part)


def network_by_hand(n, said, axes):
    near(numbers(said), PAGE[[0, -1]], atol=6e-5)
    near(n["by_hand"], PAGE, rtol=1e-12)
    near(np.concatenate(n["weights"]), LEARNED, atol=1e-11)
    assert np.argmax(PAGE < FLOOR) < 100 and PAGE[-1] < FLOOR / 100


def network_drawn(n, said, axes):
    run_shown(axes, network_slopes(LEARNED)[0], PAGE)


def two_ways_agree(n, said, axes):
    assert 0 < numbers(said)[0] < 1e-12


def parts_drawn(n, said, axes):
    *parts, total = [line.get_ydata() for line in axes[0].lines]
    units = network_slopes(LEARNED)[1][16:24]
    near(parts, units * LEARNED[16:24, None], atol=1e-9)
    near(total, np.sum(parts, axis=0) + LEARNED[-1], atol=1e-4)
    rises = [part[-1] > part[0] for part in parts]
    assert True in rises and False in rises
    named(axes[0], "x", "unit times output weight")
    numbered = [(t.get_text(), *t.get_position()) for t in axes[0].texts]
    assert [name for name, *_ in numbered] == [*"12345678"]
    for part, (_, middle, height) in zip(parts, numbered, strict=True):
        near((height, np.interp(middle, X, part)), 0, atol=1e-2)


def best_of_held_units(n, said, axes):
    floors = []
    for units in range(4, 9):
        rows = network_slopes(network_start(units))[1][2 * units :]
        left = Y - Y @ np.linalg.pinv(rows) @ rows
        floors.append(left @ left)
    near([row[-1] for row in table(said)], floors, 0, 6e-5)
    assert floors[3] < PAGE[-1] < floors[2] < 1.1 * PAGE[-1]


def few_units_learn(n, said, axes):
    ends = [network_run(network_start(units))[0][-1] for units in (4, 5)]
    near(numbers(said), (4, ends[0], 5, ends[1]), atol=6e-5)
    assert PAGE[-1] < ends[0] < ends[1] < 1


def floor_of_degree_5(n, said, axes):
    floor = np.square(np.polyval(np.polyfit(X, Y, 5), X) - Y).sum()
    near(numbers(said), (5, floor), atol=6e-5)
    assert floor < PAGE[-1]


def outside_the_data(n, said, axes):
    drawn = lines(axes[0])
    x, y = drawn["network"]
    near(x, 2 * X)
    near(drawn["sin(x)"], (2 * X, np.sin(2 * X)), atol=1e-12)
    (box,) = axes[0].patches
    near((box.get_x(), box.get_width()), (-np.pi, 2 * np.pi))
    near(y, network_slopes(LEARNED, x)[0], atol=1e-9)
    cubic = np.polyval(BEST[::-1], x)
    near(drawn["cubic"][1], np.where(abs(cubic) < 3, cubic, np.nan), atol=1e-9)
    assert abs(y[0] - y[200]) < 0.1 > abs(y[-1] - y[-200]), "nearly level"
    assert abs(y - np.sin(x))[abs(x) > 4].max() > 0.4


def seeds_drawn(n, said, axes):
    drawn = lines(axes[0])
    near(drawn["this page"][1], PAGE, rtol=1e-12)
    for seed in (0, 1):
        losses = run_from(*drawn_by_pytorch(n, seed))
        near(drawn[f"seed {seed}"][1], losses, rtol=1e-9)
        assert losses[-1] > 50 * PAGE[-1]
    named(axes[0], "step", "loss", y_scale="log")
    colours(axes[0])


def seeds_with_adam(n, said, axes):
    for seed, *ends in table(said):
        start = drawn_by_pytorch(n, int(seed))
        with_adam, _ = network_run(start, 5e-3, **ADAM)
        near(ends, (run_from(*start)[-1], with_adam[-1]), atol=6e-4)
        assert ends[1] < ends[0] / 50


def no_activation(n, said, axes):
    line = np.polyfit(X, Y, 1)
    floor = np.square(np.polyval(line, X) - Y).sum()
    near(numbers(said), (floor, floor), atol=6e-4)

    def look(p):
        w, b, v = p[:-1].reshape(3, -1, 1)
        off = v[:, 0] @ (w * X + b) + p[-1] - Y
        rows = np.concatenate([v * X, v + 0 * X, w * X + b, [0 * X + 1]])
        return off @ off, 2 * rows @ off

    at_the_pages_rate, _ = walk(network_start(), look, [5e-5] * 100)
    assert not np.isfinite(at_the_pages_rate[-1])


def solution_1(n, said, axes):
    ends = [network_run(network_start(units))[0][-1] for units in (1, 2, 3)]
    near(table(said), [(1, ends[0]), (2, ends[1]), (3, ends[2])], atol=6e-3)
    assert ends[2] < FLOOR < min(ends[:2])


def solution_3(n, said, axes):
    stuck, lowest = numbers(said)
    far = np.abs(2 * Y) > 1
    near(lowest, np.square(np.abs(2 * Y[far]) - 1).sum(), atol=0.06)
    y_pred = n["bounded"](n["x"]).detach().numpy()
    off = np.square(y_pred - 2 * Y)
    near(stuck, off.sum(), rtol=1e-3)
    at_ends = np.abs(X) > 5 / 6 * np.pi
    assert off[at_ends].sum() > (off.sum() - lowest) / 2


def units_start_alike(n, said, axes):
    one = np.array([1.0] * 8 + [0.0] * 8 + [0.0125] * 8 + [0])
    losses, end = network_run(one, steps=500)
    near(numbers(said), (losses[-1], end[0], end[7]), atol=0.06)
    assert numbers(said)[1] == numbers(said)[2]
    assert losses[-1] > 10 * FLOOR


def inputs_not_scaled(n, said, axes):
    losses, end = network_run(network_start(), x=100 * X, steps=500)
    near(numbers(said), losses[-1], atol=0.06)
    flat = abs(network_slopes(end, 100 * X)[1][16:24]) > 0.99
    assert flat.mean() > 0.9 and losses[-1] > 10 * FLOOR


def rate_breaks_16_units(n, said, axes):
    first, second = said.splitlines()
    near(float(first), network_run(network_start(), 1e-4)[0][-1], atol=6e-5)
    assert second == "the loss is inf"
    for units in (8, 16):
        p = network_start(units)
        assert (2 / steepest(network_loss, p) > 1e-4) == (units == 8)
        assert network_run(p, 5e-3, **ADAM)[0][-1] < 0.0534


def the_loop(n, said, axes):
    near(n["losses"], PAGE, rtol=1e-12)


WRONG = r"""
8.1 | count = 4 | the odd ones as well
8.1 | count = 2 | above the floor
8.1 | count = 2.5 | a whole number from 1 to 8
8.1 | count = 9 | a whole number from 1 to 8
8.1 | guess = None | guess: expected one number
8.2 | relu = by_hand | that of tanh
8.2 | relu = [relu[0], 780.431610882375, *relu[2:]] | still that of tanh
8.2 | relu = [relu[0], 779.9266680537078, *relu[2:]] | no derivative of
8.2 | relu = [relu[0], 5083.436628333593, *relu[2:]] | at the page's rate
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
"""


BROKEN = r"""
torch.nn.Tanh(), | torch.nn.Sigmoid(), | start
0.0125 * signs | 0.0125 + 0 * signs | start
-places | 0 * places | start
learning_rate = 5e-5 | learning_rate = 1e-4 | learning rate
optimizer.zero_grad() | pass | gradients zeroed
network(8, start) | network(8) | start
(1 - units**2) | (1 + units**2) | stored output
for t in range(2000): | for t in range(1999): | be broadcast
"""


P = network_start() + 0.1 * np.sin(np.arange(25))  # a network's weights
ERROR = network_slopes(P)[0] - Y
UNITS = network_slopes(P)[1][16:24]
INSIDE = 2 * ERROR * P[16:24, None] * (1 - UNITS**2)  # a row for each unit
SLOPE = slope(P, lambda p: network_loss(p)[0], 1e-5)


FORMULAS = {
    r"\tanh(z)": None,
    r"z > 0": None,
    r"\max(z, 0)": None,
    r"e_i = \hat y_i - y_i": None,
    r"2/\lambda_{\max}": None,
    r"2\sin x": None,
    r"\tanh(wx + b)": None,
    r"wx + b = 0": lambda: np.tanh(3 * (-1 / 3) + 1) == 0,
    r"\hat y = c + \sum_j v_j \tanh(w_j x + b_j)": lambda: close(
        network_slopes(np.array([1, 2, 3, 4, 5, 6, 7.0]))[0],
        7 + 5 * np.tanh(X + 3) + 6 * np.tanh(2 * X + 4),
    ),
    r"1 - \tanh^2": lambda: close(
        (np.tanh(X + 1e-5) - np.tanh(X - 1e-5)) / 2e-5, 1 - np.tanh(X) ** 2
    ),
    r"u_{ij} = \tanh(w_j x_i + b_j)": lambda: close(
        network_slopes(P)[1][16:24].T, np.tanh(np.outer(X, P[:8]) + P[8:16])
    ),
    r"\frac{\partial L}{\partial v_j} = \sum_i 2 e_i u_{ij}, \qquad"
    r" \frac{\partial L}{\partial c} = \sum_i 2 e_i": lambda: close(
        SLOPE[16:], [*(2 * UNITS @ ERROR), 2 * ERROR.sum()], atol=1e-4
    ),
    r"g_{ij} = 2 e_i v_j (1 - u_{ij}^2)": lambda: close(
        SLOPE[8:16], INSIDE.sum(axis=1), atol=1e-4
    ),
    r"\frac{\partial L}{\partial w_j} = \sum_i g_{ij} x_i, \qquad"
    r" \frac{\partial L}{\partial b_j} = \sum_i g_{ij}": lambda: close(
        SLOPE[:16], [*(INSIDE @ X), *INSIDE.sum(axis=1)], atol=1e-4
    ),
}
