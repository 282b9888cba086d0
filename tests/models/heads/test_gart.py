import bisect
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posediff.errors import BadData

torch = pytest.importorskip("torch")

from posediff.models.heads import gart  # noqa: E402
from posediff.models.heads.gart import GART, Nodes, groups_of, partition  # noqa: E402

INPUTS, WIDTH = 5, 6


def tree(depth=3, seed=0, **changes):
    """A tree with groups of unequal width."""
    torch.manual_seed(seed)
    made = GART(INPUTS, WIDTH, depth, **changes)
    made.bounds.copy_(torch.rand(2**depth + 1).cumsum(dim=0) - 2)
    return made


def features(rows=7, seed=1):
    return torch.randn(rows, INPUTS, generator=torch.Generator().manual_seed(seed))


def walked(made, row):
    """Probability and place of every leaf, one node after the other, in plain numbers."""
    layers = [layer for layer in made.root if hasattr(layer, "weight")]
    start = row.double().numpy()
    for layer in layers:
        start = np.maximum(layer.weight.double().detach().numpy() @ start + layer.bias.double().detach().numpy(), 0)

    def unit(nodes, number, feature):
        weight, bias = nodes.weight.double().detach().numpy(), nodes.bias.double().detach().numpy()
        return feature @ weight[number] + bias[number, 0]

    def walk(layer, number, feature, probability):
        if layer == len(made.updates):
            return [(probability, 1 / (1 + math.exp(-unit(made.leaves, number, feature)[0])))]
        feature = np.maximum(unit(made.updates[layer], number, feature), 0)
        up = 1 / (1 + math.exp(-unit(made.decisions[layer], number, feature)[0]))
        lower = walk(layer + 1, 2 * number, feature, probability * (1 - up))
        return lower + walk(layer + 1, 2 * number + 1, feature, probability * up)

    return np.array(walk(0, 0, start, 1.0))


