import importlib.util

import numpy as np
import pytest
from PIL import Image

from posediff.annotate.estimators import load
from posediff.annotate.estimators.crops import placement, to_image
from posediff.annotate.estimators.mmpose import MmposeEstimator, import_mmpose, skeleton_of, turned
from posediff.annotate.settings import Settings
from posediff.errors import BadData, BadSetting, MissingDependency, PosediffError

needs_mmpose = pytest.mark.skipif(importlib.util.find_spec("mmpose") is None, reason="mmpose is not installed")

#: A ResNet-18 SimpleBaseline (Xiao et al. 2018) of sixteen joints, as its configurations are written.
CONFIG = """
default_scope = "mmpose"
codec = dict({codec}, input_size=(64, 64), heatmap_size=(16, 16), sigma=2)
model = dict(
    type="TopdownPoseEstimator",
    data_preprocessor=dict(
        type="PoseDataPreprocessor", mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], bgr_to_rgb=True
    ),
    backbone=dict(type="ResNet", depth=18, init_cfg=dict(type="Pretrained", checkpoint="torchvision://resnet18")),
    head=dict(
        type="HeatmapHead", in_channels=512, out_channels=16, decoder=codec,
        loss=dict(type="KeypointMSELoss", use_target_weight=True),
    ),
    test_cfg=dict(flip_test=True, flip_mode="heatmap", shift_heatmap=True),
)
dataset = dict(
    type="MpiiDataset", data_mode="topdown", data_root="", ann_file="",
    pipeline=[
        dict(type="LoadImage"),
        dict(type="GetBBoxCenterScale"),
        dict(type="TopdownAffine", input_size=(64, 64), use_udp={udp}),
        dict(type="PackPoseInputs"),
    ],
)
train_dataloader = dict(dataset=dataset)
test_dataloader = dict(dataset=dataset)
"""
CODECS = {False: 'type="MSRAHeatmap"', True: 'type="UDPHeatmap"'}


def saved(folder, *, udp=False, seed=0, **extra):
    """A configuration and a checkpoint with random weights."""
    import_mmpose()
    import torch
    from mmpose.apis import init_model

    config, weights = folder / "net.py", folder / "net.pth"
    config.write_text(CONFIG.format(codec=CODECS[udp], udp=udp))
    torch.manual_seed(seed)
    model = init_model(str(config), device="cpu")
    for layer in model.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.momentum = 1.0
        elif isinstance(layer, torch.nn.Conv2d | torch.nn.ConvTranspose2d):
            torch.nn.init.kaiming_normal_(layer.weight)
    with torch.no_grad():
        model.train().extract_feat(torch.randn(8, 3, 64, 64))
    torch.save({"state_dict": model.state_dict(), "meta": {"epoch": 1, **extra}}, weights)
    return config, weights


@pytest.fixture(scope="module", params=[False, True], ids=["plain", "udp"])
def files(request, tmp_path_factory):
    return saved(tmp_path_factory.mktemp("net"), udp=request.param)


@pytest.fixture(scope="module")
def picture():
    """A soft random picture, so that bilinear sampling of turned crops agrees."""
    small = np.random.default_rng(0).integers(0, 256, (12, 16, 3), np.uint8)
    return np.asarray(Image.fromarray(small).resize((320, 240), Image.Resampling.BICUBIC))


BOXES = np.array([[120.0, 60, 200, 180], [100, 80, 190, 140]], np.float32)


@needs_mmpose
def test_the_joints_of_upright_boxes_are_those_of_mmpose_itself(files, picture):
    import torch
    from mmpose.apis import inference_topdown, init_model

    config, weights = files
    theirs = init_model(str(config), device="cpu")
    theirs.load_state_dict(torch.load(weights)["state_dict"])
    truth = inference_topdown(theirs, np.ascontiguousarray(picture[:, :, ::-1]), BOXES)
    ours = MmposeEstimator(config, weights, device="cpu").estimate(picture, BOXES, np.zeros(2))
    expected = np.concatenate([sample.pred_instances.keypoints for sample in truth])
    scores = np.concatenate([sample.pred_instances.keypoint_scores for sample in truth])
    seen = scores > 0
    assert seen.mean() > 0.9
    np.testing.assert_allclose(ours.keypoints[seen], expected[seen], atol=1e-3)
    np.testing.assert_allclose(ours.scores[seen], np.clip(scores[seen], 0, 1), atol=1e-5)
    assert np.isnan(ours.keypoints[~seen]).all()


