import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posediff.annotate.estimators.memory import FORGET, NEW, distance, following, forgetting, trunk_length, wrapped
from posediff.skeletons import COCO17, Skeleton
from tests.annotate.estimators.actors import body, box_around

SURE_SCORES = np.ones(17)


def follow(poses):
    memory = NEW
    for pose in poses:
        memory = following(memory, pose, SURE_SCORES, 0.9, COCO17)
    return memory


def test_a_body_that_turns_and_moves_evenly_is_expected_where_it_goes():
    memory = follow([body(25.0 * frame, (100 + 6.0 * frame, 100)) for frame in range(30)])
    assert wrapped(memory.expected - 25 * 30) == pytest.approx(0, abs=0.5)
    assert memory.spin == pytest.approx(25, abs=0.5)
    assert distance(body(25.0 * 30, (500, 10)), box_around(body(0)), memory) < 0.01


def test_the_velocity_is_that_of_the_box():
    memory = follow([body(0, (100 + 6.0 * frame, 100 - 2.0 * frame)) for frame in range(3)])
    np.testing.assert_allclose(memory.velocity, [6, -2], atol=1e-5)


def test_a_frame_without_a_pose_turns_the_body_on_and_the_pose_with_it():
    memory = forgetting(forgetting(follow([body(10.0 * frame) for frame in range(40)])))
    assert memory.age == 2
    assert wrapped(memory.expected - 420) == pytest.approx(0, abs=6)
    assert distance(body(420.0), box_around(body(0)), memory) < 0.05


def test_a_pose_that_is_too_old_is_no_longer_expected_from():
    memory = follow([body(90)])
    for _ in range(FORGET):
        memory = forgetting(memory)
    assert not memory.known
    assert memory.expected == 0


def test_the_opposite_direction_is_far_and_the_same_pose_is_near():
    memory = follow([body(0)])
    box = box_around(body(0))
    assert distance(body(0), box, memory) == pytest.approx(0, abs=1e-6)
    assert distance(body(180), box, memory) > 0.4
    assert distance(np.full((17, 2), np.nan), box, memory) == float("inf")


def test_the_trunk_is_remembered_as_long_as_it_looked_when_seen_from_the_side():
    memory = follow([body(scale=1.0)] * 5 + [body(scale=0.6)])
    assert 28 < memory.trunk < 30
    assert np.isnan(trunk_length(np.zeros((1, 2)), Skeleton("dot", ("dot",), ())))


def test_a_pose_without_confident_keypoints_only_makes_the_memory_older():
    memory = follow([body(0)])
    assert following(memory, body(90), np.zeros(17), 0.9, COCO17).age == 1


@given(st.floats(-1e4, 1e4))
def test_wrapped_angles_are_the_same_directions(angle):
    assert -180 <= wrapped(angle) <= 180
    assert np.cos(np.radians(wrapped(angle))) == pytest.approx(np.cos(np.radians(angle)), abs=1e-6)
