"""The built-in taxonomies against generated performances whose differences are known."""

from functools import cache

import numpy as np
import pytest

from posediff.compare.prepare import prepare
from posediff.compare.settings import Settings
from posediff.differencing.grammar.measures import Unmeasurable, values
from posediff.differencing.localizing.localizer import localise
from posediff.differencing.statements.taxonomy import Question, built_in, find
from posediff.motion.synthetic import MOVEMENTS, VARIATIONS, Recording, varied
from posediff.sequence import PoseSequence

#: Movements that are not called as the action is.
NAMES = {"golf_swing": "swing", "platform_dive": "dive", "tennis_serve": "serve"}
#: Performers face +x with their left towards -z; measures want left along x and forward along z.
HEADING = np.array([[0.0, 0.0, -1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
#: Fewest differences of a taxonomy that the usual picture of the action has to show.
SEEN_IN_2D = 6
#: Largest share of a variation's effect on its own measure that it may have on another one's.
MOST_CROSS = 0.5


taxonomy_of = cache(find)


def movement(action: str) -> str:
    return NAMES.get(action, action)


def questions(action: str) -> list[Question]:
    return [question for question in taxonomy_of(action).differences if question.measure is not None]


def taken(action: str, sequence: PoseSequence) -> np.ndarray:
    """All measures of a performance, larger where the query is truer; NaN where one cannot be taken."""
    taxonomy = taxonomy_of(action)
    body = prepare(sequence, Settings())
    if sequence.dimensions == 3:
        body = body.turned(HEADING)
    sides = taxonomy.sides_of(body)
    moments = {name: one.position for name, one in localise(taxonomy.key_points, body, sides).items()}
    found = values([question.measure for question in questions(action)], body, moments, sides)
    numbers = [np.nan if isinstance(value, Unmeasurable) else value for value in found]
    return np.array(numbers) * [question.sign for question in questions(action)]


@cache
def measured(action: str, view: str, varied_by: str = "", amount: float = 0.0) -> np.ndarray:
    amounts = {varied_by: amount} if varied_by else {}
    return taken(action, varied(movement(action), amounts, recording=Recording(view=view)))


def effect(action: str, view: str, varied_by: str, amount: float) -> np.ndarray:
    return measured(action, view, varied_by, amount) - measured(action, view)


def cases():
    return [
        (action, view, place)
        for action in built_in()
        for place in range(len(questions(action)))
        for view in ("3d", "2d")
    ]


@pytest.mark.parametrize("action", built_in())
def test_a_movement_is_generated_with_the_differences_that_its_taxonomy_measures(action):
    assert {question.id for question in questions(action)} == set(VARIATIONS[movement(action)])
    assert 8 <= len(taxonomy_of(action).differences) <= 15
    assert len(questions(action)) >= 8


def test_every_movement_has_a_taxonomy():
    assert {movement(action) for action in built_in()} == set(MOVEMENTS)


@pytest.mark.parametrize("action", built_in())
def test_everything_can_be_measured_in_3d_and_most_in_the_usual_picture(action):
    assert np.isfinite(measured(action, "3d")).all()
    assert np.isfinite(measured(action, "2d")).sum() >= SEEN_IN_2D


@pytest.mark.parametrize(("action", "place"), [(action, place) for action, view, place in cases() if view == "3d"])
def test_a_planted_difference_moves_its_measure_to_its_side(action, place):
    name = questions(action)[place].id
    more, less = (effect(action, "3d", name, amount)[place] for amount in (1.0, -1.0))
    assert more > 0 > less
    assert min(more, -less) > 0.4 * max(more, -less)


@pytest.mark.parametrize(("action", "place"), [(action, place) for action, view, place in cases() if view == "2d"])
def test_a_picture_shows_a_planted_difference_about_as_large_or_not_at_all(action, place):
    name = questions(action)[place].id
    solid, flat = (effect(action, view, name, 1.0)[place] for view in ("3d", "2d"))
    assert np.isnan(flat) or solid / 2 < flat < 2 * solid


@pytest.mark.parametrize(("action", "view", "place"), cases())
def test_a_planted_difference_moves_the_other_measures_less(action, view, place):
    ids = [question.id for question in questions(action)]
    own = np.array([effect(action, view, name, 1.0)[column] for column, name in enumerate(ids)])
    share = np.abs(np.delete(effect(action, view, ids[place], 1.0) / own, place))
    assert np.nanmax(share, initial=0.0) <= MOST_CROSS


@pytest.mark.parametrize("action", [action for action in built_in() if taxonomy_of(action).sides])
def test_left_handers_are_measured_as_right_handers_are(action):
    sequence = varied(movement(action), {})
    mirrored = sequence.keypoints[:, sequence.skeleton.mirror_order] * np.float32([1, 1, -1])
    found = taken(action, sequence.replace(keypoints=mirrored))
    np.testing.assert_allclose(found, measured(action, "3d"), atol=0.02, rtol=0.01)
