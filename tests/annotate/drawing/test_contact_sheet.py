import numpy as np
import pytest

from posediff.annotate.drawing.contact_sheet import (
    CELL,
    GAP,
    LETTERS,
    MARK,
    chosen_frames,
    crops,
    fitting,
    wrapped,
    write_contact_sheet,
)
from posediff.annotate.drawing.skeleton import text_size
from posediff.annotate.footage.pictures import read_image
from posediff.annotate.footage.video import open_video
from posediff.errors import BadSetting, CannotWrite
from posediff.sequence import PoseSequence
from tests.fixtures.sequences import LEG
from tests.fixtures.videos import numbered, walker_boxes, write_images

#: As far as a picture and the space around it go.
PITCH = CELL + 2 * GAP


@pytest.fixture
def video(tmp_path):
    return open_video(write_images(tmp_path / "images", numbered(60, width=320, height=240)))


def walking(frames=60, person=0):
    """A leg in the box of one of two walkers."""
    x0, y0, x1, y1 = walker_boxes(frames, people=2)[person].T
    points = np.stack([np.stack([x, y], axis=1) for x, y in ((x0, y0), (x1, (y0 + y1) / 2), (x0, y1))], axis=1)
    return PoseSequence(points, LEG, person=person)


def cells_across(path):
    return read_image(path).shape[1] / PITCH


def marked(path):
    """How many pixels have the colour of the border."""
    return int((read_image(path) == list(bytes.fromhex(MARK[1:]))).all(axis=2).sum())


@pytest.mark.parametrize(("columns", "count", "across"), [(6, 24, 6), (4, 10, 4), (6, 3, 3), (1, 2, 1)])
def test_the_sheet_has_as_many_columns_as_asked_for_but_no_empty_ones(tmp_path, video, columns, count, across):
    write_contact_sheet(video, [walking()], tmp_path / "sheet.png", columns=columns, count=count)
    assert cells_across(tmp_path / "sheet.png") == across


def test_listed_frames_are_marked_and_others_are_not(tmp_path, video):
    sheet = tmp_path / "sheet.png"
    write_contact_sheet(video, [walking()], sheet, count=5)
    assert marked(sheet) == 0
    write_contact_sheet(video, [walking()], sheet, count=5, frames=[7])
    one = marked(sheet)
    assert one > 500
    write_contact_sheet(video, [walking()], sheet, count=5, frames=[7, 50])
    assert marked(sheet) == 2 * one


def test_a_reason_is_written_below_its_frame(tmp_path, video):
    sheets = [tmp_path / "plain.png", tmp_path / "told.png"]
    write_contact_sheet(video, [walking()], sheets[0], count=2, frames=[7])
    write_contact_sheet(video, [walking()], sheets[1], count=2, frames={7: "left knee jumps"})
    plain, told = map(read_image, sheets)
    assert told.shape[0] - plain.shape[0] == text_size("", LETTERS)[1]
    below = told[plain.shape[0] :] < 100
    assert below[:, PITCH : 2 * PITCH].any()  # frame 7 is the second of 0, 7 and 59
    assert not below[:, :PITCH].any()
    assert not below[:, 2 * PITCH :].any()


def test_people_are_drawn_in_the_cells(tmp_path, video):
    sheets = [tmp_path / "with.png", tmp_path / "without.png"]
    write_contact_sheet(video, [walking()], sheets[0], count=4)
    flat = walking().replace(keypoints=np.full((60, 3, 2), np.nan))
    write_contact_sheet(video, [flat], sheets[1], count=4)
    vermilion = [
        int((np.abs(read_image(sheet).astype(int) - [0xD5, 0x5E, 0]).sum(axis=2) < 12).sum()) for sheet in sheets
    ]
    assert vermilion[0] > 200
    assert vermilion[1] == 0


def test_frames_are_evenly_spaced_over_those_with_people_and_the_listed_ones_come_too(video):
    late = walking().select(slice(20, 60))
    assert chosen_frames(video, [late], [], 5) == [20, 30, 40, 49, 59]
    assert chosen_frames(video, [late], [3, 41, 1000], 2) == [3, 20, 41, 59]
    assert chosen_frames(video, [], [], 3) == [0, 30, 59]
    assert chosen_frames(video, [walking()], [], 1000) == list(range(60))
    assert chosen_frames(video, [walking()], [], 0) == [0]


def test_every_cut_holds_everybody_and_lies_in_the_picture():
    people = [walking(), walking(person=1)]
    frames = list(range(0, 60, 7))
    corners, size = crops(people, frames, (320, 240))
    for frame in frames:
        x, y = corners[frame]
        assert 0 <= x <= 320 - size[0]
        assert 0 <= y <= 240 - size[1]
        for one in people:
            assert (one.keypoints[frame] >= [x, y]).all()
            assert (one.keypoints[frame] <= [x + size[0], y + size[1]]).all()


@pytest.mark.parametrize("corner", [(0, 0), (280, 0), (0, 200), (280, 200), (310, 230)])
def test_a_cut_at_the_edge_lies_in_the_picture(corner):
    one = walking(1)
    one = one.replace(keypoints=one.keypoints - one.keypoints[0].min(axis=0) + corner)
    corners, size = crops([one], [0], (320, 240))
    assert (np.array(corners[0]) >= 0).all()
    assert (np.add(corners[0], size) <= [320, 240]).all()


def test_a_cut_is_no_larger_than_it_has_to_be():
    _, size = crops([walking()], [0, 30], (3200, 2400))
    assert size[0] <= 200
    assert size[1] <= 200


def test_without_people_the_whole_picture_is_shown():
    assert crops([], [0, 1], (320, 240)) == ({0: (0, 0), 1: (0, 0)}, (320, 240))


def test_normalized_people_are_cut_as_others_are():
    unit = walking().replace(keypoints=walking().keypoints / [320, 240], units="normalized", image_size=(320, 240))
    (corners, size), (expected, expected_size) = (crops([one], [0, 9], (320, 240)) for one in (unit, walking()))
    np.testing.assert_allclose([*corners[0], *corners[9], *size], [*expected[0], *expected[9], *expected_size], atol=1)


@pytest.mark.parametrize("text", ["short", "a rather long sentence that tells what is wrong", "x" * 100, "a\nb\tc", ""])
def test_reasons_are_no_wider_than_their_picture(text):
    lines = wrapped(text, 150)
    assert len(lines) <= 2
    assert all(text_size(line, LETTERS)[0] <= 150 for line in lines)
    assert "\n" not in "".join(lines)


def test_what_fits_is_not_cut_off():
    assert fitting("short", 200) == "short"
    assert fitting("a rather long sentence that tells what is wrong", 100).endswith("…")


@pytest.mark.parametrize("options", [{"columns": 0}, {"count": -1}])
def test_absurd_settings_are_refused(tmp_path, video, options):
    with pytest.raises(BadSetting, match="columns are"):
        write_contact_sheet(video, [], tmp_path / "sheet.png", **options)


def test_a_place_that_cannot_be_written_to_is_told(tmp_path, video):
    (tmp_path / "file").touch()
    with pytest.raises(CannotWrite, match="cannot be written"):
        write_contact_sheet(video, [], tmp_path / "file" / "sheet.png")
