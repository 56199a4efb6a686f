"""The decks: slides that can be read from the last row, each of them whole."""

import json
import re

import pytest

from conftest import CHAPTERS, each_chapter, long
from runner import cells, tags

SIZES = [(1280, 720), *long([(1920, 1080)])]
# What is wrong with the slide that is shown. Lengths are in pixels of a slide
# of 720; a formula's indices may be small.
LOOK = """() => {
  const slide = Reveal.getCurrentSlide(), wrong = [];
  const scale = slide.getBoundingClientRect().width / slide.offsetWidth;
  const of720 = scale * 720 / innerHeight;
  const inNotes = element => element.closest("aside.notes");
  const all = [...slide.querySelectorAll("*")].filter(e => !inNotes(e));
  const heading = slide.querySelector("h1, h2");
  if (!heading?.textContent.trim()) wrong.push("has no heading");
  if (slide.scrollHeight > 720 || slide.scrollWidth > 1280)
    wrong.push("is cut");
  for (const element of all) {
    const {left, top, right, bottom} = element.getBoundingClientRect();
    if (left < -1 || top < -1 || right > innerWidth + 1
        || bottom > innerHeight + 1
        || (element.clientWidth && !element.closest("math")
            && element.scrollWidth > element.clientWidth + 1))
      wrong.push(`is cut at <${element.localName}>`);
  }
  const walker = document.createTreeWalker(slide, NodeFilter.SHOW_TEXT);
  let shown = slide.querySelector("img") !== null;
  while (walker.nextNode()) {
    const parent = walker.currentNode.parentElement;
    const text = walker.currentNode.textContent.trim();
    if (!text || inNotes(parent) || heading?.contains(parent)) continue;
    shown = true;
    const set = parent.closest("math") ?? parent;
    const size = parseFloat(getComputedStyle(set).fontSize) * of720;
    if (size < (parent.closest("pre") ? 25.99 : 20))
      wrong.push(`has ${size.toFixed(1)} px: ${text}`);
  }
  if (!shown) wrong.push("is empty");
  for (const image of slide.querySelectorAll("img")) {
    if (!image.alt.trim()) wrong.push("has a picture without alt text");
    const drawn = image.getBoundingClientRect();
    const letters = 11 * 4 / 3 * 720 / innerHeight * Math.min(
      drawn.width / image.naturalWidth,
      drawn.height / image.naturalHeight);  // from sinefit's 11 points
    if (!(letters >= 20)) wrong.push("has a picture with small letters");
  }
  return wrong;
}"""


@pytest.fixture(scope="module")
def screen(browser):
    """Return a page to show decks on, and what it has asked for."""
    page, asked = browser.new_page(), []
    page.emulate_media(reduced_motion="reduce")
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: asked.append(error.message))
    yield page, asked
    page.close()


def show(path, made, page):
    """Show a chapter's deck; yield the number of each slide that is shown."""
    page.goto((made / "slides" / f"{path.stem}.slides.html").as_uri())
    page.wait_for_function("Reveal.isReady()")
    for number in range(page.evaluate("Reveal.getTotalSlides()")):
        page.evaluate("number => Reveal.slide(number)", number)
        yield number + 1


def fonts(page):
    """Return the names of the fonts that draw the formulas of a slide."""
    tools = page.context.new_cdp_session(page)
    for domain in ("DOM", "CSS"):
        tools.send(f"{domain}.enable")
    root = tools.send("DOM.getDocument", {"depth": 0})["root"]["nodeId"]
    letters = "section.present > .jp-Cell math :is(mi, mn, mo)"
    where = {"nodeId": root, "selector": letters}
    found = set()
    for node in tools.send("DOM.querySelectorAll", where)["nodeIds"]:
        used = tools.send("CSS.getPlatformFontsForNode", {"nodeId": node})
        found |= {font["familyName"] for font in used["fonts"]}
    tools.detach()
    return found


@each_chapter
@pytest.mark.parametrize("size", SIZES)
def test_each_slide_is_whole_and_large_enough(path, size, made, screen):
    page, _ = screen
    page.set_viewport_size(dict(zip(("width", "height"), size, strict=True)))
    wrong = [
        f"{path.stem}, slide {number} {words}"
        for number in show(path, made, page)
        for words in page.evaluate(LOOK)
    ]
    assert not wrong, "\n".join(wrong)


