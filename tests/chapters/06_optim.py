"""Chapter 6: Let an optimizer take the steps."""

import functools

import numpy as np

from every_chapter import *
from reference import *

# The race, and the runs that are longer than the loop.
SLOW = r"race\(|5000|2500|LinearLR\("


def rmsprop(steps, lr, fall=0):
    """Return its losses, while the rate falls by so much."""
    rates = lr * (1 - fall * np.arange(steps) / steps)
    return walk(START, squares(V, Y), rates, 0, 0.99, even=False)[0]


def adam(steps, lr):
    return walk(START, squares(V, Y), [lr] * steps, 0.9, 0.999)[0]


@functools.cache
def rules():
    """Return the losses of the five runs that the chapter compares."""
    return {
        "SGD 1e-6": LOSSES,
        "momentum 0.9": descend(momentum=0.9)[0],
        "RMSprop 1e-6": rmsprop(2000, 1e-6),
        "RMSprop 1e-3": rmsprop(2000, 1e-3),
        "Adam 1e-2": adam(2000, 1e-2),
    }


def rules_drawn(n, said, axes):
    drawn = lines(axes[0])
    assert [*drawn] == [*rules()]
    for name, run in rules().items():
        above = drawn[name][1]
        near(above[:600], run[:600] - FLOOR, rtol=1e-3, atol=1e-6)
        near(above[-1], run[-1] - FLOOR, rtol=2e-2, atol=1e-6)
    named(axes[0], "step", "loss above the floor", y_scale="log")
    colours(axes[0])


def rules_table(n, said, axes):
    rows = zip(said.splitlines()[1:], rules().items(), strict=True)
    for line, (name, run) in rows:
        assert line.startswith(name)
        near(numbers(line[13:])[0], run[-1], atol=2e-2)
        within = np.flatnonzero(run - FLOOR < 1e-3)
        first = str(within[0]) if within.size else "not in 2000"
        assert line.endswith(f"  {first}")


def race_drawn(n, said, axes):
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
    rates = np.geomspace(1e-5, 0.1, 13)
    longer = min(max(rmsprop(2000, rate)[-20:]) for rate in rates)
    assert descend(0.99 * LIMIT)[0][-1] < FLOOR + 1e-6 < longer
    assert LIMIT * 0.9 < max(drawn["SGD"][0]) < LIMIT
    assert LIMIT * 1.7 < max(drawn["momentum 0.9"][0]) < LIMIT * 1.9
    named(axes[0], "learning rate", "loss above the floor", "log", "log")


def quadratic_in_one_call(n, said, axes):
    near(numbers(said)[1:], FLOOR, rtol=1e-5)
    assert 1 < numbers(said)[0] < 25


def rmsprop_hovers(n, said, axes):
    last, low, high, loss = numbers(said)
    steps = np.abs(np.diff(np.array(n["seen"], dtype=float)[-int(last) :]))
    near(steps, 1e-3, rtol=0.11)  # back and forth, of four digits each
    near(high - low, 1e-3, rtol=0.11)
    near(loss, rmsprop(2500, 1e-3)[-1], atol=2e-3)


def adam_leaves(n, said, axes):
    settled, gone = said.splitlines()
    assert numbers(said) == [1000, 4000, 4000, 5000]
    above = adam(6000, 1e-2) - FLOOR
    assert settled.endswith("True") and (above[1000:4000] < 1e-3).all()
    assert gone.endswith("False") and not (above[4000:5000] < 1e-3).all()
    out = np.flatnonzero(above > 1e-3)
    assert (np.diff(out[out > 4000]) > 100).any(), "settles, and leaps again"


def shrinking_rate(n, said, axes):
    near(numbers(said), FLOOR, rtol=1e-5)
    near(rmsprop(2000, 1e-3, fall=1)[-1], FLOOR, rtol=1e-4)
    assert rmsprop(1000, 1e-3, fall=1)[-1] > FLOOR + 1, "slowly"


