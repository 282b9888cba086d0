import json
import os

import numpy as np
import pytest
from click.testing import CliRunner

from posediff import Status, read, read_person
from posediff.annotate import job
from posediff.annotate.boxes import write_boxes
from posediff.annotate.detectors import DETECTORS
from posediff.annotate.estimators import ESTIMATORS
from posediff.cli import main
from posediff.cli.annotate import named_or_weights
from tests.fixtures.data import data_root
from tests.fixtures.engines import PLACES
from tests.fixtures.videos import walker_boxes, walkers, write_images, write_sound, write_video

COUNT = 16
START = ",".join(f"{value:g}" for value in walker_boxes(COUNT, people=1)[0, 0])


def run(*arguments):
    return CliRunner().invoke(main, ["annotate", *map(str, arguments)])


def refused(result, code, *parts):
    """Whether a run ended before the first video: one line of error, one of hint, nothing on stdout."""
    assert result.stdout == ""
    error, hint = result.stderr.splitlines()
    assert error.startswith("posediff: error: ")
    assert hint.startswith("hint: ")
    assert len(hint) > len("hint: ")
    for part in parts:
        assert part in error
    assert result.exit_code == code
    return True


@pytest.fixture
def figures(monkeypatch):
    """Put what finds plain figures in MediaPipe's place."""
    monkeypatch.setitem(DETECTORS, "mediapipe", "tests.fixtures.engines:make_detector")
    monkeypatch.setitem(ESTIMATORS, "mediapipe", ("tests.fixtures.engines:make_estimator", "mediapipe"))
    job._engines.cache_clear()
    yield
    job._engines.cache_clear()


@pytest.fixture
def walk(figures, tmp_path):
    (tmp_path / "in").mkdir()
    return write_video(tmp_path / "in" / "walk.mp4", walkers(COUNT, people=1))


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


def joints(rows=range(COUNT)):
    x0, y0, x1, y1 = walker_boxes(COUNT, people=1)[0][list(rows)].T[:, :, None]
    return np.stack([x0 + PLACES[:, 0] * (x1 - x0), y0 + PLACES[:, 1] * (y1 - y0)], axis=2)


def test_a_video_becomes_a_skeleton_and_a_few_lines(walk, out):
    result = run(walk, "--out", out, "--cutoff", 0)
    assert result.exit_code == 0
    np.testing.assert_allclose(read_person(out / "walk.json").keypoints, joints(), atol=2)
    lines = result.stdout.splitlines()
    assert lines[0] == "walk: 16 frames"
    assert lines[1].startswith("  person 0: seen in 100% of the frames")
    assert "  walk.json" in lines
    assert "1 video: 1 done" in result.stderr


def test_json_is_one_document_and_the_rest_is_on_stderr(walk, out):
    write_sound(walk.with_name("song.mp4"))
    result = run(walk.parent, "--out", out, "--json")
    document = json.loads(result.stdout)
    assert document["format"] == "posediff.annotations/1"
    assert [(one["name"], one["state"], one["code"]) for one in document["videos"]] == [
        ("song", "failed", 3),
        ("walk", "done", 0),
    ]
    assert "no video stream" in document["videos"][0]["message"]
    assert document["videos"][0]["hint"]
    assert document["videos"][1]["outputs"] == ["walk.json"]
    assert "no video stream" in result.stderr
    assert result.exit_code == 4


def test_quiet_says_nothing_on_the_side_and_the_table_has_the_hint(walk, out):
    walk.write_bytes(b"no video")
    result = run(walk, "--out", out, "-q")
    assert result.stderr == ""
    failed, hint = result.stdout.splitlines()
    assert failed.startswith("walk: failed: ")
    assert hint.startswith("  hint: ")
    assert result.exit_code == 3


def test_a_second_run_finds_everything_finished_and_one_with_another_setting_does_it_anew(walk, out):
    run(walk, "--out", out)
    assert "walk: 16 frames, finished before" in run(walk, "--out", out).stdout
    assert "finished before" not in run(walk, "--out", out, "--no-resume").stdout
    assert "finished before" not in run(walk, "--out", out, "--min-score", 0.5).stdout


