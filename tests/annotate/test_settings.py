import pytest

from posediff.annotate.batch.records import settings_hash
from posediff.annotate.settings import Settings, fingerprint
from posediff.errors import BadData, BadSetting


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"pose": "openpose"}, "'openpose'"),
        ({"detector": "haar"}, "'haar'"),
        ({"rotation": "upside"}, "'upside'"),
        ({"person": "tallest"}, "'tallest'"),
        ({"skeleton": "coco"}, "'coco'"),
        ({"min_score": 1.2}, "1.2"),
        ({"max_gap": -1}, "-1"),
        ({"cutoff": float("nan")}, "nan"),
        ({"cutoff": float("inf")}, "inf"),
        ({"max_gap": float("inf")}, "inf"),
        ({"fps": float("nan")}, "nan"),
        ({"init_box": "1,2,3"}, "'1,2,3'"),
        ({"device": "tpu"}, "'tpu'"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(values, named):
    with pytest.raises(BadSetting, match=named):
        Settings(**values)


def test_a_track_is_chosen_by_its_number():
    assert Settings(person="12").person == "12"


def test_files_count_by_what_is_in_them_and_not_by_where_they_lie(tmp_path):
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "boxes.json").write_text("{}" if name != "c" else "[]")
    same, moved, other = (Settings(boxes=str(tmp_path / name / "boxes.json")).resolved() for name in ("a", "b", "c"))
    assert settings_hash(same) == settings_hash(moved)
    assert settings_hash(same) != settings_hash(other)


def test_the_number_of_threads_changes_no_result_and_smoothing_no_pose():
    assert Settings(threads=1).resolved() == Settings(threads=4).resolved()
    assert Settings(cutoff=3).estimation() == Settings(cutoff=9, min_score=0.9, skeleton="coco17").estimation()
    assert Settings(cutoff=3).resolved() != Settings(cutoff=9).resolved()
    assert Settings(rotation="quarters").estimation() != Settings().estimation()


def test_a_file_that_was_changed_has_another_fingerprint(tmp_path):
    import os

    path = tmp_path / "weights.bin"
    path.write_bytes(b"one")
    first = fingerprint(path)
    path.write_bytes(b"two")
    os.utime(path, ns=(1, 1))
    assert fingerprint(path)["sha256"] != first["sha256"]
    assert first["sha256"] == "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed"


def test_a_file_that_is_missing_is_bad_data(tmp_path):
    with pytest.raises(BadData, match=r"boxes\.json"):
        Settings(boxes=str(tmp_path / "boxes.json")).resolved()


def test_settings_are_made_from_names_and_leave_others_out():
    assert Settings.of({"pose": "rtmlib", "out": "x"}) == Settings(pose="rtmlib")


def test_where_no_rate_and_no_start_can_be_is_told_at_once():
    for fps in (0, -1.0, float("inf"), 1e6):
        with pytest.raises(BadSetting, match="fps is"):
            Settings(fps=fps)
    assert Settings(fps=29.97, init_box="1,2,3,4@5").fps == 29.97
