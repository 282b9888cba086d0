import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import savgol_filter

from posediff.errors import BadSetting
from posediff.motion.smooth import half_width, noise_level, projection, savgol_window, smooth
from posediff.sequence import Status
from tests.fixtures.sequences import POINT, circle, point, standing, straight_line, with_missing, with_noise

METHODS = ["savgol", "butterworth"]


def sine(hertz, *, fps=240.0, seconds=4.0):
    times = np.arange(round(seconds * fps)) / fps
    return point(np.stack([np.sin(2 * np.pi * hertz * times), np.cos(2 * np.pi * hertz * times)], axis=1), fps=fps)


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_savgol_without_gaps_is_that_of_scipy_ends_included(order):
    noisy = with_noise(circle(frames=60), 0.3)
    found = smooth(noisy, window=9 / 25, order=order).keypoints
    np.testing.assert_allclose(found, savgol_filter(noisy.keypoints.astype(np.float64), 9, order, axis=0), atol=1e-5)


def test_savgol_beside_gaps_is_the_polynomial_fitted_to_what_is_there():
    noisy = with_missing(with_noise(circle(frames=30), 0.3), frames=[11, 13, 14])
    found = smooth(noisy, window=9 / 25).keypoints[12, 0]
    rows = [8, 9, 10, 12, 15, 16]
    expected = [np.polyval(np.polyfit(rows, noisy.keypoints[rows, 0, axis], 2), 12) for axis in (0, 1)]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@given(missing=st.sets(st.integers(0, 39), max_size=30))
@settings(max_examples=30, deadline=None)
def test_savgol_keeps_a_parabola_wherever_frames_are_missing(missing):
    parabola = point(np.stack([np.arange(40.0), 0.1 * np.arange(-20.0, 20) ** 2], axis=1))
    gappy = with_missing(parabola, frames=missing)
    found = smooth(gappy, window=0.36)
    np.testing.assert_array_equal(found.present, gappy.present)
    np.testing.assert_allclose(found.keypoints, gappy.keypoints, atol=1e-3)


def test_savgol_weighs_by_confidence_when_asked():
    scores = np.ones((21, 1))
    scores[10] = 0.0
    wrong = straight_line(frames=21, scores=scores)
    wrong = wrong.replace(keypoints=wrong.keypoints + 5.0 * (np.arange(21) == 10)[:, None, None])
    truth = straight_line(frames=21).keypoints[10, 0]
    away = [np.abs(smooth(wrong, window=0.36, confidence=c).keypoints[10, 0] - truth).max() for c in (False, True)]
    assert away[0] > 1.0
    assert away[1] < 0.05


@pytest.mark.parametrize("method", METHODS)
def test_the_amplitude_at_the_cutoff_falls_to_the_root_of_a_half(method):
    inner = slice(240, 720)
    filtered = smooth(sine(6.0), method=method, cutoff=6.0).keypoints[inner, 0, 0]
    assert filtered.std() == pytest.approx(0.5, abs=0.03)  # a sine's deviation is the root of a half


@pytest.mark.parametrize("method", METHODS)
def test_slow_movement_passes_without_delay(method):
    slow = sine(0.8)
    found = smooth(slow, method=method, cutoff=6.0).keypoints
    np.testing.assert_allclose(found[50:-50], slow.keypoints[50:-50], atol=0.003)


@pytest.mark.parametrize("method", METHODS)
def test_noise_is_reduced(method):
    truth = circle(frames=200, fps=60, hertz=0.5)
    noisy = with_noise(truth, 0.1)
    left = (smooth(noisy, method=method).keypoints - truth.keypoints).std()
    assert left < 0.065


@pytest.mark.parametrize("method", METHODS)
def test_missing_stays_missing_and_status_and_scores_stay(method):
    status = np.full((60, 1), Status.INTERPOLATED)
    gappy = with_missing(circle(frames=60, status=status, scores=np.full((60, 1), 0.4)), frames=range(20, 40))
    found = smooth(gappy, method=method)
    np.testing.assert_array_equal(found.present, gappy.present)
    np.testing.assert_array_equal(found.status, gappy.status)
    np.testing.assert_array_equal(found.scores, gappy.scores)


@pytest.mark.parametrize("method", METHODS)
def test_one_side_of_a_long_gap_knows_nothing_of_the_other(method):
    one = with_missing(with_noise(circle(frames=60), 0.1), frames=range(25, 35))
    other = one.replace(keypoints=one.keypoints + 100.0 * (np.arange(60) > 30)[:, None, None])
    found, shifted = (smooth(s, method=method).keypoints for s in (one, other))
    np.testing.assert_allclose(found[:25], shifted[:25], atol=1e-4)


@pytest.mark.parametrize("method", METHODS)
def test_absent_frame_numbers_count_as_missing(method):
    noisy = with_noise(circle(frames=60), 0.1)
    keep = np.delete(np.arange(60), [25, 26, 40])
    sparse = smooth(noisy.select(keep), method=method)
    whole = smooth(with_missing(noisy, frames=[25, 26, 40]), method=method)
    np.testing.assert_array_equal(sparse.keypoints, whole.keypoints[keep])


