import math
from itertools import permutations

import numpy as np
import pytest

from posediff.errors import BadData, BadSetting
from posediff.models.core_settings import CoReSettings
from posediff.models.settings import DynamicSettings, SkeletalSettings
from posediff.skeletons import MPII16
from tests.fixtures.data import data_root

torch = pytest.importorskip("torch")

from posediff.datasets.exemplars import Exemplars  # noqa: E402
from posediff.datasets.mtl_aqa import MTLAQASettings, load  # noqa: E402
from posediff.models import core  # noqa: E402
from posediff.models.core import CoRe, differences  # noqa: E402
from posediff.models.encoders import together  # noqa: E402
from posediff.models.heads.gart import groups_of  # noqa: E402

FRAMES, JOINTS, WIDTH = 6, 3, 8
TARGETS = torch.tensor([20.0, 24.0, 25.0, 30.0, 10.0, 13.0, 18.0])
GROUPS = torch.tensor([0, 0, 0, 0, 1, 1, 1])
KINDS = [{"contrastive": contrastive, "head": head} for contrastive in (True, False) for head in ("gart", "mlp")]
build_encoders = together.build_encoders


class Poses(torch.nn.Linear):
    """Stands in for the skeletal encoder."""

    calls = 0

    def forward(self, poses, confidence):
        self.calls += 1
        return super().forward((poses * confidence[..., None]).flatten(2))


class Maps(torch.nn.Linear):
    """Stands in for the dynamic encoder."""

    def forward(self, sample):
        return super().forward(sample["dynamic"])


@pytest.fixture(autouse=True)
def stand_ins(monkeypatch):
    def build(settings, skeleton, dimensions):
        made = {"dynamic": Maps(4, WIDTH), "skeletal": Poses(JOINTS * dimensions, WIDTH)}
        return torch.nn.ModuleDict({name: made[name] for name in made if getattr(settings, name) is not None})

    monkeypatch.setattr(core, "build_encoders", build)


def model(**changes):
    torch.manual_seed(0)
    made = CoRe(CoReSettings(**{"width": WIDTH, "hidden": 12, "depth": 2, **changes}), MPII16, 2, 2)
    made.prepare(TARGETS, GROUPS)
    return made


def sample(seed, batch=3):
    generator = torch.Generator().manual_seed(seed)
    return {
        "poses": torch.randn(batch, FRAMES, JOINTS, 2, generator=generator),
        "confidence": torch.ones(batch, FRAMES, JOINTS),
        "dynamic": torch.randn(batch, FRAMES, 4, generator=generator),
        "transitions": torch.full((batch, 2), -1),
        "target": 20 + 4 * torch.randn(batch, generator=generator),
    }


def batch(size=3):
    return {"query": sample(0, size), "exemplar": sample(1, size)}


def said(made, query, exemplar, known):
    """The score of one performance, put together piece by piece."""
    row = [exemplar, query, torch.tensor([known / float(made.highest)])] if made.settings.contrastive else [query]
    row = torch.cat(row if made.settings.reference_score else row[:2])
    base = known if made.settings.contrastive else float(made.centre)
    return base + float(made.scale) * float(made.head(row[None])[0])


@torch.no_grad()
@pytest.mark.parametrize("kind", [*KINDS, {"reference_score": False}, {"inference": "expected"}, {"steps": 2}])
def test_votes_are_those_of_a_loop_over_pairs(kind):
    made = model(**kind).eval()
    query, bank, targets = made.encode(sample(0, 3)), made.encode(sample(1, 4)), torch.tensor([15.0, 20.0, 22.0, 28.0])
    picks = torch.tensor([[2, 0, 3], [1, -1, 2], [-1, 3, -1]])
    found = made.vote(query, bank, targets, picks)
    one, other = query.streams["all"].flatten(1), bank.streams["all"].flatten(1)
    for row, chosen in enumerate(picks.tolist()):
        votes = [math.nan if pick < 0 else said(made, one[row], other[pick], float(targets[pick])) for pick in chosen]
        there = [vote for vote in votes if not math.isnan(vote)]
        mean_known = np.mean([float(targets[pick]) for pick in chosen if pick >= 0])
        assert found.votes[row].tolist() == pytest.approx(votes, rel=1e-5, nan_ok=True)
        assert found.score[row].item() == pytest.approx(np.mean(there), rel=1e-5)
        assert found.stages[row].tolist() == [pytest.approx(np.mean(there) - mean_known, rel=1e-3, abs=1e-4)]
    assert found.transitions.shape == (3, 0)
    assert found.segments is None


