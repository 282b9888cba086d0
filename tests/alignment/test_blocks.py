import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from posediff.alignment import blocks, engine
from posediff.alignment.bands import BandWidened, Itakura, SakoeChiba
from posediff.errors import BadSetting
from tests.alignment.batches import CASES, Matmul, check_pair, pair_truth

pytestmark = pytest.mark.filterwarnings("ignore::posediff.alignment.bands.BandWidened")


def draw(frames: int = 90, kind: type = np.float64, size: int = 3) -> dict[str, np.ndarray]:
    """Two pairs of full length."""
    x, y = np.random.default_rng(0).normal(size=(2, 2, frames, size)).astype(kind)
    lengths = np.full(2, frames)
    return {"x": x, "y": y, "rows": lengths, "columns": lengths, "gamma": np.ones(2)}


@pytest.fixture
def blocks_of_8(monkeypatch):
    monkeypatch.setattr(blocks, "ROWS", 8)


@settings(max_examples=80)
@given(CASES, st.sampled_from([1, 2, 7, 20, 33, 64]))
def test_in_blocks_of_any_size_pairs_are_aligned_as_cell_by_cell(case, rows):
    how = {**case.lengths, **case.pair_model}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "ROWS", rows)
        made = engine.solve_pair(*case.pair, **how, checkpoint=True)
        alone = engine.solve_pair(*case.pair, **how, checkpoint=True, gradient=False)
    check_pair(made, pair_truth(*case.pair, **how), case.kind)
    for gradient, lengths in zip((made.grad_x, made.grad_y), case.sizes, strict=True):
        assert not gradient[np.arange(gradient.shape[1]) >= lengths[:, None]].any()
    np.testing.assert_array_equal(alone.value, made.value)
    assert alone[1:] == (None,) * 4


@settings(max_examples=20)
@given(CASES)
def test_blocks_change_nothing(case):
    how = {**case.lengths, **case.pair_model}
    wanted = engine.solve_pair(*case.pair, **how)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "ROWS", 9)
        made = engine.solve_pair(*case.pair, **how, checkpoint=True)
    check_pair(made, wanted, case.kind)


def test_no_more_than_a_block_of_costs_is_made_at_once(blocks_of_8):
    product = Matmul()
    engine.solve_pair(**draw(), checkpoint=True, matmul=product)
    assert max(np.prod(shape) for shape in product.shapes) == 8 * 90


@pytest.mark.parametrize("band", [SakoeChiba(5.0), Itakura(1.2)])
def test_within_a_band_blocks_are_as_narrow_as_the_band(blocks_of_8, band):
    given_pair, full, narrow = draw(), Matmul(), Matmul()
    engine.solve_pair(**given_pair, checkpoint=True, matmul=full)
    engine.solve_pair(**given_pair, checkpoint=True, matmul=narrow, band=band)
    cells = [sum(np.prod(shape) for shape in product.shapes) for product in (full, narrow)]
    assert cells[1] < 0.6 * cells[0]
    if isinstance(band, SakoeChiba):
        assert max(shape[2] for shape in narrow.shapes) <= 8 + 2 * 5


def test_a_large_matrix_with_a_band_is_made_in_blocks(blocks_of_8, monkeypatch):
    monkeypatch.setattr(engine, "LARGE_CELLS", 90 * 90)
    product = Matmul()
    made = engine.solve_pair(**draw(), band=SakoeChiba(5.0), matmul=product)
    assert max(np.prod(shape) for shape in product.shapes) <= 90 * (8 + 2 * 5)
    check_pair(made, pair_truth(**draw(), band=SakoeChiba(5.0)), np.float64)


def test_memory_does_not_grow_with_the_square_of_the_length(monkeypatch):
    monkeypatch.setattr(blocks, "ROWS", 64)
    given_pair = draw(1500, np.float32)
    engine.solve_pair(**given_pair, checkpoint=True)
    tracemalloc.start()
    try:
        engine.solve_pair(**given_pair, checkpoint=True)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 0.5 * 1500 * 1500 * 4


@pytest.mark.parametrize("gradient", [False, True])
def test_costs_out_of_the_range_of_float32_are_aligned_in_float64(blocks_of_8, gradient):
    given_pair = draw(kind=np.float32)
    given_pair["x"][1] *= np.float32(1000)
    given_pair["gamma"] = np.array([1.0, 1e-2])
    made = engine.solve_pair(**given_pair, checkpoint=True, gradient=gradient)
    wanted = pair_truth(**given_pair)
    np.testing.assert_allclose(made.value, wanted.value, rtol=1e-5)
    if gradient:
        assert made.grad_x.dtype == np.float32
        np.testing.assert_allclose(made.grad_x, wanted.grad_x, rtol=1e-3, atol=1e-3)
        np.testing.assert_allclose(made.grad_y, wanted.grad_y, rtol=1e-3, atol=2)
        np.testing.assert_allclose(made.steps, wanted.steps, atol=1e-2)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_a_gamma_too_small_for_float64_is_refused(blocks_of_8, kind):
    given_pair = {**draw(kind=kind), "gamma": np.array([1.0, 1e-17])}
    with pytest.raises(BadSetting, match="gamma is 1e-17, so small that the costs of item 1 leave"):
        engine.solve_pair(**given_pair, checkpoint=True)


def test_a_band_without_a_path_is_widened_with_a_warning(blocks_of_8):
    given_pair = {**draw(), "columns": np.array([11, 90])}
    with pytest.warns(BandWidened):
        made = engine.solve_pair(**given_pair, checkpoint=True, band=SakoeChiba(0.0))
    check_pair(made, pair_truth(**given_pair, band=SakoeChiba(0.0)), np.float64)


def test_results_are_the_same_bits_every_time(blocks_of_8):
    first = engine.solve_pair(**draw(), checkpoint=True)
    for _ in range(5):
        for mine, theirs in zip(first, engine.solve_pair(**draw(), checkpoint=True), strict=True):
            np.testing.assert_array_equal(mine, theirs)
