import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from posediff.models.losses import stage_contrast  # noqa: E402
from posediff.models.settings import ContrastSettings  # noqa: E402


def pairs(batch: int = 3, stages: int = 3) -> tuple[torch.Tensor, torch.Tensor]:
    rng = np.random.default_rng(0)
    return tuple(torch.tensor(rng.normal(size=(batch, stages, 2, 4)) + 0.5) for _ in range(2))


def alike(one: torch.Tensor, other: torch.Tensor) -> float:
    return float(np.corrcoef(one.numpy().ravel(), other.numpy().ravel())[0, 1])


def slow(query, exemplar, settings) -> float:
    """Pair by pair, stage by stage, in both directions."""
    values = []
    batch, stages = query.shape[:2]
    for a, b in ((query, exemplar), (exemplar, query)):
        for i in range(batch):
            for k in range(stages):
                positive = alike(a[i, k], b[i, k])
                if settings.kind == "infonce":
                    negatives = [alike(a[i, k], b[j, m]) for j in range(batch) if j != i for m in range(stages)]
                else:
                    others = [m for m in range(stages) if m != k]
                    negatives = [alike(a[i, k], side[i, m]) for side in (a, b) for m in others]
                if settings.kind == "triplet":
                    values += [max(0.0, settings.margin - positive + negative) for negative in negatives]
                else:
                    up = math.exp(positive / settings.temperature)
                    down = sum(math.exp(negative / settings.temperature) for negative in negatives)
                    values.append(-math.log(up / (up + down)))
    return sum(values) / len(values)


@pytest.mark.parametrize("kind", ["stagewise", "infonce", "triplet"])
@pytest.mark.parametrize("stages", [2, 3])
def test_the_loss_is_that_of_its_definition(kind, stages):
    settings = ContrastSettings(kind=kind, temperature=0.3)
    query, exemplar = pairs(stages=stages)
    assert stage_contrast(query, exemplar, settings).item() == pytest.approx(slow(query, exemplar, settings))


@pytest.mark.parametrize("kind", ["stagewise", "infonce", "triplet"])
def test_exchanging_the_performances_changes_nothing(kind):
    query, exemplar = pairs()
    settings = ContrastSettings(kind=kind)
    torch.testing.assert_close(stage_contrast(query, exemplar, settings), stage_contrast(exemplar, query, settings))


@pytest.mark.parametrize("kind", ["stagewise", "infonce", "triplet"])
def test_gradients_are_those_of_finite_differences(kind):
    query, exemplar = (side.requires_grad_() for side in pairs(batch=2))
    assert torch.autograd.gradcheck(lambda a, b: stage_contrast(a, b, ContrastSettings(kind=kind)), (query, exemplar))


@pytest.mark.parametrize(("kind", "batch", "stages"), [("stagewise", 2, 1), ("triplet", 2, 1), ("infonce", 1, 3)])
def test_without_negatives_the_loss_is_0(kind, batch, stages):
    query, exemplar = pairs(batch, stages)
    assert stage_contrast(query, exemplar, ContrastSettings(kind=kind)).item() == 0


def test_no_contrast_is_0():
    assert stage_contrast(*pairs(), ContrastSettings(kind="none")).item() == 0


@pytest.mark.parametrize("kind", ["stagewise", "triplet"])
def test_training_draws_the_same_stages_together_and_pushes_others_apart(kind):
    query, exemplar = (side.requires_grad_() for side in pairs())
    optimiser = torch.optim.Adam([query, exemplar], lr=0.1)
    for _ in range(50):
        optimiser.zero_grad()
        stage_contrast(query, exemplar, ContrastSettings(kind=kind)).backward()
        optimiser.step()
    query, exemplar = query.detach()[0], exemplar.detach()[0]
    nearest_other = max(alike(query[0], query[1]), alike(query[0], exemplar[1]), alike(query[0], exemplar[2]))
    assert alike(query[0], exemplar[0]) > nearest_other + 0.3


def test_what_all_features_share_does_not_count():
    query, exemplar = pairs()
    settings = ContrastSettings()
    moved = stage_contrast(query + 100, exemplar + 100, settings)
    torch.testing.assert_close(moved, stage_contrast(query, exemplar, settings))


def test_half_precision_is_computed_in_float32():
    query, exemplar = (side.bfloat16() for side in pairs())
    truth = stage_contrast(query.float(), exemplar.float(), ContrastSettings())
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(stage_contrast(query, exemplar, ContrastSettings()), truth)
