import time
from dataclasses import dataclass

import numpy as np
import pytest

from posediff.compare.prepare import prepare
from posediff.compare.run import judge
from posediff.compare.settings import Settings
from posediff.differencing.grammar.measures import Cue, cue
from posediff.differencing.localizing.localizer import localise, localise_pair, own_scores
from posediff.errors import BadData, BadSetting
from posediff.motion.synthetic import Performer, Recording, generate
from posediff.sequence import PoseSequence
from posediff.skeletons import get

HEIGHT = "height(pelvis, ankle)"


@dataclass(frozen=True)
class Point:
    name: str
    cue: Cue
    text: str = ""


def points(**cues):
    return [Point(name, cue(text)) for name, text in cues.items()]


SQUAT = points(
    lowering=f"falls({HEIGHT}, 0.9)", halfway=f"falls({HEIGHT}, 0.5)", lowest=f"lowest({HEIGHT})",
    rising=f"rises({HEIGHT}, 0.5)", standing=f"rises({HEIGHT}, 0.9)",
)  # fmt: skip


def body_of(pelvis, noise=0.0, seed=0):
    """A stick of two ankles, two hips and a thorax whose pelvis is at heights (T,), as torso lengths."""
    skeleton = get("mpii16")
    pelvis = np.asarray(pelvis, float)
    keypoints = np.zeros((len(pelvis), len(skeleton.joints), 3))
    for name in skeleton.joints:
        up = 0.0 if "ankle" in name else pelvis / 2 if "knee" in name else pelvis if "hip" in name else pelvis + 1
        keypoints[:, skeleton.index(name), 1] = pelvis if name == "pelvis" else up
        keypoints[:, skeleton.index(name), 0] = 0.2 * name.startswith("left") - 0.2 * name.startswith("right")
    keypoints += noise * np.random.default_rng(seed).standard_normal(keypoints.shape)
    return prepare(PoseSequence(keypoints=keypoints.astype(np.float32), skeleton=skeleton, fps=25.0), Settings())


def dip(middle, width, frames, depth=0.6):
    """Heights of a pelvis that sinks and rises like a bell curve."""
    return 1.7 - depth * np.exp(-(((np.arange(frames) - middle) / width) ** 2))


def bell(share, width):
    """Frames from the middle at which a bell curve has a share of its height."""
    return width * np.sqrt(-np.log(share))


def test_key_points_of_a_bell_curve_are_where_it_says_in_spite_of_noise():
    for seed in range(5):
        found = localise(SQUAT, body_of(dip(50.3, 15, 100), noise=0.01, seed=seed), {})
        low, high = np.percentile(dip(50.3, 15, 100), [5, 95])
        assert found["lowest"].position == pytest.approx(50.3, abs=2)
        for name, share, side in (
            ("lowering", 0.9, -1),
            ("halfway", 0.5, -1),
            ("rising", 0.5, 1),
            ("standing", 0.9, 1),
        ):
            level = (1.7 - low - share * (high - low)) / 0.6
            assert found[name].position == pytest.approx(50.3 + side * bell(level, 15), abs=1.2)
        assert all(moment.confidence > 0.85 for moment in found.values())


def test_positions_are_found_between_frames():
    positions = [localise(SQUAT, body_of(dip(middle, 12, 100)), {}) for middle in (50.0, 50.25, 50.5)]
    for name in ("lowering", "lowest", "standing"):
        at = [found[name].position for found in positions]
        np.testing.assert_allclose(np.diff(at), 0.25, atol=0.12)


def test_the_order_decides_where_a_cue_is_met_twice():
    pelvis = dip(30, 8, 120) + dip(85, 8, 120) - 1.7
    up_first = points(up=f"rises({HEIGHT}, 0.5)", down=f"falls({HEIGHT}, 0.5)")
    found = localise(up_first, body_of(pelvis, 0.005), {})
    assert 30 < found["up"].position < 45 < 70 < found["down"].position < 85


@pytest.mark.parametrize("smaller_first", [True, False])
def test_a_smaller_repetition_before_or_after_is_passed_over(smaller_first):
    big, small = (90, 30) if smaller_first else (30, 90)
    pelvis = dip(big, 9, 120) + dip(small, 9, 120, 0.36) - 1.7
    for seed in range(3):
        found = localise(SQUAT, body_of(pelvis, 0.01, seed), {})
        assert all(abs(moment.position - big) < 20 for moment in found.values())


def test_positions_are_in_order_even_where_the_cues_are_not():
    wrong = points(standing=f"rises({HEIGHT}, 0.9)", lowest=f"lowest({HEIGHT})", lowering=f"falls({HEIGHT}, 0.9)")
    found = localise(wrong, body_of(dip(50, 12, 100), 0.01), {})
    positions = [moment.position for moment in found.values()]
    assert positions == sorted(positions)
    assert min(moment.confidence for moment in found.values()) < 0.2


def test_the_first_and_last_frame_are_exact():
    found = localise(points(start="first", low=f"lowest({HEIGHT})", end="last"), body_of(dip(50, 12, 100)), {})
    assert found["start"].position == pytest.approx(0, abs=0.01)
    assert found["end"].position == pytest.approx(99, abs=0.01)
    assert found["end"].confidence > 0.95


def test_a_cue_that_cannot_be_measured_is_placed_between_its_neighbours_with_low_confidence():
    unseen = points(low=f"lowest({HEIGHT})", toes="lowest(height(left_toes))", end="last")
    found = localise(unseen, body_of(dip(30, 10, 100)), {})
    assert found["toes"].position == pytest.approx((30 + 99) / 2, abs=1.5)
    assert found["toes"].confidence < 0.1


