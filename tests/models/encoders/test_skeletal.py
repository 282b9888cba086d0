import dataclasses

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from posediff.errors import BadData, BadSetting
from posediff.models.encoders.skeletal import SkeletalEncoder
from posediff.models.settings import SkeletalSettings
from posediff.skeletons import CATALOGUE, HALPE26, MPII16, Skeleton

SMALL = SkeletalSettings(channels=(8, 12), strides=(1, 1), kernel=3)
NORMS = pytest.mark.parametrize("norm", ["batch", "layer"])


def encoder_of(skeleton=MPII16, dimensions=2, width=12, **changes):
    """A small encoder with weights that are not at their beginning."""
    torch.manual_seed(0)
    encoder = SkeletalEncoder(skeleton, dimensions, width, dataclasses.replace(SMALL, **changes))
    with torch.no_grad():
        for name, parameter in encoder.named_parameters():
            if "offsets" in name or name.endswith("bias"):
                parameter.normal_(0, 0.1)
    return encoder


def clips(skeleton=MPII16, batch=3, frames=7, dimensions=2, missing=0.0, seed=0):
    """Poses, and confidence that is 0 for a fraction of the joints."""
    numbers = torch.Generator().manual_seed(seed)
    shape = (batch, frames, len(skeleton.joints))
    confidence = torch.rand(shape, generator=numbers) * 0.9 + 0.1
    confidence *= torch.rand(shape, generator=numbers) >= missing
    return torch.randn(*shape, dimensions, generator=numbers), confidence


@pytest.mark.parametrize("skeleton", CATALOGUE.values(), ids=lambda skeleton: skeleton.name)
@pytest.mark.parametrize("dimensions", [2, 3])
def test_every_skeleton_becomes_features_over_time(skeleton, dimensions):
    features = encoder_of(skeleton, dimensions)(*clips(skeleton, dimensions=dimensions))
    assert features.shape == (3, 7, 12)
    assert features.isfinite().all()


def test_the_published_sizes():
    encoder = SkeletalEncoder(MPII16, 2, 128, SkeletalSettings())
    assert encoder(*clips(batch=1, frames=20)).shape == (1, 20, 128)
    assert [block.norm.norm.num_features for block in encoder.blocks] == [64, 64, 64, 64, 128]


def test_another_width_is_projected():
    assert encoder_of(width=5)(*clips()).shape == (3, 7, 5)


@settings(max_examples=15)
@given(st.integers(0, 10**6), st.floats(0.05, 0.95), st.booleans(), st.sampled_from([(1, 1), (2, 1)]))
def test_coordinates_of_missing_joints_change_nothing(seed, missing, training, strides):
    encoder = encoder_of(strides=strides).train(training)
    poses, confidence = clips(missing=missing, seed=seed)
    strange = torch.where(confidence[..., None] > 0, poses, torch.tensor([torch.nan, 1e9]))
    assert torch.equal(encoder(poses, confidence), encoder(strange, confidence))


@NORMS
def test_a_joint_that_is_never_there_is_as_if_the_skeleton_lacked_it(norm):
    toe = HALPE26.index("left_small_toe")
    others = [joint for joint in range(26) if joint != toe]
    names = tuple(HALPE26.joints[joint] for joint in others)
    fewer = Skeleton("fewer", names, tuple(bone for bone in HALPE26.bones if "left_small_toe" not in bone))
    whole, part = (
        SkeletalEncoder(skeleton, 2, 12, dataclasses.replace(SMALL, norm=norm)) for skeleton in (HALPE26, fewer)
    )
    part.load_state_dict({**whole.state_dict(), **{k: v for k, v in part.state_dict().items() if "offsets" in k}})
    poses, confidence = clips(HALPE26, missing=0.2)
    confidence[..., toe] = 0
    torch.testing.assert_close(whole(poses, confidence), part(poses[:, :, others], confidence[..., others]))


@NORMS
@pytest.mark.parametrize("training", [True, False])
def test_frames_without_any_joint_give_zeros_and_finite_gradients(norm, training):
    encoder = encoder_of(norm=norm).train(training)
    poses, confidence = clips()
    confidence[0, 3] = confidence[1] = 0
    features = encoder(poses, confidence)
    features.square().sum().backward()
    assert (features[0, 3] == 0).all()
    assert (features[1] == 0).all()
    assert (features[0, 2] != 0).any()
    assert all(parameter.grad.isfinite().all() for parameter in encoder.parameters())


def test_a_batch_without_any_joint_is_finite_and_leaves_the_statistics_alone():
    encoder = encoder_of()
    before = {name: buffer.clone() for name, buffer in encoder.named_buffers()}
    poses, confidence = clips()
    assert (encoder(poses, confidence * 0) == 0).all()
    assert all(torch.equal(buffer, before[name]) for name, buffer in encoder.named_buffers())


@settings(max_examples=10)
@given(st.permutations(range(16)))
def test_the_order_of_the_joints_has_no_influence(order):
    other = Skeleton("other", tuple(MPII16.joints[i] for i in order), MPII16.bones[::-1])
    encoder, reordered = encoder_of(), encoder_of(other)
    reordered.load_state_dict(encoder.state_dict())
    poses, confidence = clips(missing=0.2)
    expected = encoder(poses, confidence)
    torch.testing.assert_close(reordered(poses[:, :, order], confidence[:, :, order]), expected)


