"""Checks of the exercises: each says in a sentence what is not right yet.

Answers may be numbers, arrays or tensors. NumPy computes what is expected;
torch is imported only where the answer is made of it.
"""

import functools

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
        remark = CHECKS[exercise](*answers)
    except NotYet as wrong:
        raise NotYet(f"Exercise {exercise}: {wrong}") from None
    except Exception as error:
        words = f"trying it gives {type(error).__name__}: {error}."
        raise NotYet(f"Exercise {exercise}: {words}") from error
    print(f"Exercise {exercise}: right. {remark or ''}".rstrip())


def _guessed(answer, guess):
    return f"It is {answer:g}; you guessed {guess:g}."


def _need(condition, otherwise):
    if not condition:
        raise NotYet(otherwise)


def _plain(value):
    if isinstance(value, str):
        raise TypeError("text is no number, though float() may read it")
    return float(value.item() if hasattr(value, "item") else value)


def _number(name, value):
    try:
        return _plain(value)
    except (TypeError, ValueError, RuntimeError):
        got = type(value).__name__
        raise NotYet(f"{name}: expected one number, got {got}.") from None


def _row(name, values, size):
    """Return so many numbers of a list or array, or say what came instead."""
    try:
        row = [_plain(value) for value in values]
    except (TypeError, ValueError, RuntimeError):
        wanted = f"{name}: expected a list of {size} numbers"
        raise NotYet(f"{wanted}, got {_kind(values)}.") from None
    _need(
        len(row) == size, f"{name}: expected {size} numbers, got {len(row)}."
    )
    return row


def _kind(values):
    """Name the type of a value, and of what it holds."""
    try:
        return f"{type(values).__name__} of {type(values[0]).__name__}"
    except Exception:
        return type(values).__name__


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


@functools.cache
def _legendre(rate, start):
    """Return what NumPy expects of chapter 4's model."""
    return sinefit.predict_legendre(rate, start)


def _eigenvalues(degree=3):
    V = np.vander(sinefit.data()[0], degree + 1, increasing=True)
    return np.linalg.eigvalsh(2 * V.T @ V)


def _arrives(losses):
    return int(np.argmax(losses - sinefit.optimum(*sinefit.data())[1] < 1e-3))


def exercise_1_1(guess, arrived):
    """Check steps until the loss is within 0.001 of the floor."""
    guess = _number("guess", guess)
    losses, _ = sinefit.predict(steps=5000)
    arrived, first = _number("arrived", arrived), _arrives(losses)
    _need(
        arrived != 0,
        "arrived: 0 is also what argmax gives when it finds nothing. Does the "
        "table go far enough, and did you take the floor away?",
    )
    _need(arrived >= first, "arrived: too early, the loss is not there yet.")
    _need(arrived == first, "arrived: the loss has been there before.")
    return _guessed(arrived, guess)


def exercise_1_2(best_rate, first):
    """Check the best learning rate, and the steps that it takes."""
    eigenvalues = _eigenvalues()
    rate = 2 / (eigenvalues[0] + eigenvalues[-1])
    _need(
        _near(_number("best_rate", best_rate), rate, 1e-4),
        "best_rate: here the steepest and the flattest axis are not equally "
        "slow. Does it take both of their eigenvalues?",
    )
    run, _ = sinefit.predict(_plain(best_rate))
    _need(
        _number("first", first) == _arrives(run),
        "first: the run at best_rate is within 0.001 at another step. Find "
        "the first loss so near the floor.",
    )
    return (
        "Others arrive earlier: try 0.99 of the limit. This one overtakes "
        "it so near the floor that no float can tell the two apart."
    )


def exercise_1_3(broken, falls):
    """Check a run whose gradient of b lacks its factor."""

    def without_x(V):
        return np.stack([V[:, 0], V[:, 0], V[:, 2], V[:, 3]], axis=1)

    broken = _losses("broken", broken, 2)
    _need(
        broken.size == 2000,
        f"broken: expected 2000 losses, got {broken.size}. Start from an "
        "empty list, and append one at each step.",
    )
    expected = _descend(1e-6, slopes=without_x)[:2000]
    _need(
        not _near(broken[1], sinefit.predict()[0][1]),
        "broken: these are the losses of the right gradient.",
    )
    _need(
        np.allclose(broken, expected, rtol=1e-6),
        "broken: another thing is broken as well, or instead; change the "
        "gradient of b alone.",
    )
    _need(
        _number("falls", falls) == (np.diff(expected) < 0).sum(),
        "falls: compare each loss with the one before it, and count.",
    )
    return "A falling loss proves little; a finite difference shows the slip."


