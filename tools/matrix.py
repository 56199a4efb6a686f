"""Run the notebooks where other machines differ: `make matrix`.

Threads; the processor's features turned down; other Pythons, where, without
torch, chapter 1 and its helper run; other people's runners, from the root and
from the notebooks' folder; and the copies that need no other file. pytest
prints the table, and its options choose rows: `python tools/matrix.py -k lab`.
"""

import importlib
import os
import pathlib
import re
import shutil
import subprocess
import sys

import nbformat
import numpy as np
import pytest
import yaml

from browser import chromium

ROOT = pathlib.Path(__file__).parents[1]
NOTEBOOKS = ROOT / "notebooks"
NAMES = sorted(path.name for path in NOTEBOOKS.glob("[0-9]*.ipynb"))
SANITIZE = (ROOT / "tests" / "sanitize.ini").read_text(encoding="utf-8")
SIMD = np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])
SETTINGS = {
    "1 thread": {"OMP_NUM_THREADS": "1"},
    "2 threads": {"OMP_NUM_THREADS": "2"},
    "torch without AVX": {"ATEN_CPU_CAPABILITY": "default"},
    "torch with AVX2": {"ATEN_CPU_CAPABILITY": "avx2"},
    "NumPy's baseline": {"NPY_DISABLE_CPU_FEATURES": " ".join(SIMD)},
}
LAB = [sys.executable, "-m", "jupyterlab", "--no-browser", "--port=0"]
LAB += ["--allow-root", "--expose-app-in-browser"]
# As the menu's Restart Kernel and Run All Cells. A kernel that has not told of
# itself yet would not come back.
OPEN_AND_RUN = """async path => {
  const {commands} = jupyterapp;
  const {context} = await commands.execute("docmanager:open", {path});
  await context.sessionContext.ready;
  await context.sessionContext.session.kernel.info;
  const ran = commands.execute("notebook:restart-run-all");
  window.saved = ran.then(() => context.save()).then(() => true);
}"""


def run(*command, folder=ROOT, **settings):
    """Run a module of this environment in a folder."""
    subprocess.run(
        [sys.executable, "-m", *command],
        cwd=folder,
        env=os.environ | settings,
        check=True,
    )


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_settings(settings):
    """The outputs are those that are stored."""
    # workers that start threads each would wait for one another
    workers = ["-n0"] if settings == SETTINGS["2 threads"] else []
    run("pytest", "notebooks", "tests/test_learner.py", *workers, **settings)


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13", "3.14"])
def test_python_without_torch(version, tmp_path):
    """Chapter 1 and its helper run with another Python, which uv sets up."""
    lists = (
        ".binder/chapters.txt",
        "requirements.txt",
        "tests/requirements.txt",
    )
    wanted = "\n".join((ROOT / name).read_text("utf-8") for name in lists)
    file = tmp_path / "requirements.txt"
    wanted = re.sub("(?m)^(torch|-r ).*", "", wanted)
    file.write_text(f"{wanted}\n-c constraints.txt\n")
    shutil.copy(ROOT / "constraints.txt", tmp_path)
    uv = ["uv", "run", "--isolated", "--no-project", "--no-python-downloads"]
    uv += ["--python", version, "--with-requirements", file]
    tests = ["notebooks/01_numpy.ipynb", "tests/test_sinefit.py"]
    done = subprocess.run(
        [sys.executable, "-m", *uv, "python", "-m", "pytest", *tests],
        cwd=ROOT,
        env=os.environ | {"PYENV_VERSION": version},
        capture_output=True,
        text=True,
        check=False,
    )
    if re.search("error: (No interpreter|Failed to inspect)", done.stderr):
        pytest.skip("not on this machine")
    assert done.returncode == 0, done.stdout + done.stderr


def nbconvert(folder, paths, **settings):
    """Run `jupyter nbconvert --execute`."""
    command = ["nbconvert", "--to=notebook", "--execute", "--inplace"]
    run(*command, *paths, folder=folder, **settings)


