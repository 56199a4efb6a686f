"""Send learners to a hub, all at once, and print how they fared: `make load`.

Each logs in through HTTP, waits for a server, opens a kernel, runs a chapter
of the book to its end, solutions included, and leaves. N=10 in the
environment is how many they are, CHAPTER=03_autograd what they run.
"""

import asyncio
import json
import os
import re
import secrets
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import aiohttp
import psutil
import yarl

ROOT = Path(__file__).parents[1]
N = int(os.environ.get("N", 10))
CHAPTER = os.environ.get("CHAPTER", "03_autograd")
PATIENCE = 600  # seconds that a learner waits, for all together
PORT = 8765
HEAD = ("room", "done", "median", "slowest", "memory", "failed")


class Failed(Exception):
    """What kept a learner from finishing."""


async def log_in(session, hub, name, password):
    """Log in, as the page's form does."""
    async with session.get(f"{hub}/hub/login") as page:
        form = await page.text()
    token = re.search(r'name="_xsrf" value="([^"]*)"', form)
    if not token:
        raise Failed("no page to log in")
    data = {"username": name, "password": password, "_xsrf": token[1]}
    async with session.post(f"{hub}/hub/login", data=data) as answer:
        if "/hub/login" in str(answer.url):
            raise Failed("log in")


async def get_server(session, hub, name):
    """Ask for a server, and wait until it answers."""
    async with session.get(f"{hub}/hub/spawn/{name}") as answer:
        if answer.status != 200:
            raise Failed(f"a server: {answer.status}")
    while True:
        async with session.get(f"{hub}/user/{name}/lab") as answer:
            if answer.status == 200 and "/hub/" not in answer.url.path:
                return
        await asyncio.sleep(1)


def headers(session, hub, name):
    """Return the header that a server wants with each request that changes."""
    home = yarl.URL(f"{hub}/user/{name}/")
    cookies = session.cookie_jar.filter_cookies(home)
    return {"X-XSRFToken": cookies["_xsrf"].value}


async def connect(session, address):
    """Open a kernel's channel; try again, as JupyterLab does."""
    for pause in (1, 5, 25):
        try:
            return await session.ws_connect(address, max_msg_size=0)
        except aiohttp.ClientError:
            await asyncio.sleep(pause)
    raise Failed("no channel to the kernel")


async def run_cell(socket, source):
    """Run a cell; return when it is done, or raise Failed."""
    message = secrets.token_hex(8)
    await socket.send_json(
        {
            "header": {
                "msg_id": message,
                "msg_type": "execute_request",
                "username": "",
                "session": "load",
                "version": "5.3",
            },
            "parent_header": {},
            "metadata": {},
            "content": {"code": source, "silent": False},
            "channel": "shell",
            "buffers": [],
        }
    )
    async for packet in socket:
        if packet.type is not aiohttp.WSMsgType.TEXT:
            break
        said = json.loads(packet.data)
        if said["parent_header"].get("msg_id") != message:
            continue
        if said["msg_type"] == "execute_reply":
            if said["content"]["status"] != "ok":
                raise Failed(f"a cell: {said['content'].get('ename')}")
            return
    raise Failed("the kernel died")


async def learn(hub, name, password, chapter, cells):
    """Be a learner: log in, run the chapter, leave."""
    jar = aiohttp.CookieJar(unsafe=True)  # cookies of an address in numbers
    async with aiohttp.ClientSession(cookie_jar=jar) as session:
        await log_in(session, hub, name, password)
        await get_server(session, hub, name)
        home = f"{hub}/user/{name}"
        async with session.get(f"{home}/api/contents/{chapter}.ipynb") as copy:
            if copy.status != 200:
                raise Failed("the copy of the chapter is missing")
        async with session.post(
            f"{home}/api/kernels",
            json={"name": "python3", "path": f"{chapter}.ipynb"},
            headers=headers(session, hub, name),
        ) as answer:
            if answer.status != 201:
                raise Failed(f"a kernel: {answer.status}")
            kernel = (await answer.json())["id"]
        address = f"{home}/api/kernels/{kernel}/channels"
        async with await connect(session, address) as socket:
            for source in cells:
                await run_cell(socket, source)
        async with session.delete(
            f"{home}/api/kernels/{kernel}",
            headers=headers(session, hub, name),
        ) as answer:
            await answer.read()


