"""Fit a network to two columns of a CSV file, and see how well it predicts.

The last quarter of the rows, in the order of x, is kept back: no step is
taken on it. A new folder gets the network that did best there, and a picture.
Ctrl-C stops a run, and --resume goes on as if it had not.
"""

import argparse
import copy
import csv
import functools
import math
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import matplotlib.pyplot as plt
import torch
from torch import nn
from torch.optim.lr_scheduler import CosineAnnealingLR
from torch.utils.data import DataLoader, TensorDataset
from tqdm import tqdm


def parser():
    """Return what reads the command line."""
    narrow = functools.partial(argparse.HelpFormatter, width=72)
    it = argparse.ArgumentParser(
        "train.py", description=__doc__, formatter_class=narrow
    )
    it.add_argument("file", type=Path, help="CSV, commas, names on top")
    it.add_argument(
        "--x", required=True, help="column of numbers, or dates: 2024-03-01"
    )
    it.add_argument("--y", required=True, help="column to predict")
    it.add_argument(
        "--period",
        type=float,
        help="after how much x comes round again, at the shortest: 24 of "
        "hours, 365.25 of dates",
    )
    it.add_argument(
        "--epochs", type=int, default=100, help="times through the rows (100)"
    )
    it.add_argument(
        "--rate", type=float, default=3e-3, help="learning rate (0.003)"
    )
    it.add_argument("--device", help="cpu, cuda, mps (the best there is)")
    it.add_argument("--out", type=Path, help="folder to make (FILE-run)")
    it.add_argument("--resume", action="store_true", help="go on with its run")
    return it


def need(condition, words):
    """Stop with these words, unless the condition holds."""
    if not condition:
        sys.exit(words)


def number(text):
    """Return a number, or the days of a date; ValueError for other text."""
    try:
        value = float(text)
    except ValueError:
        when = datetime.fromisoformat(text).replace(tzinfo=UTC)
        return when.timestamp() / 86400
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def read(path, names):
    """Return the columns of these names, in the order of the first."""
    rows = []
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        for row in (table := csv.DictReader(file)):
            missing = [name for name in names if name not in row]
            need(not missing, f"{path}: no column {missing}, but {[*row]}")
            try:
                rows.append([number(row[name] or "") for name in names])
            except ValueError:
                got = {name: row[name] for name in names}
                words = "expected numbers, or dates like 2024-03-01, got"
                sys.exit(f"{path}, line {table.line_num}: {words} {got}")
    words = f"{path}: expected 20 rows or more, got {len(rows)}"
    need(len(rows) >= 20, words)
    return torch.tensor(sorted(rows), dtype=torch.float64).T


def rms(off):
    """Return the root of the mean square."""
    return off.square().mean().sqrt().item()


