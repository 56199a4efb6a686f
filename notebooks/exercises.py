"""Checks of the exercises: each says in a sentence what is not right yet.

Answers may be numbers, arrays or tensors. NumPy computes what is expected;
torch is imported for chapter 4's own functions alone.
"""

import numpy as np

import sinefit


class NotYet(AssertionError):
    """An answer is missing or wrong. Jupyter shows the sentence alone."""

    def _render_traceback_(self):
        return [str(self)]


def check(exercise, *answers):
    """Print that the answers to an exercise are right, or raise NotYet.

    exercise: its name, like "1.2"; answers: the values it asks for, in order.
    An answer of dots, ..., stands for one that has not been written yet.
    """
    if exercise not in CHECKS:
        raise ValueError(f"expected one of {[*CHECKS]}, got {exercise!r}")
    try:
        for answer in answers:
            _need(
                answer is not ...,
                "nothing to check yet. Put your code in place of the dots "
                "above, run that cell, then this one.",
            )
        CHECKS[exercise](*answers)
    except NotYet as wrong:
        raise NotYet(f"Exercise {exercise}: {wrong}") from None
    except Exception as error:
        words = f"this answer is of no use to the check: {error}."
        raise NotYet(f"Exercise {exercise}: {words}") from error
    print(f"Exercise {exercise}: right.")


def _need(condition, otherwise):
    if not condition:
        raise NotYet(otherwise)


def _plain(value):
    return float(value.item() if hasattr(value, "item") else value)


def _number(name, value):
    try:
        return _plain(value)
    except (TypeError, ValueError, RuntimeError):
        got = type(value).__name__
        raise NotYet(f"{name}: expected one number, got {got}.") from None


def _near(value, expected, rtol=1e-6):
    return abs(value - expected) <= rtol * abs(expected)


def _losses(name, values, at_least):
    try:
        losses = np.array([_plain(value) for value in values])
    except (TypeError, ValueError, RuntimeError):
        got = type(values).__name__
        raise NotYet(
            f"{name}: expected a list of losses, got {got}."
        ) from None
    _need(
        losses.size >= at_least,
        f"{name}: expected {at_least} losses or more, got {losses.size}. "
        "Append one at each step.",
    )
    _need(
        _near(losses[0], sinefit.predict()[0][0]),
        f"{name}: the first loss is {losses[0]:.6g}, and not that of the "
        "book's start. Set the start in the same cell.",
    )
    return losses


def _message(text, words, otherwise):
    _need(
        isinstance(text, str),
        f"message: expected text, got {type(text).__name__}: str(error).",
    )
    _need(words in text, otherwise)


def _descend(rate, momentum=0, start=sinefit.START, slopes=None, steps=2000):
    """Return the losses before each update, then the one after the last.

    slopes: the columns that the gradient takes in place of the powers of x.
    """
    x, y = sinefit.data()
    V = np.vander(x, len(start), increasing=True)
    slopes = V if slopes is None else slopes(V)
    weights, velocity, losses = np.array(start, float), 0, []
    for _ in range(steps):
        error = V @ weights - y
        losses.append(error @ error)
        velocity = momentum * velocity + 2 * error @ slopes
        weights -= rate * velocity
    return np.array([*losses, np.square(V @ weights - y).sum()])


def _eigenvalues(degree=3):
    V = np.vander(sinefit.data()[0], degree + 1, increasing=True)
    return np.linalg.eigvalsh(2 * V.T @ V)


def _arrives(losses):
    return int(np.argmax(losses - sinefit.optimum(*sinefit.data())[1] < 1e-3))


def exercise_1_1(arrived):
    """Check steps until the loss is within 0.001 of the floor."""
    losses, _ = sinefit.predict(steps=5000)
    arrived, first = _number("arrived", arrived), _arrives(losses)
    _need(arrived >= first, "arrived: too early, the loss is not there yet.")
    _need(arrived == first, "arrived: the loss has been there before.")


def exercise_1_2(best_rate, arrived):
    """Check the best learning rate, and the steps that it takes."""
    eigenvalues = _eigenvalues()
    rate = 2 / (eigenvalues[0] + eigenvalues[-1])
    _need(
        _near(_number("best_rate", best_rate), rate),
        "best_rate: this is not 2 over the sum of the two eigenvalues.",
    )
    _need(
        _number("arrived", arrived) == _arrives(sinefit.predict(rate)[0]),
        "arrived: the run at best_rate is within 0.001 at another step; "
        "count the losses as in the first exercise.",
    )


