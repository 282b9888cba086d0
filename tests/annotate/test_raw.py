import numpy as np
import pytest

from posediff import PoseSequence
from posediff.annotate.raw import read_raw, write_raw
from posediff.errors import BadData
from posediff.skeletons import COCO17


def people(count=2):
    rng = np.random.default_rng(0)
    keypoints = rng.normal(size=(5, 17, 2)).astype(np.float32)
    keypoints[1, 2] = np.nan
    return [
        PoseSequence(
            keypoints + person,
            COCO17,
            fps=29.97,
            scores=rng.uniform(size=(5, 17)),
            boxes=np.full((5, 4), person),
            frames=np.array([3, 4, 6, 7, 9]),
            image_size=(640, 480),
            person=4 * person,
            source={"video": "dive.mp4", "faults": ["stopped"], "steps": []},
        )
        for person in range(count)
    ]


def test_what_is_kept_comes_back_bit_for_bit(tmp_path):
    write_raw(tmp_path / "raw" / "a.npz", people())
    assert read_raw(tmp_path / "raw" / "a.npz") == people()


@pytest.mark.parametrize("damage", ["cut", "text", "empty", "other", "missing"])
def test_a_damaged_file_is_bad_data(tmp_path, damage):
    path = tmp_path / "a.npz"
    write_raw(path, people())
    data = path.read_bytes()
    if damage == "other":
        np.savez(path, about=np.frombuffer(b'{"format": "x"}', np.uint8))
    elif damage == "missing":
        path.unlink()
    else:
        path.write_bytes({"cut": data[: len(data) // 2], "text": b"{}", "empty": b""}[damage])
    with pytest.raises(BadData, match=r"a\.npz"):
        read_raw(path)


def test_pickles_are_not_opened(tmp_path):
    np.savez(tmp_path / "a.npz", about=np.array([{"format": 1}], dtype=object))
    with pytest.raises(BadData):
        read_raw(tmp_path / "a.npz")
