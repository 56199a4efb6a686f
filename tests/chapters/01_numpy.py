"""Chapter 1: Fit a sine with NumPy, by hand."""

import numpy as np

from every_chapter import *
from reference import *

RATES = {"1e-6": 1e-6, f"0.999 {TIMES} limit": 0.999 * LIMIT}


def start(n, said, axes):
    assert numbers(said) == [*START]


def start_drawn(n, said, axes):
    drawn = lines(axes[0])
    near(drawn["sin(x)"], (X, np.sin(X)))
    near(drawn["start"][1], np.polyval(START[::-1], X), atol=1e-12)
    named(axes[0], "x", "y")


def first_loss(n, said, axes):
    near(numbers(said), LOSSES[0], rtol=1e-7)


def slopes_measured(n, said, axes):
    first, second = (descend(1e-9, steps=k)[1] for k in (0, 1))
    slope = (first - second) / 1e-9
    near(numbers(said), np.repeat(slope, 2), rtol=1e-4)


def floor(n, said, axes):
    *weights, lowest, end = numbers(said)
    near(weights, BEST, atol=6e-5)
    near((lowest, end), (FLOOR, LOSSES[-1]), rtol=1e-5)


def bowl_formula(n, said, axes):
    near(numbers(said), LOSSES[[0, 0]], rtol=1e-7)


def curvatures(n, said, axes):
    rows = np.array(table(said)[1:])
    near(rows[:, 0], CURVATURES, rtol=1e-4)
    near(rows[:, 1:], np.abs(AXES), atol=6e-3)


def predict_the_run(n, said, axes):
    assert 0 < numbers(said)[0] < 1e-12, "two ways agree, but for rounding"


def terms_drawn(n, said, axes):
    drawn = lines(axes[0])
    near(drawn.pop("run"), (range(2000), LOSSES - FLOOR), rtol=1e-6)
    away = START - BEST
    near([float(label) for label in drawn], CURVATURES, rtol=1e-3)
    for (t, term), axis in zip(drawn.values(), AXES, strict=True):
        alone = descend(steps=100, start=BEST + axis * (axis @ away))[0]
        near(t, range(2000))
        near(term[:100], alone - FLOOR, rtol=1e-4, atol=1e-9)
    named(axes[0], "step", "loss above the floor", y_scale="log")
    height(axes[0], LOSSES[-1] - FLOOR, LOSSES[0])
    colours(axes[0])


def half_lives(n, said, axes):
    factors, halves, last = (row[-4:] for row in table(said))
    for axis, factor, half in zip(AXES, factors, halves, strict=True):
        w = descend(steps=1, start=BEST + axis)[1]
        near(w, BEST + factor * axis, rtol=0, atol=6e-5)
        assert (factor - 6e-5) ** (2 * half + 0.2) < 0.5
        assert (factor + 6e-5) ** (2 * half - 0.2) > 0.5
    near(sum(last), LOSSES[-1] - FLOOR, atol=2e-4)


def limit(n, said, axes):
    rate, of_the_mean = numbers(said)
    near(rate, LIMIT, rtol=1e-4)
    near(of_the_mean, LIMIT * 2000, rtol=1e-2)


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


def at_the_limit(n, said, axes):
    drawn = lines(axes[0])
    above = {f"1.001 {TIMES} limit": 1.001 * LIMIT}
    for label, rate in (RATES | above).items():
        near(drawn[label], (range(2000), descend(rate)[0]), rtol=1e-6)
    named(axes[0], "step", "loss", y_scale="log")
    colours(axes[0])


def ends_at_the_limit(n, said, axes):
    below, above, (_, *factors) = table(said)
    for row, f in ((below, 0.999), (above, 1.001)):
        near(row, (f, descend(f * LIMIT)[0][-1]), rtol=1e-5)
    assert below[1] < 9.2 < 1e6 < above[1]
    for axis, factor in zip(AXES, factors, strict=True):
        w = descend(0.999 * LIMIT, steps=1, start=BEST + axis)[1]
        near(w, BEST + factor * axis, rtol=0, atol=6e-4)


def paths_in_the_valley(n, said, axes):
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


def sign_flipped(n, said, axes):
    climbing = numbers(said)
    near(climbing, descend(-1e-6, steps=5)[0], rtol=1e-3)
    assert climbing == sorted(climbing)


def loop_goes_on(n, said, axes):
    near(numbers(said)[1], descend(steps=2001)[0][-1], rtol=1e-6)
    assert said.startswith("losses[0] is 9.1") and "step 2000" in said


def data(n, said, axes):
    near((n["x"], n["y"]), (X, Y), atol=1e-15)
    assert said == "(2000,) float64\n"


