"""The teacher's page."""

import ast
import builtins
import re

from bs4 import BeautifulSoup

from conftest import CHAPTERS, ROOT
from runner import cells


def test_what_was_measured_is_of_these_chapters():
    measured = (ROOT / "book" / "measured.md").read_text(encoding="utf-8")
    minutes = r"(\d+) minutes to read, (\d+) for the exercises, (\d+) to teach"
    for path in CHAPTERS:
        title = cells(path)[0].source
        name = title.splitlines()[0].removeprefix("# ")
        told = " | ".join(re.search(minutes, title).groups())
        assert f"| {int(path.stem[:2])}. {name} | {told} | " in measured
    for learners in (1, 10, 40):
        assert re.search(rf"^\| {learners} \| \d+ \|", measured, re.M)
    for learners in (10, 40, 200):
        row = rf"^\| {learners} \| \d+\sGB \| \d+ \|$"
        assert re.search(row, measured, re.M)


def names(code, context):
    """Return the names that Python code loads, or those that it makes."""
    tree = ast.parse(code)
    found = {
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, context)
    }
    if context is ast.Store:
        for node in ast.walk(tree):
            named = ast.FunctionDef | ast.ClassDef | ast.ExceptHandler
            if isinstance(node, named):
                found.add(node.name)
            if isinstance(node, ast.arg):
                found.add(node.arg)
            if isinstance(node, ast.alias):
                found.add((node.asname or node.name).partition(".")[0])
    return found


def made_up_to(path, heading):
    """Return the names that a chapter has made by the end of a section."""
    made, inside = set(dir(builtins)), False
    for cell in cells(path):
        headings = re.findall("^## (.+)", cell.source, re.M)
        if inside and headings:
            return made
        inside = inside or heading in headings
        if cell.cell_type == "code":
            made |= names(cell.source, ast.Store)
    raise LookupError(f"{path.stem} has no section called {heading}")


def test_a_plan_adds_up_and_prepares_its_exercises():
    page = (ROOT / "book" / "teaching.md").read_text(encoding="utf-8")
    plans = re.findall(r"(?:^\| \d+ \|.*\n)+", page, re.M)[:2]
    for plan, length in zip(plans, (90, 240), strict=True):
        rows = re.findall(r"^\| (\d+) \| (.*?) \|", plan, re.M)
        assert sum(int(minutes) for minutes, _ in rows) == length
        made = {}
        for _, where in rows:
            if found := re.search(r"chapter (\d)\b.*\*(.+)\*", where):
                path = CHAPTERS[int(found[1]) - 1]
                made[found[1]] = made_up_to(path, found[2])
            for chapter, exercise in re.findall(r"(\d)\.(\d)", where):
                path = CHAPTERS[int(chapter) - 1]
                solution = cells(path, tag="solution")[int(exercise) - 1]
                own = names(solution.source, ast.Store)
                needed = names(solution.source, ast.Load) - own
                missing = needed - made[chapter]
                assert not missing, f"exercise {chapter}.{exercise}: {missing}"


def test_the_page_has_the_notes_and_the_chapters_have_not(built):
    page = BeautifulSoup(
        (built / "book/teaching.html").read_text(), "html.parser"
    )
    text = " ".join(page.get_text().split())
    for path in CHAPTERS:
        html = (built / "notebooks" / f"{path.stem}.html").read_text()
        assert "For the teacher" not in html
        notes = cells(path, tag="teacher")
        assert len(notes) >= 3
        for note in notes:
            assert note.source.startswith("**For the teacher.**\n\n- ")
            for point in note.source.split("\n- ")[1:]:
                longest = max(re.split(r"[*`$]", point), key=len)
                words = " ".join(longest.split())[:40]
                assert len(words) >= 20
                assert words in text
                assert words not in html