@needs_mmpose
@pytest.mark.parametrize("angle", [90.0, 180.0, -90.0, 30.0])
def test_a_turned_body_gets_the_turned_pose(files, picture, angle):
    estimator = MmposeEstimator(*files, flip=False, device="cpu")
    upright = estimator.estimate(picture, BOXES[:1], np.zeros(1))
    # the picture turned clockwise about the box's centre: what is sampled at a point comes from the point turned back
    centre = BOXES[0].reshape(2, 2).mean(axis=0)
    back = placement(np.array([*centre - 50, *centre + 50]), -angle, (100, 100), 1.0)
    linear, offset = back[:, :2], centre - back[:, :2] @ centre
    half = np.array([0.5, 0.5])
    data = np.column_stack([linear, offset + half - linear @ half]).ravel()
    whole = Image.fromarray(picture).transform(
        (320, 240), Image.Transform.AFFINE, tuple(data), Image.Resampling.BICUBIC
    )
    found = estimator.estimate(np.asarray(whole), BOXES[:1], np.array([angle]))
    expected = turned(upright.keypoints, centre[None], np.array([angle]))
    apart = np.linalg.norm(found.keypoints - expected, axis=2)[0]
    a_cell_of_the_heatmap = 120 * 1.25 / 16
    # Random heatmaps have maxima of nearly the same height, and the parabola that UDP lays through one goes astray.
    assert np.median(apart) < a_cell_of_the_heatmap * (1 if "UDP" in files[0].read_text() else 0.1)


@needs_mmpose
def test_boxes_without_a_place_have_no_pose(files, picture):
    boxes = np.array([[np.nan] * 4, [10, 10, 10, 40], BOXES[0]])
    estimator = MmposeEstimator(*files, device="cpu")
    poses = estimator.estimate(picture, boxes, np.zeros(3))
    assert np.isnan(poses.keypoints[:2]).all()
    assert np.isfinite(poses.keypoints[2]).any()
    assert MmposeEstimator(*files, device="cpu").estimate(picture, np.empty((0, 4)), np.empty(0)).scores.shape == (
        0,
        16,
    )


@needs_mmpose
def test_settings_name_both_files_and_the_result_says_which(files):
    config, weights = files
    loaded = load(Settings(pose="mmpose", config=str(config), weights=str(weights), device="cpu"))
    assert loaded.skeleton.name == "mpii16"
    assert loaded.provenance["weights"] == "net.pth"
    assert loaded.provenance["config"] == "net.py"


@needs_mmpose
def test_the_checkpoint_s_own_description_of_the_joints_comes_first(tmp_path, picture):
    from mmpose.datasets.datasets.utils import parse_pose_metainfo

    meta = parse_pose_metainfo({"from_file": "configs/_base_/datasets/mpii.py"})
    meta["keypoint_id2name"] = {number: f"left_joint {number}" for number in range(16)}
    files = saved(tmp_path, dataset_meta=meta)
    loaded = MmposeEstimator(*files, device="cpu")
    assert loaded.skeleton.joints[3] == "left_joint_3"
    assert loaded.estimate(picture, BOXES, np.zeros(2)).keypoints.shape == (2, 16, 2)


@needs_mmpose
def test_what_training_leaves_in_a_checkpoint_does_not_matter(tmp_path, picture):
    import torch
    from mmengine.logging import MessageHub
    from mmengine.logging.history_buffer import HistoryBuffer

    config, weights = saved(tmp_path)
    hub = MessageHub("test")
    hub.log_scalars["loss"] = HistoryBuffer([1.0, 2.0], [1, 1])
    torch.save({**torch.load(weights), "message_hub": hub.state_dict()}, weights)
    assert MmposeEstimator(config, weights, device="cpu").skeleton.name == "mpii16"


