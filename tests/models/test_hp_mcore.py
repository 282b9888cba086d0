import math

import pytest

from posediff.errors import BadSetting
from posediff.skeletons import MPII16

torch = pytest.importorskip("torch")

from posediff.models import hp_mcore, voting  # noqa: E402
from posediff.models.encoders import together  # noqa: E402
from posediff.models.hp_mcore import HPMCoRe  # noqa: E402
from posediff.models.settings import (  # noqa: E402
    ContrastSettings,
    DecoderSettings,
    DynamicSettings,
    HPMCoReSettings,
    SegmentationSettings,
    SkeletalSettings,
    StaticSettings,
)

FRAMES, JOINTS, WIDTH = 12, 4, 8
ALL = {"skeletal": SkeletalSettings(), "dynamic": DynamicSettings(), "static": StaticSettings()}
build_encoders = together.build_encoders
COMBINATIONS = [("skeletal",), ("dynamic",), ("static",), ("dynamic", "skeletal"), ("skeletal", "static"), tuple(ALL)]


class Poses(torch.nn.Linear):
    """Stands in for the skeletal encoder."""

    calls = 0

    def forward(self, poses, confidence):
        self.calls += 1
        return super().forward((poses * confidence[..., None]).flatten(2))


class Maps(torch.nn.Linear):
    """Stands in for a visual encoder."""

    def __init__(self, name):
        super().__init__(3, WIDTH)
        self.name = name

    def forward(self, sample):
        return super().forward(sample[self.name])


@pytest.fixture(autouse=True)
def stand_ins(monkeypatch):
    def build(settings, skeleton, dimensions):
        made = {"dynamic": Maps("dynamic"), "skeletal": Poses(JOINTS * dimensions, WIDTH), "static": Maps("static")}
        return torch.nn.ModuleDict({name: made[name] for name in made if getattr(settings, name) is not None})

    monkeypatch.setattr(hp_mcore, "build_encoders", build)


def model(*encoders: str, boundaries: tuple[int, ...] = (0, 1), decoder: dict | None = None, **changes) -> HPMCoRe:
    torch.manual_seed(0)
    settings = HPMCoReSettings(
        **{
            "width": WIDTH,
            **{name: ALL[name] if name in (encoders or ("skeletal",)) else None for name in ALL},
            "segmentation": SegmentationSettings(boundaries=boundaries, class_weights=(1.0,) * 9, hidden=4),
            "decoder": DecoderSettings(**{"layers": 1, "heads": 2, "steps": 3, **(decoder or {})}),
            **changes,
        }
    )
    made = HPMCoRe(settings, MPII16, 2, 2)
    made.scale.fill_(5.0)
    return made


def sample(seed: int, batch: int = 3) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    poses = torch.randn(batch, FRAMES, JOINTS, 2, generator=generator)
    maps = {name: torch.randn(batch, FRAMES, 3, generator=generator) for name in ("dynamic", "static")}
    maps["dynamic"][:, [3, 8], [0, 1]] += 5  # what shows the transitions
    return {
        "poses": poses,
        "confidence": torch.ones(batch, FRAMES, JOINTS),
        **maps,
        "transitions": torch.tensor([[3, 8]]).repeat(batch, 1),
        "target": 30 + 10 * torch.randn(batch, generator=generator),
    }


@pytest.mark.parametrize("antisymmetric", [False, True])
@pytest.mark.parametrize("encoders", COMBINATIONS)
def test_gradients_reach_every_parameter(encoders, antisymmetric):
    made = model(*encoders, decoder={"antisymmetric": antisymmetric})
    sum(made.losses({"query": sample(0), "exemplar": sample(1)}).values()).backward()
    silent = [name for name, value in made.named_parameters() if value.grad is None or not value.grad.any()]
    assert silent == []


@pytest.mark.parametrize("encoders", COMBINATIONS)
def test_the_total_is_the_sum_of_the_stages(encoders):
    made = model(*encoders)
    found = made.compare(made.encode(sample(0)), made.encode(sample(1)))
    assert found.stages.shape == (3, 3)
    assert torch.equal(found.total, found.stages.sum(dim=1))


