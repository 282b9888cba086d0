import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import CubicHermiteSpline

from posediff.differencing.grammar import statistics
from posediff.differencing.grammar.statistics import OF_MOMENTS, OF_VALUES, at, between, highest, jerkiness, weights

RAMP = 3.0 * np.arange(20) - 7
WAVE = np.sin(2 * np.pi * np.arange(101) / 50)
NO_SMOOTHING = np.ones(1)
SPANS = st.tuples(st.floats(0, 100), st.floats(0, 100)).map(sorted)


def test_a_track_between_frames_is_on_the_cubic_with_central_tangents():
    spline = CubicHermiteSpline(np.arange(1, 100), WAVE[1:-1], (WAVE[2:] - WAVE[:-2]) / 2)
    assert [at(WAVE, moment) for moment in (1.3, 40.0, 77.77)] == pytest.approx(spline([1.3, 40.0, 77.77]))


@pytest.mark.parametrize("moment", [0.0, 0.4, 18.5, 19.0])
def test_a_ramp_is_itself_up_to_its_ends(moment):
    assert at(RAMP, moment) == pytest.approx(3 * moment - 7)


def test_what_lies_between_two_moments_is_the_frames_and_both_ends():
    moments, values = between(RAMP, 2.5, 5.25)
    assert moments.tolist() == [2.5, 3, 4, 5, 5.25]
    assert values == pytest.approx(3 * moments - 7)
    assert between(RAMP, 4.0, 6.0)[0].tolist() == [4, 5, 6]
    assert between(RAMP, 4.5, 4.5)[0].tolist() == [4.5]


@given(SPANS)
def test_shares_of_time_add_up_to_one(span):
    shares = weights(between(WAVE, *span)[0])
    assert shares.sum() == pytest.approx(1)
    assert (shares >= 0).all()


@given(st.tuples(st.floats(0, 19), st.floats(0, 19)).map(sorted))
def test_statistics_of_a_ramp_are_the_analytic_ones(span):
    first, last = span
    low, high = 3 * first - 7, 3 * last - 7
    found = {name: function(RAMP, first, last) for name, function in OF_VALUES.items()}
    assert found["mean"] == pytest.approx((low + high) / 2, abs=1e-6)
    assert found["min"] == pytest.approx(low, abs=1e-6)
    assert found["max"] == pytest.approx(high, abs=1e-6)
    assert found["range"] == pytest.approx(high - low, abs=1e-6)
    assert found["median"] == pytest.approx((low + high) / 2, abs=0.51 * min(3, high - low) + 1e-6)
    # sampled once a frame, a uniform distribution is a little wider than (high - low) / sqrt(12)
    assert found["sd"] == pytest.approx((high - low) / np.sqrt(12), abs=0.87 + 1e-6)


def test_a_frame_at_an_end_weighs_as_much_as_the_time_beside_it():
    found = [OF_VALUES[name](np.arange(5.0), 0.0, 1.5) for name in ("mean", "sd", "median")]
    # values 0, 1, 1.5 with the shares 1/3, 1/2, 1/6, whose middles lie at 1/6, 7/12, 11/12 of the time
    assert found == pytest.approx([0.75, np.sqrt(0.3125), (1 / 2 - 1 / 6) / (7 / 12 - 1 / 6)])


def test_spread_and_middle_of_two_periods_of_a_sine():
    assert statistics.sd(WAVE, 0, 100) == pytest.approx(np.sqrt(0.5), rel=1e-6)
    assert statistics.mean(WAVE, 0, 100) == pytest.approx(0, abs=1e-9)
    assert statistics.median(WAVE, 0, 100) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("apex", [4.0, 4.3, 4.49, 4.51, 5.0])
