import io
import sys

import numpy as np
import pytest

from posediff.annotate.footage.video import open_video
from posediff.differencing.helpers.pictures import Film, film_of, jpeg, person_box, spread_frames
from posediff.errors import BadData, MissingDependency
from posediff.sequence import PoseSequence
from posediff.skeletons import Skeleton

pytest.importorskip("PIL")

WIDTH, HEIGHT, COUNT = 80, 60, 8
DOT = Skeleton("dot", ("head", "pelvis"), (("head", "pelvis"),))


def place(frame):
    """Upper left corner of the performer, a white square of 6 pixels that wanders to the right."""
    return 10 + 4 * frame, 20


def picture(frame):
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    x, y = place(frame)
    image[y : y + 6, x : x + 6] = 255
    image[0, 0, 0] = frame
    return image


def performer(frames=range(COUNT), **changes):
    corners = [[place(frame), np.add(place(frame), 6)] for frame in frames]
    fields = {"frames": np.array(frames), "image_size": (WIDTH, HEIGHT), "source": {"video": "walk"}}
    return PoseSequence(np.array(corners, np.float32), DOT, **{**fields, **changes})


@pytest.fixture
def folder(tmp_path):
    from PIL import Image

    (tmp_path / "walk").mkdir()
    for frame in range(COUNT):
        Image.fromarray(picture(frame)).save(tmp_path / "walk" / f"{frame:03d}.png")
    return tmp_path / "walk"


def film(folder, sequence):
    return Film(open_video(folder), sequence)


def test_a_clip_holds_the_performer_in_all_of_its_pictures_and_little_else(folder):
    (clip, single) = film(folder, performer()).clips([[1, 3], [6]])
    assert [image.shape for image in clip] == [clip[0].shape] * 2
    assert [(image == 255).all(axis=2).sum() for image in (*clip, *single)] == [36] * 3
    assert clip[0].shape[1] < WIDTH / 2
    assert single[0].shape[1] < clip[0].shape[1]


def test_the_performer_moves_within_a_clip(folder):
    ((one, other),) = film(folder, performer()).clips([[1, 3]])
    columns = [np.flatnonzero((image == 255).all(axis=(2,)).any(axis=0))[0] for image in (one, other)]
    assert columns[1] - columns[0] == place(3)[0] - place(1)[0]


def test_pictures_come_in_the_order_asked_for_the_nearest_in_the_place_of_one_that_is_not_there(folder):
    for name in ("002.png", "003.png"):
        (folder / name).unlink()
    whole = performer(units="normalized")
    ((*pictures,),) = film(folder, whole).clips([[5, 3, 99]])
    assert [int(image[0, 0, 0]) for image in pictures] == [5, 4, 7]
    assert pictures[0].shape == (HEIGHT, WIDTH, 3)


def test_a_picture_that_cannot_be_decoded_is_left_out(folder):
    (folder / "003.png").write_bytes((folder / "003.png").read_bytes()[:60])
    (clip,) = film(folder, performer(units="normalized")).clips([[2, 3, 4]])
    assert [int(image[0, 0, 0]) for image in clip] == [2, 4]


def test_one_pass_serves_all_clips(folder, monkeypatch):
    shown = film(folder, performer())
    passes = []
    real = shown.video.frames
    monkeypatch.setattr(shown.video, "frames", lambda **options: passes.append(options) or real(**options))
    shown.clips([[1], [2, 3], [3]])
    assert [options["only"] for options in passes] == [{1, 2, 3}]


def test_people_are_shown_one_at_a_time_around_where_they_are(folder):
    (folder / "002.png").unlink()
    seen = list(film(folder, performer()).people([1, 2, 4]))
    assert [number for number, _ in seen] == [0, 2]
    assert all((image == 255).all(axis=2).sum() == 36 for _, image in seen)
    assert len({image.shape for _, image in seen}) == 1