@torch.no_grad()
@pytest.mark.parametrize("depth", [1, 2, 3, 5])
def test_the_leaves_are_those_of_a_walk_from_node_to_node(depth):
    made, rows = tree(depth), features()
    found = made.descend(rows)
    expected = np.stack([walked(made, row) for row in rows])
    np.testing.assert_allclose(found.inside.exp(), expected[..., 0], rtol=1e-4)
    np.testing.assert_allclose(found.outside.exp(), 1 - expected[..., 0], rtol=1e-4)
    np.testing.assert_allclose(found.place, expected[..., 1], rtol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize("depth", range(1, 11))
def test_probabilities_of_a_tree_of_any_depth_sum_to_one(depth):
    found = tree(depth).descend(features(3))
    assert found.inside.shape == (3, 2**depth)
    torch.testing.assert_close(found.inside.exp().sum(dim=1), torch.ones(3))


@pytest.mark.parametrize("size", [1.0, 1e4])
def test_the_loss_is_that_of_the_formula_however_sure_the_tree_is(size):
    made, rows = tree(depth=2), features(20)
    for decision in made.decisions:
        decision.weight.data.mul_(size)
    values = torch.linspace(float(made.bounds[0]), float(made.bounds[-1]), 22)[1:-1]
    found = made.losses(rows, values)
    with torch.no_grad():
        inside, outside, place = (part.double().numpy() for part in made.descend(rows))
    bounds = made.bounds.tolist()
    classification = regression = 0.0
    for row, value in enumerate(values.tolist()):
        true = bisect.bisect(bounds, value) - 1
        for leaf in range(4):
            classification -= inside[row, leaf] if leaf == true else outside[row, leaf]
        sigma = (value - bounds[true]) / (bounds[true + 1] - bounds[true])
        regression += (place[row, true] - sigma) ** 2
    assert found["classification"].item() == pytest.approx(classification / 20, rel=1e-5)
    assert found["regression"].item() == pytest.approx(regression / 20, rel=1e-4)
    sum(found.values()).backward()
    assert all(weight.grad.isfinite().all() for weight in made.parameters())


def test_gradients_reach_every_weight():
    made = tree(seed=3)
    values = torch.linspace(float(made.bounds[0]), float(made.bounds[-1]), 200)
    sum(made.losses(features(200), values).values()).backward()
    assert [name for name, weight in made.named_parameters() if not weight.grad.any()] == []


def planted(inference="most_probable"):
    """A tree of four groups that is 0.9 sure of the upper half, then 0.6 of its lower group, whatever it is given."""
    made = GART(INPUTS, WIDTH, 2, inference)
    for weight in made.parameters():
        torch.nn.init.zeros_(weight)
    made.bounds.copy_(torch.tensor([-4.0, -1.0, 0.0, 2.0, 10.0]))
    made.decisions[0].bias.data.fill_(math.log(9))
    made.decisions[1].bias.data[1].fill_(-math.log(1.5))
    made.leaves.bias.data[:, 0, 0] = torch.tensor([0.0, 0.0, math.log(3), 0.0])
    return made


@torch.no_grad()
def test_the_most_probable_leaf_says_its_place_between_its_bounds():
    torch.testing.assert_close(planted()(features(2)), torch.full((2,), 0.75 * 2))


@torch.no_grad()
def test_the_expected_value_is_the_mean_of_all_leaves():
    expected = 0.05 * -2.5 + 0.05 * -0.5 + 0.54 * 1.5 + 0.36 * 6
    torch.testing.assert_close(planted("expected")(features(2)), torch.full((2,), expected))


@torch.no_grad()
def test_rows_are_computed_in_parts_where_there_are_many(monkeypatch):
    whole = tree()(features(11))
    monkeypatch.setattr(gart, "AT_ONCE", 2**3 * WIDTH * 4)
    made, calls = tree(), []
    made.root.register_forward_hook(lambda _, inputs, __: calls.append(len(inputs[0])))
    torch.testing.assert_close(made(features(11)), whole)
    assert calls == [4, 4, 3]


@given(st.lists(st.floats(-50, 50, width=32), min_size=2, max_size=60), st.integers(1, 40))
def test_bounds_are_the_values_at_the_printed_ranks_of_the_sorted_list(values, groups):
    if min(values) == max(values):
        return
    ordered = sorted(values)
    left = [ordered[math.floor((len(values) - 1) * (r - 1) / groups)] for r in range(1, groups + 1)]
    right = [ordered[math.floor((len(values) - 1) * r / groups)] for r in range(1, groups + 1)]
    found = partition(torch.tensor(values), groups).tolist()
    assert (found[:-1], found[1:]) == (left, right)


@given(st.integers(2, 300), st.integers(1, 32), st.integers(0, 99))
def test_without_ties_groups_are_as_large_as_each_other_but_for_one(count, groups, seed):
    # Steps of one, so that no two values are nearly the same.
    values = torch.from_numpy(np.random.default_rng(seed).permutation(count)).float()
    counts = torch.bincount(groups_of(values, partition(values, groups)), minlength=groups)
    inner = counts[1:] if groups > 1 else counts  # the first group has its lower bound besides
    assert counts.sum() == count
    assert inner.max() - inner.min() <= 1
    assert 0 <= counts[0] - inner.min() <= 2


@given(st.lists(st.integers(0, 4), min_size=2, max_size=30), st.integers(1, 5))
def test_a_value_lies_in_its_group_and_has_one_of_its_own_where_there_is_one(values, depth):
    if min(values) == max(values):
        return
    listed = torch.tensor(values).float()
    bounds = partition(listed, 2**depth)
    groups = groups_of(listed, bounds).tolist()
    bounds = bounds.tolist()
    narrow = {low for low, high in zip(bounds, bounds[1:], strict=False) if low == high}
    for value, group in zip(values, groups, strict=True):
        assert bounds[group] <= value <= bounds[group + 1]
        assert (bounds[group] == bounds[group + 1]) == (value in narrow)


def test_values_beyond_the_bounds_are_in_the_outermost_groups_and_learnt_as_their_ends():
    made = tree()
    ends = made.bounds[[0, -1]]
    assert groups_of(ends + torch.tensor([-9.0, 9.0]), made.bounds).tolist() == [0, 7]
    rows = features(2)
    beyond, on = made.losses(rows, ends + torch.tensor([-9.0, 9.0])), made.losses(rows, ends)
    assert beyond == on


def test_a_group_without_width_costs_no_regression_and_divides_by_nothing():
    made = tree(depth=2)
    made.bounds.copy_(torch.tensor([-1.0, -1.0, 0.0, 0.0, 1.0]))
    values = torch.tensor([-1.0, 0.0])
    assert groups_of(values, made.bounds).tolist() == [0, 2]
    losses = made.losses(features(2), values)
    assert losses["regression"] == 0
    sum(losses.values()).backward()
    assert all(weight.grad is None or weight.grad.isfinite().all() for weight in made.parameters())


def test_differences_that_rounding_alone_tells_apart_are_in_one_group():
    scores = torch.arange(0, 30, dtype=torch.float32) / 10
    differences = (scores[:, None] - scores).flatten()
    bounds = partition(differences, 128)
    tenths = (differences * 10).round()
    groups = groups_of(differences, bounds)
    assert len(differences.unique()) > len(tenths.unique())
    assert all(len(groups[tenths == one].unique()) == 1 for one in tenths.unique())


def test_bounds_are_kept_with_the_weights():
    made, other = tree(), GART(INPUTS, WIDTH, 3)
    made.prepare(torch.arange(100.0) ** 2)
    other.load_state_dict(made.state_dict())
    assert torch.equal(other.bounds, partition(torch.arange(100.0) ** 2, 8))


def test_equal_values_cannot_be_divided():
    with pytest.raises(BadData, match="all 3 values to be regressed are 2"):
        tree().prepare(torch.full((3,), 2.0))


def test_units_side_by_side_are_linear_layers_of_their_own():
    torch.manual_seed(0)
    nodes, rows = Nodes(3, 4, 2), torch.randn(3, 5, 4)
    for number, found in enumerate(nodes(rows)):
        expected = torch.nn.functional.linear(rows[number], nodes.weight[number].T, nodes.bias[number, 0])
        torch.testing.assert_close(found, expected)


def test_the_tree_learns_a_planted_value():
    torch.manual_seed(0)
    made = GART(INPUTS, 16, 3)
    rows = torch.randn(256, INPUTS)
    values = rows @ torch.tensor([1.0, -2.0, 0.5, 0.0, 1.0])
    made.prepare(values)
    optimizer = torch.optim.Adam(made.parameters(), lr=5e-3)
    losses = []
    for _ in range(150):
        optimizer.zero_grad()
        loss = sum(made.losses(rows, values).values())
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 5
    assert (made(rows) - values).square().mean() < 0.02 * values.var()
