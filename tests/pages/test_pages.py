"""The pages in a browser: offline, light, open to all readers, alive."""

import functools
import gzip
import itertools
import re
import threading
import types
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from test_book import PAGES

import sinefit
from by_hand import descend
from conftest import NOTEBOOKS, ROOT, long
from runner import cells

FIRST, NEXT = 110_000, 55_000  # bytes, gzipped
# The index leads to the first of PAGES.
NAMES = [(name,) for name in ("index", "search", "genindex", *PAGES[1:])]
WAYS = [
    ("from disk", 390, "dark"),
    ("from disk", 1280, "light"),
    ("from a server", 390, "light"),
    ("from a server", 1280, "dark"),
]
ASK = {"resultTypes": ["violations"], "preload": False}  # it loads no files

# What does not fit into its place on the page, and scrolls or is cut.
CUT = """[...document.querySelectorAll(
  'html, article :is(pre, .pst-scrollable-table-container, .math)')]
.filter(box => box.scrollWidth > box.clientWidth)
.map(box => box.innerText.slice(0, 80))"""

# A formula whose full stop, or comma, may begin the next line.
PARTED = r"""[...document.querySelectorAll('article math')].filter(formula =>
  /^[.,;:?!)]/.test(formula.nextSibling?.data)
  && getComputedStyle(formula.parentElement).whiteSpace != 'nowrap')
.map(formula => formula.parentElement.innerText.slice(0, 80))"""

# Mark one text of each look, by all that decides its contrast, and look at its
# contrast alone: a page has a thousand texts of some thirty looks.
LOOKS = """{
  const looks = new Map();
  const size = e => e ? e.textContent.trim().length : 0;
  const clear = 'rgba(0, 0, 0, 0) none 1';
  for (const e of document.querySelectorAll('body *')) {
    const texts = [...e.childNodes].filter(n => n.nodeType == 3);
    if (!texts.some(text => text.data.trim())) continue;
    const s = getComputedStyle(e);
    let look = `${s.color} ${s.fontSize} ${s.fontWeight} ${s.textShadow}`;
    for (let at = e; at; at = at.parentElement) {
      const a = getComputedStyle(at);
      const paper = `${a.backgroundColor} ${a.backgroundImage} ${a.opacity}`;
      if (paper != clear) look += paper;
    }
    // axe leaves a single letter undecided
    if (e.checkVisibility() && size(e) > size(looks.get(look)))
      looks.set(look, e);
  }
  for (const e of looks.values()) e.dataset.look = '';
  const idle = 'pre :not([data-look], :has([data-look]))';
  for (const e of document.querySelectorAll(idle))
    e.replaceWith(...e.childNodes);
}"""
AXE = Axe()
AXE.axe_script += """;axe.configure(
  {rules: [{id: 'color-contrast', selector: '[data-look]'}]})"""


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
            cut += page.evaluate(CUT) + page.evaluate(PARTED)
        page.clock.run_for(1000)  # what scripts put off, they do now
        page.evaluate(LOOKS)
        axe = AXE.run(page, options=ASK)
        page.wait_for_load_state("networkidle")
        files = {address.partition("?")[0] for address in asked}
        if not page.locator("math").count():
            # Chromium asks its memory for the fonts of a style sheet it knows
            files.discard(f"{root}/_static/math.woff")
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
    axe = Axe().run(page, context=opened, options=ASK)
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


V = np.vander(sinefit.data()[0], 4, increasing=True)
BEST, FLOOR = sinefit.optimum(*sinefit.data())
LIMIT = 1 / np.linalg.norm(V, 2) ** 2  # of the learning rate: 2 / eigenvalue
PLAY = "#play-play"
COMES = "at step 1999 the loss is 9.1413, still 0.3241 above the floor"


@pytest.fixture
def play(page, built):
    """Return what opens the playground, with settings in its address."""

    def play(address="", page=page):
        # its own query, for a new hash alone would not load the page again
        query = address and f"?{address}#{address}"
        page.goto(f"{built.as_uri()}/book/playground.html{query}")
        return page

    return play


def path(page, name):
    """Return the points of a path in a picture of the playground."""
    drawn = page.locator(f"#play-{name}").get_attribute("d")
    numbers = re.findall(r"-?\d+", (drawn or "").removesuffix("h0"))
    return np.array(numbers, float).reshape(-1, 2)


