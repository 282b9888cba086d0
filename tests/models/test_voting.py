import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from posediff.models import voting  # noqa: E402
from posediff.models.voting import each_pair  # noqa: E402

PICKS = st.integers(1, 4).flatmap(
    lambda width: st.lists(st.lists(st.integers(-1, 5), min_size=width, max_size=width), min_size=1, max_size=6)
)


@given(PICKS, st.integers(1, 30))
def test_every_pair_is_compared_by_itself_however_many_are_at_once(picks, at_once):
    sizes = []

    def compare(rows, chosen):
        sizes.append(len(rows))
        return torch.stack((10.0 * rows + chosen, rows * chosen), dim=1).double()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(voting, "PAIRS_AT_ONCE", at_once)
        found = each_pair(torch.tensor(picks), compare)
    assert found.dtype == torch.float64
    assert found.shape == (len(picks), len(picks[0]), 2)
    assert max(sizes) <= at_once
    assert sum(sizes) == sum(pick >= 0 for row in picks for pick in row)
    for row, chosen in enumerate(picks):
        for column, pick in enumerate(chosen):
            expected = [10.0 * row + pick, float(row * pick)] if pick >= 0 else [math.nan] * 2
            assert found[row, column].tolist() == pytest.approx(expected, nan_ok=True)


def test_one_number_a_pair_gives_a_table():
    found = each_pair(torch.tensor([[1, -1], [0, 2]]), lambda rows, chosen: rows + chosen + 0.5)
    assert found.shape == (2, 2)
    assert found[1].tolist() == [1.5, 3.5]


def test_gradients_reach_what_is_compared():
    known = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    found = each_pair(torch.tensor([[0, 2], [2, -1]]), lambda rows, chosen: known[chosen])
    found[~found.isnan()].sum().backward()
    assert known.grad.tolist() == [1.0, 0.0, 2.0]
