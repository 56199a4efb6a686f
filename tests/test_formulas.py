"""Each formula of the chapters beside numbers that show it true.

A formula that is new or changed has none yet: put it here, with a check that
would fail for another sign, factor or exponent.
"""

import re

import numpy as np
import pytest

import mathml
import sinefit
from conftest import CHAPTERS
from runner import cells, descend
from shows import (
    BEST,
    FLOOR,
    LIMIT,
    V,
    X,
    Y,
    network_slopes,
    network_start,
    p3,
)

RATE, START = 1e-6, np.array([-0.5, 0.25, 0.125, -0.0625])
H = np.array([[2 * np.sum(X ** (i + j)) for i in range(4)] for j in range(4)])
LAMBDA, A = np.linalg.eigh(H)
LOSSES, END = descend()
Q = A.T @ (START - BEST)
WAY = A.T @ (descend(steps=1)[1] - BEST)  # the coordinates one step later
P = network_start() + 0.1 * np.sin(np.arange(25))  # a network's weights
ERROR = network_slopes(P)[0] - Y
UNITS = network_slopes(P)[1][16:24]
LEG = np.polynomial.Legendre
THETA = np.arccos(1 - RATE * LAMBDA / 2)
ROOTS = np.sqrt(LAMBDA[[0, -1]])


def loss(w):
    """Return the summed squared error of the cubic with these weights."""
    return sum((np.polyval(w[::-1], x) - np.sin(x)) ** 2 for x in X)


def slope(w):
    """Return the derivatives of the loss, by differences."""
    return [(loss(w + h) - loss(w - h)) / 2e-3 for h in 1e-3 * np.eye(4)]


def swings():
    """Return how an axis swings with momentum 1, for a few steps."""
    q, velocity, path = 1.0, 0.0, []
    for _ in range(30):
        path.append(q)
        velocity += LAMBDA[0] * q
        q -= RATE * velocity
    return np.array(path)


def one_batch():
    """Take a step with each batch of one point that there is."""
    error = V @ START - Y
    ends = START - RATE * 2000 * 2 * error[:, None] * V
    by_sum = np.mean([np.square(V @ w - Y).sum() for w in ends])
    d = ends - BEST
    by_trace = FLOOR + np.trace(H @ d.T @ d) / 2000 / 2
    return close([by_trace, sinefit.predict_batches(1, steps=2)[1]], by_sum)


def best_momentum():
    """Tell whether each other rate and momentum nearby is slower."""
    beta = ((ROOTS[1] - ROOTS[0]) / (ROOTS[1] + ROOTS[0])) ** 2
    rate = (2 / (ROOTS[1] + ROOTS[0])) ** 2

    def slowest(rate, beta):
        steps = [[[1 + beta - rate * v, -beta], [1, 0]] for v in LAMBDA]
        return np.abs(np.linalg.eigvals(steps)).max()

    others = [slowest(rate * f, beta) for f in (0.98, 1.02)]
    others += [slowest(rate, beta * f) for f in (0.98, 1.02)]
    return slowest(rate, beta) < min(others)


def network_slope(p):
    """Return the derivatives of the network's loss, by differences."""

    def at(p):
        return np.square(network_slopes(p)[0] - Y).sum()

    return np.array(
        [(at(p + h) - at(p - h)) / 2e-5 for h in 1e-5 * np.eye(p.size)]
    )


def inside():
    """Return what reaches the inside of each unit, a row for each."""
    return 2 * ERROR * P[16:24, None] * (1 - UNITS**2)


def equally_slow():
    """Tell whether the steepest and the flattest axis are, at the formula."""
    return close(*np.abs(1 - 2 / (LAMBDA[0] + LAMBDA[-1]) * LAMBDA[[0, -1]]))


def close(values, expected, rtol=1e-6, atol=1e-9):
    """Tell whether two numbers or rows are nearly the same."""
    return np.allclose(values, expected, rtol=rtol, atol=atol)


