import pytest

from posediff.differencing.grammar.expressions import parse
from posediff.differencing.grammar.places import between, place_of


@pytest.mark.parametrize(
    ("text", "place"),
    [("lowest", ("lowest", "lowest")), ("down..up", ("down", "up")), ("all", ("first", "last"))],
)
def test_a_place_reaches_from_one_key_point_to_another(text, place):
    assert place_of(parse(text)) == place


def test_no_place_is_the_whole_performance():
    assert place_of(None) == ("first", "last")


def test_places_in_words():
    assert between(("release", "release")) == "at release"
    assert between(("release", "last")) == "between release and last"
