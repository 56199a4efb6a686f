"""What readers do with the pages: begin, search, copy, print, go without."""

import re

import pytest

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


@pytest.fixture(scope="module")
def page(browser):
    """Open a page of the browser, in the dark."""
    page = browser.new_page(color_scheme="dark")
    page.set_default_timeout(10_000)
    yield page
    page.close()


@pytest.mark.parametrize("row", QUERIES.strip().split("\n"))
def test_the_search_finds_the_right_section_first(row, built, page):
    query, _, place = row.partition(" | ")
    page.goto(f"{built.as_uri()}/search.html")
    page.locator("main input[name=q]").fill(query)
    page.keyboard.press("Enter")
    first = page.locator("#search-results li").first
    address = first.locator("a").get_attribute("href")
    assert place in address, (query, address, first.inner_text())
    assert first.locator("p").inner_text().strip()
    assert first.locator("mark").count() >= 1
    told = page.locator("#search-results [role=status]").inner_text()
    assert query in told
    if "what-goes-wrong" in place:  # of which chapter
        assert re.search(r" in .+: What goes wrong", first.inner_text())
    file, _, part = address.partition("#")
    part = part.partition(":~:")[0]  # the rest is the text to show
    assert f'id="{part}"' in (built / file).read_text("utf-8")


def test_the_search_finds_the_chapter_of_a_term(built, page):
    page.goto(f"{built.as_uri()}/search.html?q=gradcheck")
    found = page.locator("#search-results li")
    found.filter(has_text="Write your own gradient").first.wait_for()


def test_the_search_says_when_it_finds_nothing(built, page):
    page.goto(f"{built.as_uri()}/search.html?q=<xyzzy>")
    told = page.locator("#search-results [role=status]").inner_text()
    assert (
        told == "No section holds a word of \N{LEFT DOUBLE QUOTATION MARK}"
        "<xyzzy>\N{RIGHT DOUBLE QUOTATION MARK}."
    )


def test_what_is_typed_stands_beside_the_magnifier(built, page):
    page.goto(f"{built.as_uri()}/search.html?q=loss")
    icon = page.locator(
        ".bd-search-container .fa-magnifying-glass"
    ).bounding_box()
    field = page.locator("main input[name=q]")
    inside = field.evaluate("f => parseFloat(getComputedStyle(f).paddingLeft)")
    text = field.bounding_box()["x"] + inside
    assert text >= icon["x"] + icon["width"]


def test_the_first_page_begins(built, page):
    page.goto(f"{built.as_uri()}/index.html")
    assert page.title().startswith("Learn PyTorch from one tiny problem")
    for button, leads in (
        ("Start chapter 1", "notebooks/01_numpy.html"),
        ("Try the playground", "book/playground.html"),
    ):
        link = page.get_by_role("link", name=button)
        assert link.get_attribute("href") == leads
        bottom = link.evaluate("a => a.getBoundingClientRect().bottom")
        assert bottom < page.viewport_size["height"]
    page.set_viewport_size({"width": 320, "height": 600})
    page.reload()
    for row in page.locator(".ladder > li").all():
        size = row.evaluate("li => parseFloat(getComputedStyle(li).fontSize)")
        assert size >= 14
        at_its_end = """li => {
          li.scrollIntoView({behavior: 'instant', block: 'center'});
          const box = li.getBoundingClientRect(), middle = box.height / 2;
          return document.elementFromPoint(box.right - 9, box.top + middle)
            .closest('a').href; }"""
        leads = row.locator("a").first.get_attribute("href")
        assert row.evaluate(at_its_end).endswith(leads)
    assert page.locator(".ladder > li").count() == 7


def test_the_run_on_the_first_page_can_be_played_again(built, page):
    page.goto(f"{built.as_uri()}/index.html")
    times = (
        "[...document.querySelectorAll('.motion svg')]"
        ".map(picture => picture.getCurrentTime())"
    )
    page.wait_for_function(f"Math.min(...{times}) > 0.5")
    page.get_by_role("button", name="Play again").click()
    assert max(page.evaluate(times)) < 0.4


def test_a_command_is_copied_without_its_prompt(built, browser):
    context = browser.new_context()
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(f"{built.as_uri()}/book/setup.html")
    block = page.locator("div.highlight-console", has_text="$ make").first
    block.hover()
    block.locator("button.copybtn").click()
    page.locator("button.copybtn.success").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("make ")
    assert "$" not in copied
    page.goto(f"{built.as_uri()}/notebooks/03_autograd.html")
    assert page.locator(".cell_input .copybtn").count() > 10
    assert page.locator(".cell_output .copybtn").count() == 0
    context.close()


