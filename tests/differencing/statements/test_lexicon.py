import pytest

from posediff.differencing.grammar.measures import Names, measure
from posediff.differencing.statements import lexicon
from posediff.differencing.statements.queries import question

ROWS = [(row, part) for row in lexicon.MEANINGS for part in row.tracks if row.statistic != "duration"]


@pytest.mark.parametrize(("row", "part"), ROWS, ids=lambda value: getattr(value, "says", value))
def test_every_meaning_is_a_measure_for_every_side(row, part):
    track = row.tracks[part]
    for side in ("", "left_", "right_", "front_") if "{side}" in track else ("",):
        for term in track.split(" + "):
            found = measure(f"{row.statistic}({term.format(side=side)})", Names(roles=("front",)))
            assert found.unit in ("deg", "torso", "torso/s", "1")


def test_meanings_are_made_of_properties_and_every_property_has_one():
    said = {word for row in lexicon.MEANINGS for word in row.says.split()}
    assert said == {*lexicon.PROPERTIES.values(), *lexicon.COMPARATIVES.values()}
    assert all(row.says.split() == sorted(row.says.split()) for row in lexicon.MEANINGS)
    parts = {part for row in lexicon.MEANINGS for part in row.tracks}
    assert parts == {*lexicon.PARTS.values(), "movement"}


def test_a_word_has_one_meaning():
    groups = [lexicon.PARTS, lexicon.PROPERTIES, lexicon.COMPARATIVES, lexicon.DEGREES, lexicon.TIMES, lexicon.FILLERS]
    groups += [lexicon.NEGATIONS, lexicon.JOINING, lexicon.PHASES, lexicon.DISTANCES, lexicon.PREPOSITIONS]
    words = [word for group in groups for word in group]
    assert sorted(words) == sorted(set(words))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("the knees are straighter", "the knees are less straight"),
        ("the hands are wider apart", "the hands are closer together"),
        ("the hands are faster", "the hands are slower"),
        ("the movement is smoother", "the movement is shakier"),
    ],
)
def test_opposites_ask_for_the_same_measure_the_other_way(one, other):
    first, second = question(one), question(other)
    assert (first.measure, first.sign) == (second.measure, -second.sign)


@pytest.mark.parametrize("example", lexicon.EXAMPLES)
def test_every_example_of_a_hint_is_understood(example):
    assert question(example).measure is not None
