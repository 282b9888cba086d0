import pytest
from hypothesis import given
from hypothesis import strategies as st

from posediff.differencing.statements.wording import OPPOSITES, opposite, short_name


@pytest.mark.parametrize(
    ("statement", "turned"),
    [
        ("the squat is deeper", "the squat is shallower"),
        ("the elbow is bent more", "the elbow is bent less"),
        ("the eyes look further down", "the eyes look less far down"),
        ("The lower back bends more", "The lower back bends less"),
        ("the left knee gets straighter", "the left knee gets more bent"),
        ("it takes longer to stand up", "it takes shorter to stand up"),
    ],
)
def test_the_opposite_of_one_comparative_is_said(statement, turned):
    assert opposite(statement) == turned


@pytest.mark.parametrize(
    "statement", ["the arms swing", "it swings faster and ends later", "the knees are wider and lower", ""]
)
def test_what_has_no_clear_opposite_has_none(statement):
    assert opposite(statement) is None


@pytest.mark.parametrize("word", [word for word, other in OPPOSITES.items() if OPPOSITES.get(other) == word])
def test_the_opposite_of_the_opposite_is_the_statement(word):
    assert opposite(opposite(f"it is {word}")) == f"it is {word}"


def test_a_name_is_short_plain_and_new():
    assert short_name("The squat is deeper!") == "squat_is_deeper"
    assert short_name("The squat is deeper", {"squat_is_deeper", "squat_is_deeper_2"}) == "squat_is_deeper_3"


@given(st.text(), st.sets(st.sampled_from(["difference", "a", "b"])))
def test_any_text_has_a_name(text, taken):
    name = short_name(text, taken)
    assert name.strip("abcdefghijklmnopqrstuvwxyz0123456789_") == ""
    assert name
    assert name not in taken