def test_differences_are_in_units_of_the_score():
    made = model()
    query, exemplar = made.encode(sample(0)), made.encode(sample(1))
    before = made.compare(query, exemplar).total
    made.scale.fill_(10.0)
    torch.testing.assert_close(made.compare(query, exemplar).total, 2 * before)


@torch.no_grad()
def test_a_vote_is_the_mean_of_comparisons_one_by_one(monkeypatch):
    monkeypatch.setattr(voting, "PAIRS_AT_ONCE", 4)
    made = model("dynamic", "skeletal", "static").eval()
    query, bank, targets = made.encode(sample(0, 3)), made.encode(sample(1, 4)), torch.tensor([10.0, 20.0, 40.0, 80.0])
    picks = torch.tensor([[2, 0, 3], [1, -1, 2], [-1, 3, -1]])
    found = made.vote(query, bank, targets, picks)
    for row, chosen in enumerate(picks.tolist()):
        votes, stages = [], []
        for column, pick in enumerate(chosen):
            if pick < 0:
                assert math.isnan(found.votes[row, column])
                continue
            difference = made.compare(query.select(slice(row, row + 1)), bank.select(slice(pick, pick + 1)))
            votes.append(targets[pick] + difference.total[0])
            stages.append(difference.stages[0])
            torch.testing.assert_close(found.votes[row, column], votes[-1])
        torch.testing.assert_close(found.score[row], torch.stack(votes).mean())
        torch.testing.assert_close(found.stages[row], torch.stack(stages).mean(dim=0))
    assert torch.equal(found.transitions, query.transitions)


@torch.no_grad()
def test_a_vote_without_exemplars_is_none():
    made = model()
    found = made.vote(made.encode(sample(0)), made.encode(sample(1)), torch.ones(3), torch.full((3, 2), -1))
    assert found.score.isnan().all()
    assert found.votes.shape == (3, 2)


@torch.no_grad()
def test_voting_encodes_nothing_anew():
    made = model()
    query, bank = made.encode(sample(0)), made.encode(sample(1))
    before = made.encoders["skeletal"].calls
    made.vote(query, bank, torch.ones(3), torch.zeros(3, 2, dtype=torch.int64))
    assert (before, made.encoders["skeletal"].calls) == (2, 2)


@torch.no_grad()
def test_by_itself_as_exemplar_a_performance_gets_its_own_score_exactly():
    made = model("dynamic", "skeletal", "static").eval()
    encoded, targets = made.encode(sample(0)), torch.tensor([11.1, 22.2, 33.3])
    found = made.vote(encoded, encoded, targets, torch.arange(3)[:, None])
    assert torch.equal(found.score, targets)


def test_a_batch_is_encoded_in_one_pass():
    made = model()
    made.losses({"query": sample(0), "exemplar": sample(1)})
    assert made.encoders["skeletal"].calls == 1


@pytest.mark.parametrize("antisymmetric", [False, True])
def test_both_directions_of_a_pair_count(antisymmetric):
    made = model(decoder={"antisymmetric": antisymmetric})
    one, other = sample(0), sample(1)
    truth = made.encode(one, one["transitions"]), made.encode(other, other["transitions"])
    errors = [
        made.compare(*pair).total - wanted
        for pair, wanted in ((truth, one["target"] - other["target"]), (truth[::-1], other["target"] - one["target"]))
    ]
    found = made.losses({"query": one, "exemplar": other})["score"]
    torch.testing.assert_close(found, (torch.cat(errors) / 5).square().mean())


@pytest.mark.parametrize("guided_by", ["truth", "prediction"])
def test_stages_are_divided_where_the_settings_say(guided_by):
    made = model(guided_by=guided_by)
    pooled = []
    made.head.register_forward_hook(lambda _, inputs, __: pooled.append(inputs[0]["fused"]))
    one, other = sample(0), sample(1)
    made.losses({"query": one, "exemplar": other})
    truth = made.encode(one, one["transitions"] if guided_by == "truth" else None)
    torch.testing.assert_close(pooled[0], truth.streams["fused"])


