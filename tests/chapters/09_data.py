"""Chapter 9: Fit data of your own."""

import functools

import numpy as np
import torch

import sinefit
from by_hand import *
from conftest import NOTEBOOKS
from every_chapter import *


@functools.cache
def weather():
    """Return the years, the temperatures, and which of them are seen."""
    text = NOTEBOOKS.joinpath("seattle-temperature.csv").read_text("utf-8")
    rows = [line.split(",") for line in text.splitlines()[1:]]
    year = np.array([2012 + k / 365.25 for k in range(len(rows))])
    seen = np.array([not day.startswith("2015") for day, _ in rows])
    return year, np.array([float(value) for _, value in rows]), seen


def turning(columns, part):
    """Fit the weather with columns of the year's angle, where part holds."""
    year, value, _ = weather()
    angle = 2 * np.pi * (year - 2012)
    A = np.array([column(angle) for column in columns]).T
    inverse = np.linalg.pinv(A[part])
    return A @ (inverse @ value[part])


def waves(K, part):
    """Fit so many waves to a part of the weather."""
    trig = [
        functools.partial(lambda f, k, angle: f(k * angle), f, k)
        for k in range(1, K + 1)
        for f in (np.sin, np.cos)
    ]
    return turning([np.ones_like, *trig], part)


def off(y_pred, *parts):
    """Return the root of the mean squared error over each part."""
    square = np.square(y_pred - weather()[1])
    return [np.sqrt(square[part].sum() / part.sum()) for part in parts]


def data(n, said, axes):
    year, value, _ = weather()
    assert said == f"{year.size} days, from 2012-01-01 to 2015-12-31\n"
    near(n["temperature"], value)
    near(n["year"], year, rtol=1e-15)
    assert np.sum(value > 25) > 100 and np.sum(value < 8) > 100


def weather_drawn(n, said, axes):
    near(axes[0].lines[0].get_data(), [part[::5] for part in weather()[:2]])
    named(axes[0], "", "highest of the day, °C")


def error_of_the_mean(n, said, axes):
    value, seen = weather()[1:]
    near(numbers(said), off(value[seen].mean(), seen, ~seen), atol=6e-3)


def three_models():
    """Return the predictions of the page's cubic, 2 and 100 waves."""
    seen = weather()[2]
    rows = [lambda a, k=k: (a % (2 * np.pi)) ** k for k in range(4)]
    return turning(rows, seen), waves(2, seen), waves(100, seen)


def three_fits(n, said, axes):
    seen = weather()[2]
    models = three_models()
    errors = [off(y_pred, seen, ~seen) for y_pred in models]
    for line, both in zip(said.splitlines(), errors, strict=True):
        near(numbers(line)[-2:], both, atol=6e-3)
    assert errors[1][1] < errors[0][1] < errors[2][1]
    jumps = [abs(y_pred[~seen][0] - y_pred[~seen][-1]) for y_pred in models]
    assert jumps[0] > 3 and jumps[1] < 0.1


def three_fits_drawn(n, said, axes):
    year, value, seen = weather()
    dots, *curves = axes[0].lines
    days = np.flatnonzero(~seen)[::4]
    near(dots.get_data(), (year[days], value[days]))
    for curve, y_pred in zip(curves, three_models(), strict=True):
        near(curve.get_data(), (year[days], y_pred[days]), atol=1e-5)
    named(axes[0], "year", "°C")
    colours(axes[0])


COUNTS = (1, 2, 3, 5, 10, 20, 30, 50, 100)


@functools.cache
def by_count():
    """Return the errors, seen and not, for so many waves."""
    seen = weather()[2]
    return np.array([off(waves(K, seen), seen, ~seen) for K in COUNTS])


def more_waves(n, said, axes):
    for line, K, both in zip(
        said.splitlines(), COUNTS, by_count(), strict=True
    ):
        near(numbers(line), (K, *both), atol=6e-3)
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
    drawn = plain(n["at_random"]).astype(bool)
    assert 0.7 < drawn.mean() < 0.8
    for line, K in zip(said.splitlines(), (2, 30), strict=True):
        near(numbers(line), (K, *off(waves(K, drawn), ~drawn)), atol=6e-3)
    gaps = []
    for seed in range(20):  # whoever draws them
        part = np.random.default_rng(seed).random(drawn.size) < 0.75
        few, many = (off(waves(K, part), ~part)[0] for K in (2, 30))
        gaps.append(many - few)
    assert np.mean(gaps) < 0.15 < by_count()[6, 1] - by_count()[1, 1] - 0.1


