from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posediff.differencing.localizing.transcript import decode, posteriors
from posediff.errors import BadData, BadSetting


@st.composite
def transcripts(draw):
    """Whole-numbered scores, so that ties are exact, some impossible, with gaps that leave room."""
    count = draw(st.integers(1, 4))
    gaps = draw(st.lists(st.integers(1, 3), min_size=count - 1, max_size=count - 1))
    frames = draw(st.integers(sum(gaps) + 1, 11))
    value = st.one_of(st.integers(-6, 3).map(float), st.just(-np.inf))
    scores = np.array(draw(st.lists(st.lists(value, min_size=frames, max_size=frames), min_size=count, max_size=count)))
    return scores, gaps


def every_sequence(scores, gaps):
    """All sequences in order and their total scores, by enumeration."""
    for frames in combinations(range(scores.shape[1]), len(scores)):
        if all(b - a >= gap for a, b, gap in zip(frames, frames[1:], gaps, strict=False)):
            yield frames, sum(row[frame] for row, frame in zip(scores, frames, strict=True))


@given(transcripts())
def test_decoding_finds_what_enumeration_finds_and_ties_go_to_the_earliest_last_key_points(transcript):
    scores, gaps = transcript
    found = list(every_sequence(scores, gaps))
    best = max(score for _, score in found)
    if best == -np.inf:
        with pytest.raises(BadData, match="no frames are possible"):
            decode(scores, gaps)
    else:
        expected = min((frames for frames, score in found if score == best), key=lambda frames: frames[::-1])
        assert decode(scores, gaps).tolist() == list(expected)


@given(transcripts())
def test_posteriors_are_those_of_enumeration(transcript):
    scores, gaps = transcript
    expected = np.zeros(scores.shape)
    for frames, score in every_sequence(scores, gaps):
        expected[range(len(scores)), frames] += np.exp(score)
    if not expected.any():
        with pytest.raises(BadData, match="no frames are possible"):
            posteriors(scores, gaps)
    else:
        np.testing.assert_allclose(posteriors(scores, gaps), expected / expected.sum(axis=1, keepdims=True), atol=1e-12)


@given(transcripts(), st.floats(-1e6, 1e6))
def test_a_constant_added_to_a_row_changes_nothing(transcript, constant):
    scores, gaps = transcript
    if any(score > -np.inf for _, score in every_sequence(scores, gaps)):
        moved = scores.copy()
        moved[0] += float(round(constant))
        np.testing.assert_allclose(posteriors(moved, gaps), posteriors(scores, gaps), atol=1e-8)
        assert decode(moved, gaps).tolist() == decode(scores, gaps).tolist()


def test_scores_far_below_the_smallest_number_keep_their_ratios():
    scores = np.full((2, 300), -1e5)
    scores[0, 40] += np.log(3)
    found = posteriors(scores)
    assert found[0, 40] / found[0, 41] == pytest.approx(3 * 259 / 258)


def test_flat_scores_spread_the_key_points_evenly():
    found = posteriors(np.zeros((3, 199)))
    np.testing.assert_allclose(found @ np.arange(199), [49, 99, 149])


def test_a_key_point_that_is_impossible_everywhere_is_refused():
    scores = np.zeros((2, 5))
    scores[1] = -np.inf
    for method in (decode, posteriors):
        with pytest.raises(BadData, match="2 key points in order"):
            method(scores)


@pytest.mark.parametrize("method", [decode, posteriors])
def test_unusable_input_is_refused(method):
    with pytest.raises(BadData, match="4 key points in order need 4 frames or more, and there are 3"):
        method(np.zeros((4, 3)))
    with pytest.raises(BadData, match="need 6 frames"):
        method(np.zeros((2, 5)), [5])
    with pytest.raises(BadData, match="not a number"):
        method(np.full((1, 3), np.nan))
    with pytest.raises(BadData, match="infinite"):
        method(np.full((1, 3), np.inf))
    with pytest.raises(BadData, match="shape"):
        method(np.zeros(3))
    for gaps in ([0], [1, 1], []):
        with pytest.raises(BadSetting, match="for 2 key points"):
            method(np.zeros((2, 5)), gaps)
