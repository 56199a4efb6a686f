"""The pages in a browser: offline, light, open to all readers."""

import gzip
import itertools
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from test_book import PAGES

from conftest import CHAPTERS, NOTEBOOKS, ROOT
from runner import cells

FIRST, NEXT = 110_000, 55_000  # bytes, gzipped
NAMES = [(name,) for name in ("search", "genindex", *PAGES)]
DIFFS = [f"notebooks/{path.stem}" for path in CHAPTERS[1:]]
WAYS = [
    ("from disk", 390, "dark"),
    ("from disk", 1280, "light"),
    ("from a server", 390, "light"),
    ("from a server", 1280, "dark"),
]
READ = {}  # what is there once the first page was read, from disk or not
ASK = {"resultTypes": ["violations"], "preload": False}  # it loads no files

# What does not fit into its place on the page, and scrolls or is cut; code
# too small to read; and a formula whose full stop may begin the next line.
CUT = r"""[...document.querySelectorAll(
  'html, article :is(pre, .pst-scrollable-table-container, .math)')]
.filter(box => box.scrollWidth > box.clientWidth
  || box.matches('pre') && parseFloat(getComputedStyle(box).fontSize) < 11)
.concat([...document.querySelectorAll('article math')].filter(formula =>
  /^[.,;:?!)]/.test(formula.nextSibling?.data)
  && getComputedStyle(formula.parentElement).whiteSpace != 'nowrap'))
.map(box => box.parentElement?.innerText.slice(0, 80))"""

# Formulas that do not stand as they should: in the middle of a line of their
# own, and large, or else in a line of text, and small.
MISPLACED = """[...document.querySelectorAll('article math')].filter(math => {
  const style = getComputedStyle(math), around = math.parentElement;
  if (math.getAttribute('display') != 'block')
    return style.display != 'math' || style.mathStyle != 'compact';
  const box = math.getBoundingClientRect();
  const line = around.getBoundingClientRect();
  return style.display != 'block math' || style.mathStyle != 'normal'
    || Math.abs(box.left + box.right - line.left - line.right) > 4
    || line.width < document.querySelector('article p').offsetWidth;
}).map(math => math.textContent)"""

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
# The lines of a diff: what each says, whether it came or went by its element
# and by its colour, and whether its sign is in the box of the whole.
LINES = """pre => [...pre.querySelectorAll('.line')].map(line => {
  const range = document.createRange(), here = pre.getBoundingClientRect();
  const texts = document.createTreeWalker(line, NodeFilter.SHOW_TEXT);
  range.setStart(texts.nextNode(), 0);
  range.setEnd(range.startContainer, 1);
  const sign = range.getBoundingClientRect();
  const around = range.startContainer.parentElement;
  const [red, green] = getComputedStyle(around).color.match(/\\d+/g);
  return {text: line.textContent.trimEnd(), green: green - red,
    kind: around.closest('ins, del')?.tagName,
    seen: sign.left >= here.left && sign.right <= here.right};
})"""
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


def hold_diff(page, name):
    """Hold what came and went to the diff that is stored, by eye."""
    lines = page.locator(".highlight-diff pre").first.evaluate(LINES)
    for line in lines:
        came, went = (line["text"].startswith(sign) for sign in "+-")
        assert line["kind"] == ("INS" if came else "DEL" if went else None)
        assert not came or line["green"] > 60, line
        assert not went or line["green"] < -60, line
        assert line["seen"], line
    (stored,) = (
        out.data["text/markdown"]
        for cell in cells(ROOT / f"{name}.ipynb", "code")
        for out in cell.outputs
        if "```diff" in out.get("data", {}).get("text/markdown", "")
    )
    told = [line.rstrip() for line in stored.splitlines()[1:-1]]
    assert [line["text"] for line in lines] == told


