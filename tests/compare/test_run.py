import dataclasses

import numpy as np
import pytest

from posediff.compare import Settings, compare
from posediff.compare.prepare import prepare
from posediff.compare.run import best, judge, sides
from posediff.errors import BadData
from posediff.motion.normalize import mirrored
from posediff.sequence import PoseSequence
from posediff.skeletons import Skeleton
from tests.fixtures.performances import KNEE, MOVEMENTS, Tempo, numbers, perform, repeated, without


def test_both_sequences_are_given_back_as_they_were_compared():
    found = compare(perform(zoom=3.0), perform(skeleton="h36m17", fps=30.0))
    assert (found.reference.units, found.query.units) == ("normalized", "normalized")
    assert found.reference.skeleton == found.query.skeleton
    assert (found.reference.fps, found.query.fps) == (25.0, 30.0)
    assert found.query.source["steps"]


def test_the_settings_are_told_as_resolved():
    settings = Settings(segments=3, gamma=0.2)
    assert compare(perform(), perform(), settings).settings == dataclasses.asdict(settings)


@pytest.mark.parametrize(
    ("setting", "expected"), [(False, [True, False]), (True, [False, True]), ("auto", [True, True])]
)
def test_the_sides_of_the_query_that_are_tried_follow_from_the_setting(setting, expected):
    assert [side is not None for side in sides(perform(), Settings(mirror=setting))] == expected


@pytest.mark.parametrize("flip", [False, True])
def test_the_better_side_is_taken(flip):
    query = mirrored(perform("swing")) if flip else perform("swing")
    judged, flipped = best(prepare(perform("swing"), Settings()), sides(query, Settings(mirror="auto")), Settings())
    assert flipped is flip
    assert judged.score == pytest.approx(100, abs=0.01)


def test_a_query_that_fits_much_better_mirrored_is_pointed_out():
    notes = compare(perform("swing"), mirrored(perform("swing"))).notes
    assert any("--mirror" in note for note in notes)


@pytest.mark.parametrize("movement", MOVEMENTS)
def test_a_faulty_query_is_not_taken_for_a_mirrored_one(movement):
    stage = perform(movement).stages[2].name
    fault = dataclasses.replace(KNEE, stage=stage, amount=40.0)
    assert not any("--mirror" in note for note in compare(perform(movement), perform(movement, fault=fault)).notes)


def test_the_score_is_that_of_the_aligned_bodies():
    settings = Settings()
    bodies = [prepare(one, settings) for one in (perform(), perform(fault=KNEE))]
    assert compare(perform(), perform(fault=KNEE)).score == judge(*bodies, settings).score


@pytest.mark.parametrize(
    "pair",
    [
        ("coco17", "mpii16"),
        ("mpii16", "coco17"),
        ("kinect22", "h36m17"),
        ("h36m17", "kinect22"),
        ("blazepose33", "body25"),
    ],
)
def test_different_skeletons_are_compared_by_the_joints_that_they_share(pair):
    found = compare(*(perform(skeleton=name) for name in pair))
    assert found.scores["accuracy"] > 99
    assert found.differences == ()
    assert any("was converted to" in note for note in found.notes)


def test_two_that_never_show_the_same_joint_at_once_are_refused():
    early, late = without(perform(), frames=slice(30, None)), without(perform(), frames=slice(0, 70))
    with pytest.raises(BadData, match="same joint at the same moment") as error:
        compare(early, late, Settings(band=0.0))
    assert error.value.hint


def test_five_thousand_frames_are_compared_from_coarse_to_fine_and_it_says_so():
    pair = [repeated(perform("swing", view="2d", fps=50.0), 5000, noise=0.5, seed=seed) for seed in (1, 2)]
    found = compare(*pair)
    assert any("coarse to fine" in note and "5000" in note for note in found.notes)
    assert found.scores["accuracy"] > 99
    assert found.differences == ()
    assert np.isfinite(numbers(found)).all()


def test_a_rhythm_that_the_band_does_not_allow_is_pointed_out():
    late = perform(tempo=Tempo(descent=3.0))
    held, free = (compare(perform(), late, Settings(band=band)).notes for band in (0.05, 0.4))
    assert any("as much as the alignment allows, 5%" in note for note in held)
    assert not any("alignment allows" in note for note in free)


def test_a_skeleton_without_any_known_angle_is_pointed_out():
    arm = Skeleton("arm", ("pelvis", "neck", "grip"), (("pelvis", "neck"), ("neck", "grip")))
    keypoints = np.random.default_rng(0).normal(size=(30, 3, 3)).cumsum(axis=0) * 0.01 + np.arange(3)[:, None]
    notes = compare(PoseSequence(keypoints, arm), PoseSequence(keypoints, arm)).notes
    assert any("No angle is known" in note for note in notes)
