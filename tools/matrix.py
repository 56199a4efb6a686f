"""Run the notebooks where other machines differ, and print a table.

`make matrix`: threads; the processor's features turned down; the Pythons that
are on this machine, where, without torch, chapter 1 and its helper run; and
other people's runners, from the root and from the notebooks' folder.
"""

import contextlib
import glob
import os
import pathlib
import subprocess
import sys
import time

import numpy as np

import foreign

ROOT = pathlib.Path(__file__).parents[1]
SIMD = np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])
SETTINGS = {
    "1 thread": {"OMP_NUM_THREADS": "1"},
    "2 threads": {"OMP_NUM_THREADS": "2"},
    "torch without AVX": {"ATEN_CPU_CAPABILITY": "default"},
    "torch with AVX2": {"ATEN_CPU_CAPABILITY": "avx2"},
    "NumPy's baseline": {"NPY_DISABLE_CPU_FEATURES": " ".join(SIMD)},
}
TORCHLESS = ["notebooks/01_numpy.ipynb", "tests/test_sinefit.py"]


def pythons():
    """Return the commands of the Pythons, 3.10 to 3.13, that start here."""
    found = {}
    for minor in range(10, 14):
        pyenv = glob.glob(os.path.expanduser(f"~/.pyenv/versions/3.{minor}.*"))
        candidates = [[f"python3.{minor}"], ["py", f"-3.{minor}"]]
        candidates += [[f"{path}/bin/python"] for path in pyenv]
        for command in candidates:
            ask = [*command, "-c", "import venv; print('yes')"]
            with contextlib.suppress(FileNotFoundError):
                done = subprocess.run(ask, capture_output=True, check=False)
                if done.stdout.strip() == b"yes":
                    found[f"3.{minor}"] = command
                    break
    return found


def environment(version, command):
    """Make an environment without torch, once; return its Python."""
    folder = ROOT / "_build" / "matrix" / version
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    if not (folder / "ready").exists():
        wanted = (ROOT / "requirements.txt").read_text(encoding="utf-8")
        lines = [x for x in wanted.splitlines() if not x.startswith("torch")]
        subprocess.run([*command, "-m", "venv", "--clear", folder], check=True)
        (folder / "requirements.txt").write_text("\n".join(lines))
        pip = [python, "-m", "pip", "install", "-qq"]
        files = ["-r", folder / "requirements.txt", "-c", "constraints.txt"]
        subprocess.run([*pip, *files], cwd=ROOT, check=True)
        (folder / "ready").touch()
    return python


def tested(python, tests, **settings):
    """Run the tests with a Python and settings; return what failed."""
    done = subprocess.run(
        [python, "-m", "pytest", "-p", "no:cacheprovider", *tests],
        cwd=ROOT,
        env=os.environ | settings,
        capture_output=True,
        text=True,
        check=False,
    )
    return [done.stdout + done.stderr] if done.returncode else []


def rows():
    """Run it all; give the name of a row and what went wrong, one by one."""
    everything = ["notebooks", "tests/test_digits.py"]
    for name, settings in SETTINGS.items():
        yield name, tested(sys.executable, everything, **settings)
    for version, command in pythons().items():
        python = environment(version, command)
        yield f"Python {version}, no torch", tested(python, TORCHLESS)
    yield from foreign.rows()


if __name__ == "__main__":
    bad, start = 0, time.perf_counter()
    for name, wrong in rows():
        took, start = time.perf_counter() - start, time.perf_counter()
        said = "\n".join(wrong) or "passed"
        print(f"{name:22} {took:4.0f} s  {said}", flush=True)
        bad += bool(wrong)
    sys.exit(bad > 0)