@functools.cache
def one_run():
    """Return batch losses and weights of the page's run in batches of 20."""
    torch.manual_seed(0)
    w, losses = np.array(sinefit.START), []
    for _ in range(2000):
        some = torch.randint(2000, (20,)).numpy()
        error = V[some] @ w - Y[some]
        losses.append(100 * error @ error)
        w = w - 2e-4 * error @ V[some]
    return np.array(losses), w


def the_loop(n, said, axes):
    told = [(t, one_run()[0][t]) for t in range(399, 2000, 400)]
    near([numbers(line) for line in said.splitlines()], told, atol=6e-5)


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
    d, losses = sinefit.START - BEST, []
    products = np.outer(d, d)
    H = 2 * V.T @ V
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
    drawn, floor = lines(axes[0]), FLOOR
    expected = expected_by_hand(20)
    near(drawn["batches of 20, expected"][1], expected - floor, rtol=1e-6)
    near(drawn["all points"][1], descend()[0] - floor, rtol=1e-6)
    runs = plain(n["runs"])
    (filled,) = axes[0].collections
    edge = filled.get_paths()[0].vertices[:, 1]
    low, high = np.sort(runs, axis=1)[-1, [50, 949]] - floor
    assert np.isclose(edge, low, rtol=0.1).any()
    assert np.isclose(edge, high, rtol=0.1).any()
    share = (runs > low + floor)[-1] & (runs < high + floor)[-1]
    assert 0.85 < share.mean() < 0.95
    early = np.sort(runs, axis=1)[200, [50, 949]]
    assert np.ptp(early) < 0.1 * early[0]
    on_and_on = sinefit.predict_batches(20, steps=6000)[-1] - floor
    slower = sinefit.predict_batches(20, 5e-7, steps=12_000)[-1] - floor
    assert on_and_on > 0.3 and slower < 0.6 * on_and_on
    named(axes[0], "step", "loss above the floor", y_scale="log")
    colours(axes[0])


def adamw(p, slopes, rates):
    """Take a step of AdamW for each rate; yield the parameters before it."""
    m, s = [0.0] * len(p), [0.0] * len(p)
    for t, rate in enumerate(rates, 1):
        yield p
        g = slopes(p)
        m = [0.9 * a + 0.1 * b for a, b in zip(m, g, strict=True)]
        s = [0.999 * a + 0.001 * b * b for a, b in zip(s, g, strict=True)]
        p = [
            q * (1 - 0.01 * rate)
            - rate * a / (1 - 0.9**t) / (np.sqrt(b / (1 - 0.999**t)) + 1e-8)
            for q, a, b in zip(p, m, s, strict=True)
        ]
    yield p


