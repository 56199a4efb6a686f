"""The teacher's page."""

import ast
import builtins
import inspect
import re
import socket
import types

import numpy as np
import pytest
import torch
import yaml
from bs4 import BeautifulSoup

import room
import sinefit
from conftest import CHAPTERS, NO_HUB, ROOT, make
from runner import cells

SLIDES = ".slides > section"
ROW = r"^\| (\d+) \|(?: (.*?))? \| (.*?) \|(?: (.*))? \|$"
HALF_DAY = "1, 2, 3, 5, 6, 7, left open"


def test_what_was_measured_is_of_these_chapters():
    measured = (ROOT / "book" / "measured.md").read_text(encoding="utf-8")
    minutes = r"(\d+) minutes to read, (\d+) for the exercises, (\d+) to teach"
    for path in CHAPTERS:
        title = cells(path)[0].source
        name = title.splitlines()[0].removeprefix("# ")
        told = " | ".join(re.search(minutes, title).groups())
        assert f"| {int(path.stem[:2])}. {name} | {told} | " in measured
    for learners, ran in ((1, "3"), (10, "3"), (40, "3"), (10, HALF_DAY)):
        row = rf"^\| {learners} \| {ran} \|.*\| none \|$"
        assert re.search(row, measured, re.M), (learners, ran)
    for learners in (10, 40, 200, 500):
        row = rf"^\| {learners} \| \d+\sGB \| \d+\sGB \| \d+ \|$"
        assert re.search(row, measured, re.M), learners


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


def test_the_answers_of_the_quiz_hold():
    page = (ROOT / "book" / "quiz.md").read_text("utf-8")
    folded = re.findall(r"Answers\n(.+?):::", page, re.S)
    before, after = (re.findall(r"^\d\. (.+)", a, re.M) for a in folded)
    assert len(before) == len(after) >= 5
    for words in (  # what the answers below are to
        "f(a, b) = (a + 2b - 3)^2",
        "at $a = 1$, $b = 0$",
        "the rows $(2, 1)$ and $(1, 2)$",
        "`k` the shape `(4, 1)`",
        "each of the 2000 points twice, and the loss is still the sum",
        "`(w**2).backward()` twice, and nothing else",
    ):
        assert words in page, words

    a, b = (torch.tensor(v, requires_grad=True) for v in (1.0, 0.0))
    ((a + 2 * b - 3) ** 2).backward()
    assert before[0].endswith(f"= {b.grad:.0f}$.")
    assert (1 + 2 * 0.01 - 3) ** 2 < 4
    assert before[1].startswith("Larger")
    matrix = np.array([[2, 1], [1, 2]])
    assert before[2].startswith("$(1, 1)$ by 3, and $(1, -1)$ by 1")
    assert (matrix @ [1, 1] == [3, 3]).all()
    assert (matrix @ [1, -1] == [1, -1]).all()
    assert (matrix @ [1, 0] == [2, 1]).all()
    assert "$M(1, 0)$ is $(2, 1)$" in before[2]
    vanish = [f for f in (0.9, -0.5, -1.1, 1.1) if abs(f**999) < 1e-9]
    assert vanish == [0.9, -0.5]
    assert before[3].startswith("$0.9$ and $-0.5$: ")
    x, k, y = np.ones(2000), np.ones((4, 1)), np.ones((2000, 1))
    assert before[4].startswith(f"`{(x**k).shape}`; and `{(y - x).shape}`")

    x, _ = sinefit.data()
    twice = [np.linalg.eigvalsh(hessian(np.tile(x, n)))[-1] for n in (1, 2)]
    assert twice[1] / twice[0] == pytest.approx(2)
    assert re.search("halved|half", after[0])
    w = torch.tensor(3.0, requires_grad=True)
    once = [(w**2).backward() or w.grad.item() for _ in range(2)]
    assert after[1].startswith(f"{once[1]:.0f}: each call gives {once[0]:.0f}")
    shrink = 1 - 1.01 * 2 / twice[0] * np.linalg.eigvalsh(hessian(x))
    assert [factor < -1 for factor in shrink] == [False] * 3 + [True]
    assert "less than $-1$" in after[2]
    assert "smaller learning rate" in after[2]
    with pytest.raises(RuntimeError, match="a leaf Variable that requires"):
        w -= 1e-6 * w.grad
    assert "a leaf Variable that requires grad" in after[3]
    rtol = inspect.signature(sinefit.check).parameters["rtol"].default
    assert f"to {rtol:g} of each loss" in after[4]


def hessian(x):
    """Return the second derivatives of the loss of a cubic on these points."""
    powers = x ** np.arange(4)[:, None]
    return 2 * powers @ powers.T


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
    assert room.disk(20, 20.0)[0]
    assert not room.disk(20, 19.9)[0]
    monkeypatch.setenv("PATH", "")
    ready, told = room.grading()
    assert not ready
    assert "apt install bubblewrap" in told


def test_a_room_that_lacks_something_is_not_ready(monkeypatch, capsys):
    monkeypatch.setattr(room, "network", lambda port: (True, "found"))
    monkeypatch.setattr(room, "grading", lambda: (True, "apart"))
    monkeypatch.setattr(room, "accounts", lambda: (True, "apart"))
    for free, lacks in ((1, 2), (999, 0)):  # gigabytes, of memory and of disk
        memory = types.SimpleNamespace(available=free * 1e9, total=999e9)
        disk = types.SimpleNamespace(free=free * 1e9, total=999e9)
        monkeypatch.setattr("psutil.virtual_memory", lambda m=memory: m)
        monkeypatch.setattr("shutil.disk_usage", lambda _, d=disk: d)
        assert room.main(20) == lacks
        said = capsys.readouterr().out
        assert len(re.findall("^no ", said, re.M)) == lacks


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


def test_the_cluster_has_what_was_measured():
    values = (ROOT / "classroom" / "z2jh-values.yaml").read_text("utf-8")
    server = yaml.safe_load(values)["singleuser"]
    image = (ROOT / "classroom" / "Dockerfile").read_text("utf-8")
    measured = (ROOT / "book" / "measured.md").read_text("utf-8")
    sizes = re.search(r"takes ([\d.]+) GB, or ([\d.]+) GB", measured).groups()
    closed, opened = map(float, sizes)
    assert (
        f"takes {closed:.1f} GB, or {opened:.1f} with the chapters" in values
    )
    assert (
        closed * 1000 < int(server["memory"]["guarantee"].rstrip("M")) < 1000
    )
    assert opened < int(server["memory"]["limit"].rstrip("G"))
    assert "COPY _build/classroom/student /srv/student\n" in image
    assert server["defaultUrl"] == f"/lab/tree/{CHAPTERS[0].name}"
    hub = re.search(r"JupyterHub (\d+\.\d+)", image)[1]
    assert f"jupyterhub=={hub}." in image
    assert f"--uid {server['uid']} learner" in image
    assert f"USER {server['uid']}" in image
    home = server["storage"]["homeMountPath"]
    assert f"WORKDIR {home}" in image
    command = server["lifecycleHooks"]["postStart"]["exec"]["command"][-1]
    for path in re.findall(r"/srv/[\w.]+", command):
        assert path in image
    assert " copies book && copies=/tmp/book/student;" in command
    assert f"hand_out.py {home} $copies" in command
    for name, value in server["extraEnv"].items():
        assert f"{name}={value}" in image


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