def main(arguments=None):
    """Train, keep the best, draw; return its error on the rows not seen."""
    given = parser().parse_args(arguments)
    need(given.file.is_file(), f"{given.file}: no such file")
    folder = given.out or given.file.with_name(f"{given.file.stem}-run")
    last, to_resume = folder / "last.pt", given.resume
    need(last.is_file() or not to_resume, f"{last}: no such file to resume")
    words = f"{folder} is there: say --resume, or --out another-folder"
    need(to_resume or not folder.exists(), words)
    file = next(filter(Path.is_file, folder.parents), None)
    need(not file, f"--out {folder}: {file} is a file, and not a folder")
    above = [
        v for v in (given.epochs, given.rate, given.period) if v is not None
    ]
    words = "--epochs, --rate, --period: expected numbers above 0"
    need(all(0 < value < math.inf for value in above), words)

    x, y = read(given.file, (given.x, given.y))
    n = len(x) * 3 // 4  # rows to learn from
    for name, column in ((given.x, x), (given.y, y)):
        words = f"{name}: expected numbers that differ, got {column[0]:g}"
        need(column[:n].std() > 0, words)
    mean, deviation = y[:n].mean().item(), y[:n].std().item()
    inputs = ((x - x[:n].mean()) / x[:n].std())[:, None]
    if given.period:  # then what comes is like what was
        turn = 2 * torch.pi * x / given.period
        inputs = torch.stack([turn.sin(), turn.cos()], dim=1)
    device = given.device or torch.accelerator.current_accelerator(True)
    try:
        inputs = inputs.float().to(device or "cpu")
    except (AssertionError, RuntimeError) as error:
        sys.exit(f"--device {device}: {str(error).splitlines()[0]}")
    targets = ((y - mean) / deviation).to(inputs)

    torch.manual_seed(0)
    layers = [nn.Linear(inputs.shape[1], 32), nn.Tanh(), nn.Linear(32, 1)]
    model = nn.Sequential(*layers, nn.Flatten(0, 1)).to(inputs.device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=given.rate)
    schedule = CosineAnnealingLR(optimizer, given.epochs)
    seen = TensorDataset(inputs[:n], targets[:n])
    batches = DataLoader(seen, batch_size=64, shuffle=True)
    parts = {"model": model, "optimizer": optimizer, "schedule": schedule}
    run = {k: vars(given)[k] for k in ("x", "y", "period", "epochs", "rate")}
    run |= {"rows": len(x), "sums": [x.sum().item(), y.sum().item()]}
    errors = []
    if to_resume:
        try:
            state = torch.load(last, weights_only=True)
        except Exception:
            sys.exit(f"{last}: not what train.py writes: take another --out")
        words = f"{folder} holds a run with {state['run']}, not {run}"
        need(state["run"] == run, words)
        for name, part in parts.items():
            part.load_state_dict(state[name])
        torch.set_rng_state(state["generator"])
        errors, best = state["errors"], state["best"]

    epochs = range(len(errors), given.epochs)
    try:
        for _ in (bar := tqdm(epochs, unit="epoch", disable=None)):
            model.train()
            for some_inputs, some_targets in batches:
                y_pred = model(some_inputs)
                loss = nn.functional.mse_loss(y_pred, some_targets)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            schedule.step()
            model.eval()
            with torch.no_grad():
                off = (model(inputs) - targets).cpu() * deviation
            errors.append([rms(off[:n]), rms(off[n:])])
            ends = "The error is not finite: take a smaller --rate"
            need(math.isfinite(sum(errors[-1])), ends)
            state = {name: part.state_dict() for name, part in parts.items()}
            if errors[-1][1] == min(unseen for _, unseen in errors):
                best = copy.deepcopy(state["model"])
            state |= {"run": run, "errors": errors, "best": best}
            folder.mkdir(parents=True, exist_ok=True)
            state |= {"generator": torch.get_rng_state()}
            torch.save(state, folder / "next.pt")
            os.replace(folder / "next.pt", last)  # whole, or not at all
            bar.set_postfix(seen=errors[-1][0], unseen=errors[-1][1])
    except KeyboardInterrupt:
        again = " and --resume" if last.is_file() else ""
        sys.exit(f"Stopped. Go on with the same command{again}")

    model.load_state_dict(best)
    torch.save(best, folder / "best.pt")
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4))
    at = x % given.period if given.period else x  # one period, or all
    left.plot(at[:n], y[:n], ".", color="0.8", label="seen")
    left.plot(at[n:], y[n:], ".", color="0.5", label="unseen")
    y_pred = model(inputs).detach().cpu() * deviation + mean
    left.plot(at.sort().values, y_pred[at.argsort()], label="network")
    left.set(xlabel=given.x, ylabel=given.y)
    right.plot(range(1, len(errors) + 1), errors, label=["seen", "unseen"])
    right.set(xlabel="epoch", ylabel="error")
    left.legend()
    right.legend()
    figure.savefig(folder / "fit.png")
    plt.close(figure)
    error, epoch = min((e[1], k) for k, e in enumerate(errors, 1))
    print(f"Off by {error:.4g} where it had not seen, after epoch {epoch},")
    print("which was chosen for it: on new rows expect somewhat more.")
    of_mean = rms(y[n:] - mean)
    print(f"The mean of what it had seen is off by {of_mean:.4g}.")
    if error > 0.95 * of_mean:
        print("That is hardly worse. Does x come round again? Try --period.")
    print(f"In {folder.name}: fit.png, the picture; best.pt, the weights.")
    return error


if __name__ == "__main__":
    main()