ABLATIONS = [
    {"levels": (0,)},
    {"levels": (1,)},
    {"levels": (2,)},
    {"levels": (0, 1)},
    {"edge_conv": False},
    {"neighbours": 0},
    {"norm": "layer"},
    {"strides": (2, 1)},
    {"levels": (0,), "edge_conv": False},
    {"streams": ("joint", "bone", "motion")},
]


@pytest.mark.parametrize("changes", ABLATIONS, ids=str)
def test_gradients_reach_every_parameter(changes):
    encoder = encoder_of(width=6, **changes)
    encoder(*clips(missing=0.1)).square().sum().backward()
    lacking = [name for name, one in encoder.named_parameters() if one.grad is None or not one.grad.any()]
    assert lacking == []


def test_gradients_are_those_of_finite_differences():
    skeleton = Skeleton(
        "arm",
        ("left_shoulder", "left_elbow", "left_wrist"),
        (("left_shoulder", "left_elbow"), ("left_elbow", "left_wrist")),
    )
    encoder = encoder_of(skeleton, width=3, channels=(4,), strides=(1,), neighbours=1, norm="layer").double()
    poses, confidence = clips(skeleton, batch=2, frames=3, missing=0.2)
    confidence = confidence.double()
    inputs = poses.double().requires_grad_()
    assert torch.autograd.gradcheck(lambda poses: encoder(poses, confidence), inputs)


@pytest.mark.parametrize(("levels", "seen"), [((0,), "torso"), ((1,), "inner"), ((2,), "outer")])
def test_a_level_alone_sees_its_joints_and_those_below_that_bones_join_to_it(levels, seen):
    torso = {"pelvis", "thorax", "upper_neck", *(f"{s}_{j}" for s in ("left", "right") for j in ("hip", "shoulder"))}
    inner = {"head_top", *(f"{s}_{j}" for s in ("left", "right") for j in ("knee", "elbow"))}
    expected = {
        "torso": torso,
        "inner": inner | torso - {"pelvis", "thorax"},
        "outer": set(MPII16.joints) - torso - {"head_top"},
    }
    encoder = encoder_of(levels=levels, norm="layer").eval()
    poses, confidence = clips()
    poses.requires_grad_()
    encoder(poses, confidence).square().sum().backward()
    moved = poses.grad.abs().sum(dim=(0, 1, 3)) > 0
    assert {joint for joint, moves in zip(MPII16.joints, moved.tolist(), strict=True) if moves} == expected[seen]


@pytest.mark.parametrize("frames", [1, 2, 7, 8])
def test_between_strides_features_are_interpolated(frames):
    features = encoder_of(strides=(2, 1))(*clips(frames=frames))
    assert features.shape == (3, frames, 12)
    for frame in range(1, frames - 1, 2):
        torch.testing.assert_close(features[:, frame], (features[:, frame - 1] + features[:, frame + 1]) / 2)


def test_clips_do_not_influence_one_another_under_layer_normalisation():
    encoder = encoder_of(norm="layer")
    poses, confidence = clips(missing=0.3)
    alone = [encoder(poses[i : i + 1], confidence[i : i + 1]) for i in range(3)]
    torch.testing.assert_close(encoder(poses, confidence), torch.cat(alone))


def test_confidence_is_seen():
    encoder = encoder_of()
    poses, confidence = clips()
    assert not torch.allclose(encoder(poses, confidence), encoder(poses, confidence.square()))


@NORMS
def test_mixed_precision_agrees_with_float32(norm):
    encoder = encoder_of(norm=norm).eval()
    poses, confidence = clips(missing=0.2)
    with torch.autocast("cpu", torch.bfloat16):
        mixed = encoder(poses, confidence)
        mixed.float().square().sum().backward()
    exact = encoder(poses, confidence)
    assert (mixed.float() - exact).abs().max() < 0.05 * exact.abs().max()
    assert all(parameter.grad.isfinite().all() for parameter in encoder.parameters())


def test_dropout_is_for_training_only():
    encoder = encoder_of(dropout=0.5)
    poses, confidence = clips()
    assert not torch.equal(encoder(poses, confidence), encoder(poses, confidence))
    encoder.eval()
    assert torch.equal(encoder(poses, confidence), encoder(poses, confidence))


@pytest.mark.parametrize(
    "joints",
    [
        ("pelvis",),
        ("pelvis", "left_knee", "right_toes"),
        ("left_wrist", "left_shoulder", "left_elbow"),
    ],
)
def test_skeletons_without_bones_or_with_one_joint_a_level(joints):
    skeleton = Skeleton("few", joints, ())
    levels = tuple({skeleton.levels[joint] for joint in joints})
    assert encoder_of(skeleton, levels=levels)(*clips(skeleton)).isfinite().all()


def test_a_level_without_joints_is_refused():
    skeleton = Skeleton("trunk", ("pelvis", "thorax"), (("pelvis", "thorax"),))
    with pytest.raises(BadSetting, match=r"trunk has no joints in the levels \[1, 2\] of \[0, 1, 2\]"):
        encoder_of(skeleton)


def test_fewer_channels_than_branches_are_refused():
    with pytest.raises(BadSetting, match=r"channels=\(8, 3\)"):
        encoder_of(channels=(8, 3))


def test_poses_of_another_skeleton_or_dimension_are_refused():
    encoder = encoder_of()
    poses, confidence = clips(dimensions=3)
    with pytest.raises(BadData, match=r"\(3, 7, 16, 3\).*mpii16"):
        encoder(poses, confidence)
    with pytest.raises(BadData, match=r"\(3, 7, 15\)"):
        encoder(poses[..., :2], confidence[..., :15])
