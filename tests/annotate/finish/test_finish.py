import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.signal import savgol_filter

from posediff.annotate.finish.finish import finish, gate
from posediff.errors import BadSetting
from posediff.sequence import PoseSequence, Status
from posediff.skeletons import MPII16
from tests.fixtures.sequences import circle, standing, straight_line, with_missing, with_noise


@st.composite
def estimates(draw: st.DrawFn) -> PoseSequence:
    """A body with noise, gaps, all kinds of status, uneven frame numbers and scores from 0 to 1."""
    count = draw(st.integers(1, 12))
    shape = (count, len(MPII16.joints))
    seed = draw(st.integers(0, 99))
    noise = np.random.default_rng(seed).normal(0, draw(st.sampled_from([0.01, 1.0])), (*shape, 2))
    missing = draw(hnp.arrays(np.bool_, shape))
    keypoints = standing(frames=count, dimensions=2).keypoints + noise
    return PoseSequence(
        np.where(missing[..., None], np.nan, keypoints),
        MPII16,
        scores=draw(hnp.arrays(np.float32, shape, elements=st.floats(0, 1, width=32))),
        status=draw(hnp.arrays(np.uint8, shape, elements=st.sampled_from([1, 3]))),
        frames=np.cumsum(draw(st.lists(st.integers(1, 4), min_size=count, max_size=count))),
    )


def rows_of(whole: PoseSequence, part: PoseSequence) -> np.ndarray:
    return np.searchsorted(whole.frames, part.frames)


@given(estimates(), st.floats(0, 1))
@settings(max_examples=40, deadline=None)
def test_gating_twice_is_gating_once(raw, least):
    once = gate(raw, least)
    np.testing.assert_array_equal(gate(once, least).keypoints, once.keypoints)
    assert ((once.scores >= least) | (once.status == Status.VERIFIED))[once.present].all()


@given(estimates(), st.sampled_from(["savgol", "butterworth", "none"]))
@settings(max_examples=40, deadline=None)
def test_verified_keypoints_come_back_bit_for_bit(raw, smooth):
    done = finish(raw, smooth=smooth)
    rows, verified = rows_of(done, raw), raw.status == Status.VERIFIED
    np.testing.assert_array_equal(done.keypoints[rows][verified], raw.keypoints[verified])
    assert (done.status[rows][verified] == Status.VERIFIED).all()
    np.testing.assert_array_equal(done.scores[rows][verified], raw.scores[verified])


@given(estimates())
@settings(max_examples=40, deadline=None)
def test_nothing_is_extrapolated_and_every_frame_number_has_a_row(raw):
    done = finish(raw, max_gap=100)
    assert done.frames.tolist() == [*range(int(raw.frames[0]), int(raw.frames[-1]) + 1)]
    kept = gate(raw, 0.3).present
    for joint in range(len(MPII16.joints)):
        known = raw.frames[kept[:, joint]]
        filled = done.frames[done.status[:, joint] == Status.INTERPOLATED]
        assert all(known.min() < frame < known.max() for frame in filled)
    before = np.zeros_like(done.present)
    before[rows_of(done, raw)] = kept
    assert (done.status[done.present & ~before] == Status.INTERPOLATED).all()


def test_doubtful_keypoints_are_replaced_by_what_lies_around_them():
    truth = straight_line(frames=11, scores=np.where(np.arange(11) == 5, 0.1, 0.9)[:, None])
    keypoints = truth.keypoints.copy()
    keypoints[5] += 50
    done = finish(truth.replace(keypoints=keypoints))
    np.testing.assert_allclose(done.keypoints, truth.keypoints, atol=1e-5)
    assert done.status[:, 0].tolist() == [1] * 5 + [2] + [1] * 5
    assert done.source["steps"][0] == "gate(min_score=0.3): 1 keypoints"


def test_a_verified_keypoint_of_no_confidence_is_kept():
    scores, status = np.zeros((3, 1)), np.full((3, 1), Status.VERIFIED)
    assert finish(straight_line(frames=3, scores=scores, status=status)).present.all()


def test_interpolation_starts_from_a_verified_keypoint_and_not_from_the_smoothed_track():
    status = np.full((30, 1), Status.MEASURED)
    status[15] = Status.VERIFIED
    raw = with_missing(circle(frames=30, status=status), [16, 17, 18])
    done = finish(raw, smooth="none")
    step = (raw.keypoints[19] - raw.keypoints[15]) / 4
    np.testing.assert_allclose(done.keypoints[17], raw.keypoints[15] + 2 * step, atol=1e-6)


def test_what_is_missing_in_an_approved_frame_stays_missing():
    raw = with_missing(straight_line(frames=10, source={"verified_frames": [4]}), [3, 4])
    done = finish(raw)
    assert done.present[:, 0].tolist() == [True] * 4 + [False] + [True] * 5


def test_smoothing_is_that_of_scipy_where_all_keypoints_count_the_same():
    noisy = with_noise(circle(frames=50), 0.05)
    done = finish(noisy, cutoff=6)
    expected = savgol_filter(noisy.keypoints, 5, 2, axis=0)
    np.testing.assert_allclose(done.keypoints[2:-2], expected[2:-2], atol=1e-5)


@pytest.mark.parametrize("options", [{"smooth": "none"}, {"cutoff": 0}])
def test_without_smoothing_what_was_measured_is_returned_bit_for_bit(options):
    noisy = with_noise(standing(frames=20, dimensions=2), 0.02)
    np.testing.assert_array_equal(finish(noisy, **options).keypoints, noisy.keypoints)


def test_exchanged_sides_are_put_right_only_where_that_is_wanted():
    clean = standing(frames=20, dimensions=2)
    keypoints = clean.keypoints.copy()
    keypoints[10] = keypoints[10, list(MPII16.mirror_order)]
    broken = clean.replace(keypoints=keypoints)
    np.testing.assert_array_equal(finish(broken, smooth="none").keypoints, clean.keypoints)
    kept = finish(broken, smooth="none", fix_swaps=False).keypoints[10]
    joints = [MPII16.index(joint) for joint in ("left_hip", "right_hip")]
    np.testing.assert_array_equal(kept[joints], clean.keypoints[10, joints[::-1]])


def test_an_empty_sequence_stays_one():
    assert len(finish(standing(frames=1).select(slice(0, 0)))) == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"smooth": "gauss"}, "'gauss'"),
        ({"min_score": 1.5}, "min_score is 1.5"),
        ({"min_score": float("nan")}, "min_score is nan"),
        ({"max_gap": -1}, "max_gap is -1"),
        ({"cutoff": -2}, "cutoff is -2"),
    ],
)
def test_settings_that_cannot_be_used_are_refused(options, said):
    with pytest.raises(BadSetting, match=said):
        finish(standing(frames=5, dimensions=2), **options)
