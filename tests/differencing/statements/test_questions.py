from pathlib import Path

import pytest

from posediff.differencing.grammar.measures import Names, measure
from posediff.differencing.statements.questions import Side, Taxonomy
from tests.differencing.bodies import body, standing


def rule(text: str):
    return measure(text, Names(roles=("side",)))


def taxonomy(*sides: Side) -> Taxonomy:
    return Taxonomy("lunge", "Lunge", (), "", sides, (), (), Path("lunge.yaml"))


LUNGE = taxonomy(
    Side("rear", None, "back"), Side("back", None, "front"), Side("front", rule("max(forward(side_ankle))"))
)


@pytest.mark.parametrize(
    ("joint", "front", "back"), [("left_ankle", "left", "right"), ("right_ankle", "right", "left")]
)
def test_the_side_with_the_larger_value_has_the_role_and_the_other_side_its_opposite(joint, front, back):
    stepping = standing(**{joint: (0.1, -1.4, 0.8)})
    assert LUNGE.sides_of(stepping) == {"rear": front, "back": back, "front": front}


def test_both_feet_alike_are_told_apart_all_the_same():
    assert LUNGE.sides_of(standing()) == {"rear": "left", "back": "right", "front": "left"}


def test_a_role_that_cannot_be_measured_is_left_out():
    lead = Side("lead", rule("max(height(side_wrist))"))
    both = taxonomy(*LUNGE.sides, lead)
    hands = body({"left_wrist": (0.3, 0.2, 0.0), "right_wrist": (-0.3, 0.4, 0.0)})
    assert both.sides_of(hands) == {"lead": "right"}