# These claim nothing: they say what a letter stands for, or where one looks.
NAMES = {
    r"1 w = (a, b, c, d)",
    r"3 x = 3",
    r"4 y = a + b\,P_3(c + dx)",
    r"4 P_3'(c)",
    r"4 c = 0",
    r"4 a = c = 0",
    r"4 x = 0",
    r"8 \tanh(z)",
    r"8 z > 0",
    r"8 \max(z, 0)",
    r"8 e_i = \hat y_i - y_i",
    r"8 2/\lambda_{\max}",  # held with its cell, netw0040
    r"8 2\sin x",
}
# By its chapter and its text.
FORMULAS = {
    r"1 \sin x": lambda: close(np.sin(X), Y),
    r"1 \hat y = \sum_k w_k x^k": lambda: close(
        V @ START, [np.polyval(START[::-1], x) for x in X]
    ),
    r"1 L = \sum_i (\hat y_i - y_i)^2": lambda: close(loss(START), LOSSES[0]),
    r"1 \frac{\partial L}{\partial w_k} = 2 \sum_i (\hat y_i - y_i)\, x_i^k": (
        lambda: close(slope(START), 2 * (V @ START - Y) @ V)
    ),
    r"1 L(w) = |Vw - y|^2, \qquad \nabla L(w) = 2V^\top (Vw - y)": lambda: (
        close(slope(END), 2 * V.T @ (V @ END - Y), rtol=1e-4)
        and close(loss(END), np.linalg.norm(V @ END - Y) ** 2)
    ),
    r"1 H = 2V^\top V": lambda: close(
        np.subtract(slope(START + np.eye(4)[3]), slope(START)),
        (2 * V.T @ V)[3],
        atol=1,
    ),
    r"1 L(w) = L^* + \tfrac12\, (w - w^*)^\top H\, (w - w^*)": lambda: close(
        loss(START), FLOOR + 0.5 * (START - BEST) @ H @ (START - BEST)
    ),
    r"1 2V^\top(Vw - y)": lambda: close(slope(START), 2 * (V @ START - Y) @ V),
    r"1 \sin(-x) = -\sin x": lambda: close(Y[::-1], -Y),
    r"1 q = A^\top (w_0 - w^*)": lambda: close(A @ Q, START - BEST),
    r"1 \tfrac12 \lambda_i q_i^2": lambda: close(
        loss(BEST + 3 * A[:, 1]) - FLOOR, 0.5 * LAMBDA[1] * 3**2
    ),
    r"1 \lambda_i q_i": lambda: close(
        slope(BEST + 3 * A[:, 1]) @ A[:, 1], LAMBDA[1] * 3
    ),
    r"1 q_i - \eta\lambda_i q_i = (1 - \eta\lambda_i)\,q_i": lambda: close(
        WAY, Q - RATE * LAMBDA * Q
    ),
    r"1 L(t) = L^* + \tfrac12 \sum_i \lambda_i\, q_i^2\,"
    r" (1 - \eta\lambda_i)^{2t}": lambda: close(
        LOSSES[50],
        FLOOR + 0.5 * sum(LAMBDA * Q**2 * (1 - RATE * LAMBDA) ** (2 * 50)),
    ),
    r"1 |1 - \eta\lambda| < 1": lambda: (
        (np.abs(WAY) < np.abs(Q)).all()
        and not (
            np.abs(A.T @ (descend(LIMIT * 1.01, steps=1)[1] - BEST))
            < np.abs(Q)
        ).all()
    ),
    r"1 2/\lambda_{\max}": lambda: (
        descend(2 / LAMBDA[-1] * 0.999)[0][-1]
        < LOSSES[0]
        < descend(2 / LAMBDA[-1] * 1.001)[0][-1]
    ),
    r"1 2/(\lambda_{\min} + \lambda_{\max})": equally_slow,
    r"1 2\sum(\hat y - y)\,x^k": lambda: close(
        slope(START)[2], 2 * sum((V @ START - Y) * X**2)
    ),
    r"1 1 - \eta\lambda": lambda: close(WAY / Q, 1 - RATE * LAMBDA),
    r"3 q_{t+1} - 2 q_t + q_{t-1} = -\eta\lambda\, q_t": lambda: close(
        np.diff(swings(), 2), -RATE * LAMBDA[0] * swings()[1:-1]
    ),
    r"3 q_t = \cos\theta t": lambda: close(
        np.diff(np.cos(THETA[0] * np.arange(9)), 2),
        -RATE * LAMBDA[0] * np.cos(THETA[0] * np.arange(1, 8)),
    ),
    r"3 2(\cos\theta - 1)\, q_t": lambda: close(
        np.diff(np.cos(THETA[0] * np.arange(9)), 2),
        2 * (np.cos(THETA[0]) - 1) * np.cos(THETA[0] * np.arange(1, 8)),
    ),
    r"3 \cos\theta = 1 - \tfrac12 \eta\lambda": lambda: close(
        np.diff(swings(), 2), 2 * (np.cos(THETA[0]) - 1) * swings()[1:-1]
    ),
    r"3 \eta < 4/\lambda": lambda: (
        max(descend(3.99 / LAMBDA[-1], 1)[0])
        < 1e9
        < max(descend(4.01 / LAMBDA[-1], 1, steps=500)[0])
    ),
    r"4 P_3(z) = \tfrac12 (5z^3 - 3z), \qquad"
    r" P_3'(z) = \tfrac32 (5z^2 - 1)": lambda: (
        close(p3(X), (5 * X**3 - 3 * X) / 2)
        and close(LEG.basis(3).deriv()(X), 1.5 * (5 * X**2 - 1))
    ),
    r"4 -\tfrac32 bd": lambda: close(
        np.polyfit(X, 7 * p3(2 * X), 3)[2], -1.5 * 7 * 2
    ),
    r"4 \tfrac52 bd^3": lambda: close(
        np.polyfit(X, 7 * p3(2 * X), 3)[0], 2.5 * 7 * 2**3
    ),
    r"4 d = \sqrt{-\frac{3\delta}{5\beta}}, \qquad"
    r" b = -\frac{2\beta}{3d}": lambda: close(
        np.polyfit(X, LEGENDRE_B * p3(LEGENDRE_D * X), 3)[[0, 2]],
        BEST[[3, 1]],
    ),
    r"4 2/\lambda_{\max}": lambda: close(LIMIT, 2 / LAMBDA[-1]),
    r"4 -1/\sqrt5": lambda: close(LEG.basis(3).deriv()(-(5**-0.5)), 0),
    r"4 1/\sqrt5": lambda: close(LEG.basis(3).deriv()(5**-0.5), 0),
    r"4 P_2(z) = \tfrac12(3z^2 - 1)": lambda: close(
        LEG.basis(2)(X), (3 * X**2 - 1) / 2
    ),
    r"6 1/(2k+1)": lambda: close(
        [np.mean(LEG.basis(k)(X / np.pi) ** 2) for k in range(8)],
        [1 / (2 * k + 1) for k in range(8)],
        rtol=0.05,
    ),
    r"6 \sqrt{2k+1}": lambda: close(
        [np.mean((2 * k + 1) * LEG.basis(k)(X / np.pi) ** 2) for k in (1, 7)],
        1,
        rtol=0.05,
    ),
    r"6 2(1 + \beta)/\lambda_{\max}": lambda: (
        max(descend(0.999 * 3.8 / LAMBDA[-1], 0.9)[0])
        < 1e9
        < max(descend(1.01 * 3.8 / LAMBDA[-1], 0.9)[0])
    ),
    r"6 2/(\lambda_{\min} + \lambda_{\max})": equally_slow,
    r"6 \sqrt\beta = \frac{\sqrt\Lambda - \sqrt\lambda}{\sqrt\Lambda +"
    r" \sqrt\lambda}, \qquad \sqrt\eta = \frac{2}{\sqrt\Lambda +"
    r" \sqrt\lambda}": best_momentum,
    r"8 \tanh(wx + b)": lambda: close(
        np.tanh(3 * X + 1), 1 - 2 / (np.exp(2 * (3 * X + 1)) + 1)
    ),
    r"8 wx + b = 0": lambda: np.tanh(3 * (-1 / 3) + 1) == 0,
    r"8 \hat y = c + \sum_j v_j \tanh(w_j x + b_j)": lambda: close(
        network_slopes(np.array([1, 2, 3, 4, 5, 6, 7.0]))[0],
        7 + 5 * np.tanh(X + 3) + 6 * np.tanh(2 * X + 4),
    ),
    r"8 1 - \tanh^2": lambda: close(
        (np.tanh(X + 1e-5) - np.tanh(X - 1e-5)) / 2e-5, 1 - np.tanh(X) ** 2
    ),
    r"8 u_{ij} = \tanh(w_j x_i + b_j)": lambda: close(
        network_slopes(P)[1][16:24].T, np.tanh(np.outer(X, P[:8]) + P[8:16])
    ),
    r"8 \frac{\partial L}{\partial v_j} = \sum_i 2 e_i u_{ij}, \qquad"
    r" \frac{\partial L}{\partial c} = \sum_i 2 e_i": lambda: close(
        network_slope(P)[16:],
        [*(2 * UNITS @ ERROR), 2 * ERROR.sum()],
        atol=1e-4,
    ),
    r"8 g_{ij} = 2 e_i v_j (1 - u_{ij}^2)": lambda: close(
        network_slope(P)[8:16], inside().sum(axis=1), atol=1e-4
    ),
    r"8 \frac{\partial L}{\partial w_j} = \sum_i g_{ij} x_i, \qquad"
    r" \frac{\partial L}{\partial b_j} = \sum_i g_{ij}": lambda: close(
        network_slope(P)[:16],
        [*(inside() @ X), *inside().sum(axis=1)],
        atol=1e-4,
    ),
    r"9 \operatorname{E}[L] = L^\ast + \tfrac12 \operatorname{tr}\bigl(H"
    r" \operatorname{E}[dd^\top]\bigr)": one_batch,
    r"10 V = QR": lambda: close(np.linalg.qr(V)[0] @ np.linalg.qr(V)[1], V),
    r"10 \left|Vw - y\right|^2 = \left|Rw - Q^\top y\right|^2 +"
    r" \left|y - QQ^\top y\right|^2": lambda: close(
        loss(START),
        FLOOR
        + np.square(np.linalg.cholesky(V.T @ V).T @ (START - BEST)).sum(),
    ),
    r"10 z = Q^\top y": lambda: close(
        np.linalg.qr(V)[0].T @ Y, np.linalg.qr(V)[1] @ BEST
    ),
    r"10 G = V^\top V": lambda: close(V.T @ V, H / 2),
    r"10 w^\top G w - 2 w^\top V^\top y + y^\top y": lambda: close(
        START @ (H / 2) @ START - 2 * START @ (V.T @ Y) + Y @ Y, loss(START)
    ),
    r"7 x/\pi": lambda: close(np.abs(X / np.pi).max(), 1),
    r"7 \sqrt{2k+1}": lambda: close(
        np.mean(5 * LEG.basis(2)(X / np.pi) ** 2), 1, rtol=0.05
    ),
}
LEGENDRE_D = np.sqrt(-3 * BEST[3] / (5 * BEST[1]))
LEGENDRE_B = -2 * BEST[1] / (3 * LEGENDRE_D)


