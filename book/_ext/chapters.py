"""Run the chapters that need it, on all cores, before Sphinx reads them.

Jupyter Book runs them one after another, and does not notice when a module
that a chapter imports has changed. Without this extension it still builds the
book, slower; delete _build after editing a module then.
"""

import hashlib
import logging
import re
import sys

from jupyter_cache import get_cache
from jupyter_cache.executors import load_executor


def modules_digest(chapter):
    """Return a hash of the modules beside the chapter that it imports."""
    text = chapter.read_text(encoding="utf-8")
    digest = hashlib.sha256()
    for module in sorted(chapter.parent.glob("*.py")):
        if re.search(rf"\b(import|from) {module.stem}\b", text):
            digest.update(module.read_bytes())
    return digest.hexdigest()


def run_changed(app, env, added, changed, removed):
    """Bring jupyter-cache up to date; return the pages to read again."""
    if env.mystnb_config.execution_mode != "cache":
        return []
    cache = get_cache(env.mystnb_config.execution_cache_path)
    seen = getattr(env, "modules_seen", {})
    chapters, again = [], []
    for page in sorted(env.found_docs, reverse=True):  # the longest are last
        path = app.srcdir / env.doc2path(page, base=False)
        if path.suffix != ".ipynb":
            continue
        chapters.append(str(path))
        cache.add_nb_to_project(str(path))
        digest = modules_digest(path)
        if seen.get(page) != digest:
            record = cache.get_cached_project_nb(str(path))
            if record:
                cache.remove_cache(record.pk)
            seen[page] = digest
            again.append(page)
    env.modules_seen = seen
    todo = cache.list_unexecuted(chapters)
    if todo:
        print(f"Running {len(todo)} chapters", file=sys.stderr)
        log = logging.getLogger("jupyter_cache")
        log.setLevel(logging.WARNING)
        load_executor("local-parallel", cache, log).run_and_cache(
            filter_uris=chapters, timeout=env.mystnb_config.execution_timeout
        )
    return again


def setup(app):
    """Register the extension."""
    app.connect("env-get-outdated", run_changed)
    return {"version": "1", "parallel_read_safe": True}
