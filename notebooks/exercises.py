"""Checks of the exercises: each says in a sentence what is not right yet.

Answers may be numbers, arrays or tensors. NumPy computes what is expected;
torch is imported only where the answer is made of it.

The check of exercise 1.2 is exercise_1_2. An annotation turns an answer into
what the check works with, or says what came instead. A check yields tables of
sentences, each with the slip that it is about, and last it may yield a remark.
"""

from functools import cache, partial
from inspect import signature

import numpy as np

import sinefit

X, Y = sinefit.data()
V = np.vander(X, 4, increasing=True)
EIGENVALUES, AXES = np.linalg.eigh(2 * V.T @ V)
BEST, FLOOR = sinefit.optimum(X, Y)
LIMIT = 2 / EIGENVALUES[-1]
LOSSES = sinefit.predict(steps=5000)[0]  # the book's, and how they go on


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
    function, remark = CHECKS[exercise], ""
    dots = (
        "nothing to check yet. Put your code in place of the dots above, run "
        "that cell, then this one."
    )
    try:
        _refuse({dots: any(answer is ... for answer in answers)})
        given = signature(function).bind(*answers).arguments
        for name, convert in function.__annotations__.items():
            given[name] = convert(name, given[name])
        for found in function(**given):
            if isinstance(found, str):
                remark = found
            else:
                _refuse(found)
    except NotYet as wrong:
        raise NotYet(f"Exercise {exercise}: {wrong}") from None
    except Exception as error:
        words = f"trying it gives {type(error).__name__}: {error}."
        raise NotYet(f"Exercise {exercise}: {words}") from error
    print(f"Exercise {exercise}: right. {remark}".rstrip())


def _refuse(slips):
    """Raise the first sentence whose slip was made."""
    for sentence, made in slips.items():
        if made:
            raise NotYet(sentence)


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


def _numbers(name, values, wanted="a column of numbers"):
    """Return the numbers of a list or array, or say what came instead."""
    try:
        return np.array([_plain(value) for value in values])
    except (TypeError, ValueError, RuntimeError):
        got = type(values).__name__
        if isinstance(values, (list, tuple)):
            got += f" of {type(values[0]).__name__}"
        raise NotYet(f"{name}: expected {wanted}, got {got}.") from None


def _row(name, values, size):
    row = _numbers(name, values, f"a list of {size} numbers")
    wanted = f"{name}: expected {size} numbers, got {len(row)}."
    _refuse({wanted: len(row) != size})
    return row


def _losses(name, values, at_least=2):
    losses = _numbers(name, values, "a list of losses")
    wanted = f"{name}: expected {at_least} losses or more, got {losses.size}. "
    _refuse({wanted + "Append one at each step.": losses.size < at_least})
    other = (
        f"{name}: the first loss is {losses[0]:.6g}, and not that of the "
        "book's start. Set the start in the same cell."
    )
    _refuse({other: not _near(losses[0], LOSSES[0])})
    return losses


def _text(name, text):
    got = type(text).__name__
    other = f"{name}: expected text, got {got}: str(error)."
    _refuse({other: not isinstance(text, str)})
    return text


def _dtypes(name, row):
    three = isinstance(row, (list, tuple)) and len(row) == 3
    _refuse({f"{name}: expected a list of three dtypes.": not three})
    for kind in row:
        other = f"{name}: expected dtypes like torch.float64, got {kind!r}."
        _refuse({other: not str(kind).startswith("torch.")})
    return [*map(str, row)]


def _near(value, expected, rtol=1e-6):
    return abs(value - expected) <= rtol * abs(expected)


def _guessed(answer, guess):
    return f"It is {answer:g}; you guessed {guess:g}."


def _arrives(losses):
    return int(np.argmax(losses - FLOOR < 1e-3))


@np.errstate(all="ignore")  # some runs diverge
def _descend(rate, momentum=0, start=sinefit.START, V=V, slopes=V, steps=2000):
    """Return the losses before each update.

    slopes: the columns that the gradient takes in place of V's.
    """
    weights, velocity, losses = np.array(start), 0, []
    for _ in range(steps):
        error = V @ weights - Y
        losses.append(error @ error)
        velocity = momentum * velocity + 2 * error @ slopes
        weights = weights - rate * velocity
    return np.array(losses)


