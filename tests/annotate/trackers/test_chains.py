import numpy as np
import pytest

from posediff.annotate.trackers.chains import Scene, crowd, link, newborn, step
from posediff.annotate.trackers.kalman import measured

SIZE = (640, 480)


def walker(start, velocity, frames=20, size=(40, 90)):
    """(T, 4) boxes of somebody who walks straight on."""
    low = np.array(start) + np.arange(frames)[:, None] * velocity
    return np.concatenate([low, low + size], axis=1)


def scene(*people, present=None):
    """People's boxes, in this order in every frame, where they are present (people x frames)."""
    there = np.ones((len(people), len(people[0])), bool) if present is None else np.array(present, bool)
    values = [
        measured(np.array([one[k] for one, here in zip(people, there, strict=True) if here[k]]).reshape(-1, 4))
        for k in range(there.shape[1])
    ]
    scores = [np.full(len(one), 0.9) for one in values]
    return Scene(values, scores, np.arange(float(len(values))), np.zeros((len(values), 2)), SIZE[0] * SIZE[1] * 4.0)


def followed(links, box):
    """Numbers of the boxes that a box leads to."""
    chain = [box]
    while links.next[chain[-1]] >= 0:
        chain.append(int(links.next[chain[-1]]))
    return chain


def test_two_people_who_pass_each_other_keep_their_own_boxes():
    found = link(scene(walker((50, 200), (12, 0)), walker((300, 190), (-10, 1))))
    assert followed(found, 0) == list(range(0, 40, 2))
    assert followed(found, 1) == list(range(1, 40, 2))


def test_every_box_continues_at_most_one_and_is_continued_by_at_most_one():
    rng = np.random.default_rng(0)
    crowded = scene(*(walker(rng.uniform(0, 400, 2), rng.normal(0, 3, 2)) for _ in range(12)))
    found = link(crowded)
    targets = found.next[found.next >= 0]
    assert len(set(targets.tolist())) == len(targets)
    assert set(targets.tolist()) == set(np.flatnonzero(found.linked).tolist())
    frame = np.repeat(np.arange(20), 12)
    assert (frame[targets] > frame[found.next >= 0]).all()


def test_a_chain_goes_on_after_somebody_was_missed():
    present = np.ones((1, 20), bool)
    present[0, 8:14] = False
    found = link(scene(walker((50, 200), (9, 2)), present=present))
    assert followed(found, 0) == list(range(14))


def test_boxes_at_random_places_are_strangers_and_cost_what_they_are_worth():
    rng = np.random.default_rng(1)
    low = rng.uniform(0, 400, (30, 8, 2))
    boxes = np.concatenate([low, low + rng.uniform(20, 60, (30, 8, 2))], axis=2)
    everywhere = scene(*(boxes[:, k] for k in range(8)))
    found = link(everywhere)
    assert found.linked.mean() < 0.5
    assert (found.evidence[~found.linked] == found.stranger).all()
    assert found.stranger <= crowd(everywhere)


def test_where_everybody_stays_strangers_are_rare():
    seated = scene(*(walker((60 * k, 100), (0, 0)) for k in range(8)))
    assert link(seated).stranger < crowd(seated) - 3


@pytest.mark.parametrize("drift", [(0.0, 0.0), (30.0, -10.0)])
def test_a_newcomer_is_expected_to_go_with_the_camera(drift):
    values = measured(np.array([[100.0, 100, 140, 190]]))
    ahead, noise = step(newborn(values, np.array(drift)), 2.0)
    np.testing.assert_allclose(ahead.mean[0, :2, 0], values[0, :2] + 2 * np.array(drift))
    assert noise.shape == (1, 4)
