"""Chapter 5: Let nn hold the weights and the loss."""

import re

import numpy as np

import sinefit
from by_hand import *
from every_chapter import *


def powers_of_x(n, said, axes):
    assert re.findall(r"\[(.+?)\]", said) == ["2000", "2000, 1", "2000, 3"]


def model_flattened(n, said, axes):
    assert re.findall(r"\[(.+?)\]", said) == ["2000, 1", "2000"]


def shapes_drawn(n, said, axes):
    stages = {"x": "2000", "unsqueeze": f"2000{TIMES}1"}
    stages |= {"pow": f"2000{TIMES}3", "Linear": f"2000{TIMES}1"}
    stages |= {"Flatten": "2000"}
    drawn = texts(axes[0])
    assert dict(zip(drawn[::2], drawn[1::2], strict=True)) == stages
    wide = [box.get_width() > box.get_height() for box in axes[0].patches]
    assert wide == [True, False, False, False, True]


def parameters_listed(n, said, axes):
    assert said == "0.weight (1, 3)\n0.bias (1,)\n"


def sum_or_mean(n, said, axes):
    slow, same = (numbers(line) for line in said.splitlines())
    for found, rate in ((slow, 1e-6 / 2000), (same, 1e-6)):
        losses, _ = descend(rate)
        near(found[1:], losses[[0, -1]], atol=6e-3)
    near((slow[0], same[0]), (1e-6, 2e-3))


def column_meets_row(n, said, axes):
    y_pred = np.polyval(sinefit.START[::-1], X)
    every = np.square(y_pred[:, None] - Y)
    right = np.square(y_pred - Y)
    found = [numbers(line) for line in said.splitlines()[-2:]]
    near(found[0], (every.sum(), right.sum()), atol=1)
    near(found[1], (every.mean(), right.mean()), atol=6e-4)
    assert "target size (torch.Size([2000]))" in said


def square_drawn(n, said, axes):
    drawn = texts(axes[0])
    column, row, difference = drawn[1::2]
    assert column == f"2000{TIMES}1" and row == "2000"
    assert difference == f"2000{TIMES}2000"


def learned_to_say_zero(n, said, axes):
    w = np.array(sinefit.START)
    ends = []
    for _ in range(2000):
        error = V[::20] @ w - Y[::20].mean()
        ends.append(np.square(error).mean() + Y[::20].var())
        w = w - 2e-3 * 2 * error @ V[::20] / 100
    wanted = np.square(V @ w - Y).mean()
    found = ends[0], ends[-1], wanted, np.square(Y).mean()
    found += (descend()[0][-1] / 2000,)
    near(numbers(said.replace("y = 0", "")), found, atol=6e-4)


def registered_or_not(n, said, axes):
    plain, parameter = said.splitlines()
    assert "extra" not in plain and "extra" in parameter


def same_first_loss(n, said, axes):
    near(numbers(said), descend(steps=1)[0], rtol=1e-7)


def dtypes_differ(n, said, axes):
    assert "Double and Float" in said


def start_not_set(n, said, axes):
    assert said == "False\n"


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