_batches = cache(sinefit.predict_batches)
_legendre = cache(sinefit.predict_legendre)
_network = cache(sinefit.predict_network)


def exercise_1_1(guess: _number, arrived: _number):
    """Check steps until the loss is within 0.001 of the floor."""
    first = _arrives(LOSSES)
    yield {
        "arrived: 0 is also what argmax gives when it finds nothing. Does the "
        "table go far enough, and did you take the floor away?": arrived == 0,
        "arrived: too early, the loss is not there yet.": arrived < first,
        "arrived: the loss has been there before.": arrived != first,
    }
    yield _guessed(arrived, guess)


def exercise_1_2(best_rate: _number, first: _number):
    """Check the best learning rate, and the steps that it takes."""
    rate = 2 / (EIGENVALUES[0] + EIGENVALUES[-1])
    right = _near(best_rate, rate, 1e-4)
    yield {
        "best_rate: here the steepest and the flattest axis are not equally "
        "slow. Does it take both of their eigenvalues?": not right,
    }
    arrived = _arrives(sinefit.predict(best_rate)[0])
    yield {
        "first: 0 is also what argmax gives when it finds nothing. Did you "
        "take the floor away?": first == 0,
        "first: the run at best_rate is within 0.001 at another step. Find "
        "the first loss so near the floor.": first != arrived,
    }
    yield (
        "Others arrive earlier: try 0.99 of the limit. This one overtakes "
        "it so near the floor that no float can tell the two apart."
    )


def exercise_1_3(broken: _losses, falls: _number):
    """Check a run whose gradient of b lacks its factor."""
    yield {
        f"broken: expected 2000 losses, got {broken.size}. Start from an "
        "empty list, and append one at each step.": broken.size != 2000,
    }
    expected = _descend(1e-6, slopes=V[:, [0, 0, 2, 3]])
    right = _near(broken[1], LOSSES[1])
    wrong = falls != (np.diff(expected) < 0).sum()
    yield {
        "broken: these are the losses of the right gradient.": right,
        "broken: another thing is broken as well, or instead; change the "
        "gradient of b alone.": not np.allclose(broken, expected, rtol=1e-6),
        "falls: compare each loss with the one before it, and count.": wrong,
    }
    yield "A falling loss proves little; a finite difference shows the slip."


def exercise_2_1(guess: _dtypes, kinds: _dtypes):
    """Check the types of three products, and how many were guessed."""
    expected = ["torch.float32", "torch.float32", "torch.float64"]
    yield {
        "kinds: PyTorch says otherwise. Is v a vector of float32? Multiply, "
        "then look at .dtype.": kinds != expected,
    }
    hits = sum(map(str.__eq__, guess, expected))
    yield (
        f"You guessed {hits} of the three. A single float does not widen a "
        "vector of floats; another vector does."
    )


def exercise_2_2(errors: partial(_row, size=6)):
    """Check the errors of a finite difference in float32."""
    errors = np.abs(errors)
    # In float32 the loss, 1521, moves by 1.2e-4 or not at all.
    yield {
        f"errors: the first, {errors[0]:.2g}, is too large. Is it relative, "
        "is w the book's start? Do you step both ways, and divide by twice "
        "the step?": not errors[0] < 1e-4,
        "errors: the last is too small for float32. Are x, y and the weights "
        "all in float32?": not errors[-1] > 0.015,
        "errors: larger than rounding makes them. Is each step a tenth of "
        "the one before?": not (errors[-1] < 10 and errors[2] < 1e-3),
    }
    yield "The smaller the step, the fewer digits of the loss it changes."


def exercise_2_3(message: _text):
    """Check an update of whole numbers."""
    yield {
        "message: this is another error. Start from whole numbers, and take "
        "a fraction away from one of them in "
        "place.": "can't be cast" not in message,
    }
    yield "Long is int64, which has no room for a fraction."


def exercise_3_1(guess: _number, gradient: _number):
    """Check what two backward calls leave."""
    yield {
        "gradient: that is what one backward() gives.": gradient == 1,
        f"gradient: not {gradient:g}. Take a new weight, and call backward() "
        "on its square twice, computed anew each time.": gradient != 2,
    }
    yield _guessed(gradient, guess)