def exercise_2_1(guess, kinds):
    """Check the types of three products, and how many were guessed."""
    for name, row in {"guess": guess, "kinds": kinds}.items():
        _need(
            isinstance(row, (list, tuple)) and len(row) == 3,
            f"{name}: expected a list of three dtypes.",
        )
        for kind in row:
            _need(
                str(kind).startswith("torch."),
                f"{name}: expected dtypes like torch.float64, got {kind!r}.",
            )
    expected = ["torch.float32", "torch.float32", "torch.float64"]
    _need(
        [*map(str, kinds)] == expected,
        "kinds: PyTorch says otherwise. Is v a vector of float32? Multiply, "
        "then look at .dtype.",
    )
    hits = sum(map(str.__eq__, map(str, guess), expected))
    return (
        f"You guessed {hits} of the three. A single float does not widen a "
        "vector of floats; another vector does."
    )


def exercise_2_2(errors):
    """Check the errors of a finite difference in float32."""
    errors = np.abs(_row("errors", errors, 6))
    _need(
        errors[0] < 1e-4,
        f"errors: the first, {errors[0]:.2g}, is too large. Is it relative, "
        "is w the book's start? Do you step both ways, and divide by twice "
        "the step?",
    )
    # In float32 the loss, 1521, moves by 1.2e-4 or not at all.
    _need(
        errors[-1] > 0.015,
        "errors: the last is too small for float32. Are x, y and the weights "
        "all in float32?",
    )
    _need(
        errors[-1] < 10 and errors[2] < 1e-3,
        "errors: larger than rounding makes them. Is each step a tenth of "
        "the one before?",
    )
    return "The smaller the step, the fewer digits of the loss it changes."


def exercise_2_3(message):
    """Check an update of whole numbers."""
    _message(
        message,
        "can't be cast",
        "message: this is another error. Start from whole numbers, and take "
        "a fraction away from one of them in place.",
    )
    return "Long is int64, which has no room for a fraction."


def exercise_3_1(guess, gradient):
    """Check what two backward calls leave."""
    guess = _number("guess", guess)
    gradient = _number("gradient", gradient)
    _need(gradient != 1, "gradient: that is what one backward() gives.")
    _need(
        gradient == 2,
        f"gradient: not {gradient:g}. Take a new weight, and call backward() "
        "on its square twice, computed anew each time.",
    )
    return _guessed(gradient, guess)


def exercise_3_2(arrived):
    """Check the step at which a ball with friction is near the floor."""
    arrived, first = _number("arrived", arrived), _arrives(_descend(1e-6, 0.9))
    _need(
        arrived > 0,
        "arrived: not at the start. argmax gives 0 when it finds nothing. "
        "Does the whole gradient join what is kept of the velocity?",
    )
    _need(
        arrived != _arrives(sinefit.predict(steps=5000)[0]),
        "arrived: that is how long it takes without momentum.",
    )
    _need(
        arrived == first,
        f"arrived: not at step {arrived:g}. Start anew, keep 0.9 of the "
        "velocity before you add the gradient, record each loss before the "
        "update, and take the first that is less than 0.001 above the floor.",
    )


def exercise_3_3(message):
    """Check backward, twice through one graph."""
    _message(
        message,
        "backward through the graph a second time",
        "message: this is another error. Compute one loss, and call its "
        "backward() two times.",
    )
    return "Compute the loss again; PyTorch's retain_graph is seldom needed."


def exercise_4_1(guess, ends):
    """Check the last losses of two runs, within and past the limit."""
    guess = _number("guess", guess)
    _need(guess in (5e-7, 3e-6), "guess: one of the two rates, 5e-7 or 3e-6.")
    ends = _row("ends", ends, 2)
    within, past = (
        _legendre(rate, (0, -1, 0, 0.5))[0][-1] for rate in (5e-7, 3e-6)
    )
    _need(
        not (_near(ends[0], past, 0.01) and _near(ends[1], within, 0.01)),
        "ends: the other way round; the rate of 5e-7 comes first.",
    )
    _need(
        _near(ends[0], within, 5e-3) and _near(ends[1], past, 5e-3),
        f"ends: {ends[0]:.4g} and {ends[1]:.4g} come from another learning "
        "rate, another start, or another number of steps.",
    )
    expected = "this" if guess == 3e-6 else "otherwise"
    return (
        f"You expected {expected}. The limit is that of the start alone: the "
        "first step leads to where it is far higher."
    )


