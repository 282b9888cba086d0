import os
import signal
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tslearn.metrics import soft_dtw as tslearn_soft_dtw

from posediff.alignment import engine
from posediff.alignment.bands import BandWidened, SakoeChiba, ranges
from posediff.errors import BadData, BadSetting
from tests.alignment.batches import CASES, Matmul, check, check_pair, pair_truth, truth
from tests.alignment.paths import SEEDS

pytestmark = pytest.mark.filterwarnings("ignore::posediff.alignment.bands.BandWidened")


@pytest.fixture
def two_cores(monkeypatch):
    """Matrices of any size are shared between two cores."""
    monkeypatch.setattr(engine, "SHARED_CELLS", 0)


def whole_of(costs: np.ndarray, gamma: float = 1.0) -> tuple[np.ndarray, ...]:
    """Costs with full lengths, and gamma."""
    count, rows, columns = costs.shape
    return costs, np.full(count, rows), np.full(count, columns), np.full(count, gamma)


@settings(max_examples=80)
@given(CASES, st.integers(1, 3), st.booleans())
def test_a_batch_is_aligned_as_cell_by_cell(case, threads, in_place):
    costs = case.costs
    wanted, given_costs = truth(costs, **case.lengths, **case.model), costs.copy()
    out = given_costs if in_place else None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "SHARED_CELLS", 0)
        if not np.isfinite(wanted.value).all():
            item = int(np.isinf(wanted.value).argmax())
            with pytest.raises(BadData, match=f"item {item} has no alignment"):
                engine.solve(given_costs, **case.lengths, **case.model, threads=threads, out=out)
            return
        made = engine.solve(given_costs, **case.lengths, **case.model, threads=threads, out=out)
    check(made, wanted, costs, **case.model)
    assert not made.expected[wanted.expected == 0].any()
    assert (made.expected is given_costs) == in_place
    if not in_place:
        np.testing.assert_array_equal(given_costs, costs)


@settings(max_examples=30)
@given(CASES, st.integers(1, 3))
def test_without_a_gradient_the_values_are_the_same_bits_and_the_costs_stay(case, threads):
    given_costs, how = case.costs, {**case.lengths, **case.model, "threads": threads}
    if not np.isfinite(truth(case.costs, **case.lengths, **case.model).value).all():
        return
    made = engine.solve(given_costs, **how, gradient=False)
    np.testing.assert_array_equal(made.value, engine.solve(given_costs, **how).value)
    assert made[1:] == (None,) * len(made[1:])
    np.testing.assert_array_equal(given_costs, case.costs)


@settings(max_examples=20)
@given(SEEDS, st.integers(1, 60), st.integers(1, 60), st.sampled_from([0.01, 1.0, 10.0]))
def test_values_are_those_of_tslearn(seed, rows, columns, gamma):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(rows, 3)), rng.normal(size=(columns, 3))
    costs = ((x[:, None] - y) ** 2).sum(axis=2)[None]
    value = engine.solve(*whole_of(costs, gamma), gradient=False).value[0]
    np.testing.assert_allclose(value, tslearn_soft_dtw(x, y, gamma=gamma), rtol=1e-9, atol=1e-9)


def smooth(frames: int, seed: int) -> np.ndarray:
    """(1, T, T) float32 costs of two performances of one movement."""
    rng = np.random.default_rng(seed)
    time = np.linspace(0, 6 * np.pi, frames)
    warped = time + 0.8 * np.sin(time / 3)
    phases, noise = rng.uniform(0, 2 * np.pi, 8), rng.normal(size=(2, frames, 8)) * 0.02
    x, y = (np.sin(t[:, None] + phases) + e for t, e in zip((time, warped), noise, strict=True))
    return ((x[:, None] - y) ** 2).sum(axis=2)[None].astype(np.float32)


