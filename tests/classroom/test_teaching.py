"""The teacher's page."""

import ast
import builtins
import os
import re
import socket
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from bs4 import BeautifulSoup

import room
from conftest import CHAPTERS, NO_HUB, ROOT, make, run
from runner import cells

SLIDES = ".slides > section"
ROW = r"^\| (\d+) \|(?: (.*?))? \| (.*?) \|(?: (.*))? \|$"


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


def headings(made, path):
    """Return the heading of each slide of a chapter's deck."""
    file = made / "slides" / f"{path.stem}.slides.html"
    page = BeautifulSoup(file.read_text("utf-8"), "html.parser")
    titles = [slide.find(["h1", "h2"]) for slide in page.select(SLIDES)]
    return [title.get_text().rstrip("\N{PILCROW SIGN}") for title in titles]


def plans():
    """Return the rows of each plan: minutes, slides, where, and what to do."""
    page = (ROOT / "book" / "teaching.md").read_text(encoding="utf-8")
    found = re.findall(r"(?:^\| \d+ \|.*\n)+", page, re.M)
    return [re.findall(ROW, plan, re.M) for plan in found]


def test_a_plan_adds_up_and_prepares_its_exercises():
    for plan, length in zip(plans(), (90, 240), strict=True):
        assert sum(int(minutes) for minutes, *_ in plan) == length
        made = {}
        for _, _, where, _ in plan:
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


def test_the_slides_of_a_row_are_those_of_its_sections(made):
    for plan in plans():
        done = {}  # how many sections of each chapter
        for _, slides, where, what in plan:
            if not slides:
                assert not re.match(r"\[?chapter \d|exercise", where), where
                continue
            chapter, _, numbers = slides.partition(": ")
            path = CHAPTERS[int(chapter) - 1]
            first, _, last = numbers.partition("\N{EN DASH}")
            shown = headings(made, path)
            shown = shown[int(first) - 1 : int(last or first)]
            for slide in re.findall(r"[Ss]lide (\d+)", what):
                assert int(first) <= int(slide) <= int(last or first), what
            chapters = {*re.findall(r"(\d)\.\d", where)}
            assert chapters <= {chapter}, (slides, where)
            if where.startswith("exercise"):
                assert {*shown} == {"Your turn"}, (slides, shown)
                continue
            (end,) = re.findall(r"\*(.+)\*", where)
            assert int(re.search(r"chapter (\d)", where)[1]) == int(chapter)
            sections = [cells(path)[0].source.splitlines()[0][2:]]
            for cell in cells(path):
                sections += re.findall("^## (.+)", cell.source, re.M)
            begin = done.get(chapter, 0)
            done[chapter] = sections.index(end) + 1
            covered = sections[begin : done[chapter]]
            wanted = [h for h in headings(made, path) if h in covered]
            assert shown == wanted, (slides, shown, wanted)


def quiz(number):
    """Return the questions of a quiz, each with its answer."""
    page = (ROOT / "book" / "quiz.md").read_text("utf-8")
    part = re.split("^## ", page, flags=re.M)[number]
    lists = part.split("<details")
    asked, answered = (re.findall(r"^\d\. (.+)", p, re.M) for p in lists)
    assert len(asked) == len(answered) >= 5
    return list(zip(asked, answered, strict=True))


def numbers(text):
    """Return the numbers in a text."""
    return [float(n) for n in re.findall(r"-?\d+(?:\.\d+)?", text)]


def test_the_answers_of_the_quiz_hold():
    """What can be computed from the questions, as they stand on the page."""
    slope, step, matrix, factors, shapes = quiz(1)

    formula = re.search(r"f\(a, b\) = ([^$]+)", slope[0])[1]
    formula = re.sub(r"(\d)([ab])", r"\1*\2", formula).replace("^", "**")
    at = {
        name: torch.tensor(float(value), requires_grad=True)
        for name, value in re.findall(r"\$([ab]) = (-?\d+)\$", slope[0])
    }
    eval(formula, {}, at).backward()
    assert numbers(slope[1])[-1] == at["b"].grad
    assert ("arger" in step[1]) == bool(at["b"].grad < 0)

    pairs = np.reshape(numbers(matrix[0]), (-1, 2))
    M, vectors = pairs[:2], pairs[2:]
    found = re.findall(r"\$\((\S+), (\S+)\)\$ by (\S+?)\b", matrix[1])
    found = np.array(found, dtype=float)
    for *v, factor in found:
        assert (M @ v == factor * np.array(v)).all()
    rest = [v for v in vectors.tolist() if v not in found[:, :2].tolist()]
    assert all(np.linalg.det([M @ v, v]) for v in rest)
    assert len(found) + len(rest) == len(vectors)

    tried = [n for n in numbers(factors[0]) if abs(n**999) < 1e-9]
    assert numbers(factors[1].partition(":")[0]) == tried

    known, wanted = {}, []
    spans = re.findall("`(.+?)`", shapes[0])
    for code, after in zip(spans, [*spans[1:], ""], strict=True):
        if after.startswith("("):
            known[code] = np.ones(eval(after))
        elif not code.startswith("("):
            wanted.append(str(eval(code, {}, known).shape))
    assert re.findall(r"`(\(.+?\))`", shapes[1]) == wanted

    twice = quiz(2)[1]
    make, call, result = re.findall("`(.+?)`", twice[0])
    made = {"torch": torch}
    for line in (make, call, call):
        exec(line, made)
    assert numbers(twice[1])[0] == eval(result, made)


