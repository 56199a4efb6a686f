"""What readers do with the pages: begin, search, copy, print, go without."""

import re

import pytest

import sinefit

# What a learner types, and where the cure, or the explanation, stands.
QUERIES = """
loss does not change | 03_autograd.html#what-goes-wrong
nan | 09_data.html#what-goes-wrong
a leaf Variable that requires grad is being used in an in-place operation. \
| 03_autograd.html#what-goes-wrong
element 0 of tensors does not require grad and does not have a grad_fn \
| 03_autograd.html#what-goes-wrong
Using a target size (torch.Size([2000])) that is different to the input size \
| 05_nn.html#what-goes-wrong
sum or mean | 05_nn.html#sum-or-mean
learning rate too large | 01_numpy.html#how-large-a-learning-rate
save a model | 07_module.html#save-it
overfitting | 09_data.html#overfitting
buffer | glossary.html#term-buffer
cuda | 02_tensors.html#what-goes-wrong
gradcheck | glossary.html#term-gradcheck
"""


STYLE = "(e, name) => getComputedStyle(e)[name]"


def rgb(place, paint):
    """Return one of the colours of a place on a page."""
    color = place.first.evaluate(STYLE, paint)
    return [int(part) for part in re.findall(r"\d+", color)[:3]]


def test_the_search_finds_the_right_section_first(built, visit):
    page = visit("search.html")
    for row in QUERIES.strip().replace("\\\n", "").split("\n"):
        query, _, place = row.partition(" | ")
        address = page.evaluate("query => search(query)[0].address", query)
        assert place in address, (query, address)
        file, _, part = address.partition("#")
        part = part.partition(":~:")[0]  # the rest is the text to show
        assert f'id="{part}"' in (built / file).read_text("utf-8")
    scores = page.evaluate("search('gradient').map(({ score }) => score)")
    assert len(scores) > 9 and scores == sorted(scores, reverse=True)


def test_the_search_shows_what_it_found(visit):
    page = visit("search.html?q=nan")
    assert page.get_by_text("best sections for “nan”").count() == 1
    first = page.locator("#search-results li").first
    # of which chapter
    assert re.search(r" in .+: What goes wrong", first.inner_text())
    assert first.locator("p").inner_text().strip()
    assert first.locator("mark").count() >= 1
    first.locator("a").click()
    page.wait_for_url("**/09_data.html#what-goes-wrong**")


def test_the_search_says_when_it_finds_nothing(visit):
    page = visit("search.html")
    page.locator("main input[name=q]").fill("<xyzzy>")
    page.keyboard.press("Enter")
    told = page.locator("#search-results [role=status]").inner_text()
    assert re.fullmatch("No section holds a word of .<xyzzy>.\\.", told)
    icon = page.locator(".bd-search-container .fa-magnifying-glass")
    icon, field = icon.bounding_box(), page.locator("main input[name=q]")
    inside = float(field.evaluate(STYLE, "paddingLeft").removesuffix("px"))
    text = field.bounding_box()["x"] + inside
    assert text >= icon["x"] + icon["width"]  # the magnifier hides no word


# Whether the end of a row leads where its link does.
AT_ITS_END = """li => {
  li.scrollIntoView({behavior: 'instant', block: 'center'});
  const box = li.getBoundingClientRect(), middle = box.height / 2;
  return document.elementFromPoint(box.right - 9, box.top + middle)
    .closest('a').href == li.querySelector('a').href; }"""


def test_the_first_page_begins(visit):
    page = visit("index.html", height=720)
    assert page.title().startswith("Learn PyTorch from one tiny problem")
    for button, leads in (
        ("Start chapter 1", "notebooks/01_numpy.html"),
        ("Try the playground", "book/playground.html"),
    ):
        link = page.get_by_role("link", name=button)
        assert link.get_attribute("href") == leads
        box = link.bounding_box()
        assert box["y"] + box["height"] < 720
    page = visit("index.html", 320)
    rows = page.locator(".ladder > li").all()
    assert len(rows) == 7
    for row in rows:
        size = row.evaluate(STYLE, "fontSize")
        assert float(size.removesuffix("px")) >= 14
        assert row.evaluate(AT_ITS_END)
        assert row.locator(".loss").is_visible()


def test_the_run_on_the_first_page_can_be_played_again(visit):
    page = visit("index.html", reduced_motion="no-preference")
    times = (
        "[...document.querySelectorAll('.motion svg')]"
        ".map(picture => picture.getCurrentTime())"
    )
    page.wait_for_function(f"Math.min(...{times}) > 0.5")
    page.get_by_role("button", name="Play again").click()
    assert max(page.evaluate(times)) < 0.4