def exercise_3_2(arrived: _number):
    """Check the step at which a ball with friction is near the floor."""
    first = _arrives(_descend(1e-6, 0.9))
    plain = arrived == _arrives(LOSSES)
    yield {
        "arrived: not at the start. argmax gives 0 when it finds nothing. "
        "Does the whole gradient join what is kept of the "
        "velocity?": arrived <= 0,
        "arrived: that is how long it takes without momentum.": plain,
        f"arrived: not at step {arrived:g}. Start anew, keep 0.9 of the "
        "velocity before you add the gradient, record each loss before the "
        "update, and take the first that is less than 0.001 above the "
        "floor.": arrived != first,
    }


def exercise_3_3(message: _text):
    """Check backward, twice through one graph."""
    twice = "backward through the graph a second time" in message
    yield {
        "message: this is another error. Compute one loss, and call its "
        "backward() two times.": not twice,
    }
    yield "Compute the loss again; PyTorch's retain_graph is seldom needed."


def exercise_4_1(guess: _number, ends: partial(_row, size=2)):
    """Check the last losses of two runs, within and past the limit."""
    start = (0, -1, 0, 0.5)
    expected = [_legendre(rate, start)[0][-1] for rate in (5e-7, 3e-6)]
    right = np.allclose(ends, expected, rtol=5e-3)
    swapped = np.allclose(ends[::-1], expected, rtol=0.01)
    known = guess in (5e-7, 3e-6)
    yield {
        "guess: one of the two rates, 5e-7 or 3e-6.": not known,
        "ends: the other way round; the rate of 5e-7 comes first.": swapped,
        f"ends: {ends[0]:.4g} and {ends[1]:.4g} come from another learning "
        "rate, another start, or another number of steps.": not right,
    }
    expected = "this" if guess == 3e-6 else "otherwise"
    yield (
        f"You expected {expected}. The limit is that of the start alone: the "
        "first step leads to where it is far higher."
    )


def exercise_4_2(end: _number, limit: _number):
    """Check where a run at a small rate stalls, and the limit there."""
    slow, fast = (
        _legendre(rate, (0, 0.5, 0.6, 0.1))[0][-1] for rate in (1e-6, 5e-6)
    )
    yield {
        "end: this is where the page's own rate ends.": _near(end, fast, 5e-3),
        f"end: {end:.4g} comes from another rate, start or number of "
        "steps.": not _near(end, slow, 1e-3),
        "limit: that is the limit at the start.": _near(limit, 1.095e-4, 0.05),
        f"limit: {limit:.3g} is that of another place, or of another run. "
        "Which row of the path is the last, and which column is this "
        "start?": not _near(limit, 8.099e-6, 5e-3),
    }
    yield "It stalls within its limit: c does not come back below 0.45."


def exercise_4_3(function, spoilt):
    """Check a Function of one's own, and one with a wrong backward."""
    import torch

    z = torch.linspace(-1, 1, 5, dtype=torch.float64, requires_grad=True)
    values = np.polynomial.Legendre.basis(2)(z.detach().numpy())
    for cls in (function, spoilt):
        made = isinstance(cls, type)
        made = made and issubclass(cls, torch.autograd.Function)
        yield {
            "give two classes made from torch.autograd.Function, the classes "
            "themselves, without parentheses.": not made,
        }
        right = np.allclose(cls.apply(z).detach().numpy(), values)
        yield {
            f"{cls.__name__}: forward gives other values than P2.": not right
        }
    once, twice = (
        torch.autograd.grad(factor * function.apply(z).sum(), z)[0]
        for factor in (1, 2)
    )
    passed, told = (
        torch.autograd.gradcheck(cls.apply, z, raise_exception=False)
        for cls in (function, spoilt)
    )
    name = function.__name__
    yield {
        f"{name}: twice the loss gives the same gradient. Does its backward "
        "multiply by grad_output?": not torch.allclose(2 * once, twice),
        f"{name}: gradcheck finds its backward wrong.": not passed,
        f"{spoilt.__name__}: gradcheck finds its backward right.": told,
    }


