import os
from functools import partial

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from posediff.alignment import engine, torch_threads  # noqa: E402
from posediff.alignment.torch_threads import solve_parts  # noqa: E402
from posediff.errors import BadData  # noqa: E402


@pytest.fixture(autouse=True)
def _every_batch_is_worth_it(monkeypatch):
    monkeypatch.setattr(torch_threads, "SHARED_CELLS", 0)


def batch(count: int, seed: int = 0) -> list:
    generator = np.random.default_rng(seed)
    x, y = generator.normal(size=(count, 20, 3)), generator.normal(size=(count, 30, 3))
    return [x, y, generator.integers(1, 21, count), generator.integers(1, 31, count), np.full(count, 0.5), None]


@pytest.mark.parametrize("count", [2, 3, 7])
@pytest.mark.parametrize("gradient", [True, False])
def test_parts_give_what_the_whole_gives(count, gradient):
    given, solve = batch(count), partial(engine.solve_pair, gradient=gradient)
    whole, made = solve(*given, threads=1), solve_parts(solve, *given, threads=2)
    for a, b in zip(whole, made, strict=True):
        assert (a is None) == (b is None)
        if a is not None:
            np.testing.assert_array_equal(a, b)


def test_each_part_has_a_thread_of_its_own_on_one_core_and_nobody_else_notices():
    before, seen = torch.get_num_threads(), []

    def solve(x, *rest, threads):
        seen.append((len(x), threads, torch.get_num_threads()))
        return engine.PairSolution(np.zeros(len(x)))

    solve_parts(solve, *batch(4), threads=2)
    assert sum(items for items, _, _ in seen) == 4
    assert {tuple(rest) for _, *rest in seen} == {(1, 1)}
    assert torch.get_num_threads() == before


def test_small_batches_and_single_threads_stay_whole(monkeypatch):
    def solve(x, *rest, threads):
        return engine.PairSolution(np.full(len(x), len(x)))

    assert solve_parts(solve, *batch(4), threads=1).value.tolist() == [4] * 4
    assert solve_parts(solve, *batch(1), threads=2).value.tolist() == [1]
    monkeypatch.setattr(torch_threads, "SHARED_CELLS", 10**6)
    assert solve_parts(solve, *batch(4), threads=2).value.tolist() == [4] * 4


def test_an_error_counts_the_items_of_the_whole_batch():
    given = batch(4)
    given[0][3, 0, 0] = np.nan
    with pytest.raises(BadData, match="in frame 0 of item 3"):
        solve_parts(engine.solve_pair, *given, threads=2)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no processes can be forked here")
def test_a_fork_makes_threads_of_its_own():
    given = batch(4)
    expected = solve_parts(engine.solve_pair, *given, threads=2).value
    child = os.fork()
    if not child:
        try:
            same = np.array_equal(solve_parts(engine.solve_pair, *given, threads=2).value, expected)
        except BaseException:  # a child that raised would run the rest of the tests
            same = False
        os._exit(0 if same else 1)
    assert os.waitpid(child, 0)[1] == 0
