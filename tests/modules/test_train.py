"""Chapter 9's script: what it learns, how it stops, its words for errors."""

import contextlib
import os
import runpy
import signal
import subprocess
import sys

import numpy as np
import pytest
import torch

import train
from conftest import NOTEBOOKS, long

TIDES = ["--x=hour", "--y=metres", "--period=12.42"]
with contextlib.suppress(ImportError):  # on Windows
    import termios

DEVICES = ["cpu"] + ["cuda"] * torch.cuda.is_available()


@pytest.fixture
def tides(tmp_path):
    """Write 400 hours of tides, the last first, with noise of 0.2."""
    hours = np.arange(400.0)
    level = np.sin(2 * np.pi * hours / 12.42 + 1)
    level += np.random.default_rng(0).normal(0, 0.2, 400)
    table = np.c_[hours, level][::-1]
    path = tmp_path / "tides.csv"
    np.savetxt(path, table, "%.17g", ",", header="hour,metres", comments="")
    return path


def refused(path, *arguments):
    """Return with which words the script refuses a file."""
    with pytest.raises(SystemExit) as stopped:
        train.main([str(path), *arguments])
    return str(stopped.value)


def checkpoint(folder):
    """Return all that the last checkpoint holds, flat, to compare."""
    state = torch.load(folder / "last.pt", weights_only=True)
    parts = [*state["model"].values(), state["generator"]]
    for moments in state["optimizer"]["state"].values():
        parts += moments.values()
    return state["errors"], parts


def same(one, other):
    """Tell whether two checkpoints are equal to the last bit."""
    pairs = zip(one[1], other[1], strict=True)
    return one[0] == other[0] and all(torch.equal(a, b) for a, b in pairs)


@pytest.mark.parametrize("device", DEVICES)
def test_it_finds_the_tides_and_judges_by_the_last_quarter(
    tides, device, capsys
):
    error = train.main([str(tides), *TIDES, f"--device={device}"])
    folder = tides.with_name("tides-run")
    assert 0.18 < error < 0.24, "the noise is 0.2"
    assert {file.name for file in folder.iterdir()} == {
        *("best.pt", "last.pt", "fit.png")
    }
    hours, level = np.loadtxt(tides, delimiter=",", skiprows=1)[::-1].T
    best = torch.load(folder / "best.pt", weights_only=True)
    w, b, v, c = [best[k].double().cpu().numpy() for k in best]
    turn = 2 * np.pi * hours / 12.42
    y_pred = np.tanh(np.c_[np.sin(turn), np.cos(turn)] @ w.T + b) @ v[0] + c
    y_pred = level[:300].mean() + level[:300].std(ddof=1) * y_pred
    by_numpy = np.sqrt(np.square(y_pred - level)[300:].mean())
    np.testing.assert_allclose(error, by_numpy, rtol=1e-4)
    errors, _ = checkpoint(folder)
    assert len(errors) == 100 and error == min(e for _, e in errors)
    of_mean = np.sqrt(np.square(level[300:] - level[:300].mean()).mean())
    said = capsys.readouterr().out
    assert f"{error:.4g}" in said and f"{of_mean:.4g}" in said
    assert "hardly worse" not in said
    assert (folder / "fit.png").read_bytes().startswith(b"\x89PNG")


def test_a_fit_no_better_than_the_mean_is_called_one(tides, capsys):
    train.main([str(tides), *TIDES[:2], "--epochs=3"])
    assert "That is hardly worse. Does x come round" in capsys.readouterr().out


def interrupted(monkeypatch, epochs):
    """Let Ctrl-C come in the middle of the epoch after so many."""
    calls = []

    def step(self, *, old=torch.optim.AdamW.step):
        calls.append(0)
        if len(calls) == 5 * epochs + 2:  # of 300 rows: 5 batches each
            raise KeyboardInterrupt
        return old(self)

    monkeypatch.setattr(torch.optim.AdamW, "step", step)


def test_stopped_and_resumed_it_is_the_same_to_the_last_bit(
    tides, monkeypatch
):
    arguments = [*TIDES, "--epochs=8"]
    train.main([str(tides), *arguments, f"--out={tides.with_name('whole')}"])
    with monkeypatch.context() as patch:
        interrupted(patch, 3)
        assert "same command and --resume" in refused(tides, *arguments)
    folder = tides.with_name("tides-run")
    assert len(checkpoint(folder)[0]) == 3
    train.main([str(tides), *arguments, "--resume"])
    assert same(checkpoint(folder), checkpoint(tides.with_name("whole")))


def test_stopped_in_its_first_epoch_it_leaves_nothing(tides, monkeypatch):
    interrupted(monkeypatch, 0)
    assert refused(tides, *TIDES).endswith("Go on with the same command")
    assert not tides.with_name("tides-run").exists()


