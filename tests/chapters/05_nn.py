"""Chapter 5: Let nn hold the weights and the loss."""

import numpy as np

import sinefit
from every_chapter import *
from reference import *


def shapes_drawn(n, said, axes):
    stages = {"x": "2000", "unsqueeze": f"2000{TIMES}1"}
    stages |= {"pow": f"2000{TIMES}3", "Linear": f"2000{TIMES}1"}
    stages |= {"Flatten": "2000"}
    drawn = texts(axes[0])
    assert dict(zip(drawn[::2], drawn[1::2], strict=True)) == stages
    wide = [box.get_width() > box.get_height() for box in axes[0].patches]
    assert wide == [True, False, False, False, True]


def sum_or_mean(n, said, axes):
    slow, _ = descend(1e-6 / 2000)
    ends = (1e-6, *slow[[0, -1]]), (2e-3, *LOSSES[[0, -1]])
    near(table(said), ends, atol=6e-3)


def column_meets_row(n, said, axes):
    y_pred = np.polyval(sinefit.START[::-1], X)
    every = np.square(y_pred[:, None] - Y)
    right = np.square(y_pred - Y)
    found = table(said)[-2:]
    near(found[0], (every.sum(), right.sum()), atol=1)
    near(found[1], (every.mean(), right.mean()), atol=6e-4)
    assert "target size (torch.Size([2000]))" in said


def square_drawn(n, said, axes):
    shapes = [f"2000{TIMES}1", "2000", f"2000{TIMES}2000"]
    assert texts(axes[0])[1::2] == shapes


def learned_to_say_zero(n, said, axes):
    look = squares(V[::20], Y[::20].mean(), 1 / 100)
    losses, path = walk(START, look, [2e-3] * 2000)
    ends = losses[[0, -1]] + Y[::20].var()
    wanted = np.square(V @ path[-1] - Y).mean(), np.square(Y).mean()
    found = numbers(said.replace("y = 0", ""))
    near(found, [*ends, *wanted, LOSSES[-1] / 2000], atol=6e-4)


def same_first_loss(n, said, axes):
    near(numbers(said), LOSSES[0], rtol=1e-7)


PRINTS = r"""
powers-of-x | \[2000\].*\[2000, 1\].*\[2000, 3\]
model-flattened | \[2000, 1\].*\[2000\]
module-lists-its-parameters | Parameter containing:.*0.5000, requires_grad=True
parameters-listed | ^0.weight \(1, 3\)\n0.bias \(1,\)$
registered-or-not | ^\['0.weight', '0.bias'\]\n\['extra'
dtypes-or-shapes-differ | Double and Float\n.* shapes cannot be multiplied
start-not-set | ^False$
"""


WRONG = r"""
5.1 | count = 7 | What else
5.1 | count = 9 | not 9. Add up
5.1 | count = 2 | Add up the numbers
5.1 | degree = 8 | the highest power
5.1 | degree = 6 | the highest power
5.2 | linear = torch.nn.Linear(4, 1) | a bias of its own
5.2 | linear = torch.nn.Linear(3, 1) | four inputs
5.2 | loss = loss / 2000 | is it the sum
5.2 | loss = loss + 0.01 | not the first one
5.2 | linear = torch.nn.Linear(4, 1, bias=False) | not the start
5.2 | w, linear = linear.weight.data, torch.nn.Linear(4, 1, bias=False); \
linear.weight.data.copy_(w.flip(1)) | not the start
5.2 | w, linear = linear.weight.data, torch.nn.Linear(4, 1, bias=False); \
linear.weight.data.copy_(w) | expected float64, got torch.float32
5.3 | message = "element 0 of tensors does not require grad" | another error
5.3 | message = TypeError(message) | expected text, got TypeError
"""


BROKEN = r"""
torch.nn.Flatten(0, 1), | | stored output
reduction="sum" | reduction="mean" | take the sum
model.zero_grad() | pass | gradients zeroed
bias.fill_(a) | bias.fill_(0) | start
[1, 2, 3] | [1, 2, 4] | start
b, c, d = model | d, c, b = model | in the page's order
"""


FORMULAS = {}
