"""Chapter 7's module: the model, the loop, their words for bad input."""

import numpy as np
import pytest
import torch

import polynomial
import sinefit

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


def test_does_not_change_the_start_it_was_given():
    start = torch.zeros(4, dtype=torch.float64)
    polynomial.fit(polynomial.Polynomial(3, start, torch.float64), X, Y)
    assert (start == 0).all()


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


def test_fit_takes_a_model_of_another_shape():
    powers = X.unsqueeze(-1).pow(torch.arange(1, 4))
    model = torch.nn.Sequential(
        torch.nn.Linear(3, 1, dtype=torch.float64), torch.nn.Flatten(0, 1)
    )
    with torch.no_grad():
        model[0].bias.fill_(sinefit.START[0])
        model[0].weight.copy_(torch.tensor([sinefit.START[1:]]))
    losses = polynomial.fit(model, powers, Y)
    sinefit.check(losses, [model[0].bias, *model[0].weight[0]])


def test_fit_takes_another_optimizer():
    model = cubic()
    adam = torch.optim.Adam(model.parameters(), lr=1e-2)
    losses = polynomial.fit(model, X, Y, optimizer=adam)
    floor = sinefit.optimum(X, Y)[1]
    assert losses[-1] - floor < 1e-3


OTHERS = torch.optim.SGD(cubic().parameters(), lr=1e-6)


@pytest.mark.parametrize(
    ("error", "name", "call"),
    [
        (ValueError, "degree", lambda: polynomial.Polynomial(-1)),
        (TypeError, "degree", lambda: polynomial.Polynomial(1.0)),
        (TypeError, "degree", lambda: polynomial.Polynomial("3")),
        (ValueError, "start", lambda: polynomial.Polynomial(3, [1, 2])),
        (ValueError, "start", lambda: polynomial.Polynomial(1, [1, np.nan])),
        (ValueError, "start", lambda: polynomial.Polynomial(1, 5)),
        (ValueError, "start", lambda: polynomial.Polynomial(1, [[1], [2]])),
        (TypeError, "start", lambda: polynomial.Polynomial(0, ["a"])),
        (ValueError, "y", lambda: polynomial.fit(cubic(), X, Y[:-1])),
        (ValueError, "y", lambda: polynomial.fit(cubic(), X, Y[:, None])),
        (ValueError, "y", lambda: polynomial.fit(cubic(), X, Y.float())),
        (ValueError, "y", lambda: polynomial.fit(cubic(), X, Y / 0)),
        (ValueError, "x", lambda: polynomial.fit(cubic(), X[:0], Y[:0])),
        (ValueError, "x", lambda: polynomial.fit(cubic(), X * np.nan, Y)),
        (TypeError, "x", lambda: polynomial.fit(cubic(), X.numpy(), Y)),
        (TypeError, "y", lambda: polynomial.fit(cubic(), X, Y.tolist())),
        (TypeError, "x", lambda: polynomial.fit(cubic(), X.long(), Y)),
        (ValueError, "steps", lambda: polynomial.fit(cubic(), X, Y, steps=0)),
        (TypeError, "model", lambda: polynomial.fit(sinefit, X, Y)),
    ],
)
def test_bad_input_is_named(error, name, call):
    with pytest.raises(error, match=f"^{name}: expected .+, got "):
        call()


@pytest.mark.parametrize("rate", [0, -1e-6, np.nan, np.inf, "fast", 2e-6 + 0j])
def test_bad_learning_rates_are_named(rate):
    with pytest.raises(ValueError, match=r"^learning_rate: expected .+, got "):
        polynomial.fit(cubic(), X, Y, learning_rate=rate)


def test_learning_rate_and_optimizer_are_not_both_taken():
    with pytest.raises(ValueError, match=r"^learning_rate: expected none"):
        polynomial.fit(cubic(), X, Y, learning_rate=1e-6, optimizer=OTHERS)


def test_optimizer_of_another_model_is_refused():
    with pytest.raises(ValueError, match=r"^optimizer: expected one on this"):
        polynomial.fit(cubic(), X, Y, optimizer=OTHERS)


def test_divergence_stops_the_fit():
    with pytest.raises(ValueError, match="smaller learning rate"):
        polynomial.fit(cubic(), X, Y, learning_rate=1e-5)


@pytest.mark.skipif(
    not torch.cuda.is_available(), reason="no CUDA device on this machine"
)
def test_the_curve_is_the_same_on_a_gpu():
    model = cubic(device="cuda")
    losses = polynomial.fit(model, X.cuda(), Y.cuda())
    sinefit.check(losses, model.weights)