def exercise_1_3(broken):
    """Check a run whose gradient of b lacks its factor."""

    def without_x(V):
        return np.stack([V[:, 0], V[:, 0], V[:, 2], V[:, 3]], axis=1)

    broken = _losses("broken", broken, 2)
    _need(
        not _near(broken[1], sinefit.predict()[0][1]),
        "broken: these are the losses of the right gradient.",
    )
    _need(
        _near(broken[1], _descend(1e-6, slopes=without_x, steps=1)[1]),
        "broken: another thing is broken as well, or instead; change the "
        "gradient of b alone.",
    )


def exercise_2_1(shape, kind, plain):
    """Check what a weight is that was taken out of a tensor of four."""
    _need(
        isinstance(shape, tuple) and not isinstance(kind, str),
        "give the three things themselves: a shape, a dtype, a type.",
    )
    _need(
        len(shape) == 0,
        f"shape: {tuple(shape)} has {len(shape)} axes. How many are left of "
        "one when you take a single number from it?",
    )
    _need(
        str(kind) == "torch.float64",
        f"kind: not {kind}. Look at the cell that makes the start.",
    )
    _need(plain is float, "plain: .item() makes a number that Python has.")


def exercise_2_2(message):
    """Check what the check advises for a run in float32."""
    _message(
        message,
        "rtol=1e-4",
        "message: another mistake speaks here. Hand over losses32 and w32, "
        "and no rtol.",
    )


def exercise_2_3(message):
    """Check an update of whole numbers."""
    _message(
        message,
        "can't be cast",
        "message: this is another error. Start from whole numbers, and take "
        "a fraction away from one of them in place.",
    )


def exercise_3_1(gradient):
    """Check what two backward calls leave."""
    gradient = _number("gradient", gradient)
    _need(gradient != 1, "gradient: so much comes from one backward().")
    _need(gradient == 2, f"gradient: not {gradient:g}. Which slope has w**2?")


def exercise_3_2(loss):
    """Check the loss after 2000 steps with friction."""
    loss = _number("loss", loss)
    _need(
        not any(_near(loss, end) for end in _descend(1e-6, 1)[-2:]),
        "loss: this run swings without friction.",
    )
    _need(
        _near(loss, _descend(1e-6, 0.9)[-1], 1e-5),
        f"loss: {loss:.4f} is not where the run ends that keeps 0.9 of its "
        "velocity, from the book's start, after 2000 steps.",
    )


def exercise_3_3(message):
    """Check backward, twice through one graph."""
    _message(
        message,
        "backward through the graph a second time",
        "message: this is another error. Compute one loss, and call its "
        "backward() two times.",
    )


def exercise_4_1(ratio):
    """Check the last loss with both signs turned, over that without."""
    ratio = _number("ratio", ratio)
    _need(ratio > 0, "ratio: a sum of squares is never negative.")
    _need(
        _near(ratio, 1),
        "ratio: what does P3 do when the sign of its argument turns? And "
        "what does b do to that?",
    )


def exercise_4_2(ends):
    """Check the last losses of two runs with a small learning rate."""
    _need(
        len(ends) == 2, f"ends: expected two losses, got {len(ends)} of them."
    )
    ends = [_number("ends", end) for end in ends]
    first, second = (
        sinefit.predict_legendre(5e-7, start)[0][-1]
        for start in ((0, -1, 0, 0.5), (0, -1, 0, 0.3))
    )
    _need(
        not _near(ends[0], second),
        "ends: the start that blew up comes first, then the chapter's own.",
    )
    _need(
        _near(ends[0], first) and _near(ends[1], second),
        f"ends: {ends[0]:.4g} and {ends[1]:.4g} come from another learning "
        "rate or another start.",
    )


def exercise_4_3(function, spoilt):
    """Check a Function of one's own, and one with a wrong backward."""
    import torch

    z = torch.linspace(-1, 1, 5, dtype=torch.float64, requires_grad=True)
    _need(
        isinstance(function, type) and isinstance(spoilt, type),
        "give the two classes themselves, without parentheses.",
    )
    values = np.polynomial.Legendre.basis(2)(z.detach().numpy())
    for cls in (function, spoilt):
        _need(
            np.allclose(cls.apply(z).detach().numpy(), values),
            f"{cls.__name__}: forward gives other values than P2.",
        )
    passed, told = (
        torch.autograd.gradcheck(cls.apply, z, raise_exception=False)
        for cls in (function, spoilt)
    )
    _need(passed, f"{function.__name__}: gradcheck finds its backward wrong.")
    _need(not told, f"{spoilt.__name__}: gradcheck finds its backward right.")


