"""Whether prose is true, as far as a machine can know.

Its numbers are on the page, or a comment beside them says where they are from
(<!-- 2.4: NumPy's version -->), and the names of its code exist.
"""

import builtins
import re
from operator import attrgetter

import numpy as np
import torch

import exercises
import polynomial
import sinefit
import train
from conftest import CHAPTERS, ROOT
from runner import cells, printed, tags

NUMBER = r"(?<![\w.-])-?\d+(?:\.\d+)?(?:e[+-]?\d+)?(?![\w])"
# What a name in prose may belong to, besides the page's own code.
HOMES = [builtins, np, np.linalg, torch, torch.Tensor, torch.nn, torch.optim]
HOMES += [torch.nn.Module, torch.autograd, sinefit, polynomial, exercises]
HOMES += [train, torch.utils.data]
FOLDERS = [ROOT, ROOT / "notebooks"]
FILES = {file.name for file in (ROOT / "tests").rglob("*")}
TAGS = {tag for path in CHAPTERS for cell in cells(path) for tag in tags(cell)}
# Words of the command line.
OTHERS = {"pytest", "pip", "python", "userdel"}
# Where a page without code may have a number or a name from, besides the
# chapters and the commands that it prints.
SETTINGS = ["Makefile", "pyproject.toml", "book/measured.md"]
SETTINGS += ["book/_ext/address.py", "tools/copies.py", "classroom/room.py"]
SETTINGS += ["tests/chapters/every_chapter.py"]


def chapter(path):
    """Return a chapter's prose, and its code with all that it printed."""
    said, shows = [cell.source for cell in cells(path, "markdown")], []
    for cell in cells(path, "code"):
        shown = [out.get("data", {}) for out in cell.outputs]
        shows += [cell.source, printed(cell)]
        shows += [data.get("text/plain", "") for data in shown]
    return "\n".join(said), "\n".join(shows)


def page(path):
    """Return a page's prose, and what all the chapters and settings hold.

    Tables are plans and measurements; what they say is held where it is made.
    """
    text = path.read_text(encoding="utf-8")
    code = re.findall(r"```(?!\{).+?```", text, flags=re.S)
    said = re.sub(r"```(?!\{).+?```|\{term\}`[^`]*`", " ", text, flags=re.S)
    known = [chapter(path)[1] for path in CHAPTERS] + code
    known += [(ROOT / name).read_text(encoding="utf-8") for name in SETTINGS]
    return re.sub(r"(?m)^\|.*$", "", said), "\n".join(known)


def unexplained(prose, page):
    """Return the numbers of the prose that the page neither has nor prints.

    Formulas and code are no prose; minutes, and the numbers of chapters and
    exercises, are names. A number may round one that is printed.
    """
    code = r"(?s)\$\$.+?\$\$|\$[^$]+\$|`[^`]+`|\]\([^)]*\)|<[^>]+>"
    name = r"\*\*Time\*\*.*|\d+ minutes|[Cc]hapters? \d|\*\*\d\. "
    given = " ".join(re.findall(r"<!--([^:]+):[^>]+-->", prose))
    text = re.sub(name, " ", re.sub(code, " ", prose))
    printed = re.findall(r"\d+(?:\.\d+)?(?:e[+-]?\d+)?", given + page)
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
        and span not in OTHERS | TAGS | FILES
        and not any((folder / span).exists() for folder in FOLDERS)
        and not re.search(rf"\b{re.escape(span.removesuffix('()'))}\b", page)
        and not any(has(home, span.removesuffix("()")) for home in HOMES)
    ]


def has(home, name):
    """Tell whether a dotted name can be reached from there."""
    own = getattr(home, "__name__", "")
    try:
        attrgetter(name.removeprefix(f"{own}."))(home)
    except AttributeError:
        return False
    return True
