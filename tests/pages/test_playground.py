"""The playground: right for any settings, and from the keyboard."""

import re
from urllib.parse import urlencode

import numpy as np
import pytest
from test_pages import CUT

from conftest import long
from reference import AXES, BEST, CURVATURES, FLOOR, LIMIT, START, descend

PLAYGROUND, VERDICT = "book/playground.html#", "#play-verdict"
COMES = "at step 1999 the loss is 9.1413, still 0.3241 above the floor"
BOOKS = {"lr": 1e-6, "momentum": 0, "steps": 2000}
BOOKS |= dict(zip("abcd", START.tolist(), strict=True))


def descend_by_hand(settings):
    """Return the losses and the last weights with settings of the page."""
    lr, momentum, steps, *start = (BOOKS | settings).values()
    return descend(lr, momentum, steps, start)


def path(page, name):
    """Return the points of a path in a picture of the playground."""
    drawn = page.locator(f"#play-{name}").get_attribute("d")
    numbers = re.findall(r"-?\d+", (drawn or "").removesuffix("h0"))
    return np.array(numbers, float).reshape(-1, 2)


TOLD = [
    ({}, f"Comes down: {COMES}."),
    ({"lr": 3.5e-6}, "Swings and comes down: within 0.001"),
    ({"lr": 3.6e-6}, "Diverges: along the steepest axis"),
    ({"lr": 3.56e-6, "steps": 9}, "not yet at step 8"),
    ({"lr": 1e-5, "steps": 200}, "At step 3 "),
    ({"steps": 5000}, "Arrives: within 0.001 of the floor"),
    ({"steps": 1}, "Not down yet: at step 0 the loss is"),
    ({"momentum": 1}, "without end: at step 1999 the"),
    ({"momentum": 0.9}, "Swings and comes down"),
    ({"a": 2, "b": -1}, "Comes down"),
    (dict(zip("abcd", BEST.tolist(), strict=True)), "Arrives"),
]


def test_playground_computes_what_numpy_does(visit):
    page = visit(PLAYGROUND)
    for settings, told in TOLD:
        page.evaluate("asked => location.hash = asked", urlencode(settings))
        page.wait_for_function(
            "asked => Object.keys(asked).every(k => settings[k] == asked[k])",
            arg=BOOKS | settings,
        )
        losses, _ = descend_by_hand(settings)
        found = np.array(page.evaluate("run.losses"), float)
        np.testing.assert_allclose(found, losses, rtol=1e-9, err_msg=told)
        page.clock.run_for(400)  # it speaks when at rest
        said = page.inner_text(VERDICT)
        assert told in said, settings
        if "within 0.001 of" in said:
            arrived = np.argmax(losses - FLOOR < 1e-3)
            assert said.endswith(f"of the floor at step {arrived}.")
        if "Diverges" in said:
            assert f"step {np.argmax(losses >= 1e3 * losses[0])} " in said
        minus = re.search(r"-0\.0+(?![\d.])", page.inner_text("#descent"))
        assert not minus, settings


def in_units(page, name, view):
    """Return the points of a path in the units of its picture."""
    (left, right), (low, high) = (page.evaluate(f"{view}.{k}") for k in "xy")
    across, down = (path(page, name) / (3000, 1800)).T
    return left + across * (right - left), high - down * (high - low)


def test_playground_draws_what_it_computed(visit):
    page = visit(f"{PLAYGROUND}b=0.4")
    _, weights = descend_by_hand({"b": 0.4})
    told = page.inner_text("#play-weights").replace("\N{MINUS SIGN}", "-")
    np.testing.assert_allclose(
        [float(w) for w in told.split(", ")], weights, atol=6e-4
    )
    x, y = in_units(page, "sine", "view.fit")
    np.testing.assert_allclose(y, np.sin(x), atol=0.01)
    x, y = in_units(page, "curve", "view.fit")
    np.testing.assert_allclose(y, np.polyval(weights[::-1], x), atol=0.01)
    b, d = in_units(page, "way", "view.bowl")
    ends = (b[0], b[-1], d[-1]), (0.4, weights[1], weights[3])
    np.testing.assert_allclose(*ends, atol=2e-3)
    start = np.array([START[0], 0.4, *START[2:]])
    left = AXES[-1] @ (start - BEST)
    share = np.log10(CURVATURES[-1] * left**2 / 2)
    steepest = in_units(page, "steepest", "view.loss")[1][0]
    assert abs(steepest - share) < 0.01


