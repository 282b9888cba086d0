import math

import pytest

from posediff.errors import BadData, BadSetting
from posediff.skeletons import MPII16

torch = pytest.importorskip("torch")

from posediff.models.settings import DynamicSettings, SkeletalSettings  # noqa: E402
from posediff.models.skilldiff import SkillDiff  # noqa: E402
from posediff.models.skilldiff_settings import AlignmentSettings, LossSettings, SkillDiffSettings  # noqa: E402

FRAMES, WIDTH, SEGMENTS = 12, 8, 3
SKELETAL = SkeletalSettings(streams=("angle", "joint"), channels=(8,), strides=(1,), kernel=3, norm="layer")
TARGETS = torch.tensor([10.0, 20.0, 26.0, 28.0])
#: The rows of the paper's table 2 that change the network, from the least to the most.
ROWS = {
    "direct": {"alignment": None, "differential": False, "segments": 1},
    "aligned": {"differential": False, "segments": 1},
    "differential": {"heads": 1, "segments": 1},
    "heads": {"segments": 1},
    "full": {},
}


def model(targets: torch.Tensor = TARGETS, **changes) -> SkillDiff:
    torch.manual_seed(0)
    settings = {"width": WIDTH, "skeletal": SKELETAL, "hidden": 6, "segments": SEGMENTS, **changes}
    made = SkillDiff(SkillDiffSettings(**settings), MPII16, 2, 2)
    made.prepare(targets, torch.zeros(4, dtype=torch.int64))
    return made


def sample(seed: int, batch: int = 3) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return {
        "poses": torch.randn(batch, FRAMES, 16, 2, generator=generator),
        "confidence": torch.ones(batch, FRAMES, 16),
        "target": 20 + 5 * torch.randn(batch, generator=generator),
    }


def taught(seed: int, batch: int = 3) -> dict[str, torch.Tensor]:
    measured = torch.rand(batch, 4, generator=torch.Generator().manual_seed(seed + 9))
    return {**sample(seed, batch), "dimensions": measured}


@pytest.mark.parametrize(
    "changes", [*ROWS.values(), {"total": "deductions"}, {"alignment": AlignmentSettings(skip=0.2)}]
)
def test_gradients_reach_every_parameter(changes):
    made = model(**changes)
    sum(made.losses({"query": taught(0), "exemplar": sample(1)}).values()).backward()
    silent = [name for name, value in made.named_parameters() if value.grad is None or not value.grad.any()]
    # One segment has the weight 1, whatever it is like.
    expected = [name for name in silent if name.startswith("head.importance.")] if made.settings.segments == 1 else []
    assert silent == expected


@pytest.mark.parametrize("total", ["weighted", "deductions"])
def test_without_measured_dimensions_every_parameter_has_a_gradient_of_0(total):
    made = model(total=total)
    losses = made.losses({"query": sample(0), "exemplar": sample(1)})
    sum(losses.values()).backward()
    assert losses["dimensions"] == 0
    assert [name for name, value in made.named_parameters() if value.grad is None] == []


@torch.no_grad()
def test_the_total_is_the_weighted_mean_of_segments():
    made = model().eval()
    found = made.assess(made.encode(sample(0)), made.encode(sample(1)))
    assert found.segments.shape == (3, SEGMENTS)
    for row in range(3):
        parts = [w * s for w, s in zip(found.weights[row].tolist(), found.segments[row].tolist(), strict=True)]
        assert found.total[row].item() == pytest.approx(sum(parts), rel=1e-5)
    torch.testing.assert_close(found.weights.sum(dim=1), torch.ones(3))


@torch.no_grad()
def test_deductions_are_taken_from_the_best_possible_score():
    made = model(total="deductions").eval()
    found = made.assess(made.encode(sample(0)), made.encode(sample(1)))
    best = 28 + 0.05 * 18
    for row in range(3):
        expected = best - sum(best - segment for segment in found.segments[row].tolist())
        assert found.total[row].item() == pytest.approx(expected, rel=1e-5)


@torch.no_grad()
def test_segments_are_means_over_equal_times():
    made = model(segments=5).eval()
    query, reference = made.encode(sample(0)), made.encode(sample(1))
    assert query.transitions.tolist() == [[2, 4, 7, 9]] * 3
    frames = made.differential(made._frames(query.streams["frames"][:, 0], reference.streams["frames"][:, 0]))
    limits = [0, 2, 4, 7, 9, 12]
    for number, (start, end) in enumerate(zip(limits, limits[1:], strict=False)):
        embedded = made.assess(query, reference).embedding[:, number]
        torch.testing.assert_close(embedded, frames[:, start:end].mean(dim=1))


