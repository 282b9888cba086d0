import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posediff.annotate.boxes import (
    Track,
    corner_distance,
    iou,
    parse_init_box,
    read_boxes,
    read_tracks,
    write_boxes,
    write_tracks,
)
from posediff.errors import BadData, BadSetting, CannotWrite

corner = st.integers(0, 12)
box = st.tuples(corner, corner, corner, corner).map(
    lambda b: (min(b[0], b[2]), min(b[1], b[3]), max(b[0], b[2]), max(b[1], b[3]))
)


def saved(path, document):
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


def boxes_file(path, frames, **more):
    return saved(path / "boxes.json", {"format": "posediff.boxes/1", "frames": frames, **more})


def cells(one):
    """The unit squares that a box of whole numbers covers."""
    return {(x, y) for x in range(one[0], one[2]) for y in range(one[1], one[3])}


@given(st.lists(box, max_size=4), st.lists(box, max_size=4))
def test_iou_is_the_share_of_the_pixels_that_both_cover(a, b):
    found = iou(np.array(a).reshape(-1, 4), np.array(b).reshape(-1, 4))
    expected = [[len(cells(p) & cells(q)) / max(len(cells(p) | cells(q)), 1) for q in b] for p in a]
    np.testing.assert_allclose(found, np.array(expected).reshape(len(a), len(b)))


def test_iou_ignores_what_follows_the_corners():
    assert iou(np.array([[0, 0, 2, 2, 0.3]]), np.array([[1, 0, 3, 2]]))[0, 0] == pytest.approx(1 / 3)


def test_corner_distance_adds_the_distances_of_both_corners():
    a, b = np.array([[0.0, 0, 10, 10]]), np.array([[3.0, 4, 10, 10], [0, 0, 10, 10], [3, 0, 14, 10]])
    np.testing.assert_allclose(corner_distance(a, b), [[5, 0, 5]])


@given(
    st.lists(
        st.lists(st.tuples(box.filter(lambda b: b[2] > b[0] and b[3] > b[1]), st.floats(0, 1, width=32)), max_size=3),
        max_size=4,
    ),
    st.integers(0, 5),
)
def test_boxes_come_back_from_their_file_as_they_were(tmp_path_factory, people, first):
    path = tmp_path_factory.mktemp("boxes") / "boxes.json"
    boxes = [np.array([[*b, s] for b, s in frame], np.float32).reshape(-1, 5) for frame in people]
    numbers = first + 2 * np.arange(len(boxes))
    write_boxes(path, boxes, numbers)
    back = read_boxes(path)
    np.testing.assert_array_equal(back.frames, numbers)
    assert len(back.boxes) == len(boxes)
    for one, other in zip(back.boxes, boxes, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_frames_of_a_boxes_file_count_from_0_and_a_missing_score_is_1(tmp_path):
    back = read_boxes(boxes_file(tmp_path, [[[1, 2, 3, 4]], [], [[1, 2, 3, 4.5, 0.25]]]))
    assert back.frames.tolist() == [0, 1, 2]
    assert [one.tolist() for one in back.boxes] == [[[1, 2, 3, 4, 1]], [], [[1, 2, 3, 4.5, 0.25]]]


def test_a_boxes_file_may_number_its_frames(tmp_path):
    assert read_boxes(boxes_file(tmp_path, [[], []], numbers=[4, 9])).frames.tolist() == [4, 9]


def test_all_faults_of_a_boxes_file_are_told_with_their_places(tmp_path):
    path = boxes_file(
        tmp_path,
        [[[5, 0, 4, 1, 0.5], [0, 0, 1, 1, 1.5]], 7, [[0, 0, 1]], [[0, "a", 1, 1]], [[0, 0, 1, None]]],
        numbers=[0, 1, 1, 2, 3],
    )
    with pytest.raises(BadData) as error:
        read_boxes(path)
    for said in (
        f"{path}: ",
        "frames[0][0] is 5, 0, 4, 1",
        "frames[0][1][4] is 1.5",
        "frames[1] is 7",
        "frames[2][0] is a list of 3",
        "frames[3][0][1] is 'a'",
        "frames[4][0][3] is null",
        "numbers[2] is 1 after 1",
    ):
        assert said in str(error.value)


def test_many_faults_are_counted(tmp_path):
    with pytest.raises(BadData, match="and 290 more"):
        read_boxes(boxes_file(tmp_path, [[[0, 0, 0, 0]]] * 300))


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"format": "posediff.boxes/2", "frames": []}, "'posediff.boxes/2', expected 'posediff.boxes/1'"),
        ([], "format is null"),
        ({"format": "posediff.boxes/1"}, "frames is missing"),
        ({"format": "posediff.boxes/1", "frames": [], "numbers": [1]}, "numbers has 1 values, expected 0"),
        ({"format": "posediff.boxes/1", "frames": [[]], "numbers": [-1]}, "numbers[0] is -1"),
        ({"format": "posediff.boxes/1", "frames": [[]], "numbers": [0.5]}, "0.5, expected a whole number"),
        ('{"format": "posediff.boxes/1", "frames": [[[0, 0, 1, NaN]]]}', "NaN is no JSON number"),
        ('{"format": "posediff.boxes/1", "frames": [[[0, 0, 1, 1e400]]]}', "[3] is inf"),
        ('{"format": "posediff.boxes/1", ', "not valid JSON"),
        ("", "is empty"),
    ],
)
def test_a_boxes_file_that_is_none_is_refused(tmp_path, document, said):
    with pytest.raises(BadData) as error:
        read_boxes(saved(tmp_path / "boxes.json", document))
    assert said in str(error.value)