@pytest.mark.parametrize("count", [20, *long([600])])
def test_playground_is_right_for_any_settings(count, visit):
    random, tried = np.random.default_rng(0), []
    for i in range(count):
        start = random.uniform(-1, 1, 4) * (2, 2, 1, 0.5)
        settings = {
            "lr": 10 ** random.uniform(-8, -5),
            "momentum": (0, random.uniform(), 1)[i % 3],
            "steps": int(5000 ** random.uniform()),
        }
        start = dict(zip("abcd", start.tolist(), strict=True))
        tried.append(settings | start)
    found = visit(PLAYGROUND).evaluate(
        """all => all.map(settings => {
             const { losses, weights } = descend(settings);
             const sums = modes(settings).reduce(
               (total, share) => total.map((v, t) => v + share[t]));
             return [losses, weights.at(-1), sums]; })""",
        tried,
    )
    for settings, rows in zip(tried, found, strict=True):
        losses, weights = descend_by_hand(settings)
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


def test_playground_knows_the_axes_of_the_bowl(visit):
    page = visit(PLAYGROUND)
    for told, right in (
        ("AXES.map(({ curvature }) => curvature)", CURVATURES[::-1]),
        ("[0, 0.5, 1].map(stableRate)", LIMIT * np.array([1, 1.5, 2])),
        ("BEST", BEST),
        ("FLOOR", FLOOR),
        ("contour(64).map(([b, d]) => loss([0, b, 0, d]))", FLOOR + 64),
    ):
        found = page.evaluate(told)
        np.testing.assert_allclose(found, right, rtol=1e-9, atol=1e-12)


PRESETS = {
    "The book's settings": COMES,
    "Just below the limit": "Swings and comes down: within",
    "Just past the limit": "Diverges",
    "Momentum 0.9": "Swings and comes",
    "Momentum 1": "Swings without end",
    "An odd start": "Comes down",
}


def test_playground_has_presets_that_do_what_they_say(visit):
    page = visit(f"{PLAYGROUND}lr=2e-6&a=1")
    links = page.locator(".presets a")
    assert links.all_inner_texts() == [*PRESETS]
    for link, (name, told) in zip(links.all(), PRESETS.items(), strict=True):
        link.press("Enter")
        page.locator("[aria-current=true]", has_text=name).wait_for()
        assert page.locator("[aria-current=true]").count() == 1
        assert told in page.inner_text(VERDICT)
        settings = page.evaluate("settings")
        assert page.evaluate("asked(location.hash)") == settings
        if name.startswith("Just"):
            assert abs(settings["lr"] / LIMIT - 1) < 0.01
    shares = "modes(settings).filter(share => share[0] < 1e-20).length"
    assert page.evaluate(shares) == 2  # of an odd start
    assert abs(page.evaluate("run.weights.at(-1)[0]")) < 1e-9


def test_playground_takes_settings_and_no_nonsense_from_its_address(visit):
    page = visit(f"{PLAYGROUND}lr=2e-6&steps=1e9&a=&b=x&toString=1&z=2")
    assert page.evaluate("settings") == BOOKS | {"lr": 2e-6}
    page.evaluate("location.hash = 'main-content'")
    page.wait_for_timeout(100)
    assert page.evaluate("settings.lr") == 2e-6
    page.evaluate("location.hash = ''")  # as Back does: the book's
    page.wait_for_function("settings.lr === 1e-6")


def test_playground_speaks_of_rates_and_only_when_at_rest(visit):
    page = visit(PLAYGROUND)
    rate = page.locator("[name=lr]")
    assert rate.get_attribute("step") == "0.01"  # Firefox takes it for a key
    assert rate.get_attribute("aria-valuetext") == "1e-6"
    assert page.locator("output:not([aria-live=off])").count() == 0
    page.clock.pause_at(page.evaluate("Date.now()") + 1000)
    rate.press("ArrowRight")
    assert page.evaluate("settings.lr") == 1.02e-6
    assert rate.get_attribute("aria-valuetext") == "1.02e-6"
    for key in ("PageUp", "ArrowRight"):
        page.keyboard.press(key)
        page.clock.run_for(250)
        assert COMES in page.inner_text(VERDICT)
    page.clock.run_for(100)
    assert COMES not in page.inner_text(VERDICT)


