"""The pages in a browser: offline, light, open to all readers, alive."""

import functools
import gzip
import itertools
import threading
import types
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe

import sinefit
from conftest import NOTEBOOKS, ROOT, long
from runner import cells, descend
from test_book import PAGES

FIRST, NEXT = 110_000, 55_000  # bytes, gzipped
# The index leads to the first of PAGES.
NAMES = [(name,) for name in ("index", "search", "genindex", *PAGES[1:])]
WAYS = [
    ("from disk", 390, "dark"),
    ("from disk", 1280, "light"),
    ("from a server", 390, "light"),
    ("from a server", 1280, "dark"),
]
AXE = {"resultTypes": ["violations"], "preload": False}  # it loads no files

# What does not fit into its place on the page, and scrolls or is cut.
CUT = """[...document.querySelectorAll(
  'html, article :is(pre, .pst-scrollable-table-container, .math)')]
.filter(box => box.scrollWidth > box.clientWidth)
.map(box => box.innerText.slice(0, 80))"""

# Of the words of code that look alike, leave one: axe is slow at contrast.
UNWRAP = """{
  const looks = new Set();
  for (const word of document.querySelectorAll('.highlight pre *')) {
    const cell = word.closest('.cell_input, .cell_output');
    const look = `${cell?.className} ${word.className}`;
    if (looks.has(look)) word.replaceWith(...word.childNodes);
    looks.add(look);
  }
}"""


def in_turn(rows, ways):
    """Return all rows in all ways; the fast run has one way of each, in turn.

    Rows share templates and styles: a way that breaks does so for several.
    """
    return [
        pytest.param(
            (*row, *way),
            marks=[] if i % len(ways) == j else [pytest.mark.long],
            id=" ".join(map(str, (*row, *way))),
        )
        for j, way in enumerate(ways)
        for i, row in enumerate(rows)
    ]


@pytest.fixture(scope="module")
def roots(built):
    """Serve the book; return its two addresses."""
    handler = functools.partial(SimpleHTTPRequestHandler, directory=built)
    with ThreadingHTTPServer(("localhost", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        served = f"http://localhost:{server.server_port}"
        yield {"from disk": built.as_uri(), "from a server": served}
        server.shutdown()


@pytest.fixture(scope="module")
def page(browser):
    """Open the page of the browser where the tests take turns."""
    page = browser.new_page(reduced_motion="reduce")
    page.set_default_timeout(10_000)
    page.clock.install()
    yield page
    page.close()


def visit(page, address, width, theme):
    """Open an address, at this width and in this theme."""
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=theme)
    page.goto(address)
    page.locator(f"[data-theme={theme}] main").wait_for(state="attached")
    page.wait_for_load_state()  # the index leads to another page


@pytest.fixture(scope="module")
def look(page, roots):
    """Return what visits a page in one of the ways, and says what it sees."""
    asked, wrong = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: wrong.append(error.message))
    page.on("console", lambda m: m.type == "error" and wrong.append(m.text))

    @functools.cache
    def look(name, way, width, theme):
        asked.clear()
        wrong.clear()
        root, cut = roots[way], []
        visit(page, f"{root}/{name}.html", 390, theme)
        page.locator("details").evaluate_all("all => all.map(d => d.open = 1)")
        for size in (390, width):  # in every way, what fits a phone
            page.set_viewport_size({"width": size, "height": 900})
            cut += page.evaluate(CUT)
        page.clock.run_for(1000)  # what scripts put off, they do now
        page.evaluate(UNWRAP)
        axe = Axe().run(page, options=AXE)
        page.wait_for_load_state("networkidle")
        files = {address.partition("?")[0] for address in asked}
        return types.SimpleNamespace(
            files={f[len(root) + 1 :] for f in files if f.startswith(root)},
            outside=[f for f in files if not f.startswith((root, "data:"))],
            wrong=[*wrong],
            cut=cut,
            axe=axe,
            levels=page.locator("article :is(h1,h2,h3,h4)").evaluate_all(
                "all => all.map(h => +h.tagName[1])"
            ),
        )

    return look


@pytest.fixture(scope="module")
def first(look):
    """Return the files that are there once the first page was read."""
    return look("index", *WAYS[0]).files


@pytest.fixture(scope="module", params=in_turn(NAMES, WAYS))
def seen(look, request):
    """Return what is to be seen on a page, in one of the ways."""
    return look(*request.param)


