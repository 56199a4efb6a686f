"""Chapter 10: The same curve, faster."""

import re
import time

import numpy as np
import torch

from every_chapter import *
from reference import *

# Cells that train once more, start processes or take times.
SLOW = r"torchrun|seconds\(|\b(folder|file)\b"


def last_losses(starts, rates=1e-6):
    """Return the losses at the last step: rows of starts, or of rates."""
    left = (starts - BEST) @ AXES.T
    shrunk = (1 - np.multiply.outer(rates, CURVATURES)) ** (2 * 1999)
    return FLOOR + (shrunk * left**2) @ CURVATURES / 2


def weighed(points):
    """Return the last loss where each point counts so often."""
    _, path = walk(START, squares(V, Y, points), [RATE] * 1999)
    return np.square(V @ path[-1] - Y).sum()


def next_error():
    """Return the second error on four rows: by one product, by a step."""
    Q, R = np.linalg.qr(V)
    z = Q.T @ Y
    M = np.eye(4) - 2 * RATE * R @ R.T
    return M @ (R @ START - z), R @ descend(steps=1)[1] - z


def four_rows_drawn(n, said, axes):
    run_shown(axes, V @ END, LOSSES, atol=1e-9)
    assert n["R"].shape == (4, 4)


def table_of_speeds(n, said, axes):
    first, *rows = said.splitlines()
    assert re.fullmatch(r"\s+times as fast\s+off by", first)
    assert [row[:18].rstrip() for row in rows] == [*n["runs"]]
    assert numbers(rows[0].removeprefix("chapter 1"))[0] == 1
    assert n["took"].keys() == n["runs"].keys()
    for row, run in zip(rows, n["runs"].values(), strict=True):
        near(run(), LOSSES, rtol=1e-12)
        assert numbers(row)[-1] < 1e-12
    speed = {row[:18].rstrip(): numbers(row[18:])[0] for row in rows}
    assert speed["one product"] < speed["plain floats"] < speed["factors"]


def thousand_by_vmap(n, said, axes):
    assert n["starts"].shape == (1000, 4)
    near(n["by_vmap"], last_losses(plain(n["starts"])))


def thousand_drawn(n, said, axes):
    ends = last_losses(plain(n["starts"]))
    bars = axes[0].patches
    assert sum(bar.get_height() for bar in bars) == 1000
    near((bars[0].get_x(), bars[-1].get_x()), (min(ends), max(ends)), 0.02)
    near(lines(axes[0])["floor"][0], FLOOR)
    near(lines(axes[0])["from the book's start"][0], LOSSES[-1])
    named(axes[0], "loss at the last step", "starts")


def share_below(n, said, axes):
    below = np.mean(last_losses(plain(n["starts"])) < LOSSES[-1])
    assert said == f"{below:.0%} end below {LOSSES[-1]:.4f}\n"
    assert 0.15 < below < 0.3


def thousand_timed(n, said, axes):
    assert re.fullmatch(r"a thousand take [\d.]+ times as long as one\n", said)
    far, rate = plain(n["starts"]) - BEST, 0.99 * LIMIT
    for curvature, axis in zip(CURVATURES, AXES, strict=True):
        assert abs(1 - rate * curvature) < 1  # all reach the floor
        assert np.ptp(far @ axis) > 1


def the_same_losses(n, said, axes):
    together = n.get("resumed", n["shared"])
    near(together, LOSSES, rtol=1e-12)
    near(n["state"]["weights"], END)
    assert "2000 losses are as expected, to 1e-12" in said
    if "resumed" in n:
        assert said.startswith("1 at work from step 500 to 2000\n")


resumed_by_one = the_same_losses


def costs_drawn(n, said, axes):
    drawn = lines(axes[0])
    assert [*drawn] == [*n["names"].values()]
    for sizes, seconds in drawn.values():
        assert [*sizes] == [2e3, 2e4, 2e5, 2e6]
        assert all(seconds > 0)
    named(axes[0], "points", "seconds a step", "log", "log")