def test_playground_works_from_the_keyboard_and_by_its_address(visit):
    page = visit(PLAYGROUND)
    told = page.locator("#play-limit")
    assert abs(float(told.inner_text()) / LIMIT - 1) < 1e-3
    page.locator("[name=momentum]").press("End")
    assert told.inner_text().startswith("none converges")
    page.keyboard.press("ArrowLeft")
    assert abs(float(told.inner_text()) / LIMIT / 1.99 - 1) < 1e-3
    page.wait_for_url("**/playground.html#momentum=0.99")
    page.clock.run_for(400)
    assert page.inner_text(VERDICT) == visit(page.url).inner_text(VERDICT)
    page.get_by_text("Back to the book's settings").click()
    page.wait_for_url("**/playground.html")
    assert COMES in page.inner_text(VERDICT)


def test_playground_cuts_a_run_that_diverges_at_the_edge(visit):
    page = visit(f"{PLAYGROUND}lr=1e-5&steps=60")
    shown = page.locator("#descent svg").evaluate_all(
        "all => all.map(svg => getComputedStyle(svg).overflow)"
    )
    assert shown == ["hidden"] * 3
    ups, heights = path(page, "losses")[:, 1], path(page, "curve")[:, 1]
    assert ups.min() < -1800 and (np.diff(ups) < 0).all()
    assert heights.min() < -1800 and heights.max() > 3600
    page = visit(f"{PLAYGROUND}lr=1e-5&steps=5000")  # past all numbers
    assert path(page, "losses").size and path(page, "curve").size


def test_playground_leaves_the_run_before_as_a_ghost(visit):
    page = visit(PLAYGROUND)
    first = {name: path(page, name) for name in ("losses", "curve")}
    assert path(page, "losses-before").size == 0
    page.clock.pause_at(page.evaluate("Date.now()") + 1000)
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


def test_playground_plays_a_run_in_four_seconds(visit):
    page = visit(PLAYGROUND, reduced_motion="no-preference")
    page.clock.pause_at(page.evaluate("Date.now()") + 1000)
    button = page.locator("#play-play")

    def after(milliseconds):
        """Tell what the button says, and which part of the run is shown."""
        page.clock.run_for(milliseconds)
        return button.inner_text(), round(path(page, "now")[0, 0] / 3000, 1)

    button.click()
    assert after(2000) == ("Stop", 0.1)  # an eighth
    assert len(path(page, "way")) > 1
    assert after(2100) == ("Play", 1)
    button.click()
    page.clock.run_for(1000)
    button.click()
    assert after(0) == after(1000) == ("Play", 0)
    button.click()
    page.clock.run_for(1000)
    page.locator("[name=momentum]").press("ArrowRight")
    assert after(1000) == ("Play", 1)
    button.click()
    page.clock.run_for(1000)
    page.emulate_media(reduced_motion="reduce")
    button.click()  # stops
    button.click()  # and leads to the end
    assert after(0) == ("Play", 1)


# Where the focus is, what is to be seen there, and where the pictures are.
PLACE = """() => {
  const slider = document.activeElement, box = slider.getBoundingClientRect();
  return { name: slider.name, top: box.top, left: box.left,
    hit: document.elementFromPoint(
      box.x + box.width / 2, box.y + box.height / 2).name,
    pictures: [...document.querySelectorAll('#descent svg')].map(
      svg => svg.getBoundingClientRect().toJSON()),
    strip: document.querySelector('.stage').offsetHeight }; }"""


@pytest.mark.parametrize(
    "size",
    [(390, 664), (320, 568), (667, 375), *long([(390, 844), (1280, 400)])],
)
def test_playground_keeps_its_pictures_beside_the_sliders(size, visit):
    width, height = size
    page = visit(f"{PLAYGROUND}momentum=1&a=-2", width, height=height)
    assert page.evaluate(CUT) == []
    sliders = page.locator("#descent input").all()
    sliders[-1].focus()
    for slider in reversed(sliders):  # up again, with shift and tab
        place = page.evaluate(PLACE)
        assert place["name"] == place["hit"] == slider.get_attribute("name")
        for picture in place["pictures"]:
            assert 0 <= picture["top"] and picture["bottom"] <= height
            assert picture["height"] > 50
            beside = picture["right"] < place["left"]
            assert beside or picture["bottom"] < place["top"]
        assert width > 500 or place["strip"] <= 0.46 * height
        page.keyboard.press("Shift+Tab")