def exercise_4_2(end, limit):
    """Check where a run at a small rate stalls, and the limit there."""
    start = (0, 0.5, 0.6, 0.1)
    losses, _ = _legendre(1e-6, start)
    end, limit = _number("end", end), _number("limit", limit)
    _need(
        not _near(end, _legendre(5e-6, start)[0][-1], 5e-3),
        "end: this is where the page's own rate ends.",
    )
    _need(
        _near(end, losses[-1], 1e-3),
        f"end: {end:.4g} comes from another rate, start or number of steps.",
    )
    _need(
        not _near(limit, 1.095e-4, 0.05),
        "limit: that is the limit at the start.",
    )
    _need(
        _near(limit, 8.099e-6, 5e-3),
        f"limit: {limit:.3g} is that of another place, or of another run. "
        "Which row of the path is the last, and which column is this start?",
    )
    return "It stalls within its limit: what holds it is c."


def exercise_4_3(function, spoilt):
    """Check a Function of one's own, and one with a wrong backward."""
    import torch

    z = torch.linspace(-1, 1, 5, dtype=torch.float64, requires_grad=True)
    for cls in (function, spoilt):
        _need(
            isinstance(cls, type) and issubclass(cls, torch.autograd.Function),
            "give two classes made from torch.autograd.Function, the classes "
            "themselves, without parentheses.",
        )
        values = np.polynomial.Legendre.basis(2)(z.detach().numpy())
        _need(
            np.allclose(cls.apply(z).detach().numpy(), values),
            f"{cls.__name__}: forward gives other values than P2.",
        )
    once, twice = (
        torch.autograd.grad(factor * function.apply(z).sum(), z)[0]
        for factor in (1, 2)
    )
    _need(
        torch.allclose(2 * once, twice),
        f"{function.__name__}: twice the loss gives the same gradient. Does "
        "its backward multiply by grad_output?",
    )
    passed, told = (
        torch.autograd.gradcheck(cls.apply, z, raise_exception=False)
        for cls in (function, spoilt)
    )
    _need(passed, f"{function.__name__}: gradcheck finds its backward wrong.")
    _need(not told, f"{spoilt.__name__}: gradcheck finds its backward right.")


def exercise_5_1(guess, count, degree):
    """Check what a layer of seven inputs learns."""
    guess, count = _number("guess", guess), _number("count", count)
    _need(count != 7, "count: these are the weights. What else does it learn?")
    _need(
        count == 8,
        f"count: not {count:g}. Add up the numbers in the layer's parameters, "
        "each of which is a tensor.",
    )
    _need(
        _number("degree", degree) == 7,
        "degree: which is the highest power that goes in?",
    )
    return _guessed(count, guess)


def exercise_5_2(linear, loss):
    """Check a layer on four powers, without a bias."""
    _need(
        getattr(linear, "in_features", 0) == 4,
        "linear: expected a layer with four inputs, one for each power.",
    )
    _need(linear.bias is None, "linear: it still has a bias of its own.")
    weight = _row("linear.weight", linear.weight.flatten(), 4)
    _need(
        np.allclose(weight, sinefit.START, rtol=1e-12, atol=0),
        f"linear: its weights are {weight}, not the start.",
    )
    _need(
        str(linear.weight.dtype) == "torch.float64",
        f"linear: expected float64, got {linear.weight.dtype}.",
    )
    _need(
        _near(_number("loss", loss), sinefit.predict()[0][0]),
        "loss: not the first one of this page. Does each weight meet its "
        "power, has the prediction the shape of y, is it the sum?",
    )


def exercise_5_3(message):
    """Check an update whose gradients have just been zeroed."""
    _message(
        message,
        "'NoneType'",
        "message: this is another error. Change nothing but the place of "
        "zero_grad().",
    )
    return "zero_grad() had set the gradient to None before it was used."