def test_the_box_is_scaled_to_the_size_of_the_pictures():
    one = person_box(performer(), [2], (WIDTH, HEIGHT))
    double = person_box(performer(), [2], (2 * WIDTH, 2 * HEIGHT))
    np.testing.assert_allclose(double, 2 * np.array(one), atol=2)
    x, y = place(2)
    assert one[0] < x < x + 6 < one[2]
    assert one[1] < y < y + 6 < one[3]


def test_the_detector_s_box_counts_where_it_reaches_further():
    boxes = np.tile(np.array([[0, 0, 70, 50]], np.float32), (COUNT, 1))
    assert person_box(performer(boxes=boxes), [2], (WIDTH, HEIGHT)) == (0, 0, 80, 60)


def test_where_the_person_is_missing_or_not_in_pixels_there_is_no_box():
    missing = performer().replace(keypoints=np.full((COUNT, 2, 2), np.nan, np.float32))
    assert person_box(missing, [2], (WIDTH, HEIGHT)) is None
    assert person_box(performer(units="m"), [2], (WIDTH, HEIGHT)) is None
    outside = performer().replace(keypoints=performer().keypoints + 1000)
    x0, y0, x1, y1 = person_box(outside, [2], (WIDTH, HEIGHT))
    assert 0 <= x0 < x1 <= WIDTH
    assert 0 <= y0 < y1 <= HEIGHT


@pytest.mark.parametrize(
    ("frames", "count", "expected"),
    [((4, 5), 3, [4]), ((0, 9), 3, [0, 4, 8]), ((0, 2), 5, [0, 1]), ((0, 9), 1, [4]), ((3, 3), 2, [3])],
)
def test_frames_are_spread_over_their_range(frames, count, expected):
    assert spread_frames(frames, count) == expected


def test_a_film_is_found_beside_the_file_of_keypoints(folder):
    sequence = performer(source={"video": "walk", "path": str(folder.with_name("walk.json"))})
    assert film_of(sequence).video.path == folder


@pytest.mark.parametrize("key", ["path", "origin"])
def test_a_film_is_found_where_the_sequence_says_it_came_from(folder, key):
    sequence = performer(source={"video": "walk", "path": "elsewhere/walk.json", key: f"{folder}#2:5"})
    assert film_of(sequence).video.path == folder
    assert film_of(sequence).video.count == COUNT


def test_a_film_that_is_given_is_taken(folder):
    assert film_of(performer(source={}), folder).video.path == folder


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ({}, "names no video"),
        ({"video": 3}, "names no video"),
        ({"video": "other.mp4", "path": "a.json"}, "other.mp4 is not beside"),
        ({"video": "x" * 5000, "path": "a.json"}, "is not beside"),
    ],
)
def test_a_film_that_is_not_there_is_told(source, told):
    with pytest.raises(BadData, match=told):
        film_of(performer(source=source))


def test_a_picture_is_small_enough_and_labelled():
    from PIL import Image

    noise = np.random.default_rng(0).integers(0, 255, (900, 700, 3), np.uint8)
    plain = np.full((900, 700, 3), 128, np.uint8)
    sizes = {}
    for name, image in (("noise", noise), ("plain", plain)):
        data = jpeg(image, "A", longest=300, most=20_000)
        assert len(data) <= 20_000
        sizes[name] = Image.open(io.BytesIO(data)).size
    assert sizes["plain"] == (233, 300)
    assert max(sizes["noise"]) <= 300
    shown = np.asarray(Image.open(io.BytesIO(jpeg(plain, "B"))).convert("L")).astype(int)
    assert shown[:30, :30].min() < 40
    assert shown[:60, :60].max() > 200
    assert np.abs(shown[100:] - 128).max() < 10
    assert jpeg(plain, "A") != jpeg(plain, "B")


def test_a_tiny_picture_is_shown_as_well():
    assert jpeg(np.zeros((3, 2, 3), np.uint8), "A", most=1).startswith(b"\xff\xd8")


def test_without_pillow_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(MissingDependency, match="Pillow"):
        jpeg(np.zeros((9, 9, 3), np.uint8), "A")
