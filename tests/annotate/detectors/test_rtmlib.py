import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posediff.annotate.detectors import load
from posediff.annotate.detectors.rtmlib import KINDS, RtmlibDetector, decoded, letterboxed, suppressed
from posediff.annotate.settings import Settings
from posediff.errors import BadData, BadSetting

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
helper, FLOAT = onnx.helper, onnx.TensorProto.FLOAT

WIDTH, HEIGHT = 96, 64
#: Beside the person: a more certain dog, and a person who is not certain at all.
OTHERS = np.array([[[1, 2, 30, 40, 0.95], [5, 6, 20, 30, 0.05]]], np.float32)


def saved(path, nodes, outputs, constants):
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info("picture", FLOAT, (1, 3, HEIGHT, WIDTH))],
        [helper.make_tensor_value_info(name, kind, None) for name, kind in outputs],
        [onnx.numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    return path


def red_finder(path, *, brightness):
    """A network with its own suppression whose person is the rectangle in which BGR pictures are red."""
    nodes = [
        helper.make_node("Gather", ["picture", "red"], ["channel"], axis=1),
        helper.make_node("Greater", ["channel", "brightness"], ["is_red"]),
        helper.make_node("Cast", ["is_red"], ["inside"], to=FLOAT),
    ]
    for across, name in ((2, "x"), (3, "y")):
        nodes += [helper.make_node("ReduceMax", ["inside"], [f"{name}_line"], axes=[1, across], keepdims=0)]
        for last, end in ((0, f"{name}0"), (1, f"{name}1")):
            nodes += [
                helper.make_node(
                    "ArgMax", [f"{name}_line"], [f"{end}_whole"], axis=1, keepdims=1, select_last_index=last
                ),
                helper.make_node("Cast", [f"{end}_whole"], [f"{end}_at"], to=FLOAT),
                helper.make_node("Add", [f"{end}_at", f"step{last}"], [end]),
            ]
    nodes += [
        helper.make_node("Concat", ["x0", "y0", "x1", "y1", "score"], ["row"], axis=1),
        helper.make_node("Unsqueeze", ["row", "first"], ["person"]),
        helper.make_node("Concat", ["person", "others"], ["dets"], axis=1),
        helper.make_node("Identity", ["classes"], ["labels"]),
    ]
    constants = {
        "red": np.array([2]),
        "brightness": np.float32(brightness),
        "step0": np.float32(0),
        "step1": np.float32(1),
        "score": np.array([[0.8]], np.float32),
        "first": np.array([1]),
        "others": OTHERS,
        "classes": np.array([[0, 16, 0]]),
    }
    return saved(path, nodes, [("dets", FLOAT), ("labels", onnx.TensorProto.INT64)], constants)


def raw(boxes):
    """YOLOX's output (1, N, 7) of two classes that holds these boxes: x0, y0, x1, y1, objectness, person, other."""
    cells = [(8, x, y) for y in range(0, HEIGHT, 8) for x in range(0, WIDTH, 8)]
    cells += [(16, x, y) for y in range(0, HEIGHT, 16) for x in range(0, WIDTH, 16)]
    cells += [(32, x, y) for y in range(0, HEIGHT, 32) for x in range(0, WIDTH, 32)]
    table = np.zeros((1, len(cells), 7), np.float32)
    for turn, (x0, y0, x1, y1, *scores) in enumerate(boxes):
        stride = (8, 16, 32)[turn % 3]
        x, y = (x0 + x1) / 2, (y0 + y1) / 2
        row = cells.index((stride, x // stride * stride, y // stride * stride))
        place = [x / stride - x // stride, y / stride - y // stride]
        table[0, row] = [*place, np.log((x1 - x0) / stride), np.log((y1 - y0) / stride), *scores]
    return table


def yolox(path, boxes):
    nodes = [helper.make_node("Identity", ["boxes"], ["output"])]
    return saved(path, nodes, [("output", FLOAT)], {"boxes": raw(boxes)})


def red_rectangle(x0, y0, x1, y1, size):
    picture = np.zeros((size[1], size[0], 3), np.uint8)
    picture[y0:y1, x0:x1, 0] = 255
    return picture


@pytest.fixture(scope="module", params=KINDS)
def detector(request, tmp_path_factory):
    brightness = {"rtmdet": 0.3, "yolox": 140}[request.param]  # both above the grey that fills the letter box
    path = red_finder(tmp_path_factory.mktemp("net") / f"{request.param}.onnx", brightness=brightness)
    return RtmlibDetector(path, device="cpu", threads=1)


@pytest.mark.parametrize("size", [(96, 64), (192, 128), (300, 100), (100, 300), (50, 41)])
def test_the_box_of_a_person_is_where_it_is_in_the_picture(detector, size):
    box = [size[0] // 5, size[1] // 4, size[0] // 2, size[1] * 3 // 4]
    found = detector.detect(red_rectangle(*box, size))
    a_pixel_of_the_letter_box = max(size[0] / WIDTH, size[1] / HEIGHT, 1)
    assert (found.shape, found.dtype) == ((1, 5), np.float32)
    np.testing.assert_allclose(found[0, :4], box, atol=a_pixel_of_the_letter_box)
    np.testing.assert_allclose(found[0, 4], 0.8)


def test_other_things_than_people_and_doubtful_people_are_left_out(detector):
    detector = RtmlibDetector(detector._network.path, threshold=0.01, device="cpu")
    found = detector.detect(red_rectangle(10, 10, 40, 50, (WIDTH, HEIGHT)))
    np.testing.assert_allclose(found, [[10, 10, 40, 50, 0.8], [5, 6, 20, 30, 0.05]])


def test_yolox_s_own_output_is_decoded_and_suppressed(tmp_path):
    boxes = [
        [10, 10, 40, 50, 0.9, 0.9, 0.1],
        [12, 20, 44, 52, 0.9, 0.8, 0.1],  # the same person once more
        [60, 5, 90, 60, 1.0, 0.5, 0.0],
        [5, 40, 30, 60, 0.9, 0.1, 0.9],  # something else
    ]
    found = RtmlibDetector(yolox(tmp_path / "yolox.onnx", boxes), device="cpu").detect(
        np.zeros((HEIGHT * 2, WIDTH * 2, 3), np.uint8)
    )
    np.testing.assert_allclose(found, [[20, 20, 80, 100, 0.81], [120, 10, 180, 120, 0.5]], rtol=1e-5)


def test_rtmlib_finds_the_same_boxes(tmp_path):
    rtmlib = pytest.importorskip("rtmlib")
    rng = np.random.default_rng(1)
    low, extent, scores = rng.uniform(5, 45, (12, 2)), rng.uniform(12, 30, (12, 2)), rng.random((12, 1))
    boxes = np.hstack([low, low + extent, np.ones((12, 1)), scores, np.zeros((12, 1))])
    path = yolox(tmp_path / "yolox.onnx", boxes)
    picture = np.zeros((HEIGHT * 4, WIDTH * 4, 3), np.uint8)
    theirs = rtmlib.YOLOX(str(path), model_input_size=(HEIGHT, WIDTH), score_thr=0.3)(picture)
    ours = RtmlibDetector(path, device="cpu").detect(picture)[:, :4]
    theirs = np.clip(theirs, 0, np.tile([WIDTH * 4, HEIGHT * 4], 2))
    assert len(ours) > 2
    np.testing.assert_allclose(ours, theirs, rtol=1e-4)


def test_boxes_end_at_the_picture_s_edge(tmp_path):
    path = yolox(tmp_path / "yolox.onnx", [[-10, -5, 40, 90, 1, 1, 0]])
    found = RtmlibDetector(path, device="cpu").detect(np.zeros((HEIGHT, WIDTH, 3), np.uint8))
    np.testing.assert_allclose(found, [[0, 0, 40, HEIGHT, 1]])


def test_a_network_of_other_strides_or_another_layout_is_refused(tmp_path):
    with pytest.raises(BadData, match="10 boxes"):
        decoded(np.zeros((10, 6)), (WIDTH, HEIGHT))
    nodes = [helper.make_node("ReduceMean", ["picture"], ["output"], axes=[1, 2], keepdims=0)]
    path = saved(tmp_path / "yolox.onnx", nodes, [("output", FLOAT)], {})
    with pytest.raises(BadData, match=r"shapes \(1, 96\)") as caught:
        RtmlibDetector(path, device="cpu").detect(np.zeros((HEIGHT, WIDTH, 3), np.uint8))
    assert "expected" in caught.value.hint


def test_the_kind_is_told_by_the_name_or_has_to_be_said(tmp_path):
    path = yolox(tmp_path / "net.onnx", [])
    with pytest.raises(BadSetting, match=r"net\.onnx"):
        RtmlibDetector(path, device="cpu")
    with pytest.raises(BadSetting, match="ssd"):
        RtmlibDetector(path, kind="ssd", device="cpu")
    assert RtmlibDetector(path, kind="rtmdet", device="cpu").kind == "rtmdet"


def test_settings_choose_the_weights_and_the_result_says_which(tmp_path):
    path = yolox(tmp_path / "yolox.onnx", [])
    loaded = load(Settings(pose="rtmlib", detector="rtmlib", detector_weights=str(path), device="cpu"))
    assert loaded.provenance["kind"] == "yolox"
    assert loaded.provenance["weights"] == "yolox.onnx"
    assert loaded.detect(np.zeros((HEIGHT, WIDTH, 3), np.uint8)).shape == (0, 5)


@given(width=st.integers(1, 300), height=st.integers(1, 300))
def test_a_letter_box_holds_the_whole_picture_and_grey(width, height):
    letter, scale = letterboxed(np.full((height, width, 3), 200, np.uint8), (WIDTH, HEIGHT))
    wide, high = np.round(scale * [width, height]).astype(int)
    assert wide == WIDTH or high == HEIGHT
    assert (letter[:high, :wide] == 200).all()
    assert (letter[high:] == 114).all()
    assert (letter[:, wide:] == 114).all()


corner = st.integers(0, 20)
box = st.tuples(corner, corner, st.integers(1, 20), st.integers(1, 20)).map(
    lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3])
)


def overlap_of(one, other):
    """Intersection over union, by counting unit squares."""
    squares = [{(x, y) for x in range(b[0], b[2]) for y in range(b[1], b[3])} for b in (one, other)]
    return len(squares[0] & squares[1]) / len(squares[0] | squares[1])


@given(boxes=st.lists(box, max_size=6), overlap=st.sampled_from([0.1, 0.3, 0.45, 0.7]))
def test_suppression_keeps_a_box_unless_a_better_kept_one_overlaps_it(boxes, overlap):
    scores = np.linspace(1, 0.5, len(boxes))[::-1]
    kept = suppressed(np.array(boxes, float).reshape(-1, 4), scores, overlap).tolist()
    expected = []
    for row in sorted(range(len(boxes)), key=lambda row: -scores[row]):
        if all(overlap_of(boxes[row], boxes[better]) <= overlap for better in expected):
            expected.append(row)
    assert kept == expected
