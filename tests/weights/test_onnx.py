import numpy as np
import pytest

from posediff.errors import BadData, BadSetting
from posediff.weights.onnx import Network, normalised

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
helper, FLOAT = onnx.helper, onnx.TensorProto.FLOAT


def network(path, *, shape=("n", 3, 4, 5), kind=FLOAT, inputs=("picture",), axes=(2, 3)):
    """A network that gives the mean of each picture's channel."""
    graph = helper.make_graph(
        [helper.make_node("ReduceMean", ["picture"], ["mean"], axes=axes, keepdims=0)],
        "test",
        [helper.make_tensor_value_info(name, kind, shape) for name in inputs],
        [helper.make_tensor_value_info("mean", kind, None)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    return path


@pytest.mark.parametrize("batch", ["n", 1])
def test_every_picture_goes_through_whether_or_not_the_network_takes_several_at_once(tmp_path, batch):
    pictures = np.random.default_rng(0).normal(size=(3, 3, 4, 5)).astype(np.float32)
    found = Network(network(tmp_path / "a.onnx", shape=(batch, 3, 4, 5)), device="cpu").run(pictures)
    np.testing.assert_allclose(found[0], pictures.mean(axis=(2, 3)), rtol=1e-5, atol=1e-6)


def test_what_the_network_is_is_known(tmp_path):
    loaded = Network(network(tmp_path / "a.onnx"), device="cpu", threads=1)
    assert (loaded.size, loaded.outputs) == ((5, 4), ["mean"])
    assert loaded.provenance["device"] == "cpu"
    assert loaded.provenance["weights"] == "a.onnx"
    assert Network(network(tmp_path / "b.onnx", shape=("n", 3, "h", "w"))).size is None


@pytest.mark.parametrize(
    "fault",
    [
        {"shape": ("n", 1, 4, 5)},
        {"shape": (3, 4, 5), "axes": [1]},
        {"kind": onnx.TensorProto.DOUBLE},
        {"inputs": ("picture", "other")},
    ],
)
def test_a_network_that_takes_something_else_than_pictures_is_refused(tmp_path, fault):
    with pytest.raises(BadData, match=r"expected one tensor\(float\)"):
        Network(network(tmp_path / "a.onnx", **fault), device="cpu")


def test_a_file_that_is_no_network_is_refused(tmp_path):
    (tmp_path / "a.onnx").write_bytes(b"something else")
    with pytest.raises(BadData, match="not a network"):
        Network(tmp_path / "a.onnx", device="cpu")


def test_a_network_that_fails_on_a_picture_is_told(tmp_path):
    loaded = Network(network(tmp_path / "a.onnx"), device="cpu")
    with pytest.raises(BadData, match="failed"):
        loaded.run(np.zeros((1, 3, 9, 9), np.float32))


def test_cuda_is_refused_where_onnxruntime_cannot_use_it(tmp_path):
    import onnxruntime

    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this onnxruntime can use GPUs")
    with pytest.raises(BadSetting, match="cuda"):
        Network(network(tmp_path / "a.onnx"), device="cuda")


def test_normalising_takes_the_channels_in_order():
    picture = np.arange(2 * 4 * 3, dtype=np.uint8).reshape(2, 4, 3)
    found = normalised(picture, (1, 2, 3), (2, 4, 8))
    assert found.shape == (3, 2, 4)
    np.testing.assert_allclose(found[2, 1, 0], (picture[1, 0, 2] - 3) / 8)
