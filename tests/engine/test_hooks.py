import random
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from posediff.engine.checkpoints import Progress
from posediff.engine.hooks import Course, EpochSeeds, Losses, seed_everything
from posediff.engine.narration import Narrator
from posediff.engine.processes import Process
from posediff.errors import PosediffError
from tests.engine.tiny import experiment

ALONE = Process(0, 1, torch.device("cpu"))


def drawn():
    return random.random(), np.random.rand(), torch.rand(()).item()  # noqa: NPY002


def runner(epoch=1, epochs=9, **more):
    """What the hooks ask of a runner."""
    records = []
    visualizer = SimpleNamespace(add_scalars=lambda values, step: records.append((step, values)))
    values = {"epoch": epoch, "max_epochs": epochs, "iter": 0, "losses": {"loss": 1.0}, "train_loop": SimpleNamespace()}
    values |= {"network": torch.nn.BatchNorm1d(2), "errors": {"validation": (0.5, float(epoch))}}
    loader = SimpleNamespace(sampler=SimpleNamespace(set_epoch=lambda epoch: records.append(epoch)), __len__=lambda: 4)
    wrapper = SimpleNamespace(param_groups=[{"lr": 0.1}])
    made = {**values, "visualizer": visualizer, "train_dataloader": loader, "optim_wrapper": wrapper, **more}
    return SimpleNamespace(**made, records=records)


def test_all_generators_are_seeded_and_every_number_counts():
    found = {}
    for numbers in ((0, 1, 2), (0, 1, 3), (0, 2, 2), (1, 1, 2)):
        seed_everything(*numbers)
        found[numbers] = drawn()
        seed_everything(*numbers)
        assert drawn() == found[numbers]
    for column in zip(*found.values(), strict=True):
        assert len(set(column)) == len(found)


def test_an_epoch_is_random_in_the_same_way_whatever_came_before():
    hook, at = EpochSeeds(seed=3, rank=1), runner(epoch=5)
    hook.before_train_epoch(at)
    first = drawn()
    drawn()
    hook.before_train_epoch(at)
    assert drawn() == first
    assert at.records == [5, 5]
    EpochSeeds(seed=3, rank=0).before_train_epoch(at)
    assert drawn() != first


def test_losses_are_means_over_pairs_not_over_steps():
    class Loader(list):
        pass

    hook, at = Losses(2, ALONE, Narrator(None)), runner(epoch=0, train_dataloader=Loader([0] * 3))
    hook.before_train_epoch(at)
    for step, (count, loss) in enumerate([(8, 1.0), (8, 2.0), (2, 10.0)]):
        at.iter = step
        batch = {"query": {"index": torch.zeros(count)}}
        hook.after_train_iter(at, step, batch, {"loss": torch.tensor(loss), "score": torch.tensor(loss / 2)})
    hook.after_train_epoch(at)
    assert at.losses == {"loss": pytest.approx(44 / 18), "score": pytest.approx(22 / 18)}
    assert at.records == [(2, {"epoch": 1, "train/lr": 0.1, "train/loss": 1.5, "train/score": 0.75})]


@pytest.mark.parametrize("name", ["weight", "running_var"])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("epoch", [0, 1])
def test_weights_and_statistics_that_are_not_finite_end_training_though_the_loss_is(name, value, epoch):
    class Loader(list):
        pass

    hook, at = Losses(2, ALONE, Narrator(None)), runner(epoch=epoch, train_dataloader=Loader([0]))
    hook.before_train_epoch(at)
    hook.after_train_iter(at, 0, {"query": {"index": torch.zeros(2)}}, {"loss": torch.tensor(1.0)})
    hook.after_train_epoch(at)
    with torch.no_grad():
        getattr(at.network, name)[1] = value
    with pytest.raises(PosediffError, match=f"{name} after epoch {epoch + 1} is not finite") as caught:
        hook.after_train_epoch(at)
    assert "optimizer.lr" in caught.value.hint
    assert ("last.pth" in caught.value.hint) == (epoch > 0)


def course(progress=None, **changes):
    """A course of the small experiment, and what it keeps."""
    kept = []
    chosen = experiment(training__epochs=9, **changes)
    made = Course(chosen, progress or Progress(), lambda *what: kept.append(what), Narrator(None))
    return made, kept


def go(hook, figures):
    """Epochs with a figure each on the validation clips; whether training was ended after each."""
    ends = []
    for epoch, value in enumerate(figures, hook.progress.epoch + 1):
        at = runner(epoch=epoch)
        if value != "none":
            hook.after_val_epoch(at, {"validation": {"srcc": value, "relative_l2": value}})
        hook.after_round(at)
        ends.append(at.train_loop.stop_training)
    return ends


def test_the_best_epoch_is_the_first_with_the_best_figure():
    hook, kept = course()
    go(hook, [0.1, 0.3, 0.3, "none", 0.2])
    assert [(progress.epoch, is_best) for progress, is_best in kept] == [
        (1, True),
        (2, True),
        (3, False),
        (4, False),
        (5, False),
    ]
    assert hook.progress == Progress(5, 2, {"srcc": 0.3, "relative_l2": 0.3}, 2, {}, (0.5, 2.0))


def test_an_error_is_best_where_it_is_smallest_and_a_missing_figure_never():
    hook, _ = course(training__choose_by="relative_l2")
    go(hook, [None, 0.4, 0.2, None, 0.3])
    assert hook.progress.best_epoch == 3


def test_patience_counts_evaluations_and_goes_on_after_a_resume():
    hook, _ = course(training__patience=3)
    assert go(hook, [0.5, 0.4, "none", 0.3]) == [False] * 4
    resumed, _ = course(hook.progress, training__patience=3)
    assert not resumed.is_over
    assert go(resumed, ["none", 0.2]) == [False, True]
    assert resumed.is_over


def test_the_last_epoch_is_the_end():
    hook, _ = course()
    assert go(hook, [0.1] * 9)[-2:] == [False, True]


def test_figures_on_test_clips_are_the_best_each_by_itself():
    hook, _ = course()
    for epoch, (rank, error) in enumerate([(0.5, 0.3), (0.4, 0.2), (0.45, 0.4)], 1):
        at = runner(epoch=epoch)
        figures = {"srcc": 0.1, "relative_l2": 1.0}
        hook.after_val_epoch(at, {"validation": figures, "test": {"srcc": rank, "relative_l2": error}})
        hook.after_round(at)
    assert hook.progress.on_test == {"srcc": 0.5, "relative_l2": 0.2}
    assert hook.progress.best_epoch == 1
