import copy
import pickle
import subprocess
import sys

import numpy as np
import pytest

from posediff import alignment
from posediff.alignment import Itakura, soft_dtw, soft_dtw_divergence
from posediff.errors import BadData, BadSetting

torch = pytest.importorskip("torch")

from posediff.alignment import SoftDTW  # noqa: E402


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    rng = np.random.default_rng(0)
    return torch.tensor(rng.normal(size=(3, 6, 2))), torch.tensor(rng.normal(size=(3, 5, 2)))


@pytest.mark.parametrize("divergence", [False, True])
def test_values_are_those_of_the_function(divergence):
    x, y = batch()
    ways = {"gamma": 0.3, "band": 4, "penalty": 0.1, "skip": 0.7, "cost_fn": "cosine"}
    function = soft_dtw_divergence if divergence else soft_dtw
    truth = function(x, y, lengths_x=[6, 5, 4], lengths_y=[5, 5, 3], **ways)
    for reduction, reduced in (("none", truth), ("mean", truth.mean()), ("sum", truth.sum())):
        loss = SoftDTW(**ways, divergence=divergence, reduction=reduction)
        torch.testing.assert_close(loss(x, y, [6, 5, 4], [5, 5, 3]), reduced)


def test_one_pair_is_reduced_to_itself():
    x, y = batch()
    torch.testing.assert_close(SoftDTW()(x[0], y[0]), soft_dtw(x[0], y[0]))


def test_a_learned_gamma_is_a_positive_parameter_that_training_moves():
    x, y = batch()
    loss = SoftDTW(gamma=0.5, learn_gamma=True)
    assert [name for name, _ in loss.named_parameters()] == ["log_gamma"]
    assert loss.gamma.item() == pytest.approx(0.5)
    optimiser = torch.optim.SGD(loss.parameters(), lr=0.1)
    before = loss(x, y)
    before.backward()
    optimiser.step()
    assert loss(x, y) < before
    assert loss.gamma > 0


def test_a_given_gamma_is_no_parameter():
    assert not list(SoftDTW(gamma=0.5).parameters())
    assert SoftDTW(gamma=0.5).gamma == 0.5


def test_a_loss_can_be_copied_pickled_and_restored():
    loss = SoftDTW(gamma=2.0, learn_gamma=True, band=Itakura(2.0))
    for other in (copy.deepcopy(loss), pickle.loads(pickle.dumps(loss))):
        torch.testing.assert_close(other(*batch()), loss(*batch()))
    restored = SoftDTW(learn_gamma=True)
    restored.load_state_dict(loss.state_dict())
    assert restored.gamma.item() == pytest.approx(2.0)


def test_a_loss_is_compiled_as_a_whole_graph():
    torch._dynamo.reset()
    loss = SoftDTW(learn_gamma=True, divergence=True)
    compiled = torch.compile(loss, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(*batch()), loss(*batch()))


def test_the_description_names_what_is_not_usual():
    assert repr(SoftDTW()) == "SoftDTW(gamma=1)"
    loss = SoftDTW(gamma=0.25, learn_gamma=True, band=Itakura(3.0), divergence=True, reduction="sum")
    assert repr(loss) == (
        "SoftDTW(gamma=0.25, learn_gamma=True, band=Itakura(slope=3.0), divergence=True, reduction='sum')"
    )


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"gamma": 0}, "gamma is 0"),
        ({"gamma": float("inf")}, "gamma is inf"),
        ({"penalty": -1}, "penalty is -1"),
        ({"band": -1}, "half-width of -1"),
        ({"cost_fn": "cubic"}, "cost_fn is 'cubic'"),
        ({"reduction": "max"}, "reduction is 'max'"),
        ({"skip": (1, 2, 3)}, "skip has 3 parts"),
    ],
)
def test_settings_out_of_range_are_refused(setting, message):
    with pytest.raises(BadSetting, match=message):
        SoftDTW(**setting)


def test_arrays_are_refused():
    with pytest.raises(BadData, match="one input is a torch tensor, the other ndarray"):
        SoftDTW()(np.zeros((3, 1)), torch.zeros(3, 1))


# The package, which knows the names that need torch without importing it


def test_names_that_need_torch_import_it_when_they_are_asked_for():
    code = (
        "import sys, posediff.alignment as a; before = 'torch' in sys.modules; a.SoftDTW;"
        "print(before, 'torch' in sys.modules, all(hasattr(a, name) for name in a.__all__))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.split() == ["False", "True", "True"]


def test_without_torch_its_names_say_what_to_install():
    code = (
        "import sys; sys.modules['torch'] = None; import posediff.alignment as a\n"
        "from posediff.errors import MissingDependency\n"
        "try: a.SoftDTW\nexcept MissingDependency as error: print(error, error.hint)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "SoftDTW needs torch" in result.stdout


def test_other_names_are_unknown():
    with pytest.raises(AttributeError, match="no attribute 'soft_dwt'"):
        alignment.soft_dwt  # noqa: B018