@torch.no_grad()
@pytest.mark.parametrize("kind", KINDS)
def test_a_vote_without_exemplars_is_none(kind):
    made = model(**kind)
    found = made.vote(made.encode(sample(0)), made.encode(sample(1)), torch.ones(3), torch.full((3, 2), -1))
    assert found.score.isnan().all()
    assert (found.votes.shape, found.stages.shape) == ((3, 2), (3, 1))


@pytest.mark.parametrize("kind", KINDS)
def test_each_pair_counts_in_both_orders_in_standard_deviations(kind):
    made, pairs = model(**kind), batch()
    found = made.losses(pairs)
    one, other = (made.encode(pairs[name]).streams["all"].flatten(1) for name in ("query", "exemplar"))
    known, asked = pairs["exemplar"]["target"], pairs["query"]["target"]
    rows, values = [], []
    for number in range(3):
        for mine, yours, score, reference in (
            (one[number], other[number], asked[number], known[number]),
            (other[number], one[number], known[number], asked[number]),
        ):
            pair = torch.cat((yours, mine, reference[None] / TARGETS.max()))
            rows.append(pair if kind["contrastive"] else mine)
            values.append((score - (reference if kind["contrastive"] else TARGETS.mean())) / TARGETS.std(correction=0))
    expected = made.head.losses(torch.stack(rows), torch.stack(values))
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("encoders", [{}, {"dynamic": DynamicSettings()}])
def test_gradients_reach_every_parameter(kind, encoders):
    made = model(**kind, **encoders)
    sum(made.losses(batch(64)).values()).backward()
    silent = [name for name, value in made.named_parameters() if value.grad is None or not value.grad.any()]
    assert silent == []


@torch.no_grad()
def test_features_are_means_over_time_of_all_encoders_side_by_side():
    made, given = model(dynamic=DynamicSettings(), steps=2), sample(0)
    encoded = made.encode(given)
    parts = [made.encoders["dynamic"](given), made.encoders["skeletal"](given["poses"], given["confidence"])]
    for step, frames in enumerate((slice(0, 3), slice(3, 6))):
        expected = torch.cat([part[:, frames].mean(dim=1) for part in parts], dim=1)
        torch.testing.assert_close(encoded.streams["all"][:, 0, step], expected)
    assert encoded.streams["all"].shape == (3, 1, 2, 2 * WIDTH)
    assert (encoded.transitions.shape, encoded.logits) == ((3, 0), None)


def test_a_batch_is_encoded_in_one_pass_and_a_vote_encodes_nothing():
    made = model()
    made.losses(batch())
    assert made.encoders["skeletal"].calls == 1
    encoded = made.encode(sample(0))
    made.vote(encoded, encoded, torch.ones(3), torch.zeros(3, 2, dtype=torch.int64))
    assert made.encoders["skeletal"].calls == 2


def test_what_a_query_alone_has_is_not_asked_of_its_exemplar():
    pairs = batch()
    pairs["query"]["dimensions"] = torch.ones(3, 4)
    assert model().losses(pairs)["classification"].isfinite()