def exercise_5_1(guess: _number, count: _number, degree: _number):
    """Check what a layer of seven inputs learns."""
    yield {
        "count: these are the weights. What else does it learn?": count == 7,
        f"count: not {count:g}. Add up the numbers in the layer's parameters, "
        "each of which is a tensor.": count != 8,
        "degree: which is the highest power that goes in?": degree != 7,
    }
    yield _guessed(count, guess)


def exercise_5_2(linear, loss: _number):
    """Check a layer on four powers, without a bias."""
    four = getattr(linear, "in_features", 0) == 4
    yield {
        "linear: expected a layer with four inputs, one for each "
        "power.": not four,
    }
    weight = linear.weight.flatten().tolist()
    same = weight == [*sinefit.START]
    kind = str(linear.weight.dtype)
    yield {
        "linear: it still has a bias of its own.": linear.bias is not None,
        f"linear: its weights are {weight}, not the start.": not same,
        f"linear: expected float64, got {kind}.": kind != "torch.float64",
        "loss: not the first one of this page. Does each weight meet its "
        "power, has the prediction the shape of y, is it the "
        "sum?": not _near(loss, LOSSES[0]),
    }


def exercise_5_3(message: _text):
    """Check an update whose gradients have just been zeroed."""
    yield {
        "message: this is another error. Change nothing but the place of "
        "zero_grad().": "'NoneType'" not in message,
    }
    yield "zero_grad() had set the gradient to None before it was used."


def exercise_6_1(guess: _number, fastest: _number, arrived: _number):
    """Check which of four rates brings Adam to the floor first."""
    rates = (1e-3, 3e-3, 1e-2, 3e-2)
    yield {
        f"{name}: one of {rates}.": not any(_near(one, r) for r in rates)
        for name, one in {"guess": guess, "fastest": fastest}.items()
    }
    yield {
        "fastest: another one arrives earlier.": not _near(fastest, 3e-2),
        "arrived: this rate is first within 0.001 at another step. Start each "
        "run anew, and record each loss before the step.": arrived != 117,
    }
    yield "You expected " + ("this." if _near(guess, fastest) else "another.")


def exercise_6_2(rate: _number, beta: _number, first):
    """Check the best rate and momentum for the cubic, and their run."""
    flat, steep = np.sqrt(EIGENVALUES[[0, -1]])
    best = (2 / (flat + steep)) ** 2, ((steep - flat) / (flat + steep)) ** 2
    right = _near(rate, best[0]), _near(beta, best[1])
    arrived = _arrives(_descend(*best, steps=300))
    late = not np.array_equal(np.ravel(first), [arrived])
    yield {
        "rate: this is its root.": _near(rate, 2 / (flat + steep)),
        "rate: you have swapped rate and beta.": _near(rate, best[1]),
        "rate: does it take the roots of the cubic's eigenvalues, the smallest"
        f" and the largest? They are {flat**2:.1f} and "
        f"{steep**2:.1f}.": not right[0],
        "beta: the formula gives another one. Is it squared?": not right[1],
        f"first: the run with these two is within 0.001 at another step than "
        f"{first}.": late,
    }


def exercise_6_3(stuck: partial(_losses, at_least=3), optimizer):
    """Check a loop that steps before it has a gradient."""
    yield {
        "stuck: these losses move. Let zero_grad() come first, and step() "
        "before backward().": np.ptp(stuck) != 0,
    }
    held = [p for group in optimizer.param_groups for p in group["params"]]
    yield {
        "optimizer: no gradient ever came to what it holds. Are those the "
        "model's weights?": all(p.grad is None for p in held),
    }
    yield "step() found no gradients: backward() came too late."


def exercise_7_1(guess: _number, count: _number):
    """Check the numbers that a module with a shared weight learns."""
    yield {
        f"count: {count:g} is too many. A weight that is used twice is "
        "learned once, and a buffer is not learned.": count > 5,
        f"count: {count:g} is too few. Add up numbers, not tensors, and those "
        "of the cubic too.": count != 5,
    }
    yield _guessed(count, guess)


