import hashlib
from dataclasses import replace

import numpy as np
import pytest
import torch

from posediff.engine.assessment import assess
from posediff.engine.checkpoints import load
from posediff.engine.data import load_clips
from posediff.engine.training import train
from posediff.errors import BadData, BadSetting
from tests.engine.tiny import experiment


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """The best epoch of the small experiment."""
    return train(experiment(), tmp_path_factory.mktemp("small")).best


def test_all_test_clips_are_scored_beside_what_their_labels_say(checkpoint):
    chosen = experiment()
    result = assess(chosen, checkpoint)
    assert result.found.keys == tuple(clip.key for clip in load_clips(chosen.data).test)
    assert result.figures["srcc"] is not None
    assert set(result.floor) == {"srcc", "relative_l2"}
    assert result.about["checkpoint"]["sha256"] == hashlib.sha256(checkpoint.read_bytes()).hexdigest()
    assert result.about["experiment"]["model"]["type"] == "tiny"


def test_intervals_are_by_the_errors_on_the_validation_clips(checkpoint):
    chosen = experiment()
    result = assess(chosen, checkpoint, level=0.8)
    errors = load(checkpoint).progress.errors
    assert (result.interval["level"], result.interval["calibrated_on"], result.interval["needed"]) == (0.8, 9, 4)
    assert result.interval["half_width"] == errors[7]  # the 8th of 9
    clips = load_clips(chosen.data).test
    off = [abs(one - clip.score) / clip.difficulty for one, clip in zip(result.found.predicted, clips, strict=True)]
    assert result.interval["coverage"] == pytest.approx(np.mean(np.array(off) <= errors[7]))
    few = assess(chosen, checkpoint, level=0.99).interval
    assert (few["half_width"], few["coverage"], few["needed"]) == (None, None, 99)


def test_figures_by_action_are_told(checkpoint):
    chosen = experiment(data__source__test=0.5, data__exemplars={"by": "none"})
    actions = [clip.action for clip in load_clips(chosen.data).test]
    several = {name for name in actions if actions.count(name) >= 3}
    assert 1 < len(several) < len(set(actions))
    assert assess(chosen, checkpoint).by_action["actions"].keys() == several
    assert assess(experiment(), checkpoint).by_action is None


def test_weights_decide_what_is_predicted(checkpoint, tmp_path):
    content = torch.load(checkpoint, weights_only=True)
    content["model"]["head.weight"].zero_()
    torch.save(content, tmp_path / "zero.pth")
    found = assess(experiment(), tmp_path / "zero.pth").found
    assert found.stages == pytest.approx(0)


def test_predictions_that_are_no_numbers_are_refused(checkpoint, tmp_path):
    content = torch.load(checkpoint, weights_only=True)
    content["model"]["head.weight"].fill_(float("inf"))
    torch.save(content, tmp_path / "wrong.pth")
    with pytest.raises(BadData, match=r"wrong\.pth: 12 of 12 predicted scores are not numbers"):
        assess(experiment(), tmp_path / "wrong.pth")


def test_where_data_lies_and_how_exemplars_are_chosen_may_differ(checkpoint):
    found = assess(experiment(data__exemplars={"by": "none", "count": 5}), checkpoint).found
    assert found.votes.shape[1] == 5


def test_a_checkpoint_of_another_configuration_is_refused(checkpoint):
    with pytest.raises(BadSetting, match=r"best\.pth: it was trained with model\.width 8, the configuration says 9"):
        assess(experiment(model__width=9), checkpoint)


def test_a_split_without_test_clips_is_refused(checkpoint, monkeypatch):
    whole = load_clips(experiment().data)
    monkeypatch.setattr("posediff.engine.assessment.load_clips", lambda settings: replace(whole, test=()))
    with pytest.raises(BadData, match="no test clips"):
        assess(experiment(), checkpoint)
