import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posediff.datasets.augment import AugmentSettings, augmented, drawn, flipped, turned
from posediff.errors import BadSetting
from posediff.skeletons import COCO17, MPII16

ORDER = MPII16.mirror_order
NOTHING = AugmentSettings(flip=0)


def batch_of(clips, dimensions=2, frames=20, seed=0):
    rng = np.random.default_rng(seed)
    confidence = np.where(rng.random((clips, frames, 16)) < 0.8, rng.uniform(0.2, 1, (clips, frames, 16)), 0)
    poses = rng.normal(size=(clips, frames, 16, dimensions)) * (confidence > 0)[..., None]
    return {
        "poses": poses.astype(np.float32),
        "confidence": confidence.astype(np.float32),
        "transitions": np.tile([6, 13], (clips, 1)),
        "target": rng.normal(size=clips).astype(np.float32),
    }


def changed(batch, settings, draws, room=0.0):
    shape = batch["poses"].shape[1:]
    changes = drawn(settings, np.asarray(draws), batch["transitions"], shape)
    return augmented(batch, changes, ORDER, np.full(len(draws), room))


@given(st.integers(0, 2**64 - 1), st.sampled_from([2, 3]))
def test_without_changes_a_batch_stays_bit_for_bit(draw, dimensions):
    batch = batch_of(2, dimensions)
    for name, array in changed(batch, NOTHING, [draw, 5]).items():
        np.testing.assert_array_equal(array, batch[name], strict=True)


@pytest.mark.parametrize("skeleton", [MPII16, COCO17])
@pytest.mark.parametrize("dimensions", [2, 3])
def test_flipping_reflects_x_and_exchanges_sides_and_twice_is_nothing(skeleton, dimensions):
    poses = np.random.default_rng(0).normal(size=(3, 5, len(skeleton.joints), dimensions)).astype(np.float32)
    confidence = np.random.default_rng(1).uniform(size=poses.shape[:3]).astype(np.float32)
    chosen = np.array([True, False, True])
    once = flipped(poses, confidence, chosen, skeleton.mirror_order)
    left, right = skeleton.index("left_knee"), skeleton.index("right_knee")
    np.testing.assert_array_equal(once[0][0, :, left, 0], -poses[0, :, right, 0])
    np.testing.assert_array_equal(once[0][0, :, left, 1:], poses[0, :, right, 1:])
    np.testing.assert_array_equal(once[1][0, :, left], confidence[0, :, right])
    np.testing.assert_array_equal(once[0][1], poses[1])
    for before, after in zip((poses, confidence), flipped(*once, chosen, skeleton.mirror_order), strict=True):
        np.testing.assert_array_equal(before, after)


def test_pictures_are_flipped_with_the_poses():
    batch = batch_of(8)
    batch["frames"] = np.random.default_rng(0).integers(0, 255, (8, 20, 3, 4, 4)).astype(np.uint8)
    changes = drawn(AugmentSettings(flip=0.5), np.arange(8), batch["transitions"], (20, 16, 2))
    assert set(changes.flip.tolist()) == {True, False}
    result = augmented(batch, changes, ORDER, np.zeros(8))
    for clip, flip in enumerate(changes.flip):
        expected = batch["frames"][clip, ..., ::-1] if flip else batch["frames"][clip]
        np.testing.assert_array_equal(result["frames"][clip], expected)
        assert np.array_equal(result["poses"][clip], batch["poses"][clip]) != flip


def test_a_square_turns_counter_clockwise():
    square = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]], np.float32)[None, None]
    np.testing.assert_allclose(
        turned(square, np.array([np.pi / 2]))[0, 0], np.roll(square[0, 0], -1, axis=0), atol=1e-6
    )
    eighth = turned(square, np.array([np.pi / 4]))[0, 0]
    np.testing.assert_allclose(eighth * np.sqrt(0.5), [[0, 1], [-1, 0], [0, -1], [1, 0]], atol=1e-6)


def test_in_3d_bodies_turn_about_the_vertical():
    axes = np.eye(3, dtype=np.float32)[None, None]
    np.testing.assert_allclose(turned(axes, np.array([np.pi / 2]))[0, 0], [[0, 0, -1], [0, 1, 0], [1, 0, 0]], atol=1e-6)


@given(st.lists(st.integers(0, 2**63 - 1), min_size=1, max_size=6), st.sampled_from([2, 3]))
def test_turning_keeps_lengths_and_scaling_keeps_proportions(draws, dimensions):
    batch = batch_of(len(draws), dimensions)
    lengths = np.linalg.norm(batch["poses"], axis=-1)
    turned_lengths = np.linalg.norm(changed(batch, AugmentSettings(flip=0, rotate=90), draws)["poses"], axis=-1)
    np.testing.assert_allclose(turned_lengths, lengths, atol=1e-5)
    scaled = np.linalg.norm(changed(batch, AugmentSettings(flip=0, scale=0.3), draws)["poses"], axis=-1)
    for clip in range(len(draws)):
        factor = scaled[clip].sum() / lengths[clip].sum()
        assert 0.7 <= factor <= 1.3
        np.testing.assert_allclose(scaled[clip], factor * lengths[clip], atol=1e-5)