@each_chapter
def test_formulas_have_the_books_font(path, made, screen):
    page, _ = screen
    drawn = {n: fonts(page) for n in show(path, made, page)}
    wrong = [
        f"{path.stem}, slide {number} has a formula in {sorted(used)}"
        for number, used in drawn.items()
        if used - {"STIX Two Math"}
    ]
    assert not wrong, "\n".join(wrong)
    has_formulas = any("$" in c.source for c in cells(path, tag="slide"))
    assert any(drawn.values()) == has_formulas


@each_chapter
def test_a_deck_shows_the_chapter_without_a_network(path, made, screen):
    page, asked = screen
    asked.clear()
    count = len([*show(path, made, page)])
    assert [a for a in asked if not a.startswith(("file:", "data:"))] == []
    assert count >= 6
    slides = page.locator(".slides > section")
    texts = slides.all_text_contents()
    for words in ("You will learn", "for t in range(2000)", "You see", "Your"):
        assert any(words in text for text in texts), words
    assert all("$" not in text for text in texts)
    chapter = path.read_text("utf-8")
    images = page.locator(".slides img")
    assert images.count() >= 1
    for alt in images.evaluate_all("all => all.map(image => image.alt)"):
        assert json.dumps(alt, ensure_ascii=False) in chapter


KEPT = [  # of a chapter, a section and what its slides show
    ("01_numpy", "How large a learning rate?", "stable below 3.5579e-06"),
    ("02_tensors", "How many digits?", "torch.float32 1.2e-07"),
    ("02_tensors", "How many digits?", "relative difference: 3.4e-06"),
    ("04_custom_function", "Test it", "True True"),
    ("05_nn", "Sum or mean?", "2e-03: 1521.45 -> 9.14"),
    ("06_optim", "Degree 7", "condition number 1.2e+07"),
    ("06_optim", "A better basis", "normalised"),
]
for path in CHAPTERS:
    KEPT.append((path.stem, "The check", "losses are as expected, to"))
    if path != CHAPTERS[0]:  # a line of the diff
        KEPT.append((path.stem, "What changed", "\n+"))
    KEPT += [(path.stem, "Your turn", f"\n{number}. ") for number in (1, 2, 3)]


@each_chapter
def test_what_the_chapter_turns_on_is_on_a_slide(path, made, screen):
    page, _ = screen
    shown = []
    for _ in show(path, made, page):
        text = page.evaluate("Reveal.getCurrentSlide().innerText")
        heading, _, rest = text.partition("\n")
        shown.append((heading.strip(), f"\n{rest}"))
    for stem, section, words in KEPT:
        if stem == path.stem:
            inside = [rest for heading, rest in shown if heading == section]
            assert any(words in rest for rest in inside), (section, words)


def test_the_fit_of_a_run_is_shown_where_it_is_new():
    shown = [
        cells(path, tag="loop")[0].outputs[0].text
        for path in CHAPTERS
        if any("plot_run" in c.source for c in cells(path, tag="slide"))
    ]
    assert len(shown) == len({*shown}) == 3


@each_chapter
def test_a_note_hangs_on_the_slide_that_it_is_about(path, made, screen):
    page, _ = screen
    hung, wanted = [], []
    for number in show(path, made, page):
        heading = page.locator("section.present > .jp-Cell :is(h1, h2)")
        notes = page.locator("section.present > aside.notes").count()
        hung += [(number, heading.inner_text())] * notes
    section = last = ""
    for cell in cells(path):
        if cell.cell_type == "markdown":
            headings = re.findall("^##? (.+)", cell.source, re.M)
            section = [section, *headings][-1]
        if "slide" in tags(cell):
            last = "Your turn" if "exercise" in tags(cell) else section
        if "teacher" in tags(cell):
            wanted.append(last)
    assert [heading for _, heading in hung] == wanted
    where = sorted({number for number, _ in hung})
    assert len(where) >= 3, f"{path.stem} has notes on slides {where} alone"
