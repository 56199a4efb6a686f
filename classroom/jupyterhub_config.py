"""A JupyterHub for one room, on one machine: `make hub`.

Learners log in with a name of their own and the room's password, and find
their copies of the chapters. All servers run as the user who starts the hub,
so learners could read each other's files: for lessons, not for exams.
"""

import os
import shutil
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))
from hand_out import lay_out

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
WORK = Path(os.environ.get("HUB_FOLDER", ROOT / "hub"))  # learners' work
STUDENT = ROOT / "_build" / "classroom" / "student"
PASSWORD = os.environ.get("HUB_PASSWORD", "")
GIGABYTES = 2  # of memory that any one process of a learner may fill

if len(PASSWORD) < 8:
    sys.exit(
        "HUB_PASSWORD: expected the room's password, 8 letters or more, got "
        f"{len(PASSWORD)}: HUB_PASSWORD=... make hub"
    )
if not STUDENT.is_dir():
    sys.exit(f"{STUDENT}: expected the students' copies: make classroom")
ROOTED = os.geteuid() == 0
if ROOTED and not os.environ.get("HUB_ALLOW_ROOT"):
    sys.exit(
        "expected a user with few rights, got root, which every learner "
        "would then be: start the hub as another user"
    )
WORK.mkdir(parents=True, exist_ok=True)


def hand_out(spawner):
    """Lay the chapters out in a learner's folder, and overwrite nothing."""
    texts = {file.name: file.read_text("utf-8") for file in STUDENT.iterdir()}
    lay_out(texts, WORK / "homes" / spawner.user.name)


c = get_config()  # noqa: F821, JupyterHub gives it

c.JupyterHub.db_url = f"sqlite:///{WORK / 'jupyterhub.sqlite'}"
c.JupyterHub.cookie_secret_file = str(WORK / "cookie_secret")
c.JupyterHub.cleanup_servers = True
c.JupyterHub.concurrent_spawn_limit = 0  # a room comes all at once
# The proxy sends on ten requests at once: none may wait there for a server.
c.JupyterHub.tornado_settings = {"slow_spawn_timeout": 0}
c.ConfigurableHTTPProxy.command = [str(BIN / "configurable-http-proxy")]
c.ConfigurableHTTPProxy.pid_file = str(WORK / "proxy.pid")

c.JupyterHub.authenticator_class = "shared-password"
c.SharedPasswordAuthenticator.user_password = PASSWORD
c.Authenticator.allow_all = True
c.Authenticator.username_pattern = r"[a-z][a-z0-9_-]{0,31}"  # a folder's name

c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = str(
    WORK / "homes" / "{username}"
)
c.Spawner.pre_spawn_hook = hand_out
c.Spawner.cmd = [str(BIN / "jupyterhub-singleuser")]
if shutil.which("prlimit"):  # on Linux
    c.Spawner.cmd = ["prlimit", f"--data={GIGABYTES * 10**9}", *c.Spawner.cmd]
c.Spawner.args = [
    "--KernelManager.transport=ipc",  # no race for ports
    "--MappingKernelManager.cull_idle_timeout=1800",
    "--ServerApp.shutdown_no_activity_timeout=3600",
]
if ROOTED:
    c.Spawner.args += ["--allow-root"]
# PyTorch takes every core unless told otherwise, in each kernel of the room.
threads = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
# And chapter 10 would compile, with all the cores, once for each learner.
c.Spawner.environment = dict.fromkeys([*threads, "TORCHDYNAMO_DISABLE"], "1")
c.Spawner.start_timeout = 300
c.Spawner.http_timeout = 300
