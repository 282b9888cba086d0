import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from posediff.datasets.synthetic_dives import SyntheticDivesSettings, dive
from posediff.engine.assessment import assess
from posediff.engine.checkpoints import load, save
from posediff.engine.scoring import Scorer, stages_of
from posediff.engine.training import train
from posediff.errors import BadData, BadSetting
from posediff.io import read_person, write
from posediff.sequence import Stage
from tests.engine.tiny import experiment

SETTINGS = SyntheticDivesSettings(clips=48)
DIVES = [dive(SETTINGS, number) for number in range(48)]
CLIP, SEQUENCE = DIVES[40]  # of the test clips
SAME = [number for number in range(36) if DIVES[number][0].action == CLIP.action]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """The best epoch of the small experiment."""
    return train(experiment(), tmp_path_factory.mktemp("small")).best


@pytest.fixture
def table(tmp_path):
    """A table of scored skeletons of the query's action and one of another, and what writes others."""

    def made(numbers, **columns):
        with open(tmp_path / "scores.csv", "w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["file", "score", "action", "difficulty"])
            for number in numbers:
                clip, sequence = DIVES[number]
                write(tmp_path / f"{clip.key}.json", sequence)
                row = {"score": clip.score, "action": clip.action, "difficulty": clip.difficulty, **columns}
                writer.writerow([f"{clip.key}.json", row["score"], row["action"], row["difficulty"]])
        return tmp_path / "scores.csv"

    return made


def test_a_score_is_that_of_the_test_with_the_checkpoints_own_training_clips(checkpoint):
    found = Scorer(checkpoint, device="cpu").score(SEQUENCE, action=CLIP.action, difficulty=CLIP.difficulty, path="")
    assert len(found.votes) == min(3, len(SAME))
    assert {vote.exemplar for vote in found.votes} <= {DIVES[number][0].key for number in SAME}
    assert found.score == pytest.approx(np.mean([vote.score for vote in found.votes]))
    assert found.spread == pytest.approx(np.std([vote.score for vote in found.votes], ddof=1))
    known = np.mean([vote.known for vote in found.votes])
    assert sum(found.contributions) + known == pytest.approx(found.score, rel=1e-4)


def test_the_same_exemplars_say_the_same_as_in_a_test(checkpoint, table):
    result = assess(experiment(data__exemplars={"count": len(SAME)}), checkpoint).found
    row = result.keys.index(CLIP.key)
    scorer = Scorer(checkpoint, exemplars=table(SAME), device="cpu")
    scorer._settings = replace(scorer._settings, exemplars=replace(scorer._settings.exemplars, count=len(SAME)))
    found = scorer.score(SEQUENCE, action=CLIP.action)
    assert found.score == pytest.approx(result.predicted[row], rel=1e-3)
    assert found.difficulty == CLIP.difficulty


def test_exemplars_are_a_table_or_the_folder_that_holds_it(checkpoint, table, tmp_path):
    path = table(SAME[:2])
    one, other = (
        Scorer(checkpoint, exemplars=place, device="cpu").score(SEQUENCE, action=CLIP.action)
        for place in (path, path.parent)
    )
    assert one == other
    (tmp_path / "other.csv").write_text("file,score\n")
    with pytest.raises(BadData, match="holds 2 CSV files, expected one"):
        Scorer(checkpoint, exemplars=tmp_path, device="cpu")


def test_one_exemplar_has_no_spread_and_votes_once(checkpoint, table):
    found = Scorer(checkpoint, exemplars=table(SAME[:1]), device="cpu").score(SEQUENCE, action=CLIP.action)
    assert (len(found.votes), found.spread) == (1, None)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A table of dives in files, of which one holds two, the best epoch on them, and what a test says."""
    folder = tmp_path_factory.mktemp("files")
    clips = [(DIVES[number][0], DIVES[number][1]) for number in range(48)]
    with open(folder / "scores.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "score", "action", "difficulty", "split"])
        for number, (clip, sequence) in enumerate(clips):
            write(folder / f"{clip.key}.json", sequence)
            cut = f"#0:{len(sequence)}" if number % 2 else ""
            split = "train" if number < 36 else "test"
            writer.writerow([f"{clip.key}.json{cut}", clip.score, clip.action, clip.difficulty, split])
    source = {"type": "folder", "csv": str(folder / "scores.csv")}
    chosen = experiment(data__source=source, data__exemplars={"count": 2}, training__epochs=1)
    best = train(chosen, folder / "run").best
    return folder, best, assess(chosen, best).found


def spellings(name, frames):
    return [name, f"./{name}", str(Path(name).resolve()), f"{name}#0:{frames}", f"x/../{name}", f"{name}#0:", "link"]


@pytest.mark.parametrize("number", [40, 41, 3])
def test_a_performance_has_one_score_however_its_file_is_named_and_it_is_that_of_the_test(trained, monkeypatch, number):
    folder, best, tested = trained
    monkeypatch.chdir(folder)
    clip, sequence = DIVES[number]
    (folder / "x").mkdir(exist_ok=True)
    (folder / "link").unlink(missing_ok=True)
    (folder / "link").symlink_to(f"{clip.key}.json")
    scorer = Scorer(best, device="cpu")
    found = [
        scorer.score(read_person(path), action=clip.action, difficulty=clip.difficulty, path=path)
        for path in spellings(f"{clip.key}.json", len(sequence))
    ]
    assert all(one == found[0] for one in found)
    names = {vote.exemplar for vote in found[0].votes}
    assert not any(name.startswith(clip.key) for name in names)
    rows = [row for row, key in enumerate(tested.keys) if key.startswith(f"{clip.key}.json")]
    assert len(rows) == (number >= 36)
    for row in rows:
        assert names == set(tested.exemplars[row])
        assert found[0].score == pytest.approx(tested.predicted[row], rel=1e-6)


def test_a_copy_of_a_file_has_one_score_whatever_it_is_called(trained, tmp_path):
    _, best, _ = trained
    scorer, found = Scorer(best, device="cpu"), []
    for name in ("a.json", "b.json", "c.json", "d.json"):
        write(tmp_path / name, SEQUENCE)
        found.append(scorer.score(SEQUENCE, action=CLIP.action, path=str(tmp_path / name)))
    assert found == [found[0]] * 4


def test_exemplars_with_some_of_the_same_frames_do_not_vote(trained, monkeypatch):
    folder, best, _ = trained
    monkeypatch.chdir(folder)
    clip, sequence = DIVES[SAME[0]]
    part = f"{clip.key}.json#5:{len(sequence) - 5}"
    scorer = Scorer(best, device="cpu")
    scorer._settings = replace(scorer._settings, exemplars=replace(scorer._settings.exemplars, count=48))
    names = {vote.exemplar for vote in scorer.score(read_person(part), action=clip.action, path=part).votes}
    assert len(names) == len(SAME) - 1
    assert not any(name.startswith(clip.key) for name in names)


def test_a_difficulty_without_any_of_the_exemplars_is_refused(checkpoint, table):
    scorer = Scorer(checkpoint, exemplars=table(SAME[:2], difficulty=""), device="cpu")
    with pytest.raises(BadSetting, match="the exemplars have no difficulties") as caught:
        scorer.score(SEQUENCE, action=CLIP.action, difficulty=2.0)
    assert caught.value.hint == "leave --difficulty out"
    with pytest.raises(BadData, match="was trained on score / difficulty, and 2 of 2 clips have no difficulty"):
        scorer.score(SEQUENCE, action=CLIP.action)


def test_a_network_of_plain_scores_is_not_given_exemplars_with_difficulties(checkpoint, table, tmp_path):
    found = load(checkpoint)
    save(tmp_path / "plain.pth", replace(found, task=replace(found.task, difficulty=False)))
    scorer = Scorer(tmp_path / "plain.pth", exemplars=table(SAME[:2]), device="cpu")
    with pytest.raises(BadData, match="was trained on scores without a difficulty, and 2 of 2 clips have one"):
        scorer.score(SEQUENCE, action=CLIP.action)


def test_a_score_that_is_no_number_is_never_told(checkpoint, tmp_path):
    content = torch.load(checkpoint, weights_only=True)
    for value in (float("nan"), float("inf")):
        content["model"]["head.weight"].fill_(value)
        torch.save(content, tmp_path / "wrong.pth")
        with pytest.raises(BadData, match="the network's score is not a number"):
            Scorer(tmp_path / "wrong.pth", device="cpu").score(SEQUENCE, action=CLIP.action)


def test_what_was_meant_by_an_action_is_asked_whatever_its_case(checkpoint, table):
    scorer = Scorer(checkpoint, exemplars=table(SAME[:2], action="Forward"), device="cpu")
    for name in ("FORWARD", "Forwrd"):
        with pytest.raises(BadData, match=f"no exemplar of the action '{name}'") as caught:
            scorer.score(SEQUENCE, action=name)
        assert caught.value.hint == "did you mean --action Forward?"
    scorer = Scorer(checkpoint, exemplars=table(SAME[:2], action=""), device="cpu")
    with pytest.raises(BadData, match="they have none") as caught:
        scorer.score(SEQUENCE, action="407c")
    assert caught.value.hint == "leave --action out"


def test_a_difficulty_that_no_exemplar_has_is_answered_with_those_that_there_are(checkpoint):
    scorer = Scorer(checkpoint, device="cpu")
    scorer._settings = replace(scorer._settings, exemplars=replace(scorer._settings.exemplars, by="difficulty"))
    with pytest.raises(BadData, match=r"no exemplar of the difficulty 99\.5$") as caught:
        scorer.score(SEQUENCE, difficulty=99.5)
    assert f"{CLIP.difficulty:g}" in caught.value.hint
    with pytest.raises(BadData, match="which is not known"):
        scorer.score(SEQUENCE)


def test_a_performance_alone_has_no_exemplar(checkpoint, table):
    path = table(SAME[:1])
    clip, sequence = DIVES[SAME[0]]
    with pytest.raises(BadData, match="no exemplar but the performance itself"):
        Scorer(checkpoint, exemplars=path, device="cpu").score(sequence, path=str(path.parent / f"{clip.key}.json"))


def test_a_query_that_shows_nobody_is_called_by_its_path(checkpoint):
    empty = SEQUENCE.replace(keypoints=np.full_like(SEQUENCE.keypoints, np.nan), scores=None, status=None)
    with pytest.raises(BadData, match=r"'empty\.json'"):
        Scorer(checkpoint, device="cpu").score(empty, action=CLIP.action, path="empty.json")


def test_a_performance_is_never_its_own_exemplar(checkpoint, table):
    path = table(SAME[:3])
    file = path.parent / f"{DIVES[SAME[0]][0].key}.json"
    scorer = Scorer(checkpoint, exemplars=path, device="cpu")
    found = scorer.score(DIVES[SAME[0]][1], action=CLIP.action, path=str(file))
    assert {vote.exemplar for vote in found.votes} == {f"{DIVES[number][0].key}.json" for number in SAME[1:3]}


def test_an_action_without_exemplars_is_answered_with_those_that_there_are(checkpoint):
    scorer = Scorer(checkpoint, device="cpu")
    with pytest.raises(BadData, match="no exemplar of the action '999z'") as caught:
        scorer.score(SEQUENCE, action="999z")
    assert CLIP.action in caught.value.hint
    with pytest.raises(BadData, match="no exemplar without an action"):
        scorer.score(SEQUENCE)


def test_the_difficulty_is_asked_for_where_exemplars_differ_in_it(checkpoint, table):
    path = table(SAME[:2])
    text = path.read_text().splitlines()
    text[1] = text[1].rsplit(",", 1)[0] + ",9.5"
    path.write_text("\n".join(text))
    scorer = Scorer(checkpoint, exemplars=path, device="cpu")
    with pytest.raises(BadData, match=r"different difficulties \(.*9\.5\)") as caught:
        scorer.score(SEQUENCE, action=CLIP.action)
    assert "--difficulty" in caught.value.hint
    easy, hard = (scorer.score(SEQUENCE, action=CLIP.action, difficulty=factor).score for factor in (1.0, 2.0))
    assert hard == pytest.approx(2 * easy, rel=1e-5)


def test_training_clips_that_are_gone_are_told_with_the_way_out(checkpoint, tmp_path, monkeypatch):
    found = load(checkpoint)
    lost = experiment(data__source={"type": "folder", "csv": "lost.csv"}).data.source
    found = replace(found, experiment=replace(found.experiment, data=replace(found.experiment.data, source=lost)))
    save(tmp_path / "moved.pth", found)
    with pytest.raises(BadData, match=r"moved\.pth: its training clips cannot be read") as caught:
        Scorer(tmp_path / "moved.pth", device="cpu")
    assert "--exemplars" in caught.value.hint


def test_a_network_that_looks_at_pictures_is_refused(checkpoint, tmp_path):
    found = load(checkpoint)
    data = replace(found.experiment.data, inputs=replace(found.experiment.data.inputs, images=32))
    save(tmp_path / "pictures.pth", replace(found, experiment=replace(found.experiment, data=data)))
    with pytest.raises(BadSetting, match="looks at pictures"):
        Scorer(tmp_path / "pictures.pth", device="cpu")


def test_a_skeleton_in_3d_is_seen_from_the_front_by_a_network_of_2d(checkpoint):
    deep = dive(SyntheticDivesSettings(clips=48, view="3d"), 40)[1]
    found = Scorer(checkpoint, device="cpu").score(deep, action=CLIP.action)
    assert np.isfinite(found.score)


def test_stages_are_in_the_frame_numbers_of_the_sequence():
    part = SEQUENCE.replace(frames=np.arange(len(SEQUENCE)) + 100)
    last = 100 + len(SEQUENCE) - 1
    found = stages_of(part, [0, 5, 11], 12, ("a", "b", "c", "d"))
    assert [stage.name for stage in found] == ["a", "b", "c", "d"]
    assert (found[0].start, found[-1].start, found[-1].end) == (100, last, last + 1)
    assert found[2].start == 100 + int(5 * (len(SEQUENCE) - 1) / 11)
    exact = stages_of(SEQUENCE, [30], len(SEQUENCE), ("a", "b"))
    assert exact == (Stage("a", 0, 30), Stage("b", 30, len(SEQUENCE)))


def test_the_network_is_that_of_the_checkpoint(checkpoint, tmp_path):
    content = torch.load(checkpoint, weights_only=True)
    content["model"]["head.weight"].zero_()
    torch.save(content, tmp_path / "zero.pth")
    found = Scorer(tmp_path / "zero.pth", device="cpu").score(SEQUENCE, action=CLIP.action)
    assert [vote.score for vote in found.votes] == pytest.approx([vote.known for vote in found.votes], rel=1e-5)


def test_an_interval_is_as_wide_as_the_errors_say_times_the_difficulty(checkpoint):
    scorer = Scorer(checkpoint, device="cpu")
    errors = load(checkpoint).progress.errors
    assert len(errors) == 9
    found = scorer.score(SEQUENCE, action=CLIP.action, difficulty=2.0, level=0.5)
    assert (found.interval.level, found.interval.calibrated_on, found.interval.needed) == (0.5, 9, 1)
    ends = found.score - 2 * errors[4], found.score + 2 * errors[4]
    assert (found.interval.low, found.interval.high) == pytest.approx(ends)
    usual = scorer.score(SEQUENCE, action=CLIP.action, difficulty=2.0).interval
    assert (usual.level, usual.high) == (0.9, pytest.approx(found.score + 2 * errors[8]))


def test_too_few_validation_clips_give_no_interval_but_how_many_it_takes(checkpoint):
    found = Scorer(checkpoint, device="cpu").score(SEQUENCE, action=CLIP.action, level=0.95).interval
    assert (found.low, found.high, found.calibrated_on, found.needed) == (None, None, 9, 19)


def test_a_checkpoint_of_before_has_no_interval(checkpoint, tmp_path):
    content = torch.load(checkpoint, weights_only=True)
    del content["errors"]
    torch.save(content, tmp_path / "old.pth")
    found = Scorer(tmp_path / "old.pth", device="cpu").score(SEQUENCE, action=CLIP.action).interval
    assert (found.low, found.calibrated_on) == (None, 0)


def test_stages_have_scores_where_the_network_gives_some(checkpoint, monkeypatch):
    scorer = Scorer(checkpoint, device="cpu")
    assert scorer.score(SEQUENCE, action=CLIP.action).segments is None
    vote = scorer._network.vote

    def voted(*given):
        found = vote(*given)
        moments = torch.tensor([[2, 4, 6]])
        four = torch.tensor([[1.0, 2.0, 3.0, 4.0]])
        return found._replace(stages=four / 10, segments=four, transitions=moments)

    monkeypatch.setattr(scorer._network, "vote", voted)
    monkeypatch.setattr("posediff.engine.scoring.boundaries", lambda settings, transitions: ())
    found = scorer.score(SEQUENCE, action=CLIP.action, difficulty=2.0)
    assert found.segments == (2, 4, 6, 8)
    assert [stage.name for stage in found.stages] == ["segment 1", "segment 2", "segment 3", "segment 4"]


@pytest.mark.parametrize("choice", ["best", "barycentre"])
def test_with_the_best_exemplars_a_score_is_that_of_the_test_too(tmp_path, choice):
    chosen = experiment(data__exemplars={"choice": choice, "best": 3, "count": 2}, training__epochs=1)
    best = train(chosen, tmp_path).best
    tested = assess(chosen, best).found
    row = tested.keys.index(CLIP.key)
    scorer = Scorer(best, device="cpu")
    found = scorer._chosen(CLIP, scorer._exemplars.train)
    ranked = sorted((DIVES[number][0] for number in SAME), key=lambda clip: -clip.execution)[:3]
    assert {clip.key for clip in found} <= {clip.key for clip in ranked}
    if choice == "barycentre":
        scored = scorer.score(SEQUENCE, action=CLIP.action)
        assert scored.score == pytest.approx(tested.predicted[row], rel=1e-4)
        assert (len(scored.votes), scored.spread) == (1, None)
        assert scored.votes[0].exemplar == f"barycentre of {' + '.join(clip.key for clip in ranked)}"
        known = np.mean([clip.execution for clip in ranked]) * CLIP.difficulty
        assert scored.votes[0].known == pytest.approx(known, rel=1e-5)
