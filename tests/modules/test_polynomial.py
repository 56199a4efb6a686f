"""Chapter 7's module: the model, the loop, their words for bad input."""

import numpy as np
import pytest
import torch

import polynomial
import sinefit

X = torch.linspace(-torch.pi, torch.pi, 2000, dtype=torch.float64)
Y = torch.sin(X)
DEVICES = ["cpu"] + ["cuda"] * torch.cuda.is_available()


def cubic(**settings):
    settings.setdefault("dtype", torch.float64)
    return polynomial.Polynomial(3, sinefit.START, **settings)


@pytest.mark.parametrize("degree", range(10))
def test_it_is_numpys_polynomial_in_the_shape_of_x(degree):
    start = np.random.default_rng(degree).normal(size=degree + 1)
    model = polynomial.Polynomial(degree, start, dtype=torch.float64)
    y_pred = model(X.reshape(40, 50)).detach()
    by_numpy = np.polynomial.Polynomial(start)(X.reshape(40, 50).numpy())
    np.testing.assert_allclose(y_pred, by_numpy, rtol=1e-12, atol=1e-10)
    assert f"degree={degree}" in repr(model)


def test_it_starts_at_zero_unless_told_and_leaves_what_it_was_given():
    assert polynomial.Polynomial(4).weights.tolist() == [0.0] * 5
    assert polynomial.Polynomial(4).weights.dtype == torch.float32
    start = torch.zeros(4, dtype=torch.float64)
    model = polynomial.Polynomial(3, start, torch.float64)
    polynomial.fit(model, X, Y, steps=2)
    assert (start == 0).all()


@pytest.mark.parametrize(
    ("dtype", "rtol"), [(torch.float64, 1e-12), (torch.float32, 1e-4)]
)
@pytest.mark.parametrize("device", DEVICES)
def test_fit_is_the_books_curve(device, dtype, rtol):
    model = cubic(device=device, dtype=dtype)
    losses = polynomial.fit(model, X.to(device, dtype), Y.to(device, dtype))
    sinefit.check(losses, model.weights, rtol=rtol)


def test_fit_takes_another_model_and_another_optimizer():
    torch.manual_seed(0)
    powers = X.unsqueeze(-1).pow(torch.arange(1, 4))
    model = torch.nn.Sequential(
        torch.nn.Linear(3, 1, dtype=torch.float64), torch.nn.Flatten(0, 1)
    )
    adam = torch.optim.Adam(model.parameters(), lr=1e-2)
    losses = polynomial.fit(model, powers, Y, optimizer=adam)
    assert losses[-1] - sinefit.optimum(X, Y)[1] < 1e-3


def other_optimizer(**settings):
    other = torch.optim.SGD(cubic().parameters(), lr=1e-6)
    polynomial.fit(cubic(), X, Y, optimizer=other, **settings)


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("start", lambda: polynomial.Polynomial(3, [1, 2])),
        ("start", lambda: polynomial.Polynomial(1, 5)),
        ("start", lambda: polynomial.Polynomial(1, [[1], [2]])),
        ("y", lambda: polynomial.fit(cubic(), X, Y[:-1])),
        ("y", lambda: polynomial.fit(cubic(), X, Y[:, None])),
        ("y", lambda: polynomial.fit(cubic(), X, Y.float())),
        ("model", lambda: polynomial.fit(cubic(), X.long(), Y)),
        ("model", lambda: polynomial.fit(cubic().float(), X, Y)),
        ("learning_rate", lambda: other_optimizer(learning_rate=1e-6)),
        ("optimizer", other_optimizer),
    ],
)
def test_what_pytorch_would_go_on_with_is_named(name, call):
    with pytest.raises(ValueError, match=f"^{name}: expected .+, got "):
        call()


def test_divergence_stops_the_fit():
    with pytest.raises(ValueError, match="smaller learning rate"):
        polynomial.fit(cubic(), X, Y, learning_rate=1e-5)
