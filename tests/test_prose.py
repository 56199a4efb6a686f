"""Prose that is true: its numbers are on the page, its names exist."""

import builtins
import json
import pathlib
import re

import numpy as np
import pytest
import torch

import exercises
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
HOMES += [torch.nn.Module, sinefit, polynomial, exercises, np.linalg]
FOLDERS = [ROOT, ROOT / "notebooks", ROOT / "tests"]
TAGS = {
    tag
    for path in CHAPTERS
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
    for tag in cell["metadata"].get("tags", [])
}
# Words of the command line.
OTHERS = {"pytest", "pip", "python"}
# Pages without code. Their numbers come from chapters or from these settings.
# In references, numbers are the names of works.
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
PAGES += sorted(
    path
    for path in (ROOT / "book").glob("*.md")
    if path.stem != "measured"  # make measure wrote it
)
SETTINGS = [ROOT / "pyproject.toml", ROOT / ".github/workflows/test.yml"]
SETTINGS += [ROOT / "book/_ext/address.py", ROOT / "book/measured.md"]
SETTINGS += [
    ROOT / "classroom/jupyterhub_config.py",
    ROOT / "classroom/kit.py",
]


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


def page_parts(path):
    """Return a page's prose, and what all the chapters and settings hold."""
    text = path.read_text(encoding="utf-8")
    prose = re.sub(r"```(?!\{).+?```|\{term\}`[^`]*`", " ", text, flags=re.S)
    known = [parts(chapter)[1] for chapter in CHAPTERS]
    known += [setting.read_text(encoding="utf-8") for setting in SETTINGS]
    return prose, "\n".join(known)


def unexplained(prose, page):
    """Return the numbers of the prose that the page neither has nor prints.

    Formulas and code are no prose; minutes, and the numbers of chapters and
    exercises, are names. A number may round one that is printed.
    """
    text = re.sub(
        r"\$\$.+?\$\$|\$[^$]+\$|`[^`]+`|\]\([^)]*\)|<[^>]+>",
        " ",
        prose,
        flags=re.S,
    )
    text = re.sub(
        r"\*\*Time\*\*.*|\d+ minutes|[Cc]hapters? \d|\*\*\d\. ", " ", text
    )
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


def ids(path):
    """Return the name of a test about this file."""
    return path.stem


@pytest.mark.parametrize("path", CHAPTERS, ids=ids)
def test_what_a_chapter_says_is_on_its_page(path):
    assert not unexplained(*parts(path))
    assert not missing_names(*parts(path))


@pytest.mark.parametrize("path", PAGES, ids=ids)
def test_what_a_page_says_is_in_a_chapter(path):
    assert path.stem == "references" or not unexplained(*page_parts(path))
    assert not missing_names(*page_parts(path))


@pytest.mark.parametrize("path", PAGES, ids=ids)
def test_commands_and_files_that_a_page_names_are_there(path):
    text = path.read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    code = re.findall(r"```.+?```|`[^`]+`", text, flags=re.S)
    for target in re.findall(r"\bmake (?:\w+=\S+ )?([a-z]+)", " ".join(code)):
        assert re.search(rf"^{target}:", makefile, re.M), target
    for link in re.findall(r"\]\(([^):#]+)[)#]", text):
        assert (path.parent / link).exists(), link


def test_a_wrong_number_and_a_wrong_name_are_found():
    prose = "It ends at 9.15, not 9.14, see `torch.nn.Linearr` and `loss`."
    page = "loss = 9.1413"
    assert unexplained(prose, page) == ["9.15"]
    assert missing_names(prose, page) == ["torch.nn.Linearr"]
