"""Chapter 3: Let autograd find the gradient."""

import numpy as np

from every_chapter import *
from reference import *


def slope_by_autograd(n, said, axes):
    first, second = (descend(1e-9, steps=k)[1] for k in (0, 1))
    near(numbers(said), [(first - second)[1] / 1e-9] * 2, rtol=1e-4)


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


def swing(curvature, steps):
    """Return how far an axis is from the floor, with momentum 1."""
    rates = [RATE] * steps
    _, path = walk(1.0, lambda q: (0, curvature * q), rates, beta=1)
    return np.array(path)


def un_zeroed_swings(n, said, axes):
    drawn = lines(axes[0])
    near(drawn["not zeroed"][1], descend(momentum=1, steps=300)[0])
    near(drawn["zeroed"][1], descend(steps=300)[0])
    named(axes[0], "step", "loss", y_scale="log")


def not_zeroed_found(n, said, axes):
    at = descend(momentum=1)[0][2], LOSSES[2]
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
        turns = np.diff(swing(value, 20000) > 0).sum()
        near(2 * 20000 / turns, period, rtol=0.01)


def run_on_own_autograd(n, said, axes):
    near(n["own"], LOSSES, rtol=1e-12)

    def value(v, w):  # numbers on both sides, minus, powers, shared nodes
        u = 2 - v * w**3
        return ((u * u - v) * 0.5 + w * u) ** 2 - 3

    for v, w in np.random.default_rng(0).uniform(0.5, 1.5, (20, 2)):
        nodes = n["Node"](v), n["Node"](w)
        n["backward"](value(*nodes))
        slopes = slope(np.array([v, w]), lambda p: value(*p), 1e-5)
        near([node.grad for node in nodes], slopes, rtol=1e-6)
    assert said.startswith("2000 losses are as expected")


def slope_through_a_branch(n, said, axes):
    for at, slope_there in table(said):
        rise = n["branching"](at + 1e-6) - n["branching"](at - 1e-6)
        near(slope_there, rise / 2e-6, atol=0.06)


PRINTS = r"""
walk-too-early | 48\.0.*32\.0
walk-in-order | ^32\.0$
recorded-weights | ^SumBackward0 None$
neither-scalar-nor-detached | scalar outputs\nCan't call numpy\(\)
update-recorded | in-place operation
weight-replaced | False$
own-name-replaced | does not have a grad_fn
"""


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


SWING = swing(CURVATURES[0], 30)
COS_THETA = 1 - RATE * CURVATURES[0] / 2
COSINES = np.cos(np.arccos(COS_THETA) * np.arange(9))


FORMULAS = {
    r"x = 3": None,
    r"q_{t+1} - 2 q_t + q_{t-1} = -\eta\lambda\, q_t": lambda: close(
        np.diff(SWING, 2), -RATE * CURVATURES[0] * SWING[1:-1]
    ),
    r"q_t = \cos\theta t": lambda: close(
        np.diff(COSINES, 2), -RATE * CURVATURES[0] * COSINES[1:-1]
    ),
    r"\cos\theta(t + 1) + \cos\theta(t - 1) = 2\cos\theta\cos\theta t": (
        lambda: close(np.cos(4) + np.cos(2), 2 * np.cos(1) * np.cos(3))
    ),
    r"2(\cos\theta - 1)\, q_t": lambda: close(
        np.diff(COSINES, 2), 2 * (COS_THETA - 1) * COSINES[1:-1]
    ),
    r"\cos\theta = 1 - \tfrac12 \eta\lambda": lambda: close(
        np.diff(SWING, 2), 2 * (COS_THETA - 1) * SWING[1:-1]
    ),
    r"\eta < 4/\lambda": lambda: (
        max(descend(3.99 / CURVATURES[-1], 1)[0])
        < 1e9
        < max(descend(4.01 / CURVATURES[-1], 1, steps=500)[0])
    ),
}
