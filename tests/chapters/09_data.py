"""Chapter 9: Fit data of your own."""

import functools
import itertools

import numpy as np
import torch

import sinefit
from conftest import NOTEBOOKS
from every_chapter import *
from reference import *

# The networks that are compared, and the one that knows the year alone.
SLOW = r"histories|scaled|K\), last"
TEXT = NOTEBOOKS.joinpath("seattle-temperature.csv").read_text("utf-8")
ROWS = [line.split(",") for line in TEXT.splitlines()[1:]]
YEAR = np.array([2012 + k / 365.25 for k in range(len(ROWS))])
VALUE = np.array([float(value) for _, value in ROWS])
SEEN = np.array([not day.startswith("2015") for day, _ in ROWS])
LAST = SEEN & (YEAR >= 2014)  # what the networks are shown
MEAN, DEVIATION = VALUE[LAST].mean(), VALUE[LAST].std(ddof=1)


def turning(columns, part):
    """Fit the weather with columns of the year's angle, where part holds."""
    A = np.array(columns(2 * np.pi * (YEAR - 2012))).T
    return A @ (np.linalg.pinv(A[part]) @ VALUE[part])


def waves(K, part):
    """Fit so many waves to a part of the weather."""

    def columns(angle):
        turns = np.outer(range(1, K + 1), angle)
        return [np.ones_like(angle), *np.sin(turns), *np.cos(turns)]

    return turning(columns, part)


def off(y_pred, *parts):
    """Return the root of the mean squared error over each part."""
    square = np.square(y_pred - VALUE)
    return [np.sqrt(square[part].mean()) for part in parts]


def data(n, said, axes):
    assert said == f"{YEAR.size} days, from 2012-01-01 to 2015-12-31\n"
    near(n["temperature"], VALUE)
    near(n["year"], YEAR, rtol=1e-15)
    assert np.sum(VALUE > 25) > 100 and np.sum(VALUE < 8) > 100


def weather_drawn(n, said, axes):
    near(axes[0].lines[0].get_data(), (YEAR[::5], VALUE[::5]))
    named(axes[0], "", "highest of the day, °C")


def error_of_the_mean(n, said, axes):
    near(numbers(said), off(VALUE[SEEN].mean(), SEEN, ~SEEN), atol=6e-3)


@functools.cache
def three_models():
    """Return the predictions of the page's cubic, 2 and 100 waves."""

    def powers(angle):
        return [(angle % (2 * np.pi)) ** k for k in range(4)]

    return turning(powers, SEEN), waves(2, SEEN), waves(100, SEEN)


def three_fits(n, said, axes):
    errors = [off(y_pred, SEEN, ~SEEN) for y_pred in three_models()]
    near([row[-2:] for row in table(said)], errors, atol=6e-3)
    assert errors[1][1] < errors[0][1] < errors[2][1]
    ends = [y_pred[~SEEN][[0, -1]] for y_pred in three_models()]
    assert np.ptp(ends[0]) > 3 and np.ptp(ends[1]) < 0.1


def three_fits_drawn(n, said, axes):
    dots, *curves = axes[0].lines
    days = np.flatnonzero(~SEEN)[::4]
    near(dots.get_data(), (YEAR[days], VALUE[days]))
    for curve, y_pred in zip(curves, three_models(), strict=True):
        near(curve.get_data(), (YEAR[days], y_pred[days]), atol=1e-5)
    named(axes[0], "year", "°C")
    colours(axes[0])


COUNTS = (1, 2, 3, 5, 10, 20, 30, 50, 100)


@functools.cache
def by_count():
    """Return the errors, seen and not, for so many waves."""
    return np.array([off(waves(K, SEEN), SEEN, ~SEEN) for K in COUNTS])


def more_waves(n, said, axes):
    near(table(said), np.column_stack([COUNTS, by_count()]), atol=6e-3)
    on_seen, on_unseen = by_count().T
    assert (np.diff(on_seen) < 0).all()
    assert on_unseen[1] < on_unseen[0]
    assert (np.diff(on_unseen[1:]) > 0).all()


def more_waves_drawn(n, said, axes):
    for name, column in zip(("seen", "unseen"), by_count().T, strict=True):
        near(lines(axes[0])[name], (COUNTS, column), rtol=1e-6)
    named(axes[0], "waves", "error, °C", x_scale="log")
    colours(axes[0])


