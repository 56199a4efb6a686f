"""The pages in a browser: offline, light, open to all readers, alive."""

import functools
import gzip
import http.server
import itertools
import json
import threading

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe

import sinefit
from conftest import NOTEBOOKS, ROOT
from test_book import PAGES

NAMES = ["index", "search", "genindex", *PAGES]
FIRST, NEXT = 200_000, 80_000  # bytes, gzipped


class Quiet(http.server.SimpleHTTPRequestHandler):
    """A server of files that does not write about each of them."""

    def log_message(self, *args):
        """Say nothing."""


@pytest.fixture(scope="module")
def served(built):
    """Serve the book; return its address."""
    handler = functools.partial(Quiet, directory=built)
    with http.server.ThreadingHTTPServer(("localhost", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()


def visit_all(browser, root):
    """Open all pages; return what each asked for, and what went wrong."""
    page, visits, asked, wrong = browser.new_page(), {}, [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: wrong.append(error.message))

    @functools.partial(page.on, "requestfailed")
    def failed(request):
        if request.failure != "net::ERR_ABORTED":  # the index leads on
            wrong.append(request.url)

    @functools.partial(page.on, "console")
    def told(message):
        if message.type == "error":
            wrong.append(message.text)

    for name in NAMES:
        page.goto(f"{root}/{name}.html")
        page.wait_for_timeout(200)  # for what a script may ask for
        page.wait_for_load_state()  # the index leads to the welcome page
        visits[name] = asked[:], wrong[:]
        asked.clear()
        wrong.clear()
    page.close()
    return root, visits


@pytest.fixture(scope="module")
def offline(built, browser):
    """Visit all pages from disk."""
    return visit_all(browser, built.as_uri())


@pytest.fixture(scope="module")
def online(served, browser):
    """Visit all pages from a server."""
    return visit_all(browser, served)


@pytest.mark.parametrize("way", ["from disk", "from a server"])
def test_no_page_asks_for_anything_outside_the_book(way, request):
    root, visits = request.getfixturevalue(
        "offline" if way == "from disk" else "online"
    )
    for name, (asked, wrong) in visits.items():
        outside = [a for a in asked if not a.startswith((root, "data:"))]
        assert (outside, wrong) == ([], []), name


def test_search_finds_a_term_where_it_is_explained(built, browser):
    page = browser.new_page()
    page.goto(f"{built.as_uri()}/search.html?q=gradcheck")
    page.locator("#search-results li a").first.wait_for()
    found = page.locator("#search-results li a").all_inner_texts()
    assert any("Write your own gradient" in title for title in found)
    page.close()


def weight(addresses, built, root):
    """Return how many bytes these files are, gzipped."""
    paths = {a.removeprefix(root).partition("?")[0] for a in addresses}
    return sum(
        len(gzip.compress((built / path.lstrip("/")).read_bytes()))
        for path in paths
    )


def test_pages_are_light(built, online):
    root, visits = online
    known, _ = visits["book/welcome"]
    assert weight(known, built, root) <= FIRST
    for name in PAGES:
        asked, _ = visits[name]
        assert weight({*asked} - {*known}, built, root) <= NEXT, name


# What does not fit into its place on the page, and scrolls or is cut.
CUT = """[...document.querySelectorAll(
  'article :is(pre, .pst-scrollable-table-container, .math)')]
.filter(box => box.scrollWidth > box.clientWidth + 1).map(box => box.innerText)
"""


@pytest.mark.parametrize("name", NAMES[1:])
def test_all_readers_can_use_a_page(name, built, browser):
    page = browser.new_page(reduced_motion="reduce")
    page.goto(f"{built.as_uri()}/{name}.html")
    page.evaluate("document.querySelectorAll('details').forEach(d=>d.open=1)")
    wait = {"dark": 50, "light": 400}  # the theme looks again at what scrolls
    for width, theme in itertools.product((1280, 390), ("light", "dark")):
        page.emulate_media(color_scheme=theme)
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_timeout(wait[theme])
        page.locator(f"html[data-theme={theme}]").wait_for()
        # The slowest rule: colours do not depend on the width, and those of
        # code are the same in all chapters.
        rules = {"color-contrast": {"enabled": width == 1280}}
        where = {"exclude": [] if "06" in name else [["pre"]]}
        options = {"resultTypes": ["violations"], "rules": rules}
        found = Axe().run(page, context=where, options=options)
        assert found.violations_count == 0, found.generate_report()
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert (wide <= width, page.evaluate(CUT)) == (True, [])
    levels = page.evaluate(
        "[...document.querySelectorAll('article :is(h1,h2,h3,h4)')]"
        ".map(h => +h.tagName[1])"
    )
    assert all(b <= a + 1 for a, b in itertools.pairwise(levels))
    page.close()


@pytest.mark.parametrize(
    ("width", "opener", "opened"),
    [
        (1280, ".search-button-field", "#pst-search-dialog"),
        (390, ".search-button.btn", "#pst-search-dialog"),
        (390, ".primary-toggle", "#pst-primary-sidebar-modal"),
        (390, ".secondary-toggle", "#pst-secondary-sidebar-modal"),
        (390, ".dropdown-download-buttons button", ".dropdown-menu.show"),
    ],
)
def test_all_readers_can_use_what_opens(width, opener, opened, built, browser):
    page = browser.new_page(reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{built.as_uri()}/notebooks/06_optim.html")
    page.locator(opener).first.focus()
    page.keyboard.press("Enter")
    page.locator(opened).wait_for()
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        page.wait_for_timeout(400)
        options = {"resultTypes": ["violations"]}
        found = Axe().run(page, context=opened, options=options)
        assert found.violations_count == 0, found.generate_report()
    page.keyboard.press("Escape")
    page.locator(opened).wait_for(state="hidden")
    page.close()


def test_a_reader_needs_no_mouse(built, browser):
    page = browser.new_page()
    page.goto(f"{built.as_uri()}/notebooks/01_numpy.html")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # past the menus
    assert page.url.endswith("#main-content")
    page.locator("summary").first.focus()
    page.keyboard.press("Enter")
    assert page.locator("details[open]").count() == 1
    theme = page.locator(".theme-switch-button")
    seen = set()
    for _ in range(3):
        theme.focus()
        page.keyboard.press("Enter")
        seen.add(page.locator("html").get_attribute("data-mode"))
    assert seen == {"auto", "light", "dark"}
    page.keyboard.press("Control+k")
    page.keyboard.type("gradcheck")
    page.keyboard.press("Enter")
    page.locator("#search-results li a").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "search.html" not in url)
    page.close()


def test_code_is_copied_as_it_was_written(built, browser):
    page = browser.new_page()
    page.goto(f"{built.as_uri()}/notebooks/04_custom_function.html")
    notebook = json.loads((NOTEBOOKS / "04_custom_function.ipynb").read_text())
    cells = [c for c in notebook["cells"] if c["cell_type"] == "code"]
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 900})
        for box, cell in enumerate(cells[:8]):
            copied = page.evaluate(
                "box => { getSelection().selectAllChildren(box);"
                "return getSelection().toString(); }",
                page.locator(".cell_input pre").nth(box).element_handle(),
            )
            assert copied.rstrip() == "".join(cell["source"])
    page.close()