def exercise_7_2(legendre, run: partial(_row, size=20)):
    """Check a module of four weights and a buffer, and its 20 losses."""
    import torch

    module = isinstance(legendre, torch.nn.Module)
    yield {"legendre: expected a module, made from your class.": not module}
    learned = sum(p.numel() for p in legendre.parameters())
    fixed = [b.flatten().tolist() for b in legendre.buffers()]
    roots = np.sqrt([1, 3, 5, 7])
    held = any(len(b) == 4 and np.allclose(b, roots) for b in fixed)
    basis = np.polynomial.legendre.legvander(X / np.pi, 3) * roots
    expected = _descend(
        2e-4, start=np.zeros(4), V=basis, slopes=basis, steps=20
    )
    first, off = _first_off(run, expected, 1e-6)
    yield {
        f"legendre: it learns {learned} numbers, not four.": learned != 4,
        "legendre: its factors are no buffer. Register them.": not fixed,
        "legendre: the buffer does not hold the roots of 1, 3, 5 and "
        "7.": not held,
        f"run: it begins at {run[0]:.6g}. Are the weights zero at first, is "
        "the loss the sum?": not _near(run[0], expected[0]),
        f"run: loss {first} is off by {off:.0e} of itself. Is the rate "
        "2e-4? Are the polynomials those of x over pi, each times its factor, "
        "all in float64?": not off <= 1e-6,
    }
    weight = next(legendre.parameters())
    y_pred = legendre(torch.tensor(X).to(weight))
    end = np.square(y_pred.detach().cpu().numpy() - Y).sum()
    yield {
        "legendre: it does not fit the sine. Is it the one that was "
        "fitted?": not _near(end, FLOOR, 1e-4),
    }
    yield f"{run[0]:.1f} to {run[-1]:.4f} in 20 steps: the bowl is round."


def exercise_7_3(message: _text):
    """Check what polynomial.fit says of a learning rate that is too large."""
    yield {
        "message: fit says another thing when the loss leaves all "
        "bounds.": "inf at step" not in message,
    }
    step = int(message.partition("at step ")[2].split(":")[0])
    last = np.argmin(np.isfinite(_descend(1e-5, steps=400)))
    yield {
        f"message: it did not give up at step {step} with the book's start, "
        "in float64, at 1e-5. Take a new cubic.": step != last,
    }


def exercise_8_1(guess: _number, count: _number):
    """Check how few units have a lower loss than any cubic."""
    other = f"count: expected a whole number from 1 to 8, got {count:g}."
    yield {other: count not in range(1, 9)}
    units = int(count)
    fewer = units > 1 and _network(units - 1)[0][-1] < FLOOR
    yield {
        f"count: {count:g} end above the floor of the cubics. Start each "
        "network anew, and let it take 2000 "
        "steps.": _network(units)[0][-1] > FLOOR,
        f"count: {count:g} are enough, but fewer are, too. Did you try every "
        "number, the odd ones as well?": fewer,
    }
    yield f"{_guessed(count, guess)} A sine falls, rises and falls again."


# What goes wrong in exercise 8.2, and what its check says.
SLIPS = {
    "tanh": "the derivative in it is still that of tanh.",
    "none": "no derivative of the units is in it.",
    "rate": "that is a step at the page's rate; take 1e-5.",
}


@cache
def _by_hand(relu, slip=None):
    """Return the losses of chapter 8's network with other functions.

    With ReLUs, or with a tanh at its end, too, and targets of twice the sine.
    slip: one of SLIPS; the first two losses of ReLUs that make it.
    """
    w, b = np.ones((8, 1)), -np.linspace(-np.pi, np.pi, 8)[:, None]
    v, c, losses = 0.0125 * np.array([[1.0], [-1.0]] * 4), 0.0, []
    for _ in range(2 if slip else 2000):
        inside = w * X + b
        if relu:
            unit = inside * (inside > 0)
            bends = {"tanh": 1 - unit**2, "none": np.ones_like(unit)}
            bend = bends.get(slip, inside > 0)
            error = (v * unit).sum(axis=0) + c - Y
            back = (1e-4 if slip == "rate" else 2e-5) * error
        else:
            unit = np.tanh(inside)
            bend = 1 - unit**2
            y_pred = np.tanh((v * unit).sum(axis=0) + c)
            error = y_pred - 2 * Y
            back = 1e-4 * error * (1 - y_pred**2)
        losses.append(error @ error)
        slope = v * bend
        w = w - (slope @ (X * back))[:, None]
        b = b - (slope @ back)[:, None]
        v, c = v - (unit @ back)[:, None], c - back.sum()
    return np.array(losses)


