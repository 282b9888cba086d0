import tracemalloc

import numpy as np
import pytest

from posediff.compare import Settings, compare, compare_with_references
from posediff.compare.align import DIRECT
from posediff.compare.prepare import prepare
from posediff.compare.references import average, mean_scores, rank
from posediff.compare.run import sides
from posediff.errors import BadData, BadSetting
from posediff.motion.normalize import mirrored
from tests.fixtures.performances import KNEE, perform, repeated, without


def named(sequence, path):
    return sequence.replace(source={"path": path})


GOOD = [named(perform(noise=0.005, seed=seed), f"good/{seed}.json") for seed in (1, 2, 3)]


@pytest.mark.parametrize("view", ["2d", "3d"])
def test_the_barycentre_of_copies_is_the_copy(view):
    found = compare_with_references([perform(view=view)] * 3, perform(view=view))
    assert found.score == pytest.approx(100, abs=0.05)
    assert found.differences == ()


def test_one_reference_scores_as_a_plain_comparison():
    found = compare_with_references(GOOD[:1], perform(fault=KNEE))
    assert found.scores == pytest.approx(compare(GOOD[0], perform(fault=KNEE)).scores)


def test_a_fault_is_found_against_several_references():
    top = compare_with_references(GOOD, perform(fault=KNEE, noise=0.005, seed=9)).differences[0]
    assert (top.measure, top.segment) == ("left_knee_angle", "bottom")


def test_exemplars_are_listed_with_their_paths_the_nearest_first():
    worse = named(perform(fault=KNEE), "good/worse.json")
    found = compare_with_references([worse, *GOOD], perform()).exemplars
    assert {path for path, _ in found} == {"good/worse.json", "good/1.json", "good/2.json", "good/3.json"}
    assert found[-1][0] == "good/worse.json"
    assert [score for _, score in found] == sorted((score for _, score in found), reverse=True)


def test_the_score_is_the_mean_over_the_nearest():
    worse = named(perform(fault=KNEE), "good/worse.json")
    found = compare_with_references([worse, *GOOD], perform(), Settings(nearest=2))
    assert found.score == pytest.approx(np.mean([score for _, score in found.exemplars[:2]]))


def test_mean_scores_average_every_dimension():
    settings = Settings()
    judged = rank([prepare(one, settings) for one in GOOD], sides(perform(fault=KNEE), settings), settings)
    expected = {name: np.mean([one.scores[name] for one in judged]) for name in judged[0].scores}
    assert mean_scores(judged) == pytest.approx(expected)


def test_the_average_has_the_timing_of_the_reference_of_median_length():
    bodies = [prepare(perform(pace=pace), Settings()) for pace in (0.8, 1.0, 1.3)]
    middle = average(bodies, Settings())
    assert len(middle) == len(bodies[1])
    assert middle.sequence.stages == bodies[1].sequence.stages


def test_the_average_lies_between_the_references():
    straight, bent = (prepare(perform(fault=fault), Settings()) for fault in (None, KNEE))
    ankle = perform().skeleton.index("left_ankle")
    tracks = [body.positions[50, ankle, 0] for body in (straight, average([straight, bent], Settings()), bent)]
    assert min(tracks[0], tracks[2]) < tracks[1] < max(tracks[0], tracks[2])


def test_a_joint_that_one_reference_lacks_does_not_drag_the_average():
    lacking = without(perform(), "left_wrist")
    found = compare_with_references([lacking, perform(), perform()], perform())
    assert found.score == pytest.approx(100, abs=0.05)
    assert found.differences == ()


def test_long_references_are_averaged_without_their_square_in_memory():
    long = [repeated(perform("swing", view="2d"), DIRECT + 2000, noise=0.3, seed=seed) for seed in (1, 2)]
    bodies = [prepare(one, Settings()) for one in long]
    tracemalloc.start()
    middle = average(bodies, Settings())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(middle) == DIRECT + 2000
    assert peak < 8 * len(middle) ** 2
    np.testing.assert_allclose(middle.positions[100:200], bodies[0].positions[100:200], atol=0.1)


def test_references_may_have_different_skeletons_lengths_and_rates():
    mixed = [perform(), perform(fps=50.0, pace=0.9), perform(skeleton="h36m17")]
    found = compare_with_references(mixed, perform(skeleton="kinect22"))
    assert found.scores["accuracy"] > 98
    assert found.reference.skeleton == perform().skeleton


def test_references_in_3d_are_flattened_on_request():
    assert compare_with_references([perform()] * 2, perform(), Settings(view="2d")).reference.dimensions == 2


def test_a_mirrored_query_is_recognised_on_request():
    swing = perform("swing")
    found = compare_with_references([swing, swing], mirrored(swing), Settings(mirror="auto"))
    assert found.score == pytest.approx(100, abs=0.05)
    assert "The query was mirrored." in found.notes


def test_it_says_how_many_references_count():
    notes = compare_with_references(GOOD, perform(), Settings(nearest=2)).notes
    assert any("2 nearest of 3 references" in note for note in notes)


def test_no_references_are_refused():
    with pytest.raises(BadSetting, match="no references"):
        compare_with_references([], perform())


def test_a_reference_of_another_kind_is_named():
    with pytest.raises(BadData, match=r"good/1\.json is 3D and flat\.json 2D"):
        compare_with_references([GOOD[0], named(perform(view="2d"), "flat.json")], perform())


def test_a_query_that_fits_the_references_much_better_mirrored_is_pointed_out():
    notes = compare_with_references([perform("swing")] * 2, mirrored(perform("swing"))).notes
    assert any("--mirror" in note for note in notes)
