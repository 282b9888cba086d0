import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from posediff.annotate.finish.repair import LONGEST_SWAP, body_length, remove_outliers, swap_back, swapped
from posediff.io import read, read_person
from posediff.sequence import PoseSequence, Status
from posediff.skeletons import BLAZEPOSE33, MPII16
from tests.fixtures.data import data_root
from tests.fixtures.sequences import POINT, standing, straight_line, with_missing, with_noise

FPS = 25


def walking(*, frames: int = 40, hertz: float = 1.0, swing: float = 0.4, skeleton=MPII16) -> PoseSequence:
    """A person seen from the front whose hands and feet swing and who walks to the right; the torso is 1 long."""
    sequence = standing(frames=frames, dimensions=2, skeleton=skeleton, fps=FPS)
    time = np.arange(frames) / FPS
    keypoints = sequence.keypoints.astype(float)
    keypoints[..., 0] += 0.5 * time[:, None]
    for joint, sign in (("left_wrist", 1), ("right_wrist", -1), ("left_ankle", -1), ("right_ankle", 1)):
        keypoints[:, skeleton.index(joint), 0] += sign * swing * np.sin(2 * np.pi * hertz * time)
    return sequence.replace(keypoints=keypoints)


def shifted(sequence: PoseSequence, row: int, joint: str, by: tuple[float, float]) -> PoseSequence:
    """The same with one keypoint elsewhere."""
    keypoints = sequence.keypoints.copy()
    keypoints[row, sequence.skeleton.index(joint)] += by
    return sequence.replace(keypoints=keypoints)


def exchanged(sequence: PoseSequence, rows, parts: str = "") -> PoseSequence:
    """The same with left and right exchanged in some rows, of all joints or of those named so."""
    swap = [
        other if any(part in joint for part in parts.split() or [""]) else own
        for own, (joint, other) in enumerate(zip(sequence.skeleton.joints, sequence.skeleton.mirror_order, strict=True))
    ]
    index = np.tile(np.arange(len(swap)), (len(sequence), 1))
    index[rows] = swap
    every = np.arange(len(sequence))[:, None]
    return sequence.replace(
        keypoints=sequence.keypoints[every, index],
        scores=sequence.scores[every, index],
        status=sequence.status[every, index],
    )


@given(row=st.integers(1, 38), angle=st.floats(0, 6.28), joint=st.sampled_from(MPII16.joints))
@settings(max_examples=40, deadline=None)
def test_a_joint_that_jumps_away_and_back_becomes_missing_and_no_other(row, angle, joint):
    clean = walking()
    broken = remove_outliers(shifted(clean, row, joint, (1.2 * np.cos(angle), 1.2 * np.sin(angle))))
    missing = np.argwhere(~broken.present)
    assert missing.tolist() == [[row, MPII16.index(joint)]]
    assert broken.source["steps"] == ["remove_outliers(): 1 keypoints"]


@pytest.mark.parametrize("hertz", [1, 2, 3, 4, 5])
def test_a_hand_that_swings_fast_is_no_outlier(hertz):
    swinging = walking(hertz=hertz, swing=1.0)
    assert remove_outliers(swinging).present.all()


def test_a_joint_that_jumps_and_stays_is_no_outlier():
    sequence = walking()
    keypoints = sequence.keypoints.copy()
    keypoints[20:, MPII16.index("left_wrist")] += 2
    assert remove_outliers(sequence.replace(keypoints=keypoints)).present.all()


def test_the_size_of_the_body_is_what_counts():
    clean = walking(swing=0.1)
    small = shifted(clean, 20, "left_wrist", (0, 0.4))
    assert remove_outliers(small).present.all()
    assert not remove_outliers(shifted(clean, 20, "left_wrist", (0, 0.7))).present.all()
    larger = small.replace(keypoints=small.keypoints * 200)
    assert remove_outliers(larger).present.all()


def test_verified_keypoints_are_no_outliers():
    status = np.full((40, 16), Status.VERIFIED)
    broken = shifted(walking(), 20, "left_wrist", (0, 3)).replace(status=status)
    assert remove_outliers(broken).present.all()


def test_noise_makes_no_outliers_and_no_swaps():
    noisy = with_noise(walking(frames=400), 0.05)
    assert remove_outliers(noisy).present.all()
    np.testing.assert_array_equal(swap_back(noisy).keypoints, noisy.keypoints)


