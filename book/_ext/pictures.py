"""Draw the book's two pictures from the outputs stored in the chapters.

`make notebooks` runs this. fit.png is chapter 1's run, for the README;
ladder.svg shows who does which job on which rung, and the losses printed
there, for the welcome page.
"""

import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "notebooks"))

import matplotlib.pyplot as plt  # noqa: E402
import numpy as np  # noqa: E402

import sinefit  # noqa: E402

JOBS = ["arrays", "gradient", "weights, loss", "update"]
# Who does each job, rung by rung.
LADDER = [
    ["you", "you", "you", "you"],
    ["PyTorch", "you", "you", "you"],
    ["PyTorch", "PyTorch", "you", "you"],
    ["PyTorch", "your Function", "you", "you"],
    ["PyTorch", "PyTorch", "PyTorch", "you"],
    ["PyTorch", "PyTorch", "PyTorch", "PyTorch"],
    ["PyTorch", "PyTorch", "your Module", "PyTorch"],
]
# Filled where PyTorch does it, light where it does it your way.
FILL = {"you": "none", "PyTorch": sinefit.COLORS[0], "your": "#BBD9EE"}


def printed_losses(chapter):
    """Return the losses that the chapter's loop printed, one a line."""
    cells = json.loads(chapter.read_text(encoding="utf-8"))["cells"]
    (loop,) = (c for c in cells if "loop" in c["metadata"].get("tags", []))
    text = "".join("".join(out["text"]) for out in loop["outputs"])
    return [float(n) for n in re.findall(r"^ *\d+ +([\d.]+)$", text, re.M)]


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


def draw_ladder(target, chapters):
    """Draw a row a rung: who does its jobs, and the losses it printed."""
    plt.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "ladder"})
    _, axes = plt.subplots(figsize=(9, 4.4), layout="constrained")
    for column, job in enumerate([*JOBS, "loss"]):
        axes.text(column + 0.5, -0.25, job, ha="center", weight="bold")
    for row, (chapter, doers) in enumerate(zip(chapters, LADDER, strict=True)):
        axes.text(-0.1, row + 0.58, f"{row + 1}", ha="right", weight="bold")
        for column, who in enumerate(doers):
            axes.add_patch(
                plt.Rectangle(
                    (column + 0.03, row + 0.08),
                    width=0.94,
                    height=0.84,
                    facecolor=FILL[who.split()[0]],
                    edgecolor=sinefit.COLORS[0],
                )
            )
            color = "white" if who == "PyTorch" else "black"
            axes.text(column + 0.5, row + 0.58, who, ha="center", color=color)
        height = np.log10(printed_losses(chapter))
        x = np.linspace(len(JOBS) + 0.15, len(JOBS) + 0.95, height.size)
        axes.plot(x, row + 1.2 - 0.4 * height, color=sinefit.COLORS[1], ls="-")
    axes.set(xlim=(-0.4, len(JOBS) + 1), ylim=(len(chapters), -0.6))
    axes.axis("off")
    plt.savefig(target, metadata={"Date": None})


if __name__ == "__main__":
    images = ROOT / "book" / "images"
    chapters = sorted((ROOT / "notebooks").glob("0*.ipynb"))
    draw_fit(images / "fit.png")
    draw_ladder(images / "ladder.svg", chapters)