def test_no_page_asks_for_anything_outside_the_book(seen):
    assert (seen.outside, seen.wrong) == ([], [])


def test_pages_are_light(first, seen, built):
    for files, limit in (first, FIRST), (seen.files - first, NEXT):
        packed = [gzip.compress((built / file).read_bytes()) for file in files]
        assert sum(map(len, packed)) <= limit


def test_all_readers_can_use_a_page(seen):
    assert seen.axe.violations_count == 0, seen.axe.generate_report()
    assert all(b <= a + 1 for a, b in itertools.pairwise(seen.levels))
    assert seen.cut == []


OPENERS = [
    (1280, ".search-button-field", "#pst-search-dialog"),
    (390, ".search-button.btn", "#pst-search-dialog"),
    (390, ".primary-toggle", "#pst-primary-sidebar-modal"),
    (390, ".secondary-toggle", "#pst-secondary-sidebar-modal"),
    (390, ".dropdown-download-buttons button", ".dropdown-menu.show"),
]


@pytest.mark.parametrize("opening", in_turn(OPENERS, [("dark",), ("light",)]))
def test_all_readers_can_use_what_opens(opening, page, built):
    width, opener, opened, theme = opening
    visit(page, f"{built.as_uri()}/book/setup.html", width, "light")
    page.locator(opener).first.focus()
    page.keyboard.press("Enter")
    page.locator(opened).wait_for()
    page.emulate_media(color_scheme=theme)
    page.locator(f"html[data-theme={theme}]").wait_for()
    axe = Axe().run(page, context=opened, options=AXE)
    assert axe.violations_count == 0, axe.generate_report()
    page.keyboard.press("Escape")
    page.locator(opened).wait_for(state="hidden")


def test_a_reader_needs_no_mouse(built, browser):
    page = browser.new_page()
    page.goto(f"{built.as_uri()}/notebooks/01_numpy.html")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # past the menus
    page.wait_for_url("**#main-content")
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


def test_search_finds_a_term_where_it_is_explained(built, page):
    page.goto(f"{built.as_uri()}/search.html?q=gradcheck")
    found = page.locator("#search-results li a")
    found.filter(has_text="Write your own gradient").first.wait_for()


@pytest.mark.parametrize("width", [390, *long([1280])])
def test_code_is_copied_as_it_was_written(width, page, built):
    name = "04_custom_function"
    visit(page, f"{built.as_uri()}/notebooks/{name}.html", width, "light")
    copied = page.locator(".cell_input pre").evaluate_all(
        """boxes => boxes.slice(0, 8).map(box => {
             getSelection().selectAllChildren(box);
             return getSelection().toString().trimEnd(); })"""
    )
    code = cells(NOTEBOOKS / f"{name}.ipynb", "code")
    assert copied == [cell.source for cell in code[:8]]


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
    address, settings, told, built, page
):
    # its own query, for a new hash alone would not load the page again
    page.goto(f"{built.as_uri()}/book/playground.html?{address}#{address}")
    found = np.array(page.evaluate("descend(settings).losses"), float)
    np.testing.assert_allclose(found, descend(**settings)[0], rtol=1e-9)
    assert told in page.inner_text("#play-verdict")


def test_playground_works_from_the_keyboard_and_by_its_address(
    built, page, browser
):
    page.goto(f"{built.as_uri()}/book/playground.html")
    limit = float(page.locator("#play-limit").inner_text())
    V = np.vander(sinefit.data()[0], 4, increasing=True)
    assert abs(limit * np.linalg.norm(V, 2) ** 2 - 1) < 1e-3
    page.locator("[name=momentum]").focus()
    page.keyboard.press("End")
    doubled = float(page.locator("#play-limit").inner_text())
    assert abs(doubled / limit / 2 - 1) < 1e-3
    page.keyboard.press("ArrowLeft")
    page.wait_for_url("**/playground.html#momentum=0.99")
    again = browser.new_page()
    again.goto(page.url)
    said = "#play-verdict"
    assert page.inner_text(said) == again.inner_text(said)
    again.close()
    page.get_by_text("Back to the book's settings").click()
    page.wait_for_url("**/playground.html")
    assert "Loss 9.1413" in page.inner_text(said)


def test_playground_is_short_enough_to_read():
    text = (ROOT / "book" / "style" / "playground.js").read_text("utf-8")
    assert len(text.splitlines()) <= 160