@pytest.fixture(scope="module")
def windows(browser, built):
    """Return a page to read in by its theme, what it asks, what is wrong."""

    def fulfil(route):
        path = urlsplit(route.request.url).path
        route.fulfill(path=f"{built}{path}")

    def window(theme):
        asked, wrong = [], []
        page = browser.new_page(color_scheme=theme, reduced_motion="reduce")
        page.clock.install()
        page.route("http://localhost/**", fulfil)
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: wrong.append(error.message))
        page.on(
            "console", lambda m: m.type == "error" and wrong.append(m.text)
        )
        return page, asked, wrong

    return {theme: window(theme) for theme in ("light", "dark")}


@pytest.mark.parametrize("seen", in_turn(NAMES, WAYS))
def test_a_page_is_light_and_asks_for_nothing_and_all_can_use_it(
    seen, built, windows
):
    name, way, width, theme = seen
    root = built.as_uri() if way == "from disk" else "http://localhost"
    page, asked, wrong = windows[theme]
    page.set_viewport_size({"width": 390, "height": 900})
    asked.clear()
    wrong.clear()
    known = READ.setdefault(root, set())

    def weigh(limit):
        files = {url.partition("?")[0] for url in asked} - known
        assert all(file.startswith((root, "data:")) for file in files), files
        assert wrong == []
        packed = [
            gzip.compress((built / file[len(root) + 1 :]).read_bytes())
            for file in files
            if file.startswith(root)
        ]
        assert sum(map(len, packed)) <= limit, files
        return files

    def read(place):
        page.goto(f"{root}/{place}.html")
        page.clock.run_for(10_000)  # what scripts put off, they do now
        page.evaluate("scrollTo(0, 1e6)")  # what is lazy, too

    if not known:
        read("index")
        page.wait_for_load_state("networkidle")
        known |= weigh(FIRST)
    read(name)
    page.locator("details").evaluate_all("all => all.map(d => d.open = 1)")
    for size in (390, width):  # in every way, what fits a phone
        page.set_viewport_size({"width": size, "height": 900})
        assert page.evaluate(CUT) == []
    assert width == 390 or page.evaluate(MISPLACED) == []
    if name in DIFFS:
        hold_diff(page, name)
    page.evaluate(LOOKS)
    axe = AXE.run(page, options=ASK)
    assert axe.violations_count == 0, axe.generate_report()
    levels = page.locator("article :is(h1,h2,h3,h4)").evaluate_all(
        "all => all.map(h => +h.tagName[1])"
    )
    assert all(b <= a + 1 for a, b in itertools.pairwise(levels))
    assert page.locator("article img[alt='']").count() == 0
    weigh(NEXT)  # last: by now, what the page asks for late is known


OPENERS = [
    (1280, ".search-button-field", "#pst-search-dialog"),
    (390, ".search-button.btn", "#pst-search-dialog"),
    (390, ".primary-toggle", "#pst-primary-sidebar-modal"),
    (390, ".secondary-toggle", "#pst-secondary-sidebar-modal"),
    (390, ".dropdown-download-buttons button", ".dropdown-menu.show"),
]


@pytest.mark.parametrize("opening", in_turn(OPENERS, [("dark",), ("light",)]))
def test_all_readers_can_use_what_opens(opening, visit):
    width, opener, opened, theme = opening
    page = visit("book/setup.html", width, theme)
    page.locator(opener).first.press("Enter")
    page.locator(opened).wait_for()
    axe = Axe().run(page, context=opened, options=ASK)
    assert axe.violations_count == 0, axe.generate_report()
    page.keyboard.press("Escape")
    page.locator(opened).wait_for(state="hidden")


def test_code_is_copied_as_it_was_written(visit):
    name = "04_custom_function"
    page = visit(f"notebooks/{name}.html")
    copied = page.locator(".cell_input pre").evaluate_all(
        """boxes => boxes.slice(0, 8).map(box => {
             getSelection().selectAllChildren(box);
             return getSelection().toString().trimEnd(); })"""
    )
    code = cells(NOTEBOOKS / f"{name}.ipynb", "code")
    assert copied == [cell.source for cell in code[:8]]
