import io
import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.hooks import Hook

from posediff.datasets.pairs import EpochSampler
from posediff.engine import training
from posediff.engine.checkpoints import load, network_of
from posediff.engine.config import load_experiment
from posediff.engine.data import for_training, load_clips
from posediff.engine.evaluation import predict
from posediff.engine.hooks import seed_everything
from posediff.engine.models import make_model
from posediff.engine.processes import Process
from posediff.engine.training import train
from posediff.errors import BadData, BadSetting, PosediffError
from tests.engine.tiny import experiment

ROOT = Path(__file__).parents[2]

#: All that is random: dropout, augmentation, order, partners.
RANDOM = {
    "model__dropout": 0.3,
    "data__augment": {"flip": 0.5, "noise": 0.1, "drop": 0.2},
    "schedule__warmup": 1,
    "training__threads": 1,
}


@pytest.fixture(autouse=True)
def threads():
    """As many threads after a test as before."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def records(folder: Path, key: str) -> list:
    """A figure of every epoch."""
    lines = [json.loads(line) for line in (folder / "scalars.jsonl").read_text().splitlines()]
    return [line[key] for line in lines if key in line]


def weights(path: Path) -> dict[str, torch.Tensor]:
    return torch.load(path, weights_only=True)["model"]


def same(one: Path, other: Path) -> bool:
    """Whether two checkpoints have the same weights, bit for bit."""
    first, second = weights(one), weights(other)
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def test_training_is_what_a_plain_loop_does(tmp_path):
    chosen = experiment(**{**RANDOM, "training__seed": 5, "schedule__warmup": 0, "schedule__type": "constant"})
    train(chosen, tmp_path)
    data = for_training(chosen.data, chosen.model.settings, load_clips(chosen.data), seed=5)
    seed_everything(5)
    network = make_model("tiny", chosen.model.settings, data.task).train()
    network.scale.fill_(data.task.scale)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    sampler = EpochSampler(len(data.pairs), 8, 5)
    means = []
    for epoch in range(2):
        seed_everything(5, epoch, 0)
        sampler.set_epoch(epoch)
        items, losses = list(sampler), []
        for batch in (items[first : first + 8] for first in range(0, len(items), 8)):
            loss = sum(network.losses(data.pairs.__getitems__(batch)).values())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses += [loss.item()] * len(batch)
        means.append(np.mean(losses))
    assert records(tmp_path, "epoch/loss") == pytest.approx(means, rel=1e-6)
    for name, tensor in network.state_dict().items():
        assert torch.allclose(weights(tmp_path / "last.pth")[name], tensor, atol=1e-6), name


def test_the_working_folder_holds_all_that_is_needed(tmp_path):
    stream = io.StringIO()
    chosen = experiment()
    outcome = train(chosen, tmp_path / "a" / "b", stream=stream)
    names = {"best.pth", "experiment.json", "last.pth", "log.txt", "scalars.jsonl"}
    assert {path.name for path in outcome.work_dir.iterdir()} == names
    assert load_experiment(outcome.work_dir / "experiment.json") == chosen
    logged = (outcome.work_dir / "log.txt").read_text().splitlines()
    assert [line.split(" ", 1)[1] for line in logged] == stream.getvalue().splitlines()
    assert sum("epoch" in line and "validation: SRCC" in line for line in logged) == 2
    assert "labels alone" in stream.getvalue()
    assert load(outcome.work_dir / "last.pth").progress == outcome.progress
    assert outcome.progress.epoch == 2
    assert load(outcome.best).optimizer == {}


def test_clips_that_cannot_be_compared_are_counted(tmp_path):
    stream = io.StringIO()
    chosen = experiment(data__source__clips=52, training__epochs=1)
    train(chosen, tmp_path, stream=stream)
    data = for_training(chosen.data, chosen.model.settings, load_clips(chosen.data), seed=0)
    actions = [clip.action for clip in data.pairs.samples.clips]
    alone = sum(actions.count(action) == 1 for action in actions)
    assert alone > 0
    assert f"no other one has the same action: {alone}\n" in stream.getvalue()


@pytest.mark.parametrize("choice", ["best", "barycentre"])
def test_with_any_choice_of_exemplars_training_goes_on_as_if_it_had_not_stopped(tmp_path, choice):
    chosen = {**RANDOM, "data__exemplars": {"choice": choice, "best": 3, "count": 2}}
    train(experiment(**chosen, training__epochs=2), tmp_path / "a")
    outcome = train(experiment(**chosen, training__epochs=3), tmp_path / "a", resume=True)
    whole = train(experiment(**chosen, training__epochs=3), tmp_path / "b")
    assert same(tmp_path / "a" / "last.pth", tmp_path / "b" / "last.pth")
    assert outcome.progress == whole.progress
    train(experiment(**RANDOM, training__epochs=3), tmp_path / "c")
    assert not same(tmp_path / "b" / "last.pth", tmp_path / "c" / "last.pth")


def test_networks_are_told_what_is_measured_of_a_pair_where_it_is_asked_for(tmp_path):
    class Keep(Hook):
        def __init__(self):
            self.found = []

        def before_train_iter(self, runner, batch_idx, data_batch=None):
            self.found.append(data_batch["query"].get("dimensions"))

    keep, none = Keep(), Keep()
    train(experiment(data__dimensions=True, data__source__clips=24, training__epochs=1), tmp_path / "a", hooks=[keep])
    train(experiment(data__source__clips=24, training__epochs=1), tmp_path / "b", hooks=[none])
    assert {one.shape[1:] for one in keep.found} == {(4,)}
    assert all(((one > 0) & (one <= 1)).all() for one in keep.found)
    assert same(tmp_path / "a" / "last.pth", tmp_path / "b" / "last.pth")
    assert none.found == [None] * len(keep.found)


def test_the_errors_of_the_best_epoch_are_kept(tmp_path):
    outcome = train(experiment(training__epochs=3, optimizer__lr=0.1), tmp_path)
    errors = load(outcome.best).progress.errors
    assert errors == tuple(sorted(outcome.progress.errors))
    checkpoint = load(outcome.best)
    collection = load_clips(checkpoint.experiment.data)
    asked = for_training(checkpoint.experiment.data, checkpoint.experiment.model.settings, collection, 0).validation
    found = predict(network_of(checkpoint, outcome.best), asked, 8, Process(0, 1, torch.device("cpu")))
    execution = found.predicted / np.array([clip.difficulty for clip in asked.queries.clips])
    by_hand = np.abs(execution - [clip.execution for clip in asked.queries.clips])
    assert errors == pytest.approx(np.sort(by_hand), abs=1e-5)


def labelled_clips(monkeypatch, labels):
    """Let the clips of the small experiment have labels in place of scores."""
    found = load_clips(experiment().data)
    parts = {
        name: tuple(replace(clip, score=labels(n), difficulty=None) for n, clip in enumerate(getattr(found, name)))
        for name in ("train", "test")
    }
    monkeypatch.setattr(training, "load_clips", lambda settings: replace(found, **parts))


def test_the_best_epoch_may_be_that_with_the_best_auc(tmp_path, monkeypatch):
    labelled_clips(monkeypatch, lambda number: float(number % 2))
    stream = io.StringIO()
    outcome = train(experiment(training__epochs=3, training__choose_by="auc"), tmp_path, stream=stream)
    found = records(tmp_path, "validation/auc")
    assert outcome.progress.best["auc"] == max(found)
    assert outcome.progress.best_epoch == found.index(max(found)) + 1
    assert "accuracy 0." in stream.getvalue()
    assert set(outcome.floor) == {"srcc", "relative_l2", "accuracy", "auc"}


def test_an_auc_of_scores_is_refused_before_training(tmp_path):
    with pytest.raises(BadSetting, match=r"training\.choose_by is auc, and scores are not 0 and 1"):
        train(experiment(training__choose_by="auc"), tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_losses_of_steps_are_means_since_the_last_record(tmp_path):
    class Keep(Hook):
        def __init__(self):
            self.losses = []

        def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
            self.losses.append((len(data_batch["query"]["index"]), float(outputs["loss"])))

    keep = Keep()
    train(experiment(training__epochs=1), tmp_path, hooks=[keep])
    found = records(tmp_path, "train/loss")
    pairs = [keep.losses[start : start + 2] for start in range(0, len(keep.losses) - 1, 2)]
    assert found == pytest.approx([sum(n * loss for n, loss in two) / sum(n for n, _ in two) for two in pairs])
    assert records(tmp_path, "train/lr") == [0.01] * len(found)


def test_nothing_is_written_to_stdout(tmp_path, capfd):
    train(experiment(training__epochs=1), tmp_path)
    assert capfd.readouterr() == ("", "")


def test_the_seed_decides(tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        train(experiment(**RANDOM, training__epochs=2, training__seed=seed), tmp_path / name)
    assert same(tmp_path / "a" / "last.pth", tmp_path / "b" / "last.pth")
    assert not same(tmp_path / "a" / "last.pth", tmp_path / "c" / "last.pth")


def test_workers_change_nothing(tmp_path):
    for name, workers in (("a", 0), ("b", 1)):
        train(experiment(**RANDOM, training__workers=workers), tmp_path / name)
    assert same(tmp_path / "a" / "last.pth", tmp_path / "b" / "last.pth")


KILLED = """
import os, signal, sys
from pathlib import Path
from mmengine.hooks import Hook
from posediff.engine.training import train
from tests.engine import tiny

