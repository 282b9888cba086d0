import numpy as np
import pytest

from posediff.compare import Settings, compare
from posediff.compare.align import DIRECT, Timeline, describe, features
from tests.fixtures.performances import KNEE, aligned, perform, repeated

EVEN = np.linspace(0, 97, 98)


@pytest.mark.parametrize("movement", ["squat", "swing", "dive"])
def test_equal_performances_are_aligned_frame_by_frame(movement):
    one = perform(movement)
    line = aligned(one, one)
    np.testing.assert_allclose(line.reference, np.arange(len(one)), atol=1e-6)
    np.testing.assert_allclose(line.query, np.arange(len(one)), atol=1e-6)
    np.testing.assert_allclose(line.lead, 0, atol=1e-6)


@pytest.mark.parametrize("fps", [12.5, 40.0, 100.0])
def test_the_same_moments_are_found_at_another_frame_rate(fps):
    line = aligned(perform("swing"), perform("swing", fps=fps))
    moving = slice(len(line) // 5, -len(line) // 5)  # where standing still does not leave the time open
    apart = line.reference / 25.0 - line.query / fps
    assert np.abs(apart[moving]).max() < 0.5 / min(fps, 25.0)


def test_exchanging_the_performances_exchanges_the_columns():
    pair = perform(noise=0.01, seed=1), perform(fault=KNEE, noise=0.01, seed=2, fps=33.0)
    there, back = aligned(*pair), aligned(*pair[::-1])
    np.testing.assert_allclose(there.reference, back.query, atol=0.2)
    np.testing.assert_allclose(there.query, back.reference, atol=0.2)
    np.testing.assert_allclose(there.lead, -back.lead, atol=0.005)


@pytest.mark.parametrize("frames", [(98, 40), (40, 98), (1, 30), (30, 1), (2, 2), (1, 1)])
def test_both_columns_never_decrease_and_stay_inside(frames):
    pair = [repeated(perform("swing"), count) for count in frames]
    line = aligned(*pair)
    for places, count in zip((line.reference, line.query), frames, strict=True):
        assert len(places) == max(frames)
        assert (np.diff(places) >= 0).all()
        assert 0 <= places[0] <= places[-1] <= count - 1


def test_a_moment_is_uncertain_where_the_body_rests_and_not_where_it_moves():
    line = aligned(perform("squat"), perform("squat", fps=30.0))
    seconds = line.reference / 25.0
    resting, moving = seconds < 0.3, (seconds > 1.0) & (seconds < 1.5)
    assert line.spread[resting].mean() > 1.5 * line.spread[moving].mean()


def test_long_performances_are_aligned_from_coarse_to_fine_as_well_as_short_ones():
    short, long = (repeated(perform("swing"), count, noise=0.002, seed=count) for count in (DIRECT, DIRECT + 400))
    assert (aligned(short, short).levels, aligned(long, long).levels) == (1, 2)
    line = aligned(long, repeated(perform("swing"), DIRECT + 400, noise=0.002, seed=1))
    assert np.abs(line.reference - line.query).max() < 3


def test_the_description_of_a_long_alignment_is_small():
    line = aligned(*[repeated(perform("swing", view="2d"), 5000, noise=0.5, seed=seed) for seed in (1, 2)])
    told = describe(line, Settings())
    assert max(told.costs.shape) <= 400
    assert len(told.path) < 10_100


@pytest.mark.parametrize(("n", "m"), [(98, 98), (98, 60), (60, 98), (2, 30), (1, 1)])
def test_the_path_leads_from_corner_to_corner_by_monotone_steps(n, m):
    told = describe(aligned(repeated(perform("swing"), n), repeated(perform("swing"), m)), Settings())
    steps = np.diff(told.path, axis=0)
    assert told.path[0].tolist() == [0, 0]
    assert told.path[-1].tolist() == [n - 1, m - 1]
    assert (steps >= 0).all()
    assert told.correspondence.shape == told.uncertainty.shape == (n,)


def test_the_divergence_is_zero_for_equal_performances_only():
    assert compare(perform(), perform()).alignment.divergence == pytest.approx(0, abs=1e-9)
    assert compare(perform(), perform(fault=KNEE)).alignment.divergence > 1e-3


@pytest.mark.parametrize("gamma", [0.0, 1e-300, 0.1, 1e6])
def test_every_softness_gives_an_alignment(gamma):
    line = aligned(perform(), perform(fps=30.0), Settings(gamma=gamma))
    assert np.isfinite(line.reference).all()
    assert np.isfinite(line.spread).all()


def test_values_at_moments_are_found_at_the_frames_of_the_reference():
    line = aligned(perform(), perform(fps=50.0))
    np.testing.assert_allclose(line.by_reference_frame(line.reference), np.arange(98), atol=0.51)


def test_a_timeline_knows_its_length():
    line = aligned(perform(), perform())
    assert isinstance(line, Timeline)
    assert len(line) == 98


def test_features_are_about_their_own_mean_and_in_tolerances():
    body = aligned(perform(), perform()).pair[0]
    fine, coarse = (
        features(body, EVEN, Settings(position_tolerance=size, angle_tolerance=100 * size)) for size in (0.1, 0.2)
    )
    np.testing.assert_allclose(fine[0].mean(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(fine[0], 2 * coarse[0])
    assert fine[1].shape == fine[0].shape[:2]
