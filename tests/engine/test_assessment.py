import hashlib
from dataclasses import replace

import pytest
import torch

from posediff.engine.assessment import assess
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
