import numpy as np
import pytest
import torch

from posediff.engine.models import Task, make_model
from posediff.engine.processes import Process
from posediff.engine.runner import Evaluation, Learner, QuietRunner
from posediff.errors import PosediffError
from tests.engine.tiny import TinySettings, experiment

TASK = Task("mpii16", 2, ("take-off", "flight", "entry"), 1.0)
ALONE = Process(0, 1, torch.device("cpu"))


class Network(torch.nn.Module):
    """Two losses of one weight."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.tensor(3.0))

    def losses(self, batch):
        return {"score": self.weight * batch["query"], "contrast": self.weight * batch["exemplar"]}


def test_all_losses_count_whatever_they_are_called():
    learner = Learner(Network())
    total, told = learner.parse_losses(learner(query=torch.tensor(2.0), exemplar=torch.tensor(5.0)))
    total.backward()
    assert learner.network.weight.grad == 7
    assert told == {"loss": 21, "score": 6, "contrast": 15}
    assert not told["loss"].requires_grad


def runner(folder, network, **more):
    loader = torch.utils.data.DataLoader([0])
    optimizer = more.pop("optimizer", None)
    if optimizer is None:
        from mmengine.optim import OptimWrapper

        optimizer = OptimWrapper(torch.optim.SGD(network.parameters(), lr=0.1))
    settings = experiment().training
    return QuietRunner(
        network,
        ALONE,
        loader,
        {},
        resumed=None,
        settings=settings,
        work_dir=str(folder),
        optim_wrapper=optimizer,
        **more,
    )


def test_a_runner_writes_and_says_nothing_by_itself(tmp_path, capfd):
    made = runner(tmp_path, make_model("tiny", TinySettings(), TASK))
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr() == ("", "")
    names = {type(hook).__name__ for hook in made.hooks}
    assert names == {"ParamSchedulerHook"}


def test_runners_of_one_program_share_no_state(tmp_path):
    first, second = (runner(tmp_path, Network()) for _ in range(2))
    assert first.message_hub is not second.message_hub


def test_the_network_stays_in_its_precision_and_on_its_device(tmp_path):
    network = make_model("tiny", TinySettings(), TASK)
    made = runner(tmp_path, network)
    assert made.network is network
    assert {weight.device.type for weight in made.model.parameters()} == {"cpu"}


@pytest.mark.parametrize("value", [1.0, np.inf])
def test_every_set_of_clips_has_figures_and_the_hooks_get_them(monkeypatch, value):
    calls = []

    class Found:
        def __init__(self, how):
            self.how, self.predicted, self.errors = how, np.array([value]), np.array([3.0, 1.0])

    class Runner:
        network, process, epoch = None, ALONE, 1

        def __init__(self):
            self.errors = {}

        def call_hook(self, name, metrics):
            calls.append((name, metrics))

    monkeypatch.setattr("posediff.engine.runner.predict", lambda network, asked, *how: Found((asked, *how)))
    monkeypatch.setattr(
        "posediff.engine.runner.figures", lambda found, score_range: {"srcc": found.how, "range": score_range}
    )

    class Asked:
        score_range = (0.0, 1.0)

    asked, settings = Asked(), experiment().training
    if np.isinf(value):
        with pytest.raises(PosediffError, match="a predicted score after epoch 1 is not finite"):
            Evaluation(Runner(), {"validation": asked}, settings).run()
        return
    runner = Runner()
    found = Evaluation(runner, {"validation": asked}, settings).run()
    assert found == {"validation": {"srcc": (asked, 8, ALONE, 0), "range": (0.0, 1.0)}}
    assert calls == [("after_val_epoch", found)]
    assert runner.errors == {"validation": (1.0, 3.0)}


@pytest.mark.parametrize("world", [1, 2])
def test_statistics_are_only_exchanged_between_several(tmp_path, monkeypatch, world):
    sent = []
    monkeypatch.setattr(torch.distributed, "broadcast", lambda tensor, rank: sent.append(rank))
    network = make_model("tiny", TinySettings(norm="batch"), TASK)
    made = runner(tmp_path, network)
    made.process = Process(0, world, ALONE.device)
    made.agree()
    assert sent == [0] * (len(list(network.buffers())) if world > 1 else 0)