def random_split_leaks(n, said, axes):
    torch.manual_seed(0)
    shown, expected = table(said), []
    for size in (1, 14):
        drawn = torch.rand(len(ROWS)).numpy() < 0.75
        part = np.repeat(drawn, size)[: len(ROWS)]
        for K in (2, 30):
            expected.append((size, K, *off(waves(K, part), ~part)))
    near(shown, expected, atol=6e-3)
    gaps = {1: [], 14: []}
    for seed in range(10):  # whoever draws them
        drawn = np.random.default_rng(seed).random(len(ROWS)) < 0.75
        for size, found in gaps.items():
            part = np.repeat(drawn, size)[: len(ROWS)]
            few, many = (off(waves(K, part), ~part)[0] for K in (2, 30))
            found.append(many - few)
    assert np.mean(gaps[1]) < 0.1 < 0.15 < min(gaps[14])


@functools.cache
def one_run():
    """Return batch losses and weights of the page's run in batches of 20."""
    torch.manual_seed(0)

    def look(w):
        some = torch.randint(2000, (20,)).numpy()
        return squares(V[some], Y[some], 100)(w)

    losses, path = walk(START, look, [1e-6] * 2000)
    return losses, path[-1]


def the_loop(n, said, axes):
    told = [(t, one_run()[0][t]) for t in range(399, 2000, 400)]
    near(table(said), told, atol=6e-5)


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
    d, losses = START - BEST, []
    products = np.outer(d, d)
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


def band_drawn(n, said, axes):
    drawn = lines(axes[0])
    expected = expected_by_hand(20)
    near(drawn["batches of 20, expected"][1], expected - FLOOR, rtol=1e-6)
    near(drawn["all points"][1], LOSSES - FLOOR, rtol=1e-6)
    runs = plain(n["runs"])
    (filled,) = axes[0].collections
    edge = filled.get_paths()[0].vertices[:, 1]
    low, high = np.sort(runs, axis=1)[-1, [50, 949]] - FLOOR
    assert np.isclose(edge, low, rtol=0.1).any()
    assert np.isclose(edge, high, rtol=0.1).any()
    share = (runs > low + FLOOR)[-1] & (runs < high + FLOOR)[-1]
    assert 0.85 < share.mean() < 0.95
    early = np.sort(runs, axis=1)[200, [50, 949]]
    assert np.ptp(early) < 0.1 * early[0]
    on_and_on = sinefit.predict_batches(20, steps=6000)[-1] - FLOOR
    slower = sinefit.predict_batches(20, 5e-7, steps=12_000)[-1] - FLOOR
    assert on_and_on > 0.3 and slower < 0.6 * on_and_on
    named(axes[0], "step", "loss above the floor", y_scale="log")
    colours(axes[0])


def network(x, wanted, bend, draw=lambda: slice(None)):
    """Return what gives loss and slopes of a network with a hidden layer.

    bend: gives the units, and how they change, from what reaches them; draw:
    the rows of x that a step looks at.
    """

    def look(p):
        (w, b, v, c), some = p, draw()
        units, change = bend(x[some] @ w.T + b)
        error = units @ v[0] + c - wanted[some]
        e = 2 * error / error.size
        back = np.outer(e, v[0]) * change
        slopes = back.T @ x[some], back.sum(0), e[None] @ units, e.sum()[None]
        return error @ error / error.size, np.array(slopes, dtype=object)

    return look


def adamw(start, look, rates):
    """Return the weights around each step of AdamW."""
    start = np.array([plain(p) for p in start], dtype=object)
    return walk(start, look, rates, 0.9, 0.999, decay=0.01)[1]


