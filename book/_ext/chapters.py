"""Run the chapters that need it, on all cores, before Sphinx reads them.

Jupyter Book runs them one after another, and does not notice when a module
that a chapter imports has changed. Without this extension it still builds the
book, slower, with figures that are less sharp; delete _build after editing a
module then.
"""

import hashlib
import os
import re
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import nbformat
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

# Sharp at any size, light, and one file for figures that are the same.
FIGURES = [
    "--InlineBackend.figure_formats=svg",
    "--InlineBackend.rc={'svg.hashsalt': 'book'}",
    "--InlineBackend.print_figure_kwargs="
    "{'bbox_inches': 'tight', 'metadata': {'Date': None}}",
]


def digest(paths):
    """Return a hash of what the files hold."""
    contents = b"".join(path.read_bytes() for path in sorted(paths))
    return hashlib.sha256(contents).hexdigest()


def imported(path):
    """Return the modules beside a chapter that it imports."""
    text = path.read_text(encoding="utf-8")
    return [
        module
        for module in path.parent.glob("*.py")
        if re.search(rf"\b(import|from) {module.stem}\b", text)
    ]


def run(path, timeout):
    """Return the chapter as run, with timeout seconds a cell; and how long."""
    chapter = nbformat.read(path, as_version=4)
    start = time.perf_counter()
    NotebookClient(
        chapter,
        timeout=timeout,
        coalesce_streams=True,
        record_timing=False,  # it would change the key in the cache
        resources={"metadata": {"path": str(path.parent)}},
        extra_arguments=FIGURES,
    ).execute()
    return chapter, time.perf_counter() - start


def run_changed(app, env, added, changed, removed):
    """Bring jupyter-cache up to date; return the pages to read again."""
    if env.mystnb_config.execution_mode != "cache":
        return []
    cache = get_cache(env.mystnb_config.execution_cache_path)
    seen = getattr(env, "modules_seen", {})
    todo, again = [], []
    for page in sorted(env.found_docs, reverse=True):  # the longest are last
        path = app.srcdir / env.doc2path(page, base=False)
        if path.suffix != ".ipynb":
            continue
        modules, known = digest([*imported(path), Path(__file__)]), True
        try:
            cache.match_cache_notebook(nbformat.read(path, as_version=4))
        except KeyError:
            known = False
        if seen.get(page) != modules:
            again.append(page)
        if seen.get(page) != modules or not known:
            todo.append(path)
        seen[page] = modules
    env.modules_seen = seen
    if todo:
        print(f"Running {len(todo)} chapters", file=sys.stderr, flush=True)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        timeout = env.mystnb_config.execution_timeout
        jobs = [pool.submit(run, path, timeout) for path in todo]
    for path, job in zip(todo, jobs, strict=True):
        # what failed here, Sphinx runs again, and reports
        with suppress(CellExecutionError, RuntimeError, TimeoutError):
            chapter, seconds = job.result()
            data = {"execution_seconds": seconds}
            bundle = CacheBundleIn(chapter, str(path), data=data)
            cache.cache_notebook_bundle(bundle, False, True)
    return again


def setup(app):
    """Register the extension."""
    app.connect("env-get-outdated", run_changed)
    # when one of these extensions, styles or scripts changes, all pages are
    # made anew: else Sphinx finds nothing to do
    here = Path(__file__).parent
    for name, files, kind in (
        ("book_extensions", here.glob("*.py"), "env"),
        ("book_style", (here.parent / "style").glob("*.*"), "html"),
    ):
        app.add_config_value(name, digest(files), kind, str)
    return {"version": "1", "parallel_read_safe": True}