def trained(n, drop, epochs):
    """Return the page's network after each epoch, trained by hand.

    PyTorch draws the start, the order and who is left out, and no more.
    """
    year, value, seen = weather()
    part = seen & (year >= 2014)
    angle = np.outer(year, range(1, 11)) * 2 * np.pi
    x = np.concatenate([np.sin(angle), np.cos(angle)], axis=1)
    mean, deviation = value[part].mean(), value[part].std(ddof=1)
    start = n["start_again"](drop)[0].parameters()
    start = [p.detach().numpy().astype(float) for p in start]
    order = torch.utils.data.DataLoader(
        torch.arange(part.sum()), batch_size=32, shuffle=True
    )
    steps = (some.numpy() for _ in range(epochs) for some in order)

    def slopes(p):
        (w, b, v, c), some = p, next(steps)
        rows, wanted = x[part][some], (value[part][some] - mean) / deviation
        left = torch.ones(some.size, 128, dtype=torch.float64)
        left = torch.nn.functional.dropout(left, drop).numpy()
        inside = rows @ w.T + b
        units = inside * (inside > 0) * left
        e = 2 * (units @ v[0] + c - wanted) / some.size
        back = np.outer(e, v[0]) * (inside > 0) * left
        return back.T @ rows, back.sum(axis=0), e[None] @ units, e.sum()[None]

    each = len(order)
    rates = [
        1e-3 * (1 + np.cos(np.pi * (t // each) / 80))
        for t in range(each * epochs)
    ]
    errors = []
    for t, (w, b, v, c) in enumerate(adamw(start, slopes, rates)):
        if t and t % each == 0:
            units = np.maximum(x @ w.T + b, 0)
            y_pred = mean + deviation * (units @ v[0] + c)
            errors.append(off(y_pred, part, ~seen))
    return np.array(errors)


def dropout_or_not(n, said, axes):
    for line, drop in zip(said.splitlines(), (0.0, 0.5), strict=True):
        errors = trained(n, drop, 80)
        near(n["histories"][drop], errors, rtol=1e-6)
        on_unseen = errors[:, 1]
        first = on_unseen.argmin()
        told = (drop, on_unseen[first], first + 1, on_unseen[-1])
        near(numbers(line), told, atol=6e-3)
    with_none, with_half = (plain(n["histories"][d]) for d in (0.0, 0.5))
    assert with_none[-1, 1] > with_none[:, 1].min() + 0.2
    assert with_none[:, 1].argmin() < 15
    assert with_half[-1, 1] < with_none[-1, 1] - 0.1
    for history in (with_none, with_half):
        assert (history[-10:, 0] < history[10:20, 0].min()).all()


def dropout_drawn(n, said, axes):
    drawn = lines(axes[0])
    for drop, history in n["histories"].items():
        for name, column in zip(("seen", "unseen"), history.T, strict=True):
            near(drawn[f"{name}, dropout {drop}"], (range(80), column))
    looks = {(k.get_color(), k.get_linestyle()) for k in axes[0].lines}
    assert len(looks) == 4
    named(axes[0], "epoch", "error, °C")


def waves_alone(n, said, axes):
    year, _, seen = weather()
    part = seen & (year >= 2014)
    few, many = (off(waves(K, part), part, ~seen) for K in (2, 10))
    near(numbers(said), (2, *few, 10, *many), atol=6e-3)
    for history in n["histories"].values():
        assert few[1] < plain(history)[:, 1].min() < many[1]
    value = weather()[1]
    warm = [value[year.astype(int) == y].mean() for y in range(2012, 2016)]
    assert max(warm[:2]) + 0.5 < warm[2] < warm[3] < warm[2] + 1


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
    year, _, seen = weather()
    part = seen & (year >= 2014)
    errors = np.array([numbers(line) for line in said.splitlines()])
    assert len({*errors[:, 1]}) == 3
    judged, errors = errors[0], errors[1:]
    model = n["whole"][0].eval()
    with torch.no_grad():
        y_pred = n["mean"] + n["deviation"] * model(n["inputs"])
    near(judged, off(y_pred.numpy(), part, ~seen), atol=6e-3)
    assert (errors > judged).all()


def time_as_the_input(n, said, axes):
    year, value, seen = weather()
    scaled = (year - year[seen].mean()) / year[seen].std(ddof=1)
    part = seen & (year >= 2014)
    mean, deviation = value[part].mean(), value[part].std(ddof=1)
    wanted = (value[seen] - mean) / deviation
    torch.manual_seed(0)
    parts = torch.nn.Linear(1, 64), torch.nn.Linear(64, 1)
    for layer in parts:
        layer.double()
    start = [plain(p) for layer in parts for p in layer.parameters()]

    def slopes(p):
        w, b, v, c = p
        units = np.tanh(np.outer(scaled[seen], w[:, 0]) + b)
        e = 2 * (units @ v[0] + c - wanted)
        back = np.outer(e, v[0]) * (1 - units**2)
        return (
            (back.T @ scaled[seen])[:, None],
            back.sum(axis=0),
            e[None] @ units,
            e.sum()[None],
        )

    *_, (w, b, v, c) = adamw(start, slopes, [5e-3] * 1000)
    units = np.tanh(np.outer(scaled, w[:, 0]) + b)
    errors = off(mean + deviation * (units @ v[0] + c), seen, ~seen)
    near(numbers(said), errors, atol=6e-3)
    assert errors[0] < 3.5 and errors[1] > off(value[seen].mean(), ~seen)[0]


def chosen_by_2014(n, said, axes):
    year, _, seen = weather()
    early, last = seen & (year < 2014), seen & (year >= 2014)
    table = {K: off(waves(K, early), last, ~seen) for K in (1, 2, 3, 5)}
    for line, (K, both) in zip(said.splitlines(), table.items(), strict=True):
        near(numbers(line), (K, *both), atol=6e-3)
    best = [min(table, key=lambda K, k=k: table[K][k]) for k in (0, 1)]
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
        w, losses = np.array(sinefit.START), []
        for t in range(1000):
            some = slice(t % 100 * 20, t % 100 * 20 + 20)
            losses.append(np.square(V @ w - Y).sum())
            w = w - rate * 200 * (V[some] @ w - Y[some]) @ V[some]
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
    return close([by_trace, sinefit.predict_batches(1, steps=2)[1]], by_sum)


FORMULAS = {
    r"\operatorname{E}[L] = L^\ast + \tfrac12 \operatorname{tr}\bigl(H"
    r" \operatorname{E}[dd^\top]\bigr)": one_batch,
}
