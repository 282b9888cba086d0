import numpy as np
import pytest

from posediff.annotate.trackers.kalman import measured
from posediff.annotate.trackers.paths import best_path
from tests.annotate.trackers.test_chains import scene, walker


def missing(count, frames, *gone):
    present = np.ones((count, frames), bool)
    present[0, list(gone)] = False
    return present


def test_a_lone_athlete_is_followed_throughout():
    assert best_path(scene(walker((100, 100), (5, 3))), 2.0).tolist() == [0] * 20


def test_nobody_is_followed_while_the_athlete_is_not_found():
    """A spectator sits half a body beside the athlete's way and is found in every frame."""
    athlete, seated = walker((100, 100), (6, 0)), walker((160, 100), (0, 0))
    gone = [8, 9, 10, 15]
    found = best_path(scene(athlete, seated, present=missing(2, 20, *gone)), 2.0)
    assert found.tolist() == [-1 if frame in gone else 0 for frame in range(20)]


def test_a_better_spectator_does_not_attract_the_path():
    """The athlete jitters and is missed in every third frame, the spectator half a body below, never missed, sharp."""
    rng = np.random.default_rng(0)
    athlete = walker((100, 100), (2, 1), 40) + rng.normal(0, 4, (40, 4))
    seated = walker((135, 175), (0, 0), 40)
    gone = range(4, 40, 3)
    found = best_path(scene(athlete, seated, present=missing(2, 40, *gone)), 2.0)
    assert [row for frame, row in enumerate(found) if frame not in gone] == [0] * (40 - len(gone))
    assert (found[list(gone)] == -1).all()


def test_the_athlete_is_taken_up_again_after_a_loss_but_not_after_one_that_is_too_long():
    present = missing(1, 60, *range(20, 45))
    boxes = scene(walker((100, 100), (2, 0), 60), present=present)
    assert (best_path(boxes, 2.0) >= 0).tolist() == present[0].tolist()
    assert (best_path(boxes, 0.9) >= 0).tolist() == [frame < 20 for frame in range(60)]


@pytest.mark.parametrize("frames", [1, 2])
def test_the_shortest_videos_have_a_path(frames):
    assert best_path(scene(walker((100, 100), (2, 0), frames)), 2.0).tolist() == [0] * frames


def test_frames_without_any_box_are_gone_through():
    boxes = scene(walker((100, 100), (2, 0)), present=missing(1, 20, 5, 6, 19))
    assert all(len(values) == 0 for values in (boxes.values[5], boxes.values[19]))
    assert np.flatnonzero(best_path(boxes, 2.0) < 0).tolist() == [5, 6, 19]


def test_of_two_boxes_of_one_body_the_one_that_fits_the_motion_is_taken():
    athlete = walker((100, 100), (4, 0))
    torso = athlete + np.array([0, 0, 0, -45])
    values = scene(athlete, torso)
    assert best_path(values, 2.0).tolist() == [0] * 20
    np.testing.assert_allclose(values.values[3][1], measured(torso[3]))
