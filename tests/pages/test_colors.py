"""The figures' colours, sinefit.COLORS: all that is drawn has them."""

import re

import sinefit

DRAWN = [
    ("index.html", ".motion path.loss", "stroke", 0),
    ("index.html", ".motion path.fit", "stroke", 1),
    ("book/playground.html", "#play-losses", "stroke", 0),
    ("book/playground.html", "#play-curve", "stroke", 1),
    ("_static/icon.svg", "rect", "fill", 0),
]


def test_what_is_drawn_has_the_colours_of_the_figures(built, browser):
    page = browser.new_page(color_scheme="light")
    for name, place, paint, number in DRAWN:
        page.goto(f"{built.as_uri()}/{name}")
        color = page.locator(place).first.evaluate(
            "(drawn, paint) => getComputedStyle(drawn)[paint]", paint
        )
        shown = bytes(map(int, re.findall(r"\d+", color))).hex()
        wanted = sinefit.COLORS[number].lower()
        assert f"#{shown}" == wanted, (name, place)
    page.close()