@torch.no_grad()
def test_a_performance_beside_itself_leaves_no_residual():
    made = model(alignment=AlignmentSettings(gamma=0.001)).eval()
    query = 3 * torch.randn(3, FRAMES, WIDTH)
    frames = made._frames(query, query)
    torch.testing.assert_close(frames[..., :WIDTH], torch.zeros(3, FRAMES, WIDTH), atol=1e-3, rtol=0)
    torch.testing.assert_close(frames[..., -1], torch.zeros(3, FRAMES), atol=1e-3, rtol=0)


@pytest.mark.parametrize("total", ["weighted", "deductions"])
@torch.no_grad()
def test_a_vote_is_the_mean_over_references_one_by_one(total):
    made = model(total=total).eval()
    query, bank = made.encode(sample(0, 3)), made.encode(sample(1, 4))
    picks = torch.tensor([[2, 0, 3], [1, -1, 2], [-1, 3, -1]])
    found = made.vote(query, bank, TARGETS, picks)
    for row, chosen in enumerate(picks.tolist()):
        kept = [pick for pick in chosen if pick >= 0]
        one = query.select(slice(row, row + 1))
        single = [made.assess(one, bank.select(slice(pick, pick + 1))) for pick in kept]
        for column, pick in enumerate(chosen):
            assert math.isnan(found.votes[row, column]) == (pick < 0)
        torch.testing.assert_close(found.votes[row][torch.tensor(chosen) >= 0], torch.cat([s.total for s in single]))
        torch.testing.assert_close(found.score[row], torch.cat([s.total for s in single]).mean())
        torch.testing.assert_close(found.segments[row], torch.cat([s.segments for s in single]).mean(dim=0))
    known = torch.tensor([TARGETS[[pick for pick in row if pick >= 0]].mean() for row in picks.tolist()])
    torch.testing.assert_close(found.stages.sum(dim=1), found.score - known)
    assert torch.equal(found.transitions, query.transitions)


@torch.no_grad()
def test_what_a_segment_adds_is_its_weighted_distance_from_the_reference():
    made = model().eval()
    query, bank = made.encode(sample(0, 1)), made.encode(sample(1, 1))
    found, alone = made.vote(query, bank, TARGETS[:1], torch.zeros(1, 1, dtype=torch.int64)), made.assess(query, bank)
    torch.testing.assert_close(found.stages, alone.weights * (alone.segments - 10))


@torch.no_grad()
def test_a_vote_without_references_is_none():
    made = model().eval()
    found = made.vote(made.encode(sample(0)), made.encode(sample(1)), torch.ones(3), torch.full((3, 2), -1))
    assert found.score.isnan().all()


@torch.no_grad()
def test_the_order_of_a_batch_does_not_matter():
    made, order = model().eval(), torch.tensor([2, 0, 1])
    query, reference = sample(0), sample(1)
    before = made.assess(made.encode(query), made.encode(reference))
    turned = [{name: part[order] for name, part in one.items()} for one in (query, reference)]
    after = made.assess(made.encode(turned[0]), made.encode(turned[1]))
    torch.testing.assert_close(after.total, before.total[order])
    torch.testing.assert_close(after.segments, before.segments[order])


def test_a_missing_joint_does_not_spread():
    made, query = model(), sample(0)
    query["confidence"][0, 3] = 0
    query["confidence"][1, :, 5] = 0
    one, other = ({**query, "poses": query["poses"].clone()} for _ in range(2))
    other["poses"][0, 3], other["poses"][1, :, 5] = 1e6, -1e6
    first, second = (made.losses({"query": given, "exemplar": sample(1)}) for given in (one, other))
    for name, value in first.items():
        assert value.isfinite()
        torch.testing.assert_close(value, second[name])


def test_segments_range_from_0_to_a_little_above_the_best():
    made = model()
    assert (made.lowest.item(), made.highest.item()) == (0.0, pytest.approx(28.9))
    assert made.scale.item() == pytest.approx(7.0)
    made.prepare(TARGETS - 25, torch.zeros(4, dtype=torch.int64))
    assert (made.lowest.item(), made.highest.item()) == (pytest.approx(-15.9), pytest.approx(3.9))


@pytest.mark.parametrize("total", ["weighted", "deductions"])
@torch.no_grad()
def test_an_untrained_network_gives_the_mean_score(total):
    made = model(total=total).eval()
    found = made.assess(made.encode(sample(0, 9)), made.encode(sample(1, 9)))
    assert abs(found.total.mean() - 21) < 2


def test_both_ways_score_the_reference_beside_the_query():
    made = model(loss=LossSettings(both_ways=True, alignment=0.0)).eval()
    one, other = sample(0), sample(1)
    there = made.assess(made.encode(one), made.encode(other)).total - one["target"]
    back = made.assess(made.encode(other), made.encode(one)).total - other["target"]
    found = made.losses({"query": one, "exemplar": other})["score"]
    torch.testing.assert_close(found, (torch.cat((there, back)) / 7).square().mean())
    assert made.losses({"query": one, "exemplar": other})["alignment"] == 0