class Kill(Hook):
    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.epoch == 2 and batch_idx == 1:
            os.kill(os.getpid(), signal.SIGKILL)

tiny.register()
chosen = tiny.experiment(**{changes})
train(chosen, Path(sys.argv[1]), hooks=[Kill()])
"""


def test_training_that_is_killed_goes_on_with_the_very_same_losses(tmp_path):
    changes = {**RANDOM, "training__epochs": 4, "logging__every": 1}
    script = textwrap.dedent(KILLED.replace("**{changes}", f"**{changes!r}"))
    command = [sys.executable, "-c", script, str(tmp_path / "killed")]
    killed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert load(tmp_path / "killed" / "last.pth").progress.epoch == 2
    assert records(tmp_path / "killed", "epoch")[-1] == 3

    train(experiment(**changes), tmp_path / "whole")
    train(experiment(**changes), tmp_path / "killed", resume=True)
    for key in ("epoch/loss", "train/loss", "train/lr", "validation/srcc", "validation/relative_l2", "step"):
        assert records(tmp_path / "killed", key) == records(tmp_path / "whole", key), key
    for name in ("last.pth", "best.pth"):
        assert same(tmp_path / "killed" / name, tmp_path / "whole" / name), name
    assert load(tmp_path / "killed" / "last.pth").progress == load(tmp_path / "whole" / "last.pth").progress


def test_training_can_be_made_longer(tmp_path):
    train(experiment(**RANDOM), tmp_path / "a")
    outcome = train(experiment(**RANDOM, training__epochs=3), tmp_path / "a", resume=True)
    train(experiment(**RANDOM, training__epochs=3), tmp_path / "b")
    assert outcome.progress.epoch == 3
    assert same(tmp_path / "a" / "last.pth", tmp_path / "b" / "last.pth")


def test_resuming_what_is_finished_does_nothing_and_without_a_checkpoint_training_begins(tmp_path):
    first = train(experiment(), tmp_path, resume=True)
    before = (tmp_path / "last.pth").read_bytes()
    assert train(experiment(), tmp_path, resume=True) == first
    assert (tmp_path / "last.pth").read_bytes() == before


def test_a_folder_with_another_training_is_left_alone(tmp_path):
    train(experiment(), tmp_path)
    before = (tmp_path / "last.pth").read_bytes()
    with pytest.raises(BadSetting, match="holds a training already"):
        train(experiment(), tmp_path)
    with pytest.raises(BadSetting, match=r"trained with optimizer\.lr 0\.01"):
        train(experiment(optimizer__lr=0.02), tmp_path, resume=True)
    assert (tmp_path / "last.pth").read_bytes() == before


def test_training_does_not_go_on_with_other_clips(tmp_path, monkeypatch):
    train(experiment(), tmp_path)
    others = load_clips(experiment(data__source__clips=60).data)
    monkeypatch.setattr(training, "load_clips", lambda settings: others)
    with pytest.raises(BadData, match=r"last\.pth: the training clips have changed"):
        train(experiment(training__epochs=3), tmp_path, resume=True)


@pytest.mark.parametrize("change", [{"score": 50.0}, {"difficulty": 9.9}, {"transitions": (3, 9)}])
def test_training_does_not_go_on_with_other_labels(tmp_path, monkeypatch, change):
    train(experiment(), tmp_path)
    found = load_clips(experiment().data)
    fresh = (replace(found.train[0], **change), *found.train[1:])
    # The standard deviation of the targets, which is compared too, stays what it was.
    whole = replace(found, train=fresh)
    old = for_training(experiment().data, experiment().model.settings, found, seed=0).task
    monkeypatch.setattr(training, "load_clips", lambda settings: whole)
    monkeypatch.setattr(training, "for_training", lambda *how: for_training(*how)._replace(task=old))
    with pytest.raises(BadData, match=r"last\.pth: the training clips have changed"):
        train(experiment(training__epochs=3), tmp_path, resume=True)


@pytest.mark.parametrize(("by", "best"), [("srcc", max), ("relative_l2", min)])
def test_the_best_epoch_is_that_with_the_best_figure_on_the_validation_clips(tmp_path, by, best):
    outcome = train(experiment(training__epochs=5, training__choose_by=by, optimizer__lr=0.1), tmp_path)
    found = records(tmp_path, f"validation/{by}")
    assert outcome.progress.best[by] == best(found)
    assert outcome.progress.best_epoch == found.index(best(found)) + 1
    assert load(outcome.best).progress.epoch == outcome.progress.best_epoch


def test_training_that_no_longer_improves_ends_early_also_when_resumed(tmp_path):
    chosen = experiment(training__epochs=9, training__patience=2, optimizer__lr=1e-9)
    outcome = train(chosen, tmp_path)
    assert outcome.ended_early
    assert outcome.progress.epoch == outcome.progress.best_epoch + 2 < 9
    assert train(chosen, tmp_path, resume=True) == outcome


def test_it_is_evaluated_as_often_as_asked_and_at_the_end(tmp_path):
    train(experiment(training__epochs=5, training__evaluate_every=2), tmp_path)
    assert len(records(tmp_path, "validation/relative_l2")) == 3
    assert len(records(tmp_path, "epoch/loss")) == 5


def test_test_clips_are_not_looked_at_unless_it_is_asked_for(tmp_path, monkeypatch):
    stream = io.StringIO()
    outcome = train(experiment(training__epochs=3, training__report_test=True), tmp_path / "a", stream=stream)
    assert outcome.progress.on_test["srcc"] == max(records(tmp_path / "a", "test/srcc"))
    assert outcome.progress.on_test["relative_l2"] == min(records(tmp_path / "a", "test/relative_l2"))
    assert "test, not used to choose" in stream.getvalue()
    monkeypatch.setattr(training, "for_testing", lambda *_: pytest.fail("the test clips were loaded"))
    plain = train(experiment(training__epochs=3), tmp_path / "b")
    assert plain.progress.on_test == {}
    assert plain.progress.best == outcome.progress.best
    assert same(tmp_path / "a" / "best.pth", tmp_path / "b" / "best.pth")


def test_a_loss_that_is_no_number_ends_training_with_the_checkpoint_before(tmp_path):
    class Spoil(Hook):
        def before_train_epoch(self, runner):
            if runner.epoch == 1:
                with torch.no_grad():
                    runner.network.head.weight.fill_(float("nan"))

    with pytest.raises(PosediffError, match="the loss of epoch 2 is not finite") as caught:
        train(experiment(), tmp_path, hooks=[Spoil()])
    assert "optimizer.lr" in caught.value.hint
    assert "last.pth" in caught.value.hint
    assert load(tmp_path / "last.pth").progress.epoch == 1


@pytest.mark.parametrize("name", ["embed.bias", "scale"])
def test_weights_that_are_no_numbers_end_training_before_they_are_evaluated_or_written(tmp_path, monkeypatch, name):
    class Spoil(Hook):
        priority = "VERY_HIGH"

        def after_train_epoch(self, runner):
            with torch.no_grad():
                runner.network.state_dict()[name].fill_(float("inf"))

    monkeypatch.setattr("posediff.engine.runner.predict", lambda *_: pytest.fail("it was evaluated"))
    with pytest.raises(PosediffError, match=f"{name} after epoch 1 is not finite") as caught:
        train(experiment(), tmp_path, hooks=[Spoil()])
    assert caught.value.exit_code == 1
    assert "last.pth" not in caught.value.hint
    assert not (tmp_path / "last.pth").exists()


@pytest.mark.parametrize("stop", [0, 1])
def test_who_stops_training_is_told_that_it_can_go_on(tmp_path, stop):
    class Stop(Hook):
        def before_train_epoch(self, runner):
            if runner.epoch == stop:
                raise KeyboardInterrupt

    stream = io.StringIO()
    with pytest.raises(KeyboardInterrupt):
        train(experiment(), tmp_path, hooks=[Stop()], stream=stream)
    assert stream.getvalue().count("--resume") == stop


def test_test_clips_that_cannot_be_scored_are_told_before_training(tmp_path, monkeypatch):
    found = load_clips(experiment().data)
    odd = replace(found.test[0], action="999z", poses="lost.json")
    monkeypatch.setattr(training, "load_clips", lambda settings: replace(found, test=(odd, *found.test[1:])))
    stream = io.StringIO()
    train(experiment(training__epochs=1), tmp_path, stream=stream)
    lines = stream.getvalue().splitlines()
    told = [number for number, line in enumerate(lines) if line.startswith("warning: posediff test will fail: 1 clip")]
    first = next(number for number, line in enumerate(lines) if line.startswith("epoch 1/1"))
    assert len(told) == 1
    assert told[0] < first


def test_a_damaged_state_of_the_optimizer_is_refused(tmp_path):
    train(experiment(), tmp_path)
    whole = torch.load(tmp_path / "last.pth", weights_only=True)
    for change in ({"optimizer": {"x": 1}}, {"schedule": [{}, {}, {}]}):
        torch.save({**whole, **change}, tmp_path / "last.pth")
        with pytest.raises(BadData, match="the optimizer's state in its checkpoint is damaged"):
            train(experiment(training__epochs=3), tmp_path, resume=True)


def test_amp_trains_on_the_cpu_too(tmp_path):
    outcome = train(experiment(training__amp=True), tmp_path)
    assert weights(outcome.best)["embed.weight"].dtype == torch.float32
    assert outcome.progress.best["srcc"] is not None


def test_weights_that_were_loaded_are_not_made_anew(tmp_path, monkeypatch):
    class Undo(torch.nn.Module):
        def init_weights(self):
            pytest.fail("the library's own weights were made")

    def with_undo(*arguments):
        network = make_model(*arguments)
        network.undo = Undo()
        return network

    monkeypatch.setattr(training, "make_model", with_undo)
    train(experiment(training__epochs=1), tmp_path)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def both(script):
    """What each of two processes prints that run a script as torchrun starts them."""
    common = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port()), "OMP_NUM_THREADS": "1", "WORLD_SIZE": "2"}
    running = [
        subprocess.Popen(
            [sys.executable, "-c", script],
            cwd=ROOT,
            env={**os.environ, **common, "RANK": rank, "LOCAL_RANK": rank},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in "01"
    ]
    results = [one.communicate(timeout=120) for one in running]
    assert [one.returncode for one in running] == [0, 0], "".join(errors for _, errors in results)
    return [out for out, _ in results]


TOGETHER = """
import sys
from pathlib import Path
from posediff.engine.training import train
from tests.engine import tiny

tiny.register()
for norm in ("none", "batch"):
    chosen = tiny.experiment(**{changes}, model__norm=norm)
    outcome = train(chosen, Path({folder!r}, norm), launcher="pytorch")
    print(outcome.leads, outcome.progress.best)
"""


def test_two_processes_do_what_one_does_with_twice_the_batch(tmp_path):
    # 28 pairs: every batch can be divided by two, so that none is taken twice.
    changes = {"data__source__clips": 52, "training__epochs": 3, "training__batch_size": 4, "training__threads": 1}
    first, second = both(TOGETHER.format(changes=changes, folder=str(tmp_path)))
    train(experiment(**{**changes, "training__batch_size": 8}), tmp_path / "one")
    for key in ("epoch/loss", "validation/relative_l2", "validation/srcc"):
        assert records(tmp_path / "none", key) == pytest.approx(records(tmp_path / "one", key), rel=1e-4), key
    assert first.split()[0] == "True"
    # Both processes say the same, also where each has seen other batches and kept statistics of them.
    assert first.replace("True", "False") == second