def test_a_folder_and_a_missing_file_are_refused(tmp_path):
    with pytest.raises(BadData, match="is a folder"):
        read_boxes(tmp_path)
    with pytest.raises(BadData, match="no such file"):
        read_tracks(tmp_path / "tracks.json")


def test_tracks_come_back_from_their_file_as_they_were(tmp_path):
    rng = np.random.default_rng(0)
    corners = np.sort(rng.uniform(0, 100, (3, 2, 2)), axis=1).reshape(3, 4)
    tracks = [
        Track(4, np.array([7, 8, 9]), np.column_stack([corners, [0, 0.3, 1]]).astype(np.float32)),
        Track(0, np.array([2]), np.array([[0, 0, 5, 5, 0.1]], np.float32)),
    ]
    write_tracks(tmp_path / "deep" / "tracks.json", tracks)
    back = read_tracks(tmp_path / "deep" / "tracks.json")
    assert [one.id for one in back] == [4, 0]
    for one, other in zip(back, tracks, strict=True):
        np.testing.assert_array_equal(one.frames, other.frames)
        np.testing.assert_array_equal(one.boxes, other.boxes)
        assert (one.frames.dtype, one.boxes.dtype) == (np.int64, np.float32)


def test_all_faults_of_a_tracks_file_are_told_with_their_places(tmp_path):
    good = [[0, 0, 1, 1]]
    tracks = [
        {"id": 1, "frames": [3], "boxes": good},
        {"id": 1, "frames": [4], "boxes": good},
        {"id": -2, "frames": [3, 4], "boxes": good},
        {"frames": [3], "boxes": [[0, 0, 1]]},
        {"id": 5, "frames": [], "boxes": []},
        {"id": 6, "boxes": good},
    ]
    with pytest.raises(BadData) as error:
        read_tracks(saved(tmp_path / "tracks.json", {"format": "posediff.tracks/1", "tracks": tracks}))
    for said in (
        "id 1 occurs more than once",
        "tracks[2].id is -2",
        "tracks[2].frames has 2 values, expected 1",
        "tracks[3].id is missing",
        "tracks[3].boxes[0] is a list of 3",
        "tracks[4] has no frames",
        "tracks[5].frames is missing",
    ):
        assert said in str(error.value)


def test_a_place_that_cannot_be_written_to_is_told(tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(CannotWrite, match="taken"):
        write_boxes(tmp_path / "taken" / "boxes.json", [])


@pytest.mark.parametrize(
    ("text", "place", "frame"),
    [
        ("120,40,180.5,200@7", [120, 40, 180.5, 200], 7),
        ("120, 40, 180, 200", [120, 40, 180, 200], None),
        ("-3,-.5,1e2,20@0", [-3, -0.5, 100, 20], 0),
        ("55,66@3", [55, 66], 3),
        ("55,66", [55, 66], None),
    ],
)
def test_a_start_is_a_box_or_a_click_and_may_name_its_frame(text, place, frame):
    start = parse_init_box(text)
    assert (start.place.tolist(), start.frame) == (place, frame)


@pytest.mark.parametrize(
    "text",
    ["", "1", "1,2,3", "1,2,3,4,5", "a,b", "1,2@", "1,2@-1", "1,2@x", "1,2@1.5", "5,5,5,9", "5,9,8,9", "9,0,8,5",
     "nan,2", "1,inf", "1,2,3,4@1@2", "1e9,2", "1;2"],
)  # fmt: skip
def test_a_start_that_is_neither_is_refused_as_it_was_written(text):
    with pytest.raises(BadSetting) as error:
        parse_init_box(text)
    assert repr(text) in str(error.value)
    assert error.value.hint
