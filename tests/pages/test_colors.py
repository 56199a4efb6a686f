"""The figures' colours, sinefit.COLORS: all that is drawn has them."""

import re

import pytest

import sinefit

DRAWN = [
    ("index", ".motion path.loss", "stroke", 0),
    ("index", ".motion path.fit", "stroke", 1),
    ("book/playground", "#play-losses", "stroke", 0),
    ("book/playground", "#play-curve", "stroke", 1),
    ("_static/icon.svg", "rect", "fill", 0),
]


@pytest.mark.parametrize("row", DRAWN, ids=lambda row: f"{row[0]} {row[1]}")
def test_what_is_drawn_has_the_colours_of_the_figures(row, built, browser):
    name, place, paints, number = row
    page = browser.new_page(color_scheme="light")
    kind = "" if name.endswith("svg") else ".html"
    page.goto(f"{built.as_uri()}/{name}{kind}")
    shown = page.locator(place).first.evaluate(
        "(part, paints) => getComputedStyle(part)[paints]", paints
    )
    wanted = sinefit.COLORS[number]
    assert f"#{bytes(map(int, re.findall('[0-9]+', shown))).hex()}" == (
        wanted.lower()
    )
    page.close()
