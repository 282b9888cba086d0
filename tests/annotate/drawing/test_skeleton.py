import sys

import numpy as np
import pytest

from posediff.annotate.drawing.skeleton import COLOURS, draw, line_width, side_of, text_size, write_text
from posediff.errors import BadData, MissingDependency
from posediff.sequence import PoseSequence, Status
from posediff.skeletons import Skeleton
from tests.fixtures.sequences import standing

#: A bone on every side of the body, each alone.
SIDES = Skeleton(
    "sides",
    ("left_knee", "left_ankle", "right_knee", "right_ankle", "pelvis", "thorax"),
    (("left_knee", "left_ankle"), ("right_knee", "right_ankle"), ("pelvis", "thorax")),
)
PLACES = np.array([[40, 40], [40, 160], [120, 40], [120, 160], [200, 40], [200, 160]], float)
#: A box whose lines cross no bone.
AWAY = [[5, 5, 310, 230]]
GREY = np.full((240, 320, 3), 128, np.uint8)


def person(points=PLACES, **attributes):
    return PoseSequence(np.asarray(points, float)[None], SIDES, **attributes)


def rgb(name):
    return list(bytes.fromhex(COLOURS[name][1:]))


@pytest.mark.parametrize(("joint", "side"), [(0, "left"), (2, "right"), (4, "middle")])
def test_bones_have_the_colour_of_their_side(joint, side):
    x, y = (PLACES[joint] + PLACES[joint + 1]) / 2
    assert draw(GREY, [person()], 0)[int(y), int(x)].tolist() == rgb(side)


def test_the_picture_that_is_given_stays_as_it_is():
    image = GREY.copy()
    drawn = draw(image, [person()], 0)
    np.testing.assert_array_equal(image, GREY)
    assert drawn.shape == GREY.shape
    assert drawn.dtype == np.uint8
    assert (drawn != image).any()


def test_nothing_is_drawn_for_a_frame_that_a_person_lacks():
    one = person(frames=[7])
    np.testing.assert_array_equal(draw(GREY, [one], 0), GREY)
    assert (draw(GREY, [one], 7) != GREY).any()


def test_nothing_is_drawn_for_a_person_without_joints_in_the_frame():
    np.testing.assert_array_equal(draw(GREY, [person(np.full((6, 2), np.nan))], 0), GREY)


def test_a_bone_without_one_end_is_not_drawn_but_its_other_joint_is():
    points = PLACES.copy()
    points[1] = np.nan
    drawn = draw(GREY, [person(points, boxes=AWAY)], 0)
    assert (drawn[100, 36:45] == 128).all()
    assert drawn[40, 40].tolist() == rgb("left")


def test_less_confidence_is_fainter():
    def contrast(score):
        drawn = draw(GREY, [person(scores=np.full((1, 6), score))], 0).astype(int)
        return np.abs(drawn[100, 40] - 128).sum()

    assert contrast(1.0) > contrast(0.5) > contrast(0.05) > 20


def along_a_bone(status):
    drawn = draw(GREY, [person(status=np.full((1, 6), status))], 0).astype(int)
    return np.abs(drawn[50:150, 40] - rgb("left")).sum(axis=1) < 30


def test_bones_of_interpolated_joints_are_dashed_and_measured_ones_are_not():
    assert along_a_bone(Status.MEASURED).all()
    dashed = along_a_bone(Status.INTERPOLATED)
    assert 0.2 < dashed.mean() < 0.9
    assert np.diff(dashed.astype(int)).clip(0).sum() > 4


def test_interpolated_joints_are_hollow_and_verified_ones_are_squares():
    big = np.full((960, 1280, 3), 128, np.uint8)
    four = person(PLACES * 4, boxes=np.multiply(AWAY, 4))

    def around(status):
        one = four.replace(status=np.full((1, 6), status))
        return draw(big, [one], 0)[140:181, 140:181].astype(int)

    assert np.abs(around(Status.MEASURED)[20, 20] - rgb("left")).sum() == 0
    assert around(Status.INTERPOLATED)[20, 20].tolist() == [255, 255, 255]
    white = (around(Status.VERIFIED) > 200).all(axis=2)
    rows, columns = np.nonzero(white)
    assert white[rows.min(), columns.min()]  # a disc has no corners
    assert white[rows.max(), columns.max()]


def test_the_box_is_where_it_is_said_to_be():
    drawn = draw(GREY, [person(boxes=[[30, 30, 250, 200]])], 0).astype(int)
    assert (drawn[200, 60:240] > 150).all()
    assert (drawn[60:190, 250] > 150).all()
    assert (drawn[60:190, 235] == 128).all()


def test_normalized_keypoints_and_scaled_pictures_are_drawn_alike():
    unit = person(PLACES / [320, 240], units="normalized", image_size=(320, 240))
    np.testing.assert_array_equal(draw(GREY, [unit], 0), draw(GREY, [person()], 0))
    double = person(PLACES * 2, image_size=(640, 480))
    np.testing.assert_array_equal(draw(GREY, [double], 0), draw(GREY, [person()], 0))


def test_a_part_of_the_picture_shows_the_part_of_the_body():
    drawn = draw(GREY, [person(PLACES / 2 + [100, 50])], 0, offset=(100, 50), scale=2.0)
    np.testing.assert_array_equal(drawn, draw(GREY, [person()], 0))


@pytest.mark.parametrize("shift", [(-1e30, 0), (0, 1e6), (-100, -100), (310, 230), (5000, 5000)])
def test_bodies_that_lie_outside_harm_nothing(shift):
    drawn = draw(GREY, [person(PLACES + shift)], 0)
    assert drawn.shape == GREY.shape


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (1, 400), (20, 20)])
def test_tiny_pictures_can_be_drawn_on(size):
    image = np.zeros((*size, 3), np.uint8)
    assert draw(image, [person(PLACES / 240 * min(size))], 0).shape == image.shape


def test_a_body_in_space_is_refused():
    with pytest.raises(BadData, match="is in m with 3 dimensions"):
        draw(GREY, [standing(units="m")], 0)


@pytest.mark.parametrize("ground", [0, 128, 255])
def test_text_is_legible_on_any_ground(ground):
    image = np.full((60, 200, 3), ground, np.uint8)
    written = write_text(image, "person 7", (10, 10), size=16)
    wide, tall = text_size("person 7", 16)
    letters = written[10 : 10 + tall, 10 : 10 + wide].mean(axis=2)
    assert letters.min() < 60
    assert letters.max() > 220


@pytest.mark.parametrize("at", [(-50, -50), (190, 55), (1000, -3)])
def test_text_is_moved_into_the_picture(at):
    image = np.full((60, 200, 3), 128, np.uint8)
    changed = (write_text(image, "12", at, size=16) != image).any(axis=2)
    inside = (write_text(image, "12", (50, 20), size=16) != image).any(axis=2)
    assert changed.sum() == inside.sum()


@pytest.mark.parametrize(
    ("joints", "side"),
    [
        (("left_hip",), "left"),
        (("right_hip", "right_knee"), "right"),
        (("left_hip", "right_hip"), "middle"),
        (("pelvis", "left_hip"), "left"),
        (("pelvis", "thorax"), "middle"),
        (("leftover",), "middle"),
    ],
)
def test_sides_follow_from_names(joints, side):
    assert side_of(*joints) == side


def test_lines_grow_with_the_picture():
    assert line_width(3840, 2160) == pytest.approx(2 * line_width(1920, 1080))
    assert line_width(10, 10) >= 1


def test_without_pillow_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(MissingDependency, match="drawing on pictures needs Pillow"):
        draw(GREY, [person()], 0)
