"""What commands leave behind them, and what they need to be there."""

import ast
import re
import sys
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, entry_points, requires
from importlib.metadata import packages_distributions as distributions

import pytest
from nbformat import v4
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from conftest import ROOT, copy_parts, make, run
from runner import cells
from test_building import write

OWN = ("work", "hub", "grades")  # where people's work lies, not the book's
# Whose lists of packages a room may use, besides what every reader has.
LISTS = {"tests": ("tests", "classroom", "tools"), "tools": ("tools", "tests")}


def test_cleaning_up_deletes_what_was_built_alone(tmp_path):
    copy_parts(tmp_path, "Makefile", "notebooks")
    made = [tmp_path / "_build" / "html", tmp_path / ".venv" / "bin"]
    own = [tmp_path / name / "deep" for name in OWN]
    for folder in made + own:
        folder.mkdir(parents=True)
        (folder / "a file").write_text("of a learner")
    (tmp_path / "notebooks" / "mine.ipynb").write_text("of a learner")
    kept = [*(tmp_path / "notebooks").rglob("*"), *own, tmp_path / "Makefile"]
    # never the environment that runs this test
    command = ["make", "clean", f"VENV={tmp_path / '.venv'}"]
    done = run(command, tmp_path, MAKELEVEL="0", MAKEFLAGS="")
    assert done.returncode == 0, done.stdout
    assert [path for path in kept if not path.exists()] == []
    assert all((folder / "a file").exists() for folder in own)
    assert [folder for folder in made if folder.exists()] == []


@pytest.mark.long
def test_outputs_are_stored_and_pictures_drawn_anew(tmp_path):
    copy_parts(tmp_path, "Makefile", "tools", "book/images")
    copy_parts(tmp_path, "notebooks/sinefit.py")
    write(tmp_path, "page", "import sinefit\nprint('anew')", "old\n")
    images = tmp_path / "book" / "images"
    there = {path.name for path in images.iterdir()}
    (images / "fit.png").unlink()
    (images / "motion.svg").write_text("old")
    done = make(tmp_path, "notebooks")
    assert done.returncode == 0, done.stdout
    text = (tmp_path / "notebooks" / "page.ipynb").read_text("utf-8")
    (cell,) = (c for c in v4.reads(text).cells if c.cell_type == "code")
    assert cell.outputs[0].text == "anew\n"
    assert {path.name for path in images.iterdir()} == there
    assert (images / "fit.png").read_bytes().startswith(b"\x89PNG")
    assert (images / "motion.svg").read_text("utf-8").count("<path ") > 4


def named(path):
    """Return what a list of packages asks for, and the lists it names."""
    for line in path.read_text("utf-8").splitlines():
        line = line.partition("#")[0].strip()
        if line.startswith("-r"):
            yield from named(path.parent / line[2:].strip())
        elif line and line[0] != "-":
            yield Requirement(line)


def brought(lists, *others):
    """Return the packages that these lists, and others, bring with them."""
    todo, seen = [Requirement(name) for name in others], set()
    todo += [need for path in lists for need in named(path)]
    while todo:
        wanted = todo.pop()
        name = canonicalize_name(wanted.name)
        for extra in {"", *wanted.extras} - {e for n, e in seen if n == name}:
            seen.add((name, extra))
            with suppress(PackageNotFoundError):  # on other machines alone
                todo += [
                    need
                    for need in map(Requirement, requires(name) or [])
                    if not need.marker
                    or need.marker.evaluate({"extra": extra})
                ]
    return {name for name, _ in seen}


def imported(path):
    """Return the modules that a file imports, or names in a string.

    So it asks for extensions of the pages, and for the files of packages.
    """
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        text = "\n".join(cell.source for cell in cells(path, "code"))
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module
        elif isinstance(node, ast.Constant):
            if re.fullmatch(r"[a-z]+[._][a-z_.]+", str(node.value)):
                yield node.value


ROOMS = {
    room.name: [
        path
        for kind in ("*.py", "*.ipynb")
        for path in room.rglob(kind)
        if "/." not in path.as_posix()
    ]
    for room in sorted(ROOT.iterdir())
    if room.is_dir() and room.name[0] not in "._" and room.name not in OWN
}
OURS = {path.stem for code in ROOMS.values() for path in code}


@pytest.mark.parametrize("room", ["on Binder", *ROOMS])
def test_what_a_room_imports_is_in_its_lists(room):
    lists = [ROOT / "requirements.txt"]
    for name in LISTS.get(room, (room,)):
        lists += (ROOT / name).glob("*.txt")
    there, belongs = brought(lists), distributions()
    if room == "on Binder":
        mine = [ROOT / ".binder" / "requirements.txt"]
        there, room = brought(mine, "ipykernel"), "notebooks"
    for path in ROOMS[room]:
        for module in imported(path):
            top = module.partition(".")[0]
            # what is not installed at all fails where it is imported
            of = {canonicalize_name(name) for name in belongs.get(top, ())}
            if of and top not in OURS | sys.stdlib_module_names:
                assert of & there, f"{path}: {module} is of {of}: list it"


def test_what_a_reader_runs_is_in_the_list_for_readers():
    there = brought([ROOT / "requirements.txt"])
    scripts = entry_points(group="console_scripts")
    makefile = (ROOT / "Makefile").read_text("utf-8")
    reading = makefile.partition("##@ To teach")[0]
    for command in re.findall(r"\$\(BIN\)/([a-z]\S+)(?: (\w+))?", reading):
        for name in (command[0], "-".join(command)):
            if name in scripts.names:
                of = canonicalize_name(scripts[name].dist.name)
                assert of in there, f"make runs {name}, of {of}: list it"
