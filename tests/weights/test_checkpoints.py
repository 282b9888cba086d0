import pickle
from collections import OrderedDict
from contextlib import suppress

import numpy as np
import pytest

from posediff.errors import BadData, BadSetting
from posediff.weights.checkpoints import load_weights, read_checkpoint, torch_device, weights_of

torch = pytest.importorskip("torch")

#: What code in a checkpoint would leave behind, were it run.
RUN = []


class History:
    """What training leaves in a checkpoint: an object that is pickled with its attributes and a method."""

    def __init__(self):
        self.values = np.arange(3)
        self.methods = {"mean": self.mean}

    def mean(self):
        return self.values.mean()


class Hostile:
    def __reduce__(self):
        return RUN.append, ("it ran",)


class Shell:
    def __reduce__(self):
        import os

        return os.system, ("exit 1",)


def saved(path, content, **options):
    torch.save(content, path, **options)
    return path


def test_tensors_arrays_and_plain_values_come_back(tmp_path):
    content = {
        "state_dict": OrderedDict(weight=torch.arange(6.0).reshape(2, 3)),
        "meta": {"sigmas": np.array([0.5, 1], np.float32), "epoch": 3, "name": "net", "score": np.float64(0.25)},
    }
    found = read_checkpoint(saved(tmp_path / "a.pth", content))
    assert torch.equal(found["state_dict"]["weight"], content["state_dict"]["weight"])
    np.testing.assert_array_equal(found["meta"]["sigmas"], content["meta"]["sigmas"])
    assert (found["meta"]["epoch"], found["meta"]["name"], found["meta"]["score"]) == (3, "net", 0.25)


def test_what_training_leaves_beside_the_weights_does_not_keep_them_from_being_read(tmp_path):
    path = saved(tmp_path / "a.pth", {"state_dict": {"weight": torch.ones(2)}, "message_hub": {"loss": History()}})
    found = read_checkpoint(path)
    assert weights_of(found, path)["weight"].tolist() == [1, 1]
    assert not isinstance(found["message_hub"]["loss"], History)


def test_nothing_that_a_checkpoint_names_is_run(tmp_path):
    RUN.clear()
    path = saved(tmp_path / "a.pth", {"state_dict": {"weight": torch.ones(2)}, "meta": Hostile()})
    with suppress(BadData):
        read_checkpoint(path)
    assert RUN == []
    with pytest.raises(BadData, match="cannot be read"):
        read_checkpoint(saved(tmp_path / "b.pth", {"state_dict": {}, "meta": Shell()}))


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", pickle.dumps({"weight": History})])
def test_a_file_that_is_no_checkpoint_is_refused(tmp_path, content):
    (tmp_path / "a.pth").write_bytes(content)
    with pytest.raises(BadData, match=r"a\.pth: .*, or is no checkpoint\)") as caught:
        read_checkpoint(tmp_path / "a.pth", "give another")
    assert caught.value.hint == "give another"


def test_nobody_is_told_to_run_what_a_checkpoint_names(tmp_path):
    path = saved(tmp_path / "a.pth", {"meta": Shell()}, _use_new_zipfile_serialization=False)
    with pytest.raises(BadData, match=r"\(it holds more than weights, or is no checkpoint\)$") as caught:
        read_checkpoint(path)
    assert "weights_only" not in f"{caught.value} {caught.value.hint}"


def test_a_file_that_cannot_be_opened_is_told_by_its_reason(tmp_path):
    for path, reason in ((tmp_path / "lost.pth", "no such file"), (tmp_path, "is a directory")):
        with pytest.raises(BadData, match=rf"\({reason}\)$"):
            read_checkpoint(path)


@pytest.mark.parametrize("part", [0.3, 0.6, 0.98])
def test_a_damaged_checkpoint_is_refused_or_read(tmp_path, part):
    path = saved(tmp_path / "a.pth", {"weight": torch.ones(20), "meta": {"text": "x" * 40}})
    data = bytearray(path.read_bytes())
    for place in range(int(part * len(data)), int(part * len(data)) + 9):
        data[place] ^= 0xA5
    path.write_bytes(data)
    with suppress(BadData):
        read_checkpoint(path)


def test_the_oldest_format_is_read_too(tmp_path):
    path = saved(tmp_path / "a.pth", {"weight": torch.ones(2)}, _use_new_zipfile_serialization=False)
    assert read_checkpoint(path)["weight"].tolist() == [1, 1]


@pytest.mark.parametrize("content", [[torch.ones(2)], torch.ones(2)])
def test_weights_without_names_are_refused(tmp_path, content):
    with pytest.raises(BadData, match="by name"):
        read_checkpoint(saved(tmp_path / "a.pth", content))


@pytest.mark.parametrize("wrap", [dict, lambda w: {"state_dict": w, "meta": {}}, lambda w: {"model": w, "epoch": 1}])
def test_weights_are_found_wherever_they_are_kept(tmp_path, wrap):
    weight = torch.ones(2)
    assert weights_of(wrap({"module.layer.weight": weight}), tmp_path) == {"layer.weight": weight}


@pytest.mark.parametrize("content", [{}, {"state_dict": {}}, {"epoch": 1}, {"state_dict": {"weight": "text"}}])
def test_a_checkpoint_without_weights_is_refused(tmp_path, content):
    with pytest.raises(BadData, match="no weights"):
        weights_of(content, tmp_path / "a.pth")


def test_weights_are_put_into_the_network_and_others_left_out(tmp_path):
    model = torch.nn.Linear(2, 1)
    load_weights(model, {"weight": torch.ones(1, 2), "bias": torch.zeros(1), "other": torch.ones(3)}, tmp_path)
    assert model.weight.tolist() == [[1, 1]]


@pytest.mark.parametrize(
    ("state", "says"),
    [({"weight": torch.ones(1, 2)}, "bias"), ({"weight": torch.ones(4, 2), "bias": torch.ones(1)}, "weight")],
)
def test_weights_that_are_missing_or_of_another_shape_are_named(tmp_path, state, says):
    with pytest.raises(BadData, match=says):
        load_weights(torch.nn.Linear(2, 1), state, tmp_path)


def test_the_device_is_the_one_that_is_there():
    there = torch.cuda.is_available()
    assert torch_device("cpu").type == "cpu"
    assert torch_device("auto").type == ("cuda" if there else "cpu")
    if not there:
        with pytest.raises(BadSetting, match="cuda"):
            torch_device("cuda")
