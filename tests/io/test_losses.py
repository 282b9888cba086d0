from dataclasses import replace

import numpy as np
import pytest

from posediff.io.losses import EVERYTHING, FEATURES, front_view, in_units, losses
from posediff.io.registry import get
from tests.fixtures.files import made_up


@pytest.mark.parametrize("feature", [*FEATURES])
def test_what_a_person_has_and_a_format_lacks_is_told_in_one_sentence(feature: str) -> None:
    person = made_up(dimensions=3, source={"note": "made up"})
    form = replace(get("native"), name="some", holds=EVERYTHING - {feature})
    assert losses([person], form) == [f"some holds no {FEATURES[feature][1]}"]
    assert losses([person], get("native")) == []


def test_a_length_is_the_same_in_other_units() -> None:
    person = made_up(dimensions=3, units="cm")
    metres = in_units(person, "m")
    np.testing.assert_allclose(metres.keypoints, person.keypoints / 100, rtol=1e-6)
    assert (metres.units, metres.source["steps"]) == ("m", ["in_units(cm -> m)"])
    assert in_units(made_up(dimensions=3, units="normalized"), "m").units == "normalized"


def test_a_front_view_looks_along_z_and_grows_downwards() -> None:
    person = made_up(dimensions=3)
    np.testing.assert_array_equal(front_view(person).keypoints, person.keypoints[..., :2] * [1, -1])
