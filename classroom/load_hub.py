"""Send learners to a hub, all at once, and print how they fared: `make load`.

Each logs in through HTTP, waits for a server, opens a kernel, runs chapter 3
to its end, solutions included, and leaves. In the environment, N=10 is how
many they are, in one room or in several ("10 40"), one after the other. With
KEEP=1 they run the chapters of half a day, and leave their kernels open.
book/measured.md has what it printed.
"""

import asyncio
import contextlib
import os
import re
import secrets
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import aiohttp
import nbformat
import psutil
from jupyter_client.session import Session
from jupyterhub.utils import random_port

from accounts import TOOLS

ROOT = Path(__file__).parents[1]
SIZES = os.environ.get("N", "10").split()
KEEP = bool(os.environ.get("KEEP"))
HALF_DAY = "01_numpy 02_tensors 03_autograd 05_nn 06_optim 07_module"
LESSON = (HALF_DAY if KEEP else "03_autograd").split()
APART = (
    os.geteuid() == 0
    and all(map(shutil.which, TOOLS))
    and not os.environ.get("HUB_ALLOW_ROOT")
)
PATIENCE = 600  # seconds that a learner waits, for all together
HEAD = ("room", "runs", "median", "slowest", "memory", "failed")


class Failed(Exception):
    """What kept a learner from finishing."""


async def ask_again(request, send):
    """Send what only reads until the proxy has time for it, as pages do."""
    while True:
        answer = await send(request)
        if answer.status not in (503, 599) or request.method != "GET":
            return answer
        answer.release()
        await asyncio.sleep(1)


async def run(socket, cells):
    """Send all cells, as Run All does; return when they are done."""
    messages = Session()
    for source in cells:
        content = {"code": source, "silent": False}
        request = messages.msg("execute_request", content)
        request["channel"] = "shell"
        await socket.send_str(messages.pack(request).decode())
    left = len(cells)
    async for packet in socket:
        said = packet.json()
        content = said["content"]
        if said["msg_type"] == "execute_reply":
            if content["status"] != "ok":
                raise Failed(f"a cell: {content.get('ename')}")
            left -= 1
            if not left:
                return
        if content.get("execution_state") in ("restarting", "dead"):
            break
    raise Failed("the kernel died")


@contextlib.asynccontextmanager
async def enter(hub, name, password, own="own password"):
    """Log in and wait for the server; give the session and its address."""
    user, home = f"/hub/api/users/{name}", f"/user/{name}/api"
    who = {"username": name, "password": password, "otp": own}
    async with aiohttp.ClientSession(
        hub, raise_for_status=True, middlewares=[ask_again]
    ) as session:
        async with session.post(f"{user}/tokens", json={"auth": who}) as said:
            token = (await said.json())["token"]
        session.headers["Authorization"] = f"token {token}"
        await session.post(f"{user}/server")
        while True:
            async with session.get(user) as answer:
                servers = (await answer.json())["servers"]
            if not servers:
                raise Failed("a server")
            if servers[""]["ready"]:
                break
            await asyncio.sleep(1)
        yield session, home


@contextlib.asynccontextmanager
async def kernel(session, home, chapter, keep=False):
    """Open a chapter; give the socket of its kernel, which then ends."""
    await session.get(f"{home}/contents/{chapter}.ipynb")
    wanted = {"name": "python3", "path": f"{chapter}.ipynb"}
    async with session.post(f"{home}/kernels", json=wanted) as answer:
        one = f"{home}/kernels/{(await answer.json())['id']}"
    channels = session.ws_connect(f"{one}/channels", max_msg_size=0)
    try:
        async with channels as socket:
            yield socket
    finally:
        if not keep:
            await session.delete(one)


async def attend(hub, name, password, lesson):
    """Be a learner: log in, run the chapters, leave.

    Return the seconds that it took, and what went wrong, if anything.
    """
    start, wrong = time.monotonic(), None
    try:
        async with (
            asyncio.timeout(PATIENCE),
            enter(hub, name, password) as place,
        ):
            for chapter, cells in lesson.items():
                async with kernel(*place, chapter, KEEP) as socket:
                    await run(socket, cells)
    except (TimeoutError, Failed, aiohttp.ClientError, OSError) as error:
        # the same for all learners whom the same befell
        said = str(error) or "out of patience"
        wrong = re.sub(rf"\b{name}\b|[\da-f-]{{36}}", "*", said)
    return time.monotonic() - start, wrong


def memory(process):
    """Return the bytes of a process and all below it, shared ones once."""
    total = 0
    for one in [process, *process.children(recursive=True)]:
        with contextlib.suppress(psutil.Error):  # it has ended
            total += one.memory_full_info().pss
    return total


