import numpy as np
import pytest

from posediff.annotate.detect import Detected
from posediff.annotate.follow import follow, step
from posediff.errors import BadData, BadSetting
from tests.fixtures.videos import walker_boxes

SIZE, COUNT = (320, 240), 20


def seen(truth, every=1, shifts=None):
    """What a detector finds of (people, T, 4) boxes, in every n-th frame."""
    frames = np.arange(0, truth.shape[1], every)
    boxes = tuple(np.c_[truth[:, index], np.full(len(truth), 0.9)].astype(np.float32) for index in frames)
    return Detected(frames, boxes, np.zeros((len(frames), 2)) if shifts is None else shifts[frames])


def followed(detected, **options):
    pytest.importorskip("supervision")
    return follow(detected, size=SIZE, fps=25, **options)


def whose(track, truth):
    """Which of the people a track is of, over all of its frames."""
    errors = np.abs(truth[:, track.frames] - track.boxes[None, :, :4]).max(axis=(1, 2))
    assert errors.min() < 6
    return int(errors.argmin())


@pytest.fixture
def walk():
    return walker_boxes(COUNT, people=3)


def test_all_is_everybody_with_ids_of_their_own(walk):
    people = followed(seen(walk), person="all")
    assert sorted(whose(one, walk) for one in people) == [0, 1, 2]
    assert len({one.id for one in people}) == 3


@pytest.mark.parametrize("every", [1, 4])
def test_largest_is_who_is_largest_in_every_frame(walk, every):
    walk[1, :, 3] += 40
    (athlete,) = followed(seen(walk, every))
    assert whose(athlete, walk) == 1
    assert athlete.frames.tolist() == list(range(0, COUNT, every))


def test_centre_is_who_is_nearest_to_the_middle(walk):
    walk[:, :, [1, 3]] += np.array([-60, 60, -60])[:, None, None]
    (athlete,) = followed(seen(walk), person="centre")
    middle = (walk[..., :2] + walk[..., 2:]) / 2
    nearest = np.hypot(*(middle - np.array(SIZE) / 2).transpose(2, 0, 1)).mean(axis=1).argmin()
    assert whose(athlete, walk) == nearest


@pytest.mark.parametrize("every", [1, 5])
def test_moving_is_who_moves_in_front_of_the_background(every):
    still, count = walker_boxes(41, people=3, step=0), 41
    pan = np.arange(count) * 2.0
    truth = still.copy()
    truth[:2, :, [0, 2]] += pan[None, :, None]  # they stand, and the camera turns; the third goes along with it
    shifts = np.zeros((count, 2))
    shifts[:, 0] = 2.0 * every
    shifts[0] = 0
    (athlete,) = followed(seen(truth, every, shifts), person="moving")
    assert whose(athlete, truth) == 2


def test_an_id_is_one_of_those_of_everybody(walk):
    everybody = followed(seen(walk), person="all")
    for one in everybody:
        (athlete,) = followed(seen(walk), person=str(one.id))
        assert athlete.id == one.id
        np.testing.assert_array_equal(athlete.boxes, one.boxes)
    with pytest.raises(BadSetting, match="no person '7'"):
        followed(seen(walk), person="7")


@pytest.mark.parametrize("person", [0, 1, 2])
@pytest.mark.parametrize("click", [False, True])
def test_the_start_says_who_it_is(walk, person, click):
    x0, y0, x1, y1 = walk[person, 6]
    place = f"{(x0 + x1) / 2},{(y0 + y1) / 2}" if click else f"{x0},{y0},{x1},{y1}"
    (athlete,) = followed(seen(walk), init_box=f"{place}@6", person="largest")
    assert whose(athlete, walk) == person
    assert athlete.frames.tolist() == list(range(COUNT))


def test_a_start_without_frame_is_in_the_first_one(walk):
    x0, y0, x1, y1 = walk[2, 0]
    (athlete,) = followed(seen(walk), init_box=f"{x0},{y0},{x1},{y1}")
    assert whose(athlete, walk) == 2


def test_a_start_in_a_frame_that_was_not_looked_at_is_that_of_the_nearest(walk):
    x0, y0, x1, y1 = walk[2, 18]
    detected = seen(walk, 8)
    (athlete,) = followed(detected, init_box=f"{x0},{y0},{x1},{y1}@18", span=range(COUNT))
    assert whose(athlete, walk) == 2


def test_a_frame_that_the_video_does_not_have_is_told_with_those_that_it_has(walk):
    box = "100,60,140,180"
    with pytest.raises(BadSetting, match="frame 20") as caught:
        followed(seen(walk, 8), init_box=f"{box}@20", span=range(COUNT))
    assert "0 to 19" in caught.value.hint
    with pytest.raises(BadSetting, match="frame 17"):
        followed(seen(walk, 8), init_box=f"{box}@17")


@pytest.mark.parametrize("text", ["500,60,540,180", "-90,60,-50,180", "100,-80,140,-10", "400,20", "20,300@3"])
def test_a_start_outside_of_the_picture_is_refused(walk, text):
    with pytest.raises(BadSetting, match="outside of the picture") as caught:
        followed(seen(walk), init_box=text)
    assert "320 x 240" in caught.value.hint


def test_nobody_is_told_with_what_to_do(walk):
    nobody = Detected(np.arange(5), (np.empty((0, 5), np.float32),) * 5, np.zeros((5, 2)))
    with pytest.raises(BadData, match="nobody was found in the 5 frames") as caught:
        followed(nobody)
    assert "--init-box" in caught.value.hint


@pytest.mark.parametrize("person", ["all", "largest"])
def test_who_flashes_up_in_one_frame_of_many_is_nobody(walk, person):
    boxes = [np.empty((0, 5), np.float32) for _ in range(COUNT)]
    boxes[3] = np.array([[10, 10, 50, 130, 0.9]], np.float32)
    with pytest.raises(BadData, match="nobody was found in enough of the 20 frames"):
        followed(Detected(np.arange(COUNT), tuple(boxes), np.zeros((COUNT, 2))), person=person)


def test_the_step_is_that_of_most_frames():
    assert step(np.array([0, 4, 8, 9])) == 4
    assert step(np.array([7])) == 0
