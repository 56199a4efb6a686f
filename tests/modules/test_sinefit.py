"""The helper module: its theory, its check, its words for bad input."""

import re

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import sinefit
from by_hand import descend

X, Y = sinefit.data()
LOSSES, WEIGHTS = descend()
STEPS = np.arange(2000)
numbers = st.floats(-10, 10, width=32)
degrees = st.integers(0, 9)
# What is no row of numbers, no whole number above 0, no learning rate.
junk = st.none() | st.booleans() | numbers | st.text(min_size=1)
junk |= st.lists(st.text() | st.complex_numbers(), min_size=1)
junk |= st.tuples(numbers, st.text()) | st.just(())
negative = st.integers(max_value=-1)
bad_rates = st.floats(max_value=0)
bad_rates |= st.sampled_from([np.nan, np.inf, "1e-6", 1e-6 + 0j])


def test_start_is_the_same_number_in_both_precisions():
    single = np.array(sinefit.START, dtype=np.float32)
    assert (single.astype(np.float64) == sinefit.START).all()
    assert (single != 0).all()


def test_data_is_the_sine_from_minus_pi_to_pi():
    x, y = sinefit.data(5)
    np.testing.assert_allclose(x, np.pi * np.array([-1, -0.5, 0, 0.5, 1]))
    np.testing.assert_allclose(y, [0, -1, 0, 1, 0], atol=1e-15)


@given(degrees, st.integers(2, 100_000), st.sampled_from([1, np.pi]))
def test_at_the_optimum_the_gradient_is_zero(degree, size, reach):
    x = np.linspace(-reach, reach, size)
    y = np.sin(3 * x) + x**3
    if size <= degree:
        with pytest.raises(ValueError, match=r"^points: expected"):
            sinefit.optimum(x, y, degree)
        return
    weights, loss = sinefit.optimum(x, y, degree)
    powers = np.vander(x, degree + 1, increasing=True)
    error = powers @ weights - y
    scale = np.linalg.norm(powers, axis=0) * np.linalg.norm(y)
    assert (np.abs(powers.T @ error) < 1e-10 * scale).all()
    assert loss == pytest.approx((error**2).sum())


@given(
    st.floats(1e-9, 3.5e-6),
    st.integers(1, 50),
    st.lists(numbers, min_size=4, max_size=4),
)
@example(1e-7, 2000, sinefit.START)
@example(1e-6, 2000, sinefit.START)
@example(3.56e-6, 2000, sinefit.START)
def test_theory_predicts_every_loss_of_the_loop(rate, steps, start):
    losses, weights = descend(rate, steps=steps, start=start)
    theory, last = sinefit.predict(rate, steps, start)
    np.testing.assert_allclose(theory, losses, rtol=1e-10)
    np.testing.assert_allclose(last, weights, rtol=1e-9, atol=1e-12)


def test_legendre_reference_agrees_with_autograd():
    torch = pytest.importorskip("torch", reason="chapter 1 needs none")
    w = torch.tensor([0, -1, 0, 0.3], dtype=torch.float64, requires_grad=True)
    x, losses = torch.from_numpy(X), []
    for _ in range(2000):
        z = w[2] + w[3] * x
        y_pred = w[0] + w[1] * (5 * z**3 - 3 * z) / 2
        loss = ((y_pred - torch.sin(x)) ** 2).sum()
        losses.append(loss.item())
        (grad,) = torch.autograd.grad(loss, w)
        w = (w - 5e-6 * grad).detach().requires_grad_()
    reference, last = sinefit.predict_legendre()
    np.testing.assert_allclose(reference, losses, rtol=1e-12)
    np.testing.assert_allclose(last, w.detach(), atol=1e-12)


@pytest.mark.parametrize("units", [1, 3])
def test_the_networks_reference_is_what_pytorch_gets(units):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    x = torch.from_numpy(X)[:, None]
    b = [np.pi, 0, -np.pi][:units]
    v = [0.0125, -0.0125, 0.0125][:units]
    p = torch.tensor([*[1] * units, *b, *v, 0], dtype=torch.float64)
    losses = []
    for _ in range(2000):
        p = p.detach().requires_grad_()
        w, b, v = p[:-1].reshape(3, units)
        y_pred = torch.tanh(x * w + b) @ v + p[-1]
        loss = torch.square(y_pred - torch.from_numpy(Y)).sum()
        losses.append(loss.item())
        loss.backward()
        p = p - 5e-5 * p.grad
    reference, last = sinefit.predict_network(units)
    np.testing.assert_allclose(reference, losses, rtol=1e-11)
    np.testing.assert_allclose(last, p.detach(), atol=1e-11)


