import subprocess
import sys
from warnings import catch_warnings, simplefilter

import numpy as np
import pytest
from scipy.interpolate import interp1d
from tslearn.metrics import soft_dtw as tslearn_soft_dtw

from posediff.alignment import barycenter, soft_dtw
from posediff.errors import BadData, BadSetting

with catch_warnings():
    simplefilter("ignore")  # it misses h5py, which serves nothing here
    from tslearn.barycenters import softdtw_barycenter

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


def walks(*lengths: int, seed: int = 0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [np.cumsum(rng.normal(size=(n, 3)), axis=0) for n in lengths]


@pytest.mark.parametrize("gamma", [0.01, 0.1, 1.0, 10.0])
@pytest.mark.parametrize("weights", [None, [0.1, 2.0, 0.0, 1.0]])
def test_the_objective_is_as_low_as_tslearn_s_from_the_same_beginning(gamma, weights):
    given = walks(17, 12, 20, 15)
    shares = np.ones(4) / 4 if weights is None else np.array(weights) / np.sum(weights)

    def loss(middle: np.ndarray) -> float:
        return sum(share * tslearn_soft_dtw(middle, one, gamma=gamma) for share, one in zip(shares, given, strict=True))

    peer = softdtw_barycenter(given, gamma=gamma, weights=shares, max_iter=30, tol=1e-3, init=given[0].copy())
    made = loss(barycenter(given, gamma=gamma, weights=weights))
    assert made < loss(given[0])
    assert made <= loss(peer) + 1e-3 * abs(loss(peer))


@pytest.mark.parametrize("length", [1, 9, 17, 30])
def test_it_begins_with_the_first_sequence_resampled_to_the_length(length):
    given = walks(17, 12)
    begin = interp1d(np.linspace(0, 1, 17), given[0], axis=0)(np.linspace(0, 1, length))
    made = barycenter(given, length=length)
    assert made.shape == (length, 3)
    np.testing.assert_allclose(made, barycenter(given, init=begin), atol=1e-9)


def test_it_begins_where_told():
    far, near = WAVE + 3, WAVE - 3
    stuck = barycenter([WAVE, WAVE], init=far, tolerance=1e12)
    np.testing.assert_allclose(stuck, far, atol=1e-12)
    for begin in (far, near):
        np.testing.assert_allclose(barycenter([WAVE, WAVE], init=begin, gamma=1e-3, steps=300), WAVE, atol=0.05)


def test_a_smaller_tolerance_and_more_steps_lower_the_objective():
    given = walks(17, 12, 20)
    losses = [
        sum(soft_dtw(barycenter(given, gamma=0.1, steps=steps, tolerance=tolerance), one, gamma=0.1) for one in given)
        for steps, tolerance in ((1, 1e-3), (5, 1e-3), (200, 1e-9))
    ]
    assert losses == sorted(losses, reverse=True)
    assert losses[0] > losses[2]


def test_one_sequence_can_be_fitted_at_another_length():
    (given,) = walks(17)
    made = barycenter([given], length=9, gamma=0.1)
    begin = given[::2]
    assert made.shape == begin.shape
    assert soft_dtw(made, given, gamma=0.1) < soft_dtw(begin, given, gamma=0.1)


def test_a_padded_batch_with_lengths_is_its_sequences_whatever_the_padding_holds():
    given = walks(17, 12, 20)
    batch = np.full((3, 20, 3), np.nan)
    for row, one in zip(batch, given, strict=True):
        row[: len(one)] = one
    np.testing.assert_array_equal(barycenter(batch, lengths=[17, 12, 20]), barycenter(given))


def test_a_batch_without_lengths_is_taken_whole():
    batch = np.stack(walks(9, 9, 9))
    np.testing.assert_array_equal(barycenter(batch), barycenter(list(batch)))


def test_many_sequences_are_aligned_in_parts(monkeypatch):
    given = walks(17, 12, 20, 15, 19)
    whole = barycenter(given)
    monkeypatch.setattr(sys.modules[barycenter.__module__], "CELLS", 2 * 17 * 20)
    np.testing.assert_allclose(barycenter(given), whole, atol=1e-9)


def test_a_far_origin_changes_nothing():
    given = walks(17, 12, 20)
    moved = barycenter([one + 1e6 for one in given], gamma=0.1)
    np.testing.assert_allclose(moved - 1e6, barycenter(given, gamma=0.1), atol=1e-6)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_tensors_give_a_tensor_of_their_type(dtype):
    torch = pytest.importorskip("torch")
    given = [torch.from_numpy(one).to(getattr(torch, dtype)).requires_grad_() for one in walks(17, 12)]
    made = barycenter(given, weights=torch.tensor([1.0, 2.0]))
    assert made.dtype == given[0].dtype
    assert not made.requires_grad
    truth = barycenter([one.detach().double().numpy() for one in given], weights=[1, 2])
    torch.testing.assert_close(made, torch.from_numpy(truth).to(made.dtype))


def test_a_batch_of_tensors_may_have_lengths():
    torch = pytest.importorskip("torch")
    batch = torch.from_numpy(np.stack(walks(9, 9, 9)))
    made = barycenter(batch, lengths=torch.tensor([9, 5, 7]), init=batch[1], length=4)
    truth = barycenter(batch.numpy(), lengths=[9, 5, 7], init=batch[1].numpy(), length=4)
    np.testing.assert_array_equal(made.numpy(), truth)


def test_arrays_need_no_torch():
    code = (
        "import sys, numpy as np; from posediff.alignment import barycenter;"
        "barycenter([np.zeros((4, 2)), np.ones((3, 2))]); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


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


@pytest.mark.parametrize("lengths", [[20], [20, 0], [20, 21], [20.0, 5.0], [[20, 5]]])
def test_lengths_that_do_not_fit_are_refused(lengths):
    with pytest.raises(BadData, match=r"lengths are .* for 2 sequences of 20 frames"):
        barycenter([WAVE, WAVE], lengths=lengths)


def test_a_beginning_of_other_features_is_refused():
    with pytest.raises(BadData, match="init has 1 features, the other 2"):
        barycenter([WAVE, WAVE], init=np.zeros((5, 1)))


@pytest.mark.parametrize("length", [0, -1, 2.5])
def test_a_length_of_no_frames_is_refused(length):
    with pytest.raises(BadSetting, match=f"length is {length}"):
        barycenter([WAVE, WAVE], length=length)


@pytest.mark.parametrize(
    "setting",
    [{"gamma": 0}, {"gamma": -1}, {"gamma": np.nan}, {"steps": 0}, {"tolerance": -1}, {"tolerance": np.nan}],
)
def test_settings_that_are_not_positive_are_refused(setting):
    with pytest.raises(BadSetting, match="gamma is"):
        barycenter([WAVE, WAVE], **setting)
