"""The hub of `make hub`, as root and as another user."""

import asyncio
import importlib
import json
import os
import runpy
import shutil
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from traitlets.config import Config

from conftest import NO_HUB, ROOT, run

pytest.importorskip("jupyterhub", reason=NO_HUB)
import attacks
from tornado import web

import accounts
import load_hub
import room

HUB = ROOT / "classroom" / "jupyterhub_config.py"
LACK = [tool for tool in accounts.TOOLS if shutil.which(tool) is None]
as_root = pytest.mark.skipif(
    os.name != "posix" or os.geteuid() != 0 or bool(LACK),
    reason=f"accounts want root, Linux and {', '.join(accounts.TOOLS)}",
)


def configure(monkeypatch, folder, user, **variables):
    """Return what the hub is told that a user starts, to work in a folder."""
    monkeypatch.delenv("HUB_ALLOW_ROOT", raising=False)
    monkeypatch.setattr("os.geteuid", lambda: user, raising=False)
    told = {"HUB_PASSWORD": "longenough", "HUB_FOLDER": folder} | variables
    for name, value in told.items():
        monkeypatch.setenv(name, str(value))
    importlib.reload(room)
    settings = Config()
    runpy.run_path(str(HUB), {"get_config": lambda: settings})
    return settings


def test_a_hub_that_lacks_something_does_not_start(monkeypatch, tmp_path):
    with pytest.raises(SystemExit, match="8 letters or more, got 5"):
        configure(monkeypatch, tmp_path, 1000, HUB_PASSWORD="short")
    monkeypatch.setattr("shutil.which", lambda tool: None)
    with pytest.raises(SystemExit, match="got root without bwrap"):
        configure(monkeypatch, tmp_path, 0)


def wait_for(coroutine):
    """Run it in a thread: in this one Playwright may have a loop running."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()


def test_a_hub_for_a_trusted_room(monkeypatch, tmp_path, made, capsys):
    told = configure(monkeypatch, tmp_path, 1000, HUB_PORT=8123)
    said = capsys.readouterr().err
    teacher = told.SharedPasswordAuthenticator.admin_password
    assert "whatever" in said and "each learner can" in said
    assert (
        f":8123. The teacher logs in there as teacher, with {teacher}" in said
    )
    assert told.JupyterHub.bind_url == "http://:8123"
    assert (tmp_path.stat().st_mode & 0o777) == 0o700
    if shutil.which("prlimit"):
        greedy = [sys.executable, "-c", "bytearray(3 * 10**9)"]
        done = run([*told.Spawner.cmd[:-1], *greedy], tmp_path)
        assert "MemoryError" in done.stdout
    ada = SimpleNamespace(user=SimpleNamespace(name="ada"))
    told.Spawner.pre_spawn_hook(ada)
    copy = tmp_path / "homes" / "ada" / "01_numpy.ipynb"
    assert "TODO 1.1" in copy.read_text("utf-8")

    rule = told.JupyterHub.template_vars["announcement_login"]
    room = told.JupyterHub.authenticator_class(config=told)

    def enter(name, password="longenough"):
        given = {"username": name, "password": password}
        return wait_for(room.get_authenticated_user(None, given))

    for name in ("Ada Lovelace", "李", "1abc", "a.b", "", "a\n", "a" * 33):
        with pytest.raises(web.HTTPError) as caught:
            enter(name)
        assert caught.value.status_code == 403
        assert caught.value.log_message == rule
    for name in ("ada", "Ada", "a", "a" * 32, "x1-_"):
        assert enter(name)["name"] == name.lower()
        assert enter(name)["admin"] is False
        assert enter(name, "another") is None
    assert enter("teacher") is None
    assert enter("teacher", teacher)["admin"] is True
    assert enter("ada", teacher) is None


def test_a_learner_keeps_a_name_with_a_password(monkeypatch, tmp_path):
    room = accounts.Accounts()
    room.folder = tmp_path
    monkeypatch.setattr(accounts, "group", lambda: -1)
    with pytest.raises(web.HTTPError, match="root is taken on this machine"):
        room.take("root", "my own word")
    with pytest.raises(web.HTTPError, match="8 letters or more, got 7"):
        room.take("a-learner", "1234567")
    for word in ("my own word", "my own word"):
        room.take("a-learner", word)
    assert "my own word" not in (tmp_path / "a-learner").read_text()
    for other in ("another word", ""):
        with pytest.raises(web.HTTPError, match="not the password that a-le"):
            room.take("a-learner", other)


@as_root
def test_no_other_account_answers_in_a_servers_place(tmp_path):
    """Nobody's server, where root listens, and where nobody does."""
    listen = "/usr/bin/env python3 -m http.server --bind 127.0.0.1".split()
    nobody = SimpleNamespace(name="nobody", url="/user/nobody/")

    async def serve(port):
        server = accounts.Server(user=nobody, port=port, cmd=listen)
        server.popen_kwargs = {"user": "nobody", "preexec_fn": None}
        server.get_args = lambda: [str(port)]
        server.get_env = lambda: {"PATH": os.environ["PATH"]}
        try:
            await server.start()
            own = accounts.pwd.getpwnam("nobody").pw_uid
            assert accounts.listener(port) == own
            assert await server.poll() is None
        finally:
            server.proc.kill()
            server.proc.wait()
        return server

    with socket.socket() as own:
        own.bind(("127.0.0.1", 0))
        port = own.getsockname()[1]
        assert accounts.listener(port) is None
        own.listen()
        assert accounts.listener(port) == 0
        with pytest.raises(web.HTTPError, match="Another took your port"):
            wait_for(serve(port))
        talks = socket.create_connection(("127.0.0.1", port))
        taken, _ = own.accept()
    with talks, taken:  # they talk on, though nobody listens
        assert accounts.listener(port) is None
    server = wait_for(serve(load_hub.random_port()))
    server.proc = subprocess.Popen(["sleep", "60"])  # it is there, and deaf
    address = ("::", server.port)
    with socket.create_server(address, family=socket.AF_INET6):
        assert wait_for(server.poll()) == 1
    assert wait_for(server.poll()) is None
    server.proc.kill()


@pytest.mark.parametrize("version", [1, 2])
def test_control_groups_are_told_the_bounds(monkeypatch, tmp_path, version):
    monkeypatch.setattr(accounts, "CGROUPS", tmp_path)
    parts = tmp_path / "cgroup.subtree_control"
    if version == 2:
        (tmp_path / "cgroup.controllers").touch()
        parts.touch()
    else:
        for part in ("memory", "pids", "cpu"):
            (tmp_path / part).mkdir()
    accounts.bound("ada")
    told = {p.name: p.read_text() for p in tmp_path.glob("**/hub-ada/*")}
    memory = "memory.max" if version == 2 else "memory.limit_in_bytes"
    assert told == {memory: "4000000000", "pids.max": "512"}
    assert not parts.exists() or parts.read_text() == "+memory +pids +cpu"


@pytest.mark.long
@as_root
@pytest.mark.parametrize("kind", ["apart", "together"])
def test_no_attack_succeeds_on_accounts_of_ones_own(made, kind):
    command = [sys.executable, attacks.__file__, kind]
    done = run(command, ROOT, PYTHONPATH="classroom")
    assert done.returncode == 0, done.stdout
    worked = set(json.loads(done.stdout.splitlines()[-1]))
    # no copy is written through a link, whoever writes it
    assert worked == (set() if kind == "apart" else {*attacks.ATTACKS})
