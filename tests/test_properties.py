"""The two modules on inputs that nobody thought of."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import polynomial
import sinefit

DEVICES = ["cpu"] + ["cuda"] * torch.cuda.is_available()
numbers = st.floats(-10, 10, width=32)
degrees = st.integers(0, 9)


@st.composite
def models(draw):
    """Draw a polynomial of degree 0 to 9 in either precision."""
    degree = draw(degrees)
    start = draw(st.lists(numbers, min_size=degree + 1, max_size=degree + 1))
    dtype = draw(st.sampled_from([torch.float32, torch.float64]))
    device = draw(st.sampled_from(DEVICES))
    return polynomial.Polynomial(degree, start, dtype=dtype, device=device)


def points(model, size):
    """Return size numbers from -1 to 1 of the model's dtype and device."""
    return torch.linspace(-1, 1, size).to(model.weights)


@given(models(), st.integers(2, 100_000))
@settings(max_examples=50, deadline=None)
def test_value_is_numpys_in_either_precision(model, size):
    x = points(model, size)
    y_pred = model(x)
    assert y_pred.shape == x.shape
    assert y_pred.dtype == x.dtype == model.weights.dtype
    weights = model.weights.detach().double().cpu().numpy()
    expected = np.polynomial.Polynomial(weights)(x.double().cpu().numpy())
    scale = np.abs(weights).sum()
    off = np.abs(y_pred.detach().double().cpu().numpy() - expected)
    assert off.max() <= 20 * torch.finfo(x.dtype).eps * scale


@given(models(), st.integers(2, 200))
@settings(max_examples=50, deadline=None)
def test_gradient_is_that_of_the_formula(model, size):
    model = model.double()
    x = points(model, size)
    y = torch.sin(x)
    y_pred = model(x)
    ((y_pred - y) ** 2).sum().backward()
    error = (y_pred - y).detach()
    for k, grad in enumerate(model.weights.grad):
        by_hand = (2 * error * x**k).sum()
        scale = (2 * error * x**k).abs().sum()
        assert abs(grad - by_hand) <= 1e-12 * scale + 1e-300


@given(degrees, st.integers(2, 100_000), st.data())
@settings(max_examples=50, deadline=None)
def test_optimum_is_no_worse_than_any_other_weights(degree, size, data):
    x = np.linspace(-1, 1, size)
    y = np.sin(3 * x)
    if size <= degree:
        with pytest.raises(ValueError, match=r"^points: expected"):
            sinefit.optimum(x, y, degree)
        return
    weights, loss = sinefit.optimum(x, y, degree)
    other = weights + data.draw(
        st.lists(numbers, min_size=degree + 1, max_size=degree + 1)
    )
    V = np.vander(x, degree + 1, increasing=True)
    assert loss <= np.square(V @ other - y).sum() + 1e-9


@given(st.floats(1e-9, 3.5e-6), st.lists(numbers, min_size=4, max_size=4))
@settings(max_examples=20, deadline=None)
def test_theory_holds_from_any_start_at_any_stable_rate(rate, start):
    x, y = sinefit.data()
    V = np.vander(x, 4, increasing=True)
    w, losses = np.array(start, dtype=float), []
    for _ in range(50):
        error = V @ w - y
        losses.append(error @ error)
        w -= rate * 2 * error @ V
    theory, last = sinefit.predict(rate, 50, start)
    np.testing.assert_allclose(theory, losses, rtol=1e-9)
    np.testing.assert_allclose(last, w, rtol=1e-7, atol=1e-9)


@given(st.floats(max_value=0) | st.just(float("nan")) | st.just(float("inf")))
def test_a_rate_that_is_not_positive_is_named(rate):
    with pytest.raises(ValueError, match=r"^learning_rate: expected .*, got "):
        sinefit.predict(learning_rate=rate)
    x = torch.linspace(-1, 1, 5)
    model = polynomial.Polynomial(1)
    with pytest.raises(ValueError, match=r"^learning_rate: expected .*, got "):
        polynomial.fit(model, x, x, learning_rate=rate)


@given(st.integers(max_value=-1))
def test_a_negative_degree_is_named(degree):
    with pytest.raises(ValueError, match=r"^degree: expected .*, got "):
        polynomial.Polynomial(degree)
    with pytest.raises(ValueError, match=r"^degree: expected .*, got "):
        sinefit.optimum([1, 2, 3], [1, 2, 3], degree)


@given(
    st.none()
    | st.text(min_size=1)
    | st.booleans()
    | st.lists(st.text(), min_size=1)
    | st.lists(st.complex_numbers(), min_size=1)
)
def test_anything_but_numbers_is_named(junk):
    with pytest.raises((TypeError, ValueError), match=r"^losses: expected "):
        sinefit.check(junk, sinefit.START)
    with pytest.raises((TypeError, ValueError), match=r"^start: expected "):
        sinefit.predict(start=junk)
    with pytest.raises(TypeError, match=r"^x: expected .*, got "):
        polynomial.fit(polynomial.Polynomial(1), junk, junk)