@pytest.mark.parametrize(
    ("address", "settings", "told"),
    [
        ("", {}, f"Comes down: {COMES}."),
        ("lr=3.5e-6", {"lr": 3.5e-6}, "Swings and comes down: within 0.001"),
        ("lr=3.6e-6", {"lr": 3.6e-6}, "Diverges: along the steepest axis"),
        (
            "lr=3.56e-6&steps=9",
            {"lr": 3.56e-6, "steps": 9},
            "not yet at step 8",
        ),
        (
            "lr=1e-5&steps=200",
            {"lr": 1e-5, "steps": 200},
            "At step 3 ",
        ),
        ("steps=5000", {"steps": 5000}, "Arrives: within 0.001 of the floor"),
        ("steps=1", {"steps": 1}, "Not down yet: at step 0 the loss is"),
        (
            "momentum=1",
            {"momentum": 1},
            "without end: at step 1999 the",
        ),
        ("a=2&b=-1", {"start": (2, -1, 0.125, -0.0625)}, "Comes down"),
        ("lr=nonsense&steps=1e9&a=&toString=1&z=2", {}, COMES),
    ],
)
def test_playground_computes_what_numpy_does(address, settings, told, play):
    page, losses = play(address), descend(**settings)[0]
    found = np.array(page.evaluate("descend(settings).losses"), float)
    np.testing.assert_allclose(found, losses, rtol=1e-9)
    said = page.inner_text("#play-verdict")
    assert told in said
    if "within 0.001 of" in said:
        arrived = np.argmax(losses - FLOOR < 1e-3)
        assert said.endswith(f"of the floor at step {arrived}.")
    if "Diverges" in said:
        assert f"step {np.argmax(losses >= 1e3 * losses[0])} " in said


@pytest.mark.parametrize("count", [60, *long([600])])
def test_playground_is_right_for_any_settings(count, play):
    random, tried = np.random.default_rng(0), []
    for i in range(count):
        start = random.uniform(-1, 1, 4) * (2, 2, 1, 0.5)
        settings = {
            "lr": 10 ** random.uniform(-8, -5),
            "momentum": (0, random.uniform(), 1)[i % 3],
            "steps": int(5000 ** random.uniform()),
        }
        tried.append((settings, start))
    found = play().evaluate(
        """all => all.map(settings => {
             const { losses, weights } = descend(settings);
             const sums = modes(settings).reduce(
               (total, share) => total.map((v, t) => v + share[t]));
             return [losses, weights.at(-1), sums]; })""",
        [
            settings | dict(zip("abcd", start.tolist(), strict=True))
            for settings, start in tried
        ],
    )
    for (settings, start), rows in zip(tried, found, strict=True):
        losses, weights = descend(**settings, start=start)
        got, w, sums = (np.array(row, float) for row in rows)
        is_number = losses < 1e250  # beyond, one or the other may overflow
        assert not (got[~is_number] < 1e249).any()
        right, got, sums = losses[is_number], got[is_number], sums[is_number]
        np.testing.assert_allclose(got, right, rtol=1e-9, err_msg=settings)
        off = np.abs(sums - (right - FLOOR)) / np.maximum(right, right[0])
        assert off.max() < 1e-9, settings
        if is_number.all() and np.abs(weights).max() < 1e120:
            size = max(1, np.abs(weights).max())
            np.testing.assert_allclose(w, weights, rtol=0, atol=1e-9 * size)


def test_playground_knows_the_axes_of_the_bowl(play):
    page = play()
    curvatures = page.evaluate("AXES.map(({ curvature }) => curvature)")
    right = np.linalg.svd(V, compute_uv=False) ** 2 * 2
    np.testing.assert_allclose(curvatures, right, rtol=1e-9)
    limits = page.evaluate("[0, 0.5, 1].map(stableRate)")
    right = LIMIT * np.array([1, 1.5, 2])
    np.testing.assert_allclose(limits, right, rtol=1e-9)
    np.testing.assert_allclose(page.evaluate("BEST"), BEST, atol=1e-12)
    assert abs(page.evaluate("FLOOR") / FLOOR - 1) < 1e-10
    bends = page.evaluate("contour(64).map(([b, d]) => loss([0, b, 0, d]))")
    np.testing.assert_allclose(bends, FLOOR + 64, rtol=1e-9)


