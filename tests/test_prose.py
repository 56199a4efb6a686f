"""Prose that is true: its numbers are on the page, its names exist."""

import builtins
import json
import pathlib
import re

import numpy as np
import pytest
import torch

import polynomial
import sinefit

ROOT = pathlib.Path(__file__).parents[1]
CHAPTERS = sorted((ROOT / "notebooks").glob("0*.ipynb"))
NUMBER = r"(?<![\w.-])-?\d+(?:\.\d+)?(?:e[+-]?\d+)?(?![\w])"
# What a name in prose may belong to, besides the page's own code.
HOMES = [
    builtins,
    np,
    torch,
    torch.Tensor,
    torch.nn,
    torch.optim,
    torch.autograd,
]
HOMES += [torch.nn.Module, sinefit, polynomial, np.linalg]
# Words of the command line, of files, of other pages.
OTHERS = {"pytest", "test_polynomial.py", "sinefit.py", "tests/"}


def parts(path):
    """Return a chapter's prose, and its code with all that it printed."""
    prose, page = [], []
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "markdown":
            prose.append("".join(cell["source"]))
            continue
        page.append("".join(cell["source"]))
        for out in cell["outputs"]:
            page.append("".join(out.get("text", "")))
            page.append("".join(out.get("data", {}).get("text/plain", "")))
            page.append(out.get("evalue", ""))
    return "\n".join(prose), "\n".join(page)


def unexplained(prose, page):
    """Return the numbers of the prose that the page neither has nor prints.

    Formulas and code are no prose; minutes, and the numbers of chapters and
    exercises, are names. A number may round one that is printed.
    """
    text = re.sub(
        r"\$\$.+?\$\$|\$[^$]+\$|`[^`]+`|\]\([^)]*\)", " ", prose, flags=re.S
    )
    text = re.sub(r"\*\*Time\*\*.*|[Cc]hapters? \d|\*\*\d\. ", " ", text)
    known = {
        float(n) for n in re.findall(r"\d+(?:\.\d+)?(?:e[+-]?\d+)?", page)
    }
    known |= {-n for n in known}
    return [
        n
        for n in re.findall(NUMBER, text)
        if not any(rounds(value, n) for value in known)
    ]


def rounds(value, text):
    """Tell whether the text is the value, to the digits that it gives."""
    digits = len(text.partition(".")[2].partition("e")[0])
    return float(text) == (value if "e" in text else round(value, digits))


def missing_names(prose, page):
    """Return the code names of the prose that nothing defines."""
    return [
        span
        for span in re.findall(r"`([^`]+)`", prose)
        if re.fullmatch(r"[A-Za-z_][\w.]*(\(\))?", span)
        and span not in OTHERS
        and not re.search(rf"\b{re.escape(span.removesuffix('()'))}\b", page)
        and not any(has(home, span.removesuffix("()")) for home in HOMES)
    ]


def has(home, name):
    """Tell whether a dotted name can be reached from there."""
    names = name.split(".")
    if names[0] == getattr(home, "__name__", None):
        names = names[1:]
    for part in names:
        if not hasattr(home, part):
            return False
        home = getattr(home, part)
    return True


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_numbers_in_prose_are_on_the_page(path):
    assert not unexplained(*parts(path))


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_names_in_prose_exist(path):
    assert not missing_names(*parts(path))


def test_a_wrong_number_and_a_wrong_name_are_found():
    prose = "It ends at 9.15, not 9.14, see `torch.nn.Linearr` and `loss`."
    page = "loss = 9.1413"
    assert unexplained(prose, page) == ["9.15"]
    assert missing_names(prose, page) == ["torch.nn.Linearr"]
