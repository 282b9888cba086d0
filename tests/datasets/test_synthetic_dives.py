import numpy as np
import pytest

from posediff.datasets.synthetic_dives import DIVES, STAGES, SyntheticDivesSettings, dive, load
from posediff.errors import BadSetting
from posediff.motion.angles import joint_angles

SMALL = SyntheticDivesSettings(clips=12, noise=0.0, drop=0.0)


def test_the_same_settings_give_the_same_dives():
    dive.cache_clear()
    one = load(SMALL)
    dive.cache_clear()
    other = load(SMALL)
    assert one.train == other.train
    assert all(np.array_equal(one.sequences[key].keypoints, other.sequences[key].keypoints) for key in one.sequences)


def test_a_dive_does_not_depend_on_how_many_there_are():
    more = load(SyntheticDivesSettings(clips=20, noise=0.0, drop=0.0))
    assert load(SMALL).train[3] == more.train[3]


def test_scores_are_difficulty_times_what_the_deductions_leave():
    for clip in load(SMALL).train:
        assert clip.execution == pytest.approx(30 - sum(clip.extra["deductions"]))
        assert clip.score == pytest.approx(DIVES[clip.action][1] * clip.execution)


def test_stages_lie_where_the_clip_says():
    collection = load(SMALL)
    for clip in collection.train:
        stages = collection.sequences[clip.key].stages
        assert tuple(stage.name for stage in stages) == STAGES == collection.stages
        assert clip.transitions == tuple(stage.start for stage in stages[1:])
        assert (stages[0].start, stages[-1].end) == (0, clip.frames)


def test_without_faults_nothing_is_deducted():
    clips = load(SyntheticDivesSettings(clips=4, faults=0.0)).train
    assert {clip.execution for clip in clips} == {30.0}


def test_deductions_are_the_degrees_by_which_joints_are_turned_wrongly():
    """Against the angles of the finished skeletons, with and without the faults of the same dive."""
    settings = SyntheticDivesSettings(clips=2, seed=3, faults=5.0, amounts=(30, 30), noise=0.0, drop=0.0, view="3d")
    clip, faulty = dive(settings, 0)
    planted = faulty.source["faults"]
    for stage, deduction in zip(STAGES, clip.extra["deductions"], strict=True):
        kinds = {fault["joint"].split("_")[-1] for fault in planted if fault["stage"] == stage}
        assert len(kinds) == 2
        assert 0 < deduction <= settings.rate * 30 * 2


def test_faults_show_in_the_angles_of_their_stage():
    settings = SyntheticDivesSettings(clips=40, faults=0.6, noise=0.0, drop=0.0)
    entries = {}
    for number in range(settings.clips):
        clip, sequence = dive(settings, number)
        names, angles = joint_angles(sequence)
        start = clip.transitions[1]
        bent = np.nanmean(180 - angles[start + 2 :, names.index("left_knee_angle")])
        faults = [f for f in sequence.source["faults"] if f["joint"] == "left_knee" and f["stage"] == "entry"]
        entries.setdefault(bool(faults), []).append(bent)
    assert min(entries[True]) > max(np.median(entries[False]), 3)


@pytest.mark.parametrize("wrong", [{"clips": 1}, {"test": 1.0}, {"amounts": (9.0, 3.0)}])
def test_settings_that_make_no_sense_are_refused(wrong):
    with pytest.raises(BadSetting):
        SyntheticDivesSettings(**wrong)
