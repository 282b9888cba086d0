import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from posediff.alignment import soft_dtw
from posediff.datasets.augment import AugmentSettings
from posediff.datasets.clips import Clip
from posediff.datasets.exemplars import Exemplars
from posediff.datasets.references import SOFTNESS, average, filled, references
from posediff.datasets.samples import InputSettings, Samples
from posediff.datasets.synthetic_dives import SyntheticDivesSettings, load
from posediff.errors import BadData

pytest.importorskip("torch")

TIMES = np.linspace(0, 1, 40)


def track(times):
    """(T, 2, 2): a joint that swings once, and another that rises."""
    swing, rise = np.sin(2 * np.pi * times), times**2
    return np.stack([np.stack([swing, 0 * times], axis=1), np.stack([rise, 1 - rise], axis=1)], axis=1)


def clips_of(*warps):
    poses = np.stack([track(TIMES**power) for power in warps])
    return poses, np.ones(poses.shape[:3]), np.full((len(poses), 0), -1)


def test_the_average_of_one_clip_is_that_clip():
    poses, confidence, _ = clips_of(1.0)
    confidence[0, 3, 1] = 0.5
    found = average(poses, confidence, np.array([[4, 9]]))
    assert all(np.array_equal(one, whole[0]) for one, whole in zip(found, (poses, confidence, [[4, 9]]), strict=True))


def test_clips_that_only_differ_in_their_tempo_keep_their_shape():
    poses, confidence, none = clips_of(0.7, 1.0, 1.4)
    points, sure, _ = average(poses, confidence, none)
    blurred = poses.mean(axis=0)
    assert np.ptp(points[:, 0, 0]) > 1.9 > np.ptp(blurred[:, 0, 0])
    assert np.abs(points[:, 0, 1]).max() < 1e-6
    assert (sure == 1).all()


def test_it_is_nearer_to_the_clips_than_the_mean_or_any_of_them():
    poses, confidence, none = clips_of(0.7, 1.0, 1.4)
    tracks = poses.reshape(3, 40, -1)
    gamma = SOFTNESS * ((tracks - tracks.mean(axis=1, keepdims=True)) ** 2).sum(axis=2).mean()

    def far(middle):
        return sum(soft_dtw(np.ascontiguousarray(middle.reshape(40, -1), float), one, gamma=gamma) for one in tracks)

    found = far(average(poses, confidence, none)[0])
    assert found < min(far(other) for other in (tracks.mean(axis=0), *tracks))


def test_a_joint_that_is_missing_is_taken_from_the_clips_that_show_it():
    poses, confidence, none = clips_of(1.0, 1.0, 1.0)
    whole, _, _ = average(poses, confidence, none)
    confidence[0, :, 1] = 0  # never seen in one clip
    confidence[1, 10:20, 0] = 0  # a gap in another
    poses[0, :, 1], poses[1, 10:20, 0] = 1e3, -1e3
    points, sure, _ = average(poses, confidence, none)
    assert points == pytest.approx(whole, abs=0.05)
    assert sure[:, 1] == pytest.approx(2 / 3, abs=1e-6)
    assert sure[15, 0] == pytest.approx(2 / 3, abs=0.02)
    assert sure[35, 0] == pytest.approx(1, abs=0.01)


def test_a_joint_that_no_clip_shows_is_missing():
    poses, confidence, none = clips_of(1.0, 1.2)
    confidence[:, :, 1] = 0
    points, sure, _ = average(poses, confidence, none)
    assert not sure[:, 1].any()
    assert not points[:, 1].any()
    assert sure[:, 0].all()


def test_transitions_are_those_of_the_clips_where_they_lie_in_the_average():
    poses, confidence, _ = clips_of(1.0, 1.0, 1.0)
    found = average(poses, confidence, np.array([[10, 30], [10, 30], [-1, -1]]))[2]
    assert found == pytest.approx([10, 30], abs=1)
    powers = (0.8, 1.0, 1.25)  # of which the one in the middle is the most typical
    warped, confidence, _ = clips_of(*powers)
    place = [int(np.argmin(np.abs(TIMES**power - 0.5))) for power in powers]
    (middle,) = average(warped, confidence, np.array([[one] for one in place]))[2]
    assert abs(middle - place[1]) <= 1 < min(abs(place[0] - place[1]), abs(place[2] - place[1]))
    assert (average(poses, confidence, np.full((3, 2), -1))[2] == -1).all()
    assert (average(poses, confidence, np.array([[10, 10]] * 3))[2] == -1).all()


