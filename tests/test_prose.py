"""Prose that is true: its numbers are on the page, its names exist."""

import builtins
import re

import numpy as np
import pytest
import torch

import exercises
import polynomial
import sinefit
from conftest import CHAPTERS, PROSE, ROOT, each_chapter
from runner import cells, printed, tags

NUMBER = r"(?<![\w.-])-?\d+(?:\.\d+)?(?:e[+-]?\d+)?(?![\w])"
# What a name in prose may belong to, besides the page's own code.
HOMES = [builtins, np, np.linalg, torch, torch.Tensor, torch.nn, torch.optim]
HOMES += [torch.nn.Module, torch.autograd, sinefit, polynomial, exercises]
FOLDERS = [ROOT, ROOT / "notebooks", ROOT / "tests"]
TAGS = {tag for path in CHAPTERS for cell in cells(path) for tag in tags(cell)}
# Words of the command line.
OTHERS = {"pytest", "pip", "python"}
# Pages without code. Their numbers come from chapters or from these settings.
# In references, numbers are the names of works; make measure wrote measured.
PAGES = [path for path in PROSE if path.stem != "measured"]
SETTINGS = ["pyproject.toml", "Makefile", ".github/workflows/test.yml"]
SETTINGS += ["book/_ext/address.py", "book/measured.md"]
SETTINGS += ["classroom/jupyterhub_config.py", "classroom/copies.py"]


def parts(path):
    """Return a chapter's prose, and its code with all that it printed."""
    prose, page = [cell.source for cell in cells(path, "markdown")], []
    for cell in cells(path, "code"):
        shown = [out.get("data", {}) for out in cell.outputs]
        page += [cell.source, printed(cell)]
        page += [data.get("text/plain", "") for data in shown]
    return "\n".join(prose), "\n".join(page)


def page_parts(path):
    """Return a page's prose, and what all the chapters and settings hold."""
    text = path.read_text(encoding="utf-8")
    prose = re.sub(r"```(?!\{).+?```|\{term\}`[^`]*`", " ", text, flags=re.S)
    known = [parts(chapter)[1] for chapter in CHAPTERS]
    known += [(ROOT / name).read_text(encoding="utf-8") for name in SETTINGS]
    return prose, "\n".join(known)


def unexplained(prose, page):
    """Return the numbers of the prose that the page neither has nor prints.

    Formulas and code are no prose; minutes, and the numbers of chapters and
    exercises, are names. A number may round one that is printed.
    """
    code = r"(?s)\$\$.+?\$\$|\$[^$]+\$|`[^`]+`|\]\([^)]*\)|<[^>]+>"
    name = r"\*\*Time\*\*.*|\d+ minutes|[Cc]hapters? \d|\*\*\d\. "
    text = re.sub(name, " ", re.sub(code, " ", prose))
    printed = re.findall(r"\d+(?:\.\d+)?(?:e[+-]?\d+)?", page)
    known = {sign * float(n) for n in printed for sign in (1, -1)}
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
        and span not in OTHERS | TAGS
        and not any((folder / span).exists() for folder in FOLDERS)
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


@each_chapter
def test_what_a_chapter_says_is_on_its_page(path):
    assert not unexplained(*parts(path))
    assert not missing_names(*parts(path))


@pytest.mark.parametrize("path", PAGES)
def test_what_a_page_says_is_in_a_chapter(path):
    assert path.stem == "references" or not unexplained(*page_parts(path))
    assert not missing_names(*page_parts(path))


@pytest.mark.parametrize("path", PAGES)
def test_files_that_a_page_links_to_are_there(path):
    text = path.read_text(encoding="utf-8")
    for link in re.findall(r"\]\(([^):#]+)[)#]", text):
        assert (path.parent / link).exists(), link


def test_a_wrong_number_and_a_wrong_name_are_found():
    prose = "It ends at 9.15, not 9.14, see `torch.nn.Linearr` and `loss`."
    page = "loss = 9.1413"
    assert unexplained(prose, page) == ["9.15"]
    assert missing_names(prose, page) == ["torch.nn.Linearr"]
