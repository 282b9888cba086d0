import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from posediff.annotate.finish.quality import FAR, Check, box_jumps, quality, to_check
from posediff.motion.gaps import fill_gaps
from posediff.sequence import PoseSequence, Status
from posediff.skeletons import MPII16
from tests.fixtures.sequences import standing, straight_line, with_missing, with_noise


def body(frames: int = 100, **attributes) -> PoseSequence:
    """A person who stands still, the torso 100 px long."""
    still = standing(frames=frames, dimensions=2, **attributes)
    return still.replace(keypoints=still.keypoints * 100 + 300)


def boxes(xs, size: float = 100.0) -> np.ndarray:
    """Square boxes whose left sides are at x."""
    xs = np.asarray(xs, float)
    return np.stack([xs, np.zeros(len(xs)), xs + size, np.full(len(xs), size)], axis=1)


def test_shares_of_frames_joints_and_keypoints_are_counted():
    gappy = with_missing(with_missing(body(), range(20, 30)), range(50, 55), ["left_knee"])
    found = quality(fill_gaps(gappy, max_gap=0.2), total=200)
    assert found.coverage == pytest.approx(90 / 200)
    assert found.joints["left_knee"] == pytest.approx(85 / 100)
    assert found.joints["right_knee"] == pytest.approx(90 / 100)
    assert found.interpolated == pytest.approx(5 / (90 * 16))
    assert (found.longest_gap_frames, found.longest_gap) == (10, pytest.approx(0.4))


def test_frame_numbers_without_a_row_count_as_missing():
    sparse = body(frames=10).select(np.array([0, 1, 2, 8, 9]))
    found = quality(sparse)
    assert (found.frames, found.coverage, found.longest_gap_frames) == (10, 0.5, 5)


def test_confidence_is_that_of_measured_keypoints():
    scores = np.tile(np.where(np.arange(10) % 2, 0.4, 0.8)[:, None], 16)
    filled = fill_gaps(with_missing(body(frames=10, scores=scores), [3, 4]))
    assert quality(filled).confidence == pytest.approx((4 * 0.4 + 4 * 0.8) / 8)


@pytest.mark.parametrize("deviation", [0.5, 4.0])
def test_jitter_is_the_noise_that_was_planted_in_the_raw_keypoints(deviation):
    raw = with_noise(body(frames=2000), deviation)
    found = quality(body(frames=2000), raw=raw)
    assert found.jitter == pytest.approx(deviation, rel=0.05)
    assert found.jitter_torso == pytest.approx(deviation / 100, rel=0.05)


def test_bone_variation_is_that_of_the_lengths():
    grown = body(frames=2)
    keypoints = grown.keypoints.copy()
    pelvis, thorax = MPII16.index("pelvis"), MPII16.index("thorax")
    keypoints[1, thorax] = keypoints[1, pelvis] + [0, -150]
    found = quality(grown.replace(keypoints=keypoints))
    assert found.bones["pelvis-thorax"] == pytest.approx(25 / 125)
    assert found.bones["right_hip-right_knee"] == pytest.approx(0, abs=1e-6)


def test_a_box_that_jumps_is_found_at_its_frame_and_a_runner_is_not():
    running = np.arange(50) * 30.0
    assert quality(body(50, boxes=boxes(running))).jumps == ()
    elsewhere = running + np.where(np.arange(50) < 20, 0, 400)
    assert quality(body(50, boxes=boxes(elsewhere))).jumps == (20,)


def test_who_is_always_that_fast_does_not_jump():
    assert quality(body(20, boxes=boxes(np.arange(20) * 120.0))).jumps == ()


def test_who_comes_nearer_while_not_seen_does_not_jump():
    nearer = np.concatenate([boxes([0] * 10), np.full((10, 4), np.nan), boxes([-75] * 10, 250)])
    assert quality(with_missing(body(30, boxes=nearer), range(10, 20))).jumps == ()


def test_a_box_of_twice_the_size_is_a_jump():
    grown = np.where(np.arange(20)[:, None] < 12, boxes([0] * 20), boxes([-90] * 20, 280))
    assert quality(body(20, boxes=grown)).jumps == (12,)


