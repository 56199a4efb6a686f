"""Give each learner an account of the machine: what `make hub` does as root.

A learner's server runs under an account of its own, in a view of the machine
in which all is read-only but the learner's home, all processes but the
learner's are out of sight, and so are other homes, the book and the hub. What
it may fill is bounded. Bubblewrap makes that view; without root it could not.
"""

import asyncio
import contextlib
import grp
import os
import pwd
import shutil
import subprocess
import sys
from pathlib import Path

from jupyterhub.auth import LocalAuthenticator
from jupyterhub.spawner import LocalProcessSpawner
from jupyterhub.utils import compare_token, hash_token
from tornado import web

HAND_OUT = Path(__file__).parents[1] / "tools" / "hand_out.py"
GROUP = "hub-learners"  # the accounts that the hub made, and no other
TOOLS = ("bwrap", "setpriv", "prlimit", "useradd", "groupadd")
CGROUPS = Path("/sys/fs/cgroup")
COVERED = ("/home", "/root", "/srv", "/mnt", "/media")
TEMPORARY = ("/tmp", "/var/tmp", "/dev/shm")  # all write there: one for each
TEMPORARY_BYTES = 256 * 10**6
PROCESS_BYTES = 2 * 10**9  # beyond it, Python raises MemoryError
MEMORY_BYTES = 4 * 10**9  # of all that a learner runs: beyond it, that ends
DISK_BYTES = 10**9
TASKS = 512  # threads, too
START = 'exec >.log 2>&1; "$0" "$1" . "$2"; shift 2; exec "$@"'
OWN = 8  # letters of a password, at least


class Accounts(LocalAuthenticator):
    """Learners with accounts of the machine, and passwords of their own.

    The room's password opens the room to all, so none is kept from another's
    server by it: the first login with a name sets a second one.
    """

    folder = None  # where the passwords are, hashed

    def take(self, name, own):
        """Let a learner in, or say why not."""
        with contextlib.suppress(KeyError):
            if pwd.getpwnam(name).pw_gid != group():
                raise web.HTTPError(
                    403, f"{name} is taken on this machine: choose another."
                )
        kept = self.folder / name
        if kept.exists():
            if not compare_token(kept.read_text("utf-8"), own):
                raise web.HTTPError(
                    403,
                    f"This is not the password that {name} chose. If you are "
                    "another, choose another name.",
                )
        elif len(own) < OWN:
            raise web.HTTPError(
                403,
                f"Expected a password of your own, {OWN} letters or more, got "
                f"{len(own)}: choose one, and keep it to yourself.",
            )
        else:
            kept.write_text(hash_token(own), encoding="utf-8")


def listener(port):
    """Return the number of the account that listens at a port, or None."""
    for kind in ("tcp", "tcp6"):
        table = Path("/proc/net", kind)
        lines = table.read_text("ascii").splitlines() if table.exists() else []
        for _, local, _, state, *rest in map(str.split, lines[1:]):
            if state == "0A" and int(local.rpartition(":")[2], 16) == port:
                return int(rest[3])
    return None


class Server(LocalProcessSpawner):
    """A learner's server: no other account may answer in its place.

    All share the machine's ports. Who listened at this one before the server
    does, or after it, would be sent what the learner's browser sends.
    """

    def usurped(self):
        """Tell whether another account listens at this server's port."""
        own = pwd.getpwnam(self.user.name).pw_uid
        return listener(self.port) not in (None, own)

    async def start(self):
        """Start it, and return where it listens; raise if another does."""
        place = await super().start()
        while listener(self.port) is None and self.proc.poll() is None:
            await asyncio.sleep(0.2)
        if self.usurped():
            self.proc.kill()
            raise web.HTTPError(409, "Another took your port: start again.")
        return place

    async def poll(self):
        """Return how it ended, or None; it has if another took its port."""
        ended = await super().poll()
        return 1 if ended is None and self.usurped() else ended


def group():
    """Return the number of the learners' group."""
    return grp.getgrnam(GROUP).gr_gid


def do(*command):
    """Run a command of the machine; raise OSError with what it said."""
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True
    )
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"exit {done.returncode}"]
        raise OSError(f"{command[0]}: {said[-1]}")


def cgroups(name):
    """Return the control groups of a learner, and what each is told."""
    own = f"hub-{name}"
    if (CGROUPS / "cgroup.controllers").exists():
        told = {"memory.max": MEMORY_BYTES, "memory.swap.max": 0}
        return {CGROUPS / own: told | {"pids.max": TASKS}}
    return {
        CGROUPS / "memory" / own: {"memory.limit_in_bytes": MEMORY_BYTES},
        CGROUPS / "pids" / own: {"pids.max": TASKS},
        CGROUPS / "cpu" / own: {},  # as much of it as any other learner
    }


def bound(name):
    """Make a learner's control groups."""
    parts = CGROUPS / "cgroup.subtree_control"
    if parts.exists():
        parts.write_text("+memory +pids +cpu")
    for folder, told in cgroups(name).items():
        folder.mkdir(exist_ok=True)
        for file, value in told.items():
            # a kernel that does not count swap has no such file
            if "swap" not in file or (folder / file).exists():
                (folder / file).write_text(str(value))


def unbound(name):
    """Remove a learner's control groups."""
    for folder in cgroups(name):
        with contextlib.suppress(OSError):
            folder.rmdir()