def test_bounds_are_of_all_ordered_pairs_within_a_group():
    pairs = [
        float(TARGETS[one] - TARGETS[other])
        for one, other in permutations(range(len(TARGETS)), 2)
        if GROUPS[one] == GROUPS[other]
    ]
    torch.testing.assert_close(differences(TARGETS, GROUPS).sort().values, torch.tensor(sorted(pairs)))
    expected = [sorted(pairs)[(len(pairs) - 1) * r // 4] for r in range(5)]
    made = model()
    torch.testing.assert_close(made.head.bounds * made.scale, torch.tensor(expected))
    assert made.scale.item() == pytest.approx(np.std(TARGETS.numpy()))
    assert (made.centre.item(), made.highest.item()) == (0.0, 30.0)


def test_without_contrast_bounds_are_of_the_scores():
    made = model(contrastive=False)
    expected = [sorted(TARGETS.tolist())[6 * r // 4] for r in range(5)]
    torch.testing.assert_close(made.head.bounds * made.scale + made.centre, torch.tensor(expected))


def test_what_training_clips_told_is_kept_with_the_weights():
    made, other = model(), CoRe(CoReSettings(width=WIDTH, hidden=12, depth=2), MPII16, 2, 2)
    other.load_state_dict(made.state_dict())
    for name in ("scale", "centre", "highest"):
        assert torch.equal(getattr(other, name), getattr(made, name))
    assert torch.equal(other.head.bounds, made.head.bounds)


@pytest.mark.parametrize(
    ("targets", "groups", "message"),
    [
        ([1.0, math.nan, 2.0], [0, 0, 0], "1 of 3 scores are not finite"),
        ([2.0, 2.0, 2.0], [0, 0, 0], "all 3 clips have the score 2"),
        ([1.0, 2.0, 3.0], [0, 1, 2], "each of 3 clips is alone"),
        ([1.0, 1.0, 3.0, 3.0], [0, 0, 1, 1], "all 4 values to be regressed are 0"),
    ],
)
def test_scores_that_tell_nothing_are_refused(targets, groups, message):
    with pytest.raises(BadData, match=message):
        model().prepare(torch.tensor(targets), torch.tensor(groups))


@pytest.mark.parametrize("kind", KINDS)
def test_scores_of_two_values_can_be_learnt(kind):
    made = model(**{**kind, "depth": 4})
    targets = torch.tensor([0.0, 1.0] * 4)
    made.prepare(targets, torch.zeros(8, dtype=torch.int64))
    pairs = {side: {**sample(seed, 8), "target": targets[order]} for side, seed, order in _SIDES}
    optimizer = torch.optim.Adam(made.parameters(), lr=1e-2)
    for _ in range(200):
        optimizer.zero_grad()
        sum(made.losses(pairs).values()).backward()
        optimizer.step()
    with torch.no_grad():
        found = made.vote(
            made.encode(pairs["query"]), made.encode(pairs["exemplar"]), pairs["exemplar"]["target"], _OWN
        )
    assert (found.score - targets).abs().max() < 0.2


_SIDES = (("query", 0, torch.arange(8)), ("exemplar", 1, torch.tensor([0, 1, 3, 2, 4, 5, 7, 6])))
_OWN = torch.arange(8)[:, None]


@pytest.mark.parametrize("kind", KINDS)
def test_a_planted_score_is_learnt_and_told_of_others(kind):
    made = model(**kind, depth=3) if kind["head"] == "gart" else model(**kind)
    generator = torch.Generator().manual_seed(0)

    def performances(count):
        poses = torch.randn(count, 1, JOINTS, 2, generator=generator).expand(-1, FRAMES, -1, -1)
        target = 50 + 5 * (poses[:, 0, 0, 0] - 2 * poses[:, 0, 2, 1])
        return {"poses": poses, "confidence": torch.ones(count, FRAMES, JOINTS), "target": target}

    known, asked = performances(300), performances(60)
    made.prepare(known["target"], torch.zeros(300, dtype=torch.int64))
    optimizer = torch.optim.Adam(made.parameters(), lr=1e-2)
    losses = []
    for _ in range(100):
        partner = torch.randperm(300, generator=generator)
        optimizer.zero_grad()
        loss = sum(made.losses({"query": known, "exemplar": {n: v[partner] for n, v in known.items()}}).values())
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 2
    with torch.no_grad():
        picks = torch.randint(300, (60, 10), generator=generator)
        found = made.vote(made.encode(asked), made.encode(known), known["target"], picks)
    assert np.corrcoef(found.score, asked["target"])[0, 1] > 0.98


def test_a_sample_without_what_an_encoder_takes_is_refused():
    with pytest.raises(BadSetting, match="the samples hold dynamic"):
        model().encode({"dynamic": sample(0)["dynamic"]})


def test_the_encoders_that_the_settings_ask_for_work_together(monkeypatch):
    monkeypatch.setattr(core, "build_encoders", build_encoders)
    parts = {
        "skeletal": SkeletalSettings(channels=(8,), strides=(1,)),
        "dynamic": DynamicSettings(snippets=1, frozen=True),
    }
    made = CoRe(CoReSettings(width=WIDTH, hidden=4, depth=2, **parts), MPII16, 2, 0)
    given = {
        "poses": torch.randn(2, 16, 16, 2),
        "confidence": torch.ones(2, 16, 16),
        "dynamic": torch.randn(2, 2, 1024, 2, 2),
        "target": torch.tensor([20.0, 30.0]),
    }
    assert all(value.isfinite() for value in made.losses({"query": given, "exemplar": given}).values())


@pytest.mark.parametrize("by", ["difficulty", "action"])
def test_groups_of_real_score_differences_are_as_large_as_each_other(by):
    clips = load(MTLAQASettings(annotations=str(data_root("mtl_aqa")))).train
    executions = torch.tensor([clip.score / clip.difficulty for clip in clips])
    groups = torch.from_numpy(Exemplars(clips, by).groups)
    made = CoRe(CoReSettings(width=WIDTH, hidden=4), MPII16, 2, 0)
    made.prepare(executions, groups)
    values = differences(executions, groups) / made.scale
    counts = torch.bincount(groups_of(values, made.head.bounds), minlength=32) / len(values) * 32
    uniform = torch.histc(values, 32) / len(values) * 32
    assert counts.max() < 1.9  # executions are multiples of a half: one value in 18 is 0
    assert uniform.max() > 3