def test_a_renamed_video_is_not_done_again_and_that_is_told(walk, out, monkeypatch):
    run(walk, "--out", out, "--check", 3)
    monkeypatch.setattr("tests.fixtures.engines.Places.estimate", None)
    result = run(walk.rename(walk.with_name("other.mp4")), "--out", out, "--check", 3)
    assert result.exit_code == 0
    assert "the outputs of walk were copied" in result.stdout
    assert (out / "other.json").read_bytes() == (out / "walk.json").read_bytes()
    assert {path.name for path in (out / "other.check").iterdir()} == {
        path.name for path in (out / "walk.check").iterdir()
    }


def test_frames_to_check_are_written_and_named_though_nothing_looks_wrong(walk, out):
    result = run(walk, "--out", out, "--check", 4)
    assert "  walk.check" in result.stdout.splitlines()
    assert len([*(out / "walk.check").glob("*.json")]) == len([*(out / "walk.check").glob("*.jpg")]) == 4


@pytest.mark.parametrize(("options", "name"), [(("--check", 3), "check"), (("--format", "labelme"), "labelme")])
def test_a_folder_for_labelme_is_written_anew_only_where_it_was_moved_away(walk, out, options, name):
    run(walk, "--out", out, *options)
    folder = out / f"walk.{name}"
    (first, *_) = sorted(folder.glob("*.json"))
    first.write_text(first.read_text() + "\n")
    edited = first.read_bytes()
    assert "finished before" in run(walk, "--out", out, *options).stdout
    assert first.read_bytes() == edited
    folder.rename(out / "mine")
    result = run(walk, "--out", out, *options)
    assert "finished before" not in result.stdout
    assert first.read_bytes() + b"\n" == edited


def test_frames_for_labelme_in_the_searched_folder_are_no_input(walk, tmp_path):
    run(walk, "--out", walk.parent / "result", "--format", "labelme", "--check", 2)
    document = json.loads(run(walk.parent, "--out", tmp_path / "other", "--json").stdout)
    assert [one["name"] for one in document["videos"]] == ["walk"]


def test_what_a_person_corrects_is_in_the_result(walk, out):
    run(walk, "--out", out, "--check", 4, "--cutoff", 0)
    label = sorted((out / "walk.check").glob("*.json"))[1]
    number = int(label.stem)
    document = json.loads(label.read_text())
    (wrist,) = (shape for shape in document["shapes"] if shape["label"] == "left_wrist")
    wrist["points"] = [[7.0, 9.0]]
    label.write_text(json.dumps(document))
    before = {path.name: path.read_bytes() for path in (out / "walk.check").iterdir()}

    result = run(walk, "--out", out, "--corrections", out, "--cutoff", 0)
    person = read_person(out / "walk.json")
    joint = person.skeleton.index("left_wrist")
    assert result.exit_code == 0
    assert person.keypoints[number, joint].tolist() == [7, 9]
    assert person.status[number, joint] == Status.VERIFIED
    assert (person.status == Status.VERIFIED).sum() == 1
    assert {path.name: path.read_bytes() for path in (out / "walk.check").iterdir()} == before


def test_corrections_of_another_video_are_refused(walk, out, tmp_path):
    run(walk, "--out", out, "--check", 4)
    large = write_video(tmp_path / "large.mp4", walkers(COUNT, people=1, width=400))
    result = run(large, "--out", out, "--corrections", out / "walk.check", "--no-resume")
    assert result.exit_code == 3
    assert "320 x 240 pixels large, the video 400 x 240" in result.stdout
    assert not (out / "large.json").exists()


def test_every_person_is_written_where_all_are_wanted(figures, out, tmp_path):
    pytest.importorskip("supervision")
    video = write_video(tmp_path / "two.mp4", walkers(COUNT))
    result = run(video, "--out", out, "--person", "all", "--format", "coco", "--format", "native", "--contact-sheet")
    assert result.exit_code == 0
    assert len(read(out / "two.json")) == len(read(out / "two.coco.json")) == 2
    assert (out / "two.png").exists()