def _first_off(losses, expected, rtol):
    """Return which loss is the first to be off, and by how much of itself."""
    off = np.abs(losses / expected - 1)
    first = np.argmax(~(off <= rtol))  # nan is off, too
    return first, off[first]


def exercise_8_2(relu: partial(_row, size=2000)):
    """Check the losses of a network of ReLUs, by hand."""
    expected = _by_hand(relu=True)
    first, off = _first_off(relu, expected, 1e-9)
    page = _network()[0]
    yield {
        "relu: the first loss is that of tanh.": _near(relu[0], page[0]),
        f"relu: the first loss is {relu[0]:.6g}. Is the start the page's, and "
        "is each unit the larger of z and 0?": not _near(relu[0], expected[0]),
        **{
            f"relu: loss 1 is {relu[1]:.6g}: {said}": _near(
                relu[1], _by_hand(relu=True, slip=slip)[1], 1e-9
            )
            for slip, said in SLIPS.items()
        },
        f"relu: loss {first} is off by {off:.0e} of itself. Is "
        "the derivative 1 where z > 0 and 0 elsewhere, at z = 0 too? Do w and "
        "b both use it, in float64, at a rate of 1e-5?": not off <= 1e-9,
    }
    yield f"It ends at {relu[-1]:.4f}, with corners where tanh is smooth."


def exercise_8_3(stuck: _number, lowest: _number):
    """Check where a network ends whose output is bounded."""
    floor = np.square(2 * Y - (2 * Y).clip(-1, 1)).sum()
    end = _by_hand(relu=False)[-1]
    yield {
        "stuck: no curve between -1 and 1 has so low a loss. Is there a Tanh "
        "behind the last layer, and are the targets 2 sin(x)?": stuck < floor,
        f"stuck: {stuck:.5g} is the end of another run. Take the page's "
        "start, its rate, and 2000 steps.": not _near(stuck, end, 1e-3),
        f"lowest: not {lowest:.5g}. Where 2 sin(x) is beyond 1, the best such "
        "a curve can do is 1.": not _near(lowest, floor, 1e-3),
    }
    yield (
        f"The bound costs {floor:.1f}. The rest is mostly at the two ends, "
        "where the output is at 1 or -1 and next to no gradient comes back."
    )


def exercise_9_1(guess: _number, ends: partial(_row, size=1000)):
    """Check where a thousand runs in batches of 5 end, on average."""
    end = ends.mean()
    five, twenty, whole = (_batches(size)[-1] for size in (5, 20, 2000))
    right = abs(end - five) < 0.6 and ends.std() > 1
    paged = abs(end - twenty) < 0.1
    yield {
        "ends: that is where batches of 20 end. Run batches of 5.": paged,
        f"ends: their mean is {end:.4g}. These are not the losses of a "
        "thousand runs at the last step.": not right,
    }
    yield (
        f"{_guessed(float(f'{end:.4g}'), guess)} The noise of batches of 5 "
        f"lifts it by {five - whole:.2g}, that of 20 by {twenty - whole:.2g}."
    )


def exercise_9_2(mine: _numbers, error: _number):
    """Check a fit to somebody's own data against the mean."""
    yield {f"mine: expected 20 or more, got {mine.size}.": mine.size < 20}
    n = mine.size * 3 // 4
    of_mean = np.sqrt(np.mean((mine[n:] - mine[:n].mean()) ** 2))
    tiny = error <= 1e-4 * of_mean
    yield {
        "error: expected a number above 0, as train.py prints it.": error <= 0,
        f"error: {error:.4g} is too good to be what train.py prints.": tiny,
        f"error: the mean of the first three quarters is off by {of_mean:.4g} "
        f"on the last, and your network by {error:.4g}: too near to be more "
        "than luck. Does x come round again? Then say after which --period. "
        "If not, such data may hold nothing that foretells their end: take "
        "others.": not error < 0.95 * of_mean,
    }
    yield f"The mean is off by {of_mean:.4g}, your network by {error:.4g}."


@cache
def _in_order():
    """Return the losses of the cubic with batches that are not drawn."""
    w, losses = np.array(sinefit.START), []
    for t in range(2000):
        losses.append(np.square(V @ w - Y).sum())
        some = slice(t % 100 * 20, t % 100 * 20 + 20)
        w = w - 2e-4 * (V[some] @ w - Y[some]) @ V[some]
    return np.array(losses)


