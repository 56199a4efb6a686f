"""See whether this machine is ready for a lesson: `make room`.

In the environment, N=20 is how many learners will come. A line that begins
with "no" says what is missing, and what to do.
"""

import os
import re
import shutil
import socket
import sys
import tempfile
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[1]
WORK = Path(os.environ.get("HUB_FOLDER", ROOT / "hub"))  # learners' work
STUDENT = ROOT / "_build" / "classroom" / "student"
ASKED = os.environ.get("HUB_PORT", "8000")
if not ASKED.isdigit() or not 0 < int(ASKED) < 65534:
    sys.exit(f"HUB_PORT: expected a number from 1 to 65533, got {ASKED!r}")
PORT = int(ASKED)  # the next two are the hub's, and the proxy's


def address():
    """Return this machine's address in the room's network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # names a way, sends nothing
            return probe.getsockname()[0]
        except OSError:
            return socket.gethostname()


def network(port):
    """Tell whether learners will find the hub."""
    for one in (port, port + 1, port + 2):
        try:
            socket.create_server(("", one)).close()
        except OSError:
            return False, (
                f"port {one} is taken: end what listens there, as a hub that "
                "is running does, or choose others with HUB_PORT=8010"
            )
    found = address()
    if found.startswith("127.") or not found[0].isdigit():
        return False, "this machine is in no network: join the room's first"
    return True, (
        f"learners will open http://{found}:{port}; try it from a second "
        "machine, in the room"
    )


def memory(learners, gigabytes, measured):
    """Tell whether so many have room, by what was measured."""
    sizes = re.findall(r"([\d.]+)\sGB", measured.partition("more takes ")[2])
    closed, opened = (2 + learners * float(size) for size in sizes[:2])
    told = (
        f"{gigabytes:.0f} GB are free; {learners} learners take {closed:.0f}, "
        f"or {opened:.0f} if they leave the chapters of half a day open"
    )
    if gigabytes < closed:
        return False, f"{told}: take a larger machine, or let them share"
    if gigabytes < opened:
        told += ": have them shut down kernels (Kernel, Shut Down All)"
    return True, told


def disk(learners, gigabytes):
    """Tell whether so many have room for their files, a gigabyte each."""
    told = f"{gigabytes:.0f} GB are free, {learners} learners may fill as many"
    return gigabytes >= learners, told


def accounts():
    """Tell what keeps learners apart here."""
    from accounts import Homes  # it needs JupyterHub, and Linux

    if os.geteuid() != 0:
        return False, (
            "the hub will run as you, for a trusted room: what you can do "
            "here, each learner can. Start it as root to keep them apart"
        )
    with tempfile.TemporaryDirectory() as folder:
        homes = Homes(ROOT, Path(folder), STUDENT)
        try:
            homes.prepare()
        except SystemExit as lack:
            return False, str(lack)
    lacks = [f"no bound on {what} ({e})" for what, e in homes.missing.items()]
    told = "each learner gets an account of this machine"
    return not lacks, "; ".join([told, *lacks])


def grading():
    """Tell whether learners' code can be graded apart from all else."""
    from grade import box  # seconds

    with tempfile.TemporaryDirectory() as folder:
        if box(Path(folder)):
            return True, "learners' code will be run in a sandbox"
    return False, (
        "nothing keeps learners' code apart when you grade: "
        "apt install bubblewrap"
    )


def main(learners):
    """Print what is ready and what is not; return how many are not."""
    measured = (ROOT / "book" / "measured.md").read_text("utf-8")
    here = WORK if WORK.exists() else WORK.parent
    free = psutil.virtual_memory().available / 1e9
    found = {
        "copies": (True, f"to hand out and to show, in {STUDENT.parent}"),
        "network": network(PORT),
        "accounts": accounts(),
        "memory": memory(learners, free, measured),
        "disk": disk(learners, shutil.disk_usage(here).free / 1e9),
        "grading": grading(),
    }
    for what, (ready, told) in found.items():
        print(f"{'ok' if ready else 'no':3} {what:9} {told}")
    return sum(not ready for ready, _ in found.values())


if __name__ == "__main__":
    asked = os.environ.get("N", "20")
    if not asked.isdigit() or int(asked) < 1:
        sys.exit(f"N: expected how many learners will come, got {asked!r}")
    sys.exit(bool(main(int(asked))))
