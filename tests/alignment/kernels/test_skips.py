import numpy as np
import pytest

from posediff.alignment.kernels import states


def solve(costs: np.ndarray, *skips: np.ndarray | None, gamma: float = 0.3, **opened: bool) -> states.Solution:
    """One problem, its batch of one taken away."""
    n, m = costs.shape
    where = np.zeros((1, n)), np.full((1, n), m), np.array([n]), np.array([m])
    prices = (None if skip is None else skip[None] for skip in skips)
    solution = states.solve(costs[None], *where, np.array([gamma]), np.full(1, 0.1), *prices, **opened)
    return states.Solution(*(part[0] for part in solution))


@pytest.mark.parametrize("open_begin", [False, True])
@pytest.mark.parametrize("open_end", [False, True])
def test_skips_at_an_infinite_price_are_no_skips(open_begin, open_end):
    costs, opened = np.random.default_rng(0).random((20, 30)), {"open_begin": open_begin, "open_end": open_end}
    forbidden = solve(costs, np.full(20, np.inf), np.full(30, np.inf), **opened)
    for part, truth in zip(forbidden, solve(costs, **opened), strict=True):
        np.testing.assert_allclose(part, truth, rtol=1e-10, atol=1e-14)


def test_where_no_match_is_allowed_everything_is_skipped_in_one_way():
    rng = np.random.default_rng(1)
    skip_x, skip_y = rng.random(4), rng.random(6)
    value, expected, skipped_x, skipped_y, steps = solve(np.full((4, 6), np.inf), skip_x, skip_y)
    assert value == pytest.approx(skip_x.sum() + skip_y.sum())
    assert (skipped_x == 1).all()
    assert (skipped_y == 1).all()
    assert steps == 0
    assert not expected.any()


def test_with_an_open_end_frames_of_y_need_not_be_skipped():
    skip_x, skip_y = np.array([0.25, 0.5]), np.ones(3)
    for opened in ({"open_begin": True}, {"open_end": True}, {"open_begin": True, "open_end": True}):
        value, _, skipped_x, skipped_y, _ = solve(np.full((2, 3), np.inf), skip_x, skip_y, **opened)
        assert value == pytest.approx(0.75)
        assert (skipped_x == 1).all()
        assert (skipped_y == 0).all()


def test_every_frame_of_x_is_matched_or_skipped():
    rng = np.random.default_rng(2)
    solution = solve(rng.random((15, 12)), rng.random(15), rng.random(12))
    assert (solution.skipped_x + solution.expected.sum(axis=1) >= 1 - 1e-12).all()
    assert (solution.skipped_y + solution.expected.sum(axis=0) >= 1 - 1e-12).all()
    assert (solution.skipped_x <= 1 + 1e-12).all()


def test_exchanging_the_sequences_exchanges_what_is_skipped():
    rng = np.random.default_rng(3)
    costs, skip_x, skip_y = rng.random((9, 14)), rng.random(9), rng.random(14)
    # One of the two orders in which skips on both sides are counted is as good as the other.
    one, other = solve(costs, skip_x, skip_y), solve(costs.T.copy(), skip_y, skip_x)
    assert one.value == pytest.approx(other.value, rel=1e-12)
    np.testing.assert_allclose(one.expected, other.expected.T, rtol=1e-10)
    np.testing.assert_allclose(one.skipped_x, other.skipped_y, rtol=1e-10)
    np.testing.assert_allclose(one.skipped_y, other.skipped_x, rtol=1e-10)