def test_the_room_is_looked_at(monkeypatch):
    with socket.socket() as other:
        other.bind(("", 0))
        other.listen()
        port = other.getsockname()[1]
        ready, told = room.network(port)
        assert not ready
        assert f"port {port} is taken" in told
        monkeypatch.setattr(room, "BEHIND", (port,))
        assert f"port {port} is taken" in room.network(port + 1)[1]
        monkeypatch.undo()
    ready, told = room.network(8001)
    assert not ready
    assert "HUB_PORT=8010" in told
    monkeypatch.setattr(room, "address", lambda: "192.0.2.7")
    ready, told = room.network(port)
    assert ready
    assert f"http://192.0.2.7:{port};" in told
    for lost in ("127.0.0.1", "a-laptop"):
        monkeypatch.setattr(room, "address", lambda lost=lost: lost)
        assert room.network(port)[0] is False

    measured = "One learner more takes 0.30 GB, or 1.50 GB with"
    for free, ready, words in (
        (7.9, False, "20 learners take 8, or 32 if"),
        (8.1, True, "Shut Down All"),
        (32.1, True, "half a day open"),
    ):
        found = room.memory(20, free, measured)
        assert found[0] is ready
        assert words in found[1]
    assert "Shut Down" not in found[1]
    measured = (ROOT / "book" / "measured.md").read_text("utf-8")
    assert [room.memory(20, free, measured)[0] for free in (2, 999)] == [0, 1]
    assert room.disk(20, 20.0)[0]
    assert not room.disk(20, 19.9)[0]
    monkeypatch.setenv("PATH", "")
    ready, told = room.grading()
    assert not ready
    assert "apt install bubblewrap" in told


def test_accounts_that_lack_something_are_not_ready(monkeypatch):
    pytest.importorskip("jupyterhub", reason=NO_HUB)
    monkeypatch.setattr("os.geteuid", lambda: 1000, raising=False)
    assert room.accounts()[0] is False
    monkeypatch.setattr("os.geteuid", lambda: 0, raising=False)
    for lacks in ({}, {"memory": "no control groups"}):
        monkeypatch.setattr(
            "accounts.Homes.prepare",
            lambda homes, lacks=lacks: homes.missing.update(lacks),
        )
        ready, told = room.accounts()
        assert ready == (not lacks)
        assert all(why in told for why in lacks.values())


@pytest.mark.long
def test_make_room_looks_at_this_machine(monkeypatch):
    pytest.importorskip("jupyterhub", reason=NO_HUB)
    monkeypatch.setenv("N", "1")
    said = make(ROOT, "room").stdout
    names = "copies network accounts memory disk grading".split()
    assert re.findall(r"^(?:ok|no) +(\w+) +\w", said, re.M) == names
    monkeypatch.setenv("N", "many")
    done = make(ROOT, "room")
    assert done.returncode != 0
    assert "N: expected how many learners will come, got 'many'" in done.stdout
    with socket.socket() as other:
        other.bind(("", 0))
        other.listen()
        monkeypatch.setenv("N", "1")
        monkeypatch.setenv("HUB_PORT", str(other.getsockname()[1]))
        done = make(ROOT, "room")
        assert done.returncode != 0
        assert re.search("^no +network", done.stdout, re.M)


@pytest.mark.skipif(os.name != "posix", reason="needs a shell")
def test_a_cluster_lays_the_chapters_out_and_lets_learners_in(made, tmp_path):
    """The hook of z2jh-values.yaml, on what Dockerfile puts into the image."""
    image = (ROOT / "classroom" / "Dockerfile").read_text("utf-8")
    values = (ROOT / "classroom" / "z2jh-values.yaml").read_text("utf-8")
    server = yaml.safe_load(values)["singleuser"]
    command = server["lifecycleHooks"]["postStart"]["exec"]["command"]
    home = tmp_path / "home"
    for ours, there in re.findall("^COPY (.+) (/srv/.+)", image, re.M):
        command = [part.replace(there, str(ROOT / ours)) for part in command]
    there = server["storage"]["homeMountPath"]
    command = [part.replace(there, str(home)) for part in command]
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "python").symlink_to(sys.executable)
    path = os.pathsep.join([str(tools), os.defpath])  # without gitpuller
    done = run(command, tmp_path, PATH=path)
    assert done.returncode == 0, done.stdout
    first = home / Path(server["defaultUrl"]).name
    assert "TODO 1.1" in first.read_text("utf-8"), done.stdout
    first.unlink()
    full = ["bash", "-c", 'ulimit -f 1; exec "$@"', "bash", *command]
    done = run(full, tmp_path, PATH=path)
    assert "with room" in done.stdout
    assert done.returncode == 0, "a full home would keep its learner out"


def test_the_page_has_the_notes_and_the_chapters_have_not(built):
    page = BeautifulSoup(
        (built / "book/teaching.html").read_text(), "html.parser"
    )
    text = " ".join(page.get_text().split())
    for path in CHAPTERS:
        html = (built / "notebooks" / f"{path.stem}.html").read_text()
        assert "For the teacher" not in html
        first = cells(path)[0].source
        minutes = re.search(r"\*\*Time\*\* (.+)", first)[1]
        assert f"{first.splitlines()[0][2:]}: {minutes}" in text
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
