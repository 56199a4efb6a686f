"""processes.py, alone, together, and when one of several dies."""

import json
import os
import re
import runpy
import socket
import sys

import numpy as np
import pytest
import torch

import processes
import sinefit
from conftest import NOTEBOOKS, ROOT, run
from runner import cells

THEORY, END = sinefit.predict()
SCRIPT = NOTEBOOKS / "processes.py"


def torchrun(folder, number, *arguments, script=SCRIPT, restarts=0):
    """Start so many processes, as a reader does."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += [f"--nproc-per-node={number}", f"--max-restarts={restarts}"]
    return run([*command, script, *arguments], folder)


def expect(file, losses=THEORY):
    """Hold a checkpoint to theory."""
    state, kept = torch.load(file, weights_only=True)
    np.testing.assert_allclose(kept, losses, rtol=1e-12)
    if len(kept) == 2000:
        np.testing.assert_allclose(state["weights"], END, rtol=1e-9)


def test_one_process_gives_theorys_losses_and_a_second_run_no_others(
    tmp_path, capsys
):
    file = tmp_path / "run.pt"
    processes.main([str(file)])
    assert capsys.readouterr().out == "1 at work from step 0 to 2000\n"
    expect(file)
    before = file.read_bytes()
    processes.main([str(file)])
    said = capsys.readouterr().out
    assert said == f"nothing left to do: {file} is at step 2000\n"
    assert file.read_bytes() == before
    assert [*tmp_path.iterdir()] == [file]


def test_a_run_goes_on_from_where_it_was(tmp_path, capsys):
    file = tmp_path / "run.pt"
    processes.main([str(file), "--steps=700"])
    expect(file, THEORY[:700])
    processes.main([str(file), "--die=800"])
    assert "from step 700 to 2000" in capsys.readouterr().out
    expect(file)


def test_process_1_dies_once_where_it_should(tmp_path, monkeypatch):
    def killed(code):
        raise SystemExit(code)

    file = tmp_path / "run.pt"
    monkeypatch.setattr(os, "_exit", killed)
    monkeypatch.setattr(processes.distributed, "get_rank", lambda: 1)
    with pytest.raises(SystemExit, match="1"):
        processes.main([str(file), "--die=700"])
    assert not file.exists()  # rank 0 alone writes
    assert processes.main([str(file), "--steps=3"]) is None
    assert not [*tmp_path.iterdir()]
    monkeypatch.setattr(processes.distributed, "get_rank", lambda: 0)
    processes.main([str(file), "--die=700", "--steps=800"])
    expect(file, THEORY[:800])


def test_it_takes_the_place_that_torchrun_gives_it(tmp_path, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    place = {"RANK": 0, "WORLD_SIZE": 1, "MASTER_PORT": port}
    for name, value in place.items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
    processes.main([str(tmp_path / "run.pt"), "--steps=3"])
    expect(tmp_path / "run.pt", THEORY[:3])


def test_it_times_a_step_at_each_size(tmp_path, monkeypatch):
    monkeypatch.setattr(processes, "SIZES", {2000: 2, 4000: 1})
    cost = tmp_path / "cost.json"
    processes.main([str(tmp_path / "run.pt"), "--steps=1", f"--cost={cost}"])
    seconds = json.loads(cost.read_text(encoding="utf-8"))
    assert [*seconds] == ["2000", "4000"]
    assert min(seconds.values()) > 0
    cost.unlink()
    processes.main([str(tmp_path / "run.pt"), "--steps=1", f"--cost={cost}"])
    assert cost.exists()  # timed, though nothing was left to do


@pytest.mark.parametrize("broken", [b"text", b"", {"a": 1}, ({}, []), None])
def test_what_it_did_not_write_is_left_alone(tmp_path, broken):
    file = tmp_path / "run.pt"
    if isinstance(broken, bytes):
        file.write_bytes(broken)
    else:
        torch.save(broken, file)
    before = file.read_bytes()
    with pytest.raises(SystemExit) as ended:
        processes.main([str(file)])
    assert f"{file}: expected a checkpoint that processes.py wrote" in str(
        ended.value
    )
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    ("file", "option", "words"),
    [
        ("no/run.pt", "--steps=1", "no folder"),
        ("run.pt", "--steps=0", "expected 1 or more, got 0"),
        ("run.pt", "--cost=no/c", "no folder"),
    ],
)
def test_what_cannot_be_done_is_said_before_the_work(
    tmp_path, monkeypatch, file, option, words
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), file, option])
    with pytest.raises(SystemExit, match=words):
        runpy.run_path(str(SCRIPT), run_name="__main__")
    assert not [*tmp_path.iterdir()]


def test_a_shell_reads_the_lines_for_several_machines():
    (chapter,) = NOTEBOOKS.glob("*_scale.ipynb")
    text = "\n".join(cell.source for cell in cells(chapter, "markdown"))
    scripts = re.findall(r"```bash\n(.+?)```", text, re.S)
    assert len(scripts) == 2
    options = processes.parser()
    for script in scripts:
        done = run(["bash", "-n", "-c", script], ROOT)
        assert (done.returncode, done.stdout) == (0, "")
        arguments = re.split(r"\bprocesses\.py ", script)[1].split()
        assert str(options.parse_args(arguments).file) == "/shared/run.pt"


@pytest.mark.long
def test_rank_0s_file_counts_though_another_process_sees_none(tmp_path):
    (tmp_path / "0").mkdir()
    (tmp_path / "1").mkdir()
    processes.main([str(tmp_path / "0" / "run.pt"), "--steps=500"])
    apart = tmp_path / "apart.py"
    apart.write_text(
        "import os, processes\n"
        "processes.main([os.environ['RANK'] + '/run.pt'])\n"
    )
    done = torchrun(tmp_path, 2, script=apart)
    assert "2 at work from step 500 to 2000" in done.stdout
    expect(tmp_path / "0" / "run.pt")
    assert not [*(tmp_path / "1").iterdir()]


@pytest.mark.long
def test_torchrun_starts_again_what_died(tmp_path):
    done = torchrun(tmp_path, 2, "run.pt", "--die=700", restarts=1)
    assert done.returncode == 0, done.stdout
    assert "2 at work from step 500 to 2000" in done.stdout
    expect(tmp_path / "run.pt")


@pytest.mark.long
def test_one_that_goes_silent_ends_the_run(tmp_path):
    """In a minute, as chapter 10 says, in place of half an hour."""
    usual = torch.distributed.distributed_c10d.default_pg_timeout
    assert usual.total_seconds() == 30 * 60
    mute = tmp_path / "mute.py"
    mute.write_text(
        "import os, processes, signal\n"
        "os._exit = lambda _: os.kill(os.getpid(), signal.SIGSTOP)\n"
        "processes.main(['run.pt', '--die=700'])\n"
    )
    done = torchrun(tmp_path, 2, script=mute)
    assert done.returncode != 0
    assert "Timed out waiting 60000ms" in done.stdout, done.stdout
    expect(tmp_path / "run.pt", THEORY[:500])


@pytest.mark.long
@pytest.mark.parametrize("last", [1, 3])
def test_another_number_of_processes_goes_on(tmp_path, last):
    assert torchrun(tmp_path, 2, "run.pt", "--die=700").returncode == 1
    expect(tmp_path / "run.pt", THEORY[:500])
    done = torchrun(tmp_path, last, "run.pt")
    assert f"{last} at work from step 500 to 2000" in done.stdout
    expect(tmp_path / "run.pt")