PRESETS = {
    "The book's settings": (lambda s, odd: s["lr"] == 1e-6, COMES),
    "Just below the limit": (
        lambda s, odd: 0.99 < s["lr"] / LIMIT < 1,
        "Swings and comes down: within",
    ),
    "Just past the limit": (
        lambda s, odd: 1 < s["lr"] / LIMIT < 1.01,
        "Diverges",
    ),
    "Momentum 0.9": (lambda s, odd: s["momentum"] == 0.9, "Swings and comes"),
    "Momentum 1": (
        lambda s, odd: s["momentum"] == 1,
        "Swings without end",
    ),
    "An odd start": (lambda s, odd: odd, "Comes down"),
}


def test_playground_has_presets_that_do_what_they_say(play):
    page = play("lr=2e-6&a=1")
    links = page.locator(".presets a")
    assert links.all_inner_texts() == [*PRESETS]
    for link, (is_so, told) in zip(links.all(), PRESETS.values(), strict=True):
        link.focus()
        page.keyboard.press("Enter")
        page.wait_for_function(
            "() => document.activeElement.ariaCurrent === 'true'"
        )
        settings = page.evaluate("settings")
        odd = page.evaluate(
            """modes(settings).filter(share => share[0] < 1e-20).length === 2
               && Math.abs(run.weights.at(-1)[0]) < 1e-9"""
        )
        assert is_so(settings, odd), settings
        assert told in page.inner_text("#play-verdict")
        start = tuple(settings.pop(name) for name in "abcd")
        np.testing.assert_allclose(
            np.array(page.evaluate("run.losses"), float),
            descend(**settings, start=start)[0],
            rtol=1e-9,
        )
        assert page.locator("[aria-current=true]").count() == 1
        shared = page.evaluate("asked(location.hash)")
        assert shared == page.evaluate("settings")


def test_playground_keeps_its_settings_when_a_reader_jumps(play):
    page = play("lr=2e-6")
    page.evaluate("location.hash = 'main-content'")
    page.wait_for_timeout(100)
    assert page.evaluate("settings.lr") == 2e-6
    page.evaluate("location.hash = ''")  # as Back does: the book's
    page.wait_for_function("settings.lr === 1e-6")


def test_playground_speaks_of_rates_and_only_when_at_rest(play):
    page = play()
    rate = page.locator("[name=lr]")
    assert rate.get_attribute("step") == "0.01"  # Firefox takes it for a key
    assert rate.get_attribute("aria-valuetext") == "1e-6"
    spoken = page.locator("output:not([aria-live=off])")
    assert spoken.count() == 0
    page.clock.pause_at(page.evaluate("Date.now()") + 1000)
    rate.focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("settings.lr") == 1.02e-6
    assert rate.get_attribute("aria-valuetext") == "1.02e-6"
    page.keyboard.press("PageUp")
    assert COMES in page.inner_text("#play-verdict")
    page.clock.run_for(250)
    page.keyboard.press("ArrowRight")
    page.clock.run_for(250)
    assert COMES in page.inner_text("#play-verdict")
    page.clock.run_for(100)
    assert COMES not in page.inner_text("#play-verdict")
    page.clock.resume()


def test_playground_works_from_the_keyboard_and_by_its_address(play, browser):
    page = play()
    limit = float(page.locator("#play-limit").inner_text())
    assert abs(limit / LIMIT - 1) < 1e-3
    page.locator("[name=momentum]").focus()
    page.keyboard.press("End")
    none = page.locator("#play-limit").inner_text()
    assert none.startswith("none converges")
    page.keyboard.press("ArrowLeft")
    near = float(page.locator("#play-limit").inner_text())
    assert abs(near / limit / 1.99 - 1) < 1e-3
    page.wait_for_url("**/playground.html#momentum=0.99")
    page.clock.run_for(400)
    again = browser.new_page()
    again.goto(page.url)
    said = "#play-verdict"
    assert page.inner_text(said) == again.inner_text(said)
    again.close()
    page.get_by_text("Back to the book's settings").click()
    page.wait_for_url("**/playground.html")
    assert COMES in page.inner_text(said)


def test_playground_never_says_minus_zero(play):
    page = play()
    best = page.evaluate("BEST.map((v, k) => `${'abcd'[k]}=${v}`).join('&')")
    tried = ["momentum=0.9", "a=0&b=0.75&c=0&d=-0.0625", "steps=5000"]
    tried += [f"{best}&momentum={momentum}" for momentum in (0, 0.5, 1)]
    for address in tried:
        said = play(address).inner_text("#descent")
        assert not re.search(r"-0\.0+(?![\d.])", said), said