class Homes:
    """The learners' homes, each a disk of its own, and their servers."""

    def __init__(self, root, work, student):
        self.root, self.work, self.student = root, work, student
        self.missing = {}  # the bounds that this machine cannot keep, and why

    def prepare(self):
        """See what the machine can do; leave with a sentence if too little."""
        lack = [tool for tool in TOOLS if shutil.which(tool) is None]
        if lack:
            sys.exit(
                "expected bubblewrap and the tools of Linux that keep "
                f"learners apart, got root without {', '.join(lack)}: "
                "install them, or start the hub as another user"
            )
        do("groupadd", "--force", GROUP)
        for folder in ("disks", "learners", "passwords"):
            (self.work / folder).mkdir(exist_ok=True)
        # one that nobody can log in as: names begin with a letter
        trial, nobody = "-trial", (65534, 65534)
        learners = self.work / "learners"
        try:
            self.home(trial, *nobody)
        except OSError as error:
            self.missing["disk"] = error
        try:
            bound(trial)
        except OSError as error:
            self.missing["memory"] = error
        try:
            home = self.home(trial, *nobody)
            python = (sys.executable, "-c", "import jupyterhub")
            do(*self.confined(home, *nobody, *python))
        except OSError as error:
            sys.exit(
                "expected a machine that can keep accounts apart, and a "
                f"Python that any of them may read, got {error}: try "
                f"chmod -R o+rX {sys.prefix}, or another user than root"
            )
        finally:
            self.leave()
            (learners / trial).rmdir()
            (self.work / "disks" / f"{trial}.img").unlink(missing_ok=True)

    def add_user(self):
        """Return the command that makes an account which nothing opens."""
        return [
            *("useradd", "--no-create-home", "--gid", GROUP),
            *("--home-dir", str(self.work / "learners" / "USERNAME")),
            *("--shell", "/bin/sh"),
        ]

    def home(self, name, uid, gid):
        """Return a learner's home, made and mounted where it was not."""
        home = self.work / "learners" / name
        home.mkdir(exist_ok=True)
        if not os.path.ismount(home) and "disk" not in self.missing:
            self.mount(home)
        os.chown(home, uid, gid)
        home.chmod(0o700)
        return home

    def mount(self, home):
        """Mount a learner's disk, a file of fixed size, as the home."""
        disk = self.work / "disks" / f"{home.name}.img"
        if not disk.exists():
            new = disk.with_suffix(".new")
            with new.open("wb") as file:
                file.truncate(DISK_BYTES)
            do("mkfs.ext4", "-q", "-F", "-m", "0", new)
            new.rename(disk)
        do("mount", "-o", "loop,nosuid,nodev", disk, home)
        with contextlib.suppress(OSError):
            (home / "lost+found").rmdir()

    def confined(self, home, uid, gid, *command):
        """Return the command that runs another as a learner, and bounded."""
        view = ["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
        for folder in TEMPORARY:
            view += ["--perms", "1777", "--size", TEMPORARY_BYTES]
            view += ["--tmpfs", folder]
        covered = [*map(Path, COVERED), self.root, self.work]
        for folder in filter(Path.exists, covered):
            view += ["--tmpfs", folder]
        hidden = [*covered, *TEMPORARY]
        shown = (sys.base_prefix, sys.prefix, self.student, HAND_OUT)
        for path in map(Path, (*shown, home)):
            for above in reversed(path.parents):
                if any(map(above.is_relative_to, hidden)):
                    view += ["--perms", "0755", "--dir", above]
            view += ["--bind" if path == home else "--ro-bind", path, path]
        bounds = {"data": PROCESS_BYTES, "nproc": TASKS, "core": 0}
        return [
            *("bwrap", "--unshare-pid", "--unshare-ipc", "--die-with-parent"),
            *map(str, view),
            *("--chdir", str(home)),
            *("--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"),
            *("setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups"),
            "--inh-caps=-all",
            "prlimit",
            *(f"--{what}={value}" for what, value in bounds.items()),
            *command,
        ]

    async def admit(self, spawner):
        """Make ready what a learner's server needs: the hub's hook."""
        name = spawner.user.name
        account = pwd.getpwnam(name)
        if account.pw_gid != group():
            raise web.HTTPError(403, f"{name} is taken on this machine.")
        ids = account.pw_uid, account.pw_gid
        home = await asyncio.to_thread(self.home, name, *ids)
        # The chapters are handed out as the learner, who may have put
        # anything into the way. And the log is not the hub's.
        spawner.cmd = self.confined(
            home,
            *ids,
            *("sh", "-c", START),
            *(sys.executable, str(HAND_OUT), str(self.student)),
            str(Path(sys.executable).with_name("jupyterhub-singleuser")),
        )
        groups = []
        if "memory" not in self.missing:
            bound(name)
            groups = [f / "cgroup.procs" for f in cgroups(name)]
        spawner.popen_kwargs = {
            "preexec_fn": lambda: [f.write_text("0") for f in groups],
            "stdin": subprocess.DEVNULL,
            "cwd": "/",
        }

    def leave(self):
        """Unmount all homes, and remove the control groups."""
        for home in (self.work / "learners").glob("*"):
            if os.path.ismount(home):
                with contextlib.suppress(OSError):
                    do("umount", "--lazy", home)
            unbound(home.name)