def test_the_top_of_a_parabola_is_found_between_the_frames(apex):
    track = 2.0 - 0.7 * (np.arange(10) - apex) ** 2
    assert highest(track, 0, 9) == pytest.approx((2.0, apex))
    assert OF_MOMENTS["time_of_min"](-track, 0.0, 9.0) == pytest.approx(apex)
    assert statistics.minimum(-track, 0, 9) == pytest.approx(-2.0)


def test_a_top_beyond_the_end_is_not_looked_for():
    track = -((np.arange(10) - 5.4) ** 2.0)
    assert highest(track, 0, 5) == (pytest.approx(-(0.4**2)), 5.0)
    assert highest(track, 0, 3.5)[1] == 3.5


def test_a_plateau_is_as_high_as_it_is():
    assert highest(np.array([0.0, 0, 1, 1, 1, 0, 0]), 3, 3) == (1, 3)
    assert highest(np.ones(5), 0, 4)[0] == 1


def test_a_corner_is_rounded_by_no_more_than_an_eighth_of_a_step():
    assert 1 < highest(np.array([0.0, 1, 1, 1, 0]), 0, 4)[0] <= 1 + 1 / 8


@pytest.mark.parametrize("name", [*OF_VALUES])
@given(span=SPANS, step=st.floats(-1e-7, 1e-7))
def test_no_value_jumps_when_an_end_moves_by_a_little(name, span, step):
    first, last = span
    moved = min(max(last + step, first), 100.0)
    near = OF_VALUES[name](WAVE, first, moved) - OF_VALUES[name](WAVE, first, last)
    if last - first > 0.1 or name in ("min", "max", "range", "mean"):
        assert abs(near) < 0.01


@pytest.mark.parametrize("name", [*OF_VALUES])
def test_a_single_moment_is_its_own_statistic(name):
    expected = 0.0 if name in ("sd", "range") else WAVE[7]
    assert OF_VALUES[name](WAVE, 7, 7) == pytest.approx(expected)


def wave(noise=0.0):
    t = np.linspace(0, 1, 201)
    line = np.stack([np.sin(2 * np.pi * t), 0 * t], axis=1)
    return line + np.random.default_rng(0).normal(0, noise, line.shape) if noise else line


def test_jerk_of_a_sine_is_the_analytic_one():
    # jerk (2 pi)^3 cos and speed (2 pi) cos over a duration of 1: the mean square is one half
    found = jerkiness(wave(), 0.0, 0, 200, 12.0, NO_SMOOTHING)
    assert found == pytest.approx(np.log((2 * np.pi) ** 4 / 2), abs=0.06)


@pytest.mark.parametrize("fps", [12.0, 25.0])
def test_jerk_does_not_depend_on_the_size(fps):
    assert jerkiness(30 * wave(), 0.0, 0, 200, fps, NO_SMOOTHING) == pytest.approx(
        jerkiness(wave(), 0.0, 0, 200, fps, NO_SMOOTHING)
    )


def test_noise_is_taken_off_the_jerk():
    clean, told, untold = (
        jerkiness(line, noise, 0, 200, 60.0, NO_SMOOTHING)
        for line, noise in ((wave(), 0.0), (wave(0.01), 0.01), (wave(0.01), 0.0))
    )
    assert abs(told - clean) < 0.5 * abs(untold - clean)


def test_a_tremor_is_jerkier():
    t = np.arange(100) / 25
    smooth = np.stack([np.sin(2 * np.pi * t / 4), 0 * t], axis=1)
    shaking = smooth + 0.02 * np.sin(2 * np.pi * 3 * t)[:, None]
    found = [jerkiness(line, 0.0, 0, 99, 25.0, NO_SMOOTHING) for line in (smooth, shaking)]
    assert found[1] > found[0] + 1


@pytest.mark.parametrize("line", [np.zeros((30, 2)), wave()[:6]])
def test_what_does_not_move_or_is_too_short_has_no_jerk(line):
    assert np.isnan(jerkiness(line, 0.0, 0, len(line) - 1, 25.0, NO_SMOOTHING))
