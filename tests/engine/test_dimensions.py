import numpy as np
import pytest

from posediff.compare import Settings, compare
from posediff.compare.prepare import prepare
from posediff.compare.references import average
from posediff.datasets.samples import InputSettings, Samples
from posediff.datasets.synthetic_dives import SyntheticDivesSettings, load
from posediff.engine.dimensions import DIMENSIONS, Dimensions, measured, thinned
from posediff.errors import BadData

COLLECTION = load(SyntheticDivesSettings(clips=16))
CLIPS = COLLECTION.train[:6]
SAMPLES = Samples(CLIPS, InputSettings(frames=12), difficulty=True, sequences=COLLECTION.sequences)


def sequence(position):
    return COLLECTION.sequences[CLIPS[position].key]


def expected(reference, query):
    return [compare(reference, query).scores[name] / 100 for name in ("timing", "smoothness", "accuracy", "range")]


@pytest.fixture(scope="module")
def dimensions():
    return Dimensions(SAMPLES, COLLECTION.sequences)


def test_a_pair_is_measured_as_the_comparison_does(dimensions):
    for query, exemplar in ((0, 1), (4, 2)):
        found = dimensions(query, (exemplar,))
        assert found.dtype == np.float32
        assert found == pytest.approx(expected(sequence(exemplar), sequence(query)), abs=1e-5)
    assert dimensions(3, (3,)) == pytest.approx(1)


def test_a_pair_is_measured_once(dimensions, monkeypatch):
    first = dimensions(5, (0,))
    monkeypatch.setattr("posediff.engine.dimensions.judge", pytest.fail)
    assert dimensions(5, (0,)) is first


def test_several_clips_are_measured_by_their_average(dimensions):
    members = [prepare(sequence(position), Settings()) for position in (1, 2, 3)]
    direct = measured(average(members, Settings()), prepare(sequence(0), Settings()), Settings())
    assert dimensions(0, (1, 2, 3)) == pytest.approx(direct)
    assert dimensions(0, (1, 2, 3)) != pytest.approx(dimensions(0, (1,)), abs=1e-3)


def test_what_cannot_be_measured_is_unknown():
    whole, short = (prepare(one, Settings()) for one in (sequence(0), sequence(0).select(slice(0, 3))))
    assert np.isnan(measured(None, whole, Settings())).all()
    found = dict(zip(DIMENSIONS, measured(short, short, Settings()), strict=True))
    assert np.isnan(found["smoothness"])  # three frames have no jerk
    assert found["accuracy"] == 1


def test_clips_that_show_nothing_together_are_unknown():
    def only(side):
        whole = sequence(0)
        hidden = [n for n, joint in enumerate(whole.skeleton.joints) if joint.startswith(side)]
        keypoints = whole.keypoints.copy()
        keypoints[:, hidden] = np.nan
        return whole.replace(keypoints=keypoints, scores=None, status=None)

    sequences = {CLIPS[0].key: only(""), CLIPS[1].key: sequence(1)}
    samples = Samples(CLIPS[:2], InputSettings(frames=12), difficulty=True, sequences=COLLECTION.sequences)
    found = Dimensions(samples, sequences)
    assert np.isnan(found(1, (0,))).all()
    assert np.isnan(found(0, (1, 0))).all()
    assert np.isfinite(found(1, (1, 0))).all()


def test_clips_without_skeletons_are_refused():
    with pytest.raises(BadData, match="it has no skeleton file"):
        Dimensions(SAMPLES, {})


def test_long_performances_are_thinned_and_last_as_long():
    body = prepare(sequence(0), Settings())
    thin = thinned(body, 40)
    assert (len(thin), thin.seconds) == (40, pytest.approx(body.seconds))
    assert thinned(body, len(body)) is body
    assert thin.sequence.keypoints[0] == pytest.approx(body.sequence.keypoints[0], nan_ok=True)
    other = prepare(sequence(1), Settings())
    whole, fewer = (measured(one, two, Settings()) for one, two in ((body, other), (thin, thinned(other, 40))))
    assert fewer == pytest.approx(whole, abs=0.15)


def test_skeletons_in_3d_are_measured_in_the_dimensions_of_the_samples():
    deep = load(SyntheticDivesSettings(clips=8, view="3d"))
    clips = deep.train[:2]
    flat, whole = (
        Samples(clips, InputSettings(frames=12, dimensions=number), difficulty=True, sequences=deep.sequences)
        for number in (2, 3)
    )
    one, other = (Dimensions(samples, deep.sequences)(0, (1,)) for samples in (flat, whole))
    first, second = (deep.sequences[clip.key] for clip in clips)
    assert other == pytest.approx(expected(second, first), abs=1e-5)
    seen = compare(second, first, Settings(view="2d"))
    assert one == pytest.approx([seen.scores[name] / 100 for name in DIMENSIONS], abs=1e-5)