def test_a_network_ends_below_the_floor_and_the_check_says_so(capsys):
    expected = sinefit.predict_network()
    sinefit.check(*expected, expected=expected)
    said = capsys.readouterr().out
    assert "8.7638 below the cubics' floor, 8.81717" in said
    with pytest.raises(ValueError, match="expected 25 numbers, got 4"):
        sinefit.check(expected[0], WEIGHTS, expected=expected)
    with pytest.raises(ValueError, match=r"^units: expected a whole number"):
        sinefit.predict_network(0)


def test_check_prints_what_it_found(capsys):
    sinefit.check(LOSSES, WEIGHTS)
    said = capsys.readouterr().out
    assert "2000 losses are as expected, to 1e-12" in said
    assert "fell at 1999 of 1999 steps, to 9.14126" in said
    assert "0.32409 above the floor, 8.81717" in said


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (descend(1e-5), "learning rate too large"),
        (descend(1e-7), "learning rate"),
        (descend(-1e-6), "gradient"),
        (descend(momentum=1), "gradients zeroed"),
        (descend(start=(0, 0, 0, 0)), "start, data and loss"),
        (descend(steps=1999), "got 1999"),
        (([*LOSSES, *LOSSES], WEIGHTS), "got 4000"),
        ((LOSSES[0] + 0 * LOSSES, sinefit.START), "It never changes"),
        (sinefit.predict(start=WEIGHTS), "the loss of step 2000: go back"),
        ((LOSSES[0] * 1.1**STEPS, WEIGHTS), "It climbs"),
        ((LOSSES, WEIGHTS[[1, 0, 2, 3]]), "in the page's order"),
        ((np.float32(LOSSES), WEIGHTS), "float32"),
        ((LOSSES / 2000, WEIGHTS), "mean"),
        ((LOSSES[np.where(STEPS == 1000, 999, STEPS)], WEIGHTS), "[1000]"),
        ((np.where(STEPS == 7, np.nan, LOSSES), WEIGHTS), "losses[7] is nan"),
        ((descend(steps=2001)[0][1:], WEIGHTS), "record it before"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_check_says_what_is_wrong(broken, words):
    with pytest.raises(AssertionError, match=re.escape(words)):
        sinefit.check(*broken)


def test_check_sees_a_loss_that_does_not_fall():
    losses = LOSSES.copy()
    losses[499] *= 1 - 2e-3  # each within the tolerance, and yet
    losses[500] *= 1 + 2e-3  # the second is the larger one
    with pytest.raises(AssertionError, match="does not fall"):
        sinefit.check(losses, WEIGHTS, rtol=2.5e-3)


@given(junk)
def test_bad_rows_are_named(bad):
    error = ValueError if bad == () else TypeError
    for name, call in (
        ("losses", lambda: sinefit.check(bad, sinefit.START)),
        ("weights", lambda: sinefit.check([1.0] * 2000, bad)),
        ("x", lambda: sinefit.optimum(bad, [1, 2, 3, 4, 5])),
        ("y", lambda: sinefit.optimum([1, 2, 3, 4, 5], bad)),
        ("start", lambda: sinefit.predict(start=bad)),
        ("x", lambda: sinefit.plot_fit(bad, Y, Y)),
        ("y", lambda: sinefit.plot_fit(X, bad, Y)),
        ("y_pred", lambda: sinefit.plot_fit(X, Y, bad)),
        ("losses", lambda: sinefit.plot_losses(bad)),
        ("losses", lambda: sinefit.plot_losses({"run": bad})),
    ):
        with pytest.raises(error, match=f"^{name}: expected"):
            call()


@given(bad_rates, negative)
def test_bad_rates_and_degrees_are_named(rate, degree):
    with pytest.raises(ValueError, match=r"^learning_rate: expected .*, got "):
        sinefit.predict(rate)
    with pytest.raises(ValueError, match=r"^degree: expected .*, got "):
        sinefit.optimum([1, 2, 3], [1, 2, 3], degree)


@pytest.mark.parametrize(
    "call",
    [
        lambda: sinefit.optimum([1, np.nan, 3, 4, 5], [1, 2, 3, 4, 5]),
        lambda: sinefit.optimum([1, 2, 3, 4, 5], [1, 2, 3, 4, np.inf]),
        lambda: sinefit.optimum([1, 2, 3, 4, 5], [1, 2, 3, 4]),
        lambda: sinefit.optimum(X, Y, degree=1.5),
        lambda: sinefit.data(1),
        lambda: sinefit.data(2.5),
        lambda: sinefit.predict(steps=0),
        lambda: sinefit.predict(start=(1, 2, 3)),
        lambda: sinefit.predict(start=(1, 2, 3, np.nan)),
        lambda: sinefit.check(LOSSES, WEIGHTS, rtol=0),
        lambda: sinefit.plot_fit(X, Y, Y[:-1]),
        lambda: sinefit.plot_fit(X, Y, {"short": Y[:-1]}),
    ],
)
def test_values_out_of_range_are_named(call):
    with pytest.raises(ValueError, match=r"^\w+: expected .+, got "):
        call()


@pytest.fixture
def figure(monkeypatch):
    """Return an empty figure, to be drawn in and not shown."""
    monkeypatch.setattr(plt, "show", plt.draw)
    plt.close("all")
    yield plt.figure()
    plt.close("all")


def test_plot_fit_draws_what_it_is_given_though_it_diverged(figure):
    curves = {"list": list(Y), "huge": Y * 1e300, "nan": Y * np.nan}
    sinefit.plot_fit(X, Y, curves)
    labels = [line.get_label() for line in plt.gca().lines]
    assert labels == ["sin(x)", *curves]
    ticks = [
        (t.get_position()[0], t.get_text())
        for t in plt.gca().get_xticklabels()
    ]
    assert ticks == [(-np.pi, "-π"), (0, "0"), (np.pi, "π")]


def test_the_last_weights_are_held_as_closely_as_the_losses():
    for k in range(4):
        with pytest.raises(AssertionError, match="the weights not"):
            sinefit.check(LOSSES, WEIGHTS + 1e-11 * np.eye(4)[k])


@pytest.mark.parametrize("losses", [LOSSES, descend(-1e-6)[0]])
def test_plot_losses_draws_what_it_is_given_over_the_floor(losses, figure):
    sinefit.plot_losses(losses)
    loss, floor = plt.gca().lines
    np.testing.assert_array_equal(loss.get_ydata(), losses.clip(max=1e9))
    assert floor.get_ydata()[0] == pytest.approx(8.81716541)
    assert plt.gca().get_yscale() == "log"


def test_plot_losses_draws_how_far_above_the_floor(figure):
    sinefit.plot_losses({"run": LOSSES}, above_floor=True)
    (line,) = plt.gca().lines
    np.testing.assert_allclose(line.get_ydata(), LOSSES - 8.81716541, 1e-6)
    assert plt.gca().get_ylabel() == "loss above the floor"


def test_plot_run_draws_both(figure):
    sinefit.plot_run(X, Y, Y / 2, LOSSES)
    left, right = plt.gcf().axes
    np.testing.assert_array_equal(left.lines[1].get_ydata(), Y / 2)
    np.testing.assert_array_equal(right.lines[0].get_ydata(), LOSSES)


H, PATH = [[2.0, 0.0], [0.0, 8.0]], [[0.0, 0.0], [1.0, 1.0]]


@pytest.mark.parametrize("half", [None, 3])
def test_plot_bowl_draws_contours_and_paths(half, figure):
    sinefit.plot_bowl([2, 1], H, {"way": PATH}, names=("u", "v"), half=half)
    ax = plt.gca()
    *contours, way, cross = ax.lines
    np.testing.assert_array_equal(way.get_xydata(), PATH)
    np.testing.assert_array_equal(cross.get_xydata(), [[2, 1]])
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("u", "v")
    window = [-0.2, 2.2, -0.1, 1.1] if half is None else [-1, 5, -2, 4]
    np.testing.assert_allclose(ax.axis(), window)
    heights = []
    for contour in contours:
        u, v = contour.get_data()
        height = (u - 2) ** 2 + 4 * (v - 1) ** 2
        np.testing.assert_allclose(height, height[0])
        heights.append(height[0])
    np.testing.assert_allclose(np.divide(heights[1:], heights[:-1]), 4)
    assert len(heights) == 7


def test_plot_graph_draws_nodes_and_both_arrows_of_a_square(figure):
    class Leaf:
        name, value, grad, parents = "a", 3.0, 6.0, ()

    class Square:
        name, value, grad = "sq", 9.0, 1.0
        parents = ((Leaf, None), (Leaf, None))

    sinefit.plot_graph(Square)
    texts = [text.get_text() for text in plt.gca().texts]
    assert [text for text in texts if text] == [
        *("sq", "9.000", "1.000"),
        *("a", "3.000", "6.000"),
    ]
    assert texts.count("") == 2


def test_plot_shapes_draws_a_box_for_each(figure):
    sinefit.plot_shapes({"row": (2000,), "column": (2000, 1)})
    row, column = plt.gca().patches
    assert row.get_width() > row.get_height() < column.get_height()
    assert [text.get_text() for text in plt.gca().texts] == [
        *("row", "2000"),
        *("column", "2000\N{MULTIPLICATION SIGN}1"),
    ]


def test_plot_tree_draws_what_hangs_on_what(figure):
    sinefit.plot_tree({"e": (), "inner.weights": (4,), "inner.bias": (1,)})
    at = {text.get_text(): text.get_position() for text in plt.gca().texts}
    assert [*at] == ["model", "e  ()", "inner", "weights  (4,)", "bias  (1,)"]
    assert [x for x, _ in at.values()] == [0, 1, 1, 2, 2]
    assert len(plt.gca().lines) == 4


def test_loop_diff_shows_what_changed():
    diff = sinefit.loop_diff("01_numpy", "02_tensors")
    assert "-    losses.append(loss)\n+    losses.append(loss.item())" in diff
    assert diff._repr_markdown_() == f"```diff\n{diff}\n```"


def test_a_listing_is_the_code_in_its_colours():
    code = sinefit.listing(sinefit.listing)
    assert code.startswith("def listing(*functions):")
    assert code._repr_markdown_() == f"```python\n{code}\n```"


def test_loop_diff_needs_a_loop_in_each(tmp_path, monkeypatch):
    monkeypatch.setattr(sinefit, "__file__", str(tmp_path / "sinefit.py"))
    (tmp_path / "empty.ipynb").write_text('{"cells": []}')
    with pytest.raises(ValueError, match="expected one loop in each"):
        sinefit.loop_diff("empty", "empty")


@pytest.mark.parametrize("size", [1, 5, 20])
def test_batches_reference_is_the_mean_over_all_batches(size):
    """A batch has the mean of its points' gradients, so one step is exact."""
    V, start = np.vander(X, 4, increasing=True), np.array(sinefit.START)
    error = V @ start - Y
    alone = start - 1e-6 * 2000 * 2 * error[:, None] * V
    together = start - 1e-6 * 2 * error @ V
    ends = [np.square(V @ w - Y).sum() for w in (together, *alone)]
    excess = (np.mean(ends[1:]) - ends[0]) / size
    losses = sinefit.predict_batches(size, steps=2)
    np.testing.assert_allclose(losses[0], LOSSES[0], rtol=1e-12)
    np.testing.assert_allclose(losses[1], ends[0] + excess, rtol=1e-12)


@pytest.mark.parametrize("size", [0, -1, 2.5, "20"])
def test_a_size_of_no_batch_is_named(size):
    with pytest.raises((TypeError, ValueError), match="size: expected"):
        sinefit.predict_batches(size)


def test_large_batches_approach_the_books_curve():
    off = [
        np.abs(sinefit.predict_batches(size) - LOSSES).max()
        for size in (10**6, 10**8)
    ]
    assert off[1] < 1e-4 and 80 < off[0] / off[1] < 120


def many_runs(shift=0.0):
    """Return 100 runs of three losses, and what they are about."""
    expected = np.array([9.0, 5.0, 1.0])
    spread = np.random.default_rng(0).normal(0, 0.1, (3, 100))
    spread -= spread.mean(axis=1)[:, None]
    off = shift * spread.std(axis=1, ddof=1)[:, None] / 10
    return expected[:, None] + spread + off * [[0], [1], [0]], expected


def test_a_mean_is_held_to_five_standard_errors(capsys):
    sinefit.check_mean(*many_runs(4.9))
    said = capsys.readouterr().out
    assert "3 mean losses are as expected, to 5 errors" in said
    assert "the last: 1.00, and theory expects 1.00" in said
    for shift in (5.1, -5.1):
        with pytest.raises(AssertionError, match="step 1: the mean of 100"):
            sinefit.check_mean(*many_runs(shift))


def test_runs_of_another_shape_are_named():
    runs, expected = many_runs()
    for bad in (runs[:2], runs[:, :1], runs[0], []):
        with pytest.raises(ValueError, match="expected 3 rows"):
            sinefit.check_mean(bad, expected)
    runs[1, 7] = np.nan
    with pytest.raises(ValueError, match="got nan or inf"):
        sinefit.check_mean(runs, expected)


@pytest.mark.parametrize("rtol", [1e-12, 1e-4])
def test_the_check_prints_no_more_digits_than_it_checks(rtol, capsys):
    losses, weights = sinefit.predict()
    said = set()
    for factor in (1 - 0.9 * rtol, 1, 1 + 0.9 * rtol):
        sinefit.check(losses * factor, weights, rtol=rtol)
        lines = capsys.readouterr().out.splitlines()
        said.add(tuple(line for line in lines if "difference" not in line))
    assert len(said) == 1