def test_without_any_evidence_key_points_are_spread_evenly():
    still = points(one=f"lowest({HEIGHT})", two=f"highest({HEIGHT})", three=f"rises({HEIGHT}, 0.5)")
    found = localise(still, body_of(np.full(199, 1.7)), {})
    np.testing.assert_allclose([moment.position for moment in found.values()], [49, 99, 149], atol=0.01)
    assert all(moment.confidence < 0.1 for moment in found.values())


def test_evidence_from_elsewhere_decides_what_the_tracks_leave_open():
    pelvis = dip(30, 8, 120) + dip(90, 8, 120) - 1.7
    lowest = points(low=f"lowest({HEIGHT})")
    for at in (30, 90):
        evidence = {"low": -0.5 * ((np.arange(120) - at) / 10.0) ** 2}
        assert localise(lowest, body_of(pelvis), {}, evidence=evidence)["low"].position == pytest.approx(at, abs=0.5)
    faint = localise(lowest, body_of(pelvis), {}, evidence=evidence, weight=0.01)["low"]
    assert faint.confidence < 0.8


@pytest.mark.parametrize("values", [np.zeros(7), np.full(100, np.nan), np.full(100, -np.inf), np.full((2, 100), 0.0)])
def test_evidence_that_cannot_be_used_is_refused(values):
    with pytest.raises(BadData, match="evidence of low"):
        localise(points(low=f"lowest({HEIGHT})"), body_of(dip(50, 10, 100)), {}, evidence={"low": values})


def test_evidence_of_an_unknown_key_point_is_refused_with_a_suggestion():
    with pytest.raises(BadSetting, match="no key point is called 'lowst'") as caught:
        localise(SQUAT, body_of(dip(50, 10, 100)), {}, evidence={"lowst": np.zeros(100)})
    assert "lowest" in caught.value.hint


def test_fewer_frames_than_key_points_are_refused():
    with pytest.raises(BadData, match="5 key points in order need 5 frames or more, and there are 4"):
        localise(SQUAT, body_of(np.linspace(1, 1.7, 4)), {})


@pytest.mark.parametrize("frames", [1, 2, 3, 5, 8])
def test_very_short_performances_can_be_localised(frames):
    found = localise(points(low=f"lowest({HEIGHT})"), body_of(np.linspace(1, 1.7, frames)), {})
    assert 0 <= found["low"].position <= frames - 1


def pair_of(first, second):
    line = judge(first, second, Settings()).line
    return line.pair, line


def test_a_pair_takes_what_is_unclear_in_one_from_the_other():
    # B's second dip is as deep as its first, A has one only: the dip that A's belongs to counts
    one, two = dip(30, 8, 120), dip(30, 8, 120) + dip(95, 8, 120) - 1.7
    pair, line = pair_of(body_of(one, 0.005), body_of(two, 0.005, 1))
    alone = localise(points(low=f"lowest({HEIGHT})"), pair[1], {})["low"]
    _, found = localise_pair(points(low=f"lowest({HEIGHT})"), pair, line, ({}, {}))
    assert found["low"].position == pytest.approx(30, abs=2)
    assert found["low"].confidence > alone.confidence + 0.1


def test_clear_key_points_are_not_pulled_together_by_the_alignment():
    reference, query = body_of(dip(30, 10, 100), 0.005), body_of(dip(66, 10, 100), 0.005, 1)
    pair, line = pair_of(reference, query)
    for shift in (-8, 8):
        wrong = type(line)(line.reference, np.clip(line.query + shift, 0, 99), line.spread, line.lead, pair, 1)
        found = localise_pair(SQUAT, pair, wrong, ({}, {}))
        for own, moments in zip(pair, found, strict=True):
            alone = localise(SQUAT, own, {})
            assert all(abs(moments[name].position - alone[name].position) < 0.3 for name in moments)


def test_exchanging_the_performances_exchanges_the_moments():
    pair, line = pair_of(body_of(dip(30, 10, 90), 0.01), body_of(dip(60, 14, 110), 0.01, 1))
    other = type(line)(line.query, line.reference, line.spread, -line.lead, pair[::-1], 1)
    one, two = localise_pair(SQUAT, pair, line, ({}, {})), localise_pair(SQUAT, pair[::-1], other, ({}, {}))
    for name in one[0]:
        assert one[0][name].position == pytest.approx(two[1][name].position)
        assert one[1][name].position == pytest.approx(two[0][name].position)


def test_own_scores_are_flat_where_nothing_is_shown():
    scores = own_scores(points(low=f"lowest({HEIGHT})", toes="lowest(height(left_toes))"), body_of(dip(40, 9, 80)), {})
    assert np.argmax(scores[0]) == 40
    assert np.ptp(scores[1]) < 1e-9


def test_a_pair_of_a_hundred_frames_takes_some_milliseconds():
    bodies = [
        prepare(generate("squat", performer=performer, recording=Recording(noise=0.01), seed=seed), Settings())
        for seed, performer in enumerate((Performer(), Performer(height=1.6)))
    ]
    pair, line = pair_of(*bodies)
    spent = []
    for _ in range(5):
        started = time.process_time()
        localise_pair(SQUAT, pair, line, ({}, {}))
        spent.append(time.process_time() - started)
    assert min(spent) < 0.1
