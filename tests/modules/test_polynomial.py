"""Chapter 7's module: the model, the loop, their words for bad input."""

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from test_sinefit import bad_rates, degrees, junk, negative, numbers

import polynomial
import sinefit

X = torch.linspace(-torch.pi, torch.pi, 2000, dtype=torch.float64)
Y = torch.sin(X)
DEVICES = ["cpu"] + ["cuda"] * torch.cuda.is_available()


def cubic(**settings):
    settings.setdefault("dtype", torch.float64)
    return polynomial.Polynomial(3, sinefit.START, **settings)


@st.composite
def models(draw):
    """Draw a polynomial of degree 0 to 9 in either precision."""
    degree = draw(degrees)
    start = draw(st.lists(numbers, min_size=degree + 1, max_size=degree + 1))
    dtype = draw(st.sampled_from([torch.float32, torch.float64]))
    device = draw(st.sampled_from(DEVICES))
    return polynomial.Polynomial(degree, start, dtype=dtype, device=device)


def points(model, rows, columns):
    """Return numbers from -pi to pi of the model's dtype and device."""
    x = torch.linspace(-torch.pi, torch.pi, rows * columns)
    return x.reshape(rows, columns).to(model.weights)


def in_numpy(model, x):
    """Return NumPy's polynomial, the same without signs, and its points."""
    weights = model.weights.detach().double().cpu().numpy()
    unsigned = np.polynomial.Polynomial(np.abs(weights))
    x = x.detach().double().cpu().numpy()
    return np.polynomial.Polynomial(weights), unsigned, x


@given(models(), st.integers(1, 3), st.integers(1, 50_000))
@example(polynomial.Polynomial(1, [0, 1.4e-45], dtype=torch.float32), 1, 3)
def test_value_is_numpys_in_either_precision(model, rows, columns):
    x = points(model, rows, columns)
    y_pred = model(x)
    assert y_pred.shape == x.shape
    assert y_pred.dtype == x.dtype == model.weights.dtype
    by_numpy, unsigned, at = in_numpy(model, x)
    off = np.abs(y_pred.detach().double().cpu().numpy() - by_numpy(at))
    finfo = torch.finfo(x.dtype)  # below tiny, digits are lost
    scale = finfo.eps * unsigned(np.abs(at)) + finfo.tiny
    assert (off <= 20 * scale).all()


@given(models(), st.integers(2, 200))
def test_gradients_are_those_of_the_formula(model, size):
    model = model.double()
    x = points(model, 1, size).requires_grad_()
    model(x).sum().backward()
    by_numpy, unsigned, at = in_numpy(model, x)
    off = np.abs(x.grad.cpu().numpy() - by_numpy.deriv()(at))
    assert (off <= 1e-12 * unsigned.deriv()(np.abs(at)) + 1e-300).all()
    for k, grad in enumerate(model.weights.grad):
        assert abs(grad - (at**k).sum()) <= 1e-12 * (np.abs(at) ** k).sum()


def test_starts_at_zero_unless_told_and_shows_its_degree():
    assert polynomial.Polynomial(4).weights.tolist() == [0.0] * 5
    assert polynomial.Polynomial(4).weights.dtype == torch.float32
    assert cubic().weights.tolist() == list(sinefit.START)
    assert "degree=3" in repr(cubic())


def test_does_not_change_the_start_it_was_given():
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


def test_fit_takes_a_model_of_another_shape():
    powers = X.unsqueeze(-1).pow(torch.arange(1, 4))
    model = torch.nn.Sequential(
        torch.nn.Linear(3, 1, dtype=torch.float64), torch.nn.Flatten(0, 1)
    )
    with torch.no_grad():
        model[0].bias.fill_(sinefit.START[0])
        model[0].weight.copy_(torch.tensor([sinefit.START[1:]]))
    losses = polynomial.fit(model, powers, Y)
    tensors = [*torch.tensor(losses, dtype=torch.float64, requires_grad=True)]
    sinefit.check(tensors, [model[0].bias, *model[0].weight[0]])


def test_fit_takes_another_optimizer():
    model = cubic()
    adam = torch.optim.Adam(model.parameters(), lr=1e-2)
    losses = polynomial.fit(model, X, Y, optimizer=adam)
    floor = sinefit.optimum(X, Y)[1]
    assert losses[-1] - floor < 1e-3


@given(junk, bad_rates, negative)
def test_anything_but_numbers_is_named(bad, rate, degree):
    with pytest.raises(TypeError, match=r"^x: expected .*, got "):
        polynomial.fit(cubic(), bad, Y)
    with pytest.raises(TypeError, match=r"^y: expected .*, got "):
        polynomial.fit(cubic(), X, bad)
    with pytest.raises(ValueError, match=r"^learning_rate: expected .*, got "):
        polynomial.fit(cubic(), X, Y, learning_rate=rate)
    with pytest.raises(ValueError, match=r"^degree: expected .*, got "):
        polynomial.Polynomial(degree)


@pytest.mark.parametrize(
    ("error", "name", "call"),
    [
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
        (ValueError, "model", lambda: polynomial.fit(cubic().float(), X, Y)),
    ],
)
def test_bad_input_is_named(error, name, call):
    with pytest.raises(error, match=f"^{name}: expected .+, got "):
        call()


def test_optimizer_brings_its_rate_and_holds_this_model():
    other = torch.optim.SGD(cubic().parameters(), lr=1e-6)
    with pytest.raises(ValueError, match=r"^learning_rate: expected none"):
        polynomial.fit(cubic(), X, Y, learning_rate=1e-6, optimizer=other)
    with pytest.raises(ValueError, match=r"^optimizer: expected one on this"):
        polynomial.fit(cubic(), X, Y, optimizer=other)


def test_divergence_stops_the_fit():
    with pytest.raises(ValueError, match="smaller learning rate"):
        polynomial.fit(cubic(), X, Y, learning_rate=1e-5)
