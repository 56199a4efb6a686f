"""The checks of the exercises: each lets the solution pass, and it alone."""

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

import exercises
import kit
from conftest import NOTEBOOKS

CHAPTERS = sorted(NOTEBOOKS.glob("0*.ipynb"))
TODO = "nothing to check yet"
# An answer that learners give, and words of the sentence that it must get.
WRONG = """
1.1 | arrived = 2000 | too early
1.1 | arrived += 1 | has been there before
1.2 | best_rate = 2 / eigenvalues.max() | not 2 over the sum
1.2 | arrived = 3607 | at another step
1.3 | broken = losses | of the right gradient
1.3 | broken = 3 | expected a list of losses, got int
1.3 | broken = again | that of the book's start
2.1 | shape = (1,) | 1 axes
2.1 | kind = torch.float32 | not torch.float32
2.1 | plain = torch.Tensor | that Python has
2.2 | message = "expected 2000 losses" | another mistake
2.2 | message = len(message) | expected text, got int
2.3 | message = "Expected a float" | another error
3.1 | gradient = 1 | from one backward
3.1 | gradient = 0.5 | Which slope
3.2 | loss = losses[-1] | is not where the run ends
3.2 | loss = piled[-1] | swings without friction
3.2 | loss = losses | expected one number, got list
3.3 | message = "element 0 of tensors" | another error
4.1 | ratio = -1 | never negative
4.1 | ratio = 2 | what does P3 do
4.2 | ends = ends.flip(0) | comes first
4.2 | ends = 148.3 | of no use to the check
4.2 | ends = [float("nan"), 8.9] | another learning rate
4.3 | Spoilt = object | of no use to the check
4.3 | Spoilt = LegendrePolynomial2 | finds its backward right
4.3 | LegendrePolynomial2 = LegendrePolynomial3 | other values than P2
5.1 | numbers = 7 | What else
5.1 | degree = 8 | the highest power
5.2 | linear = torch.nn.Linear(4, 1) | a bias of its own
5.2 | loss = loss / 2000 | not the first one
5.3 | piled = losses | are zeroed at each step
5.3 | piled = losses[:2] | expected 3 losses or more
6.1 | left = 0.999**2000 | shrinks by its root
6.1 | left = 0.9 | the factor of one step
6.2 | rate = rate**0.5 | this is its root
6.2 | beta = beta**0.5 | Is it squared
6.2 | arrived += 1 | at another step
6.3 | stuck = losses | these losses move
7.1 | count = 6 | learned once
7.1 | count = 2 | not the names
7.2 | limit = limit / 2 | over the largest eigenvalue
7.2 | losses5 = losses[:] | the run ends at
7.3 | message = "ok" | another thing
"""


def wrong_answers(name):
    rows = [line.split(" | ") for line in WRONG.strip().splitlines()]
    return [row[1:] for row in rows if row[0] == name]


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_exercises_check_themselves(path, monkeypatch):
    monkeypatch.chdir(NOTEBOOKS)
    chapter, found = kit.read(path)
    shell = InteractiveShell()
    done = 0

    def see(text):
        with capture_output() as said:
            result = shell.run_cell(text, silent=True)
        error = result.error_before_exec or result.error_in_exec
        return f"{type(error).__name__}: {error}" if error else said.stdout

    for name, solution, stub in found:
        for cell in chapter.cells[done:solution]:
            if cell.cell_type == "code":
                assert "Error" not in see(cell.source)
        check = chapter.cells[solution + 1].source
        see(stub)
        assert f"NotYet: Exercise {name}: {TODO}" in see(check)
        assert wrong_answers(name)
        for answer, words in wrong_answers(name):
            see(chapter.cells[solution].source)
            assert see(answer) == ""
            told = see(check)
            assert told.startswith(f"NotYet: Exercise {name}: "), answer
            assert words in told, (answer, told)
        see(chapter.cells[solution].source)
        assert see(check) == f"Exercise {name}: right.\n"
        done = solution + 2


def test_a_learner_sees_the_sentence_alone():
    with pytest.raises(exercises.NotYet) as caught:
        exercises.check("1.1", ...)
    assert caught.value._render_traceback_() == [str(caught.value)]
    with pytest.raises(ValueError, match=r"expected one of .*'1.1'"):
        exercises.check("8.1", 1)
