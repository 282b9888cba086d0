import numpy as np
import pytest

from posediff.annotate.estimators.crops import CONFIDENT
from posediff.annotate.estimators.mediapipe import MediaPipe
from posediff.annotate.estimators.orientation import HOW, NEW, Oriented
from posediff.errors import BadSetting
from posediff.io import read
from posediff.skeletons import BLAZEPOSE33, MPII16, conversion
from tests.annotate.estimators.actors import BLANK, Actor
from tests.fixtures.data import data_root


def play(how, angles, **actor):
    """Share of the frames in which a person who is turned by these angles is found, and crops per frame."""
    estimator = Actor(**actor)
    oriented, memory, found = Oriented(estimator, how), NEW, []
    for angle in angles:
        boxes = estimator.show(angle)
        seen = oriented.estimate(BLANK, boxes, [memory])
        memory = seen.memories[0]
        found.append(np.allclose(seen.keypoints[0], estimator.truth[0], atol=1e-3))
    return np.mean(found), estimator.crops / len(angles)


SOMERSAULTS = np.cumsum(np.concatenate([np.zeros(5), np.full(30, 18.0), np.zeros(5)]))


def test_without_turning_only_upright_bodies_are_found():
    found, crops = play("none", SOMERSAULTS)
    assert found == pytest.approx(np.mean(np.abs((SOMERSAULTS + 180) % 360 - 180) <= 40))
    assert crops == 1


def test_quarters_find_every_direction_if_the_estimator_reaches_45_degrees():
    assert play("quarters", SOMERSAULTS, reach=46) == (1.0, 4.0)


def test_the_trunk_is_followed_through_somersaults_with_hardly_more_than_one_crop_a_frame():
    found, crops = play("trunk", SOMERSAULTS)
    assert found == 1
    assert crops < 1.6


def test_a_somersault_that_is_wrongly_seen_with_as_much_certainty_is_followed_by_its_turning():
    """Upside down, the estimator is as sure of a wrong pose: only the poses before tell it from the right one."""
    assert play("trunk", SOMERSAULTS, blind=0.95)[0] == 1


@pytest.mark.parametrize("start", [0, 90, 170, -120])
def test_a_body_that_starts_in_any_direction_is_found(start):
    assert play("trunk", np.full(5, float(start)))[0] == 1


def test_a_direction_is_found_again_after_frames_in_which_nobody_was_seen():
    estimator = Actor()
    oriented = Oriented(estimator, "trunk")
    memory = NEW
    for angle in range(0, 100, 20):
        memory = oriented.estimate(BLANK, estimator.show(angle), [memory]).memories[0]
    boxes = estimator.show(110)
    reach, estimator.reach = estimator.reach, -1.0
    for age in (1, 2, 3):
        memory = oriented.estimate(BLANK, boxes, [memory]).memories[0]
        assert memory.age == age
    estimator.reach = reach
    boxes = estimator.show(170)
    seen = oriented.estimate(BLANK, boxes, [memory])
    np.testing.assert_allclose(seen.keypoints[0], estimator.truth[0], atol=1e-3)
    assert seen.memories[0].age == 0


def test_people_are_followed_each_by_their_own_memory():
    estimator = Actor()
    oriented = Oriented(estimator, "trunk")
    memories = [NEW, NEW]
    for frame in range(12):
        seen = oriented.estimate(BLANK, estimator.show(20 * frame, -20 * frame), memories)
        memories = seen.memories
        np.testing.assert_allclose(seen.keypoints, estimator.truth, atol=1e-3)
    assert memories[0].spin == pytest.approx(20, abs=2)
    assert memories[1].spin == pytest.approx(-20, abs=2)


def test_the_known_length_of_the_trunk_reaches_an_estimator_that_asks_for_it():
    class Asking(Actor):
        def appraise(self, image, boxes, angles, trunks):
            self.trunks = trunks
            return self.estimate(image, boxes, angles), np.full(len(boxes), 0.9)

    estimator = Asking()
    oriented = Oriented(estimator, "none")
    memory = oriented.estimate(BLANK, estimator.show(0), [NEW]).memories[0]
    assert np.isnan(estimator.trunks).all()
    oriented.estimate(BLANK, estimator.show(0), [memory])
    assert estimator.trunks == pytest.approx([30])


@pytest.mark.parametrize("how", HOW)
def test_no_people_are_no_poses(how):
    seen = Oriented(Actor(), how).estimate(BLANK, np.empty((0, 4)), [])
    assert seen.keypoints.shape == (0, 17, 2)
    assert seen.scores.shape == (0, 17)
    assert seen.memories == []


def test_an_unknown_way_of_turning_is_refused():
    with pytest.raises(BadSetting, match="'halves'"):
        Oriented(Actor(), "halves")


def test_real_dives_are_followed_through_their_somersaults():
    """Of the keypoints that MediaPipe has, found within a tenth of the labelled box's diagonal."""
    image_module = pytest.importorskip("PIL.Image")
    pytest.importorskip("mediapipe")
    folder = data_root("finediving", "pose_examples")
    (labels,) = read(folder / "annotations.json")
    pictures = sorted((folder / "images").glob("*.jpg"))
    recipes = conversion(BLAZEPOSE33, MPII16, allow_missing=True)
    made = [joint for joint, recipe in enumerate(recipes) if recipe]
    right = {"none": [], "trunk": []}
    with MediaPipe() as estimator:
        for how, hits in right.items():
            oriented, memory = Oriented(estimator, how), NEW
            for row in range(10):
                image = np.asarray(image_module.open(pictures[row + 34]).convert("RGB"))
                box = labels.boxes[row + 34]
                seen = oriented.estimate(image, box[None], [memory])
                memory = seen.memories[0]
                points = np.array([seen.keypoints[0][list(recipes[joint])].mean(axis=0) for joint in made])
                apart = np.linalg.norm(points - labels.keypoints[row + 34, made], axis=1)
                hits.append(apart < 0.1 * np.hypot(*(box[2:] - box[:2])))
    assert np.mean(right["trunk"]) > 0.75
    assert np.mean(right["trunk"]) > np.mean(right["none"]) + 0.25
    assert (seen.scores[0] >= CONFIDENT).any()