@pytest.mark.parametrize("gamma", [1e-3, 1e-2, 0.1, 1.0, 10.0])
@pytest.mark.parametrize("kind", ["random", "large", "smooth", "penalised"])
@pytest.mark.parametrize("threads", [1, 2])
def test_float32_gradients_are_right_to_a_thousandth_at_512_frames(kind, gamma, threads):
    costs = smooth(512, 0)
    if kind != "smooth":
        costs = np.random.default_rng(0).random((1, 512, 512)).astype(np.float32) * (30 if kind == "large" else 1)
    model = {"gamma": np.array([gamma]), "penalty": np.array([0.3]) if kind == "penalised" else None}
    lengths = np.array([512]), np.array([512])
    made, wanted = engine.solve(costs, *lengths, **model, threads=threads), truth(costs, *lengths, **model)
    assert np.abs(made.expected - wanted.expected).max() <= 1e-3 * wanted.expected.max()
    np.testing.assert_allclose(made.value, wanted.value, rtol=1e-5)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("penalty", [10.0, 100.0, 1000.0, 30_000.0])
@pytest.mark.parametrize("threads", [1, 2])
def test_a_penalty_above_all_costs_leaves_the_diagonal(kind, penalty, threads):
    # Sums that never meet their neighbours', and costs that are small beside what they are penalised with.
    costs = (np.random.default_rng(0).random((1, 512, 512)) * 0.01).astype(kind)
    made = engine.solve(*whole_of(costs), np.array([penalty]), threads=threads)
    np.testing.assert_allclose(made.expected[0], np.eye(512), atol=0.05 if penalty == 10.0 else 1e-4)
    if penalty > 10:
        np.testing.assert_allclose(made.value[0], np.trace(costs[0], dtype=np.float64), atol=1e-3)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("fraction", [0.3, 0.5, 0.7])
def test_long_diagonals_of_equal_costs_stay_in_range(kind, fraction):
    costs = np.full((1, 2500, 2500), 1e3, kind)
    costs[0][np.diag_indices(2500)] = fraction
    made = engine.solve(*whole_of(costs, 1.0), threads=1)
    np.testing.assert_allclose(made.expected[0], np.eye(2500), atol=1e-3)
    np.testing.assert_allclose(made.value, 2500 * fraction, rtol=1e-5)


@pytest.mark.parametrize("shape", [(1, 40_000), (40_000, 1), (2, 20_000)])
@pytest.mark.parametrize("threads", [1, 2])
def test_a_row_or_a_column_is_a_matrix_too(shape, threads):
    costs = np.random.default_rng(0).random((1, *shape)).astype(np.float32)
    made = engine.solve(*whole_of(costs), threads=threads)
    check(made, truth(*whole_of(costs)[:3], gamma=np.ones(1)), costs, gamma=1.0)


@settings(max_examples=20)
@given(SEEDS, st.sampled_from([1.0, 50.0]), st.sampled_from([1e-3, 1e-2]))
def test_a_large_penalty_before_an_open_begin_counts(seed, penalty, gamma):
    costs = np.random.default_rng(seed).random((1, 7, 30))
    how = {"gamma": np.array([gamma]), "penalty": np.array([penalty]), "open_begin": True, "open_end": True}
    check(engine.solve(*whole_of(costs)[:3], **how), truth(*whole_of(costs)[:3], **how), costs, **how)


@pytest.mark.parametrize("cost", [10.0, 100.0, 1000.0, 10_000.0])
def test_a_costly_way_around_forbidden_cells_is_found(cost):
    costs = np.zeros((1, 14, 10), np.float32)
    costs[0, :, :4], costs[0, :12, 4], costs[0, 12:, 4] = cost, np.inf, 1
    how = {"gamma": np.array([1e-3])}
    check(engine.solve(*whole_of(costs)[:3], **how), truth(*whole_of(costs)[:3], **how), costs, **how)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("in_place", [False, True])
def test_only_items_out_of_the_range_of_float32_are_aligned_in_float64(kind, in_place):
    costs = np.random.default_rng(0).random((4, 50, 60)).astype(kind)
    costs[1] *= 1e5
    costs[3] *= -1e5
    gamma = np.array([1.0, 1e-3, 1e-3, 1e-2])
    lengths, model = np.array([[50, 40, 30, 50], [60, 60, 50, 40]]), {"gamma": gamma, "penalty": np.full(4, 0.1)}
    given_costs = costs.copy()
    made = engine.solve(given_costs, *lengths, **model, out=given_costs if in_place else None)
    check(made, truth(costs, *lengths, **model), costs, **model)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_a_gamma_too_small_for_float64_is_refused(kind):
    costs = np.full((2, 5, 6), 1000.0, kind)
    with pytest.raises(BadSetting, match="gamma is 1e-14, so small that the costs of item 1 leave"):
        engine.solve(*whole_of(costs)[:3], np.array([1.0, 1e-14]))


