"""Draw chapter 1's run, and the book's icon: `make notebooks`.

fit.png is for the README; motion.svg, which plays, for the welcome page.
"""

import pathlib

import matplotlib.pyplot as plt
import numpy as np
from numpy.polynomial.polynomial import polyval

import sinefit

IMAGES = pathlib.Path(__file__).parents[1] / "book" / "images"
X, Y = sinefit.data()
LOSSES, RESULT = sinefit.predict()
FLOOR = sinefit.optimum(X, Y)[1]


def draw_fit():
    """Draw the sine, the start, the result, and the losses of the run."""
    _, (left, right) = plt.subplots(
        1, 2, figsize=(10, 3.4), facecolor="white", layout="constrained"
    )
    left.plot(X, Y, "0.7", lw=7, label="sin(x)")
    left.plot(X, polyval(X, sinefit.START), label="start")
    left.plot(X, polyval(X, RESULT), label="result")
    left.set(xlabel="x", xticks=[-3, 0, 3])
    left.legend()
    right.semilogy(LOSSES)
    right.axhline(FLOOR, color="0.5", lw=1)
    right.set(xlabel="step", ylabel="loss")
    plt.savefig(IMAGES / "fit.png", metadata={"Software": None})


def outline(x, y, across, up):
    """Return an SVG path through points, in a picture of 280 by 200."""
    x = 36 + 232 * np.subtract(x, across[0]) / np.ptp(across)
    y = 180 - 170 * np.subtract(y, up[0]) / np.ptp(up)
    return "M" + "L".join(
        f"{i:.1f} {j:.1f}" for i, j in zip(x, y, strict=True)
    )


def curve(y):
    """Return the path of a curve over some of the points."""
    return outline(X[::64], y[::64], (-3.2, 3.2), (-2, 2))


def draw_motion():
    """Return the run as two SVGs, to stand in a page, that play once.

    60 frames lie ever further apart, for most happens early. Where a reader
    wants no motion, book.css shows the end alone.
    """
    shown = (1999 * np.linspace(0, 1, 60) ** 3).astype(int)
    weights = {t: sinefit.predict(steps=t)[1] for t in shown if t}
    curves = [curve(polyval(X, weights.get(t, sinefit.START))) for t in shown]
    widths = ";".join(f"{36 + 232 * t / 1999:.1f}" for t in shown)
    steps = np.unique(np.geomspace(1, 2000, 150).astype(int)) - 1
    box = (0, 2000), (0.5, 3.25)
    trail = outline(steps, np.log10(LOSSES)[steps], *box)
    floor = outline(box[0], [np.log10(FLOOR)] * 2, *box)
    once = 'dur="5s" fill="freeze"'
    again = (
        "this.closest('.motion').querySelectorAll('svg')"
        ".forEach(picture => picture.setCurrentTime(0))"
    )
    return f"""<div class="motion">
<svg viewBox="0 0 280 200" role="img">
<title>A cubic that starts far from a sine bends, in five seconds, until it
lies on it.</title>
<path class="sine" d="{curve(Y)}"/>
<path class="fit still" d="{curves[-1]}"/>
<path class="fit moving" d="{curves[0]}">
<animate attributeName="d" {once} values="{";".join(curves)}"/></path>
<text x="72" y="164">sin(x)</text>
<text x="200" y="30" class="fit">the cubic</text>
</svg>
<svg viewBox="0 0 280 200" role="img">
<title>Its loss falls over 2000 steps, on a logarithmic scale, from \
{LOSSES[0]:.0f}
to {LOSSES[-1]:.1f}, just above a line, the floor.</title>
<path class="floor" d="{floor}"/>
<clipPath id="so-far"><rect height="200" width="300">
<animate attributeName="width" {once} values="{widths}"/></rect></clipPath>
<path class="loss still" d="{trail}"/>
<path class="loss moving" d="{trail}" clip-path="url(#so-far)"/>
<text x="32" y="153" class="end">10</text>
<text x="32" y="91" class="end">100</text>
<text x="32" y="29" class="end">1000</text>
<text x="36" y="196">0</text>
<text x="268" y="196" class="end">2000 steps</text>
<text x="60" y="30" class="loss">the loss</text>
<text x="120" y="172">the floor</text>
</svg>
<p><button type="button" onclick="{again}">Play again</button></p>
</div>
"""


ICON = f"""\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32" fill="none" \
stroke-width="4" stroke-linecap="round"><rect width="32" height="32" rx="6" \
fill="{sinefit.COLORS[0].lower()}" stroke="none"/>\
<path d="M4 20C8 30 12 28 16 16S24 2 28 12" stroke="#fff"/></svg>
"""


if __name__ == "__main__":
    draw_fit()
    (IMAGES / "motion.svg").write_text(draw_motion(), encoding="utf-8")
    (IMAGES / "icon.svg").write_text(ICON, encoding="utf-8")