def test_ranges_and_image_folders_keep_their_frame_numbers(walk, out, tmp_path):
    images = write_images(tmp_path / "images", walkers(COUNT, people=1), start=40)
    result = run(f"{walk}#4:9", f"{images}#43:47", "--out", out, "--fps", 50, "--json")
    people = [read_person(out / one["outputs"][0]) for one in json.loads(result.stdout)["videos"]]
    assert [person.frames.tolist() for person in people] == [[4, 5, 6, 7, 8], [43, 44, 45, 46]]
    assert [person.fps for person in people] == [50, 50]


@pytest.mark.parametrize("name", ["-dash", "ü ☃", "new\nline", "it's $HOME `x`", "con"])
def test_any_name_of_a_video_gives_a_result(walk, out, name):
    try:
        video = walk.rename(walk.with_name(f"{name}.mp4"))
    except OSError:
        pytest.skip("this file system has no such names")
    result = run("--out", out, "--json", "--", video)
    (one,) = json.loads(result.stdout)["videos"]
    assert result.exit_code == 0
    assert "\n" not in one["name"]
    assert read_person(out / one["outputs"][0]).present.any()


def test_two_videos_of_one_name_are_kept_apart(walk, out):
    (walk.parent / "b").mkdir()
    write_video(walk.parent / "b" / "walk.mp4", walkers(10, people=1))
    assert run(walk.parent, "--out", out).exit_code == 0
    assert [len(read_person(out / name)) for name in ("walk.json", "b/walk.json")] == [COUNT, 10]


def test_a_shard_is_its_part(walk, out):
    for index in range(4):
        write_video(walk.with_name(f"v{index}.mp4"), walkers(4 + index, people=1))
    parts = [json.loads(run(walk.parent, "--out", out, "--shard", f"{i}/2", "--json").stdout) for i in (1, 2)]
    names = [{one["name"] for one in part["videos"]} for part in parts]
    assert names[0] | names[1] == {"v0", "v1", "v2", "v3", "walk"}
    assert not names[0] & names[1]


