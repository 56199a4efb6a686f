"""What a learner sees of a check. Right and wrong answers: tests/chapters."""

import pytest

import exercises


def test_a_learner_sees_the_sentence_alone():
    with pytest.raises(exercises.NotYet) as caught:
        exercises.check("1.1", ...)
    assert caught.value._render_traceback_() == [str(caught.value)]
    with pytest.raises(ValueError, match=r"expected one of .*'1.1'"):
        exercises.check("0.1", 1)
