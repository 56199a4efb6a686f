"""A JupyterHub for one room, on one machine: `make hub`.

Learners log in with a name of their own and the room's password, and find
their copies of the chapters. Started as root, the hub gives each an account
of the machine (accounts.py). Started as another user, it runs all servers as
that user, so learners could read each other's files: for a trusted room.
"""

import atexit
import getpass
import os
import secrets
import shutil
import sys
from pathlib import Path

from jupyterhub.authenticators.shared import SharedPasswordAuthenticator
from tornado import web

sys.path.append(str(Path(__file__).parent))
sys.path.append(str(Path(__file__).parents[1] / "tools"))
from accounts import OWN, Accounts, Homes, Server
from hand_out import lay_out, stored
from room import PORT, ROOT, STUDENT, WORK, address

BIN = Path(sys.executable).parent
PASSWORD = os.environ.get("HUB_PASSWORD", "")
CHOSEN = os.environ.get("HUB_TEACHER_PASSWORD")
TEACHER = CHOSEN or secrets.token_urlsafe(24)
GIGABYTES = 2  # of memory that any one process of a learner may fill
RULE = (
    "A name is 1 to 32 of the letters a to z, digits, - and _, and begins "
    "with a letter."
)

if len(PASSWORD) < 8:
    sys.exit(
        "HUB_PASSWORD: expected the room's password, 8 letters or more, got "
        f"{len(PASSWORD)}: HUB_PASSWORD=... make hub"
    )
# HUB_ALLOW_ROOT is for a container in which all are root, and for tests.
ROOTED = os.geteuid() == 0
APART = ROOTED and not os.environ.get("HUB_ALLOW_ROOT")
homes = Homes(ROOT, WORK, STUDENT)
WORK.mkdir(parents=True, exist_ok=True)
WORK.chmod(0o700)


class Room(SharedPasswordAuthenticator):
    """Who knows the room's password may come in, under a fitting name."""

    async def authenticate(self, handler, data):
        """Say what a name is, or whether the password is right."""
        name = self.normalize_username(data["username"])
        if not self.validate_username(name):
            raise web.HTTPError(403, RULE)
        known = await super().authenticate(handler, data)
        if known and not known["admin"]:
            self.take(name, data.get("otp", ""))
        return known

    def take(self, name, own):
        """Let a learner in."""


class ApartRoom(Accounts, Room):
    """The same, with an account of the machine for each."""

    folder = WORK / "passwords"


def first_page(handler):
    """Send the teacher to the servers, and learners to the usual page."""
    user = handler.current_user
    return "/hub/admin" if user and user.admin else ""


def hand_out(spawner):
    """Lay the chapters out in a learner's folder, and overwrite nothing."""
    try:
        lay_out(stored(STUDENT), WORK / "homes" / spawner.user.name)
    except OSError as error:  # a full disk keeps nobody from their work
        spawner.log.warning("no copies for %s: %s", spawner.user.name, error)


c = get_config()  # noqa: F821, JupyterHub gives it

c.JupyterHub.bind_url = f"http://:{PORT}"
c.JupyterHub.hub_port = PORT + 1
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{PORT + 2}"
c.JupyterHub.db_url = f"sqlite:///{WORK / 'jupyterhub.sqlite'}"
c.JupyterHub.cookie_secret_file = str(WORK / "cookie_secret")
c.JupyterHub.cleanup_servers = True
c.JupyterHub.concurrent_spawn_limit = 0  # a room comes all at once
# The proxy sends on ten requests at once: none may wait there for a server.
c.JupyterHub.tornado_settings = {"slow_spawn_timeout": 0}
c.ConfigurableHTTPProxy.command = [str(BIN / "configurable-http-proxy")]
c.ConfigurableHTTPProxy.pid_file = str(WORK / "proxy.pid")

c.JupyterHub.default_url = first_page
c.JupyterHub.template_vars = {"announcement_login": RULE}
c.SharedPasswordAuthenticator.user_password = PASSWORD
c.SharedPasswordAuthenticator.admin_password = TEACHER
c.Authenticator.admin_users = {"teacher"}
c.Authenticator.allow_all = True
c.Authenticator.username_pattern = r"[a-z][a-z0-9_-]{0,31}\Z"

c.Spawner.default_url = "/lab/tree/01_numpy.ipynb"
c.Spawner.args = [
    "--KernelManager.transport=ipc",  # no race for ports
    "--MappingKernelManager.cull_idle_timeout=1800",
    "--MappingKernelManager.cull_connected=True",  # though its tab is open
    "--ServerApp.shutdown_no_activity_timeout=3600",
]
# PyTorch takes every core unless told otherwise, in each kernel of the room.
threads = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
# And chapter 10 would compile, with all the cores, once for each learner.
c.Spawner.environment = dict.fromkeys([*threads, "TORCHDYNAMO_DISABLE"], "1")
c.Spawner.start_timeout = 300
c.Spawner.http_timeout = 300

if APART:
    homes.prepare()
    atexit.register(homes.leave)
    c.JupyterHub.authenticator_class = ApartRoom
    c.LocalAuthenticator.create_system_users = True
    c.LocalAuthenticator.add_user_cmd = homes.add_user()
    c.Authenticator.request_otp = True
    c.Authenticator.otp_prompt = f"Your own password, {OWN} letters or more:"
    c.JupyterHub.template_vars["announcement_login"] += (
        " The password is the room's. Your own, which you choose when you "
        "first come, keeps others out of your work."
        "<style>#otp_input { -webkit-text-security: disc }</style>"
    )
    c.JupyterHub.spawner_class = Server
    c.Spawner.poll_interval = 5  # seconds, until a port that was left is shut
    c.Spawner.pre_spawn_hook = homes.admit
    c.Spawner.environment["JUPYTER_RUNTIME_DIR"] = "/tmp/jupyter"  # own, short
    said = "Each learner has an account of this machine."
    for what, why in homes.missing.items():
        said += f" The {what} of each is not bounded here: {why}."
else:
    c.JupyterHub.authenticator_class = Room
    c.JupyterHub.spawner_class = "simple"
    c.SimpleLocalProcessSpawner.home_dir_template = str(
        WORK / "homes" / "{username}"
    )
    c.Spawner.pre_spawn_hook = hand_out
    c.Spawner.cmd = [str(BIN / "jupyterhub-singleuser")]
    if shutil.which("prlimit"):  # on Linux
        bounds = f"--data={GIGABYTES * 10**9}"
        c.Spawner.cmd = ["prlimit", bounds, *c.Spawner.cmd]
    if ROOTED:
        c.Spawner.args += ["--allow-root"]
    said = (
        f"For a trusted room: whatever {getpass.getuser()} can do on this "
        "machine, each learner can. Root, on Linux, keeps them apart."
    )
print(
    f"{said}\nLearners open http://{address()}:{PORT}. The teacher logs in "
    f"there as teacher, with {'HUB_TEACHER_PASSWORD' if CHOSEN else TEACHER}",
    file=sys.stderr,
)