def exercise_6_1(guess, fastest, arrived):
    """Check which of four rates brings Adam to the floor first."""
    rates = (1e-3, 3e-3, 1e-2, 3e-2)
    guess, fastest = _number("guess", guess), _number("fastest", fastest)
    for name, one in {"guess": guess, "fastest": fastest}.items():
        _need(
            any(_near(one, known) for known in rates),
            f"{name}: one of {rates}.",
        )
    _need(_near(fastest, 3e-2), "fastest: another one arrives earlier.")
    _need(
        _number("arrived", arrived) == 117,
        "arrived: this rate is first within 0.001 at another step. Start each "
        "run anew, and record each loss before the step.",
    )
    return "You expected " + ("this." if _near(guess, fastest) else "another.")


def exercise_6_2(rate, beta, first):
    """Check the best rate and momentum for the cubic, and their run."""
    flat, steep = np.sqrt(_eigenvalues()[[0, -1]])
    best = (2 / (flat + steep)) ** 2, ((steep - flat) / (flat + steep)) ** 2
    _need(
        not _near(_number("rate", rate), 2 / (flat + steep)),
        "rate: this is its root.",
    )
    _need(
        not _near(rate, best[1]),
        "rate: you have swapped rate and beta.",
    )
    _need(
        _near(rate, best[0]),
        "rate: does it take the roots of the cubic's eigenvalues, the smallest"
        f" and the largest? They are {flat**2:.1f} and {steep**2:.1f}.",
    )
    _need(
        _near(_number("beta", beta), best[1]),
        "beta: the formula gives another one. Is it squared?",
    )
    _need(
        _number("first", first) == _arrives(_descend(*best, steps=300)),
        "first: the run with these two is within 0.001 at another step.",
    )


def exercise_6_3(stuck, optimizer):
    """Check a loop that steps before it has a gradient."""
    stuck = _losses("stuck", stuck, 3)
    _need(
        np.ptp(stuck) == 0,
        "stuck: these losses move. Let zero_grad() come first, and step() "
        "before backward().",
    )
    held = [p for group in optimizer.param_groups for p in group["params"]]
    _need(
        any(p.grad is not None for p in held),
        "optimizer: no gradient ever came to what it holds. Are those the "
        "model's weights?",
    )
    return "step() found no gradients: backward() came too late."


def exercise_7_1(guess, count):
    """Check the numbers that a module with a shared weight learns."""
    guess, count = _number("guess", guess), _number("count", count)
    _need(
        count <= 5,
        f"count: {count:g} is too many. A weight that is used twice is "
        "learned once, and a buffer is not learned.",
    )
    _need(
        count == 5,
        f"count: {count:g} is too few. Add up numbers, not tensors, and those "
        "of the cubic too.",
    )
    return _guessed(count, guess)


def exercise_7_2(legendre, run):
    """Check a module of four weights and a buffer, and its 20 losses."""
    import torch

    _need(
        isinstance(legendre, torch.nn.Module),
        "legendre: expected a module, made from your class.",
    )
    learned = sum(p.numel() for p in legendre.parameters())
    _need(learned == 4, f"legendre: it learns {learned} numbers, not four.")
    fixed = [b.flatten().tolist() for b in legendre.buffers()]
    _need(fixed, "legendre: its factors are no buffer. Register them.")
    roots = np.sqrt([1, 3, 5, 7])
    _need(
        any(len(b) == 4 and np.allclose(b, roots) for b in fixed),
        "legendre: the buffer does not hold the roots of 1, 3, 5 and 7.",
    )
    losses = _row("run", run, 20)
    x, y = sinefit.data()
    basis = np.polynomial.legendre.legvander(x / np.pi, 3) * roots
    weights, expected = np.zeros(4), []
    for _ in range(20):
        error = basis @ weights - y
        expected.append(error @ error)
        weights -= 2e-4 * 2 * error @ basis
    _need(
        _near(losses[0], expected[0]),
        f"run: it begins at {losses[0]:.6g}, not at {expected[0]:.6g}. Are "
        "the weights zero at first, is the loss the sum?",
    )
    _need(
        np.allclose(losses, expected, rtol=1e-6),
        f"run: it goes from {losses[0]:.6g} to {losses[1]:.6g}. Is the rate "
        "2e-4? Are the polynomials those of x over pi, each times its factor, "
        "all in float64?",
    )
    weight = next(legendre.parameters())
    y_pred = legendre(
        torch.tensor(x, dtype=weight.dtype, device=weight.device)
    )
    end = np.square(y_pred.detach().cpu().numpy() - y).sum()
    _need(
        _near(end, sinefit.optimum(x, y)[1], 1e-4),
        "legendre: it does not fit the sine. Is it the one that was fitted?",
    )
    return f"{run[0]:.1f} to {run[-1]:.4f} in 20 steps: the bowl is round."


