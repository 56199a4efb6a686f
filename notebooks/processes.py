"""Fit the cubic from several processes, each with its part of the points.

torchrun --standalone --nproc-per-node 2 processes.py run.pt starts two. The
file then holds the weights and the losses; where there is one, the run goes
on from it, with as many processes as it is given. python processes.py run.pt
is one.
"""

import argparse
import json
import os
import statistics
import sys
from datetime import timedelta
from pathlib import Path

import torch
from torch import distributed
from torch.nn.parallel import DistributedDataParallel
from torch.utils import benchmark

import polynomial
import sinefit

SIZES = {2_000: 50, 20_000: 20, 200_000: 10, 2_000_000: 2}  # points: steps
loss_fn = torch.nn.MSELoss(reduction="sum")


def join():
    """Join the processes that torchrun has started, or be the only one."""
    store, rank, processes = distributed.HashStore(), 0, 1
    if "RANK" in os.environ:
        store, rank, processes = next(distributed.rendezvous("env://"))
        # after a restart gloo would find the addresses of those that died
        attempt = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
        store = distributed.PrefixStore(attempt, store)
    distributed.init_process_group(
        "gloo",
        store=store,
        rank=rank,
        world_size=processes,
        timeout=timedelta(minutes=1),  # for one that has gone silent
    )


def prepare(points=2000, rate=1e-6):
    """Return this process's x and y, the model and its optimizer."""
    rank, processes = distributed.get_rank(), distributed.get_world_size()
    x = torch.linspace(-torch.pi, torch.pi, points, dtype=torch.float64)
    x = x[rank::processes].clone()  # every second one, where there are two
    model = polynomial.Polynomial(3, sinefit.START, x.dtype)
    model = DistributedDataParallel(model)
    rate = rate * processes  # DDP averages the gradients, we want their sum
    return x, torch.sin(x), model, torch.optim.SGD(model.parameters(), rate)


def step(x, y, model, optimizer):
    """Take a step, as the others do, and return the loss on this part."""
    loss = loss_fn(model(x), y)
    optimizer.zero_grad()
    loss.backward()  # DDP: wait for the others, and take the average
    optimizer.step()
    return loss.detach()


def resume(file, model):
    """Give all processes the weights in rank 0's file; return its losses."""
    losses = []
    if distributed.get_rank() == 0 and file.exists():
        try:
            state, losses = torch.load(file, weights_only=True)
            model.load_state_dict(state)
        except Exception:
            sys.exit(f"{file}: expected a checkpoint that processes.py wrote")
    shared = [losses, model.state_dict()]
    distributed.broadcast_object_list(shared)
    model.load_state_dict(shared[1])
    return shared[0]


def fit(file, steps=2000, every=500, die=None):
    """Fit the cubic, and write file every so many steps, or go on from it.

    Return the step it began with. Before step die of a run that began with 0,
    process 1 ends at once, like one that is killed.
    """
    x, y, model, optimizer = prepare()
    losses, mine = resume(file, model.module), []  # the model inside DDP
    first = len(losses)
    for t in range(first, steps):
        if t == die and first == 0 and distributed.get_rank() == 1:
            os._exit(1)
        mine.append(step(x, y, model, optimizer))
        if (t + 1) % every == 0 or t + 1 == steps:
            total = torch.stack(mine)
            distributed.all_reduce(total)  # now the sum over all processes
            losses, mine = losses + total.tolist(), []
            if distributed.get_rank() == 0:
                fresh = file.with_name(file.name + ".next")
                torch.save((model.module.state_dict(), losses), fresh)
                fresh.replace(file)
    return first


def cost(points, steps):
    """Return the seconds that one step takes: the median of three goes."""
    x, y, model, optimizer = prepare(points, rate=1e-9)
    alone = distributed.get_world_size() == 1
    timer = benchmark.Timer(
        "step(*parts)",
        globals={
            "step": step,
            "parts": (x, y, model.module if alone else model, optimizer),
        },
        num_threads=torch.get_num_threads(),
    )
    return statistics.median(timer.timeit(steps).median for _ in range(3))


def parser():
    """Return what reads the command line."""
    it = argparse.ArgumentParser("processes.py", description=__doc__)
    it.add_argument("file", type=Path, help="checkpoint, to write or to go on")
    it.add_argument("--steps", type=int, default=2000, help="in all (2000)")
    it.add_argument(
        "--die", type=int, help="step at which process 1 ends, as if killed"
    )
    it.add_argument("--cost", type=Path, help="time steps, write this JSON")
    return it


def main(arguments=None):
    """Fit as one of the processes that torchrun starts, or as the only one."""
    options = parser().parse_args(arguments)
    for path in filter(None, (options.file, options.cost)):
        if not path.parent.is_dir():
            sys.exit(f"{path}: there is no folder {path.parent} yet")
    if options.steps < 1:
        sys.exit(f"--steps: expected 1 or more, got {options.steps}")
    join()
    try:
        first = fit(options.file, options.steps, die=options.die)
        timed = SIZES.items() if options.cost else ()
        seconds = {points: cost(points, steps) for points, steps in timed}
        if distributed.get_rank() > 0:
            return  # one speaks and writes for all
        if seconds:
            options.cost.write_text(json.dumps(seconds), encoding="utf-8")
        count = distributed.get_world_size()
        if first < options.steps:
            print(f"{count} at work from step {first} to {options.steps}")
        elif not options.cost:
            print(f"nothing left to do: {options.file} is at step {first}")
    finally:
        distributed.destroy_process_group()


if __name__ == "__main__":
    main()
