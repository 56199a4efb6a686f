"""Chapter 7: a polynomial of any degree, and the loop that fits a model."""

import math

import torch


class Polynomial(torch.nn.Module):
    """The polynomial whose weight k multiplies x**k.

    degree is a whole number >= 0. start holds its degree + 1 weights, zeros if
    not given; ValueError for another number of them. dtype and device are
    PyTorch's own if not given.
    """

    def __init__(self, degree, start=None, dtype=None, device=None):
        super().__init__()
        start = [0.0] * (degree + 1) if start is None else start
        dtype = dtype or torch.get_default_dtype()
        weights = torch.as_tensor(start, dtype=dtype, device=device)
        if weights.shape != (degree + 1,):
            raise ValueError(
                f"start: expected {degree + 1} numbers, got {start!r}"
            )
        self.weights = torch.nn.Parameter(weights.detach().clone())

    def forward(self, x):
        """Return the polynomial at x, in the shape of x."""
        return sum(w * x**k for k, w in enumerate(self.weights))

    def extra_repr(self):
        """Say the degree where the model is printed."""
        return f"degree={len(self.weights) - 1}"


def fit(
    model,
    x,
    y,
    *,
    learning_rate=None,
    steps=2000,
    optimizer=None,
    loss_fn=None,
):
    """Fit model to y at x, in place, and return the loss before each step.

    x is what the model takes, y what it should return: tensors of floats, of
    the dtype of the model's weights, on one device. loss_fn(y_pred, y) is the
    loss, the summed squared error if not given; the list that is returned
    holds steps floats. The optimizer is SGD with learning_rate, 1e-6 if not
    given, or one made on the model's parameters. ValueError, with the
    argument's name, where PyTorch would go on with what cannot be meant, and
    as soon as a loss is not finite.
    """
    optimizer = _optimizer(model, learning_rate, optimizer)
    loss_fn = loss_fn or torch.nn.MSELoss(reduction="sum")
    for weights in model.parameters():
        if weights.dtype != x.dtype:
            raise ValueError(
                f"model: expected weights of {x.dtype}, like x, "
                f"got {weights.dtype}"
            )
    losses = []
    for t in range(steps):
        y_pred = model(x)
        if (y_pred.shape, y_pred.dtype) != (y.shape, y.dtype):
            raise ValueError(
                f"y: expected what the model returns, {y_pred.dtype} "
                f"{tuple(y_pred.shape)}, got {y.dtype} {tuple(y.shape)}"
            )
        loss = loss_fn(y_pred, y)
        losses.append(loss.item())
        if not math.isfinite(losses[-1]):
            raise ValueError(
                f"the loss is {losses[-1]} at step {t}: rebuild the model, "
                "and take a smaller learning rate"
            )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return losses


def _optimizer(model, learning_rate, optimizer):
    if optimizer is None:
        rate = 1e-6 if learning_rate is None else learning_rate
        return torch.optim.SGD(model.parameters(), lr=rate)
    if learning_rate is not None:
        raise ValueError(
            "learning_rate: expected none beside an optimizer, "
            f"got {learning_rate}"
        )
    held = {id(w) for group in optimizer.param_groups for w in group["params"]}
    if not held & {id(w) for w in model.parameters()}:
        raise ValueError(
            "optimizer: expected one on this model's parameters, "
            "got one on others"
        )
    return optimizer
