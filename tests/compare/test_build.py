import numpy as np
import pytest

from posediff.compare import Settings, compare
from posediff.compare.build import MOST, bone_tree, same_build, same_travel
from posediff.compare.prepare import prepare
from posediff.motion.synthetic import Performer, Recording, generate
from posediff.skeletons import CATALOGUE, Skeleton
from tests.fixtures.performances import perform, rearranged


def longer_legs(factor):
    """The squat by somebody whose shanks are longer; the directions of all limbs are kept."""
    one = perform()
    keypoints = one.keypoints.copy()
    for side in ("left", "right"):
        ankle, knee = one.skeleton.index(f"{side}_ankle"), one.skeleton.index(f"{side}_knee")
        keypoints[:, ankle] = keypoints[:, knee] + factor * (keypoints[:, ankle] - keypoints[:, knee])
    return rearranged(one, keypoints)


def shank(body):
    skeleton = body.sequence.skeleton
    ends = body.sequence.keypoints[:, [skeleton.index("left_ankle"), skeleton.index("left_knee")]]
    return float(np.linalg.norm(ends[:, 0] - ends[:, 1], axis=1).mean())


def test_both_bodies_get_bones_midway_between_theirs():
    bodies = [prepare(longer_legs(factor), Settings()) for factor in (1.0, 1.2)]
    made = same_build(*bodies)
    between = np.sqrt(shank(bodies[0]) * shank(bodies[1]))
    assert [shank(body) for body in made] == pytest.approx([between, between], rel=1e-3)


def test_the_directions_of_the_limbs_are_kept():
    bodies = [prepare(longer_legs(factor), Settings()) for factor in (1.0, 1.2)]
    for before, after in zip(bodies, same_build(*bodies), strict=True):
        np.testing.assert_allclose(before.limbs.values, after.limbs.values, atol=1e-5)


def test_a_bone_is_never_changed_by_more_than_a_person_may_differ():
    bodies = [prepare(longer_legs(factor), Settings()) for factor in (1.0, 3.0)]
    made = same_build(*bodies)
    assert shank(made[0]) / shank(bodies[0]) == pytest.approx(np.sqrt(MOST), rel=1e-3)


def test_equal_bodies_stay_as_they_are():
    body = prepare(perform(), Settings())
    np.testing.assert_allclose(same_build(body, body)[0].positions, body.positions, atol=1e-6)


@pytest.mark.parametrize("view", ["2d", "3d"])
def test_another_build_of_the_same_movement_is_hardly_a_difference(view):
    rng = np.random.default_rng(3)
    other = generate("squat", performer=Performer.random(rng), recording=Recording(view=view))
    found = compare(perform(view=view), other)
    assert found.differences == ()
    assert found.scores["accuracy"] > 95


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_skeleton_s_bones_are_walked_outwards_from_the_root_once(name):
    skeleton = CATALOGUE[name]
    tree = bone_tree(skeleton)
    children = [child for _, child in tree]
    reached = {skeleton.index(joint) for joint in skeleton.root}
    for parent, child in tree:
        assert parent in reached
        reached.add(child)
    assert len(children) == len(set(children))


def test_a_skeleton_without_bones_has_no_tree():
    assert bone_tree(Skeleton("dots", ("pelvis", "head"), ())) == ()


def test_a_long_way_is_shortened_for_both_alike():
    dive = prepare(perform("dive"), Settings())
    far = same_travel(dive, dive)
    ratio = far[0].path[-1, 1] / dive.path[-1, 1]
    assert ratio < 1
    np.testing.assert_allclose(far[1].path, dive.path * ratio)


def test_a_short_way_counts_in_full():
    squat = prepare(perform(), Settings())
    assert same_travel(squat, squat) == (squat, squat)
