from itertools import product

import numpy as np
import pytest

from posediff.annotate.boxes import iou
from posediff.annotate.trackers.athlete import LONGEST_BRIDGE, LONGEST_LOSS, LONGEST_PREDICTION, track_athlete
from posediff.errors import BadData, BadSetting
from posediff.motion.synthetic import Dive, Recording, generate
from tests.annotate.trackers.test_chains import walker
from tests.fixtures.benchmarks import load
from tests.fixtures.data import data_root

SIZE, FILM = (640, 480), (455, 256)


def detected(boxes, score=0.8, gone=()):
    """One person's boxes as detections, without those of some frames."""
    return [np.array([[*box, score]] * (row not in gone)).reshape(-1, 5) for row, box in enumerate(boxes)]


def follow(detections, **more):
    more = {"frames": np.arange(len(detections)), "image_size": SIZE} | more
    return track_athlete(detections, **more)


def overlaps(track, boxes):
    return np.array([iou(one[None], boxes[int(frame)][None])[0, 0]
                     for frame, one in zip(track.frames, track.boxes, strict=True)])  # fmt: skip


def synthetic_dive(seed):
    """(T, 4) boxes around a synthetic diver whom the camera follows, and the camera's shift per frame."""
    movement = Dive.random(np.random.default_rng(seed))
    dive = generate(movement, recording=Recording(view="2d", image_size=FILM))
    points = dive.keypoints
    scale = 150 / np.ptp(points[0, :, 1])
    boxes = scale * np.concatenate([points.min(axis=1), points.max(axis=1)], axis=1) + np.array([-9, -9, 9, 9])  # flesh
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    window = np.exp(-((np.arange(-12, 13) / 6.0) ** 2))
    followed = np.column_stack([np.convolve(np.pad(axis, 12, "edge"), window / window.sum(), "valid")
                                for axis in middle.T])  # fmt: skip
    boxes = boxes - np.tile(followed - np.array(FILM) / 2, 2)
    return boxes, -np.diff(followed, axis=0, prepend=followed[:1])


def test_every_frame_has_a_box_and_made_up_ones_have_no_confidence():
    boxes = walker((100, 100), (4, 2))
    track = follow(detected(boxes, 0.7, gone=(3, 4, 9)), start=boxes[0])
    assert track.frames.tolist() == list(range(20))
    np.testing.assert_allclose(track.boxes[:, 4], [0 if row in (3, 4, 9) else 0.7 for row in range(20)], rtol=1e-6)
    assert overlaps(track, boxes).min() > 0.95


def test_it_is_followed_forwards_and_backwards_from_the_start():
    boxes = walker((100, 100), (4, 2), 30)
    crowd = [np.concatenate([one, [[400, 200, 440, 290, 0.95]]]) for one in detected(boxes)]
    track = follow(crowd, start=boxes[17], start_index=17)
    assert track.frames.tolist() == list(range(30))
    assert overlaps(track, boxes).min() > 0.9


def test_the_frame_numbers_are_those_that_were_given():
    boxes = walker((100, 100), (10, 4), 12)
    track = follow(detected(boxes, gone=(5,)), frames=np.arange(30, 90, 5), start=boxes[0], fps=50.0)
    assert track.frames.tolist() == list(range(30, 90, 5))
    assert track.boxes.dtype == np.float32


def test_a_click_chooses_the_box_in_whose_middle_it_is():
    boxes, other = walker((100, 100), (2, 0)), walker((125, 100), (2, 0))
    crowd = [np.concatenate(pair) for pair in zip(detected(boxes), detected(other), strict=True)]
    assert overlaps(follow(crowd, start=np.array([120.0, 150])), boxes).min() > 0.9
    assert overlaps(follow(crowd, start=np.array([147.0, 150])), other).min() > 0.9


def test_a_click_in_a_frame_without_a_box_takes_the_nearest_frame():
    boxes = walker((100, 100), (2, 0))
    track = follow(detected(boxes, gone=(0, 1)), start=np.array([120.0, 150]))
    assert overlaps(track, boxes).min() > 0.8
    assert (track.boxes[:2, 4] == 0).all()


def test_a_click_beside_everybody_is_refused():
    with pytest.raises(BadSetting, match="nobody was found at 300,20 in frame 0"):
        follow(detected(walker((100, 100), (2, 0))), start=np.array([300.0, 20]))


def test_a_start_box_that_no_detection_confirms_counts_as_sure():
    boxes = walker((100, 100), (2, 0))
    track = follow(detected(boxes, gone=(0,)), start=boxes[0])
    assert track.boxes[0, 4] == 1
    assert overlaps(track, boxes)[0] > 0.95


def test_without_a_start_the_largest_person_is_followed():
    boxes = walker((100, 100), (3, 1), size=(60, 140))
    crowd = [np.concatenate([[[450, 300, 480, 370, 0.95]], one]) for one in detected(boxes, 0.5)]
    assert overlaps(follow(crowd), boxes).min() > 0.9


def test_without_anybody_and_without_a_start_there_is_nobody_to_follow():
    with pytest.raises(BadData, match="nobody was followed"):
        follow([np.zeros((0, 5))] * 4)