def exercise_5_1(numbers, degree):
    """Check what a layer of seven inputs learns."""
    _need(
        _number("numbers", numbers) != 7,
        "numbers: these are the weights. What else does a layer learn?",
    )
    _need(numbers == 8, "numbers: list the layer's parameters, and count.")
    _need(
        _number("degree", degree) == 7,
        "degree: which is the highest power that goes in?",
    )


def exercise_5_2(linear, loss):
    """Check a layer on four powers, without a bias."""
    _need(
        getattr(linear, "in_features", 0) == 4,
        "linear: expected a layer with four inputs, one for each power.",
    )
    _need(linear.bias is None, "linear: it still has a bias of its own.")
    _need(
        _near(_number("loss", loss), sinefit.predict()[0][0]),
        "loss: not the first one of this page. Does each weight meet its "
        "power, and the prediction the shape of y?",
    )


def exercise_5_3(piled):
    """Check a run whose gradients pile up."""
    piled = _losses("piled", piled, 3)
    _need(
        not _near(piled[2], sinefit.predict()[0][2]),
        "piled: these gradients are zeroed at each step.",
    )
    _need(
        _near(piled[2], _descend(1e-6, 1, steps=2)[2]),
        "piled: gradients do not only pile up here; change nothing but the "
        "place of zero_grad().",
    )


def exercise_6_1(left):
    """Check what is left of a swing after 2000 steps with momentum 0.999."""
    left = _number("left", left)
    _need(
        not _near(left, 0.999**2000, 0.01),
        "left: so little would be left if the width shrank by the momentum "
        "itself. It shrinks by its root.",
    )
    _need(
        _near(left, np.sqrt(0.999) ** 2000, 0.02),
        "left: take the factor of one step to the power of all of them.",
    )


def exercise_6_2(rate, beta, arrived):
    """Check the best rate and momentum for the cubic, and their run."""
    flat, steep = np.sqrt(_eigenvalues()[[0, -1]])
    best = (2 / (flat + steep)) ** 2, ((steep - flat) / (flat + steep)) ** 2
    _need(
        not _near(_number("rate", rate), 2 / (flat + steep)),
        "rate: this is its root.",
    )
    _need(
        _near(rate, best[0]),
        "rate: does it take the roots of chapter 1's "
        "eigenvalues, the smallest and the largest?",
    )
    _need(
        _near(_number("beta", beta), best[1]),
        "beta: the formula gives another one. Is it squared?",
    )
    _need(
        _number("arrived", arrived) == _arrives(_descend(*best, steps=300)),
        "arrived: the run with these two is within 0.001 at another step.",
    )


def exercise_6_3(stuck):
    """Check a loop that steps before it has a gradient."""
    stuck = _losses("stuck", stuck, 3)
    _need(
        np.ptp(stuck) == 0,
        "stuck: these losses move. Let zero_grad() come first, and step() "
        "before backward().",
    )


def exercise_7_1(count):
    """Check the numbers that a module with a shared weight learns."""
    count = _number("count", count)
    _need(count <= 5, "count: a weight that is used twice is learned once.")
    _need(count == 5, "count: the numbers, not the names; both modules'.")


def exercise_7_2(limit, losses5):
    """Check a fit of degree 5 at half of its largest stable learning rate."""
    stable = 2 / _eigenvalues(5)[-1]
    _need(
        _near(_number("limit", limit), stable),
        "limit: this is not 2 over the largest eigenvalue for six powers.",
    )
    expected = _descend(stable / 2, start=[0] * 6)
    _need(len(losses5) == 2000, f"losses5: {len(losses5)} losses, not 2000.")
    _need(
        _near(_number("losses5", losses5[-1]), expected[1999]),
        f"losses5: the run ends at {losses5[-1]:.4g}, which half the limit "
        "does not, from zeros.",
    )


def exercise_7_3(message):
    """Check what polynomial.fit says of a learning rate that is too large."""
    _message(
        message,
        "inf at step",
        "message: fit says another thing when the loss leaves all bounds.",
    )


CHECKS = {  # by the names of the exercises, chapter.number
    name.removeprefix("exercise_").replace("_", "."): function
    for name, function in list(globals().items())
    if name.startswith("exercise_")
}