X7 = np.linspace(-np.pi, np.pi, 4000)
V7 = np.vander(X7, 8, increasing=True)
LEGENDRES = np.polynomial.legendre.legvander(X7 / np.pi, 7)
FIT7 = np.polynomial.Chebyshev.fit(X7, np.sin(X7), 7)(X7)
LEAST7 = np.square(FIT7 - np.sin(X7)).mean()


def descend_on(basis, rate, steps):
    """Return the mean loss after so many steps from zero."""
    look = squares(basis, np.sin(X7), 1 / 4000)
    _, path = walk(np.zeros(basis.shape[1]), look, [rate] * steps)
    return look(path[-1])[0]


def ends(basis):
    """Return the largest and the smallest curvature of the mean loss."""
    return np.linalg.svd(basis)[1][[0, -1]] ** 2 * 2 / 4000


def degree_7(n, said, axes):
    at_zero, after, least = (row[0] for row in table(said))
    near(at_zero, np.square(np.sin(X7)).mean(), atol=6e-5)
    near(after, descend_on(V7, 1e-6, 2000), atol=6e-5)
    near(least, LEAST7, rtol=1e-3)


def condition_number(n, said, axes):
    steep, flat = ends(V7)
    limit, ratio, steps = numbers(said)
    near((limit, ratio), (2 / steep, steep / flat), rtol=0.04)
    near((1 - 1e-6 * flat) ** steps, 0.5, rtol=0.02)


def bases_compared(n, said, axes):
    expected = {
        "powers of x": V7,
        "powers of x / pi": np.vander(X7 / np.pi, 8, increasing=True),
        "Legendre": LEGENDRES,
        "normalised": LEGENDRES / np.sqrt(np.square(LEGENDRES).mean(0)),
    }
    rows = zip(said.splitlines()[1:], expected.items(), strict=True)
    for line, (name, basis) in rows:
        assert line.startswith(f"{name} ")
        steep, flat = ends(basis)
        loss = descend_on(basis, 2 / (steep + flat), 10)
        near(numbers(line[17:]), (steep / flat, loss), rtol=0.02)


def narrow_bowl(n, said, axes):
    (ax,) = axes
    ((label, path),) = lines(ax).items()
    center = np.array(ax.lines[-1].get_data(), float).ravel()
    away = np.linalg.norm(path.T - center, axis=1)
    assert label == "20 steps" and path.shape == (2, 20)
    narrow = ax.get_xlabel() == "weight of x"
    assert not narrow or (np.diff(np.sign(np.diff(path[1]))) != 0).all()
    assert away[0] > 0.7 and (away[-1] > 0.6 if narrow else away[1] < 0.01)
    columns, target = V[:, [1, 3]], Y
    if not narrow:
        columns, target = LEGENDRES[:, [1, 3]] * np.sqrt([3, 7]), np.sin(X7)
    level_and_fourfold(
        ax, lambda *point: np.square(columns @ (point - center)).mean()
    )
    best = np.linalg.lstsq(columns, target, rcond=None)[0]
    near(center, best, atol=1e-3)
    assert ax.get_aspect() == 1
    assert len(ax.child_axes) == narrow
    for inset in ax.child_axes:
        near(inset.lines[0].get_data(), path)
        assert np.ptp(path, axis=1).max() < 0.25
        places = ax.transData.transform(path.T)
        assert not inset.get_window_extent().count_contains(places)


round_bowl = narrow_bowl


def second_cure(n, said, axes):
    bound, evaluations = numbers(said)
    near(bound, 1.05 * LEAST7, rtol=0.02)
    assert 0.999 * LEAST7 < n["calls7"][-1] < bound
    assert len(n["calls7"]) < evaluations


def solution_1(n, said, axes):
    found = numbers(said.replace("inf", "2000"))
    for rate, arrived in zip(found[::2], found[1::2], strict=True):
        within = np.flatnonzero(adam(2000, rate) - FLOOR < 1e-3)
        assert arrived == min([*within, 2000])