@pytest.mark.parametrize("bad", [np.nan, -np.inf])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("in_place", [False, True])
def test_a_cost_that_is_not_a_number_is_located(two_cores, kind, bad, threads, in_place):
    for items in (1, 3):
        costs = np.random.default_rng(0).random((items, 40, 50)).astype(kind)
        costs[-1, 33, 17] = bad
        with pytest.raises(BadData, match=f"the cost of item {items - 1} in row 33 and column 17 is {bad}"):
            engine.solve(*whole_of(costs), threads=threads, out=costs if in_place else None)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_an_item_without_an_alignment_is_named(kind):
    costs = np.random.default_rng(0).random((3, 40, 50)).astype(kind)
    costs[1, 20] = np.inf
    with pytest.raises(BadData, match="item 1 has no alignment of finite cost"):
        engine.solve(*whole_of(costs))


def test_padding_and_cells_out_of_the_band_may_be_anything():
    costs = np.random.default_rng(0).random((2, 40, 50))
    lengths, model = (np.array([30, 40]), np.array([50, 20])), {"gamma": np.ones(2), "band": SakoeChiba(3.0)}
    cells = ranges(model["band"], *lengths, 40)
    inside = (np.arange(50) >= cells.first[..., None]) & (np.arange(50) < cells.end[..., None])
    for other in (np.nan, -np.inf, 1e300):
        made = engine.solve(np.where(inside, costs, other), *lengths, **model)
        check(made, truth(costs, *lengths, **model), costs, **model)
        assert not made.expected[~inside].any()


def test_a_band_without_a_path_is_widened_with_a_warning():
    costs = np.random.default_rng(0).random((1, 5, 90))
    with pytest.warns(BandWidened):
        made = engine.solve(*whole_of(costs), band=SakoeChiba(0.0))
    assert np.isfinite(made.value[0])


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_input_of_any_layout_is_taken_and_left_alone(kind):
    costs = np.random.default_rng(0).random((3, 40, 50)).astype(kind)
    wanted = engine.solve(*whole_of(costs))
    locked = costs.copy()
    locked.flags.writeable = False
    spread = np.zeros((3, 80, 100), kind)[:, ::2, ::2]
    spread[:] = costs
    turned = np.asfortranarray(costs)
    for other in (locked, spread, turned, turned[::-1][::-1]):
        made = engine.solve(*whole_of(other))
        np.testing.assert_array_equal(made.expected, wanted.expected)
        np.testing.assert_array_equal(made.value, wanted.value)
        np.testing.assert_array_equal(other, costs)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("count", [1, 5])
@pytest.mark.parametrize("threads", [1, 2])
def test_results_are_the_same_bits_every_time(two_cores, kind, count, threads):
    costs = np.random.default_rng(0).random((count, 150, 130)).astype(kind)
    first = engine.solve(*whole_of(costs), threads=threads)
    for _ in range(5):
        for mine, theirs in zip(first, engine.solve(*whole_of(costs.copy()), threads=threads), strict=True):
            np.testing.assert_array_equal(mine, theirs)


