"""Draw chapter 1's run, and the book's icon: `make notebooks`.

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


FIT = """A cubic that starts far from a sine bends, in five seconds, until it
lies on it."""
LOSS = """Its loss falls over 2000 steps, on a logarithmic scale, from {:.0f}
to {:.1f}, just above a line, the floor."""
FRAMES = 60


def draw_motion(target):
    """Write the run as two SVGs, to stand in a page, that play once.

    Frames lie ever further apart, for most happens early. Where a reader
    wants no motion, book.css shows the end alone.
    """
    x, y = sinefit.data()
    V = np.vander(x, 4, increasing=True)
    w, curves, losses = np.array(sinefit.START), [], []
    shown = (1999 * np.linspace(0, 1, FRAMES) ** 3).astype(int)
    for t in range(2000):
        error = V @ w - y
        losses.append(error @ error)
        if t in shown:
            curve = outline(x[::64], (V @ w)[::64], (-3.2, 3.2), (-2, 2))
            curves += [curve] * np.count_nonzero(shown == t)
        w -= 1e-6 * 2 * error @ V
    steps = np.unique(np.geomspace(1, 2000, 150).astype(int)) - 1
    box = (0, 2000), (0.5, 3.25)
    trail = outline(steps, np.log10(losses)[steps], *box)
    floor = np.log10(sinefit.optimum(x, y)[1])
    widths = ";".join(f"{36 + 232 * t / 1999:.1f}" for t in shown)
    once = 'dur="5s" fill="freeze"'
    left = f"""<path class="sine" \
d="{outline(x[::64], y[::64], (-3.2, 3.2), (-2, 2))}"/>
<path class="fit still" d="{curves[-1]}"/>
<path class="fit moving" d="{curves[0]}">
<animate attributeName="d" {once} values="{";".join(curves)}"/></path>
{text(72, 164, "sin(x)")}{text(200, 30, "the cubic", "fit")}"""
    right = f"""<path class="floor" d="{outline(box[0], [floor] * 2, *box)}"/>
<clipPath id="so-far"><rect height="200" width="300">
<animate attributeName="width" {once} values="{widths}"/></rect></clipPath>
<path class="loss still" d="{trail}"/>
<path class="loss moving" d="{trail}" clip-path="url(#so-far)"/>
"""
    for power in (1, 2, 3):
        up = 180 - 170 * (power - 0.5) / 2.75
        right += text(32, up + 4, f"{10**power}", "end")
    right += text(36, 196, "0") + text(268, 196, "2000 steps", "end")
    right += text(60, 30, "the loss", "loss") + text(120, 172, "the floor")
    pictures = "\n".join(
        f'<svg viewBox="0 0 280 200" role="img">\n'
        f"<title>{title}</title>\n{inside}\n</svg>"
        for title, inside in (
            (FIT, left),
            (LOSS.format(losses[0], losses[-1]), right),
        )
    )
    again = (
        "this.closest('.motion').querySelectorAll('svg')"
        ".forEach(picture => picture.setCurrentTime(0))"
    )
    target.write_text(
        f"""<div class="motion">
{pictures}
<p><button type="button" onclick="{again}">Play again</button></p>
</div>
""",
        encoding="utf-8",
    )


ICON = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32" fill="none" \
stroke-width="4" stroke-linecap="round"><rect width="32" height="32" rx="6" \
fill="{}" stroke="none"/><path d="M4 20C8 30 12 28 16 16S24 2 28 12" \
stroke="#fff"/></svg>
"""


def text(x, y, words, kind=""):
    """Return words at a place of a picture."""
    return f'<text x="{x:.0f}" y="{y:.0f}" class="{kind}">{words}</text>\n'


def outline(x, y, across, up):
    """Return an SVG path through points, in a picture of 280 by 200."""
    x = 36 + 232 * np.subtract(x, across[0]) / np.ptp(across)
    y = 180 - 170 * np.subtract(y, up[0]) / np.ptp(up)
    return "M" + "L".join(
        f"{i:.1f} {j:.1f}" for i, j in zip(x, y, strict=True)
    )


if __name__ == "__main__":
    images = ROOT / "book" / "images"
    draw_fit(images / "fit.png")
    draw_motion(images / "motion.svg")
    icon = ICON.format(sinefit.COLORS[0].lower())
    (images / "icon.svg").write_text(icon, encoding="utf-8")