def exercise_7_3(message):
    """Check what polynomial.fit says of a learning rate that is too large."""
    _message(
        message,
        "inf at step",
        "message: fit says another thing when the loss leaves all bounds.",
    )
    with np.errstate(all="ignore"):
        losses = _descend(1e-5, steps=400)
    step = int(message.partition("at step ")[2].split(":")[0])
    _need(
        step == np.argmin(np.isfinite(losses)),
        f"message: it did not give up at step {step} with the book's start, "
        "in float64, at 1e-5. Take a new cubic.",
    )


def _network_start():
    w, b = np.ones((8, 1)), -np.linspace(-np.pi, np.pi, 8)[:, None]
    return w, b, 0.0125 * np.array([[1.0], [-1.0]] * 4), 0.0


@functools.cache
def _network_end(units):
    """Return the loss of chapter 8's network, so wide, after 2000 steps."""
    return sinefit.predict_network(units)[0][-1]


def exercise_8_1(guess, count):
    """Check how few units have a lower loss than any cubic."""
    guess, count = _number("guess", guess), _number("count", count)
    floor = sinefit.optimum(*sinefit.data())[1]
    _need(
        count in range(1, 9),
        f"count: expected a whole number from 1 to 8, got {count:g}.",
    )
    _need(
        _network_end(int(count)) < floor,
        f"count: {count:g} end above the floor of the cubics. Start each "
        "network anew, and let it take 2000 steps.",
    )
    _need(
        count == 1 or _network_end(int(count) - 1) > floor,
        f"count: {count:g} are enough, but fewer are, too. Did you try every "
        "number, the odd ones as well?",
    )
    return f"{_guessed(count, guess)} A sine falls, rises and falls again."


@functools.cache
def _relu_losses():
    """Return the losses of chapter 8's network with ReLUs."""
    x, y = sinefit.data()
    w, b, v, c = _network_start()
    expected = []
    for _ in range(2000):
        inside = w * x + b
        error = (v * inside * (inside > 0)).sum(axis=0) + c - y
        expected.append(error @ error)
        slope = v * (inside > 0)
        both = inside * (inside > 0) @ error
        w = w - 2e-5 * (slope @ (x * error))[:, None]
        b = b - 2e-5 * (slope @ error)[:, None]
        v, c = v - 2e-5 * both[:, None], c - 2e-5 * error.sum()
    return np.array(expected)


def exercise_8_2(relu):
    """Check the losses of a network of ReLUs, by hand."""
    relu, expected = np.array(_row("relu", relu, 2000)), _relu_losses()
    _need(
        not _near(relu[0], sinefit.predict_network()[0][0]),
        "relu: the first loss is that of tanh.",
    )
    _need(
        _near(relu[0], expected[0]),
        f"relu: the first loss is {relu[0]:.6g}. Is the start the page's, and "
        "is each unit the larger of z and 0?",
    )
    off = np.abs(relu / expected - 1)
    first = np.argmax(off > 1e-9)
    _need(
        off.max() <= 1e-9,
        f"relu: loss {first} is off by {off[first]:.0e} of itself. Is "
        "the derivative 1 where z > 0 and 0 elsewhere, at z = 0 too? Do w and "
        "b both use it, in float64, at a rate of 1e-5?",
    )
    return f"It ends at {relu[-1]:.4f}, with corners where tanh is smooth."


@functools.cache
def _bounded_end():
    """Return the last loss of that network with a tanh at its end, too."""
    x, y = sinefit.data()
    w, b, v, c = _network_start()
    for _ in range(2000):
        unit = np.tanh(w * x + b)
        y_pred = np.tanh((v * unit).sum(axis=0) + c)
        error = y_pred - 2 * y
        end = error @ error
        back = 1e-4 * error * (1 - y_pred**2)
        slope = v * (1 - unit**2)
        w, b = (
            w - (slope @ (x * back))[:, None],
            b - (slope @ back)[:, None],
        )
        v, c = v - (unit @ back)[:, None], c - back.sum()
    return end