def descend(lr=1e-6, momentum=0, steps=2000, start=sinefit.START):
    """Return the losses that NumPy finds on the 2000 points."""
    x, y = sinefit.data()
    V = np.vander(x, 4, increasing=True)
    w, velocity, losses = np.array(start), np.zeros(4), []
    for _ in range(steps):
        error = V @ w - y
        losses.append(error @ error)
        velocity = momentum * velocity + 2 * error @ V
        w = w - lr * velocity
    return np.array(losses)


@pytest.mark.parametrize(
    ("address", "settings", "told"),
    [
        ("", {}, "Loss 9.1413"),
        ("lr=3.5e-6", {"lr": 3.5e-6}, "Loss 8.8172"),
        ("lr=3.6e-6", {"lr": 3.6e-6}, "Diverged"),
        ("lr=3.56e-6&steps=9", {"lr": 3.56e-6, "steps": 9}, "will diverge"),
        ("lr=1e-5&steps=200", {"lr": 1e-5, "steps": 200}, "Diverged"),
        ("momentum=0.9", {"momentum": 0.9}, "0.0000 above"),
        ("momentum=1", {"momentum": 1}, "Loss 1255.9407"),
        ("a=2&b=-1", {"start": (2, -1, 0.125, -0.0625)}, "Loss"),
        ("lr=nonsense&steps=1e9&a=&toString=1&z=2", {}, "Loss 9.1413"),
    ],
)
def test_playground_computes_what_numpy_does(
    address, settings, told, built, browser
):
    page = browser.new_page()
    page.goto(f"{built.as_uri()}/book/playground.html#{address}")
    found = np.array(page.evaluate("descend(settings).losses"), float)
    np.testing.assert_allclose(found, descend(**settings), rtol=1e-9)
    assert told in page.locator("#play-verdict").inner_text()
    page.close()


def test_playground_works_from_the_keyboard_and_by_its_address(built, browser):
    page = browser.new_page()
    page.goto(f"{built.as_uri()}/book/playground.html")
    limit = float(page.locator("#play-limit").inner_text())
    V = np.vander(sinefit.data()[0], 4, increasing=True)
    assert abs(limit * np.linalg.norm(V, 2) ** 2 - 1) < 1e-3
    page.locator("[name=momentum]").focus()
    page.keyboard.press("End")
    doubled = float(page.locator("#play-limit").inner_text())
    assert abs(doubled / limit / 2 - 1) < 1e-3
    page.keyboard.press("ArrowLeft")
    assert page.url.endswith("#momentum=0.99")
    again = browser.new_page()
    again.goto(page.url)
    said = "#play-verdict"
    assert page.inner_text(said) == again.inner_text(said)
    page.get_by_text("Back to the book's settings").click()
    assert page.url.endswith("playground.html")
    assert "Loss 9.1413" in page.inner_text(said)


def test_playground_is_short_enough_to_read():
    text = (ROOT / "book" / "style" / "playground.js").read_text("utf-8")
    assert len(text.splitlines()) <= 160