async def attend(hub, name, password, chapter, cells):
    """Return how long a learner took, and what went wrong, if anything."""
    start = time.monotonic()
    try:
        learner = learn(hub, name, password, chapter, cells)
        await asyncio.wait_for(learner, PATIENCE)
        wrong = None
    except TimeoutError:
        wrong = "out of patience"
    except Failed as error:
        wrong = str(error)
    except (aiohttp.ClientError, OSError) as error:
        wrong = type(error).__name__
    return time.monotonic() - start, wrong


def memory(process):
    """Return the bytes of a process and all below it, shared ones once."""
    total = 0
    for one in [process, *process.children(recursive=True)]:
        try:
            total += one.memory_full_info().pss
        except psutil.Error:
            pass  # it has ended
    return total


async def watch(process, peak):
    """Note the largest memory of the hub, its servers and their kernels."""
    while True:
        used = await asyncio.to_thread(memory, process)
        peak[0] = max(peak[0], used)
        await asyncio.sleep(1)


async def wait_for(hub, process):
    """Wait until the hub answers."""
    async with aiohttp.ClientSession() as session:
        while process.poll() is None:
            try:
                async with session.get(f"{hub}/hub/login") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.5)
    sys.exit("the hub did not start: see _build/hub.log")


async def room(size, chapter):
    """Start a hub, send it so many learners, and end it.

    Return the seconds of those who finished, what kept the others, and the
    most bytes that hub, servers and kernels filled.
    """
    notebook = json.loads(
        (ROOT / "notebooks" / f"{chapter}.ipynb").read_text("utf-8")
    )
    cells = [
        "".join(cell["source"])
        for cell in notebook["cells"]
        if cell["cell_type"] == "code"
    ]
    folder = tempfile.mkdtemp(prefix="hub-")
    hub, password = f"http://127.0.0.1:{PORT}", secrets.token_hex(8)
    settings = {
        "HUB_PASSWORD": password,
        "HUB_ALLOW_ROOT": "1",  # a hub for these learners alone
        "HUB_FOLDER": folder,
    }
    command = [
        Path(sys.executable).parent / "jupyterhub",
        f"--config={ROOT / 'classroom' / 'jupyterhub_config.py'}",
        f"--JupyterHub.bind_url={hub}",
        f"--JupyterHub.hub_port={PORT + 1}",
        f"--ConfigurableHTTPProxy.api_url=http://127.0.0.1:{PORT + 2}",
    ]
    with (ROOT / "_build" / "hub.log").open("w") as log:
        started = subprocess.Popen(
            command,
            cwd=folder,
            env=os.environ | settings,
            stdout=log,
            stderr=log,
        )
        try:
            await wait_for(hub, started)
            peak = [0]
            watcher = asyncio.create_task(
                watch(psutil.Process(started.pid), peak)
            )
            rows = await asyncio.gather(
                *(
                    attend(hub, f"ada{i}", password, chapter, cells)
                    for i in range(size)
                )
            )
            watcher.cancel()
        finally:
            if started.poll() is None:
                below = psutil.Process(started.pid).children(recursive=True)
                started.terminate()
                started.wait()
                for one in psutil.wait_procs(below, timeout=20)[1]:
                    one.kill()
            shutil.rmtree(folder, ignore_errors=True)
    times = [seconds for seconds, wrong in rows if not wrong]
    return times, [wrong for _, wrong in rows if wrong], peak[0]


def row(size, times, failures, peak):
    """Return what a room's table says of this one, under HEAD."""
    told = "; ".join(f"{failures.count(w)}: {w}" for w in sorted({*failures}))
    return (
        size,
        len(times),
        f"{statistics.median(times):.0f}\N{NO-BREAK SPACE}s" if times else "-",
        f"{max(times):.0f}\N{NO-BREAK SPACE}s" if times else "-",
        f"{peak / 1e9:.1f}\N{NO-BREAK SPACE}GB",
        told or "none",
    )


if __name__ == "__main__":
    found = asyncio.run(room(N, CHAPTER))
    for line in (HEAD, row(N, *found)):
        print("".join(f"{word!s:>14}" for word in line))
    sys.exit(bool(found[1]))