def papermill(folder, paths):
    """Run `papermill`, one notebook after the other, each in its folder."""
    for path in paths:
        # where a kernel begins: chapter 9 reads the file that lies beside it
        beside = folder / path
        options = ["--no-progress-bar", "--cwd", beside.parent]
        run("papermill", *options, path, path, folder=folder)


def nbmake(folder, paths):
    """Run `pytest --nbmake`, without the book's own settings."""
    run("pytest", "--nbmake", "--overwrite", *paths, folder=folder)


def jupyterlab(folder, paths):
    """Run all cells in JupyterLab, in a browser, with nobody's settings."""
    own = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR")
    with (
        chromium() as browser,
        subprocess.Popen(
            LAB,
            cwd=folder,
            env=os.environ | dict.fromkeys(own, str(folder)),
            stderr=subprocess.PIPE,
            text=True,
        ) as server,
    ):
        try:
            for line in server.stderr:
                print(line, end="")  # seen where it does not start
                if " http://localhost" in line:
                    break
            page = browser.new_page()
            page.set_default_timeout(120_000)
            page.goto(line.split()[-1])
            page.wait_for_function("window.jupyterapp?.restored.then(() => 1)")
            for path in paths:
                page.evaluate(OPEN_AND_RUN, path)
                page.locator(".jp-Dialog .jp-mod-accept").click()
                page.wait_for_function("saved")
        finally:
            server.terminate()


def said(path):
    """Return what the chapter's cells said, but for what may vary."""
    text = ""
    for cell in nbformat.read(path, as_version=4).cells:
        if "nbval-ignore-output" not in cell.metadata.get("tags", []):
            for out in cell.get("outputs", []):
                data = out.get("data", {}).get("text/plain", out.output_type)
                text += out.get("text", data + "\n")
    for rule in re.findall("regex: (.*)\nreplace: (.*)", SANITIZE):
        text = re.sub(*rule, text)
    return text


@pytest.mark.parametrize(
    "inside", ["notebooks/", ""], ids=["root", "notebooks"]
)
@pytest.mark.parametrize("runner", [nbconvert, papermill, nbmake, jupyterlab])
def test_runner(runner, inside, tmp_path):
    """A copy that is run from a folder says what the notebooks store."""
    shutil.copytree(NOTEBOOKS, tmp_path / inside, dirs_exist_ok=True)
    paths = [inside + name for name in NAMES]
    run("nbconvert", "--clear-output", *paths, folder=tmp_path)
    runner(tmp_path, paths)
    for name in NAMES:
        assert said(tmp_path / inside / name) == said(NOTEBOOKS / name)


def test_kubernetes_would_take_the_job():
    """Kubeflow's own model of a job reads chapter 10's, all of it."""
    models = importlib.import_module("kubeflow_trainer_api.models")
    chapter = (NOTEBOOKS / "10_scale.ipynb").read_text(encoding="utf-8")
    (cell,) = (
        cell
        for cell in nbformat.reads(chapter, as_version=4).cells
        if "kind: TrainJob" in cell.source
    )
    job = yaml.safe_load(cell.source.partition("```yaml")[2].split("```")[0])
    read = models.TrainerV1alpha1TrainJob.model_validate(job).model_dump(
        by_alias=True, exclude_none=True
    )
    assert read == job


@pytest.mark.parametrize("name", NAMES)
def test_alone(name, tmp_path):
    """A copy that needs no other file runs where there is none."""
    path = ROOT / "_build" / "classroom" / "solved" / name
    assert path.exists(), "there is no copy yet: make classroom"
    shutil.copy(path, tmp_path)
    # what the set-up makes importable does not count
    (tmp_path / "empty").mkdir()
    for module in NOTEBOOKS.glob("*.py"):
        (tmp_path / "empty" / module.name).touch()
    nbconvert(tmp_path, [name], PYTHONPATH=str(tmp_path / "empty"))
    assert said(tmp_path / name) == said(NOTEBOOKS / name)


if __name__ == "__main__":
    table = ["-n0", "-vv", "--tb=short", "--durations=0", "--durations-min=1"]
    sys.exit(pytest.main([__file__, *table, *sys.argv[1:]]))
