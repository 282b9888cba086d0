import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from posediff.errors import BadData
from posediff.io.checks import Fault
from posediff.io.people import GATE, PATIENCE, Detections, frame_numbers, ids_of, link, sequences
from posediff.skeletons import Skeleton

BOX = Skeleton("box", ("low", "high"), ())


def detections(*places: tuple[int, float]) -> Detections:
    """Bodies 10 wide and high at (frame, x)."""
    frames, xs = np.array([frame for frame, _ in places]), np.array([x for _, x in places], float)
    low = np.stack([xs, np.zeros(len(xs))], axis=1)
    return Detections(frames, np.stack([low, low + 10], axis=1))


def test_a_step_of_less_than_a_body_size_is_the_same_person_and_more_is_another() -> None:
    reach = 10 * GATE
    assert link(detections((0, 0), (1, reach * 0.9))).tolist() == [0, 0]
    assert link(detections((0, 0), (1, reach * 1.1))).tolist() == [0, 1]


def test_a_person_who_was_away_for_long_is_another() -> None:
    assert link(detections((0, 0), (PATIENCE, 0))).tolist() == [0, 0]
    assert link(detections((0, 0), (PATIENCE + 1, 0))).tolist() == [0, 1]


def test_the_nearest_pair_is_linked_first() -> None:
    assert link(detections((0, 0), (0, 8), (1, 7), (1, 3))).tolist() == [0, 1, 1, 0]


@settings(max_examples=30)
@given(st.permutations(range(12)))
def test_the_order_in_which_a_frame_lists_people_does_not_matter(order: list[int]) -> None:
    places = [(frame, 100.0 * person + frame) for frame in range(4) for person in range(3)]
    people = sequences(detections(*(places[i] for i in order)), BOX)
    tracks = sorted(person.keypoints[:, 0, 0].tolist() for person in people)
    assert tracks == [[100.0 * person + frame for frame in range(4)] for person in range(3)]


def test_one_person_has_all_the_frames_of_the_file_and_several_have_theirs() -> None:
    (alone,) = sequences(detections((3, 0)), BOX, frames=range(6))
    assert alone.frames.tolist() == [0, 1, 2, 3, 4, 5]
    one, other = sequences(detections((0, 0), (2, 0), (2, 500), (3, 500)), BOX, frames=range(6))
    assert (one.frames.tolist(), other.frames.tolist()) == ([0, 1, 2], [2, 3])
    assert one.present.all(axis=1).tolist() == [True, False, True]


def test_an_id_twice_in_a_frame_is_refused() -> None:
    twice = detections((0, 0), (0, 50))
    with pytest.raises(Fault, match="person 4 is twice in frame 0"):
        sequences(Detections(twice.frames, twice.keypoints, people=np.array([4, 4])), BOX)


@pytest.mark.parametrize(
    ("names", "numbers"),
    [
        (["img_9.jpg", "img_10.jpg"], [9, 10]),
        (["2024/clip01/000007.png"], [7]),
        (["a.jpg", "b.jpg", "a.jpg"], [0, 1, 0]),
        ([12, 15], [12, 15]),
        ([""], [0]),
        (["v.2.json"], [2]),
    ],
)
def test_frame_numbers_come_from_names(names: list[str | int], numbers: list[int]) -> None:
    assert frame_numbers(names) == numbers


def test_images_of_two_videos_are_refused() -> None:
    with pytest.raises(BadData, match="2 videos"):
        frame_numbers(["a_1.jpg", "b_1.jpg"])


def test_ids_come_from_names_where_they_differ() -> None:
    assert ids_of(["id_3", "id_1"]) == [3, 1]
    assert ids_of(["mouse", "rat"]) == [0, 1]
    assert ids_of(["m1", "f1"]) == [0, 1]
