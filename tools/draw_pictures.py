"""Draw chapter 1's run: `make notebooks`.

fit.png is for the README; motion.svg, which plays, for the welcome page.
"""

import pathlib

import matplotlib.pyplot as plt
import numpy as np

import sinefit

ROOT = pathlib.Path(__file__).parents[1]


def draw_fit(target):
    """Draw the sine, the start, the result, and the losses of the run."""
    x, y = sinefit.data()
    losses, w = sinefit.predict()
    _, (left, right) = plt.subplots(
        1, 2, figsize=(10, 3.4), facecolor="white", layout="constrained"
    )
    left.plot(x, y, "0.7", lw=7, label="sin(x)")
    for label, (a, b, c, d) in {"start": sinefit.START, "result": w}.items():
        left.plot(x, a + b * x + c * x**2 + d * x**3, label=label)
    left.set(xlabel="x", xticks=[-3, 0, 3])
    left.legend()
    right.semilogy(losses)
    right.axhline(sinefit.optimum(x, y)[1], color="0.5", lw=1)
    right.set(xlabel="step", ylabel="loss")
    plt.savefig(target, metadata={"Software": None})


MOTION = """Chapter 1's run, played once in five seconds. Left, a cubic that
starts far from a sine bends until it lies on it. Right, its loss falls, on
logarithmic scales of loss and step, towards a line, the floor."""


def draw_motion(target):
    """Write the run as an SVG, to stand in a page, that plays once.

    It shows the cubic at steps that lie ever further apart; where a reader
    wants no motion, book.css shows the end alone.
    """
    x, y = sinefit.data()
    V = np.vander(x, 4, increasing=True)
    w, frames, losses = np.array(sinefit.START), [], []
    shown = np.unique(np.geomspace(1, 2000, 40).astype(int) - 1)
    for t in range(2000):
        error = V @ w - y
        losses.append(error @ error)
        if t in shown:
            frames.append(
                outline(x[::64], (V @ w)[::64], (-3.2, 3.2), (-2, 2))
            )
        w -= 1e-6 * 2 * error @ V
    steps, height = np.log10(1 + shown), np.log10(losses)[shown]
    trail = outline(steps, height, (0, 3.4), (0.5, 3.5), left=310)
    floor = np.log10(sinefit.optimum(x, y)[1])
    ground = outline([0, 3.4], [floor, floor], (0, 3.4), (0.5, 3.5), left=310)
    sine = outline(x[::64], y[::64], (-3.2, 3.2), (-2, 2))
    once = 'dur="5s" fill="freeze"'
    target.write_text(
        f"""<svg class="motion" viewBox="0 0 600 200" role="img">
<title>{MOTION}</title>
<path class="sine" d="{sine}"/>
<path class="floor" d="{ground}"/>
<path class="fit still" d="{frames[-1]}"/>
<path class="loss still" d="{trail}"/>
<path class="fit moving" d="{frames[0]}">
<animate attributeName="d" {once} values="{";".join(frames)}"/></path>
<path class="loss moving" d="{trail}" pathLength="1"
stroke-dasharray="1" stroke-dashoffset="1">
<animate attributeName="stroke-dashoffset" {once} values="1;0"/></path>
</svg>
""",
        encoding="utf-8",
    )


def outline(x, y, across, up, left=10):
    """Return an SVG path through points, in a box of 280 by 180."""
    x = left + 280 * np.subtract(x, across[0]) / np.ptp(across)
    y = 190 - 180 * np.subtract(y, up[0]) / np.ptp(up)
    return "M" + "L".join(
        f"{i:.1f} {j:.1f}" for i, j in zip(x, y, strict=True)
    )


if __name__ == "__main__":
    images = ROOT / "book" / "images"
    draw_fit(images / "fit.png")
    draw_motion(images / "motion.svg")
