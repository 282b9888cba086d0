import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posediff.datasets.clips import Clip
from posediff.datasets.transitions import UNKNOWN, Stages, labelled, recut, rescaled, stages_of
from posediff.errors import BadData, BadSetting
from posediff.sequence import PoseSequence, Stage
from posediff.skeletons import MPII16


def clip(transitions=None, frames=None):
    return Clip("a", 1.0, transitions=transitions, frames=frames)


def test_transitions_among_as_many_frames_stay():
    assert rescaled((10, 80), 96, 96).tolist() == [10, 80]


def test_a_transition_is_the_first_moment_at_or_after_it():
    # 5 frames at times 0, 1, 2, 3, 4 of 9 at 0, 0.5 ... 4, and the other way around.
    assert rescaled((1, 3), 5, 9).tolist() == [2, 6]
    assert rescaled((2, 5), 9, 5).tolist() == [1, 3]


@given(st.data(), st.integers(2, 200), st.integers(2, 200))
def test_no_stage_becomes_empty(data, count, frames):
    starts = sorted(data.draw(st.sets(st.integers(1, count - 1), max_size=min(count - 1, frames - 1, 6))))
    limits = [0, *rescaled(starts, count, frames).tolist(), frames]
    assert all(before < after for before, after in zip(limits[:-1], limits[1:], strict=True))


def test_stages_need_frames():
    with pytest.raises(BadSetting, match="2 frames cannot hold 3 stages"):
        rescaled((1, 2), 10, 2)


def test_stages_of_a_sequence_count_from_its_first_frame():
    stages = (Stage("entry", 52, 60), Stage("take-off", 40, 45), Stage("flight", 45, 52))
    sequence = PoseSequence(np.zeros((20, 16, 2)), MPII16, frames=np.arange(40, 60), stages=stages)
    assert stages_of(sequence) == Stages((45, 52), 40, 20)


def test_what_a_clip_says_counts_before_what_its_sequence_says():
    assert labelled([clip((10, 20), 31)], [Stages((1, 2), 0, 31)], 61).tolist() == [[20, 40]]


def test_a_clip_that_says_nothing_has_the_stages_of_its_sequence():
    table = labelled([clip((3, 6), 10), clip(), clip()], [UNKNOWN, Stages((14, 15), 10, 10), Stages((4,), 0, 10)], 10)
    assert table.tolist() == [[3, 6], [4, 5], [-1, -1]]


def test_labels_without_a_number_of_frames_are_frame_numbers_of_the_sequence():
    assert labelled([clip((23,)), clip((23,))], [Stages((), 20, 7), UNKNOWN], 13).tolist() == [[6], [-1]]


def test_sequences_that_disagree_say_nothing():
    assert labelled([clip(), clip()], [Stages((4, 5), 0, 10), Stages((4,), 0, 10)], 10).shape == (2, 0)
    assert labelled([clip(), clip()], [Stages((4, 5), 0, 10), Stages((4,), 0, 10)], 10, 1).tolist() == [[-1], [4]]


def test_stages_that_lie_outside_a_sequence_are_unknown():
    assert labelled([clip(), clip()], [Stages((4,), 0, 10), Stages((12,), 0, 10)], 10).tolist() == [[4], [-1]]


def test_clips_that_disagree_are_refused():
    with pytest.raises(BadData, match="1 and 2 labelled transitions"):
        labelled([clip((3,), 9), clip((3, 5), 9)], [UNKNOWN] * 2, 9)
    with pytest.raises(BadData, match=r"begin at \[3, 9\] in frames 3 to 10") as caught:
        labelled([clip((3, 9))], [Stages((), 3, 8)], 8)
    assert caught.value.hint.startswith("give the numbers that the skeleton file gives its frames")


def test_transitions_of_a_cut_clip_are_its_first_moments_at_or_after_them():
    # Moments 2, 2.5 ... 6 of a clip: frame 3 is the third of them; frame 5 the seventh.
    moments = np.linspace(2, 6, 9)[None]
    assert recut(np.array([[3, 5]]), moments).tolist() == [[2, 6]]
    assert recut(np.array([[-1, -1]]), moments).tolist() == [[-1, -1]]
