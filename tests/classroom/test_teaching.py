"""The teacher's page."""

import functools
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


def sections(path):
    """Return the heading of each section of a chapter."""
    text = "\n".join(cell.source for cell in cells(path, "markdown"))
    return re.findall("^##? (.+)", text, re.M)


@functools.cache
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


def test_a_plan_adds_up_and_shows_the_slides_of_its_sections(made):
    for plan, length in zip(plans(), (90, 240), strict=True):
        assert sum(int(minutes) for minutes, *_ in plan) == length
        done = {}  # how many sections of each chapter
        for _, slides, where, what in plan:
            if not slides:
                assert not re.match(r"\[?chapter \d|exercise", where), where
                continue
            row = re.fullmatch("(\\d+): (\\d+)(?:\N{EN DASH}(\\d+))?", slides)
            chapter, first, last = row.groups()
            first, last = int(first), int(last or first)
            path = CHAPTERS[int(chapter) - 1]
            shown = headings(made, path)[first - 1 : last]
            for slide in re.findall(r"[Ss]lide (\d+)", what):
                assert first <= int(slide) <= last, what
            assert {*re.findall(r"(\d)\.\d", where)} <= {chapter}, where
            if where.startswith("exercise"):
                assert {*shown} == {"Your turn"}, (slides, shown)
                continue
            assert re.search(r"chapter (\d)", where)[1] == chapter
            titles = sections(path)
            begin = done.get(chapter, 0)
            end = re.search(r"\*(.+)\*", where)[1]
            done[chapter] = titles.index(end) + 1
            covered = titles[begin : done[chapter]]
            wanted = [h for h in headings(made, path) if h in covered]
            assert shown == wanted, (slides, shown, wanted)


def quiz(number):
    """Return the questions of a quiz, each with its answer."""
    page = (ROOT / "book" / "quiz.md").read_text("utf-8")
    part = re.split("^## ", page, flags=re.M)[number]
    lists = part.split("<details")
    asked, answered = (re.findall(r"^\d\. (.+)", p, re.M) for p in lists)
    assert len(asked) >= 5
    return list(zip(asked, answered, strict=True))


def numbers(text):
    """Return the numbers in a text."""
    return [float(n) for n in re.findall(r"-?\d+(?:\.\d+)?", text)]


def test_the_answers_of_the_quiz_hold():
    """What can be computed from the questions, as they stand on the page."""
    slope, step, matrix, factors, shapes = quiz(1)

    formula = re.search(r"f\(a, b\) = ([^$]+)", slope[0])[1]
    formula = re.sub(r"(\d)([ab])", r"\1*\2", formula).replace("^", "**")
    at = dict(re.findall(r"\$([ab]) = (-?\d+)\$", slope[0]))
    a, b = (torch.tensor(float(at[n]), requires_grad=True) for n in "ab")
    eval(formula, {"a": a, "b": b}).backward()
    assert numbers(slope[1])[-1] == b.grad
    assert step[1].startswith("Larger" if b.grad < 0 else "Smaller")

    pairs = np.reshape(numbers(matrix[0]), (-1, 2))
    M, vectors = pairs[:2], pairs[2:]
    found = [v for v in vectors if not np.linalg.det([M @ v, v])]
    found = [x for v in found for x in (*v, (M @ v)[0] / v[0])]
    assert numbers(matrix[1].partition(":")[0]) == found

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

    question, answer = quiz(2)[1]
    start, call, result = re.findall("`(.+?)`", question)
    made = {"torch": torch}
    exec(f"{start}\n{call}\n{call}", made)
    assert numbers(answer)[0] == eval(result, made)


