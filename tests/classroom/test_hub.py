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

import pytest
from traitlets.config import Config

from conftest import NO_HUB, ROOT, run

pytest.importorskip("jupyterhub", reason=NO_HUB)
import aiohttp
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


def configure(monkeypatch, student=None, **variables):
    """Return what the hub is told, with these in the environment."""
    for name, value in variables.items():
        monkeypatch.setenv(name, str(value))
    importlib.reload(room)
    monkeypatch.setattr(room, "STUDENT", student or room.STUDENT)
    settings = Config()
    runpy.run_path(str(HUB), {"get_config": lambda: settings})
    return settings


def test_a_hub_without_a_password_or_copies_does_not_start(
    monkeypatch, tmp_path
):
    monkeypatch.setattr("os.geteuid", lambda: 1000, raising=False)
    with pytest.raises(SystemExit, match="8 letters or more, got 5"):
        configure(monkeypatch, HUB_PASSWORD="short")
    with pytest.raises(SystemExit, match=r"copies: make classroom"):
        configure(monkeypatch, tmp_path / "no", HUB_PASSWORD="longenough")


def test_a_hub_gives_a_learner_copies_and_overwrites_nothing(
    monkeypatch, tmp_path, made
):
    monkeypatch.delenv("HUB_ALLOW_ROOT", raising=False)
    monkeypatch.setattr("os.geteuid", lambda: 0, raising=False)
    where = {"HUB_PASSWORD": "longenough", "HUB_FOLDER": tmp_path}
    with monkeypatch.context() as bare:
        bare.setattr("shutil.which", lambda tool: None)
        with pytest.raises(SystemExit, match="got root without bwrap"):
            configure(monkeypatch, **where)
    monkeypatch.setenv("HUB_TEACHER_PASSWORD", "x" * 31)
    with pytest.raises(SystemExit, match=r"32 letters or more.* got 31"):
        configure(monkeypatch, **where)
    monkeypatch.delenv("HUB_TEACHER_PASSWORD")
    monkeypatch.setattr("os.geteuid", lambda: 1000, raising=False)
    told = configure(monkeypatch, **where)
    assert (tmp_path.stat().st_mode & 0o777) == 0o700
    if shutil.which("prlimit"):
        greedy = [sys.executable, "-c", "bytearray(3 * 10**9)"]
        said = run([*told.Spawner.cmd[:-1], *greedy], tmp_path).stdout
        assert "MemoryError" in said

    class Ada:
        user = type("User", (), {"name": "ada"})

    home = tmp_path / "homes" / "ada"
    told.Spawner.pre_spawn_hook(Ada)
    assert "TODO 1.1" in (home / "01_numpy.ipynb").read_text("utf-8")
    (home / "01_numpy.ipynb").write_text("my work")
    told.Spawner.pre_spawn_hook(Ada)
    assert (home / "01_numpy.ipynb").read_text() == "my work"


def test_who_starts_a_hub_reads_what_learners_may_do_there(
    monkeypatch, tmp_path, made, capsys
):
    monkeypatch.setattr("os.geteuid", lambda: 1000, raising=False)
    where = {"HUB_PASSWORD": "longenough", "HUB_FOLDER": tmp_path}
    told = configure(monkeypatch, HUB_PORT=8123, **where)
    said = capsys.readouterr().err
    assert "whatever" in said and "each learner can" in said
    assert ":8123. The teacher logs in there as teacher, with" in said
    assert told.SharedPasswordAuthenticator.admin_password in said
    assert told.JupyterHub.bind_url == "http://:8123"


def wait_for(coroutine):
    """Run it in a thread: in this one Playwright may have a loop running."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()


def test_a_name_keeps_to_a_rule_that_is_told(monkeypatch, tmp_path, made):
    monkeypatch.setattr("os.geteuid", lambda: 1000, raising=False)
    where = {"HUB_PASSWORD": "longenough", "HUB_FOLDER": tmp_path}
    told = configure(monkeypatch, **where)
    rule = told.JupyterHub.template_vars["announcement_login"]
    room = told.JupyterHub.authenticator_class(config=told)

    def enter(name, password="longenough"):
        given = {"username": name, "password": password}
        return wait_for(room.get_authenticated_user(None, given))

    for name in ("Ada Lovelace", "李", "1abc", "a.b", "", "a\n", "a" * 33):
        with pytest.raises(web.HTTPError) as caught:
            enter(name)
        assert (caught.value.status_code, caught.value.log_message) == (
            403,
            rule,
        )
    for name in ("ada", "Ada", "a", "a" * 32, "x1-_"):
        assert enter(name)["name"] == name.lower()
        assert enter(name)["admin"] is False
        assert enter(name, "another") is None
    assert enter("teacher") is None
    teacher = told.SharedPasswordAuthenticator.admin_password
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
    code = "import socket, sys, time; s = socket.socket(); "
    code += "s.bind(('127.0.0.1', int(sys.argv[1]))); s.listen(); "
    code += "time.sleep(60)"

    class Nobody:
        name, url = "nobody", "/user/nobody/"

    async def serve(port):
        server = accounts.Server(
            user=Nobody, port=port, cmd=["/usr/bin/env", "python3", "-c", code]
        )
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
    server = wait_for(serve(port))
    server.proc = subprocess.Popen(["sleep", "60"])  # it is there, and deaf
    with socket.create_server(("::", port), family=socket.AF_INET6):
        assert wait_for(server.poll()) == 1
    assert wait_for(server.poll()) is None
    server.proc.kill()
    with socket.create_server(("127.0.0.1", 0)) as other:
        there = other.getsockname()[1]
        left = socket.create_connection(("127.0.0.1", there))
        taken, _ = other.accept()
    with left, taken:  # they talk on, though nobody listens
        assert accounts.listener(there) is None


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
    done = run(
        [sys.executable, "tests/attacks.py", kind],
        ROOT,
        PYTHONPATH=os.pathsep.join(["classroom", "tests"]),
    )
    assert done.returncode == 0, done.stdout
    worked = set(json.loads(done.stdout.splitlines()[-1]))
    # no copy is written through a link, whoever writes it
    assert worked == (set() if kind == "apart" else {*attacks.ATTACKS})


@pytest.mark.long
def test_the_first_page_states_the_rule_and_a_teacher_stops_servers(
    made, monkeypatch
):
    teacher = "of the teacher, 32 letters or more"
    monkeypatch.setenv("HUB_TEACHER_PASSWORD", teacher)

    async def visit(address):
        page = f"{address}/hub/login"
        async with aiohttp.ClientSession() as session:
            async with session.get(page) as answer:
                assert "1 to 32 of the letters" in await answer.text()
                token = answer.cookies["_xsrf"].value
            form = {"username": "李", "password": "longenough"}
            form["_xsrf"] = token
            async with session.post(page, data=form) as answer:
                assert answer.status == 403
                assert "1 to 32 of the letters" in await answer.text()
        async with load_hub.enter(address, "ada", "longenough"):
            teachers = load_hub.log_in(address, "teacher", teacher)
            async with teachers as session:
                users = f"{address}/hub/api/users"
                async with session.get(users) as answer:
                    running = {
                        u["name"]: u["server"] for u in await answer.json()
                    }
                assert running["ada"] == "/user/ada/"
                await session.delete(f"{users}/ada/server")
                async with session.get(f"{users}/ada") as answer:
                    assert not (await answer.json())["server"]

    with load_hub.hub(["ada"], "longenough", False) as (address, _):
        wait_for(visit(address))
