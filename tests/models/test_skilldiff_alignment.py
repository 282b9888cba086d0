import pytest

torch = pytest.importorskip("torch")

from hypothesis import given  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from posediff.models.skilldiff_alignment import comparable, counterparts, timing  # noqa: E402
from posediff.models.skilldiff_settings import AlignmentSettings  # noqa: E402

SHARP = AlignmentSettings(gamma=0.002, unit=False)
#: Steps of which every one is far from every other.
STEPS = 10 * torch.eye(8)


def played(*steps: int) -> torch.Tensor:
    """A performance that shows these steps, a frame each."""
    return STEPS[list(steps)][None]


@pytest.mark.parametrize(
    ("query", "reference", "late"),
    [  # in frames, by hand; where several frames of the reference show the same step, their mean counts
        ((0, 0, 0, 1, 2, 3, 4, 5), (0, 1, 2, 3, 3, 4, 4, 5), [0, 1, 2, 2, 2, 1.5, 0.5, 0]),
        ((0, 1, 2, 3, 4, 5, 5, 5), (0, 0, 0, 1, 2, 3, 4, 5), [-1, -2, -2, -2, -2, -2, -1, 0]),
    ],
)
def test_a_warped_copy_differs_in_timing_alone(query, reference, late):
    found = counterparts(played(*query), played(*reference), SHARP)
    torch.testing.assert_close(found.features, played(*query))
    late = torch.tensor([late]) / 8
    torch.testing.assert_close(timing(found.places, signed=True), late)
    torch.testing.assert_close(timing(found.places, signed=False), late.abs())


def test_a_step_too_many_has_no_counterpart():
    query, reference = played(0, 1, 7, 7, 2, 3, 4, 5), played(0, 1, 2, 3, 4, 4, 5, 5)
    found = counterparts(query, reference, AlignmentSettings(gamma=0.002, unit=False, skip=1.0))
    torch.testing.assert_close(found.skipped, torch.tensor([[0.0, 0, 1, 1, 0, 0, 0, 0]]), atol=1e-5, rtol=0)
    assert not found.features[0, 2:4].any()
    torch.testing.assert_close(found.features[0, :2], query[0, :2])
    assert found.places[0, 1:5].tolist() == [1, 1, 1, 2]
    assert found.missed.abs().max() < 1e-5


@pytest.mark.parametrize(
    ("query", "reference", "missed"),
    [
        ((0, 1, 4, 5, 5, 5), (0, 1, 2, 3, 4, 5), [0, 0, 2, 0, 0, 0]),
        ((2, 3, 4, 5, 5, 5), (0, 1, 2, 3, 4, 5), [2, 0, 0, 0, 0, 0]),
        ((0, 0, 0, 1, 2, 3), (0, 1, 2, 3, 4, 5), [0, 0, 0, 0, 0, 2]),
    ],
)
def test_steps_left_out_are_seen_where_they_belong(query, reference, missed):
    found = counterparts(played(*query), played(*reference), AlignmentSettings(gamma=0.002, unit=False, skip=1.0))
    torch.testing.assert_close(found.missed, torch.tensor([missed], dtype=torch.float32), atol=1e-4, rtol=0)
    assert found.skipped.max() < 1e-5


@given(st.integers(0, 99), st.floats(0.01, 1.0), st.floats(0.05, 2.0))
def test_missed_frames_sum_to_all_that_are_skipped(seed, gamma, skip):
    from posediff.alignment import soft_alignment

    generator = torch.Generator().manual_seed(seed)
    x, y = torch.randn(2, 3, 9, 4, generator=generator)
    found = counterparts(x, y, AlignmentSettings(gamma=gamma, unit=False, skip=skip))
    every = soft_alignment(x, y, gamma=gamma, skip=skip).skipped_y
    torch.testing.assert_close(found.missed.sum(dim=1), every.sum(dim=1).float())
    assert (found.places.diff(dim=1) >= 0).all()
    assert found.places.min() >= 0
    assert found.places.max() <= 8


def test_without_an_alignment_frames_of_the_same_number_are_compared():
    query, reference = played(0, 0, 1), played(0, 1, 1)
    found = counterparts(query, reference, None)
    assert torch.equal(found.features, reference)
    assert not timing(found.places, signed=True).any()


def test_a_band_keeps_counterparts_near():
    query, reference = played(0, 0, 0, 0, 0, 1), played(0, 1, 1, 1, 1, 1)
    offsets = [
        timing(counterparts(query, reference, AlignmentSettings(gamma=0.002, unit=False, band=band)).places, False)
        for band in (None, 1)
    ]
    assert offsets[0].max() > 0.3
    assert offsets[1].max() < 1.001 / 6


def test_with_unit_lengths_size_does_not_matter():
    x, y = torch.randn(2, 1, 6, 4)
    settings = AlignmentSettings(gamma=0.1)
    once, larger = counterparts(x, y, settings), counterparts(5 * x, 3 * y, settings)
    torch.testing.assert_close(once.places, larger.places)
    torch.testing.assert_close(comparable(x, settings).norm(dim=2), torch.ones(1, 6))


@pytest.mark.parametrize("trained", [False, True])
def test_correspondences_are_differentiated_if_asked_for(trained):
    query, reference = torch.randn(2, 1, 5, 3)
    query.requires_grad_()
    reference.requires_grad_()
    counterparts(query, reference, AlignmentSettings(trained=trained)).features.square().sum().backward()
    assert (query.grad is not None) == trained
    assert reference.grad.any()
