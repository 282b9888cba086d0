import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from posediff.compare import Settings, compare
from posediff.compare.segments import frame_range, spans
from posediff.sequence import Stage
from tests.fixtures.performances import MOVEMENTS, Tempo, aligned, perform, rearranged


def covered(parts, count):
    """Whether the parts follow one another from the first to the last moment."""
    cuts = [0, *(part.end for part in parts)]
    return [part.start for part in parts] == cuts[:-1] and cuts[-1] == count and all(np.diff(cuts) > 0)


@pytest.mark.parametrize("number", [1, 3, 8, 20])
@pytest.mark.parametrize("movement", MOVEMENTS)
def test_without_stages_the_movement_is_cut_into_as_many_segments_as_asked_for(movement, number):
    one = perform(movement).replace(stages=())
    found = compare(one, one, Settings(segments=number)).segments
    assert [segment.name for segment in found] == [f"segment {k + 1}" for k in range(number)]


@given(count=st.integers(1, 30), other=st.integers(1, 30), number=st.integers(1, 12))
@examples(max_examples=25, deadline=None)
def test_segments_cover_all_frames_in_order_however_short_the_sequences(count, other, number):
    swing = perform("swing").replace(stages=())
    settings = Settings(segments=number)
    line = aligned(swing.select(slice(20, 20 + count)), swing.select(slice(20, 20 + other)), settings)
    parts = spans(line, settings)
    assert covered(parts, len(line))
    assert len(parts) == max(min(number, max(count, other) // 2), 1)


def test_cuts_are_snapped_to_where_the_body_rests():
    hold = perform("squat").keypoints[[0, 25, 55]]  # stand, half-way, bottom
    ease = (1 - np.cos(np.linspace(0, np.pi, 21)[:-1]))[:, None, None] / 2
    stops = [np.concatenate([a + (b - a) * ease]) for a, b in zip(hold[:-1], hold[1:], strict=True)]
    paused = rearranged(perform("squat"), np.concatenate([stops[0], stops[1][:12], stops[1][12:]]))
    cut = compare(paused, paused, Settings(segments=2)).segments[1].reference[0]
    assert abs(cut - 20) <= 2


def test_stages_of_the_files_are_used():
    names = [stage.name for stage in perform().stages]
    assert [segment.name for segment in compare(perform(), perform(fps=30.0)).segments] == names


@pytest.mark.parametrize("side", ["reference", "query"])
def test_stages_of_one_file_are_carried_over_to_the_other(side):
    one, other = perform(), perform(fps=50.0)
    pair = (one, other.replace(stages=())) if side == "reference" else (one.replace(stages=()), other)
    found = compare(*pair).segments
    assert [segment.name for segment in found] == [stage.name for stage in one.stages]
    for segment, stage, twin in zip(found, one.stages, other.stages, strict=True):
        np.testing.assert_allclose(segment.reference, (stage.start, stage.end), atol=2)
        np.testing.assert_allclose(segment.query, (twin.start, twin.end), atol=4)


def test_what_lies_outside_of_all_stages_is_kept():
    one = perform().replace(stages=(Stage("bottom", 40, 60),))
    found = compare(one, one).segments
    assert [segment.name for segment in found] == ["before bottom", "bottom", "after bottom"]
    assert [segment.reference for segment in found] == [(0, 40), (40, 60), (60, 98)]


def test_stages_follow_the_numbering_of_the_file():
    one = perform().replace(frames=perform().frames + 500, stages=(Stage("bottom", 540, 560),))
    assert compare(one, one).segments[1].reference == (540, 560)


@pytest.mark.parametrize(
    "stages",
    [
        (Stage("elsewhere", 1000, 1010),),
        (Stage("early", -10, 5), Stage("late", 3, 900)),
        (Stage("twice", 0, 30), Stage("twice", 30, 60)),
        (Stage("second", 50, 80), Stage("first", 0, 30)),
    ],
)
def test_odd_stages_still_give_segments_that_cover_the_movement(stages):
    line = aligned(perform().replace(stages=stages), perform().replace(stages=()))
    assert covered(spans(line, Settings()), len(line))


@given(start=st.integers(0, 97), length=st.integers(1, 98))
@examples(max_examples=20, deadline=None)
def test_a_range_of_moments_holds_at_least_one_frame_of_both(start, length):
    line = aligned(perform(), perform(fps=12.0))
    end = min(start + length, len(line))
    for side, sequence in enumerate((perform(), perform(fps=12.0))):
        first, last = frame_range(line, side, start, end)
        assert 0 <= first < last <= len(sequence)


def test_a_segment_that_starts_late_says_by_how_much():
    slow = perform(tempo=Tempo({"descent": 1.5}))
    offsets = {segment.name: segment.timing_offset_s for segment in compare(perform(), slow).segments}
    # of 3.9 s, slowed to 4.45 s, the bottom starts at 2.25 s; at the reference's tempo it would at 1.94 s
    assert offsets["bottom"] == pytest.approx(2.25 - 1.7 * 4.45 / 3.9, abs=0.06)
    assert offsets["stand"] == pytest.approx(0, abs=0.03)
