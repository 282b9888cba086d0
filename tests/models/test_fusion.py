import numpy as np
import pytest

torch = pytest.importorskip("torch")

from posediff.models.fusion import Fusion  # noqa: E402
from posediff.models.settings import FusionSettings  # noqa: E402

WIDTH, HEADS = 6, 2


def fusion(**changes) -> Fusion:
    torch.manual_seed(0)
    return Fusion(WIDTH, FusionSettings(**{"heads": HEADS, **changes})).double()


def features(seed: int) -> torch.Tensor:
    return torch.randn(2, 3, 4, WIDTH, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def numbers(layer: torch.nn.Linear) -> tuple[np.ndarray, np.ndarray]:
    return layer.weight.detach().numpy(), layer.bias.detach().numpy()


def layer_norm(x: np.ndarray) -> np.ndarray:
    return (x - x.mean()) / np.sqrt(x.var() + 1e-5)


def slow(model: Fusion, visual: np.ndarray, skeletal: np.ndarray, rho: float) -> np.ndarray:
    """One stage, head by head and step by step, with untrained norms."""
    steps, size = len(visual), WIDTH // HEADS
    weight, bias = numbers(model.visual)
    query, key, value = np.split(visual @ weight.T + bias, 3, axis=1)
    weight, bias = numbers(model.skeletal)
    query_s, key_s = np.split(skeletal @ weight.T + bias, 2, axis=1)
    attended = np.zeros((steps, WIDTH))
    for head in range(HEADS):
        part = slice(head * size, (head + 1) * size)
        for i in range(steps):
            own = [query[i, part] @ key[j, part] / np.sqrt(size) for j in range(steps)]
            pose = [query_s[i, part] @ key_s[j, part] / np.sqrt(size) for j in range(steps)]
            joined = [a * b if model.kind == "dot" else a + rho * b for a, b in zip(own, pose, strict=True)]
            share = np.exp(joined) / np.exp(joined).sum()
            attended[i, part] = sum(share[j] * value[j, part] for j in range(steps))
    weight, bias = numbers(model.output)
    fused = []
    for i in range(steps):
        hidden = weight @ attended[i] + bias + layer_norm(visual[i])
        (first, first_bias), (second, second_bias) = numbers(model.feed_forward[0]), numbers(model.feed_forward[2])
        fused.append(second @ np.maximum(first @ layer_norm(hidden) + first_bias, 0) + second_bias + hidden)
    return np.array(fused)


@pytest.mark.parametrize(("kind", "rho"), [("weighted", 0.7), ("addition", 1.0), ("dot", 0.0)])
def test_fused_features_are_those_of_the_equations(kind, rho):
    model = fusion(kind=kind, rho=0.7)
    visual, skeletal = features(0), features(1)
    found = model(visual, skeletal).detach().numpy()
    for item in range(2):
        for stage in range(3):
            truth = slow(model, visual[item, stage].numpy(), skeletal[item, stage].numpy(), rho)
            np.testing.assert_allclose(found[item, stage], truth, atol=1e-7)


def test_the_skeleton_guides_as_much_as_rho_says():
    assert torch.equal(fusion(rho=0.0)(features(0), features(1)), fusion(rho=0.0)(features(0), features(2)))
    assert not torch.allclose(fusion(rho=1.0)(features(0), features(1)), fusion(rho=1.0)(features(0), features(2)))


@pytest.mark.parametrize(("kind", "learnt"), [("weighted", True), ("addition", False), ("dot", False)])
def test_rho_is_learnt_where_the_maps_are_weighted(kind, learnt):
    model = fusion(kind=kind)
    model(features(0), features(1)).square().sum().backward()
    assert ("rho" in dict(model.named_parameters())) == learnt
    silent = [name for name, value in model.named_parameters() if not value.grad.abs().max() > 1e-12]
    assert silent == []


def test_stages_do_not_see_one_another():
    visual = features(0)
    before = fusion()(visual, features(1))
    visual[:, 1] += 1
    changed = (fusion()(visual, features(1)) - before).abs().amax(dim=(0, 2, 3)) > 1e-9
    assert changed.tolist() == [False, True, False]
