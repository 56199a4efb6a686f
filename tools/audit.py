"""Weigh the first pages, ask Lighthouse about them, and print a table.

`make audit`: the welcome page, opened first, and the longest chapter, opened
next; beside them the same pages as Jupyter Book makes them by default, without
the MathJax that those fetch from elsewhere. Lighthouse comes from npm, and
stays in _build/audit; without npm the table has no scores.
"""

import functools
import gzip
import http.server
import json
import os
import pathlib
import shutil
import subprocess
import sys
import threading

import yaml

from browser import chromium, program

ROOT = pathlib.Path(__file__).parents[1]
WORK = ROOT / "_build" / "audit"
PAGES = ["book/welcome", "notebooks/06_optim"]
SCORES = ["performance", "accessibility", "best-practices", "seo"]
LIGHTHOUSE = "lighthouse@12.8.2"


class Zipped(http.server.SimpleHTTPRequestHandler):
    """Serve each file gzipped, as a web server does."""

    def do_GET(self):
        """Answer with the file, and forget it when it is not there."""
        path = pathlib.Path(self.translate_path(self.path))
        if not path.is_file():
            self.send_error(404)
            return
        body = gzip.compress(path.read_bytes())
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(path))
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        """Say nothing."""


def build_default():
    """Build the same pages with none of the book's own settings for them."""
    settings = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))
    settings["execute"]["execute_notebooks"] = "off"
    settings["html"] = {}
    settings["sphinx"] = {}
    copy = WORK / "default"
    shutil.rmtree(copy, ignore_errors=True)
    for folder in ("book", "notebooks"):
        shutil.copytree(ROOT / folder, copy / folder)
    shutil.copy(ROOT / "_toc.yml", copy)
    (copy / "_config.yml").write_text(yaml.safe_dump(settings))
    command = pathlib.Path(sys.executable).with_name("jupyter-book")
    subprocess.run([command, "build", copy], check=True, capture_output=True)
    return copy / "_build" / "html"


def weigh(built, root):
    """Return the bytes, gzipped, that each page adds to those before."""
    known, weights = set(), []
    with chromium() as browser:
        page = browser.new_page()
        page.on("request", lambda request: asked.append(request.url))
        for name in PAGES:
            asked = []
            page.goto(f"{root}/{name}.html", wait_until="networkidle")
            new = {a for a in asked if a.startswith(root)} - known
            known |= new
            files = {built / a[len(root) + 1 :].split("?")[0] for a in new}
            weights.append(
                sum(len(gzip.compress(f.read_bytes())) for f in files)
            )
    return weights


def scores(address):
    """Return Lighthouse's scores on its throttled phone, of 100."""
    done = subprocess.run(
        [
            "node_modules/.bin/lighthouse",
            address,
            "--quiet",
            "--output=json",
            "--chrome-flags=--headless --no-sandbox --disable-gpu",
            f"--only-categories={','.join(SCORES)}",
        ],
        cwd=WORK,
        env=os.environ | {"CHROME_PATH": program() or ""},
        check=True,
        capture_output=True,
    )
    found = json.loads(done.stdout)["categories"]
    return [round(100 * found[score]["score"]) for score in SCORES]


def audit(name, built):
    """Print a line a page; return the weights and the scores."""
    handler = functools.partial(Zipped, directory=built)
    with http.server.ThreadingHTTPServer(("localhost", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        root = f"http://localhost:{server.server_port}"
        rows = []
        for page, weight in zip(PAGES, weigh(built, root), strict=True):
            row = [weight / 1000]
            if shutil.which("npm"):
                row += scores(f"{root}/{page}.html")
            rows.append(row)
            told = "".join(f"{score:15}" for score in row[1:])
            print(f"{name:8} {page:18} {row[0]:8.0f} kB{told}", flush=True)
        server.shutdown()
    return rows


if __name__ == "__main__":
    WORK.mkdir(parents=True, exist_ok=True)
    if shutil.which("npm"):
        install = ["npm", "install", "--silent", "--no-audit", LIGHTHOUSE]
        subprocess.run(install, cwd=WORK, check=True)
    else:
        print("no npm on this machine: no Lighthouse")
    print(f"{'':27} {'gzipped':>11}" + "".join(f"{s:>15}" for s in SCORES))
    first, then = audit("book", ROOT / "_build" / "html")
    audit("default", build_default())
    light = first[0] <= 200 and then[0] <= 80
    good = all(
        row[1] >= 90 and row[2:] == [100, 100, 100]
        for row in (first, then)
        if row[1:]
    )
    sys.exit(not (light and good))
