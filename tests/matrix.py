"""Run the notebooks where other machines differ, and print a table.

`make matrix`: threads, the processor's features turned down, and the Pythons
that are on this machine. There, without torch, chapter 1 and its helper run.
"""

import glob
import os
import pathlib
import re
import subprocess
import sys
import time

import numpy as np

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
    """Return the Pythons from 3.10 to 3.13 that start on this machine."""
    found = {}
    for minor in range(10, 14):
        name = f"python3.{minor}"
        pyenv = glob.glob(os.path.expanduser(f"~/.pyenv/versions/3.{minor}.*"))
        for candidate in (name, *(f"{path}/bin/python" for path in pyenv)):
            ask = [candidate, "-c", "import venv; print('yes')"]
            try:
                done = subprocess.run(ask, capture_output=True, check=False)
            except FileNotFoundError:
                continue
            if done.stdout.strip() == b"yes":
                found[f"3.{minor}"] = candidate
                break
    return found


def report(what, python, tests, **settings):
    """Run the tests with a Python and settings; print a line; tell if good."""
    start = time.perf_counter()
    done = subprocess.run(
        [python, "-m", "pytest", "-p", "no:cacheprovider", *tests],
        cwd=ROOT,
        env=os.environ | settings,
        capture_output=True,
        text=True,
        check=False,
    )
    took = time.perf_counter() - start
    last = re.findall(r"^.*\d+ (?:passed|failed|error).*$", done.stdout, re.M)
    said = last[-1].split(" in ")[0] if last else done.stdout + done.stderr
    print(f"{what:20} {took:5.0f} s  {said}", flush=True)
    return done.returncode == 0


def environment(version, python):
    """Make an environment without torch, once; return its Python."""
    folder = ROOT / "_build" / "matrix" / version
    if not (folder / "ready").exists():
        wanted = (ROOT / "requirements.txt").read_text(encoding="utf-8")
        lines = [x for x in wanted.splitlines() if not x.startswith("torch")]
        subprocess.run([python, "-m", "venv", "--clear", folder], check=True)
        (folder / "requirements.txt").write_text("\n".join(lines))
        pip = [folder / "bin" / "python", "-m", "pip", "install", "-qq"]
        files = ["-r", folder / "requirements.txt", "-c", "constraints.txt"]
        subprocess.run([*pip, *files], cwd=ROOT, check=True)
        (folder / "ready").touch()
    return folder / "bin" / "python"


if __name__ == "__main__":
    everything = ["notebooks", "tests/test_digits.py"]
    good = [
        report(name, sys.executable, everything, **settings)
        for name, settings in SETTINGS.items()
    ]
    for version, python in pythons().items():
        good += [
            report(
                f"Python {version}, no torch",
                environment(version, python),
                TORCHLESS,
            )
        ]
    sys.exit(not all(good))
