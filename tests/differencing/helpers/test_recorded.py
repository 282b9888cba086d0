import json

import pytest

from posediff.differencing.helpers.recorded import Recorded, request_key, without_pictures
from posediff.errors import BadData, CannotWrite


def test_an_answer_is_there_for_the_next_process(tmp_path):
    Recorded(tmp_path).add("k", {"model": "m"}, {"answer": "Å"})
    again = Recorded(tmp_path)
    assert again.find("k") == {"answer": "Å"}
    assert again.find("other") is None


def test_by_default_answers_lie_in_the_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("POSEDIFF_CACHE", str(tmp_path))
    Recorded().add("k", {}, 1)
    assert (tmp_path / "language" / "answers.jsonl").is_file()


def test_two_writers_share_a_file_and_the_last_one_counts(tmp_path):
    one, other = Recorded(tmp_path), Recorded(tmp_path)
    one.add("a", {}, 1)
    other.add("b", {}, 2)
    one.add("b", {}, 3)
    again = Recorded(tmp_path)
    assert (again.find("a"), again.find("b")) == (1, 3)


def test_a_line_that_was_cut_off_costs_no_other(tmp_path):
    kept = Recorded(tmp_path)
    kept.add("a", {}, 1)
    with open(kept.path, "ab") as file:
        file.write(b'[1]\nnonsense\n{"key": "b", "reply": 2')
    Recorded(tmp_path).add("c", {}, 3)
    again = Recorded(tmp_path)
    assert [again.find(key) for key in "abc"] == [1, None, 3]


def test_a_folder_that_cannot_be_used_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotWrite, match="cannot be written"):
        Recorded(tmp_path / "file").add("a", {}, 1)
    (tmp_path / "answers.jsonl").mkdir()
    with pytest.raises(BadData, match="cannot be read"):
        Recorded(tmp_path).find("a")


def test_the_key_does_not_depend_on_the_order_but_on_everything_else():
    assert request_key({"a": 1, "b": 2}) == request_key({"b": 2, "a": 1})
    assert request_key({"a": 1, "b": 2}) != request_key({"a": 1, "b": 3})
    assert len(request_key({"a": "\ud800"})) == 64


def test_pictures_are_known_by_what_is_in_them():
    one, same, other = (
        without_pictures([{"image_url": {"url": f"data:image/jpeg;base64,{data}"}}, "text"]) for data in ("A", "A", "B")
    )
    assert one == same != other
    assert "base64" not in json.dumps(one)
    assert one[1] == "text"