def test_the_room_is_looked_at(monkeypatch):
    with socket.create_server(("", 0)) as other:
        port = other.getsockname()[1]
        for asked in (port, port - 1, port - 2):
            ready, told = room.network(asked)
            assert not ready
            assert "is taken" in told
    for address, wanted, words in (
        ("192.0.2.7", True, f"http://192.0.2.7:{port};"),
        ("127.0.0.1", False, "in no network"),
        ("a-laptop", False, "in no network"),
    ):
        monkeypatch.setattr(room, "address", lambda found=address: found)
        ready, told = room.network(port)
        assert ready is wanted
        assert words in told

    measured = "One learner more takes 0.30 GB, or 1.50 GB with"
    for free, wanted, words in (
        (7.9, False, "20 learners take 8, or 32 if"),
        (8.1, True, "Shut Down All"),
        (32.1, True, "half a day open"),
    ):
        ready, told = room.memory(20, free, measured)
        assert ready is wanted
        assert words in told
    assert "Shut Down" not in told
    measured = (ROOT / "book" / "measured.md").read_text("utf-8")
    assert [room.memory(20, free, measured)[0] for free in (2, 999)] == [0, 1]
    assert room.disk(20, 20.0)[0]
    assert not room.disk(20, 19.9)[0]
    monkeypatch.setenv("PATH", "")
    ready, told = room.grading()
    assert not ready
    assert "apt install bubblewrap" in told


def test_accounts_that_lack_something_are_not_ready(monkeypatch):
    accounts = pytest.importorskip("accounts", reason=NO_HUB)
    for user, lacks in (1000, {}), (0, {}), (0, {"memory": "no groups"}):
        monkeypatch.setattr("os.geteuid", lambda user=user: user)
        monkeypatch.setattr(
            accounts.Homes,
            "prepare",
            lambda homes, lacks=lacks: homes.missing.update(lacks),
        )
        ready, told = room.accounts()
        assert ready == (user == 0 and not lacks)
        assert all(why in told for why in lacks.values())


@pytest.mark.long
def test_make_room_looks_at_this_machine():
    pytest.importorskip("jupyterhub", reason=NO_HUB)
    with socket.create_server(("", 0)) as other:
        done = make(ROOT, "room", N="1", HUB_PORT=str(other.getsockname()[1]))
    names = "copies network accounts memory disk grading".split()
    assert re.findall(r"^(?:ok|no) +(\w+) +\w", done.stdout, re.M) == names
    assert re.search("^no +network", done.stdout, re.M)
    assert done.returncode != 0
    done = make(ROOT, "room", N="many")
    assert "N: expected how many learners will come, got 'many'" in done.stdout


@pytest.mark.skipif(os.name != "posix", reason="needs a shell")
def test_a_cluster_lays_the_chapters_out_and_lets_learners_in(made, tmp_path):
    """The hook of z2jh-values.yaml, on what Dockerfile puts into the image."""
    image = (ROOT / "classroom" / "Dockerfile").read_text("utf-8")
    values = (ROOT / "classroom" / "z2jh-values.yaml").read_text("utf-8")
    server = yaml.safe_load(values)["singleuser"]
    command = server["lifecycleHooks"]["postStart"]["exec"]["command"]
    home, book = tmp_path / "home", tmp_path / "book"
    book.symlink_to(ROOT)  # whatever its folder is called
    for ours, there in re.findall("^COPY (.+) (/srv/.+)", image, re.M):
        command = [part.replace(there, f"{book}/{ours}") for part in command]
    there = server["storage"]["homeMountPath"]
    command = [part.replace(there, str(home)) for part in command]
    (tmp_path / "python").symlink_to(sys.executable)
    path = os.pathsep.join([str(tmp_path), os.defpath])  # without gitpuller
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
        notes = [note.source for note in cells(path, tag="teacher")]
        assert len(notes) >= 3
        for note in notes:
            start, *points = note.split("\n- ")
            assert start == "**For the teacher.**\n"
            for point in points:
                longest = max(re.split(r"[*`$]", point), key=len)
                words = " ".join(longest.split())[:40]
                assert len(words) >= 20
                assert words in text
                assert words not in html