@given(row=st.integers(1, 33), count=st.integers(1, LONGEST_SWAP), parts=st.sampled_from(["", "hip knee ankle"]))
@settings(max_examples=40, deadline=None)
def test_exchanged_sides_are_put_right_with_their_scores(row, count, parts):
    scores = np.random.default_rng(row).uniform(0.5, 1, (40, 16))
    clean = walking().replace(scores=scores)
    back = swap_back(exchanged(clean, slice(row, row + count), parts))
    np.testing.assert_array_equal(back.keypoints, clean.keypoints)
    np.testing.assert_array_equal(back.scores, clean.scores)
    assert back.source["steps"] == [f"swap_back(): {count} frames"]


def test_sides_that_stay_exchanged_for_long_are_left():
    turned = exchanged(walking(), slice(10, 10 + LONGEST_SWAP + 1))
    np.testing.assert_array_equal(swap_back(turned).keypoints, turned.keypoints)


@pytest.mark.parametrize("hertz", [0.5, 1, 2, 3])
def test_limbs_that_cross_are_not_exchanged(hertz):
    crossing = walking(frames=100, hertz=hertz, swing=0.8)
    np.testing.assert_array_equal(swap_back(crossing).keypoints, crossing.keypoints)


def test_legs_that_scissor_past_each_other_between_two_frames_are_not_exchanged():
    left = np.array([2.1, 1.5, 0.9, 0.3, -0.3, -0.9, -1.5, -0.9, -0.3, 0.3, 0.9, 1.5])
    sides = np.stack([left, -left], axis=1)[:, :, None, None] * np.ones((3, 2))
    assert len(swapped(sides, 1.0)) == 0


def test_a_right_frame_between_two_exchanged_ones_stays_right():
    clean = walking()
    np.testing.assert_array_equal(swap_back(exchanged(clean, [10, 12])).keypoints, clean.keypoints)


def test_verified_frames_are_not_exchanged():
    status = np.full((40, 16), Status.MEASURED)
    status[20, 0] = Status.VERIFIED
    broken = exchanged(walking(), [20], "hip knee ankle").replace(status=status)
    np.testing.assert_array_equal(swap_back(broken).keypoints, broken.keypoints)


def test_fingers_are_exchanged_with_the_arms_and_feet_with_the_legs():
    base = standing(frames=9, dimensions=2).convert(BLAZEPOSE33, allow_missing=True).keypoints.copy()
    for number, joint in enumerate(BLAZEPOSE33.joints):
        side = -0.3 if joint.startswith("right") else 0.3
        base[:, number] = (side, number / 10)
    sequence = PoseSequence(base, BLAZEPOSE33)
    broken = exchanged(sequence, [4], "foot_index hip knee ankle heel")
    np.testing.assert_array_equal(swap_back(broken).keypoints, sequence.keypoints)


def test_without_a_body_to_measure_by_nothing_is_changed():
    line = straight_line(frames=10)
    assert np.isnan(body_length(line))
    assert remove_outliers(
        line.replace(keypoints=line.keypoints + (np.arange(10) == 5)[:, None, None] * 99)
    ).present.all()
    np.testing.assert_array_equal(swap_back(line).keypoints, line.keypoints)
    assert line.skeleton is POINT


@pytest.mark.parametrize("frames", [0, 1, 2, 3])
def test_short_sequences_are_left(frames):
    short = walking(frames=4).select(slice(0, frames))
    np.testing.assert_array_equal(swap_back(remove_outliers(short)).keypoints, short.keypoints)


def test_gaps_are_no_jumps():
    gappy = with_missing(walking(), [10, 11, 12])
    np.testing.assert_array_equal(swap_back(remove_outliers(gappy)).keypoints, gappy.keypoints)


def test_dives_that_people_labelled_have_neither_outliers_nor_swaps():
    dives = read_person(data_root("finediving", "pose_examples", "annotations.json"))
    for start, end in ((0, 34), (34, 69)):
        dive = dives.between(start, end)
        np.testing.assert_array_equal(swap_back(remove_outliers(dive)).keypoints, dive.keypoints)


def test_arms_that_are_raised_have_next_to_none():
    for path in sorted(data_root("pose_trainer").glob("*.npy"))[:6]:
        (person,) = read(path, skeleton="openpose18")
        cleaned = swap_back(remove_outliers(person))
        assert (cleaned.present != person.present).sum() == 0
