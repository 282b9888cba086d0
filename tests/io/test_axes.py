import numpy as np

from posediff.io.axes import y_up, z_up

POINTS = np.random.default_rng(0).normal(size=(4, 5, 3))


def test_up_stays_up() -> None:
    assert y_up(np.array([0, 0, 1])).tolist() == [0, 1, 0]


def test_turning_back_gives_the_points_again() -> None:
    np.testing.assert_array_equal(z_up(y_up(POINTS)), POINTS)


def test_a_turn_mirrors_nothing() -> None:
    assert np.linalg.det(y_up(np.eye(3)).T) == 1