def test_a_person_who_comes_back_after_a_gap_where_he_was_going_makes_no_jump():
    moving = boxes(np.arange(40) * 30.0)
    moving[10:20] = np.nan
    gappy = with_missing(body(40, boxes=moving), range(10, 20))
    assert box_jumps(gappy) == []


def test_without_boxes_those_around_the_keypoints_count():
    sequence = body(20)
    keypoints = sequence.keypoints.copy()
    keypoints[11:] += [900, 0]
    assert quality(sequence.replace(keypoints=keypoints)).jumps == (11,)


def planted() -> PoseSequence:
    """A body with one thing of each kind that is worth a look."""
    sequence = body(200)
    keypoints, scores = sequence.keypoints.copy(), sequence.scores.copy()
    keypoints[30, MPII16.index("left_wrist")] += [0, 300]
    scores[70] = 0.1
    there = boxes(np.where(np.arange(200) < 110, 0, 300))
    broken = sequence.replace(keypoints=keypoints, scores=scores, boxes=there)
    filled = fill_gaps(with_missing(broken, range(140, 149)))
    return with_missing(filled, range(170, 191))


def test_what_was_planted_is_to_be_checked_and_nothing_else():
    checks = set(to_check(planted(), most=5))
    assert checks == {
        Check(30, "bone too long"),
        Check(70, "low confidence"),
        Check(110, "box jump"),
        Check(144, "interpolated"),
        Check(180, "missing"),
    }


def test_the_worst_comes_first():
    assert to_check(planted())[0] == Check(110, "box jump")


def test_joints_that_are_lost_for_long_are_to_be_checked_in_the_middle_of_it():
    lost = with_missing(with_missing(body(), range(40, 61), ["left_wrist"]), range(100), ["head_top"])
    assert to_check(lost, most=1) == [Check(50, "joints missing")]


def test_neighbours_are_not_all_listed():
    scores = np.ones((200, 16))
    scores[50:150] = 0.1
    checks = to_check(body(200, scores=scores), most=10)
    frames = sorted(check.frame for check in checks)
    assert min(np.diff(frames)) > 10
    assert all(50 <= frame < 150 for frame in frames)


def test_verified_frames_need_no_check():
    broken = planted()
    verified = np.where(broken.present, Status.VERIFIED, Status.MISSING)
    status = broken.status.copy()
    status[[30, 70]] = verified[[30, 70]]
    approved = broken.replace(status=status, source={"verified_frames": [110, 144]})
    frames = {check.frame for check in to_check(approved, most=20)}
    assert frames.isdisjoint({30, 70, 110, 144})


def test_a_gap_of_a_frame_needs_no_check():
    assert FAR > 1 / 25
    assert to_check(fill_gaps(with_missing(body(50), [20]))) == []


@given(seed=st.integers(0, 99), most=st.integers(0, 20), share=st.floats(0, 1))
@settings(max_examples=40, deadline=None)
def test_any_sequence_has_figures_that_json_and_a_terminal_can_hold(seed, most, share):
    rng = np.random.default_rng(seed)
    count = int(rng.integers(0, 30))
    sequence = body(30).select(slice(0, count))
    keypoints = np.where(rng.random((count, 16, 1)) < share, np.nan, rng.normal(0, 50, (count, 16, 2)))
    found = quality(sequence.replace(keypoints=keypoints, scores=rng.random((count, 16))), most=most)
    document = json.loads(json.dumps(found.as_dict(), allow_nan=False))
    assert len(document["check"]) <= most
    assert {check["frame"] for check in document["check"]} <= set(range(count))
    assert 0 <= document["coverage"] <= 1
    assert all(0 <= value <= 1 for value in document["joints"].values())
    assert "nan" not in " ".join(found.lines())


def test_lines_say_how_good_it_is():
    gappy = with_missing(body(), range(20, 30))
    first, second, third = quality(gappy).lines()
    assert first == "person 0: in 90% of 100 frames, longest gap 0.4 s"
    assert second.startswith("confidence 1.00, interpolated 0.0%, jitter 0.0% of the torso")
    assert third == "check first: 24 (missing)"


def test_a_skeleton_without_bones_has_no_bone_variation():
    found = quality(straight_line(frames=20))
    assert (found.bones, found.as_dict()["bone_variation"], found.as_dict()["jitter_torso"]) == ({}, None, None)
