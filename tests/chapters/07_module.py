"""Chapter 7: Build a module of your own."""

import numpy as np
import pytest

from every_chapter import *
from reference import *


def value_tested(n, said, axes):
    with pytest.MonkeyPatch.context() as patch, pytest.raises(AssertionError):
        patch.setattr(n["polynomial"].Polynomial, "forward", lambda self, x: x)
        n["test_value"]()


def tree_drawn(n, said, axes):
    (ax,) = axes
    at = {text.get_text(): text.get_position() for text in ax.texts}
    assert [*at] == ["model", "e  ()", "cubic", "weights  (4,)"]
    assert [x for x, _ in at.values()] == [0, 1, 1, 2]
    assert len({y for _, y in at.values()}) == 4
    starts = [line.get_xydata()[0].tolist() for line in ax.lines]
    assert [y > -1 for _, y in starts] == [True, True, False]


def shared_gradient(n, said, axes):
    assert said == "True\n"
    loss = n["loss_fn"]
    with n["torch"].no_grad():
        e, ends = n["dynamic"].e, []
        for way in (1e-4, -1e-4):
            e += way
            ends.append(loss(n["dynamic"](n["x"], top=5), n["y"]).item())
            e -= way
    near(e.grad.item(), (ends[0] - ends[1]) / 2e-4, rtol=1e-6)


def random_orders(n, said, axes):
    e = n["dynamic"].e.item()
    weights = [*n["dynamic"].cubic.weights.tolist(), e, e]
    expected = []
    for top in (3, 4, 5):
        y_pred = np.polyval(weights[top::-1], X / np.pi)
        expected.append((top, np.square(y_pred - Y).sum()))
        assert expected[-1][1] < 9
    *found, last = table(said)
    near(found, expected, atol=6e-3)
    near(last, e, atol=6e-3)
    assert abs(e) < 0.03, "it has become small"


def orders_drawn(n, said, axes):
    near(lines(axes[0])["random orders"][1], n["jagged"][:500])
    assert (np.diff(n["jagged"][:500]) > 0).any(), "it is jagged"


def old_module_kept(n, said, axes):
    assert n["file"].read_text(encoding="utf-8") == "degree = 11"
    assert said == "3\n" and n["mine"].degree == 3


def module_reloaded(n, said, axes):
    assert said == "11\n" and n["mine"].degree == 11


def fit_from_the_file(n, said, axes):
    near(n["losses"], LOSSES, rtol=1e-12)
    assert said.startswith("2000 losses are as expected")


same_on_a_gpu = fit_from_the_file


PRINTS = r"""
source-of-the-file | w \* x\*\*k for k, w in .*learning_rate=None\nsteps=2000
column-refused | ^y: expected.*\(2000, 1\)
saved-and-loaded | ^False\nTrue$
no-input | missing 1 required positional argument: 'x'$
super-init-left-out | before Module.__init__
parameters-in-a-list | empty parameter list
"""


WRONG = r"""
7.1 | count = 6 | learned once
7.1 | count = 2 | numbers, not tensors
7.1 | guess = [] | guess: expected one number
7.2 | legendre = Legendre | expected a module
7.2 | legendre = polynomial.Polynomial(3, dtype=dtype) | no buffer
7.2 | legendre = polynomial.Polynomial(4, dtype=dtype) | learns 5 numbers
7.2 | legendre = Legendre(); legendre.factors[1] = 1 | does not hold the roots
7.2 | run = [r * (1 + 1e-5) for r in run] | it begins at 999.51
7.2 | run = run[:19] | expected 20 numbers, got 19
7.2 | run = 8.8 | expected a list of 20 numbers, got float
7.2 | run = losses[:20] | the weights zero at first
7.2 | run = [*run[:19], 9.0] | Is the rate 2e-4
7.2 | run = [*run[:19], 8.0] | Is the rate 2e-4
7.2 | legendre = Legendre() | the one that was fitted
7.3 | message = "ok" | another thing
7.3 | message = "the loss is inf at step 1: rebuild" | give up at step 1 with
7.3 | message = "the loss is inf at step 231: rebuild" | give up at step 231
7.3 | message = "the loss is inf at step 53: rebuild" | give up at step 53
"""


BROKEN = r"""
x**k | x ** (k + 1) | start
optimizer.zero_grad() | pass | gradients zeroed
optimizer.step() | pass | never changes
torch.nn.Parameter( | ( | empty parameter list
super().__init__() | pass | before Module.__init__
(3, sinefit.START) | (3, sinefit.START[::-1]) | start
polynomial.py | optimizer.zero_grad() | pass | gradients zeroed
polynomial.py | reduction="sum" | reduction="mean" | take the sum
polynomial.py | range(steps) | range(steps - 1) | got 1999
"""


FORMULAS = {
    r"x/\pi": lambda: close(np.abs(X / np.pi).max(), 1),
    r"\sqrt{2k+1}": lambda: close(
        np.mean(5 * LEGENDRE.basis(2)(X / np.pi) ** 2), 1, rtol=0.05
    ),
}
