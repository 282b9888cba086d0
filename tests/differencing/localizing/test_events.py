import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posediff.differencing.localizing.events import Event, crossings, density, mixture, peaks

QUIET = np.zeros(100)
FRAMES = np.arange(100)


def noise(size, seed=0):
    """White noise after the smoothing over seven frames that bodies have, of a standard deviation."""
    white = np.random.default_rng(seed).standard_normal(106)
    weights = np.linalg.pinv(np.vander(np.arange(-3, 4), 3))[2]
    return np.convolve(white, weights, mode="valid") / np.linalg.norm(weights) * size


@given(st.floats(10, 85), st.floats(0.5, 4))
def test_the_peak_of_a_parabola_is_found_between_the_frames(top, width):
    track = np.maximum(1 - ((FRAMES - top) / (10 * width)) ** 2, 0)
    (event,) = peaks(track, QUIET, 3)
    assert event.position == pytest.approx(top, abs=0.06)


def test_a_lopsided_peak_is_not_moved_towards_its_gentler_side():
    track = np.where(FRAMES < 50, np.exp(-(((FRAMES - 50) / 14) ** 2)), np.exp(-(((FRAMES - 50) / 7) ** 2)))
    found = [peaks(track + noise(0.01, seed), noise(0.01, seed + 100), 3)[0] for seed in range(20)]
    assert abs(np.mean([event.position for event in found]) - 50) < 1


def test_the_spread_of_a_peak_is_the_error_that_noise_makes():
    track = 1 - ((FRAMES - 50.4) / 40) ** 2
    found = [peaks(track + noise(0.008, seed), noise(0.008, seed + 1000), 3)[0] for seed in range(80)]
    error = np.std([event.position - 50.4 for event in found])
    assert 0.7 * error < np.mean([event.spread for event in found]) < 1.8 * error


def test_a_flat_top_is_as_uncertain_as_it_is_wide():
    track = np.clip((40 - np.abs(FRAMES - 50)) / 20, 0, 1)  # flat over 41 frames
    (event,) = peaks(track + noise(0.01), noise(0.01, 1), 3)
    assert 30 <= event.position <= 70
    assert event.spread > 5


def test_a_peak_at_the_end_is_at_the_end():
    rising, falling = (peaks(track, QUIET, 3) for track in (FRAMES / 100, -FRAMES / 100))
    assert [event.position for event in rising] == [99]
    assert [event.position for event in falling] == [0]


def test_of_two_peaks_the_lower_scores_less_and_of_two_equal_ones_neither():
    def two(second):
        return np.exp(-(((FRAMES - 25) / 6) ** 2)) + second * np.exp(-(((FRAMES - 75) / 6) ** 2))

    first, second = peaks(two(1.0), QUIET, 3)
    assert first.score == pytest.approx(second.score, abs=1e-6)
    first, second = peaks(two(0.9), QUIET, 3)
    assert second.score < first.score - 2
    assert [round(event.position) for event in peaks(two(0.5), QUIET, 3)] == [25]


def test_noise_makes_no_events():
    assert peaks(noise(1.0), noise(1.0, 1), 3) == []
    assert crossings(noise(1.0), noise(1.0, 1), 0.5) == []
    assert peaks(np.ones(100), QUIET, 3) == []
    assert crossings(np.ones(100), QUIET, 0.5) == []


@given(st.floats(0.1, 0.9))
def test_a_line_crosses_a_share_of_its_range_where_arithmetic_says(share):
    low, high = np.percentile(FRAMES, [5, 95])
    (event,) = crossings(FRAMES * 0.3, QUIET, share)
    assert event.position == pytest.approx(low + share * (high - low))
    assert crossings(-FRAMES * 0.3, QUIET, share) == []


def test_to_and_fro_within_the_noise_is_one_crossing_whose_spread_is_its_error():
    track = np.clip((FRAMES - 20) / 60, 0, 1)
    found = []
    for seed in range(80):
        (event,) = crossings(track + noise(0.03, seed), noise(0.03, seed + 1000), 0.5)
        found.append((event.position - 50, event.spread))
    error = np.std([off for off, _ in found])
    assert 0.6 * error < np.mean([spread for _, spread in found]) < 1.7 * error


def test_a_crossing_that_leads_further_scores_more():
    track = 0.45 * np.exp(-(((FRAMES - 20) / 5) ** 2)) + np.exp(-(((FRAMES - 70) / 9) ** 2))
    small, large = crossings(track, QUIET, 0.3)
    assert small.position < 20 < 50 < large.position < 70
    assert small.score < large.score


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_the_ends_of_the_range_can_be_thresholds(share):
    assert all(np.isfinite([event.position, event.spread, event.score]).all()
               for event in crossings(np.sin(FRAMES / 8), QUIET, share))  # fmt: skip


@given(st.floats(0, 49), st.floats(0.1, 20))
def test_a_density_sums_to_one_about_its_position(position, spread):
    (found,) = density(np.array([position]), np.array([spread]), 50)
    assert found.sum() == pytest.approx(1)
    assert abs(np.argmax(found) - position) <= 0.51 or np.argmax(found) in (0, 49)


def test_a_density_has_the_spread_that_it_says():
    (found,) = density(np.array([50.3]), np.array([4.0]), 101)
    mean = found @ np.arange(101)
    assert mean == pytest.approx(50.3, abs=0.01)
    assert np.sqrt(found @ (np.arange(101) - mean) ** 2) == pytest.approx(4, rel=0.02)


def test_a_mixture_weighs_events_by_their_scores_and_leaves_something_for_none():
    found = mixture([Event(10, 1, 0.0), Event(40, 3, np.log(0.5))], 50)
    assert found.shape == (3, 50)
    assert found.sum() == pytest.approx(1)
    assert found[0].sum() == pytest.approx(2 * found[1].sum())
    assert 0 < found[2, 0] == found[2, 49]
    np.testing.assert_allclose(mixture([], 50), np.full((1, 50), 0.02))
