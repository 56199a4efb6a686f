"""Run the notebooks where other machines differ: `make matrix`.

Threads; the processor's features turned down; no PyTorch, for chapter 1; and
other people's runners. pytest prints the table, and its options choose rows:
`pytest -n0 tools/matrix.py -k lab`.
"""

import importlib
import os
import re
import shutil
import sys

import numpy as np
import pytest
import yaml

import conftest
from browser import chromium
from conftest import CHAPTERS, NOTEBOOKS, ROOT, serve
from runner import VARIES, cells, printed, tags

SIMD = np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])
SETTINGS = {
    # workers that start threads each would wait for one another
    "2 threads": {
        "OMP_NUM_THREADS": "2",
        "PYTEST_XDIST_AUTO_NUM_WORKERS": "0",
    },
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
    command = [sys.executable, "-m", *command]
    done = conftest.run(command, folder, **settings)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_settings(settings):
    """The outputs are those that are stored."""
    run("pytest", "notebooks", **settings)


def test_chapter_1_without_torch(tmp_path):
    """It runs where PyTorch cannot be imported."""
    (tmp_path / "torch.py").write_text("raise ImportError")
    path = f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    run("pytest", "-n0", str(CHAPTERS[0]), PYTHONPATH=path)


def nbconvert(folder, paths):
    """Run `jupyter nbconvert --execute`."""
    command = ["nbconvert", "--to=notebook", "--execute", "--inplace"]
    run(*command, *paths, folder=folder)


def papermill(folder, paths):
    """Run `papermill`, one notebook after the other, each in its folder."""
    for path in paths:
        # where a kernel begins: chapter 9 reads the file that lies beside it
        options = ["--no-progress-bar", f"--cwd={(folder / path).parent}"]
        run("papermill", *options, path, path, folder=folder)


def nbmake(folder, paths):
    """Run `pytest --nbmake`, without the book's own settings."""
    run("pytest", "--nbmake", "--overwrite", *paths, folder=folder)


def jupyterlab(folder, paths):
    """Run all cells in JupyterLab, in a browser, with nobody's settings."""
    names = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR")
    own = dict.fromkeys(names, str(folder))
    with (
        chromium() as browser,
        serve(LAB, folder, "/lab?token=", **own) as told,
    ):
        page = browser.new_page()
        page.set_default_timeout(120_000)
        page.goto(told.split()[-1])
        page.wait_for_function("window.jupyterapp?.restored.then(() => 1)")
        for path in paths:
            page.evaluate(OPEN_AND_RUN, path)
            page.locator(".jp-Dialog .jp-mod-accept").click()
            page.wait_for_function("saved")


def said(path):
    """Return what the chapter's cells printed, but for what may vary."""
    compared = (
        printed(cell)
        for cell in cells(path, "code")
        if "nbval-ignore-output" not in tags(cell)
    )
    return VARIES.sub("", "\n".join(compared))


@pytest.mark.parametrize("runner", [nbconvert, papermill, nbmake, jupyterlab])
def test_runner(runner, tmp_path):
    """A copy that is run from the root says what the notebooks store."""
    shutil.copytree(NOTEBOOKS, tmp_path / "notebooks")
    paths = [f"notebooks/{path.name}" for path in CHAPTERS]
    run("nbconvert", "--clear-output", *paths, folder=tmp_path)
    runner(tmp_path, paths)
    for path in CHAPTERS:
        assert said(tmp_path / "notebooks" / path.name) == said(path)


def test_kubernetes_would_take_the_job():
    """Kubeflow's own model of a job reads chapter 10's, all of it."""
    models = importlib.import_module("kubeflow_trainer_api.models")
    text = "\n".join(cell.source for cell in cells(CHAPTERS[9], "markdown"))
    job = yaml.safe_load(
        re.search("```yaml\n(.+?TrainJob.+?)```", text, re.S)[1]
    )
    read = models.TrainerV1alpha1TrainJob.model_validate(job).model_dump(
        by_alias=True, exclude_none=True
    )
    assert read == job
