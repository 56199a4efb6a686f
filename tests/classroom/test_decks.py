"""The decks: slides that can be read from the last row, each of them whole."""

import functools
import json
import re
import types

import pytest

import decks
from conftest import CHAPTERS, each_chapter, long
from runner import cells, printed, tags

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


SHOWN = """({number: Reveal.getSlidePastCount() + 1,
  heading: Reveal.getCurrentSlide().querySelector("h1, h2")?.innerText.trim(),
  text: "\\n" + Reveal.getCurrentSlide().innerText,
  notes: Reveal.getCurrentSlide().querySelectorAll("aside.notes").length})"""


@pytest.fixture(scope="module")
def walk(made, browser):
    """Return what shows a chapter's deck, slide by slide, once for a size.

    It gives what is on each slide, what is on all, and what a network was
    asked for, or what went wrong.
    """
    page, asked = browser.new_page(), []
    page.emulate_media(reduced_motion="reduce")
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: asked.append(error.message))

    @functools.cache
    def walk(path, width, height):
        asked.clear()
        page.set_viewport_size({"width": width, "height": height})
        page.goto((made / "slides" / f"{path.stem}.slides.html").as_uri())
        page.wait_for_function("Reveal.isReady()")
        slides = []
        for number in range(page.evaluate("Reveal.getTotalSlides()")):
            page.evaluate("number => Reveal.slide(number)", number)
            seen = page.evaluate(SHOWN)
            seen |= {"wrong": page.evaluate(LOOK), "fonts": fonts(page)}
            slides.append(types.SimpleNamespace(**seen))
        deck = types.SimpleNamespace(
            slides=slides,
            texts=page.locator(".slides > section").all_text_contents(),
            alts=page.locator(".slides img").evaluate_all(
                "all => all.map(image => image.alt)"
            ),
            asked=[a for a in asked if not a.startswith(("file:", "data:"))],
        )
        return deck

    yield walk
    page.close()


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
def test_each_slide_is_whole_and_large_enough(path, size, walk):
    wrong = [
        f"{path.stem}, slide {slide.number} {words}"
        for slide in walk(path, *size).slides
        for words in slide.wrong
    ]
    assert not wrong, "\n".join(wrong)


@each_chapter
def test_formulas_have_the_books_font(path, walk):
    slides = walk(path, *SIZES[0]).slides
    wrong = [
        f"{path.stem}, slide {slide.number} has a formula in {slide.fonts}"
        for slide in slides
        if slide.fonts - {"STIX Two Math"}
    ]
    assert not wrong, "\n".join(wrong)
    has_formulas = any("$" in c.source for c in cells(path, tag="slide"))
    assert any(slide.fonts for slide in slides) == has_formulas


@each_chapter
def test_a_deck_shows_the_chapter_without_a_network(path, walk):
    deck = walk(path, *SIZES[0])
    assert deck.asked == []
    assert len(deck.slides) == deck.slides[-1].number >= 6
    assert all("$" not in text for text in deck.texts)
    chapter = path.read_text("utf-8")
    assert deck.alts
    for alt in deck.alts:
        assert json.dumps(alt, ensure_ascii=False) in chapter


@each_chapter
def test_what_the_chapter_turns_on_is_on_a_slide(path, walk):
    """What is tagged slide, and among it what no lesson can go without."""
    slides = walk(path, *SIZES[0]).slides

    def on_one(*words, heading=""):
        return any(
            heading in slide.heading and all(w in slide.text for w in words)
            for slide in slides
        )

    assert on_one("losses are as expected", heading="The check")
    assert path == CHAPTERS[0] or on_one("\n+", "\n-", heading="What changed")
    assert all(on_one(f"\n{n}. ", heading="Your turn") for n in (1, 2, 3))
    (loop,) = cells(path, tag="loop")
    assert "slide" in tags(loop) and on_one(loop.source.splitlines()[-1])
    for cell in cells(path, "code", tag="slide"):
        for line in printed(cell).splitlines():
            short = printed(cell).count("\n") <= decks.LONG
            assert not short or on_one(line.strip()), line


@each_chapter
def test_a_note_hangs_on_the_slide_that_it_is_about(path, walk):
    hung, wanted = [], []
    for slide in walk(path, *SIZES[0]).slides:
        hung += [(slide.number, slide.heading)] * slide.notes
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
