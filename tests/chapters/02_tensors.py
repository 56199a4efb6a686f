"""Chapter 2: Move the arrays to tensors."""

import re

import numpy as np

from every_chapter import *
from reference import *


def same_as_numpy(n, said, axes):
    assert said == "True\nTrue\n"
    near(n["x"], X, atol=1e-15)
    near(n["y"], Y, atol=1e-15)


def loss_has_no_axes(n, said, axes):
    shape, number = said.splitlines()
    assert shape == "torch.Size([]) <class 'torch.Tensor'>"
    near(float(number.split()[0]), np.square(Y).sum(), atol=0.05)
    assert number.endswith("<class 'float'>")


def written_through_a_view(n, said, axes):
    near(numbers(said), START - (1, 0, 0, 0))


def eps_of_both_dtypes(n, said, axes):
    found = [row[-1] for row in table(said)]
    near(found, (2.0**-23, 2.0**-52), rtol=0.05)


def gaps_drawn(n, said, axes):
    for label, bits in (("float32", 23), ("float64", 52)):
        x, gap = lines(axes[0])[label]
        near(gap, 2.0 ** (np.floor(np.log2(x)) - bits))
        assert min(x) < 1 < 1521 < max(x), "as this page's numbers do"
    named(axes[0], "number", "gap to the next", "log", "log")


def float32_run_checked(n, said, axes):
    off = numbers(said.partition("difference: ")[2])[0]
    assert 1e-6 < off < 1e-5, "about five digits"


def shared_with_numpy(n, said, axes):
    near(numbers(said), START - 1)


def device_not_there(n, said, axes):
    # a PyTorch for GPUs misses the driver first
    assert re.search("CUDA|NVIDIA", said) or n["torch"].cuda.is_available()


PRINTS = r"""
shape-dtype-device | ^torch.Size\(\[2000\]\) torch.float64 cpu$
numpy-seed-no-help | ^False$
"""


WRONG = r"""
2.1 | kinds = kinds[::-1] | PyTorch says otherwise
2.1 | kinds = [torch.float64] * 3 | PyTorch says otherwise
2.1 | guess = "float32" | guess: expected a list of three
2.1 | guess = [1, 2, 3] | got 1
2.1 | kinds = torch.float32 | kinds: expected a list of three
2.2 | errors = [1e-9] * 6 | too small for float32
2.2 | errors = [*errors[:5], 0.013] | weights all in float32
2.2 | errors = [353 * e for e in errors] | Is it relative
2.2 | errors = errors[:5] | expected 6 numbers, got 5
2.2 | errors = errors[::-1] | the first, 0.
2.2 | errors = [2 * e + 1 for e in errors] | step both ways
2.2 | errors = [*errors[:5], 100] | larger than rounding
2.2 | errors = [-1e-7] * 6 | too small for float32
2.2 | errors = 3 | expected a list of 6 numbers, got int
2.3 | message = "Expected a float" | another error
2.3 | message = len(message) | expected text, got int
"""


BROKEN = r"""
dtype = torch.float64 | dtype = torch.float32 | rtol=1e-4
2 * (y_pred - y) | 2 * (y - y_pred) | gradient
learning_rate = 1e-6 | learning_rate = 1e-5 | learning rate
d -= learning_rate * grad_d | pass | gradient
grad_y_pred * x**3 | grad_y_pred * x**2 | gradient
sinefit.START, dtype | [0, 0, 0, 0], dtype | start
-torch.pi, torch.pi | -3, 3 | data
"""


FORMULAS = {}
