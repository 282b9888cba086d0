import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from posediff.annotate.estimators import ESTIMATORS, load
from posediff.annotate.estimators.rtmlib import RtmlibEstimator, simcc
from posediff.annotate.settings import Settings
from posediff.errors import BadData, BadSetting

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
helper, FLOAT = onnx.helper, onnx.TensorProto.FLOAT

WIDTH, HEIGHT = 48, 64


def colour_finder(path, *, joints=17, batch="n", outputs=2):
    """A network whose joint j is the brightest pixel of the red, green or blue channel, for j mod 3 of 0, 1 or 2.

    It answers as RTMPose does, two bins a pixel; how sure it is is a fifth of the normalised brightness.
    """
    weights = np.zeros((joints, 3, 1, 1), np.float32)
    weights[np.arange(joints), np.arange(joints) % 3] = 0.2
    constants = {"weights": weights, "twice": np.array([1, 1, 1, 2]), "last": np.array([3])}
    nodes = [helper.make_node("Conv", ["picture", "weights"], ["joints"])]
    for axis, name, extent in ((2, "x", WIDTH), (3, "y", HEIGHT)):
        constants[f"{name}_bins"] = np.array([0, joints, 2 * extent])
        nodes += [
            helper.make_node("ReduceMax", ["joints"], [f"{name}_pixels"], axes=[axis], keepdims=0),
            helper.make_node("Unsqueeze", [f"{name}_pixels", "last"], [f"{name}_column"]),
            helper.make_node("Tile", [f"{name}_column", "twice"], [f"{name}_pairs"]),
            helper.make_node("Reshape", [f"{name}_pairs", f"{name}_bins"], [f"simcc_{name}"]),
        ]
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info("picture", FLOAT, (batch, 3, HEIGHT, WIDTH))],
        [helper.make_tensor_value_info(name, FLOAT, None) for name in ("simcc_x", "simcc_y")[:outputs]],
        [onnx.numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    return path


def picture_with_spots(spots, size=(200, 160)):
    """A picture, black but for a soft red, green and blue spot at three points."""
    columns, rows = np.meshgrid(np.arange(size[0]), np.arange(size[1]))
    distances = [np.hypot(columns - x, rows - y) for x, y in spots]
    return np.stack([255 * np.exp(-((distance / 5) ** 2)) for distance in distances], axis=2).astype(np.uint8)


@pytest.fixture(scope="module")
def estimator(tmp_path_factory):
    return RtmlibEstimator(colour_finder(tmp_path_factory.mktemp("net") / "net.onnx"), device="cpu", threads=1)


@given(
    angle=st.floats(-180, 180),
    spots=st.lists(st.tuples(st.integers(80, 120), st.integers(60, 100)), min_size=3, max_size=3),
)
@settings(max_examples=30)
def test_red_green_and_blue_joints_are_found_where_they_are_however_the_crop_is_turned(estimator, angle, spots):
    box = np.array([[40.0, 20.0, 160.0, 140.0]])
    poses = estimator.estimate(picture_with_spots(spots), box, np.array([angle]))
    a_pixel_of_the_crop = 120 * 1.25 / WIDTH
    expected = np.array([spots[joint % 3] for joint in range(17)])
    np.testing.assert_allclose(poses.keypoints[0], expected, atol=a_pixel_of_the_crop)


def test_where_a_pixel_of_the_crop_is_one_of_the_picture_the_joint_is_exact(estimator):
    spots = [(93, 77), (100, 80), (110, 95)]
    box = np.array([[100 - 19.2, 80 - 25.6, 100 + 19.2, 80 + 25.6]])
    for angle in (0.0, 90.0, 180.0, -90.0):
        found = estimator.estimate(picture_with_spots(spots), box, np.array([angle]))
        np.testing.assert_allclose(found.keypoints[0, :3], spots, atol=1e-3)


def test_every_box_gets_its_own_pose(estimator, tmp_path):
    picture = picture_with_spots([(30, 40), (30, 40), (30, 40)]) | picture_with_spots([(150, 100)] * 3)
    boxes = np.array([[10, 10, 50, 70], [130, 70, 170, 130], [10, 10, 50, 70]], float)
    for one in (estimator, RtmlibEstimator(colour_finder(tmp_path / "net.onnx", batch=1), device="cpu")):
        found = one.estimate(picture, boxes, np.zeros(3)).keypoints[:, 0]
        np.testing.assert_allclose(found, [(30, 40), (150, 100), (30, 40)], atol=2)


def test_a_spot_that_is_darker_is_less_sure(estimator):
    bright = picture_with_spots([(100, 80)] * 3)
    box, angle = np.array([[80, 50, 120, 110]]), np.zeros(1)
    scores = [estimator.estimate(one, box, angle).scores[0, 0] for one in (bright, bright // 4 * 3)]
    assert 0 < scores[1] < scores[0] <= 1


def test_where_nothing_is_seen_and_in_boxes_without_a_place_every_joint_is_missing(estimator):
    black = np.zeros((50, 60, 3), np.uint8)
    boxes = np.array([[10, 10, 30, 40], [np.nan] * 4, [10, 10, 10, 40]])
    poses = estimator.estimate(black, boxes, np.zeros(3))
    assert poses.keypoints.shape == (3, 17, 2)
    assert np.isnan(poses.keypoints).all()
    assert (poses.scores == 0).all()


def test_no_box_no_pose(estimator):
    poses = estimator.estimate(np.zeros((50, 60, 3), np.uint8), np.empty((0, 4)), np.empty(0))
    assert (poses.keypoints.shape, poses.scores.shape) == ((0, 17, 2), (0, 17))


def test_rtmlib_finds_the_same_joints_in_upright_boxes(tmp_path):
    rtmlib = pytest.importorskip("rtmlib")
    path = colour_finder(tmp_path / "net.onnx")
    picture = picture_with_spots([(93, 71), (104, 80), (85, 92)])
    boxes = np.array([[60.0, 30, 130, 120], [75, 50, 120, 130]])
    # rtmlib hands the picture on as it is: RGB is what RTMPose is trained with
    theirs = rtmlib.RTMPose(str(path), model_input_size=(WIDTH, HEIGHT))(picture, boxes)[0]
    ours = RtmlibEstimator(path, device="cpu").estimate(picture, boxes, np.zeros(2)).keypoints
    a_pixel_of_the_crop = 71 * 1.25 / WIDTH
    np.testing.assert_allclose(ours, theirs, atol=a_pixel_of_the_crop)


@pytest.mark.parametrize(("joints", "skeleton"), [(16, "mpii16"), (17, "coco17"), (26, "halpe26"), (133, "coco17")])
def test_the_number_of_joints_tells_the_skeleton(tmp_path, joints, skeleton):
    loaded = RtmlibEstimator(colour_finder(tmp_path / "net.onnx", joints=joints), device="cpu")
    assert loaded.skeleton.name == skeleton
    poses = loaded.estimate(picture_with_spots([(30, 40)] * 3), np.array([[10, 10, 50, 70]]), np.zeros(1))
    assert poses.keypoints.shape == (1, len(loaded.skeleton.joints), 2)


def test_an_unknown_number_of_joints_needs_a_skeleton_of_as_many(tmp_path):
    path = colour_finder(tmp_path / "net.onnx", joints=25)
    with pytest.raises(BadData, match="25 joints"):
        RtmlibEstimator(path, device="cpu")
    with pytest.raises(BadData, match="17"):
        RtmlibEstimator(path, skeleton="h36m17", device="cpu")
    with pytest.raises(BadSetting, match="nobody"):
        RtmlibEstimator(path, skeleton="nobody", device="cpu")
    assert RtmlibEstimator(path, skeleton="body25", device="cpu").skeleton.name == "body25"


def test_a_network_with_one_output_is_refused(tmp_path):
    with pytest.raises(BadData, match="1 outputs"):
        RtmlibEstimator(colour_finder(tmp_path / "net.onnx", outputs=1), device="cpu")


def test_settings_choose_the_weights_and_the_result_says_which(tmp_path):
    path = colour_finder(tmp_path / "net.onnx")
    loaded = load(Settings(pose="rtmlib", weights=str(path), device="cpu", threads=1))
    assert "rtmlib" in ESTIMATORS
    assert loaded.provenance["pose"] == "rtmlib"
    assert loaded.provenance["weights"] == "net.onnx"


@given(x=st.integers(0, 95), y=st.integers(0, 127), sure=st.tuples(st.floats(0.01, 3), st.floats(0.01, 3)))
def test_the_fullest_bins_are_half_pixels_and_the_lower_one_counts(x, y, sure):
    bins = np.zeros((1, 1, 96), np.float32), np.zeros((1, 1, 128), np.float32)
    bins[0][0, 0, x], bins[1][0, 0, y] = sure
    places, scores = simcc(*bins, (48, 64))
    np.testing.assert_allclose(places[0, 0], [x / 2, y / 2])
    np.testing.assert_allclose(scores[0, 0], min(*sure, 1), rtol=1e-6)


def test_a_network_that_gives_no_number_is_not_sure_of_anything():
    assert simcc(np.full((1, 2, 4), np.nan), np.ones((1, 2, 4)), (2, 2))[1].tolist() == [[0, 0]]