def test_playground_cuts_a_run_that_diverges_at_the_edge(play):
    page = play("lr=1e-5&steps=60")
    shown = page.locator("#descent svg").evaluate_all(
        "all => all.map(svg => getComputedStyle(svg).overflow)"
    )
    assert shown == ["hidden"] * 3
    ups = path(page, "losses")[:, 1]
    assert ups.min() < -1800 and (np.diff(ups) < 0).all()
    heights = path(page, "curve")[:, 1]
    assert heights.min() < -1800 and heights.max() > 3600
    play("lr=1e-5&steps=5000")  # past all numbers
    assert path(page, "losses").size and path(page, "curve").size


def test_playground_leaves_the_run_before_as_a_ghost(play):
    page = play()
    first = {name: path(page, name) for name in ("losses", "curve")}
    assert path(page, "losses-before").size == 0
    page.locator("[name=lr]").focus()
    for _ in range(3):  # one movement
        page.keyboard.press("PageUp")
    for name, points in first.items():
        assert not np.array_equal(path(page, name), points)
        np.testing.assert_array_equal(path(page, f"{name}-before"), points)
    moved = path(page, "losses")
    page.clock.run_for(400)
    page.keyboard.press("PageUp")
    np.testing.assert_array_equal(path(page, "losses-before"), moved)


def test_playground_plays_a_run_in_four_seconds(play, browser):
    page = browser.new_page(reduced_motion="no-preference")
    page.clock.install()
    play(page=page)
    page.clock.pause_at(page.evaluate("Date.now()") + 1000)
    whole, button = path(page, "losses"), page.locator(PLAY)

    def far():
        return path(page, "now")[0, 0] / 3000

    button.click()
    page.clock.run_for(2000)
    assert button.inner_text() == "Stop"
    assert abs(far() - 1 / 8) < 0.05
    assert len(path(page, "way")) > 1
    page.clock.run_for(2100)
    assert (button.inner_text(), path(page, "losses").tolist()) == (
        "Play",
        whole.tolist(),
    )
    button.click()
    page.clock.run_for(1000)
    button.click()
    here = far()
    page.clock.run_for(1000)
    assert (button.inner_text(), far()) == ("Play", here)
    assert here < 0.1
    button.click()
    page.clock.run_for(1000)
    page.locator("[name=momentum]").press("ArrowRight")
    page.clock.run_for(1000)
    assert button.inner_text() == "Play" and far() > 0.99
    button.click()
    page.clock.run_for(1000)
    page.emulate_media(reduced_motion="reduce")
    button.click()  # stops
    button.click()  # and leads to the end
    assert button.inner_text() == "Play" and far() > 0.99
    page.close()


@pytest.mark.parametrize(
    "size", [(390, 844), (390, 664), (1280, 400), (667, 375)]
)
def test_playground_keeps_its_pictures_beside_the_sliders(size, play):
    width, height = size
    page = play()
    page.set_viewport_size({"width": width, "height": height})
    sliders = page.locator("#descent input").all()
    sliders[-1].focus()
    for slider in reversed(sliders):  # up again, with shift and tab
        place = page.evaluate(
            """() => { const slider = document.activeElement;
               const box = slider.getBoundingClientRect();
               return { name: slider.name, top: box.top, left: box.left,
                 hit: document.elementFromPoint(
                   box.x + box.width / 2, box.y + box.height / 2).name,
                 pictures: [...document.querySelectorAll('#descent svg')].map(
                   svg => svg.getBoundingClientRect().toJSON()),
                 strip: document.querySelector('.stage').offsetHeight }; }"""
        )
        assert place["name"] == place["hit"] == slider.get_attribute("name")
        for picture in place["pictures"]:
            assert 0 <= picture["top"] and picture["bottom"] <= height
            assert picture["height"] > 50
            beside = picture["right"] < place["left"]
            assert beside or picture["bottom"] < place["top"]
        assert width > 500 or place["strip"] <= 0.42 * height
        page.keyboard.press("Shift+Tab")


def test_playground_fits_the_narrowest_phone(play):
    page = play("momentum=1&a=-2")
    page.set_viewport_size({"width": 320, "height": 568})
    assert page.evaluate(CUT) == []


def test_playground_says_that_it_needs_javascript(built, browser):
    page = browser.new_page(java_script_enabled=False)
    page.goto(f"{built.as_uri()}/book/playground.html")
    assert "This playground needs JavaScript." in page.inner_text("article")
    assert not page.locator("#descent").is_visible()
    page.close()


def test_playground_is_short_enough_to_read():
    text = (ROOT / "book" / "style" / "playground.js").read_text("utf-8")
    assert len(text.splitlines()) < 340
