"""Chapter 3: Let autograd find the gradient."""

import re

import numpy as np

from by_hand import *
from every_chapter import *


def slope_by_autograd(n, said, axes):
    first, second = (descend(1e-9, steps=k)[1] for k in (0, 1))
    near(numbers(said), [(first - second)[1] / 1e-9] * 2, rtol=1e-4)


def walk_too_early(n, said, axes):
    assert re.findall(r"\d+\.0", said) == ["48.0", "32.0"]


def walk_in_order(n, said, axes):
    assert said == "32.0\n"


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


def un_zeroed_swings(n, said, axes):
    drawn = lines(axes[0])
    near(drawn["not zeroed"][1], descend(momentum=1, steps=300)[0])
    near(drawn["zeroed"][1], descend(steps=300)[0])
    named(axes[0], "step", "loss", y_scale="log")


def not_zeroed_found(n, said, axes):
    at = descend(momentum=1)[0][2], descend()[0][2]
    near(numbers(said)[1:3], at, rtol=1e-6)
    assert "gradients zeroed?" in said


def ball_in_the_bowl(n, said, axes):
    (path,) = lines(axes[0]).values()
    assert path.shape == (2, 70)
    for steps in (0, 1, 2, 40, 69):
        near(path[:, steps], descend(momentum=1, steps=steps)[1][[1, 3]])
    named(axes[0], "b", "d")


def periods_of_swings(n, said, axes):
    for period, value in zip(numbers(said), CURVATURES, strict=True):
        q, velocity, signs = 1.0, 0.0, []
        for _ in range(20000):
            signs.append(q > 0)
            velocity += value * q
            q -= 1e-6 * velocity
        near(2 * 20000 / np.diff(signs).sum(), period, rtol=0.01)


def recorded_weights(n, said, axes):
    assert said == "SumBackward0 None\n"


def run_on_own_autograd(n, said, axes):
    near(n["own"], LOSSES, rtol=1e-12)

    def value(v, w):  # numbers on both sides, minus, powers, shared nodes
        u = 2 - v * w**3
        return ((u * u - v) * 0.5 + w * u) ** 2 - 3

    for v, w in np.random.default_rng(0).uniform(0.5, 1.5, (20, 2)):
        nodes = n["Node"](v), n["Node"](w)
        n["backward"](value(*nodes))
        rises = value(v + 1e-5, w) - value(v - 1e-5, w)
        rises = rises, value(v, w + 1e-5) - value(v, w - 1e-5)
        near([node.grad for node in nodes], np.divide(rises, 2e-5), rtol=1e-6)
    assert said.startswith("2000 losses are as expected")


def slope_through_a_branch(n, said, axes):
    for line in said.splitlines():
        at, slope = numbers(line)
        rise = n["branching"](at + 1e-6) - n["branching"](at - 1e-6)
        near(slope, rise / 2e-6, atol=0.06)


def update_recorded(n, said, axes):
    assert "in-place operation" in said


def weight_replaced(n, said, axes):
    assert said.endswith(" False\n")


def own_name_replaced(n, said, axes):
    assert "does not have a grad_fn" in said


WRONG = r"""
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
"""


BROKEN = r"""
w.grad = None | pass | gradients zeroed
w -= learning_rate | w += learning_rate | gradient
loss.backward() | pass | NoneType
in (a, b, c, d): | in (a, b, c): | gradient
w -= learning_rate * | w = w - learning_rate * | never
range(2000) | range(2001) | got 2001
weight, sinefit.START | weight, (1, 1, 1, 1) | start
"""


THETA = np.arccos(1 - RATE * CURVATURES / 2)


def swings():
    """Return how an axis swings with momentum 1, for a few steps."""
    q, velocity, path = 1.0, 0.0, []
    for _ in range(30):
        path.append(q)
        velocity += CURVATURES[0] * q
        q -= RATE * velocity
    return np.array(path)


FORMULAS = {
    r"x = 3": None,
    r"q_{t+1} - 2 q_t + q_{t-1} = -\eta\lambda\, q_t": lambda: close(
        np.diff(swings(), 2), -RATE * CURVATURES[0] * swings()[1:-1]
    ),
    r"q_t = \cos\theta t": lambda: close(
        np.diff(np.cos(THETA[0] * np.arange(9)), 2),
        -RATE * CURVATURES[0] * np.cos(THETA[0] * np.arange(1, 8)),
    ),
    r"\cos\theta(t + 1) + \cos\theta(t - 1) = 2\cos\theta\cos\theta t": (
        lambda: close(np.cos(4) + np.cos(2), 2 * np.cos(1) * np.cos(3))
    ),
    r"2(\cos\theta - 1)\, q_t": lambda: close(
        np.diff(np.cos(THETA[0] * np.arange(9)), 2),
        2 * (np.cos(THETA[0]) - 1) * np.cos(THETA[0] * np.arange(1, 8)),
    ),
    r"\cos\theta = 1 - \tfrac12 \eta\lambda": lambda: close(
        np.diff(swings(), 2), 2 * (np.cos(THETA[0]) - 1) * swings()[1:-1]
    ),
    r"\eta < 4/\lambda": lambda: (
        max(descend(3.99 / CURVATURES[-1], 1)[0])
        < 1e9
        < max(descend(4.01 / CURVATURES[-1], 1, steps=500)[0])
    ),
}
