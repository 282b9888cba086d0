import numpy as np
import pytest

from posediff.io.checks import Fault
from posediff.io.documents import column, objects, triplets, whole, zeroed
from tests.fixtures.files import made_up


def test_flat_numbers_become_points() -> None:
    items = [{"k": [1, 2, 3, 4, 5, 6]}, {"k": [7, 8, 9, 10, 11, 12]}]
    assert triplets(items, "k", "people").tolist() == [[[1, 2, 3], [4, 5, 6]], [[7, 8, 9], [10, 11, 12]]]


def test_faults_are_told_with_their_place() -> None:
    for items, said in (
        ([{"k": [1, 2, 3, 4]}], "people:k has 4 numbers"),
        ([{"k": [1, 2, 3]}, {"k": [1, 2]}], r"people:k\[1\] has 2 values, expected 3"),
        ([{"k": [1, 2, 3]}, {}], r"people\[1\].k is missing"),
    ):
        with pytest.raises(Fault, match=said):
            triplets(items, "k", "people")
    with pytest.raises(Fault, match=r"people\[1\] is 3, expected an object"):
        objects([{}, 3], "people")


def test_one_number_each_is_a_column() -> None:
    assert column([{"s": 0.5}, {"s": 2}], "s", "x").tolist() == [0.5, 2]


def test_ids_count_only_where_all_have_one() -> None:
    found = whole([{"id": 3}, {"id": [4]}], "id")
    assert found is not None
    assert found.tolist() == [3, 4]
    assert whole([{"id": 3}, {}], "id") is None
    assert whole([{"id": -1}], "id") is None


def test_a_known_keypoint_of_score_zero_is_not_written_as_missing() -> None:
    person = made_up()
    values = zeroed(person.replace(scores=np.zeros_like(person.scores)))
    np.testing.assert_array_equal(values[..., 2] > 0, person.present)
    assert not values[~person.present].any()
