"""Run the chapters that need it, on all cores, before Sphinx reads them.

Jupyter Book runs them one after another, and does not notice when a module
that a chapter imports has changed. Without this extension it still builds the
book, slower; delete _build after editing a module then.
"""

import hashlib
import os
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import nbformat
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError


def modules_digest(path):
    """Return a hash of the modules beside a chapter that it imports."""
    text = path.read_text(encoding="utf-8")
    digest = hashlib.sha256()
    for module in sorted(path.parent.glob("*.py")):
        if re.search(rf"\b(import|from) {module.stem}\b", text):
            digest.update(module.read_bytes())
    return digest.hexdigest()


def run(path, timeout):
    """Return the chapter as run, with at most timeout seconds a cell."""
    chapter = nbformat.read(path, as_version=4)
    NotebookClient(
        chapter,
        timeout=timeout,
        coalesce_streams=True,
        record_timing=False,  # it would change the key in the cache
        resources={"metadata": {"path": str(path.parent)}},
    ).execute()
    return chapter


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
        digest, known = modules_digest(path), True
        try:
            cache.match_cache_notebook(nbformat.read(path, as_version=4))
        except KeyError:
            known = False
        if seen.get(page) != digest:
            again.append(page)
        if seen.get(page) != digest or not known:
            todo.append(path)
        seen[page] = digest
    env.modules_seen = seen
    if todo:
        print(f"Running {len(todo)} chapters", file=sys.stderr, flush=True)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        timeout = env.mystnb_config.execution_timeout
        jobs = [pool.submit(run, path, timeout) for path in todo]
    for path, job in zip(todo, jobs, strict=True):
        with suppress(CellExecutionError):  # Sphinx runs it again, and reports
            bundle = CacheBundleIn(job.result(), str(path))
            cache.cache_notebook_bundle(bundle, False, True)
    return again


def setup(app):
    """Register the extension."""
    app.connect("env-get-outdated", run_changed)
    return {"version": "1", "parallel_read_safe": True}
