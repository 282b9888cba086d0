import time
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from posediff.errors import BadData, BadSetting
from posediff.io import read_person, write
from posediff.io.kinect import PARENTS, absolute_positions, local_rotations
from posediff.skeletons import KINECT22
from tests.fixtures.data import data_root
from tests.fixtures.files import made_up

FEET = ("left_ankle", "right_ankle", "left_toes", "right_toes")


def squats() -> list[Path]:
    """The tables of positions of every fifth deep squat."""
    folder = data_root("ui_prmd", "data", "Segmented Movements", "Kinect", "Positions")
    return sorted(folder.glob("m01_*"))[::5]


def test_local_rotations_are_those_of_scipy_about_z_then_x_then_y() -> None:
    angles = np.random.default_rng(0).uniform(-180, 180, (20, 3))
    expected = Rotation.from_euler("ZXY", angles[:, [2, 0, 1]], degrees=True).as_matrix()
    np.testing.assert_allclose(local_rotations(angles), expected, atol=1e-12)


def test_a_bent_hip_carries_the_whole_leg() -> None:
    """A leg hanging down 40 + 40 cm, the hip turned 90 degrees about x, points along z."""
    offsets, angles = np.zeros((1, 22, 3)), np.zeros((1, 22, 3))
    for joint in ("left_knee", "left_ankle"):
        offsets[0, KINECT22.index(joint)] = [0, -40, 0]
    angles[0, KINECT22.index("left_hip")] = [90, 0, 0]
    positions = absolute_positions(offsets, angles)
    np.testing.assert_allclose(positions[0, KINECT22.index("left_ankle")], [0, 0, -80], atol=1e-9)


def test_feet_stay_on_the_floor_while_the_body_squats() -> None:
    spread, descent, height = [], [], []
    for path in squats():
        person = read_person(path)
        feet = np.stack([person.joint(name) for name in FEET], axis=1)
        spread.append(feet.std(axis=0).mean())
        height.append(feet[..., 1].mean())
        descent.append(np.ptp(person.joint("pelvis")[:, 1]))
    assert np.mean(spread) < 3  # cm; the next best order of rotations has 7
    assert np.mean(descent) > 25
    assert 0 < np.mean(height) < 15


def test_bones_keep_the_length_of_their_offsets() -> None:
    for path in squats()[:4]:
        person = read_person(path)
        offsets = np.loadtxt(path, delimiter=",").reshape(-1, 22, 3)
        for joint, parent in PARENTS.items():
            length = np.linalg.norm(person.joint(joint) - person.joint(parent), axis=1)
            np.testing.assert_allclose(
                length, np.linalg.norm(offsets[:, KINECT22.index(joint)], axis=1), rtol=1e-3, atol=1e-3
            )
        for joint, parent in (("left_knee", "left_hip"), ("spine", "pelvis"), ("right_ankle", "right_knee")):
            length = np.linalg.norm(person.joint(joint) - person.joint(parent), axis=1)
            assert length.std() < 0.1 * length.mean()


@pytest.mark.parametrize("folder", ["Segmented Movements", "Incorrect Segmented Movements"])
def test_either_table_finds_the_other_and_gives_the_same_person(folder: str) -> None:
    root = data_root("ui_prmd", "data", folder, "Kinect")
    for positions in sorted((root / "Positions").iterdir())[::150]:
        angles = root / "Angles" / positions.name.replace("positions", "angles")
        one, other = read_person(positions), read_person(angles)
        np.testing.assert_array_equal(one.keypoints, other.keypoints)
        assert (one.skeleton, one.fps, one.units) == (KINECT22, 30, "cm")


def test_forward_kinematics_of_an_episode_take_milliseconds() -> None:
    offsets, angles = np.random.default_rng(0).normal(size=(2, 100, 22, 3))
    absolute_positions(offsets, angles)
    best = min(_seconds(offsets, angles) for _ in range(20))
    assert best < 0.01


def _seconds(offsets: np.ndarray, angles: np.ndarray) -> float:
    start = time.perf_counter()
    absolute_positions(offsets, angles)
    return time.perf_counter() - start


def test_a_table_without_its_companion_is_refused_with_where_it_was_sought(tmp_path: Path) -> None:
    write(tmp_path / "a_positions.txt", made_up(skeleton=KINECT22, dimensions=3), format="kinect")
    (tmp_path / "a_angles.txt").unlink()
    with pytest.raises(BadData, match=r"a_angles\.txt"):
        read_person(tmp_path / "a_positions.txt")


def test_tables_of_different_length_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "a_positions.txt", made_up(skeleton=KINECT22, dimensions=3), format="kinect")
    (tmp_path / "a_angles.txt").write_text("0," * 65 + "0\n")
    with pytest.raises(BadData, match=r"6 frames, .*a_angles\.txt has 1"):
        read_person(tmp_path / "a_positions.txt")


def test_both_tables_are_written_where_the_reader_looks(tmp_path: Path) -> None:
    person = made_up(skeleton=KINECT22, dimensions=3)
    full = person.replace(keypoints=np.nan_to_num(person.keypoints, nan=1.0))
    write(tmp_path / "Positions" / "m_positions.txt.gz", full, format="kinect")
    assert (tmp_path / "Angles" / "m_angles.txt.gz").exists()
    back = read_person(tmp_path / "Positions" / "m_positions.txt.gz")
    np.testing.assert_allclose(back.keypoints, full.keypoints, rtol=1e-6)


def test_the_name_of_a_table_of_angles_is_refused_for_positions(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="angles"):
        write(tmp_path / "x_angles.txt", made_up(skeleton=KINECT22, dimensions=3), format="kinect")


def test_a_keypoint_whose_parent_is_missing_is_told_as_lost(tmp_path: Path) -> None:
    person = made_up(skeleton=KINECT22, dimensions=3)  # the spine is missing in one frame
    lost = write(tmp_path / "a_positions.txt", person, format="kinect")
    assert "kinect holds no keypoint whose parent joint is missing: 1 of them" in lost