@pytest.mark.parametrize("missing", [10, 40, 60])
def test_only_short_gaps_are_filled_and_a_long_loss_ends_the_track(missing):
    """At 25 frames a second the bridge is 25 frames, the loss 50, the prediction 10."""
    assert (LONGEST_BRIDGE, LONGEST_LOSS, LONGEST_PREDICTION) == (1.0, 2.0, 0.4)
    boxes = walker((100, 100), (1, 0), 100)
    track = follow(detected(boxes, gone=range(20, 20 + missing)), start=boxes[0])
    expected = {
        10: list(range(100)),
        40: [*range(30), *range(50, 100)],
        60: list(range(30)),
    }[missing]
    assert track.frames.tolist() == expected


def test_a_start_with_no_detection_at_all_is_held_for_a_moment():
    boxes = walker((100, 100), (0, 0), 100)
    track = follow(detected(boxes, gone=range(100)), start=boxes[0])
    assert track.frames.tolist() == list(range(11))
    assert overlaps(track, boxes).min() > 0.9


def test_one_frame_is_a_track():
    boxes = walker((100, 100), (0, 0), 1)
    assert follow(detected(boxes), start=boxes[0]).frames.tolist() == [0]


def test_boxes_without_area_are_ignored():
    boxes = walker((100, 100), (2, 0))
    spoiled = [np.concatenate([one, [[5, 5, 5, 9, 0.9], [np.nan, 0, 1, 1, 0.9]]]) for one in detected(boxes)]
    assert overlaps(follow(spoiled, start=boxes[0]), boxes).min() > 0.95


def test_the_camera_s_motion_tells_a_jump_of_the_picture_from_one_of_the_athlete():
    """The camera is knocked by two bodies' width; a spectator is left where the athlete was before."""
    boxes, knocked = walker((200, 100), (0, 0)), np.zeros((20, 2))
    knocked[10] = [80, 0]
    pan = np.tile(knocked.cumsum(axis=0), 2)
    spectator = walker((120, 100), (0, 0))
    crowd = [np.concatenate(pair) for pair in zip(detected(boxes + pan), detected(spectator + pan), strict=True)]
    assert overlaps(follow(crowd, start=boxes[0], motion=knocked), boxes + pan).min() > 0.9


@pytest.mark.parametrize(
    ("changes", "fault", "said"),
    [
        ({"start": np.array([1.0, 2, 3])}, BadSetting, r"start is \[1.0, 2.0, 3.0\]"),
        ({"start": np.array([5.0, 5, 5, 9])}, BadSetting, "start is"),
        ({"start": np.array([5.0, np.nan])}, BadSetting, "start is"),
        ({"start_index": 20}, BadSetting, "frame 20 of 20"),
        ({"frames": np.arange(3)}, BadData, "3 frame numbers for the boxes of 20 frames"),
        ({"frames": np.zeros(20)}, BadData, "20 frame numbers"),
        ({"motion": np.zeros((3, 2))}, BadData, r"camera motion of shape \(3, 2\) for 20 frames"),
    ],
)
def test_what_does_not_fit_together_is_refused(changes, fault, said):
    boxes = walker((100, 100), (2, 0))
    with pytest.raises(fault, match=said) as error:
        follow(detected(boxes), **({"start": boxes[0]} | changes))
    assert error.value.hint


@pytest.mark.parametrize("kind", ["uniform", "normal"])
@pytest.mark.parametrize("seed", range(3))
def test_boxes_are_nearer_to_the_truth_than_the_jittered_detections(seed, kind):
    boxes, motion = synthetic_dive(seed)
    rng = np.random.default_rng(seed)
    jittered = load("annotate_tracking").jittered(boxes, kind, 0.1, rng)
    for shifts in (None, motion):
        track = follow(detected(jittered), start=boxes[0], motion=shifts)
        before = np.mean([iou(one[None], other[None])[0, 0] for one, other in zip(jittered, boxes, strict=True)])
        assert overlaps(track, boxes).mean() > before + 0.01


@pytest.mark.parametrize("kind", ["world", "image", "uniform", "walk", "mixed"])
def test_a_synthetic_diver_is_followed_among_spectators(kind):
    benchmark = load("annotate_tracking")
    hits = []
    for seed in range(3):
        boxes, motion = synthetic_dive(seed)
        hits.append(benchmark.followed(boxes, benchmark.scene(boxes, motion, kind, "any", "uniform", seed), None))
    assert np.mean(hits) >= 0.95


@pytest.fixture(scope="module")
def dives():
    return load("annotate_tracking").dives(data_root("finediving", "pose_examples"))


@pytest.mark.parametrize("name", ["first", "second"])
@pytest.mark.parametrize("kind", ["world", "image", "uniform", "walk"])
def test_a_real_diver_is_followed_among_spectators(kind, name, dives):
    """Labelled boxes jittered by 10 %, a fifth of them dropped, 5 to 10 spectators a frame; the floor finds few."""
    benchmark, dive = load("annotate_tracking"), dives[name]
    found, floor = [], []
    for label, seed in product(benchmark.LABELS, range(2)):
        boxes = dive.labels[label]
        crowd = benchmark.scene(boxes, dive.motion, kind, "any", "uniform", seed)
        found += [benchmark.followed(boxes, crowd, motion) for motion in (None, dive.motion)]
        floor.append(benchmark.hits(benchmark.nearest(crowd, boxes[0]), boxes))
    assert np.mean(found) >= 0.95
    assert np.mean(floor) < 0.75
