import pytest

torch = pytest.importorskip("torch")

from posediff.alignment import soft_alignment  # noqa: E402
from posediff.models.heads.stagewise import StageDecoder, StagewiseRegression, aligned  # noqa: E402
from posediff.models.settings import DecoderSettings  # noqa: E402

NAMES = ("fused", "static")


def settings(**changes) -> DecoderSettings:
    return DecoderSettings(**{"layers": 2, "heads": 2, "steps": 4, **changes})


def head(**changes) -> StagewiseRegression:
    torch.manual_seed(0)
    return StagewiseRegression(8, 3, settings(**changes), NAMES)


def streams(seed: int, batch: int = 2) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return {name: torch.randn(batch, 3, 4, 8, generator=generator) for name in NAMES}


@pytest.mark.parametrize("align", [False, True])
def test_a_performance_compared_with_itself_is_exactly_as_good(align):
    difference = head(align=align)(streams(0), streams(0))
    assert torch.equal(difference.total, torch.zeros(2))
    assert torch.equal(difference.stages, torch.zeros(2, 3))


def test_exchanging_the_two_turns_the_sign():
    model = head()
    assert torch.equal(model(streams(0), streams(1)).stages, -model(streams(1), streams(0)).stages)


def test_without_antisymmetry_each_way_has_a_say_of_its_own():
    model = head()
    both = model(streams(0), streams(1)).stages
    model.antisymmetric = False
    there, back = model(streams(0), streams(1)).stages, model(streams(1), streams(0)).stages
    assert not torch.allclose(there, -back)
    torch.testing.assert_close(both, there - back)


def test_stages_sum_to_the_total_by_their_weights_and_streams_add():
    model = head(antisymmetric=False)
    with torch.no_grad():
        model.importance.copy_(torch.tensor([0.6, 0.3, 0.1]).log())
    query, exemplar = streams(0), streams(1)
    found = model(query, exemplar)
    torch.testing.assert_close(found.stages.sum(dim=1), found.total)
    alone = [decoder(query[name], exemplar[name]) for name, decoder in model.decoders.items()]
    torch.testing.assert_close(found.stages, (alone[0] + alone[1]) * torch.tensor([0.6, 0.3, 0.1]))


@pytest.mark.parametrize("weighting", ["softmax", "sum"])
def test_weights_are_positive_and_sum_to_1(weighting):
    model = head(weighting=weighting)
    with torch.no_grad():
        model.importance.copy_(torch.tensor([-3.0, 0.5, 2.0]))
    assert (model.weights > 0).all()
    assert model.weights.argsort().tolist() == [0, 1, 2]
    torch.testing.assert_close(model.weights.sum(), torch.tensor(1.0))


def test_each_stage_depends_on_its_own_features_alone():
    model, query, exemplar = head(), streams(0), streams(1)
    before = model(query, exemplar).stages
    query["fused"][:, 1] += 1
    changed = (model(query, exemplar).stages - before).abs() > 1e-6
    assert changed.tolist() == [[False, True, False]] * 2


def test_stages_in_a_batch_are_those_one_by_one():
    decoder = StageDecoder(8, 3, settings(dropout=0.5)).eval()
    query, exemplar = streams(0, 3)["fused"], streams(1, 3)["fused"]
    alone = torch.cat([decoder(query[i : i + 1], exemplar[i : i + 1]) for i in range(3)])
    torch.testing.assert_close(decoder(query, exemplar), alone)


def test_the_same_features_are_judged_by_their_stage_and_step():
    decoder = StageDecoder(8, 3, settings())
    with torch.no_grad():
        decoder.stage.mul_(50)
    step = torch.randn(1, 1, 4, 8).expand(1, 3, 4, 8)
    scores = decoder(step, step.flip(3))[0]
    assert scores.unique().numel() == 3


@pytest.mark.parametrize("antisymmetric", [False, True])
def test_every_parameter_gets_a_gradient(antisymmetric):
    model = head(antisymmetric=antisymmetric)
    model(streams(0), streams(1)).total.square().sum().backward()
    silent = [name for name, value in model.named_parameters() if value.grad is None or not value.grad.any()]
    assert silent == []


def test_alignment_brings_a_shifted_exemplar_to_the_query():
    steps = torch.eye(5)
    late = steps[[0, 0, 0, 1, 2]][None]
    early = steps[[0, 1, 2, 2, 2]][None]
    torch.testing.assert_close(aligned(late, early, 0.01), late, atol=1e-4, rtol=0)


def test_alignment_is_not_trained_but_the_exemplar_is():
    query, exemplar = torch.randn(2, 4, 3, requires_grad=True), torch.randn(2, 4, 3, requires_grad=True)
    aligned(query, exemplar, 0.1).sum().backward()
    expected = soft_alignment(query.detach(), exemplar.detach(), gamma=0.1, cost_fn="cosine").correspondences
    assert query.grad is None
    torch.testing.assert_close(exemplar.grad, expected.sum(dim=1)[..., None].expand(2, 4, 3))


def test_a_decoder_looks_at_the_exemplar_aligned_stage_by_stage():
    decoder = StageDecoder(8, 3, settings(align=True))
    query, exemplar = streams(0)["fused"], streams(1)["fused"]
    found = decoder(query, exemplar)
    warped = torch.stack([aligned(query[:, stage], exemplar[:, stage], 0.1) for stage in range(3)], dim=1)
    decoder.gamma = None
    torch.testing.assert_close(found, decoder(query, warped))


@pytest.mark.parametrize("side", [0, 1])
def test_the_order_of_steps_matters(side):
    decoder = StageDecoder(8, 3, settings())
    pair = [streams(0)["fused"], streams(1)["fused"]]
    before = decoder(*pair)
    pair[side] = pair[side].flip(2)
    assert (decoder(*pair) - before).abs().min() > 1e-5