@examples(max_examples=15, deadline=None)
@given(st.integers(0, 1000), st.integers(2, 4), st.floats(0, 0.9))
def test_whatever_is_missing_the_average_is_finite_and_its_confidence_a_share(seed, count, share):
    rng = np.random.default_rng(seed)
    confidence = rng.uniform(size=(count, 12, 3)) * (rng.uniform(size=(count, 12, 3)) >= share)
    poses = rng.normal(size=(count, 12, 3, 2)) * (confidence > 0)[..., None]
    points, sure, transitions = average(poses, confidence, rng.integers(1, 12, size=(count, 1)))
    assert np.isfinite(points).all()
    assert ((sure >= 0) & (sure <= confidence.max() + 1e-6)).all()
    assert (sure.any(axis=0) == confidence.any(axis=(0, 1))).all()
    assert ((transitions == -1) | ((transitions > 0) & (transitions < 12))).all()


def test_gaps_are_filled_in_time_and_what_is_never_seen_by_the_others():
    poses = np.zeros((2, 5, 2, 1))
    poses[0, :, 0, 0], poses[1, :, 0, 0] = [9, 1, 9, 3, 9], [5, 5, 5, 5, 5]
    known = np.array([[[0, 0], [1, 0], [0, 0], [1, 0], [0, 0]], [[1, 0]] * 5], bool)
    found = filled(poses, known)
    assert found[0, :, 0, 0].tolist() == [1, 1, 2, 3, 3]
    assert (found[:, :, 1] == 0).all()
    known[0] = False
    assert filled(poses, known)[0, :, 0, 0].tolist() == [5] * 5


@pytest.fixture(scope="module", params=["2d", "3d"])
def dives(request):
    """Generated dives and their samples."""
    collection = load(SyntheticDivesSettings(clips=24, view=request.param))
    return collection.train, Samples(
        collection.train, InputSettings(frames=24), difficulty=True, sequences=collection.sequences
    )


def test_an_average_is_loaded_as_it_was_made(dives):
    clips, samples = dives
    targets = samples.targets
    exemplars = Exemplars(clips, choice="barycentre", best=3, targets=targets)
    query = Clip("query", 1.0, action=clips[0].action)
    found = references(samples, exemplars, [query, *clips], difficulty=True)
    same = [at for at, clip in enumerate(clips) if clip.action == query.action]
    best = sorted(same, key=lambda at: -targets[at])[:3]
    assert found.members[found.rows[0]] == tuple(best)
    batch = {name: tensor.numpy() for name, tensor in samples.load(best).items()}
    points, sure, transitions = average(batch["poses"], batch["confidence"], batch["transitions"])
    loaded = {name: tensor[0].numpy() for name, tensor in found.samples.load(found.rows[:1]).items()}
    assert np.array_equal(loaded["poses"], points)
    assert np.array_equal(loaded["confidence"], sure)
    assert np.array_equal(loaded["transitions"], transitions)
    assert loaded["target"] == pytest.approx(targets[best].mean(), rel=1e-6)
    assert loaded["difficulty"] == pytest.approx(clips[0].difficulty)
    assert found.samples.clips[found.rows[0]].key == f"barycentre of {' + '.join(clips[at].key for at in best)}"


def test_no_clip_is_in_the_average_that_it_is_compared_with(dives):
    clips, samples = dives
    found = references(samples, Exemplars(clips, choice="barycentre", best=2), clips, difficulty=True)
    for position, row in enumerate(found.rows):
        others = [one.action for one in clips].count(clips[position].action) - 1
        assert (row == -1) == (others == 0)
        if row >= 0:
            members = found.members[row]
            assert position not in members
            assert len(members) == min(others, 2)
            assert {clips[one].action for one in members} == {clips[position].action}
    assert len(found.members) == len(found.samples) <= 3 * len({clip.action for clip in clips})


def test_an_average_can_be_varied_as_clips_are(dives):
    clips, samples = dives
    found = references(samples, Exemplars(clips, "none", choice="barycentre"), clips[:1], difficulty=True)
    plain = found.samples.load([0])
    varied = found.samples.load([0], np.array([5]), AugmentSettings(flip=1.0))
    left, right = (samples.skeleton.joints.index(f"{side}_wrist") for side in ("left", "right"))
    assert varied["poses"][0, :, left, 0] == pytest.approx(-plain["poses"][0, :, right, 0])


def test_scores_are_averaged_where_difficulties_do_not_count(dives):
    clips, _ = dives
    sequences = load(SyntheticDivesSettings(clips=24)).sequences
    samples = Samples(clips, InputSettings(frames=8), difficulty=False, sequences=sequences)
    exemplars = Exemplars(clips, "none", choice="barycentre", best=4)
    found = references(samples, exemplars, [Clip("q", 0.0)], difficulty=False)
    highest = sorted((clip.score for clip in clips), reverse=True)[:4]
    assert float(found.samples.targets[0]) == pytest.approx(np.mean(highest))


def test_clips_that_have_no_others_are_refused(dives):
    clips, samples = dives
    with pytest.raises(BadData, match="no clip has another one"):
        references(samples, Exemplars(clips), [Clip("q", 0.0, action="none such")], difficulty=True)