@pytest.mark.skipif(os.name != "posix", reason="no signals on this system")
@pytest.mark.parametrize("kill", long(["SIGKILL", "SIGINT"]))
def test_a_command_that_is_killed_is_resumed_as_if_it_had_not(tides, kill):
    """On a terminal it has a bar, by which the test sees how far it is."""
    terminal, its_end = os.openpty()
    termios.tcsetwinsize(its_end, (24, 80))
    arguments = [*TIDES, "--epochs=100"]
    script = [sys.executable, NOTEBOOKS / "train.py", tides, *arguments]

    def listen():  # in the background, as make runs this, Ctrl-C is ignored
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    process = subprocess.Popen(script, stderr=its_end, preexec_fn=listen)
    os.close(its_end)
    said = b""
    while b"unseen" not in said:
        said += os.read(terminal, 1000)
    process.send_signal(getattr(signal, kill))
    with contextlib.suppress(OSError):  # the end of a terminal
        while more := os.read(terminal, 1000):
            said += more
    os.close(terminal)
    assert process.wait(30) == (1 if kill == "SIGINT" else -signal.SIGKILL)
    assert b"epoch" in said
    assert (b"Go on with the same command" in said) == (kill == "SIGINT")
    folder = tides.with_name("tides-run")
    assert 1 <= len(checkpoint(folder)[0]) < 100
    train.main([str(tides), *arguments, "--resume"])
    train.main([str(tides), *arguments, f"--out={tides.with_name('whole')}"])
    assert same(checkpoint(folder), checkpoint(tides.with_name("whole")))


def test_nothing_that_is_there_is_overwritten(tides):
    folder = tides.with_name("tides-run")
    folder.mkdir()
    (folder / "mine").write_text("mine")
    assert "is there: say --resume" in refused(tides, *TIDES)
    assert "no such file to resume" in refused(tides, *TIDES, "--resume")
    assert [file.name for file in folder.iterdir()] == ["mine"]
    out = f"--out={tides.with_name('other')}"
    train.main([str(tides), *TIDES, "--epochs=2", out])
    before = checkpoint(tides.with_name("other"))
    for change in ("--rate=0.1", "--epochs=3", "--period=12"):
        words = refused(tides, *TIDES, "--epochs=2", out, "--resume", change)
        assert "holds a run with" in words and ", not {" in words
    tides.write_text(tides.read_text() + "400,0.5\n")  # other data
    words = refused(tides, *TIDES, "--epochs=2", out, "--resume")
    assert "holds a run with" in words and ", not {" in words
    assert same(checkpoint(tides.with_name("other")), before)
    tides.with_name("other").joinpath("last.pt").write_text("spoilt")
    words = refused(tides, *TIDES, "--epochs=2", out, "--resume")
    assert "last.pt: not what train.py writes" in words


ROWS = [f"2020-01-{k + 1:02},{k % 7}" for k in range(30)]
BAD = {  # rows of a file, or a change of the arguments, and the words
    "empty": ([], [], "expected 20 rows or more, got 0"),
    "few": (ROWS[:19], [], "expected 20 rows or more, got 19"),
    "column": (ROWS, ["--y=z"], "no column ['z'], but ['day', 'y']"),
    "text": (
        [*ROWS, "2020-02-01,warm"],
        [],
        "line 32: expected numbers, or dates ",
    ),
    "value": ([*ROWS, "2020-02-01,"], [], "'y': ''"),
    "short": ([*ROWS, "2020-02-01"], [], "'y': None"),
    "nan": ([*ROWS[:4], "2020-01-05,nan", *ROWS], [], "line 6: "),
    "inf": ([*ROWS, "2020-02-01,inf"], [], "'y': 'inf'"),
    "day": ([*ROWS, "31.12.2020,1"], [], "'day': '31.12.2020'"),
    "level": ([row[:-1] + "3" for row in ROWS], [], "y: expected numbers "),
    "one day": ([f"1,{k}" for k in range(30)], [], "day: expected numbers "),
    "epochs": (ROWS, ["--epochs=0"], "expected numbers above 0"),
    "rate": (ROWS, ["--rate=-1"], "expected numbers above 0"),
    "no rate": (ROWS, ["--rate=nan"], "expected numbers above 0"),
    "period": (ROWS, ["--period=0"], "expected numbers above 0"),
    "blow up": (ROWS, ["--rate=1e30"], "take a smaller --rate"),
    "below a file": (
        ROWS,
        [f"--out={__file__}/x"],
        "train.py is a file, and ",
    ),
    "device": (ROWS, ["--device=gpu"], "--device gpu: "),
}


@pytest.mark.parametrize(("rows", "change", "words"), BAD.values(), ids=BAD)
def test_bad_input_gets_a_sentence(rows, change, words, tmp_path):
    path = tmp_path / "data.csv"
    path.write_text("\n".join(["day,y", *rows]))
    said = refused(path, "--x=day", "--y=y", *change)
    assert words in said and "\n" not in said
    assert not (tmp_path / "data-run").exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_a_gpu_that_is_not_there_is_named(tides):
    assert "--device cuda: " in refused(tides, *TIDES, "--device=cuda")


def test_dates_are_days_and_times_their_parts():
    days = [
        train.number(t) for t in ("2012-03-01", "2012-02-28", "1970-01-01")
    ]
    assert days[0] - days[1] == 2 and days[2] == 0
    assert train.number("1970-01-02T12:00:00") == 1.5
    assert train.number("-2.5e1") == -25


def test_it_is_a_command_that_says_which_file_is_not_there(monkeypatch):
    script = str(NOTEBOOKS / "train.py")
    monkeypatch.setattr(sys, "argv", [script, "data.csv", *TIDES])
    with pytest.raises(SystemExit, match=r"data.csv: no such file"):
        runpy.run_path(script, run_name="__main__")