def trained(n, drop):
    """Return the errors of the page's network after each epoch, by hand.

    PyTorch draws the start, the order and who is left out, and no more.
    """
    angle = np.outer(YEAR, range(1, 11)) * 2 * np.pi
    x = np.concatenate([np.sin(angle), np.cos(angle)], axis=1)
    start = n["start_again"](drop)[0].parameters()
    order = torch.utils.data.DataLoader(
        torch.arange(LAST.sum()), batch_size=32, shuffle=True
    )
    steps = (some.numpy() for _ in range(80) for some in order)

    def bend(inside):
        left = torch.ones(inside.shape, dtype=torch.float64)
        change = (inside > 0) * torch.nn.functional.dropout(left, drop).numpy()
        return inside * change, change

    wanted = (VALUE[LAST] - MEAN) / DEVIATION
    look = network(x[LAST], wanted, bend, lambda: next(steps))
    rates = 1e-3 * (1 + np.cos(np.pi * np.arange(80) / 80))
    path = adamw(start, look, rates.repeat(len(order)))
    errors = []
    for w, b, v, c in path[len(order) :: len(order)]:
        y_pred = np.maximum(x @ w.T + b, 0) @ v[0] + c
        errors.append(off(MEAN + DEVIATION * y_pred, LAST, ~SEEN))
    return np.array(errors)


def dropout_or_not(n, said, axes):
    expected = []
    for drop in (0.0, 0.5):
        on_seen, on_unseen = trained(n, drop).T
        near(n["histories"][drop].T, (on_seen, on_unseen), rtol=1e-6)
        assert (on_seen[-10:] < on_seen[10:20].min()).all()
        first = on_unseen.argmin()
        expected.append((drop, on_unseen[first], first + 1, on_unseen[-1]))
    near(table(said), expected, atol=6e-3)
    (_, lowest, first, end), (*_, with_half) = expected
    assert end > lowest + 0.2 and first <= 15 and with_half < end - 0.1
    seed_with = torch.manual_seed
    for seed in (1, 2, 3):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(torch, "manual_seed", lambda _, s=seed: seed_with(s))
            rises = []
            for drop in (0.0, 0.5):
                parts = n["start_again"](drop)
                unseen = [n["train_epoch"](*parts)[1] for _ in range(80)]
                rises.append(unseen[-1] - min(unseen))
        assert rises[1] < rises[0] - 0.1


def dropout_drawn(n, said, axes):
    drawn = lines(axes[0])
    for drop, history in n["histories"].items():
        for name, column in zip(("seen", "unseen"), history.T, strict=True):
            near(drawn[f"{name}, dropout {drop}"], (range(80), column))
    looks = {(k.get_color(), k.get_linestyle()) for k in axes[0].lines}
    assert len(looks) == 4
    named(axes[0], "epoch", "error, °C")


def waves_alone(n, said, axes):
    few, many = (off(waves(K, LAST), LAST, ~SEEN) for K in (2, 10))
    near(numbers(said), (2, *few, 10, *many), atol=6e-3)
    for history in n["histories"].values():
        assert few[1] < plain(history)[:, 1].min() < many[1]


def resumed_is_equal(n, said, axes):
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


def help_printed(n, said, axes):
    for option in ("--x", "--y", "--period", "--device", "--resume"):
        assert option in said
    assert max(map(len, said.splitlines())) <= 79


def eval_forgotten(n, said, axes):
    errors = np.array(table(said))
    assert len({*errors[:, 1]}) == 3
    model = n["whole"][0].eval()
    with torch.no_grad():
        y_pred = n["mean"] + n["deviation"] * model(n["inputs"])
    near(errors[0], off(y_pred.numpy(), LAST, ~SEEN), atol=6e-3)
    assert (errors[1:] > errors[0]).all()


def time_as_the_input(n, said, axes):
    scaled = (YEAR - YEAR[SEEN].mean()) / YEAR[SEEN].std(ddof=1)
    wanted = (VALUE[SEEN] - MEAN) / DEVIATION
    torch.manual_seed(0)
    layers = torch.nn.Linear(1, 64), torch.nn.Linear(64, 1)
    start = [p for layer in layers for p in layer.double().parameters()]

    def bend(inside):
        return np.tanh(inside), 1 - np.tanh(inside) ** 2

    look = network(scaled[SEEN, None], wanted, bend)
    w, b, v, c = adamw(start, look, [5e-3] * 1000)[-1]
    y_pred = np.tanh(scaled[:, None] @ w.T + b) @ v[0] + c
    errors = off(MEAN + DEVIATION * y_pred, SEEN, ~SEEN)
    near(numbers(said), errors, atol=6e-3)
    assert errors[0] < 3.5 and errors[1] > off(VALUE[SEEN].mean(), ~SEEN)[0]