async def watch(process, seen):
    """Note the memory of the hub, its servers and their kernels."""
    while True:
        seen.append(await asyncio.to_thread(memory, process))
        await asyncio.sleep(1)


def answers(address):
    """Tell whether the hub is ready."""
    try:
        with urllib.request.urlopen(f"{address}/hub/api"):
            return True
    except OSError:
        return False


@contextlib.contextmanager
def hub(learners, password, apart=APART):
    """Start a hub for these alone; give its address and process; end it."""
    port = random_port()
    address = f"http://127.0.0.1:{port}"
    command = [
        Path(sys.executable).with_name("jupyterhub"),
        f"--config={ROOT / 'classroom' / 'jupyterhub_config.py'}",
        f"--JupyterHub.bind_url={address}",
        *(f"--Authenticator.allowed_users={name}" for name in learners),
    ]
    with (
        (ROOT / "_build" / "hub.log").open("w") as log,
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
    ):
        settings = {
            "HUB_PASSWORD": password,
            "HUB_ALLOW_ROOT": "" if apart else "1",
            "HUB_FOLDER": folder,
            "HUB_PORT": str(port),
        }
        process = psutil.Popen(
            command,
            cwd=folder,
            env=os.environ | settings,
            stdout=log,
            stderr=log,
        )
        try:
            while not answers(address):
                if process.poll() is not None:
                    sys.exit("the hub did not start: see _build/hub.log")
                time.sleep(0.5)
            yield address, process
        finally:
            if process.poll() is None:
                below = process.children(recursive=True)
                process.terminate()
                for one in psutil.wait_procs([process, *below], timeout=60)[1]:
                    one.kill()


def go_private():
    """Go on where the accounts that a hub makes end with this process."""
    if not APART or os.environ.get("HUB_PRIVATE"):
        return
    os.environ["HUB_PRIVATE"] = "1"
    within = 'cp -a /etc/. "$0" && mount --bind "$0" /etc && exec "$@"'
    with tempfile.TemporaryDirectory() as etc:
        done = subprocess.run(
            [
                *("unshare", "--mount", "--pid", "--fork", "--kill-child"),
                *("--mount-proc", "sh", "-c", within, etc),
                *(sys.executable, *sys.argv),
            ]
        )
    sys.exit(done.returncode)


def source(chapter):
    """Return the code of a chapter's cells."""
    path = ROOT / "notebooks" / f"{chapter}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    return [c.source for c in notebook.cells if c.cell_type == "code"]


async def room(size):
    """Start a hub, send it so many learners, and end it.

    Return the seconds of those who finished, what kept the others, and the
    most bytes that hub, servers and kernels filled.
    """
    lesson = {chapter: source(chapter) for chapter in LESSON}
    names, password = [f"ada{i}" for i in range(size)], secrets.token_hex(8)
    with hub(names, password) as (address, process):
        seen = []
        watcher = asyncio.create_task(watch(process, seen))
        rows = await asyncio.gather(
            *(attend(address, name, password, lesson) for name in names)
        )
        watcher.cancel()
    times = [seconds for seconds, wrong in rows if not wrong]
    return times, [wrong for _, wrong in rows if wrong], max(seen)


def main():
    """Print a table of rooms, and what one learner more takes."""
    if not SIZES or not all(n.isdigit() and int(n) for n in SIZES):
        sys.exit(f"N: expected how many learners, got {' '.join(SIZES)!r}")
    go_private()
    print(f"| {' | '.join(HEAD)} |\n|{' --- |' * len(HEAD)}", flush=True)
    what = ", ".join(chapter[1] for chapter in LESSON) + ", left open" * KEEP
    rooms, gap = {}, "\N{NO-BREAK SPACE}"
    for size in map(int, SIZES):
        times, failures, peak = asyncio.run(room(size))
        if failures:
            why = "; ".join(sorted({*failures}))
            sys.exit(f"{len(failures)} of {size} did not finish: {why}")
        seconds = [statistics.median(times), max(times)]
        row = [str(size), what, *(f"{s:.0f}{gap}s" for s in seconds)]
        row += [f"{peak / 1e9:.1f}{gap}GB", "none"]
        print(f"| {' | '.join(row)} |", flush=True)
        rooms[size] = max(times), peak
    if len(rooms) > 1:
        few, many = [*rooms][-2:]
        grown = zip(rooms[few], rooms[many], strict=True)
        work, filled = [(b - a) / (many - few) for a, b in grown]
        print(
            f"\nOne learner more takes {filled / 1e9:.2f} GB, and "
            f"{work * psutil.cpu_count():.0f} seconds of a core."
        )


if __name__ == "__main__":
    main()
