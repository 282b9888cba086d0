import sys
import warnings

import numpy as np
import pytest

from posediff.annotate.boxes import iou
from posediff.annotate.trackers.people import track_people
from posediff.errors import BadData, MissingDependency
from tests.annotate.trackers.test_chains import walker

SIZE = (640, 480)


def crowd(people, *, gone=(), scores=0.8, seed=0):
    """Everybody's boxes as shuffled detections, without the (person, frame) pairs that are gone."""
    rng = np.random.default_rng(seed)
    frames = []
    for row in range(len(people[0])):
        seen = [[*one[row], scores] for person, one in enumerate(people) if (person, row) not in gone]
        frames.append(rng.permutation(np.array(seen).reshape(-1, 5)))
    return frames


def follow(detections, **more):
    more = {"frames": np.arange(len(detections)), "image_size": SIZE, "fps": 25.0} | more
    return track_people(detections, **more)


def same(track, boxes):
    rows = track.frames - track.frames[0] if len(track.frames) != len(boxes) else np.arange(len(boxes))
    return min(iou(one[None], boxes[row][None])[0, 0] for row, one in zip(rows, track.boxes, strict=True))


def test_everybody_keeps_an_id_from_the_first_frame_to_the_last():
    people = [walker((20 + 120 * k, 100), (2 - k, 1)) for k in range(4)]
    tracks = follow(crowd(people))
    assert [track.id for track in tracks] == [0, 1, 2, 3]
    for track in tracks:
        assert track.frames.tolist() == list(range(20))
        assert max(same(track, one) for one in people) > 0.999


@pytest.mark.parametrize("frames", [1, 2, 3, 5])
def test_the_shortest_videos_have_everybody(frames):
    people = [walker((20 + 120 * k, 100), (2, 1), frames) for k in range(4)]
    tracks = follow(crowd(people))
    assert [len(track.frames) for track in tracks] == [frames] * 4


def test_ids_are_in_the_order_of_appearance():
    people = [walker((20, 100), (1, 0)), walker((300, 100), (1, 0))]
    tracks = follow(crowd(people, gone={(0, row) for row in range(7)}))
    assert [int(track.frames[0]) for track in tracks] == [0, 7]
    assert same(tracks[0], people[1]) > 0.999


def test_a_gap_is_filled_linearly_without_confidence():
    people = [walker((100, 100), (3, 1))]
    (track,) = follow(crowd(people, gone={(0, row) for row in range(6, 11)}))
    assert track.frames.tolist() == list(range(20))
    np.testing.assert_allclose(track.boxes[:, :4], people[0], atol=1e-3)
    np.testing.assert_allclose(track.boxes[:, 4], [0 if 6 <= row < 11 else 0.8 for row in range(20)], rtol=1e-6)


def test_a_gap_is_filled_where_the_background_lay_while_the_camera_panned():
    """The person sits still; the camera jerks within the gap, which a line from end to end would smear."""
    motion = np.zeros((20, 2))
    motion[8] = [30, 0]
    boxes = walker((100, 100), (0, 0)) + np.tile(motion.cumsum(axis=0), 2)
    (track,) = follow(crowd([boxes], gone={(0, row) for row in range(6, 11)}), motion=motion)
    np.testing.assert_allclose(track.boxes[:, :4], boxes, atol=1e-3)


def test_somebody_faster_than_boxes_overlap_is_one_person():
    """50 px a frame with a box of 40: the overlap that ByteTrack matches by is 0."""
    people = [walker((10, 100), (50, 0), 12), walker((300, 300), (0, 0), 12)]
    tracks = follow(crowd(people))
    assert [len(track.frames) for track in tracks] == [12, 12]
    assert sorted(round(max(same(track, one) for one in people), 3) for track in tracks) == [1, 1]


def test_few_frames_a_second_are_enough():
    """Every fifth frame of people who pass at a distance."""
    people = [walker((20, 60), (4, 0), 60), walker((500, 300), (-4, 0), 60)]
    every = [one[::5] for one in people]
    tracks = follow(crowd(every), frames=np.arange(0, 60, 5))
    assert [track.frames.tolist() for track in tracks] == [list(range(0, 60, 5))] * 2
    assert {max(range(2), key=lambda k: same(track, every[k])) for track in tracks} == {0, 1}


def test_noise_of_a_moment_is_nobody():
    people = [walker((100, 100), (1, 0)), walker((400, 300), (1, 0))]
    tracks = follow(crowd(people, gone={(1, row) for row in range(20) if row not in (4, 5)}))
    assert len(tracks) == 1


def test_a_video_without_anybody_has_no_tracks():
    assert follow([np.zeros((0, 5))] * 5) == []
    assert follow([]) == []


def test_unsure_boxes_are_followed_too():
    assert len(follow(crowd([walker((100, 100), (1, 0))], scores=0.25))) == 1


def test_nothing_is_said_of_deprecated_parts():
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        follow(crowd([walker((100, 100), (1, 0))]))
    assert [str(one.message) for one in said] == []


def test_frame_numbers_that_do_not_fit_are_refused():
    with pytest.raises(BadData, match="3 frame numbers for the boxes of 20 frames"):
        follow(crowd([walker((100, 100), (1, 0))]), frames=np.arange(3))


def test_a_missing_library_is_told_with_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "supervision", None)
    with pytest.raises(MissingDependency, match="following several people needs supervision") as error:
        follow(crowd([walker((100, 100), (1, 0))]))
    assert "posediff[annotate]" in error.value.hint
