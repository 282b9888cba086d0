import numpy as np
import pytest

from posediff import read_person, write
from posediff.errors import BadData
from posediff.sequence import PoseSequence, Status
from posediff.skeletons import COCO17

COUNT = 20


@pytest.fixture
def poses(tmp_path):
    """A person who moves by a pixel a frame, doubtful in frames 8 to 11."""
    keypoints = np.tile(np.arange(float(COUNT))[:, None, None], (1, 17, 2)) + np.arange(17)[:, None] * 10
    scores = np.full((COUNT, 17), 0.9)
    scores[8:12] = 0.1
    write(tmp_path / "poses.json", PoseSequence(keypoints, COCO17, fps=25, scores=scores))
    return tmp_path / "poses.json"


def test_doubtful_keypoints_are_filled_in_from_their_neighbours(tool, poses, tmp_path):
    result = tool("interpolate", poses, tmp_path / "out.json", "--cutoff", 0)
    before, after = read_person(poses), read_person(tmp_path / "out.json")
    assert (after.status[8:12] == Status.INTERPOLATED).all()
    assert (after.status[:8] == Status.MEASURED).all()
    np.testing.assert_allclose(after.keypoints, before.keypoints, atol=1e-3)
    assert after.skeleton.name == "coco17"
    assert result.output == f"{tmp_path / 'out.json'}: 1 people, 20 frames\n"


def test_a_gap_that_is_too_long_stays(tool, poses, tmp_path):
    tool("interpolate", poses, tmp_path / "out.json", "--max-gap", 0.1)
    assert not read_person(tmp_path / "out.json").present[8:12].any()


def test_a_lower_score_is_enough_where_it_is_said(tool, poses, tmp_path):
    tool("interpolate", poses, tmp_path / "out.json", "--min-score", 0.05)
    assert (read_person(tmp_path / "out.json").status == Status.MEASURED).all()


def test_noise_is_smoothed_away(tool, poses, tmp_path):
    person = read_person(poses)
    noise = np.random.default_rng(0).normal(0, 1, person.keypoints.shape)
    write(poses, person.replace(keypoints=person.keypoints + noise))
    left = []
    for cutoff in (0, 3):
        tool("interpolate", poses, tmp_path / "out.json", "--cutoff", cutoff, "--min-score", 0)
        left.append(np.std(read_person(tmp_path / "out.json").keypoints - person.keypoints))
    assert left[1] < 0.7 * left[0]


def test_another_skeleton_can_be_asked_for(tool, poses, tmp_path):
    tool("interpolate", poses, tmp_path / "out.json", "--skeleton", "mpii16")
    before, after = read_person(poses), read_person(tmp_path / "out.json")
    wrist = [one.keypoints[0, one.skeleton.index("left_wrist")] for one in (before, after)]
    assert after.skeleton.name == "mpii16"
    np.testing.assert_allclose(wrist[0], wrist[1], atol=1e-3)


def test_what_is_no_pose_is_bad_data(tool, tmp_path):
    (tmp_path / "boxes.json").write_text('{"format": "posediff.boxes/1", "frames": []}')
    assert isinstance(tool("interpolate", tmp_path / "boxes.json", tmp_path / "out.json").exception, BadData)
    assert tool("interpolate", tmp_path / "boxes.json", tmp_path / "out.json", "--min-score", 2).exit_code == 2