def test_many_threads_may_align_at_once(two_cores):
    costs = np.random.default_rng(0).random((16, 1, 120, 110)).astype(np.float32)
    wanted = [engine.solve(*whole_of(item), threads=2).expected for item in costs]
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda item: engine.solve(*whole_of(item), threads=2).expected, costs))
    np.testing.assert_array_equal(made, wanted)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_process_aligns_on_threads_of_its_own(two_cores):
    costs = np.random.default_rng(0).random((1, 120, 110))
    wanted = engine.solve(*whole_of(costs), threads=2)
    child = os.fork()
    if child == 0:  # must never return to pytest
        signal.alarm(60)
        same = False
        try:
            same = np.array_equal(engine.solve(*whole_of(costs), threads=2).expected, wanted.expected)
        finally:
            os._exit(0 if same else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@given(st.lists(st.tuples(st.integers(1, 500), st.integers(1, 500)), min_size=1, max_size=40), st.integers(1, 8))
def test_a_batch_is_divided_into_runs_of_about_as_many_cells(sizes, count):
    rows, columns = np.array(sizes).T
    runs = engine.parts(rows, columns, count)
    assert [item for low, high in runs for item in range(low, high)] == list(range(len(sizes)))
    assert len(runs) <= count
    cells = rows * columns
    for low, high in runs:
        assert low < high
        assert cells[low : high - 1].sum() <= cells.sum() / count + cells.max()


def test_tasks_run_together_and_give_their_results_in_order():
    assert engine.together([lambda k=k: k * k for k in range(9)]) == [k * k for k in range(9)]
    assert engine.together([lambda: "one"]) == ["one"]
    with pytest.raises(ZeroDivisionError):
        engine.together([lambda: 1, lambda: 1 // 0])


def test_there_is_a_core():
    assert 1 <= engine.cores() <= (os.cpu_count() or 1)


@settings(max_examples=60)
@given(CASES, st.booleans(), st.integers(1, 2))
def test_pairs_are_aligned_as_cell_by_cell(case, checkpoint, threads):
    how = {**case.lengths, **case.pair_model}
    made = engine.solve_pair(*case.pair, **how, checkpoint=checkpoint, threads=threads)
    check_pair(made, pair_truth(*case.pair, **how), case.kind)
    for gradient, lengths in zip((made.grad_x, made.grad_y), case.sizes, strict=True):
        assert not gradient[np.arange(gradient.shape[1]) >= lengths[:, None]].any()
    alone = engine.solve_pair(*case.pair, **how, checkpoint=checkpoint, threads=threads, gradient=False)
    np.testing.assert_array_equal(alone.value, made.value)
    assert alone[1:] == (None,) * 4


def draw_pair(kind: type = np.float64, frames: int = 40, size: int = 3) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 2, frames, size)).astype(kind)
    return x, y, np.full(2, frames), np.full(2, frames), np.ones(2)


def test_products_go_through_the_given_function_and_never_hold_more_than_a_matrix_an_item():
    product, given_pair = Matmul(), draw_pair(frames=60, size=50)
    made = engine.solve_pair(*given_pair, matmul=product)
    assert max(np.prod(shape) for shape in product.shapes) == 2 * 60 * 60
    np.testing.assert_array_equal(made.grad_x, engine.solve_pair(*given_pair).grad_x)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("checkpoint", [False, True])
@pytest.mark.parametrize("name", ["x", "y"])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_value_that_is_not_finite_is_located(kind, checkpoint, name, bad):
    x, y, *rest = draw_pair(kind)
    {"x": x, "y": y}[name][1, 23, 2] = bad
    with pytest.raises(BadData, match=f"{name} is not finite in frame 23 of item 1"):
        engine.solve_pair(x, y, *rest, checkpoint=checkpoint)


@pytest.mark.parametrize("checkpoint", [False, True])
def test_values_far_from_the_origin_keep_their_digits_in_float32(checkpoint):
    x, y, *rest = draw_pair(np.float32)
    x, y = x + np.float32(1000), y + np.float32(1000)
    made = engine.solve_pair(x, y, *rest, checkpoint=checkpoint)
    check_pair(made, pair_truth(x, y, *rest[:2], gamma=rest[2]), np.float32)


@pytest.mark.parametrize("checkpoint", [False, True])
def test_pairs_of_any_layout_are_taken(checkpoint):
    x, y, *rest = draw_pair()
    wanted = engine.solve_pair(x, y, *rest, checkpoint=checkpoint)
    locked = x.copy()
    locked.flags.writeable = False
    made = engine.solve_pair(locked, np.asfortranarray(y), *rest, checkpoint=checkpoint)
    np.testing.assert_allclose(made.grad_x, wanted.grad_x, atol=1e-12)
    np.testing.assert_allclose(made.grad_y, wanted.grad_y, atol=1e-12)
