"""What holds for every comparison, whatever the movement, the view and the recording."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from posediff.compare import Settings, compare
from posediff.motion.normalize import mirrored, rotate
from posediff.motion.resample import resample
from posediff.motion.synthetic import Fault, Recording, planted
from tests.fixtures.performances import KNEE, MOVEMENTS, faulty_pair, numbers, perform, without

EVERY = pytest.mark.parametrize(("movement", "view"), [(m, v) for m in MOVEMENTS for v in ("2d", "3d")])


def same(comparison, *, least=99.95):
    assert comparison.score >= least
    assert comparison.differences == ()


@EVERY
def test_a_performance_is_the_same_as_itself(movement, view):
    same(compare(perform(movement, view), perform(movement, view)), least=100.0)


@EVERY
def test_a_noisy_performance_with_gaps_is_the_same_as_itself(movement, view):
    noisy = perform(movement, view, noise=0.03, drop=0.2, seed=1)
    same(compare(noisy, noisy), least=100.0)


@EVERY
def test_place_and_size_do_not_matter(movement, view):
    shift = (80.0, -40.0) if view == "2d" else (2.0, -1.0, 5.0)
    same(compare(perform(movement, view), perform(movement, view, zoom=1.7, shift=shift)))


@EVERY
@pytest.mark.parametrize("fps", [60.0, 30.0])
def test_the_frame_rate_does_not_matter(movement, view, fps):
    same(compare(perform(movement, view), perform(movement, view, fps=fps)), least=99.5)


@EVERY
def test_a_resampled_copy_is_the_same(movement, view):
    same(compare(perform(movement, view), resample(perform(movement, view), fps=47.0)))


@EVERY
def test_frame_numbers_do_not_matter(movement, view):
    one = perform(movement, view).replace(stages=())
    same(compare(one, one.replace(frames=one.frames + 5000)), least=100.0)


@given(
    data=st.tuples(*[st.floats(-1, 1)] * 4).filter(lambda q: np.linalg.norm(q) > 0.1),
    movement=st.sampled_from(MOVEMENTS),
)
@settings(max_examples=8, deadline=None)
def test_in_3d_the_camera_may_stand_anywhere(data, movement):
    same(compare(perform(movement), rotate(perform(movement), rotation(data))))


def rotation(quaternion):
    w, x, y, z = np.array(quaternion) / np.linalg.norm(quaternion)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + 2 * w * cross + 2 * cross @ cross


@EVERY
@pytest.mark.parametrize("mirror", [True, "auto"])
def test_a_mirrored_copy_is_the_same_when_asked_for(movement, view, mirror):
    same(compare(perform(movement, view), mirrored(perform(movement, view)), Settings(mirror=mirror)))


@EVERY
def test_noise_alone_is_no_difference(movement, view):
    for seed, noise in enumerate((0.005, 0.01, 0.02, 0.03)):
        pair = (
            perform(movement, view, noise=noise, seed=seed),
            perform(movement, view, noise=noise, seed=seed + 50, fps=30.0),
        )
        assert compare(*pair).differences == (), noise


SWAPPED = {"reference": "query", "query": "reference"}


@pytest.mark.parametrize(
    ("movement", "view", "fault"),
    [
        ("squat", "3d", KNEE),
        ("squat", "2d", Fault("right_elbow", 30.0, "descent")),
        ("swing", "3d", Fault("left_elbow", 35.0, "backswing")),
        ("dive", "2d", Fault("left_knee", 30.0, "entry")),
    ],
)
def test_swapping_the_two_swaps_more_in_and_nothing_else(movement, view, fault):
    pair = perform(movement, view, noise=0.005, seed=1), perform(movement, view, fault, noise=0.005, seed=2, fps=30.0)
    there, back = compare(*pair), compare(*pair[::-1])
    assert there.score == pytest.approx(back.score, abs=0.05)
    assert there.scores == pytest.approx(back.scores, abs=0.05)
    assert there.differences
    assert [one.measure for one in there.differences] == [one.measure for one in back.differences]
    for one, other in zip(there.differences, back.differences, strict=True):
        assert one.more_in == SWAPPED[other.more_in]
        assert one.magnitude == pytest.approx(other.magnitude, rel=0.02)
        assert one.confidence == pytest.approx(other.confidence, abs=0.01)
        assert one.values == pytest.approx(other.values[::-1], rel=0.02)
        assert one.segment == other.segment
        np.testing.assert_allclose(one.reference_frames, other.query_frames, atol=1)
        np.testing.assert_allclose(one.query_frames, other.reference_frames, atol=1)


PLANTED = [
    ("squat", "3d", KNEE),
    ("squat", "2d", KNEE),
    ("squat", "3d", Fault("right_elbow", 30.0, "descent")),
    ("swing", "3d", Fault("left_elbow", 35.0, "backswing")),
    ("swing", "2d", Fault("left_elbow", 35.0, "backswing")),
    ("dive", "3d", Fault("left_knee", 30.0, "entry")),
]


@pytest.mark.parametrize(("movement", "view", "fault"), PLANTED)
def test_a_planted_fault_is_the_top_difference(movement, view, fault):
    query = perform(movement, view, fault, noise=0.005, seed=2, fps=30.0, pace=1.2)
    top = compare(perform(movement, view, noise=0.005, seed=1), query).differences[0]
    truth = planted(movement, fault, recording=recording_of(query))
    assert (top.measure, top.more_in, top.segment) == (fault.measure, truth.more_in, fault.stage)
    assert top.magnitude == pytest.approx(truth.magnitude, rel=0.15)
    assert top.values == pytest.approx(truth.values, abs=6)
    assert overlap(top.query_frames, truth.frames) >= 0.5


def recording_of(sequence):
    return Recording(**sequence.source["recording"])


def overlap(one, other):
    common = max(0, min(one[1], other[1]) - max(one[0], other[0]))
    return common / (one[1] - one[0] + other[1] - other[0] - common)


def test_accuracy_falls_as_a_fault_grows():
    reference = perform(noise=0.005, seed=1)
    faults = [Fault("left_knee", amount, "bottom") for amount in (8.0, 15.0, 25.0, 40.0)]
    found = [compare(reference, perform(fault=fault, noise=0.005, seed=2)).scores["accuracy"] for fault in faults]
    assert found == sorted(found, reverse=True)
    assert found[0] > found[-1] + 1


def test_a_difference_s_noise_grows_with_that_of_the_keypoints():
    noise = [
        compare(perform(noise=level, seed=1), perform(fault=KNEE, noise=level, seed=2)).differences[0].noise
        for level in (0.0, 0.02, 0.04)
    ]
    assert noise == sorted(noise)
    assert noise[-1] > noise[0]


@EVERY
def test_dropped_keypoints_are_no_difference(movement, view):
    # a somersault turns by 30 degrees a frame: over two lost frames nothing can be said of a joint
    drop = 0.05 if movement == "dive" else 0.2
    gappy = [perform(movement, view, noise=0.005, drop=drop, seed=seed) for seed in (1, 2)]
    found = compare(*gappy)
    assert found.differences == ()
    assert found.scores["accuracy"] > 95


def test_a_fault_is_found_in_spite_of_dropped_keypoints():
    pair = perform(noise=0.005, drop=0.2, seed=1), perform(fault=KNEE, noise=0.005, drop=0.2, seed=2)
    assert compare(*pair).differences[0].measure == "left_knee_angle"


@pytest.mark.parametrize("gap", [slice(0, 12), slice(44, 60), slice(86, 98)], ids=["start", "middle", "end"])
def test_a_gap_of_the_whole_body_is_no_difference(gap):
    found = compare(perform(), without(perform(), frames=gap))
    assert found.differences == ()
    assert np.isfinite(numbers(found)).all()


@pytest.mark.parametrize("faulty", ["reference", "query"])
def test_a_joint_without_confidence_may_be_anywhere(faulty):
    good = perform()
    keypoints, scores = good.keypoints.copy(), np.ones(good.scores.shape)
    column = good.skeleton.index("left_wrist")
    keypoints[:, column] = np.random.default_rng(0).normal(0, 5, (len(good), 3))
    scores[:, column] = 0
    bad = good.replace(keypoints=keypoints, scores=scores)
    same(compare(good, bad) if faulty == "query" else compare(bad, good))


@pytest.mark.parametrize("sides", [("left", None), (None, "left"), ("left", "left"), ("left", "right")])
@pytest.mark.parametrize("view", ["2d", "3d"])
def test_a_side_that_is_never_seen_is_not_compared_and_named(sides, view):
    whole = perform(view=view)
    hidden = {side: [j for j in whole.skeleton.joints if j.startswith(f"{side}_")] for side in ("left", "right")}
    pair = [without(whole, *hidden[side]) if side else whole for side in sides]
    found = compare(*pair)
    same(found)
    for name, side in zip(("reference", "query"), sides, strict=True):
        assert any(f"The {name} never shows" in note and f"{side}_knee" in note for note in found.notes) is bool(side)
    shown = [name for name in found.residuals.measures if name.startswith(tuple(f"{s}_wrist" for s in sides if s))]
    assert shown == []


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8])
def test_very_short_sequences_compare(count):
    short = perform().select(slice(0, count)).replace(stages=())
    found = compare(short, short)
    same(found, least=100.0)
    assert np.isfinite(numbers(found)).all()


@pytest.mark.parametrize("swap", [False, True])
def test_a_single_frame_compares_with_a_whole_movement(swap):
    pair = perform().select(slice(0, 1)).replace(stages=()), perform()
    found = compare(*(pair[::-1] if swap else pair))
    assert np.isfinite(numbers(found)).all()
    assert found.score < 90


def test_all_that_is_said_is_finite():
    assert np.isfinite(numbers(faulty_pair())).all()


def test_frames_of_a_difference_lie_in_the_sequences():
    found = faulty_pair()
    for one in found.differences:
        for side, (first, end), peak in zip(
            (found.reference, found.query), (one.reference_frames, one.query_frames), one.peak, strict=True
        ):
            assert side.frames[0] <= first < end <= side.frames[-1] + 1
            assert first <= peak < end


def test_the_inputs_are_not_changed():
    reference, query = perform(), perform(fault=KNEE)
    before = [dataclasses.replace(side) for side in (reference, query)]
    compare(reference, query)
    assert [reference, query] == before