@needs_mmpose
def test_a_configuration_of_mmpose_is_found_by_its_name(tmp_path):
    with pytest.raises(BadData, match=r"lacks the weights|do not fit"):
        MmposeEstimator("td-hm_res50_8xb64-210e_coco-256x192", saved(tmp_path)[1], device="cpu")


@needs_mmpose
@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("ResNet", "NoSuchNet"), "NoSuchNet"),
        (('dict(type="TopdownAffine", input_size=(64, 64), use_udp=False),', ""), "not of a top-down network"),
        (("depth=18", "depth=34"), "lacks the weights"),
        (("out_channels=16", "out_channels=17"), "do not fit"),
        (("model = dict(", "model = dict(("), "cannot be built"),
    ],
)
def test_a_configuration_that_does_not_fit_is_refused(tmp_path, change, says):
    config, weights = saved(tmp_path)
    config.write_text(config.read_text().replace(*change))
    with pytest.raises(BadData, match=says):
        MmposeEstimator(config, weights, device="cpu")


@needs_mmpose
def test_a_configuration_or_weights_that_are_not_there_are_told(tmp_path):
    config, _ = saved(tmp_path)
    with pytest.raises(BadData, match="nowhere"):
        MmposeEstimator(tmp_path / "nowhere.py", tmp_path / "net.pth", device="cpu")
    with pytest.raises(BadData, match="none"):
        MmposeEstimator(config, tmp_path / "none.pth", device="cpu")


@needs_mmpose
def test_a_compiled_operation_that_is_used_says_what_is_missing():
    import_mmpose()
    try:
        from mmcv.ops import DeformConv2d
        from mmcv.ops.roi_align import roi_align
    except PosediffError:
        pytest.fail("importing an operation is not using it")
    if DeformConv2d.__module__ != "mmcv.ops":
        pytest.skip("the full mmcv is installed")
    for operation in (DeformConv2d, roi_align):
        with pytest.raises(PosediffError, match="mmcv-lite"):
            operation(1, 2, 3)


def test_mmpose_that_is_not_there_names_the_command_that_knows_how_to_install_it(monkeypatch):
    if importlib.util.find_spec("mmpose"):
        monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingDependency) as caught:
        MmposeEstimator("net.py", "net.pth")
    assert "posediff doctor" in caught.value.hint


@pytest.mark.parametrize("settings", [{}, {"config": "net.py"}, {"weights": "net.pth"}])
def test_settings_without_both_files_are_refused(settings):
    with pytest.raises(BadSetting, match="mmpose needs"):
        load(Settings(pose="mmpose", **settings))


def test_turning_is_clockwise_as_seen():
    found = turned(np.array([[[11.0, 20.0]]]), np.array([[10.0, 20.0]]), np.array([90.0]))
    np.testing.assert_allclose(found, [[[10, 21]]], atol=1e-9)
    crop = np.array([[3.0, 5.0]])
    matrix = placement(np.array([0, 0, 10, 10]), 25.0, (10, 10), 1.0)
    np.testing.assert_allclose(turned(crop[None], np.array([[5.0, 5.0]]), np.array([25.0]))[0], to_image(crop, matrix))


def test_joints_become_a_skeleton_by_their_names():
    names = ["right_ankle", "nose", "weapon tip"]
    meta = {"keypoint_id2name": dict(enumerate(names)), "skeleton_links": [(0, 1), (1, 2)], "dataset_name": "fencing"}
    whole = skeleton_of(meta)
    assert (whole.name, whole.joints) == ("fencing", ("right_ankle", "nose", "weapon_tip"))
    part = skeleton_of(meta, chosen=[2, 1])
    assert (part.joints, part.bones) == (("weapon_tip", "nose"), (("nose", "weapon_tip"),))
    with pytest.raises(BadData, match="name its joints"):
        skeleton_of({})
