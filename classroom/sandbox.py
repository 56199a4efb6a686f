"""Start a kernel that reaches nothing of the teacher's, to grade in.

bubblewrap lets it see the system, Python and the folder it begins in, where
the book's own files cannot be changed; no network, and no other process. The
book's files are at /book, too, where a check looks for them first. A cell that
prints without end is stopped: who reads it all would blame another answer.
"""

import os
import sys
from pathlib import Path

GIGABYTES = 4  # of memory that a kernel may fill
# A kernel whose cells print no more than that.
KERNEL = """
import sys
from collections import Counter

from ipykernel.iostream import OutStream
from ipykernel.kernelapp import launch_new_instance

class Bounded(OutStream):
    said = Counter()

    def write(self, text):
        cell = self.name, self.parent_header.get("msg_id")
        self.said[cell] += len(text)
        if self.said[cell] > 1_000_000:
            raise RuntimeError("this cell prints more than 1,000,000 letters")
        return super().write(text)

sys.path.insert(0, "")  # the folder's modules, but none in place of the above
launch_new_instance(outstream_class="__main__.Bounded")
"""
SYSTEM = ("/usr", "/bin", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/fonts")


def command(kernel, connection):
    """Return what starts the kernel, with the current folder as its own."""
    here, limits = Path.cwd(), ["prlimit", f"--data={GIGABYTES * 10**9}"]
    box = ["bwrap", "--unshare-all", "--die-with-parent", "--new-session"]
    box += ["--clearenv", "--proc", "/proc", "--dev", "/dev"]
    box += ["--tmpfs", "/tmp", "--setenv", "HOME", "/tmp"]
    box += ["--setenv", "PATH", "/usr/bin:/bin"]
    for name in ("OMP_NUM_THREADS", "TORCHDYNAMO_DISABLE"):
        box += ["--setenv", name, "1"]
    for path in (*SYSTEM, sys.base_prefix, sys.prefix):
        box += ["--ro-bind-try", path, path]
    runtime = str(Path(connection).parent)
    box += ["--bind", runtime, runtime, "--bind", str(here), str(here)]
    for file in (*here.glob("*.py"), *here.glob("*.csv")):
        box += ["--ro-bind", str(file), str(file)]
        box += ["--ro-bind", str(file), f"/book/{file.name}"]
    return [*box, "--chdir", str(here), *limits, *kernel]


if __name__ == "__main__":
    kernel = [sys.executable, "-P", "-c", KERNEL, "-f", sys.argv[1]]
    started = command(kernel, sys.argv[1])
    silence = os.open(os.devnull, os.O_WRONLY)  # it speaks through sockets
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    os.execvp(started[0], started)