def test_transitions_that_are_unknown_or_leave_a_stage_empty_are_predicted():
    made, given = model(), sample(0, 5)
    predicted = made.encode(given).transitions
    asked = torch.tensor([[3, 8], [-1, 8], [3, -1], [8, 8], [5, FRAMES]])
    used = made.encode(given, asked).transitions
    assert torch.equal(used[:1], asked[:1])
    assert torch.equal(used[1:], predicted[1:])


@pytest.mark.parametrize(("boundaries", "label"), [((0,), 3), ((1,), 8)])
def test_some_boundaries_take_their_own_labels(boundaries, label):
    made = model(boundaries=boundaries)
    pooled = []
    made.encode, encode = lambda *given: pooled.append(encode(*given)) or pooled[-1], made.encode
    made.losses({"query": sample(0), "exemplar": sample(1)})
    assert pooled[0].transitions.tolist() == [[label]] * 6


def test_one_stage_needs_no_transitions():
    made = model(boundaries=())
    encoded = made.encode(sample(0))
    assert encoded.logits is None
    assert encoded.transitions.shape == (3, 0)
    losses = made.losses({"query": sample(0), "exemplar": sample(1)})
    assert losses["segmentation"] == 0
    assert losses["contrast"] == 0
    assert made.vote(encoded, encoded, torch.ones(3), torch.zeros(3, 1, dtype=torch.int64)).stages.shape == (3, 1)


def test_the_contrast_is_weighted():
    light, heavy = (model(contrast=ContrastSettings(weight=weight)) for weight in (1.0, 10.0))
    batch = {"query": sample(0), "exemplar": sample(1)}
    torch.testing.assert_close(heavy.losses(batch)["contrast"], 10 * light.losses(batch)["contrast"])


def test_a_boundary_without_labels_is_refused():
    with pytest.raises(BadSetting, match=r"\(0, 2\) of 2"):
        model(boundaries=(0, 2))


def test_a_sample_without_what_an_encoder_takes_is_refused():
    with pytest.raises(BadSetting, match="skeletal encoder takes poses; the samples hold dynamic"):
        model().encode({"dynamic": sample(0)["dynamic"]})


def test_the_encoders_that_the_settings_ask_for_work_together(monkeypatch):
    monkeypatch.setattr(hp_mcore, "build_encoders", build_encoders)
    parts = {
        "skeletal": SkeletalSettings(channels=(8, 8), strides=(1, 1)),
        "dynamic": DynamicSettings(snippets=1, frozen=True),
        "static": StaticSettings("resnet18", frozen=True),
    }
    made = HPMCoRe(HPMCoReSettings(width=WIDTH, **parts), MPII16, 2, 2)
    given = {
        "poses": torch.randn(2, 16, 16, 2),
        "confidence": torch.ones(2, 16, 16),
        "dynamic": torch.randn(2, 2, 1024, 2, 2),
        "static": torch.randn(2, 16, 512, 3, 3),
        "transitions": torch.tensor([[4, 11], [5, 9]]),
        "target": torch.tensor([20.0, 30.0]),
    }
    losses = made.losses({"query": given, "exemplar": given})
    assert made.encoders.keys() == {"dynamic", "skeletal", "static"}
    assert all(value.isfinite() for value in losses.values())


def test_a_few_steps_of_training_halve_the_loss():
    made = model("dynamic", "skeletal", "static", contrast=ContrastSettings(weight=0.1))
    batch = {"query": sample(0), "exemplar": sample(1)}
    optimiser = torch.optim.Adam(made.parameters(), lr=0.01)
    values = []
    for _ in range(30):
        optimiser.zero_grad()
        losses = made.losses(batch)
        sum(losses.values()).backward()
        optimiser.step()
        values.append({name: value.item() for name, value in losses.items()})
    for name in ("score", "segmentation"):
        assert values[-1][name] < values[0][name] / 2
