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
  const math = slide.querySelector(".jp-Cell math");
  if (math && (!getComputedStyle(math).fontFamily.includes("STIX Two Math")
      || ![...document.fonts].every(face => face.status === "loaded")))
    wrong.push("has a formula in another font");
  for (const image of slide.querySelectorAll("img")) {
    const drawn = image.getBoundingClientRect();
    const letters = 11 * 4 / 3 * 720 / innerHeight * Math.min(
      drawn.width / image.naturalWidth,
      drawn.height / image.naturalHeight);  // from sinefit's 11 points
    if (!(letters >= 20)) wrong.push("has a picture with small letters");
  }
  return {
    wrong, heading: heading?.innerText.trim(), text: "\\n" + slide.innerText,
    notes: slide.querySelectorAll("aside.notes").length};
}"""


@pytest.fixture(scope="module")
def walk(made, browser):
    """Return what shows a chapter's deck, once for a size.

    It gives what is on each slide, what is on all, the pictures' texts, and
    what a network was asked for, or what went wrong.
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
            page.evaluate("document.fonts.ready.then(() => 0)")
            slides.append(types.SimpleNamespace(**page.evaluate(LOOK)))
        return types.SimpleNamespace(
            slides=slides,
            text=page.locator(".slides").text_content(),
            alts=page.locator(".slides img").evaluate_all(
                "all => all.map(image => image.alt.trim())"
            ),
            asked=[a for a in asked if not a.startswith(("file:", "data:"))],
        )

    yield walk
    page.close()


@each_chapter
@pytest.mark.parametrize("size", SIZES)
def test_each_slide_is_whole_and_large_enough(path, size, walk):
    wrong = [
        f"slide {number} {words}"
        for number, slide in enumerate(walk(path, *size).slides, 1)
        for words in slide.wrong
    ]
    assert not wrong, "\n".join(wrong)


@each_chapter
def test_a_deck_shows_the_chapter_without_a_network(path, walk):
    deck = walk(path, *SIZES[0])
    assert deck.asked == []
    assert len(deck.slides) >= 6
    assert "$" not in deck.text
    chapter = path.read_text("utf-8")
    assert deck.alts
    for alt in deck.alts:
        assert alt and json.dumps(alt, ensure_ascii=False) in chapter


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
    slides = walk(path, *SIZES[0]).slides
    hung = [slide.heading for slide in slides for _ in range(slide.notes)]
    wanted = []
    section = last = ""
    for cell in cells(path):
        if cell.cell_type == "markdown":
            headings = re.findall("^##? (.+)", cell.source, re.M)
            section = [section, *headings][-1]
        if "slide" in tags(cell):
            last = "Your turn" if "exercise" in tags(cell) else section
        if "teacher" in tags(cell):
            wanted.append(last)
    assert hung == wanted
    assert sum(slide.notes > 0 for slide in slides) >= 3
