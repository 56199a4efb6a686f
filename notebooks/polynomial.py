"""Chapter 7: a polynomial of any degree, and the loop that fits it."""

import math

import torch


class Polynomial(torch.nn.Module):
    """The polynomial whose weight k multiplies x**k.

    degree is a whole number >= 0. start holds degree + 1 numbers, zeros if not
    given. dtype and device are PyTorch's defaults if not given. ValueError or
    TypeError if degree or start is anything else.
    """

    def __init__(self, degree, start=None, dtype=None, device=None):
        super().__init__()
        if isinstance(degree, bool) or not isinstance(degree, int):
            raise TypeError(f"degree: expected a whole number, got {degree!r}")
        if degree < 0:
            raise ValueError(f"degree: expected 0 or more, got {degree}")
        start = [0.0] * (degree + 1) if start is None else list(start)
        if len(start) != degree + 1:
            raise ValueError(
                f"start: expected {degree + 1} numbers for degree {degree}, "
                f"got {len(start)}"
            )
        dtype = dtype or torch.get_default_dtype()
        weights = torch.tensor(start, dtype=dtype, device=device)
        if not weights.isfinite().all():
            raise ValueError(f"start: expected finite numbers, got {start}")
        self.weights = torch.nn.Parameter(weights)

    def forward(self, x):
        """Return the polynomial at x, in the shape of x."""
        return sum(w * x**k for k, w in enumerate(self.weights))

    def extra_repr(self):
        """Say the degree where the model is printed."""
        return f"degree={len(self.weights) - 1}"


def fit(model, x, y, learning_rate=1e-6, steps=2000, optimizer=None):
    """Fit model to y at x, in place, and return the losses before each step.

    x and y are floating tensors of one shape, dtype and device. The loss is
    the summed squared error; the list that is returned holds steps floats.
    optimizer is one on the model's parameters, and SGD(lr=learning_rate) if
    not given. ValueError if an argument is out of its range, or the moment a
    loss is not finite.
    """
    if x.shape != y.shape:
        raise ValueError(
            f"x, y: expected one shape, got {tuple(x.shape)} and "
            f"{tuple(y.shape)}"
        )
    if not (x.isfinite().all() and y.isfinite().all()):
        raise ValueError("x, y: expected finite numbers, got nan or inf")
    if not 0 < learning_rate < math.inf:
        raise ValueError(
            f"learning_rate: expected a positive number, got {learning_rate}"
        )
    if steps < 1:
        raise ValueError(f"steps: expected 1 or more, got {steps}")
    if optimizer is None:
        optimizer = torch.optim.SGD(model.parameters(), lr=learning_rate)
    loss_fn = torch.nn.MSELoss(reduction="sum")
    losses = []
    for t in range(steps):
        y_pred = model(x)
        if y_pred.shape != y.shape:
            raise ValueError(
                f"model: expected an output of shape {tuple(y.shape)}, got "
                f"{tuple(y_pred.shape)}"
            )
        loss = loss_fn(y_pred, y)
        losses.append(loss.item())
        if not math.isfinite(losses[-1]):
            raise ValueError(
                f"the loss is {losses[-1]} at step {t}: the learning rate, "
                f"{learning_rate:g}, is too large for this model"
            )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return losses
