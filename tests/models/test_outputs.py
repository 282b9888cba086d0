import pytest

torch = pytest.importorskip("torch")

from posediff.models.outputs import Encoded  # noqa: E402


@pytest.mark.parametrize("rows", [slice(1, 3), torch.tensor([2, 0]), torch.tensor([True, False, True])])
@pytest.mark.parametrize("segmented", [True, False])
def test_selected_performances_keep_what_belongs_to_them(rows, segmented):
    streams = {"fused": torch.arange(3.0)[:, None, None, None].expand(3, 2, 4, 5), "static": torch.rand(3, 2, 4, 5)}
    logits = torch.rand(3, 9, 2) if segmented else None
    chosen = Encoded(streams, torch.tensor([[4], [5], [6]]), logits).select(rows)
    who = torch.arange(3)[rows]
    assert chosen.streams["fused"][:, 0, 0, 0].tolist() == who.tolist()
    assert torch.equal(chosen.streams["static"], streams["static"][who])
    assert chosen.transitions[:, 0].tolist() == [4 + row for row in who.tolist()]
    assert chosen.logits is None if logits is None else torch.equal(chosen.logits, logits[who])
