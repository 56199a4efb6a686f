"""Run the notebooks with other people's runners, unchanged.

Each runner starts in a folder, takes the path of the notebooks from there,
and returns a list of what went wrong: an empty one, if all is well.
"""

import contextlib
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

from browser import NoBrowser, chromium
from runner import VARIES, code_cells, printed, tags

ROOT = pathlib.Path(__file__).parents[1]
CHAPTERS = sorted(path.name for path in (ROOT / "notebooks").glob("0*.ipynb"))
TOKEN = "book"
STATUS = ".jp-Notebook-ExecutionIndicator"


def said(path):
    """Return what each cell printed, but for what may vary."""
    return [
        VARIES.sub("", printed(cell))
        for cell in code_cells(path)
        if "nbval-ignore-output" not in tags(cell)
    ]


def differences(folder):
    """Compare what the notebooks there now say with what is stored."""
    return [
        f"{name} prints something else"
        for name in CHAPTERS
        if said(folder / name) != said(ROOT / "notebooks" / name)
    ]


def start(command, folder):
    """Run a command of this environment there; return its complaint."""
    done = subprocess.run(
        [sys.executable, "-m", *map(str, command)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return [done.stdout[-2000:] + done.stderr[-2000:]] * bool(done.returncode)


def nbconvert(folder, inside):
    """Run `jupyter nbconvert --execute`."""
    with tempfile.TemporaryDirectory() as out:
        command = ["nbconvert", "--to=notebook", "--execute"]
        files = [inside / name for name in CHAPTERS]
        wrong = start([*command, f"--output-dir={out}", *files], folder)
        return wrong or differences(pathlib.Path(out))


def papermill(folder, inside):
    """Run `papermill`, one notebook after the other."""
    with tempfile.TemporaryDirectory() as out:
        for name in CHAPTERS:
            files = [inside / name, pathlib.Path(out) / name]
            wrong = start(["papermill", "--no-progress-bar", *files], folder)
            if wrong:
                return wrong
        return differences(pathlib.Path(out))


def nbmake(folder, inside):
    """Run `pytest --nbmake`, without the book's own settings."""
    command = ["pytest", "-c", os.devnull, "-p", "no:cacheprovider"]
    return start([*command, "--nbmake", inside], folder)


def jupyterlab(folder, inside):
    """Choose Restart Kernel and Run All Cells in JupyterLab, in a browser."""
    with (
        tempfile.TemporaryDirectory() as home,
        lab(folder, home) as address,
        chromium() as browser,
    ):
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        page.set_default_timeout(60_000)
        for name in CHAPTERS:
            copy = folder / inside / name
            clear(copy)
            page.goto(
                f"{address}/lab/tree/{inside / name}?reset&token={TOKEN}"
            )
            rest(page)
            page.get_by_text("Kernel", exact=True).first.click()
            page.get_by_text("Restart Kernel and Run All Cells").first.click()
            page.locator(".jp-Dialog .jp-mod-accept").click()
            page.locator(f"{STATUS}[data-status=busy]").wait_for()
            rest(page)
            page.keyboard.press("Control+s")
            until(lambda copy=copy: has_run(copy), f"{name} did not end", 20)
        return differences(folder / inside)


@contextlib.contextmanager
def lab(folder, home):
    """Serve the folder by JupyterLab, as a reader without settings would."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    command = ["jupyterlab", "--no-browser", "--allow-root", f"--port={port}"]
    command += [
        f"--IdentityProvider.token={TOKEN}",
        f"--notebook-dir={folder}",
    ]
    with subprocess.Popen(
        [sys.executable, "-m", *command],
        env=os.environ | {"HOME": home, "JUPYTER_CONFIG_DIR": home},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as server:
        address = f"http://localhost:{port}"
        try:
            until(lambda: answers(address), "JupyterLab did not start")
            yield address
        finally:
            server.terminate()


def answers(address):
    """Tell whether a server is there."""
    try:
        return urllib.request.urlopen(f"{address}/api").status == 200
    except OSError:
        return False


def until(true, otherwise, seconds=90):
    """Wait until it is true; raise TimeoutError when that takes too long."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise TimeoutError(otherwise)
        time.sleep(0.5)


def clear(path):
    """Take the outputs away, so that what is there later is new."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
    path.write_text(json.dumps(notebook), encoding="utf-8")


def rest(page):
    """Wait until the kernel has had nothing to do for two seconds."""
    quiet = 0
    for _ in range(400):
        status = page.locator(STATUS).get_attribute("data-status")
        quiet = quiet + 1 if status == "idle" else 0
        if quiet == 8:
            return
        page.wait_for_timeout(250)
    raise TimeoutError("the kernel did not come to rest")


def has_run(path):
    """Tell whether every cell there has been run."""
    return all(cell["execution_count"] for cell in code_cells(path))


def run(runner, inside):
    """Run a copy of the notebooks, from their folder or the one above it."""
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder) / "notebooks"
        shutil.copytree(ROOT / "notebooks", copy)
        return runner(copy.parent if inside else copy, pathlib.Path(inside))


def alone():
    """Run each standalone notebook in a folder with nothing else in it."""
    wrong = []
    for name in CHAPTERS:
        with tempfile.TemporaryDirectory() as folder:
            shutil.copy(ROOT / "notebooks" / "standalone" / name, folder)
            command = ["nbconvert", "--to=notebook", "--execute", "--inplace"]
            wrong += start([*command, name], folder)
    return wrong


def rows():
    """Run all of them; give a name and what went wrong, one by one."""
    yield "standalone", alone()
    for runner in (nbconvert, papermill, nbmake, jupyterlab):
        for inside in ("notebooks", ""):
            name = f"{runner.__name__}, {'root' if inside else 'notebooks'}"
            try:
                yield name, run(runner, inside)
            except (NoBrowser, TimeoutError) as error:
                yield name, [str(error)]
