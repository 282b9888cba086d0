import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from posediff.models.pooling import pool_stages, stage_borders  # noqa: E402


@st.composite
def cases(draw):
    frames, steps = draw(st.integers(4, 12)), draw(st.integers(1, 6))
    count = draw(st.integers(0, 3))
    some = st.lists(st.integers(1, frames - 1), min_size=count, max_size=count, unique=True).map(sorted)
    return frames, steps, draw(st.lists(some, min_size=1, max_size=3))


@given(cases())
def test_every_part_is_the_integral_of_the_features_over_it(case):
    frames, steps, transitions = case
    features = np.random.default_rng(0).normal(size=(len(transitions), frames, 2))
    pooled = pool_stages(torch.tensor(features), torch.tensor(transitions, dtype=torch.int64), steps)
    assert pooled.shape == (len(transitions), len(transitions[0]) + 1, steps, 2)
    for item, inner in enumerate(transitions):
        integral = np.vstack([np.zeros(2), features[item].cumsum(axis=0)])
        for stage, (start, end) in enumerate(zip([0, *inner], [*inner, frames], strict=True)):
            edges = np.linspace(start, end, steps + 1)
            at = np.stack([np.interp(edges, np.arange(frames + 1), integral[:, d]) for d in range(2)], axis=1)
            means = np.diff(at, axis=0) / np.diff(edges)[:, None]
            np.testing.assert_allclose(pooled[item, stage].numpy(), means, atol=1e-5)


def test_a_ramp_gives_the_middles_of_the_parts():
    ramp = torch.arange(10.0, dtype=torch.float64)[None, :, None] + 0.5
    pooled = pool_stages(ramp, torch.tensor([[4]]), 2)
    torch.testing.assert_close(pooled[0, :, :, 0], torch.tensor([[1.0, 3.0], [5.5, 8.5]], dtype=torch.float64))


def test_parts_of_a_single_frame_are_that_frame():
    features = torch.randn(1, 3, 4)
    pooled = pool_stages(features, torch.tensor([[1, 2]]), 5)
    torch.testing.assert_close(pooled[0], features[0, :, None].expand(3, 5, 4))


def test_gradients_are_those_of_finite_differences():
    features = torch.randn(2, 6, 2, dtype=torch.float64, requires_grad=True)
    transitions = torch.tensor([[1, 3], [2, 5]])
    assert torch.autograd.gradcheck(lambda x: pool_stages(x, transitions, 3), features)


def test_borders_are_first_frames_and_the_end():
    assert stage_borders(torch.tensor([[3, 7]]), 9).tolist() == [[0, 3, 7, 9]]
    assert stage_borders(torch.empty(2, 0, dtype=torch.int64), 9).tolist() == [[0, 9], [0, 9]]
