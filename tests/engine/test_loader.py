import pytest

torch = pytest.importorskip("torch")

from posediff.engine.loader import Loader  # noqa: E402
from posediff.errors import BadData  # noqa: E402


class Squares(torch.utils.data.Dataset):
    """Squares up to 9, of which one cannot be loaded."""

    def __init__(self, damaged=None):
        self.damaged = damaged

    def __len__(self):
        return 10

    def __getitem__(self, number):
        if number == self.damaged:
            raise BadData("picture 7 is damaged", "leave it out")
        return number**2


class Batches(Squares):
    def __getitems__(self, numbers):
        return [self[number] for number in numbers]


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize(("kind", "options"), [(Squares, {"batch_size": None}), (Batches, {"batch_size": 5})])
def test_a_fault_arrives_with_its_message_and_its_hint_wherever_it_was_raised(kind, options, workers):
    options = {**options, "num_workers": workers, "collate_fn": list if options["batch_size"] else None}
    loaded = [*Loader(kind(), **options)]
    assert loaded == ([[0, 1, 4, 9, 16], [25, 36, 49, 64, 81]] if kind is Batches else [n**2 for n in range(10)])
    with pytest.raises(BadData) as caught:
        [*Loader(kind(damaged=7), **{**options, "collate_fn": lambda batch: batch})]
    assert (str(caught.value), caught.value.hint) == ("picture 7 is damaged", "leave it out")


def test_batches_go_on_epoch_after_epoch_with_workers_that_stay():
    loader = Loader(Batches(), batch_size=4, num_workers=1, persistent_workers=True, collate_fn=list)
    assert len(loader) == 3
    assert [*loader] == [*loader]