def exercise_8_3(stuck, lowest):
    """Check where a network ends whose output is bounded."""
    stuck, lowest = _number("stuck", stuck), _number("lowest", lowest)
    _, y = sinefit.data()
    floor = np.square(2 * y - (2 * y).clip(-1, 1)).sum()
    _need(
        not stuck < floor,
        "stuck: no curve between -1 and 1 has so low a loss. Is there a Tanh "
        "behind the last layer, and are the targets 2 sin(x)?",
    )
    _need(
        _near(stuck, _bounded_end(), 1e-3),
        f"stuck: {stuck:.5g} is the end of another run. Take the page's "
        "start, its rate, and 2000 steps.",
    )
    _need(
        _near(lowest, floor, 1e-3),
        f"lowest: not {lowest:.5g}. Where 2 sin(x) is beyond 1, the best such "
        "a curve can do is 1.",
    )
    return (
        f"The bound costs {floor:.1f}. The rest is mostly at the two ends, "
        "where the output is at 1 or -1 and next to no gradient comes back."
    )


@functools.cache
def _batch_end(size):
    """Return the loss that theory expects at the last step of batches."""
    return sinefit.predict_batches(size)[-1]


def exercise_9_1(guess, ends):
    """Check where a thousand runs in batches of 5 end, on average."""
    guess, ends = _number("guess", guess), np.array(_row("ends", ends, 1000))
    end = ends.mean()
    _need(
        not abs(end - _batch_end(20)) < 0.1,
        "ends: that is where batches of 20 end. Run batches of 5.",
    )
    _need(
        abs(end - _batch_end(5)) < 0.6 and ends.std() > 1,
        f"ends: their mean is {end:.4g}. These are not the losses of a "
        "thousand runs at the last step.",
    )
    return (
        f"{_guessed(float(f'{end:.4g}'), guess)} The noise of batches of 5 "
        f"lifts it by {_batch_end(5) - _batch_end(2000):.2g}, that of 20 by "
        f"{_batch_end(20) - _batch_end(2000):.2g}."
    )


def exercise_9_2(mine, error):
    """Check a fit to somebody's own data against the mean."""
    error = _number("error", error)
    try:
        mine = np.array([_plain(value) for value in mine])
    except (TypeError, ValueError, RuntimeError):
        raise NotYet(
            f"mine: expected a column of numbers, got {_kind(mine)}."
        ) from None
    _need(mine.size >= 20, f"mine: expected 20 or more, got {mine.size}.")
    n = mine.size * 3 // 4
    of_mean = np.sqrt(np.mean((mine[n:] - mine[:n].mean()) ** 2))
    _need(
        error > 0,
        "error: expected a number above 0, as train.py prints it.",
    )
    _need(
        error > 1e-4 * of_mean,
        f"error: {error:.4g} is too good to be what train.py prints.",
    )
    _need(
        error < 0.95 * of_mean,
        f"error: the mean of the first three quarters is off by {of_mean:.4g} "
        f"on the last, and your network by {error:.4g}: too near to be more "
        "than luck. Does x come round again? Then say after which --period. "
        "If not, such data may hold nothing that foretells their end: take "
        "others.",
    )
    return f"The mean is off by {of_mean:.4g}, your network by {error:.4g}."


@functools.cache
def _in_order():
    """Return the losses of the cubic with batches that are not drawn."""
    x, y = sinefit.data()
    V, w = np.vander(x, 4, increasing=True), np.array(sinefit.START)
    losses = []
    for t in range(2000):
        losses.append(np.square(V @ w - y).sum())
        some = slice(t % 100 * 20, t % 100 * 20 + 20)
        w = w - 2e-4 * (V[some] @ w - y[some]) @ V[some]
    return np.array(losses)


