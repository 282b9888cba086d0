import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from posediff.errors import BadSetting
from posediff.models.encoders.streams import KinematicStreams
from posediff.motion.angles import joint_angles
from posediff.motion.synthetic import generate
from posediff.skeletons import Skeleton, get

MPII = get("mpii16")


def randomly_posed(dimensions, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(2, 6, 16, dimensions, generator=generator), torch.ones(2, 6, 16)


def seen(poses, confidence, *streams, skeleton=MPII):
    return KinematicStreams(skeleton, poses.shape[-1], streams)(poses, confidence)


def test_a_bone_leads_from_the_parent_to_the_joint():
    poses, confidence = randomly_posed(2)
    bone = seen(poses, confidence, "bone")
    knee, hip, pelvis, thorax = (MPII.index(j) for j in ("left_knee", "left_hip", "pelvis", "thorax"))
    torch.testing.assert_close(bone[:, :, knee], poses[:, :, knee] - poses[:, :, hip])
    torch.testing.assert_close(bone[:, :, pelvis], poses[:, :, thorax] - poses[:, :, pelvis])


@pytest.mark.parametrize("view", ["2d", "3d"])
def test_the_angle_of_a_shank_is_that_of_the_knee(view):
    from posediff.motion.synthetic import Recording

    sequence = generate("dive", recording=Recording(view=view))
    names, angles = joint_angles(sequence)
    poses = torch.from_numpy(np.array(sequence.keypoints))[None]
    if view == "2d":
        poses = poses * torch.tensor([1.0, -1.0])
    stream = seen(poses, torch.ones(poses.shape[:3]), "angle")[0, :, MPII.index("left_ankle")]
    bent = 180 - torch.atan2(stream[:, 1].abs(), stream[:, 0]).rad2deg()
    np.testing.assert_allclose(bent, angles[:, names.index("left_knee_angle")], atol=0.1)


@given(st.floats(-180, 180), st.integers(0, 5))
def test_angle_and_body_do_not_change_when_the_body_turns_in_the_picture(degrees, seed):
    poses, confidence = randomly_posed(2, seed)
    poses = poses - poses[:, :, [MPII.index("pelvis")]]
    turn = torch.tensor(Rotation.from_euler("z", degrees, degrees=True).as_matrix()[:2, :2], dtype=torch.float32)
    before, after = (seen(p, confidence, "angle", "body") for p in (poses, poses @ turn.T))
    rest = [joint for joint in range(16) if joint != MPII.index("pelvis")]  # the trunk's own angle is to the vertical
    torch.testing.assert_close(after[:, :, rest], before[:, :, rest], atol=1e-4, rtol=0)


@given(st.tuples(st.floats(-3, 3), st.floats(-3, 3), st.floats(-3, 3)), st.integers(0, 5))
def test_body_does_not_change_when_the_body_turns_in_space(rotation, seed):
    poses, confidence = randomly_posed(3, seed)
    turn = torch.tensor(Rotation.from_rotvec(rotation).as_matrix(), dtype=torch.float32)
    before, after = (seen(p, confidence, "body") for p in (poses, poses @ turn.T + 1))
    torch.testing.assert_close(after, before, atol=1e-3, rtol=1e-3)


def test_body_of_someone_upright_who_faces_the_axis_is_the_place_about_the_root():
    poses = torch.from_numpy(np.array(generate("squat").keypoints))[None, :1]  # faces +x with the right side at +z
    body = seen(poses, torch.ones(1, 1, 16), "body")
    about = poses - poses[:, :, [MPII.index("pelvis")]]
    torch.testing.assert_close(body, about * torch.tensor([1.0, 1.0, -1.0]), atol=0.03, rtol=0)


def test_motion_is_what_a_joint_moved_since_the_frame_before():
    poses, confidence = randomly_posed(3)
    confidence[0, 2, 5] = 0
    motion = seen(poses, confidence, "motion")
    torch.testing.assert_close(motion[1, 1:], poses[1, 1:] - poses[1, :-1])
    assert (motion[:, 0] == 0).all()
    assert (motion[0, [2, 3], 5] == 0).all()


@pytest.mark.parametrize("stream", ["joint", "bone", "angle", "body", "motion"])
def test_a_missing_joint_changes_nothing_wherever_it_is_said_to_be(stream):
    poses, confidence = randomly_posed(2)
    for joint in ("left_knee", "pelvis"):
        hidden = confidence.clone()
        hidden[:, 3, MPII.index(joint)] = 0
        moved = poses.clone()
        moved[:, 3, MPII.index(joint)] = torch.nan
        torch.testing.assert_close(seen(moved, hidden, stream), seen(poses, hidden, stream))


def test_a_body_of_no_size_gives_numbers():
    stream = seen(torch.zeros(1, 2, 16, 3), torch.ones(1, 2, 16), "joint", "bone", "angle", "body", "motion")
    assert stream.isfinite().all()


def test_a_skeleton_without_a_torso_is_refused_where_one_is_needed():
    hand = Skeleton("hand", ("wrist", "thumb"), (("wrist", "thumb"),))
    assert seen(torch.ones(1, 2, 2, 2), torch.ones(1, 2, 2), "joint", "motion", skeleton=hand).shape == (1, 2, 2, 4)
    with pytest.raises(BadSetting, match="no torso"):
        KinematicStreams(hand, 2, ("angle",))


def test_an_unknown_stream_is_refused():
    with pytest.raises(BadSetting, match="joints"):
        KinematicStreams(MPII, 2, ("joints",))
