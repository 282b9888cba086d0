import numpy as np
import pytest

from posediff.compare.prepare import prepare, smoothing_weights
from posediff.compare.settings import Settings
from posediff.differencing.noise import jittered, sharpened, sharpened_pair, spread
from posediff.motion.synthetic import Recording, generate


@pytest.fixture(scope="module")
def body():
    return prepare(generate("squat", recording=Recording(noise=0.01, fps=30), seed=5), Settings())


def draws(body, weights, count=300):
    rng = np.random.default_rng(0)
    return np.stack([jittered(body, weights, rng).sequence.keypoints - body.sequence.keypoints for _ in range(count)])


def test_jitter_is_as_large_as_the_keypoints_noise_and_correlated_as_smoothing_leaves_it(body):
    weights = smoothing_weights(Settings(), 30)
    jitter = draws(body, weights)
    sizes = jitter.std(axis=(0, 1)).mean(axis=1)
    assert sizes == pytest.approx(body.noise, rel=0.05)
    joint = jitter[:, :, 3, 0] / body.noise[3]
    for lag in (1, 3, len(weights)):
        expected = weights[lag:] @ weights[: len(weights) - lag] / (weights @ weights) if lag < len(weights) else 0.0
        assert (joint[:, lag:] * joint[:, :-lag]).mean() == pytest.approx(expected, abs=0.04)


def test_what_is_missing_stays_missing(body):
    keypoints = body.sequence.keypoints.copy()
    keypoints[4, 2] = np.nan
    holed = type(body)(body.sequence.replace(keypoints=keypoints), body.path, body.noise)
    again = jittered(holed, np.ones(1), np.random.default_rng(1))
    assert np.array_equal(np.isnan(again.sequence.keypoints), np.isnan(keypoints))


def test_the_spread_is_the_standard_deviation_of_normal_draws_and_deaf_to_strays():
    values = np.random.default_rng(2).normal(3.0, 0.7, (4000, 2))
    values[:100, 1] = 500.0
    assert spread(values) == pytest.approx([0.7, 0.7], rel=0.06)


def test_the_spread_is_unknown_where_most_draws_are():
    values = np.full((10, 2), np.nan)
    values[:5, 0] = [1, 2, 3, 4, 5]
    assert np.isfinite(spread(values)).tolist() == [True, False]


def test_twicing_gives_back_most_of_what_smoothing_takes_and_says_its_noise():
    """A wave of 2 Hz at 25 frames a second; the noise of the weights against many smoothed recordings."""
    still = prepare(generate("squat", recording=Recording(noise=0.01)), Settings())
    times = np.arange(len(still)) / 25
    wave = np.zeros(still.sequence.keypoints.shape, np.float32)
    wave[:, 3, 0] = np.sin(2 * np.pi * 2 * times)
    weights = smoothing_weights(Settings(), 25)
    taken = 1 - weights @ np.cos(2 * np.pi * 2 * (np.arange(len(weights)) - len(weights) // 2) / 25)
    smoothed = type(still)(still.sequence.replace(keypoints=wave * (1 - taken)), still.path, still.noise)
    sharp, twice = sharpened(smoothed, Settings())
    middle = slice(20, -20)
    left = np.abs(sharp.sequence.keypoints[middle, 3, 0] - wave[middle, 3, 0]).max()
    assert left == pytest.approx(taken**2, rel=0.05)
    assert twice.sum() == pytest.approx(1)
    assert sharp.noise == pytest.approx(still.noise * np.linalg.norm(twice) / np.linalg.norm(weights))


def nearest(body):
    """How near the racket hand comes to the pelvis, where it is at its fastest."""
    return np.linalg.norm(body.positions[:, body.sequence.skeleton.index("right_wrist")], axis=1).min()


def test_the_same_movement_at_another_pace_loses_as_much():
    recordings = [Recording(pace=pace, fps=50) for pace in (1.4, 0.7)]
    pair = tuple(prepare(generate("serve", recording=recording), Settings()) for recording in recordings)
    (fast, _), (slow, _) = sharpened_pair(pair, Settings())
    assert abs(nearest(fast) - nearest(slow)) < 0.35 * abs(nearest(pair[0]) - nearest(pair[1]))
