import numpy as np
import pytest

from posediff.alignment import barycenter, soft_dtw
from posediff.errors import BadData, BadSetting

WAVE = np.sin(np.linspace(0, 3, 20))[:, None] * [1.0, -2.0]


def constant(value: float, frames: int = 8) -> np.ndarray:
    return np.full((frames, 2), value)


def test_the_barycentre_of_copies_is_the_copy():
    np.testing.assert_allclose(barycenter([WAVE, WAVE, WAVE], gamma=1e-4), WAVE, atol=1e-3)


def test_the_barycentre_of_one_sequence_is_that_sequence():
    np.testing.assert_array_equal(barycenter([WAVE]), WAVE)


def test_the_barycentre_of_two_constants_lies_midway():
    np.testing.assert_allclose(barycenter([constant(-1), constant(3)], gamma=0.01), 1.0, atol=1e-3)


def test_weights_pull_the_barycentre():
    made = barycenter([constant(0), constant(4)], gamma=0.01, weights=np.array([3.0, 1.0]))
    np.testing.assert_allclose(made, 1.0, atol=1e-3)


def test_only_the_ratio_of_weights_matters():
    one, other = (barycenter([WAVE, WAVE + 1], weights=scale * np.array([1.0, 2.0])) for scale in (1, 50))
    np.testing.assert_allclose(one, other, atol=1e-6)


def test_the_barycentre_has_the_length_of_the_first_and_lies_nearer_to_all_than_it():
    others = [WAVE, np.roll(WAVE, 2, axis=0)[:17], WAVE[3:] + 0.3]
    made = barycenter(others, gamma=0.1)
    assert made.shape == WAVE.shape

    def loss(middle: np.ndarray) -> float:
        return sum(soft_dtw(middle, one, gamma=0.1) for one in others)

    assert loss(made) < loss(WAVE)
    rng = np.random.default_rng(0)
    assert all(loss(made) < loss(made + rng.normal(0, 0.2, made.shape)) for _ in range(5))


def test_the_sequences_are_left_as_they_are():
    first = WAVE.copy()
    made = barycenter([first, WAVE + 1])
    made[:] = 0
    barycenter([first])[:] = 0
    np.testing.assert_array_equal(first, WAVE)


def test_nothing_has_no_barycentre():
    with pytest.raises(BadData, match="no sequence"):
        barycenter([])


def test_the_sequence_that_is_not_finite_is_named():
    with pytest.raises(BadData, match="sequence 1 is not finite in frame 0"):
        barycenter([WAVE, np.full((3, 2), np.nan)])


def test_sequences_of_different_features_are_refused():
    with pytest.raises(BadData, match="sequence 1 has 1 features, the other 2"):
        barycenter([WAVE, np.zeros((5, 1))])


@pytest.mark.parametrize("weights", [[1.0], [1.0, -1.0], [0.0, 0.0], [1.0, np.nan], [1.0, np.inf]])
def test_weights_that_do_not_fit_are_refused(weights):
    with pytest.raises(BadData, match="for 2 sequences"):
        barycenter([WAVE, WAVE], weights=np.array(weights))


@pytest.mark.parametrize("setting", [{"gamma": 0}, {"gamma": -1}, {"gamma": np.nan}, {"steps": 0}])
def test_settings_that_are_not_positive_are_refused(setting):
    with pytest.raises(BadSetting, match="gamma is"):
        barycenter([WAVE, WAVE], **setting)