def exercise_9_3(in_order):
    """Check the losses of batches that are not shuffled."""
    losses, expected = _losses("in_order", in_order, 2000), _in_order()
    _need(
        losses.size == 2000,
        f"in_order: expected 2000 losses, got {losses.size}.",
    )
    off = np.abs(losses / expected - 1)
    first = np.argmax(~(off < 1e-6))
    _need(
        off[first] < 1e-6,
        f"in_order: loss {first} is {losses[first]:.6g}. Keep the loss over "
        "all 2000 points, before the step. Does step t take points 20 t to "
        "20 t + 19, and step 100 the first again, each gradient times 100?",
    )
    V = np.vander(sinefit.data()[0][:20], 4)
    steep = 200 * np.linalg.norm(V, 2) ** 2
    return (
        f"It was at {losses.max():.2g} on the way. The batches at the ends "
        f"are steep: the first has its limit at {2 / steep:.1e}, below the "
        "rate, so several steps in a row go up. Drawn at random, a batch has "
        "points from everywhere."
    )


def exercise_10_1(guess, last):
    """Check where four processes end whose rate is that of one."""
    guess, last = _number("guess", guess), _number("last", last)
    end = sinefit.predict(2.5e-7)[0][-1]
    _need(
        not _near(last, sinefit.predict()[0][-1]),
        "last: that is where one process ends, and four whose rate is "
        "multiplied. Give `averaged` the rate 1e-6.",
    )
    _need(
        not _near(last, sinefit.predict(5e-7)[0][-1]),
        "last: that is where two processes end. Give `averaged` four parts.",
    )
    _need(
        _near(last, end),
        f"last: {last:.6g} is not the last loss of four parts of one size at "
        "the rate 1e-6.",
    )
    return (
        f"{_guessed(float(f'{end:.4g}'), guess)} The average is a quarter of "
        "the sum: so little had one process done after 500 steps."
    )


def exercise_10_2(ends, best):
    """Check the last losses at a thousand rates, and the best of them."""
    ends, best = np.array(_row("ends", ends, 1000)), _number("best", best)
    rates = np.linspace(1e-7, 3.6e-6, 1000)
    V = np.vander(sinefit.data()[0], 4, increasing=True)
    bends, axes = np.linalg.eigh(2 * V.T @ V)
    weights, floor = sinefit.optimum(*sinefit.data())
    left = axes.T @ (sinefit.START - weights)
    shrunk = (1 - np.outer(rates, bends)) ** (2 * 1999)
    expected = floor + shrunk @ (bends * left**2) / 2
    off = np.abs(ends / expected - 1)
    first = np.argmax(~(off < 1e-6))
    _need(
        off[first] < 1e-6,
        f"ends: at the rate {rates[first]:.3g} the loss at the last step is "
        f"{expected[first]:.6g}, yours {ends[first]:.6g}. Are the rates those "
        "of the exercise, in float64, and is the floor added? Do you take "
        "1999 steps, from the book's start, before the last loss?",
    )
    lowest = rates[np.argmin(expected)]
    _need(
        _near(best, lowest),
        f"best: expected the rate with the lowest of ends, got {best:.6g}.",
    )
    return (
        f"The best is {lowest:.2e}, {lowest * bends[-1] / 2:.1%} of the "
        "limit. There the steepest direction swings and only just shrinks, "
        "and the flattest, which keeps you waiting, goes fastest."
    )


def exercise_10_3(lasts, most):
    """Check how many processes bear to have all points each."""
    lasts, most = _row("lasts", lasts, 3), _number("most", most)
    for count, last in zip((2, 3), lasts, strict=False):
        _need(
            _near(last, sinefit.predict(count * 1e-6)[0][-1]),
            f"lasts: of {count} processes it is {last:.6g}. Give each part "
            f"all 2000 points, and `averaged` the rate {count}e-6.",
        )
    _need(
        not abs(lasts[2]) < 1e9,
        f"lasts: of 4 processes it is {lasts[2]:.6g}. Give each of four parts "
        "all 2000 points, and `averaged` the rate 4e-6.",
    )
    _need(most < 4, f"most: {most:g} is too many. Look at lasts.")
    _need(
        most == 3,
        f"most: {most:g} is not the largest number whose last loss is small.",
    )
    V = np.vander(sinefit.data()[0], 4)
    limit = 1 / np.linalg.norm(V, 2) ** 2
    return (
        "The average of equal gradients is that of all points, so this is one "
        f"process at 2, 3 or 4 times the rate, and the limit is {limit:.2e}. "
        "Two and three end lower than the book: its rate is a small one."
    )


CHECKS = {  # by the names of the exercises, chapter.number
    name.removeprefix("exercise_").replace("_", "."): function
    for name, function in list(globals().items())
    if name.startswith("exercise_")
}
