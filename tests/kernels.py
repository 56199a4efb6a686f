"""How pytest runs the notebooks, whichever folder it is called from.

A plugin of pytest, named in pyproject.toml: `make book` has what it needs.
"""

import os
import pathlib
import tempfile
import uuid

import nbval.kernel

# Several workers and kernels run at once: each keeps to one core.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Chapter 10 compiles: seconds, where nobody looks at what it gains.
os.environ.setdefault("TORCHDYNAMO_DISABLE", "1")


class Manager(nbval.kernel.KernelManager):
    """Talk to a kernel through files: those that start at once race for ports.

    Written for jupyter_client 8 and nbval 0.11.
    """

    def __init__(self, **settings):
        file = pathlib.Path(tempfile.gettempdir(), f"kernel-{uuid.uuid4()}")
        settings |= {"transport": "ipc", "connection_file": f"{file}.json"}
        super().__init__(**settings)


if os.name == "posix":
    nbval.kernel.KernelManager = Manager


def pytest_configure(config):
    """Find the patterns of what may differ from the root of the book."""
    named = config.option.nbval_sanitize_with
    if named:
        config.option.nbval_sanitize_with = str(config.rootpath / named)


def pytest_terminal_summary(terminalreporter):
    """Say how the outputs of chapters that differ are stored anew."""
    failed = terminalreporter.stats.get("failed", ())
    files = {report.nodeid.partition("::")[0] for report in failed}
    names = sorted(pathlib.Path(f).stem for f in files if f.endswith("ipynb"))
    if names:
        only = names[0] if len(names) == 1 else f"'{' '.join(names)}'"
        terminalreporter.line(
            f"If that is what they should say now: make notebooks ONLY={only}"
        )
