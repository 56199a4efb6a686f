"""The helper module: its theory, its check, its words for bad input."""

import re

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import sinefit
from reference import descend

X, Y = sinefit.data()
LOSSES, WEIGHTS = descend()
STEPS = np.arange(2000)
numbers = st.floats(-10, 10, width=32)


def test_start_is_the_same_number_in_both_precisions():
    single = np.array(sinefit.START, dtype=np.float32)
    assert (single.astype(np.float64) == sinefit.START).all()
    assert (single != 0).all()


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


@pytest.mark.parametrize("bad", [None, 1, "ab", [1j], [1, "2"], ()])
def test_what_is_no_row_of_numbers_is_named(bad):
    error = ValueError if bad == () else TypeError
    for name, call in (
        ("losses", lambda: sinefit.check(bad, sinefit.START)),
        ("weights", lambda: sinefit.check(LOSSES, bad)),
        ("y", lambda: sinefit.plot_fit(X, bad, Y)),
    ):
        with pytest.raises(error, match=f"^{name}: expected"):
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


def test_the_last_weights_are_held_as_closely_as_the_losses():
    for k in range(4):
        with pytest.raises(AssertionError, match="the weights not"):
            sinefit.check(LOSSES, WEIGHTS + 1e-11 * np.eye(4)[k])


@pytest.mark.parametrize("losses", [LOSSES, descend(-1e-6)[0]])
def test_plot_run_draws_the_fit_and_the_losses_over_the_floor(losses, figure):
    sinefit.plot_run(X, Y, Y / 2, losses)
    left, right = plt.gcf().axes
    np.testing.assert_array_equal(left.lines[1].get_ydata(), Y / 2)
    loss, floor = right.lines
    np.testing.assert_array_equal(loss.get_ydata(), losses.clip(max=1e9))
    assert floor.get_ydata()[0] == pytest.approx(8.81716541)
    assert right.get_yscale() == "log"


class Leaf:
    """Something that is squared."""

    name, value, grad, parents = "a", 3.0, 6.0, ()


class Square:
    """Its square."""

    name, value, grad = "sq", 9.0, 1.0
    parents = ((Leaf, None), (Leaf, None))


PATH = {"way": [[0.0, 0.0], [1.0, 1.0]]}


@pytest.mark.parametrize(
    ("lines", "texts", "call"),
    [
        (1, [], lambda: sinefit.plot_losses(LOSSES, above_floor=True)),
        (9, [], lambda: sinefit.plot_bowl([2, 1], np.eye(2), PATH)),
        (9, [], lambda: sinefit.plot_bowl([2, 1], np.eye(2), PATH, half=3)),
        (
            0,
            ["", "", "sq", "9.000", "1.000", "a", "3.000", "6.000"],
            lambda: sinefit.plot_graph(Square),
        ),
        (
            0,
            ["row", "2000", "column", "2000\N{MULTIPLICATION SIGN}1"],
            lambda: sinefit.plot_shapes({"row": (2000,), "column": (2000, 1)}),
        ),
        (
            4,
            ["model", "e  ()", "inner", "weights  (4,)", "bias  (1,)"],
            lambda: sinefit.plot_tree(
                {"e": (), "inner.weights": (4,), "inner.bias": (1,)}
            ),
        ),
    ],
)
def test_a_plot_draws_its_lines_and_texts(lines, texts, call, figure):
    """Where they stand, the chapters' stored pictures hold."""
    call()
    assert len(plt.gca().lines) == lines
    assert [text.get_text() for text in plt.gca().texts] == texts


def test_loop_diff_shows_what_changed():
    diff = sinefit.loop_diff("01_numpy", "02_tensors")
    assert "-    losses.append(loss)\n+    losses.append(loss.item())" in diff
    assert diff._repr_markdown_() == f"```diff\n{diff}\n```"


def test_a_listing_is_the_code_in_its_colours():
    code = sinefit.listing(sinefit.listing)
    assert code.startswith("def listing(*functions):")
    assert code._repr_markdown_() == f"```python\n{code}\n```"


def many_runs(shift):
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
    spoilt = many_runs(0)
    spoilt[0][1, 7] = np.nan
    for runs in (many_runs(5.1), many_runs(-5.1), spoilt):
        with pytest.raises(AssertionError, match="step 1: the mean of 100"):
            sinefit.check_mean(*runs)


@pytest.mark.parametrize("rtol", [1e-12, 1e-4])
def test_the_check_prints_no_more_digits_than_it_checks(rtol, capsys):
    losses, weights = sinefit.predict()
    said = set()
    for factor in (1 - 0.9 * rtol, 1, 1 + 0.9 * rtol):
        sinefit.check(losses * factor, weights, rtol=rtol)
        lines = capsys.readouterr().out.splitlines()
        said.add(tuple(line for line in lines if "difference" not in line))
    assert len(said) == 1