def test_a_dark_page_is_printed_light(built, page):
    page.goto(f"{built.as_uri()}/notebooks/01_numpy.html")
    page.locator("html[data-theme=dark]").wait_for()
    page.evaluate(
        """addEventListener("beforeprint", () => window.printed = [
          document.documentElement.dataset.theme,
          getComputedStyle(document.querySelector("article img")).filter])"""
    )
    page.pdf()
    assert page.evaluate("window.printed") == ["light", "none"]
    page.locator("html[data-theme=dark]").wait_for()


def test_focus_shows_and_stays_and_says_the_mode(built, page):
    page.goto(f"{built.as_uri()}/notebooks/02_tensors.html")
    page.keyboard.press("Tab")
    for button in page.locator(".article-header-buttons .btn").all():
        if button.is_visible():
            button.focus()
            shown = "b => getComputedStyle(b).outlineStyle"
            assert button.evaluate(shown) == "solid"
    page.keyboard.press("Shift+Tab")  # shows focus from here on
    for part in ("article a.reference", "article summary"):
        page.locator(part).first.focus()
        outline = "() => getComputedStyle(document.activeElement).outlineStyle"
        assert page.evaluate(outline) != "none", part
    theme = page.locator(".theme-switch-button")
    for _ in range(3):
        theme.focus()
        page.keyboard.press("Enter")
        mode = page.locator("html").get_attribute("data-mode")
        page.locator(f"[aria-label='Color mode: {mode}']:focus").wait_for()


def test_a_drawer_closes_when_a_link_in_it_is_followed(built, page):
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(f"{built.as_uri()}/notebooks/02_tensors.html")
    page.locator(".secondary-toggle").first.click()
    page.locator("dialog[open] a", has_text="The loop").click()
    page.wait_for_url("**#the-loop")
    page.locator("dialog[open]").wait_for(state="hidden")
    page.set_viewport_size({"width": 1280, "height": 800})


def test_nothing_is_white_before_a_script_has_chosen_the_theme(built, browser):
    page = browser.new_page(color_scheme="dark")
    page.route(re.compile(r"\.js\b"), lambda route: route.abort())
    page.goto(f"{built.as_uri()}/notebooks/03_autograd.html")
    assert page.locator("html").get_attribute("data-theme") == "auto"
    style = "(e, name) => getComputedStyle(e)[name]"
    field = ".search-button-field"
    for part in ("body", ".bd-header-article", field, f"{field} kbd"):
        paper = page.locator(part).first.evaluate(style, "backgroundColor")
        assert max(map(int, re.findall(r"\d+", paper)[:3])) < 70, part
        ink = page.locator(part).first.evaluate(style, "color")
        assert min(map(int, re.findall(r"\d+", ink)[:3])) > 120, part
    fading = page.locator(field).first.evaluate(style, "transitionDuration")
    assert fading == "0s"
    page.close()


@pytest.mark.parametrize("width", [390, 1280])
def test_a_page_without_javascript_is_whole(width, built, browser):
    page = browser.new_page(
        java_script_enabled=False,
        color_scheme="dark",
        viewport={"width": width, "height": 800},
    )
    page.goto(f"{built.as_uri()}/notebooks/03_autograd.html")
    style = "(e, name) => getComputedStyle(e)[name]"
    ink, paper, link, word = (
        page.locator(where).first.evaluate(style, name)
        for where, name in (
            ("article p", "color"),
            ("body", "backgroundColor"),
            ("article a.reference", "color"),
            (".cell_input .highlight .kn", "color"),
        )
    )
    assert len({ink, paper, link, word}) == 4
    assert paper == "rgb(255, 255, 255)"
    menu = page.locator("#pst-primary-sidebar a", has_text="Glossary")
    assert menu.is_visible()
    page.close()


def test_on_paper_no_figure_is_turned_round(built, page):
    """Though no script has changed the theme."""
    page.goto(f"{built.as_uri()}/notebooks/01_numpy.html")
    page.locator("html[data-theme=dark]").wait_for()
    figure = page.locator("article .cell_output img").first
    turned = "figure => getComputedStyle(figure).filter"
    assert "invert" in figure.evaluate(turned)
    page.emulate_media(media="print")
    assert "invert" not in figure.evaluate(turned)
    page.emulate_media(media="screen")