def bare(texts):
    """Return formulas by their text without spaces."""
    return {re.sub(r"\\,|\s|[.,]$", "", text): text for text in texts}


def formulas():
    """Return chapter and text of each formula that says something."""
    found = []
    for path in CHAPTERS:
        for cell in cells(path, "markdown"):
            for display, inline in re.findall(
                r"\$\$(.+?)\$\$|\$([^$]+)\$", cell.source, re.S
            ):
                text = " ".join((display or inline).split())
                if re.search(r"[=<>/(]|\\(?!hat|lambda$|eta$|\w+$)", text):
                    found.append(f"{int(path.stem[:2])} {text}")
    return bare(found)


def test_each_formula_has_a_check():
    there, known = formulas(), bare([*FORMULAS, *NAMES])
    new = [there[text] for text in there.keys() - known.keys()]
    assert not new, f"put a check into FORMULAS for what is new: {new}"
    gone = [known[text] for text in known.keys() - there.keys()]
    assert not gone, f"no chapter has these any more: {gone}"


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_formula_is_true(formula):
    assert FORMULAS[formula]()


def test_bars_open_and_close():
    formula = mathml.convert(r"|1 - \eta\lambda| < |2|")
    bars = re.findall(r'<mo form="(\w+)" stretchy="false">&#x0007C;', formula)
    assert bars == ["prefix", "postfix"] * 2