def test_labels_are_learnt_as_probabilities():
    labels = torch.tensor([0.0, 1.0, 1.0, 1.0])
    made = model(labels, loss=LossSettings(score="bce"))
    one, other = ({**sample(seed), "target": labels[:3]} for seed in (0, 1))
    chances = made.assess(made.encode(one), made.encode(other)).total
    assert ((chances > 0) & (chances < 1)).all()
    assert abs(chances.mean() - 0.75) < 0.15
    expected = torch.nn.functional.binary_cross_entropy(chances, labels[:3])
    torch.testing.assert_close(made.losses({"query": one, "exemplar": other})["score"], expected)
    with pytest.raises(BadSetting, match="'bce', and scores range from 10 to 28"):
        made.prepare(TARGETS, torch.zeros(4, dtype=torch.int64))


def test_dimensions_need_a_head_each():
    made = model()
    query, reference = made.encode(sample(0)), made.encode(sample(1))
    said = made.dimensions(query, reference)
    assert said.shape == (3, SEGMENTS, 4)
    assert ((said > 0) & (said < 1)).all()
    with pytest.raises(BadSetting, match=r"model\.heads is 2"):
        model(heads=2).dimensions(query, reference)


def test_heads_learn_the_dimensions_that_they_are_named_after():
    made = model(loss=LossSettings(dimensions=10.0, alignment=0.0))
    query, reference = sample(0, 16), sample(1, 16)
    late = torch.linspace(0.1, 0.9, 16)
    query["poses"][:, :, 4:] += 4 * late[:, None, None, None]
    flat = torch.full((16, 4), 0.5)
    flat[:, 2], flat[::2, 3] = late, math.nan
    optimiser = torch.optim.Adam(made.parameters(), lr=0.01)
    for _ in range(60):
        optimiser.zero_grad()
        sum(made.losses({"query": {**query, "dimensions": flat}, "exemplar": reference}).values()).backward()
        optimiser.step()
    said = made.dimensions(made.encode(query), made.encode(reference)).mean(dim=1).detach()
    assert torch.corrcoef(torch.stack((said[:, 2], late)))[0, 1] > 0.9
    assert (said[:, 0] - 0.5).abs().max() < 0.15


def test_fewer_frames_than_segments_are_refused():
    with pytest.raises(BadData, match="12 frames for 13 segments"):
        model(segments=13).encode(sample(0))


def test_encoders_are_joined():
    torch.manual_seed(0)
    settings = SkillDiffSettings(WIDTH, SKELETAL, DynamicSettings(snippets=1, frozen=True), segments=2)
    made = SkillDiff(settings, MPII16, 2, 2)
    given = {"poses": torch.randn(2, 16, 16, 2), "confidence": torch.ones(2, 16, 16)}
    given |= {"dynamic": torch.randn(2, 2, 1024, 2, 2), "target": torch.tensor([1.0, 2.0])}
    encoded = made.encode(given)
    assert encoded.streams["frames"].shape == (2, 1, 16, WIDTH)
    parts = torch.cat([made.encoders["dynamic"](given), made.encoders["skeletal"](*list(given.values())[:2])], dim=2)
    torch.testing.assert_close(encoded.streams["frames"][:, 0], parts @ made.join.weight.T + made.join.bias)


@pytest.mark.parametrize(
    "changes", [{}, {"total": "deductions"}, {"alignment": AlignmentSettings(skip=0.5, trained=True)}]
)
def test_a_few_steps_of_training_halve_the_loss(changes):
    made = model(**changes)
    batch = {"query": sample(0, 6), "exemplar": sample(1, 6)}
    optimiser = torch.optim.Adam(made.parameters(), lr=0.02)
    values = []
    for _ in range(40):
        optimiser.zero_grad()
        losses = made.losses(batch)
        sum(losses.values()).backward()
        optimiser.step()
        values.append(losses["score"].item())
    assert values[-1] < values[0] / 2


@pytest.mark.parametrize("changes", [{}, {"alignment": AlignmentSettings(skip=0.5)}, {"total": "deductions"}])
def test_half_precision_gives_nearly_the_same_losses(changes):
    made, batch = model(**changes), {"query": taught(0), "exemplar": sample(1)}
    full = made.losses(batch)
    with torch.autocast("cpu", torch.bfloat16):
        half = made.losses(batch)
    for name, value in full.items():
        assert half[name].dtype == torch.float32
        torch.testing.assert_close(half[name], value, atol=0.05, rtol=0.1)