def test_angles_and_sizes_spread_over_their_ranges():
    changes = drawn(AugmentSettings(0.3, 20, 0.1, view=0.5), np.arange(4000), np.zeros((4000, 0), int), (20, 16, 2))
    assert changes.flip.mean() == pytest.approx(0.3, abs=0.03)
    for values, most in ((np.degrees(changes.angle), 20), (changes.factor - 1, 0.1), (changes.shift, 0.5)):
        assert np.abs(values).max() == pytest.approx(most, rel=0.01)
        assert values.mean() == pytest.approx(0, abs=0.05 * most)
        assert values.std() == pytest.approx(most / np.sqrt(3), rel=0.05)


def test_noise_has_the_size_that_is_asked_for_and_spares_what_is_missing():
    batch = batch_of(30)
    result = changed(batch, AugmentSettings(flip=0, noise=0.05), np.arange(30))
    missing = batch["confidence"] == 0
    assert not result["poses"][missing].any()
    added = (result["poses"] - batch["poses"])[~missing]
    assert added.std() == pytest.approx(0.05, rel=0.03)
    assert added.mean() == pytest.approx(0, abs=0.002)


def test_a_joint_is_dropped_for_one_span_of_time():
    batch = batch_of(200)
    batch["confidence"] = np.ones_like(batch["confidence"])
    result = changed(batch, AugmentSettings(flip=0, drop=0.25), np.arange(200))
    hidden = result["confidence"] == 0
    assert hidden.any(axis=1).mean() == pytest.approx(0.25, abs=0.03)
    spans = np.diff(np.pad(hidden, ((0, 0), (1, 1), (0, 0))).astype(int), axis=1) == 1
    assert spans.sum(axis=1).max() == 1
    assert not result["poses"][hidden].any()
    np.testing.assert_array_equal(result["poses"][~hidden], batch["poses"][~hidden])


@given(
    st.integers(0, 2**63 - 1),
    st.sampled_from([0.05, 0.2, 0.45]),
    st.sampled_from([(6, 13), (1, 19), (3, -1), (-1, -1)]),
)
def test_a_cut_clip_is_the_middle_of_the_clip(draw, crop, transitions):
    batch = batch_of(1)
    batch["confidence"] = np.ones_like(batch["confidence"])
    batch["poses"] = np.tile(np.arange(20.0)[None, :, None, None], (1, 1, 16, 2)).astype(np.float32)
    batch["transitions"] = np.array([transitions])
    result = changed(batch, AugmentSettings(flip=0, crop=crop), [draw])
    time = result["poses"][0, :, 0, 0].astype(float)
    assert 0 <= time[0] <= 19 * crop + 1e-4
    assert 19 * (1 - crop) - 1e-4 <= time[-1] <= 19
    np.testing.assert_allclose(np.diff(time), (time[-1] - time[0]) / 19, atol=1e-4)
    for before, after in zip(transitions, result["transitions"][0], strict=True):
        if before < 0:
            assert after == -1
        else:
            assert 1 <= after <= 19
            assert time[after - 1] < before + 1e-4
            assert time[after] >= before - 1e-4


def test_poses_move_with_the_square_that_is_cut_out():
    batch = batch_of(3)
    changes = drawn(AugmentSettings(flip=0, view=1), np.arange(3), batch["transitions"], (20, 16, 2))
    result = augmented(batch, changes, ORDER, np.full(3, 7.0))
    seen = batch["confidence"] > 0
    moved = (result["poses"] - batch["poses"])[..., 0]
    np.testing.assert_allclose(moved, np.where(seen, -7 * changes.shift[:, None, None], 0), atol=1e-5)
    np.testing.assert_array_equal(result["poses"][..., 1], batch["poses"][..., 1])


def test_a_clip_s_changes_depend_on_its_own_number_only():
    settings = AugmentSettings(0.5, 20, 0.2, 0.05, 0.3, 0.2)
    batch = batch_of(6)
    draws = np.array([3, 2**63 + 11, 5, 3, 0, 7], np.uint64)
    together = changed(batch, settings, draws)
    for clip in range(6):
        alone = changed(
            {name: array[clip : clip + 1] for name, array in batch.items()}, settings, draws[clip : clip + 1]
        )
        for name in alone:
            np.testing.assert_array_equal(alone[name][0], together[name][clip])


def test_one_change_leaves_the_others_as_they_are():
    shape, draws, none = (20, 16, 2), np.arange(50), np.zeros((50, 0), int)
    everything = drawn(AugmentSettings(0.5, 20, 0.2, 0.05, 0.3, 0.2), draws, none, shape)
    np.testing.assert_array_equal(drawn(AugmentSettings(0.5), draws, none, shape).flip, everything.flip)
    np.testing.assert_array_equal(drawn(AugmentSettings(0, noise=0.05), draws, none, shape).noise, everything.noise)
    np.testing.assert_array_equal(drawn(AugmentSettings(0, drop=0.3), draws, none, shape).hidden, everything.hidden)


def test_the_given_batch_is_left_alone():
    batch = batch_of(4)
    copy = {name: array.copy() for name, array in batch.items()}
    changed(batch, AugmentSettings(1, 20, 0.2, 0.05, 0.3, 0.2), np.arange(4))
    for name, array in copy.items():
        np.testing.assert_array_equal(batch[name], array)


@pytest.mark.parametrize("name", ["flip", "rotate", "scale", "noise", "drop", "crop", "view"])
@pytest.mark.parametrize("value", [-0.1, float("nan"), 1000.0])
def test_settings_that_cannot_be_used_are_refused(name, value):
    if name == "noise" and value == 1000:
        assert AugmentSettings(noise=value).noise == value
    else:
        with pytest.raises(BadSetting, match=f"{name} is {value}"):
            AugmentSettings(**{name: value})
