import json
from dataclasses import replace

import numpy as np
import pytest

from posediff.engine.predictions import FORMAT, Predictions, as_records, known, write_predictions

FOUND = Predictions(
    keys=("01/1", "01/2"),
    exemplars=(("02/1", "02/2"), ("02/3",)),
    score=np.array([80.0, 60.5]),
    predicted=np.array([79.0, np.nan]),
    votes=np.array([[78.0, 80.0], [61.0, np.nan]]),
    stages=np.array([[1.0, -2.0, 0.5], [0.0, 0.0, 0.0]]),
    transitions=np.array([[3, 7], [4, 8]]),
    labelled=np.array([[3, 8], [-1, -1]]),
    floor=np.array([75.0, 65.0]),
    frames=12,
)


def test_every_clip_is_a_record_and_what_is_unknown_is_none():
    first, second = as_records(FOUND)
    assert first == {
        "key": "01/1",
        "score": 80.0,
        "predicted": 79.0,
        "floor": 75.0,
        "votes": [78.0, 80.0],
        "stages": [1.0, -2.0, 0.5],
        "transitions": [3, 7],
        "labelled": [3, 8],
        "exemplars": ["02/1", "02/2"],
    }
    assert (second["predicted"], second["votes"], second["labelled"]) == (None, [61.0, None], None)


def test_the_file_is_one_json_document_with_a_clip_a_line(tmp_path):
    write_predictions(tmp_path / "p.json", FOUND, {"seed": 3})
    text = (tmp_path / "p.json").read_text()
    document = json.loads(text)
    assert (document["format"], document["frames"], document["seed"]) == (FORMAT, 12, 3)
    assert document["clips"] == as_records(FOUND)
    assert sum('"key"' in line for line in text.splitlines()) == 2


def test_errors_are_of_executions_and_limits_of_final_scores():
    dives = replace(FOUND, predicted=np.array([79.0, 66.5]), factor=np.array([2.0, 3.0]))
    assert dives.errors == pytest.approx([0.5, 2.0])
    assert replace(dives, factor=None).errors == pytest.approx([1.0, 6.0])
    low, high = dives.limits(1.5)
    assert (low.tolist(), high.tolist()) == ([76.0, 62.0], [82.0, 71.0])
    records = as_records(dives, 1.5)
    assert [(clip["low"], clip["high"]) for clip in records] == [(76.0, 82.0), (62.0, 71.0)]
    assert "low" not in as_records(dives)[0]


def test_scores_of_stages_are_told_where_there_are_some():
    assert "segments" not in as_records(FOUND)[0]
    assert as_records(replace(FOUND, segments=np.array([[1.0], [2.0]])))[1]["segments"] == [2.0]


def test_nan_is_none_at_any_depth():
    assert known([1.0, [float("nan"), float("-inf")], 2]) == [1.0, [None, None], 2]


def test_the_file_never_holds_what_json_lacks(tmp_path):
    write_predictions(tmp_path / "p.json", replace(FOUND, floor=np.array([np.inf, 1.0])), {})
    assert json.loads((tmp_path / "p.json").read_text(), parse_constant=pytest.fail)["clips"][0]["floor"] is None
    with pytest.raises(ValueError, match="JSON"):
        write_predictions(tmp_path / "p.json", FOUND, {"figures": {"srcc": float("nan")}})