def chosen_by_2014(n, said, axes):
    errors = {
        K: off(waves(K, SEEN & ~LAST), LAST, ~SEEN) for K in (1, 2, 3, 5)
    }
    near(table(said), [(K, *both) for K, both in errors.items()], atol=6e-3)
    best = [min(errors, key=lambda K, k=k: errors[K][k]) for k in (0, 1)]
    assert best == [3, 2]


def one_value_missing(n, said, axes):
    assert said == "[nan, nan]\n"
    assert int(torch.isnan(n["with_gap"]).sum()) == 1


def solution_1(n, said, axes):
    assert abs(numbers(said)[0] - expected_by_hand(5)[-1]) < 0.5


def solution_3(n, said, axes):
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
        batches = itertools.cycle(np.arange(2000).reshape(100, 20))

        def look(w, batches=batches):
            some = next(batches)
            return squares(V[some], Y[some], 100)(w)

        _, path = walk(START, look, [rate] * 1000)
        losses = np.square(path[:-1] @ V.T - Y).sum(axis=1)
        peaks.append(max(losses[-100:]))
    assert 2 / max(steep) > 4e-7 and peaks[1] < peaks[0] / 100


WRONG = r"""
9.1 | ends = runs[-1] | where batches of 20 end
9.1 | ends = ends - 2 | their mean is 8.
9.1 | ends = ends - 0.7 | not the losses of a thousand runs
9.1 | ends = ends + 0.7 | not the losses of a thousand runs
9.1 | ends = ends * float("nan") | not the losses of a thousand runs
9.1 | ends = ends[:999] | expected 1000 numbers, got 999
9.1 | ends = [10.9] * 1000 | not the losses of a thousand runs
9.1 | ends = ends.mean() | expected a list of 1000 numbers
9.1 | guess = "more" | guess: expected one number
9.2 | error = 0.72 | more than luck
9.2 | error = 5 | Does x come round
9.2 | error = 0 | a number above 0
9.2 | error = 1e-9 | too good to be
9.2 | mine = [str(m) for m in mine] | column of numbers, got list of str
9.2 | error = [0.2, 0.3] | error: expected one number
9.2 | mine = mine[:19] | expected 20 or more, got 19
9.2 | mine = 3 | expected a column of numbers, got int
9.2 | mine = ["a"] * 30 | expected a column of numbers, got list of str
9.3 | in_order = losses | the first loss is
9.3 | in_order = in_order[:1999] | 2000 losses or more, got 1999
9.3 | in_order = [*in_order, 1] | expected 2000 losses, got 2001
9.3 | in_order = sinefit.predict()[0] | loss 1 is
9.3 | in_order = [*in_order[:1999], 35.23] | loss 1999 is
9.3 | in_order = 35.22 | expected a list of losses, got float
"""


BROKEN = r"""
100 * loss_fn | loss_fn | stored output
learning_rate * 2000 / size * grad | learning_rate * grad | scaled to
torch.randint(2000, (1000, | torch.randint(1000, (1000, | the mean of
sinefit.START, dtype=dtype | (0.1, 0, 0, 0), dtype=dtype | step 0
float(row["temp_max"]) | len(row["temp_max"]) | stored output
"""


def one_batch():
    """Take a step with each batch of one point that there is."""
    error = V @ START - Y
    ends = START - RATE * 2000 * 2 * error[:, None] * V
    by_sum = np.mean([np.square(V @ w - Y).sum() for w in ends])
    d = ends - BEST
    by_trace = FLOOR + np.trace(H @ d.T @ d) / 2000 / 2
    # with one start, the covariance is that of the drawn point alone
    d, keep = START - BEST, np.eye(4) - RATE * H
    C = np.cov(2000 * 2 * error * V.T, bias=True)
    square = keep @ np.outer(d, d) @ keep + RATE**2 * C
    by_recursion = FLOOR + np.trace(H @ square) / 2
    known = sinefit.predict_batches(1, steps=2)[1]
    few = np.trace(H @ (square - RATE**2 * C * (1 - 1 / 20))) / 2 + FLOOR
    return close([by_trace, by_recursion, known], by_sum) and close(
        sinefit.predict_batches(20, steps=2)[1], few
    )


FORMULAS = {
    r"\operatorname{E}[L] = L^\ast"
    r" + \tfrac12 \operatorname{tr}(HS)": one_batch,
    r"S \leftarrow (I - \eta H)\, S\, (I - \eta H)"
    r" + \frac{\eta^2}{B}\, C": one_batch,
}
