import numpy as np
import pytest

from posediff.annotate.boxes import Track
from posediff.annotate.trackers.choice import choose, surest
from posediff.errors import BadData, BadSetting
from tests.annotate.trackers.test_chains import walker

SIZE = (640, 480)


def track(number, boxes, first=0, score=0.8):
    scores = np.broadcast_to(np.array(score, float), len(boxes))
    return Track(number, np.arange(first, first + len(boxes)), np.column_stack([boxes, scores]).astype(np.float32))


def chosen(tracks, how, **more):
    return choose(tracks, how, **({"image_size": SIZE, "fps": 25.0} | more)).id


def test_the_largest_the_most_central_and_the_one_who_moves_most():
    tracks = [
        track(0, walker((10, 10), (0, 0), 40, size=(120, 300))),
        track(1, walker((300, 200), (0, 0), 40)),
        track(2, walker((500, 20), (-4, 5), 40)),
    ]
    assert [chosen(tracks, how) for how in ("largest", "centre", "moving")] == [0, 1, 2]


@pytest.mark.parametrize("how", ["largest", "centre", "moving"])
def test_a_ghost_of_one_frame_never_wins(how):
    """The ghost fills the picture's middle, or jumps through it, for a frame or two, with full confidence."""
    athlete = track(3, walker((80, 60), (1, 0), 60), score=0.4)
    ghosts = [
        track(0, np.array([[0.0, 0, 640, 480]]), 10, 1.0),
        track(1, np.array([[300.0, 200, 340, 280], [0, 0, 40, 80]]), 20, 1.0),
    ]
    assert chosen([*ghosts, athlete], how) == 3


def test_who_is_mostly_made_up_counts_little():
    seen = track(0, walker((100, 100), (0, 0), 50))
    made_up = track(1, walker((300, 100), (0, 0), 50, size=(60, 130)), score=[0.8] * 10 + [0.0] * 40)
    assert chosen([seen, made_up], "largest") == 0


def test_motion_is_what_is_left_when_the_camera_s_is_taken_out():
    """The camera follows the athlete, who stays in the picture's centre while a spectator sweeps through it."""
    motion = np.tile([-6.0, 0], (40, 1))
    pan = np.tile(motion.cumsum(axis=0), 2)
    athlete = track(0, walker((300, 200), (0, 0), 40))
    spectator = track(1, walker((500, 200), (0, 0), 40) + pan)
    assert chosen([athlete, spectator], "moving") == 1
    assert chosen([athlete, spectator], "moving", motion=motion) == 0


def test_the_camera_s_motion_is_that_of_the_tracks_frames():
    """Every fourth frame was looked at, and the spectator is there only in the second half, after the camera's jerk."""
    frames, motion = np.arange(0, 80, 4), np.zeros((20, 2))
    motion[3] = [300, 0]
    spectator = Track(1, frames[10:], track(1, walker((400, 200), (0, 0), 10)).boxes)
    athlete = Track(0, frames, track(0, walker((100, 200), (1, 0), 20)).boxes)
    assert chosen([athlete, spectator], "moving", motion=motion, frames=frames) == 0
    walking = track(0, walker((100, 200), (1, 0), 20) + np.tile(motion.cumsum(axis=0), 2)).boxes
    pacing = track(1, walker((100, 300), (2, 0), 20) + np.tile(motion.cumsum(axis=0), 2)).boxes
    both = [Track(0, frames, walking), Track(1, frames, pacing)]
    assert chosen(both, "moving", motion=motion, frames=frames) == 1


def test_jitter_is_no_motion():
    rng = np.random.default_rng(0)
    still = track(0, walker((100, 100), (0, 0), 100) + rng.normal(0, 2, (100, 4)))
    slow = track(1, walker((300, 100), (1, 0), 100))
    assert chosen([still, slow], "moving") == 1


@pytest.mark.parametrize("how", ["7", 7])
def test_a_track_is_chosen_by_its_id(how):
    tracks = [track(7, walker((0, 0), (0, 0))), track(9, walker((0, 0), (0, 0)))]
    assert chosen(tracks, how) == 7


def test_an_id_that_nobody_has_is_refused_with_those_that_there_are():
    tracks = [track(0, walker((0, 0), (0, 0))), track(2, walker((0, 0), (0, 0)), first=30)]
    with pytest.raises(BadSetting, match="there is no person '5'") as error:
        chosen(tracks, "5")
    assert "0 (frames 0 to 19), 2 (frames 30 to 49)" in error.value.hint
    with pytest.raises(BadSetting, match="'biggest'"):
        chosen(tracks, "biggest")


def test_nobody_can_be_chosen_from_nobody():
    with pytest.raises(BadData, match="nobody was followed"):
        chosen([], "largest")


def test_the_surest_frame_is_the_first_of_the_most_confident():
    boxes = walker((10, 20), (1, 0), 4)
    frame, box = surest(track(0, boxes, first=6, score=[0.2, 0.9, 0.9, 0.1]))
    assert frame == 7
    np.testing.assert_array_equal(box, boxes[1])