def rate_not_multiplied(n, said, axes):
    slow, _ = descend(5e-7)
    near(table(said), [(2e-6, LOSSES[-1]), (1e-6, slow[-1])], atol=6e-5)
    for t in (400, 1000, 1998):  # two steps of half the length, for one
        near(slow[t], LOSSES[t // 2], rtol=5e-3)


def unequal_parts(n, said, axes):
    mean = weighed(np.repeat([2 / 3, 2], [1500, 500]))
    near(numbers(said), (LOSSES[-1], mean), atol=6e-5)
    assert abs(mean - LOSSES[-1]) > 1
    near(n["averaged"](n["halves"], 2e-3, mean=True), LOSSES)


def one_died(n, said, axes):
    assert said == "exit code 1\n"
    losses = torch.load(n["file"], weights_only=True)[1]
    near(losses, descend(steps=500)[0], rtol=1e-12)


def solution_1(n, said, axes):
    quarter, _ = descend(1e-6 / 4)
    near(numbers(said), quarter[-1], atol=6e-3)
    near(LOSSES[500], quarter[-1], rtol=1e-2)


def solution_2(n, said, axes):
    rates = np.linspace(1e-7, 3.6e-6, 1000)
    ends = last_losses(START, rates)
    near(n["ends"], ends)
    near(numbers(said), rates[np.argmin(ends)], rtol=5e-4)


def solution_3(n, said, axes):
    ends = [(count, descend(count * 1e-6)[0][-1]) for count in (2, 3, 4)]
    near(table(said), ends, rtol=1e-3)
    assert 3e-6 < LIMIT < 4e-6


def test_the_table_times_each_run_but_for_its_first_call(path):
    waits = {"chapter 1": 0.04, "slow": 0.16, "fast": 0.01, "off": 0.02}
    wrong = {"chapter 1": 2e-3, "slow": 0, "fast": 0, "off": 1e-3}

    def waiting(name):
        called = []

        def run():
            time.sleep(waits[name] if called else 0.5)
            called.append(name)
            return LOSSES - LOSSES * (np.arange(2000) == 7) * wrong[name]

        return run

    code = {cell.id: cell.source for cell in cells(path, "code")}
    names = {}
    runner.run_text(code["imports"] + "\n" + code["seconds-helper"], names)
    names["runs"] = {name: waiting(name) for name in waits}
    said = runner.run_text(code["table-of-speeds"], names).splitlines()[1:]
    for row, (name, wait) in zip(said, waits.items(), strict=True):
        fast, off = map(float, row.removeprefix(name).split())
        assert 0.4 < fast * wait / waits["chapter 1"] < 2.5
        near(off, wrong[name], rtol=0.01, atol=1e-12)


PRINTS = r"""
compiled-or-not | ^first call: [\d.]+ s|^no C\+\+ compiler here
what-comes-first | ^QR alone +\d+\nleast squares +\d+$
two-processes | ^2 at work from step 0 to 2000$
"""


WRONG = r"""
10.1 | last = losses[-1] | that is where one process ends
10.1 | last = averaged(halves, 1e-6)[-1] | where two processes end
10.1 | last = last * 1.001 | not the last loss of four parts
10.1 | last = last * 0.999 | not the last loss of four parts
10.1 | last = [last] * 2 | last: expected one number
10.1 | guess = "less" | guess: expected one number
10.2 | ends = ends[1:] | expected 1000 numbers, got 999
10.2 | ends = ends.flip(0) | at the rate 1e-07 the loss at the last step is
10.2 | ends = ends * 1.001 | in float64, and is the floor added
10.2 | ends = ends - floor | Do you take 1999 steps
10.2 | ends = 8.817 | expected a list of 1000 numbers, got float
10.2 | best = 3.6e-6 | the lowest of ends, got 3.6e-06
10.2 | best = best * 0.999 | the lowest of ends
10.2 | best = best * 1.001 | the lowest of ends
10.3 | lasts = lasts[:2] | expected 3 numbers, got 2
10.3 | lasts = [losses[-1], *lasts[1:]] | of 2 processes it is 9.14126
10.3 | lasts = [lasts[0], lasts[0] + 1, lasts[2]] | of 3 processes it is 9.8
10.3 | lasts = [*lasts[:2], 8.817] | of 4 processes it is 8.817
10.3 | most = 4 | 4 is too many
10.3 | most = 2 | 2 is not the largest number
10.3 | most = "three" | most: expected one number
"""


BROKEN = r"""
(R.T @ grad) | (R @ grad) | gradient
error @ error + floor | error @ error | data
learning_rate = 1e-6 | learning_rate = 2e-6 | learning rate
= np.linalg.qr(V_np) | = np.linalg.qr(V_np[:1000]) | mismatch
np.vander(x_np, 4 | np.vander(x_np, 5 | mismatch
processes.py | rate = rate * processes | pass | learning rate
processes.py | x[rank::processes].clone() | x | data
processes.py | optimizer.zero_grad() | pass | gradients zeroed
processes.py | distributed.all_reduce(total) | pass | data
processes.py | losses + total.tolist() | total.tolist() | got 500
"""


FORMULAS = {
    r"V = QR": lambda: close(np.linalg.qr(V)[0] @ np.linalg.qr(V)[1], V),
    r"\left|Vw - y\right|^2 = \left|Rw - Q^\top y\right|^2 +"
    r" \left|y - QQ^\top y\right|^2": lambda: close(
        loss(START),
        FLOOR
        + np.square(np.linalg.cholesky(V.T @ V).T @ (START - BEST)).sum(),
    ),
    r"z = Q^\top y": lambda: close(
        np.linalg.qr(V)[0].T @ Y, np.linalg.qr(V)[1] @ BEST
    ),
    r"M = I - 2\eta RR^\top": lambda: close(*next_error()),
}