def solution_2(n, said, axes):
    rate, beta, arrived, highest = numbers(said)
    near((rate, beta), (n["rate"], n["beta"]), rtol=2e-3)
    losses, _ = descend(float(n["rate"]), float(n["beta"]), steps=300)
    near(highest, max(losses), rtol=1e-4)
    assert arrived == np.argmax(losses - FLOOR < 1e-3)


def another_model(n, said, axes):
    near(numbers(said), LOSSES[[0, 0, 0]], rtol=1e-7)


WRONG = r"""
6.1 | guess = 1 | guess: one of
6.1 | fastest = 1e-2 | another one arrives
6.1 | fastest = 1e-1 | fastest: one of
6.1 | fastest = "3e-2" | fastest: expected one number, got str
6.1 | guess = "soon" | expected one number
6.1 | arrived = 257 | at another step
6.1 | arrived += 1 | at another step
6.1 | arrived -= 1 | at another step
6.2 | rate = rate**0.5 | this is its root
6.2 | rate, beta = beta, rate | swapped rate and beta
6.2 | rate = rate * 1.01 | They are 1727.5 and 562121.9
6.2 | beta = beta**0.5 | Is it squared
6.2 | beta = beta * 0.99 | the formula gives another
6.2 | first += 1 | at another step
6.2 | first -= 1 | at another step
6.3 | stuck = losses | these losses move
6.3 | stuck = stuck[:2] | expected 3 losses or more
6.3 | optimizer = SGD([torch.nn.Parameter(xx)]) | the model's weights
"""


BROKEN = r"""
optimizer.step() | pass | never changes
loss.backward() | pass | never changes
optimizer.zero_grad() | pass | gradients zeroed
= SGD( | = RMSprop( | gradient
lr=learning_rate | lr=1e-6, momentum=0.5 | One update is right
learning_rate = 1e-6 | learning_rate = 1e-7 | learning rate
"""


ROOTS = np.sqrt(CURVATURES[[0, -1]])


def best_momentum():
    """Tell whether each other rate and momentum nearby is slower."""
    beta = ((ROOTS[1] - ROOTS[0]) / (ROOTS[1] + ROOTS[0])) ** 2
    rate = (2 / (ROOTS[1] + ROOTS[0])) ** 2

    def slowest(rate, beta):
        steps = [[[1 + beta - rate * v, -beta], [1, 0]] for v in CURVATURES]
        return np.abs(np.linalg.eigvals(steps)).max()

    others = [slowest(rate * f, beta) for f in (0.98, 1.02)]
    others += [slowest(rate, beta * f) for f in (0.98, 1.02)]
    return slowest(rate, beta) < min(others)


FORMULAS = {
    r"1/(2k+1)": lambda: close(
        np.square(LEGENDRES).mean(0), 1 / (2 * np.arange(8) + 1), rtol=0.05
    ),
    r"\sqrt{2k+1}": lambda: close(
        np.sqrt(2 * np.arange(8) + 1) * np.sqrt(np.square(LEGENDRES).mean(0)),
        1,
        rtol=0.05,
    ),
    r"2(1 + \beta)/\lambda_{\max}": lambda: (
        max(descend(0.999 * 3.8 / CURVATURES[-1], 0.9)[0])
        < 1e9
        < max(descend(1.01 * 3.8 / CURVATURES[-1], 0.9)[0])
    ),
    r"2/(\lambda_{\min} + \lambda_{\max})": equally_slow,
    r"\sqrt\beta = \frac{\sqrt\Lambda - \sqrt\lambda}{\sqrt\Lambda +"
    r" \sqrt\lambda}, \qquad \sqrt\eta = \frac{2}{\sqrt\Lambda +"
    r" \sqrt\lambda}": best_momentum,
}