@pytest.mark.parametrize(("method", "frames"), [(m, f) for m in METHODS for f in (0, 1, 2, 3)] + [("butterworth", 9)])
def test_too_few_frames_are_left_as_they_are(method, frames):
    few = with_noise(circle(frames=12), 0.1).select(slice(0, frames))
    np.testing.assert_array_equal(smooth(few, method=method).keypoints, few.keypoints)


@pytest.mark.parametrize("method", METHODS)
def test_a_cutoff_beyond_half_the_frame_rate_removes_nothing(method):
    noisy = with_noise(circle(frames=30, fps=10), 0.1)
    np.testing.assert_array_equal(smooth(noisy, method=method, cutoff=6.0).keypoints, noisy.keypoints)


def test_a_long_sequence_is_smoothed_in_blocks_as_a_short_one_is(monkeypatch):
    noisy = with_missing(with_noise(standing(frames=50), 0.1), frames=[20, 21], joints=["pelvis"])
    expected = smooth(noisy).keypoints
    monkeypatch.setattr("posediff.motion.smooth.BLOCK", 2000)
    np.testing.assert_array_equal(smooth(noisy).keypoints, expected)


def test_smoothing_is_told_in_the_provenance():
    (step,) = smooth(circle(frames=9)).source["steps"]
    assert step == "smooth(method=savgol, cutoff=6, window=None, order=2, confidence=False)"


@pytest.mark.parametrize(
    "setting",
    [
        {"method": "median"},
        {"cutoff": 0},
        {"cutoff": float("nan")},
        {"window": -1},
        {"order": 0},
        {"order": 99},
        {"method": "butterworth", "window": 0.2},
        {"method": "butterworth", "confidence": True},
    ],
)
def test_a_setting_that_makes_no_filter_is_refused(setting):
    with pytest.raises(BadSetting) as error:
        smooth(circle(frames=9), **setting)
    assert error.value.hint


@pytest.mark.parametrize("order", [2, 4])
def test_the_window_for_a_cutoff_has_that_cutoff(order):
    fps = 240.0
    half = half_width(savgol_window(6.0, order), fps)
    kernel = projection(np.ones((1, 2 * half + 1)), np.zeros(1), order)[0]
    gain = (kernel * np.cos(2 * np.pi * 6.0 / fps * np.arange(-half, half + 1))).sum()
    assert gain == pytest.approx(np.sqrt(0.5), abs=0.02)


@pytest.mark.parametrize("deviation", [0.002, 0.01, 0.05])
@pytest.mark.parametrize("frames", [60, 300])
def test_planted_noise_is_recovered(deviation, frames):
    moving = standing(frames=frames)
    sway = np.sin(2 * np.pi * 0.7 * moving.times)[:, None, None] * [0.5, 0.3, 0.1]
    noisy = with_noise(moving.replace(keypoints=moving.keypoints + sway), deviation)
    assert np.median(noise_level(noisy)) == pytest.approx(deviation, rel=0.15)
    np.testing.assert_allclose(noise_level(noisy), deviation, rtol=0.4 if frames == 60 else 0.2)


def test_a_fast_movement_is_hardly_taken_for_noise():
    assert noise_level(circle(frames=100, hertz=2.0, radius=1.0))[0] < 0.0025


def test_outliers_hardly_change_the_noise():
    noisy = with_noise(circle(frames=300), 0.01)
    keypoints = noisy.keypoints.copy()
    keypoints[::40] += 3.0
    assert noise_level(noisy.replace(keypoints=keypoints))[0] == pytest.approx(0.01, rel=0.35)


def test_a_body_that_does_not_move_has_no_noise():
    np.testing.assert_array_equal(noise_level(standing(frames=20)), 0)


def test_filled_keypoints_do_not_make_a_joint_look_less_noisy():
    noisy = with_noise(circle(frames=400), 0.1)
    half = np.arange(400) >= 200
    keypoints = np.where(half[:, None, None], straight_line(frames=400).keypoints, noisy.keypoints)
    status = np.where(half, Status.INTERPOLATED, Status.MEASURED)[:, None]
    assert noise_level(noisy.replace(keypoints=keypoints, status=status))[0] == pytest.approx(0.1, rel=0.15)


def test_a_joint_seen_too_rarely_is_taken_to_be_as_noisy_as_the_others():
    noisy = with_noise(standing(frames=200), 0.1)
    rarely = with_missing(noisy, frames=range(0, 200, 2), joints=["left_wrist"])
    level = noise_level(rarely)
    others = np.delete(level, noisy.skeleton.index("left_wrist"))
    assert level[noisy.skeleton.index("left_wrist")] == np.median(others)


def test_noise_is_unknown_for_a_few_frames():
    assert np.isnan(noise_level(circle(frames=4))).all()
    assert noise_level(circle(frames=1)).shape == (len(POINT.joints),)


def test_differences_that_leave_movement_in_are_refused():
    with pytest.raises(BadSetting, match="order is 2"):
        noise_level(circle(frames=20), order=2)
