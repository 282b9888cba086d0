import math

import pytest

from posediff.datasets.clips import Clip, Collection
from posediff.errors import BadData


def test_the_execution_is_the_score_without_the_difficulty():
    assert Clip("01/1", 88.0, difficulty=3.2).execution == pytest.approx(27.5)
    assert Clip("01/1", 88.0).execution == 88.0


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"score": math.nan}, "its score is nan"),
        ({"score": math.inf}, "its score is inf"),
        ({"difficulty": 0.0}, "its difficulty is 0.0, expected above 0"),
        ({"difficulty": math.nan}, "its difficulty is nan"),
        ({"transitions": (3, 2)}, r"its stages begin at \[3, 2\], expected in order"),
        ({"transitions": (0, 2)}, r"its stages begin at \[0, 2\]"),
        ({"transitions": (3, 96), "frames": 96}, r"at \[3, 96\] among 96 frames"),
    ],
)
def test_labels_that_cannot_be_are_refused_by_name(values, said):
    with pytest.raises(BadData, match=f"clip 'a': .*{said}"):
        Clip("a", **{"score": 1.0, **values})


def test_all_faults_of_a_clip_are_told_at_once():
    with pytest.raises(BadData, match=r"score is nan; its difficulty is -1, .*; its stages"):
        Clip("a", math.nan, difficulty=-1, transitions=(2, 1))


def test_stages_without_a_number_of_frames_have_no_end():
    assert Clip("a", 1.0, transitions=(30, 1000)).transitions == (30, 1000)
    assert Clip("a", 1.0, transitions=(1, 95), frames=96).frames == 96


def test_a_clip_is_in_a_collection_once():
    clips = tuple(Clip(name, 1.0) for name in "abcdef")
    assert len(Collection("dives", clips[:4], clips[4:]).train) == 4
    with pytest.raises(BadData, match="dives: clips listed twice: b, c, d and 1 more"):
        Collection("dives", clips, clips[1:5])