def exercise_9_3(in_order: partial(_losses, at_least=2000)):
    """Check the losses of batches that are not shuffled."""
    size = in_order.size
    yield {f"in_order: expected 2000 losses, got {size}.": size != 2000}
    first, off = _first_off(in_order, _in_order(), 1e-6)
    yield {
        f"in_order: loss {first} is {in_order[first]:.6g}. Keep the loss over "
        "all 2000 points, before the step. Does step t take points 20 t to "
        "20 t + 19, and step 100 the first again, each gradient times "
        "100?": not off <= 1e-6,
    }
    steep = 200 * np.linalg.norm(V[:20], 2) ** 2
    yield (
        f"It was at {in_order.max():.2g} on the way. The batches at the ends "
        f"are steep: the first has its limit at {2 / steep:.1e}, below the "
        "rate, so several steps in a row go up. Drawn at random, a batch has "
        "points from everywhere."
    )


def exercise_10_1(guess: _number, last: _number):
    """Check where four processes end whose rate is that of one."""
    ends = (sinefit.predict(1e-6 / count)[0][-1] for count in (1, 2, 4))
    one, two, four = ends
    yield {
        "last: that is where one process ends, and four whose rate is "
        "multiplied. Give `averaged` the rate 1e-6.": _near(last, one),
        "last: that is where two processes end. Give `averaged` four "
        "parts.": _near(last, two),
        f"last: {last:.6g} is not the last loss of four parts of one size at "
        "the rate 1e-6.": not _near(last, four),
    }
    yield (
        f"{_guessed(float(f'{four:.4g}'), guess)} The average is a quarter of "
        "the sum: so little had one process done after 500 steps."
    )


def exercise_10_2(ends: partial(_row, size=1000), best: _number):
    """Check the last losses at a thousand rates, and the best of them."""
    rates = np.linspace(1e-7, 3.6e-6, 1000)
    left = AXES.T @ (sinefit.START - BEST)
    shrunk = (1 - np.outer(rates, EIGENVALUES)) ** (2 * 1999)
    expected = FLOOR + shrunk @ (EIGENVALUES * left**2) / 2
    first, off = _first_off(ends, expected, 1e-6)
    lowest = rates[np.argmin(expected)]
    yield {
        f"ends: at the rate {rates[first]:.3g} the loss at the last step is "
        f"not {ends[first]:.6g}. Are the rates those of the exercise, in "
        "float64, and is the floor added? Do you take 1999 steps, from the "
        "book's start, before the last loss?": not off <= 1e-6,
        f"best: expected the rate with the lowest of ends, got "
        f"{best:.6g}.": not _near(best, lowest),
    }
    yield (
        f"The best is {lowest:.2e}, {lowest / LIMIT:.1%} of the "
        "limit. There the steepest direction swings and only just shrinks, "
        "and the flattest, which keeps you waiting, goes fastest."
    )


def exercise_10_3(lasts: partial(_row, size=3), most: _number):
    """Check how many processes bear to have all points each."""
    yield {
        f"lasts: of {count} processes it is {last:.6g}. Give each part "
        f"all 2000 points, and `averaged` the rate {count}e-6.": not right
        for count, last in zip((2, 3), lasts, strict=False)
        for right in [_near(last, sinefit.predict(count * 1e-6)[0][-1])]
    }
    yield {
        f"lasts: of 4 processes it is {lasts[2]:.6g}. Give each of four parts "
        "all 2000 points, and `averaged` the rate 4e-6.": abs(lasts[2]) < 1e9,
        f"most: {most:g} is too many. Look at lasts.": most >= 4,
        f"most: {most:g} is not the largest number whose last loss is "
        "small.": most != 3,
    }
    yield (
        "The average of equal gradients is that of all points, so this is one "
        f"process at 2, 3 or 4 times the rate, and the limit is {LIMIT:.2e}. "
        "Two and three end lower than the book: its rate is a small one."
    )


CHECKS = {  # by the names of the exercises, chapter.number
    name.removeprefix("exercise_").replace("_", "."): function
    for name, function in list(globals().items())
    if name.startswith("exercise_")
}
