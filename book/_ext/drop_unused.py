"""Leave out of the built pages what no page uses: nine tenths of their weight.

The theme brings scripts, styles and icons for all that a site might do, and
Matplotlib six decimals of a point. Without this extension the pages look the
same, and weigh more.
"""

import re

from fontTools import subset

# Written for sphinx-book-theme 1.3 and pydata-sphinx-theme 0.17, whose icons
# are drawn by a font, or else by a script. The book has a search of its own.
ICONS = re.compile(r"\s*<script [^>]*fontawesome[^>]*></script>")
GONE = re.compile(
    r"\.map$|macros\.html$|(?:searchtools|language_data)\.js$"
    r"|\.woff2$|fa-regular|fa-brands|fontawesome\.js"
)
# Where no script chooses a theme, it stays auto, and looks like the light one.
LIGHT = re.compile(r'\[data-theme="?light"?\]')
NO_SCRIPT = ":is([data-theme=light],[data-theme=auto])"
WORD = re.compile(r"[\w-]+")
# A rule of a style sheet: what it is for, and its block, if it has one.
COMMENT = re.compile(r"(?s)/\*.*?\*/")
BLOCK = r"[^{}]*+"
for _ in range(3):  # blocks in a block
    BLOCK = rf"(?:[^{{}}]++|\{{{BLOCK}\}})*+"
RULE = re.compile(rf"\s*+([^{{}};]++)(?:;|\{{({BLOCK})\}})")
NESTED = ("@media", "@supports", "@layer", "@container")
# In a figure: what draws nothing, and less than a tenth of a point.
# E-readers load no DTD, and want a path to have points.
LINES = re.compile(r' (?:d|x|y)="[^"]*')
IDLE = re.compile(
    r'(?s)<metadata>.*?</metadata>| id="[A-Za-z\d]+_\d+"'
    r'| transform="rotate\(-0 [^"]*"'
    r"|<!DOCTYPE.*?>\s*|<path(?![^>]* d=)[^>]*/>"
)
FINE = re.compile(r"(?<=\.\d)\d+|\s+(?=\s)")
FONT = "vendor/fontawesome/webfonts/fa-solid-900.ttf"


def is_used(selectors, words):
    """Tell whether one of the selectors, split at commas, may be met."""
    flat = re.sub(r":(?:not|is|where|has)\([^)]*\)", "", selectors)
    return any(
        words.issuperset(re.findall(r"[.#]([\w-]+)", selector))
        and "\\" not in selector
        for selector in flat.split(",")
    )


def used_rules(style, words):
    """Yield the rules whose classes and ids occur in words."""
    for rule in RULE.finditer(style):
        text, (head, block) = rule.group(), rule.groups()
        if block and head.startswith(NESTED):
            if kept := "".join(used_rules(block, words)):
                yield f"{head}{{{kept}}}"
        elif head.startswith("@"):
            if "webfonts" not in text:
                yield text
            elif "fa-solid-900" in text:
                file = re.search(r"url\([^)]*ttf\)", text).group()
                yield re.sub("src:[^}]+", f"src:{file}", text)
        elif is_used(head, words):
            yield text


def keep_icons(path, style):
    """Cut the font of icons down to those that the style sheet names."""
    icons = re.findall(r"[\uf000-\uf8ff]", style)
    codes = re.findall(r"\\(f[\da-f]{3})\b", style)
    text = "".join(icons + [chr(int(code, 16)) for code in codes])
    output = f"--output-file={path}"
    subset.main([str(path), f"--text={text}", "--name-IDs=", output])


def lighten(app, error):
    """Cut pages, style sheets and the font of icons where they lie."""
    if error or app.builder.format != "html":
        return
    static, words = app.outdir / "_static", set()
    gone = [file for file in static.rglob("*") if GONE.search(file.name)]
    for page in app.outdir.rglob("*.html"):
        text = ICONS.sub("", page.read_text(encoding="utf-8"))
        page.write_text(text, encoding="utf-8")
        words.update(WORD.findall(text))
    for script in {*static.rglob("*.js")}.difference(gone):
        words.update(WORD.findall(script.read_text(encoding="utf-8")))
    for sheet in static.rglob("*.css"):
        text = COMMENT.sub("", sheet.read_text(encoding="utf-8"))
        kept = "".join(used_rules(text, words))
        if NO_SCRIPT not in kept:
            kept = LIGHT.sub(NO_SCRIPT, kept)
        sheet.write_text(kept, encoding="utf-8")
        if "fa-solid-900" in text:
            keep_icons(static / FONT, sheet.read_text(encoding="utf-8"))
    images = [*(static / "images").iterdir()]
    images += (app.outdir / "_images").rglob("*.*")
    for file in gone + [i for i in images if i.stem not in words]:
        file.unlink()
    for figure in (app.outdir / "_images").glob("*.svg"):
        text = IDLE.sub("", figure.read_text(encoding="utf-8"))
        text = LINES.sub(lambda line: FINE.sub("", line.group()), text)
        figure.write_text(text, encoding="utf-8")


def setup(app):
    """Register the extension, to run after all others."""
    app.connect("build-finished", lighten, priority=900)
    return {"version": "1", "parallel_read_safe": True}