@pytest.mark.parametrize(
    ("name", "places", "paint"),
    [
        ("index.html", (".motion path.loss", ".motion path.fit"), "stroke"),
        ("book/playground.html", ("#play-losses", "#play-curve"), "stroke"),
        ("_static/icon.svg", ("rect",), "fill"),
    ],
)
def test_what_is_drawn_has_the_colours_of_the_figures(
    name, places, paint, visit
):
    page = visit(name)
    for place, color in zip(places, sinefit.COLORS, strict=False):
        shown = bytes(rgb(page.locator(place), paint)).hex()
        assert f"#{shown}" == color.lower(), place


def test_a_command_is_copied_without_its_prompt(visit):
    clipboard = ["clipboard-read", "clipboard-write"]
    page = visit("book/setup.html", permissions=clipboard)
    block = page.locator("div.highlight-console", has_text="$ make").first
    block.hover()
    block.locator("button.copybtn").click()
    page.locator("button.copybtn.success").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("make ")
    assert "$" not in copied
    page = visit("notebooks/03_autograd.html")
    assert page.locator(".cell_input .copybtn").count() > 10
    assert page.locator(".cell_output .copybtn").count() == 0


def test_a_dark_page_is_printed_light(visit):
    page = visit("notebooks/01_numpy.html", theme="dark")
    dark = page.locator("html[data-theme=dark]")
    figure = page.locator("article .cell_output img").first
    assert "invert" in figure.evaluate(STYLE, "filter")
    page.emulate_media(media="print")  # where no script has changed the theme
    assert "invert" not in figure.evaluate(STYLE, "filter")
    assert dark.count()
    page.emulate_media(media="screen")
    page.evaluate(
        """addEventListener("beforeprint", () =>
          window.printed = document.documentElement.dataset.theme)"""
    )
    page.pdf()
    assert page.evaluate("window.printed") == "light"
    dark.wait_for()


def test_a_reader_needs_no_mouse_and_sees_where_the_focus_is(visit):
    page = visit("notebooks/01_numpy.html")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # past the menus
    page.wait_for_url("**#main-content")
    page.keyboard.press("Tab")  # shows focus from here on
    for part in (
        ".article-header-buttons .btn:visible",
        "article a.reference",
        "article summary",
    ):
        for place in page.locator(part).all():
            place.focus()
            assert place.evaluate(STYLE, "outlineStyle") != "none", part
    page.locator("summary").first.press("Enter")
    assert page.locator("details[open]").count() == 1
    for mode in ("dark", "light", "auto"):
        page.locator(".theme-switch-button").press("Enter")
        page.locator(f"[aria-label='Color mode: {mode}']:focus").wait_for()
        assert page.locator("html").get_attribute("data-mode") == mode
    page.keyboard.press("Control+k")
    page.keyboard.type("gradcheck")
    page.keyboard.press("Enter")
    page.locator("#search-results li a").first.press("Enter")
    page.wait_for_url(lambda url: "search.html" not in url)


def test_a_drawer_closes_when_a_link_in_it_is_followed(visit):
    page = visit("notebooks/02_tensors.html", 390)
    page.locator(".secondary-toggle").first.click()
    page.locator("dialog[open] a", has_text="The loop").click()
    page.wait_for_url("**#the-loop")
    page.locator("dialog[open]").wait_for(state="hidden")


def test_nothing_is_white_before_a_script_has_chosen_the_theme(visit):
    page = visit("about:blank", theme="dark")
    page.route(re.compile(r"\.js\b"), lambda route: route.abort())
    page.goto(visit("notebooks/03_autograd.html").url)
    assert page.locator("html").get_attribute("data-theme") == "auto"
    field = ".search-button-field"
    for part in ("body", ".bd-header-article", field, f"{field} kbd"):
        place = page.locator(part)
        assert max(rgb(place, "backgroundColor")) < 70, part
        assert min(rgb(place, "color")) > 120, part
    fading = page.locator(field).first.evaluate(STYLE, "transitionDuration")
    assert fading == "0s"


def test_a_page_without_javascript_is_whole(visit):
    look = {"theme": "dark", "java_script_enabled": False}
    page = visit("notebooks/03_autograd.html", **look)
    places = ["article p", "article a.reference", ".cell_input .kn"]
    inks = {(*rgb(page.locator(place), "color"),) for place in places}
    assert len(inks) == 3
    assert rgb(page.locator("body"), "backgroundColor") == [255] * 3
    menu = page.locator("#pst-primary-sidebar a", has_text="Glossary")
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 900})
        assert menu.is_visible(), width
    page = visit("book/playground.html", **look)
    assert "This playground needs JavaScript." in page.inner_text("article")
    assert not page.locator("#descent").is_visible()
