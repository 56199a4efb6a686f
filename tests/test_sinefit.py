"""The helper module: its theory, its check, its words for bad input."""

import re

import matplotlib.pyplot as plt
import numpy as np
import pytest

import sinefit

X, Y = sinefit.data()
V = np.vander(X, 4, increasing=True)


@np.errstate(over="ignore", invalid="ignore")  # some runs diverge
def run(learning_rate=1e-6, steps=2000, start=sinefit.START):
    """Return the losses and weights of plain gradient descent, in a loop."""
    w, losses = np.array(start, dtype=float), []
    for _ in range(steps):
        error = V @ w - Y
        losses.append(error @ error)
        w -= learning_rate * 2 * error @ V
    return losses, w


def test_start_is_the_same_number_in_both_precisions():
    single = np.array(sinefit.START, dtype=np.float32)
    assert (single.astype(np.float64) == sinefit.START).all()
    assert (single != 0).all()


def test_data_is_the_sine_from_minus_pi_to_pi():
    x, y = sinefit.data(5)
    np.testing.assert_allclose(x, np.pi * np.array([-1, -0.5, 0, 0.5, 1]))
    np.testing.assert_allclose(y, [0, -1, 0, 1, 0], atol=1e-15)


@pytest.mark.parametrize("degree", range(10))
def test_no_weights_near_the_optimum_have_a_smaller_loss(degree):
    weights, loss = sinefit.optimum(X, Y, degree)
    powers = np.vander(X, degree + 1, increasing=True)
    gradient = powers.T @ (powers @ weights - Y)
    scale = np.linalg.norm(powers, axis=0) * np.linalg.norm(Y)
    assert (np.abs(gradient) < 1e-10 * scale).all()
    assert loss == pytest.approx(((powers @ weights - Y) ** 2).sum())


def test_optimum_of_a_cubic_is_the_cubic():
    weights, loss = sinefit.optimum(X, 1 - X + 3 * X**3)
    np.testing.assert_allclose(weights, [1, -1, 0, 3], atol=1e-12)
    assert loss == pytest.approx(0, abs=1e-20)


@pytest.mark.parametrize("learning_rate", [1e-7, 1e-6, 3.5e-6, 3.56e-6])
def test_theory_predicts_every_loss_of_the_loop(learning_rate):
    losses, weights = run(learning_rate)
    theory, last = sinefit.predict(learning_rate)
    np.testing.assert_allclose(theory, losses, rtol=1e-10)
    np.testing.assert_allclose(last, weights, rtol=1e-9)


def test_legendre_reference_agrees_with_autograd():
    torch = pytest.importorskip("torch")
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


def test_check_prints_what_it_found(capsys):
    sinefit.check(*run())
    said = capsys.readouterr().out
    assert "2000 losses are as expected, to 1e-12" in said
    assert "1999 steps down, to 9.14126" in said
    assert "0.32409 above the floor, 8.81717" in said


def test_check_takes_tensors_with_grad():
    torch = pytest.importorskip("torch")
    losses, w = run()
    weights = torch.tensor(w, requires_grad=True)
    sinefit.check([torch.tensor(v) for v in losses], weights)
    sinefit.check(losses, list(weights))


def swapped(losses, w):
    return losses, w[[1, 0, 2, 3]]


def single(losses, w):
    return np.float32(losses), w


def as_mean(losses, w):
    return np.array(losses) / 2000, w


def rising(losses, w):
    return [*losses[:1000], *losses[999:1000], *losses[1001:]], w