WRONG = r"""
1.1 | guess = "soon" | expected one number, got str
1.1 | arrived -= 1 | too early
1.1 | arrived = 2000 | too early
1.1 | arrived = 0 | what argmax gives when it finds nothing
1.1 | arrived += 1 | has been there before
1.1 | arrived = losses | expected one number, got list
1.2 | best_rate *= 1.0002 | not equally slow
1.2 | best_rate = 2 / eigenvalues.max() | not equally slow
1.2 | best_rate = 2 / eigenvalues[:2].sum() | not equally slow
1.2 | first = 3607 | at another step
1.2 | first = 0 | take the floor away
1.2 | first += 1 | at another step
1.2 | first -= 1 | at another step
1.3 | broken = losses | of the right gradient
1.3 | broken = 3 | expected a list of losses, got int
1.3 | broken = again | that of the book's start
1.3 | broken = broken[:1999] | expected 2000 losses, got 1999
1.3 | broken = [*broken, 0] | expected 2000 losses, got 2001
1.3 | broken = [*losses, *broken] | Start from an empty list
1.3 | broken = [x * (1 - 1e-4 * (x < 50)) for x in broken] | broken as well
1.3 | falls = 2000 | compare each loss
1.3 | falls = 1998 | compare each loss
"""


BROKEN = r"""
2 * (y_pred - y) | 2 * (y - y_pred) | gradient
learning_rate = 1e-6 | learning_rate = 1e-5 | learning rate
learning_rate = 1e-6 | learning_rate = 1e-7 | learning rate
(grad_y_pred * x**2).sum() | (grad_y_pred * x**3).sum() | gradient
c -= learning_rate * grad_c | pass | gradient
range(2000) | range(1999) | got 1999
** 2).sum() | ** 2).mean() | take the sum
= sinefit.START | = np.random.default_rng(0).normal(size=4) | start
np.pi, 2000) | np.pi, 1000) | data
y = np.sin(x) | y = np.sin(x).astype(np.float32) | float32
y = np.sin(x) | y = np.cos(x) | data
losses = [] | losses = [0] | got 2001
sinefit.py | (-0.5, 0.25 | (-0.4, 0.25 | stored output
sinefit.py | 0.5 * left[:-1] | 0.4 * left[:-1] | start
"""


def gradient(w):
    return 2 * (V @ w - Y) @ V


Q = AXES @ (START - BEST)
WAY = AXES @ (descend(steps=1)[1] - BEST)  # one step later


FORMULAS = {
    r"w = (a, b, c, d)": None,
    r"\sin x": lambda: close(np.sin(X), Y),
    r"\hat y = \sum_k w_k x^k": lambda: close(
        V @ START, [np.polyval(START[::-1], x) for x in X]
    ),
    r"L = \sum_i (\hat y_i - y_i)^2": lambda: close(loss(START), LOSSES[0]),
    r"\frac{\partial L}{\partial w_k} = 2 \sum_i (\hat y_i - y_i)\,"
    r" x_i^k": lambda: close(slope(START), gradient(START)),
    r"L(w) = |Vw - y|^2, \qquad \nabla L(w) = 2V^\top (Vw - y)": lambda: (
        close(slope(END), gradient(END), rtol=1e-4)
        and close(loss(END), np.linalg.norm(V @ END - Y) ** 2)
    ),
    r"H = 2V^\top V": lambda: close(
        slope(START, gradient), 2 * V.T @ V, atol=1
    ),
    r"L(w) = L^* + \tfrac12\, (w - w^*)^\top H\, (w - w^*)": lambda: close(
        loss(START), FLOOR + 0.5 * (START - BEST) @ H @ (START - BEST)
    ),
    r"2V^\top(Vw - y)": lambda: close(slope(START), gradient(START)),
    r"\sin(-x) = -\sin x": lambda: close(Y[::-1], -Y),
    r"q = A^\top (w_0 - w^*)": lambda: close(AXES.T @ Q, START - BEST),
    r"\tfrac12 \lambda_i q_i^2": lambda: close(
        loss(BEST + 3 * AXES[1]) - FLOOR, 0.5 * CURVATURES[1] * 3**2
    ),
    r"\lambda_i q_i": lambda: close(
        slope(BEST + 3 * AXES[1]) @ AXES[1], CURVATURES[1] * 3
    ),
    r"q_i - \eta\lambda_i q_i = (1 - \eta\lambda_i)\,q_i": lambda: close(
        WAY, Q - RATE * CURVATURES * Q
    ),
    r"L(t) = L^* + \tfrac12 \sum_i \lambda_i\, q_i^2\,"
    r" (1 - \eta\lambda_i)^{2t}": lambda: close(
        LOSSES[50],
        FLOOR
        + 0.5 * sum(CURVATURES * Q**2 * (1 - RATE * CURVATURES) ** (2 * 50)),
    ),
    r"|1 - \eta\lambda| < 1": lambda: (
        (np.abs(WAY) < np.abs(Q)).all()
        and abs(AXES @ (descend(LIMIT * 1.01, steps=1)[1] - BEST))[-1]
        > abs(Q[-1])
    ),
    r"2/\lambda_{\max}": lambda: (
        descend(2 / CURVATURES[-1] * 0.999)[0][-1]
        < LOSSES[0]
        < descend(2 / CURVATURES[-1] * 1.001)[0][-1]
    ),
    r"2/(\lambda_{\min} + \lambda_{\max})": equally_slow,
    r"2\sum(\hat y - y)\,x^k": lambda: close(slope(START), gradient(START)),
    r"1 - \eta\lambda": lambda: close(WAY / Q, 1 - RATE * CURVATURES),
}
