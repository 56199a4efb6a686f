"""Chapter 7's module: the model, the loop, their words for bad input."""

import numpy as np
import polynomial
import pytest
import sinefit
import torch

X = torch.linspace(-torch.pi, torch.pi, 2000, dtype=torch.float64)
Y = torch.sin(X)


def cubic(**settings):
    settings.setdefault("dtype", torch.float64)
    return polynomial.Polynomial(3, sinefit.START, **settings)


@pytest.mark.parametrize("degree", range(10))
def test_value_is_numpys(degree):
    weights = np.random.default_rng(degree).normal(size=degree + 1)
    model = polynomial.Polynomial(degree, weights, dtype=torch.float64)
    expected = np.polynomial.Polynomial(weights)(X.numpy())
    np.testing.assert_allclose(model(X).detach(), expected, rtol=1e-12)


@pytest.mark.parametrize("degree", range(10))
def test_gradient_is_right(degree):
    model = polynomial.Polynomial(degree, dtype=torch.float64)
    z = torch.linspace(-1, 1, 7, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(
        lambda weights, z: torch.func.functional_call(
            model, {"weights": weights}, z
        ),
        (model.weights, z),
    )


def test_starts_at_zero_unless_told():
    assert polynomial.Polynomial(4).weights.tolist() == [0.0] * 5
    assert polynomial.Polynomial(4).weights.dtype == torch.float32
    assert cubic().weights.tolist() == list(sinefit.START)
    assert cubic(device="meta").weights.device.type == "meta"


def test_degree_is_shown():
    assert "degree=3" in repr(cubic())


def test_keeps_the_shape_of_x():
    x = torch.zeros(2, 3, 4)
    assert polynomial.Polynomial(0)(x).shape == x.shape
    assert polynomial.Polynomial(5)(x).shape == x.shape


def test_fit_is_the_books_curve():
    model = cubic()
    losses = polynomial.fit(model, X, Y)
    sinefit.check(losses, model.weights)


def test_fit_in_single_precision_is_the_curve_to_1e_4():
    model = cubic(dtype=torch.float32)
    losses = polynomial.fit(model, X.float(), Y.float())
    sinefit.check(losses, model.weights, rtol=1e-4)


def test_fit_takes_another_optimizer():
    model = cubic()
    adam = torch.optim.Adam(model.parameters(), lr=1e-2)
    losses = polynomial.fit(model, X, Y, optimizer=adam)
    floor = sinefit.optimum(X, Y)[1]
    assert losses[-1] - floor < 1e-3


class Column(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.w = torch.nn.Parameter(torch.zeros((), dtype=torch.float64))

    def forward(self, x):
        return (self.w * x).unsqueeze(-1)


@pytest.mark.parametrize(
    ("error", "words", "call"),
    [
        (ValueError, "degree", lambda: polynomial.Polynomial(-1)),
        (TypeError, "degree", lambda: polynomial.Polynomial(1.0)),
        (TypeError, "degree", lambda: polynomial.Polynomial("3")),
        (TypeError, "degree", lambda: polynomial.Polynomial(True)),
        (ValueError, "start", lambda: polynomial.Polynomial(3, [1, 2])),
        (ValueError, "start", lambda: polynomial.Polynomial(1, [1, np.nan])),
        (TypeError, "start", lambda: polynomial.Polynomial(1, 5)),
        (TypeError, "start", lambda: polynomial.Polynomial(0, ["a"])),
        (ValueError, "x, y", lambda: polynomial.fit(cubic(), X, Y[:-1])),
        (ValueError, "x, y", lambda: polynomial.fit(cubic(), X, Y[:, None])),
        (ValueError, "x, y", lambda: polynomial.fit(cubic(), X, Y / 0)),
        (ValueError, "x, y", lambda: polynomial.fit(cubic(), X[:0], Y[:0])),
        (ValueError, "x, y", lambda: polynomial.fit(cubic(), X.float(), Y)),
        (TypeError, "x", lambda: polynomial.fit(cubic(), X.numpy(), Y)),
        (TypeError, "y", lambda: polynomial.fit(cubic(), X, Y.tolist())),
        (TypeError, "x", lambda: polynomial.fit(cubic(), X.long(), Y)),
        (
            ValueError,
            "learning_rate",
            lambda: polynomial.fit(cubic(), X, Y, 0),
        ),
        (
            ValueError,
            "learning_rate",
            lambda: polynomial.fit(cubic(), X, Y, float("nan")),
        ),
        (ValueError, "steps", lambda: polynomial.fit(cubic(), X, Y, steps=0)),
        (TypeError, "model", lambda: polynomial.fit(sinefit, X, Y)),
        (ValueError, "model", lambda: polynomial.fit(Column(), X, Y)),
    ],
)
def test_bad_input_is_named(error, words, call):
    with pytest.raises(error, match=f"^{words}: expected .+, got "):
        call()


def test_divergence_stops_the_fit():
    with pytest.raises(ValueError, match="learning rate.*too large"):
        polynomial.fit(cubic(), X, Y, learning_rate=1e-5)