@pytest.mark.parametrize(
    ("options", "code", "part"),
    [
        (["--init-box", "1,2,3"], 2, "'1,2,3' cannot be read"),
        (["--init-box", "9,9,3,3"], 2, "has no area"),
        (["--person", "tallest"], 2, "'tallest'"),
        (["--shard", "0/3"], 2, "'0/3'"),
        (["--cutoff", "inf"], 2, "cutoff is inf"),
        (["--cutoff", "nan"], 2, "cutoff is nan"),
        (["--max-gap", "inf"], 2, "max_gap is inf"),
        (["--min-score", "nan"], 2, "min_score is nan"),
        (["--fps", "nan"], 2, "fps is nan"),
        (["--fps", "1e9"], 2, "fps is 1000000000.0"),
        (["--workers", "0"], 2, "--workers"),
        (["--detector", "nothing"], 2, "'nothing'"),
        (["--format", "finediving-pose", "--skeleton", "coco17"], 2, "finediving-pose cannot hold the skeleton coco17"),
        (["--boxes", "nowhere.json"], 3, "nowhere.json"),
        (["--corrections", "nowhere"], 3, "nowhere: is no folder"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_the_first_video(walk, out, options, code, part):
    assert refused(run(walk, "--out", out, *options), code, part)
    assert not out.exists()


@pytest.mark.parametrize(
    ("options", "code", "part"),
    [
        (["--init-box", "500,5,600,60"], 2, "outside of the picture"),
        (["--init-box", f"{START}@16"], 2, "frame 16"),
        (["--init-box", "3,3"], 2, "nobody was found at 3,3"),
        (["--person", "7"], 2, "no person '7'"),
    ],
)
def test_what_does_not_fit_the_video_is_that_video_s_failure(walk, out, options, code, part):
    pytest.importorskip("supervision")
    result = run(walk, "--out", out, *options)
    assert result.exit_code == code
    assert part in result.stdout
    assert "  hint: " in result.stdout
    assert not (out / "walk.json").exists()


def test_nothing_to_annotate_is_bad_data(tmp_path, out):
    assert refused(run(tmp_path / "nowhere.mp4", "--out", out), 3, "no such file or folder")
    (tmp_path / "empty").mkdir()
    assert refused(run(tmp_path / "empty", "--out", out), 3, "holds no videos")


def test_a_folder_that_cannot_be_is_told(walk, tmp_path):
    (tmp_path / "file").write_text("")
    assert refused(run(walk, "--out", tmp_path / "file"), 1, "cannot be made")


@pytest.mark.parametrize("damage", ["", "{}", "[]", "null", '{"format": "posediff.annotation/1"}'])
def test_a_damaged_record_is_no_record(walk, out, damage):
    run(walk, "--out", out)
    (record,) = (out / "records").glob("*.json")
    record.write_text(damage)
    result = run(walk, "--out", out)
    assert result.exit_code == 0
    assert "finished before" not in result.stdout
    assert "does not count" in result.stderr


def test_a_record_that_leads_out_of_the_folder_is_no_record(walk, out, tmp_path):
    run(walk, "--out", out)
    (record,) = (out / "records").glob("*.json")
    document = json.loads(record.read_text())
    for path, sha256 in (("../in/walk.mp4", document["outputs"][0]["sha256"]), ("..", "")):
        document["outputs"] = [{"path": path, "size": 0, "sha256": sha256}]
        record.write_text(json.dumps(document))
        assert "leads out of the folder" in run(walk, "--out", out).stderr


def test_boxes_of_a_file_take_the_detector_s_place(walk, out, tmp_path, monkeypatch):
    monkeypatch.setattr("tests.fixtures.engines.Blobs.detect", None)
    write_boxes(tmp_path / "boxes.json", [np.r_[box, 0.9][None] for box in walker_boxes(COUNT, people=1)[0]])
    assert run(walk, "--out", out, "--boxes", tmp_path / "boxes.json").exit_code == 0
    write_boxes(tmp_path / "other.json", [np.array([[1, 2, 30, 40, 0.9]])], np.array([900]))
    result = run(walk, "--out", out, "--boxes", tmp_path / "other.json")
    assert (result.exit_code, "900 to 900" in result.stdout) == (3, True)


def test_weights_name_the_detector_that_they_belong_to(tmp_path):
    assert named_or_weights("whole", None) == ("whole", None)
    assert named_or_weights("rtmlib", "x.onnx") == ("rtmlib", "x.onnx")
    for name, detector in (("a.onnx", "rtmlib"), ("a.pth", "torchvision")):
        (tmp_path / name).write_bytes(b"")
        assert named_or_weights(str(tmp_path / name), None) == (detector, str(tmp_path / name))


def test_a_golfer_is_found_in_nearly_all_frames(out):
    pytest.importorskip("mediapipe")
    golf = data_root("video", "golf_swing.mp4")
    result = run(f"{golf}#0:40", "--out", out, "--json")
    (one,) = json.loads(result.stdout)["videos"]
    assert result.exit_code == 0
    (person,) = one["quality"]["people"]
    assert person["coverage"] >= 0.98
    found = read_person(out / one["outputs"][0])
    assert found.present.any(axis=1).mean() >= 0.98
    ankles, neck = (found.keypoints[:, found.skeleton.index(name), 1] for name in ("right_ankle", "upper_neck"))
    assert (ankles - neck > 200).all()  # he stands, 330 pixels tall


def test_two_videos_are_compared_and_the_second_time_nothing_is_annotated(walk, tmp_path, monkeypatch):
    monkeypatch.setenv("POSEDIFF_CACHE", str(tmp_path / "cache"))
    other = write_video(tmp_path / "other.mp4", walkers(COUNT + 5, people=1))
    first = CliRunner().invoke(main, ["compare", str(walk), str(other), "--json"])
    assert first.exit_code == 0, first.stderr
    document = json.loads(first.stdout)
    assert (document["reference"]["frames"], document["query"]["frames"]) == (COUNT, COUNT + 5)
    assert "annotating" in first.stderr
    again = CliRunner().invoke(main, ["compare", str(walk), str(other), "--json"])
    assert again.stderr == ""
    assert json.loads(again.stdout)["score"] == document["score"]
    assert os.listdir(tmp_path / "cache") == ["skeletons"]