def with_nan(losses, w):
    return [*losses[:7], np.nan, *losses[8:]], w


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (run(learning_rate=1e-5, steps=2000), "learning rate"),
        (run(learning_rate=1e-7), "learning rate"),
        (run(learning_rate=-1e-6), "gradient"),
        (run(start=(0, 0, 0, 0)), "start, data and loss"),
        (run(steps=1999), "got 1999"),
        (([*run()[0], *run()[0]], run()[1]), "got 4000"),
        (([run()[0][0]] * 2000, sinefit.START), "It never changes"),
        (swapped(*run()), "a, b, c, d in this order"),
        (single(*run()), "float32"),
        (as_mean(*run()), "mean"),
        (rising(*run()), "losses[1000]"),
        (with_nan(*run()), "losses[7] is nan"),
        (([*run(steps=2001)[0][1:]], run()[1]), "record it before"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_check_says_what_is_wrong(broken, words):
    with pytest.raises(AssertionError, match=re.escape(words)):
        sinefit.check(*broken)


def test_check_says_when_gradients_are_not_zeroed():
    w, total, losses = np.array(sinefit.START), 0, []
    for _ in range(2000):
        error = V @ w - Y
        losses.append(error @ error)
        total = total + 2 * error @ V
        w = w - 1e-6 * total
    with pytest.raises(AssertionError, match="gradients zeroed"):
        sinefit.check(losses, w)


def test_check_sees_a_loss_that_does_not_fall():
    losses, w = run()
    losses[499] *= 1 - 2e-3  # each within the tolerance, and yet
    losses[500] *= 1 + 2e-3  # the second is the larger one
    with pytest.raises(AssertionError, match="does not fall"):
        sinefit.check(losses, w, rtol=2.5e-3)


BAD_ROWS = {
    "abc": TypeError,
    3.0: TypeError,
    None: TypeError,
    (1, "x"): TypeError,
    "12": TypeError,
    (1j,): TypeError,
    (): ValueError,
}


@pytest.mark.parametrize(("bad", "error"), BAD_ROWS.items())
@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("losses", lambda bad: sinefit.check(bad, sinefit.START)),
        ("weights", lambda bad: sinefit.check([1.0] * 2000, bad)),
        ("x", lambda bad: sinefit.optimum(bad, [1, 2, 3, 4, 5])),
        ("y", lambda bad: sinefit.optimum([1, 2, 3, 4, 5], bad)),
        ("start", lambda bad: sinefit.predict(start=bad)),
        ("x", lambda bad: sinefit.plot_fit(bad, Y, Y)),
        ("y", lambda bad: sinefit.plot_fit(X, bad, Y)),
        ("y_pred", lambda bad: sinefit.plot_fit(X, Y, bad)),
        ("losses", lambda bad: sinefit.plot_losses(bad)),
        ("losses", lambda bad: sinefit.plot_losses({"run": bad})),
    ],
)
def test_bad_rows_are_named(name, call, bad, error):
    with pytest.raises(error, match=f"^{name}: expected"):
        call(bad)


@pytest.mark.parametrize(
    "call",
    [
        lambda: sinefit.optimum([1, np.nan, 3, 4, 5], [1, 2, 3, 4, 5]),
        lambda: sinefit.optimum([1, 2, 3, 4, 5], [1, 2, 3, 4, np.inf]),
        lambda: sinefit.optimum([1, 2, 3, 4, 5], [1, 2, 3, 4]),
        lambda: sinefit.optimum([1, 2, 3], [1, 2, 3]),
        lambda: sinefit.optimum(X, Y, degree=-1),
        lambda: sinefit.optimum(X, Y, degree=1.5),
        lambda: sinefit.data(1),
        lambda: sinefit.data(2.5),
        lambda: sinefit.predict(learning_rate=0),
        lambda: sinefit.predict(learning_rate=np.nan),
        lambda: sinefit.predict(learning_rate="1e-6"),
        lambda: sinefit.predict(steps=0),
        lambda: sinefit.predict(start=(1, 2, 3)),
        lambda: sinefit.predict(start=(1, 2, 3, np.nan)),
        lambda: sinefit.check(*run(), rtol=0),
        lambda: sinefit.plot_fit(X, Y, Y[:-1]),
        lambda: sinefit.plot_fit(X, Y, {"short": Y[:-1]}),
    ],
)
def test_values_out_of_range_are_named(call):
    with pytest.raises(ValueError, match=r"^\w+: expected .+, got "):
        call()


def test_plots_draw_what_they_are_given(monkeypatch):
    monkeypatch.setattr(plt, "show", lambda: None)
    plt.close("all")
    sinefit.plot_fit(X, Y, {"a": Y, "b": list(Y)})
    assert [line.get_label() for line in plt.gca().lines] == [
        "sin(x)",
        "a",
        "b",
    ]
    plt.close("all")
    sinefit.plot_losses(run()[0])
    loss, floor = plt.gca().lines
    np.testing.assert_array_equal(loss.get_ydata(), run()[0])
    assert floor.get_ydata()[0] == pytest.approx(8.81716541)
    assert plt.gca().get_yscale() == "log"
    plt.close("all")


def test_plots_draw_a_run_that_diverged(monkeypatch):
    monkeypatch.setattr(plt, "show", plt.draw)
    plt.close("all")
    sinefit.plot_fit(X, Y, {"huge": Y * 1e300, "nan": Y * np.nan})
    plt.close("all")
    sinefit.plot_losses(run(learning_rate=-1e-6)[0])
    assert plt.gca().lines[0].get_ydata().size == 2000
    plt.close("all")


def test_loop_diff_shows_what_changed():
    diff = sinefit.loop_diff("01_numpy", "02_tensors")
    assert "-    losses.append(loss)\n+    losses.append(loss.item())" in diff
    assert diff._repr_markdown_() == f"```diff\n{diff}\n```"


def test_loop_diff_needs_a_loop_in_each(tmp_path, monkeypatch):
    monkeypatch.setattr(sinefit, "__file__", str(tmp_path / "sinefit.py"))
    (tmp_path / "empty.ipynb").write_text('{"cells": []}')
    with pytest.raises(ValueError, match="expected one loop in each"):
        sinefit.loop_diff("empty", "empty")
