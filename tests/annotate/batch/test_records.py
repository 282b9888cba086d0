import hashlib
import json
import logging
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posediff.annotate.batch.records import FORMAT, Output, Record, Records, file_hash, settings_hash, written
from posediff.errors import BadSetting, CannotWrite, PosediffError

CONTENT = hashlib.sha256(b"video").hexdigest()
SETTINGS = {"pose": "mediapipe", "smooth": 0.5, "deep": {"b": [1, 2], "a": None}}


def finished(out: Path, name: str = "v/a", **changes) -> Record:
    """A recorded video with two outputs, a file and a folder of two."""
    (out / f"{name}.labels").mkdir(parents=True)
    (out / f"{name}.json").write_text(f"{name} json")
    (out / f"{name}.labels" / "0.json").write_text("0")
    (out / f"{name}.labels" / "1.json").write_text("1")
    outputs = tuple(output for suffix in ("json", "labels") for output in written(out, f"{name}.{suffix}"))
    values = {"quality": {"coverage": 0.5}, "faults": ("cut off",), "frames": 5, "seconds": 1.5, **changes}
    record = Record(name, f"videos/{name}.mp4", CONTENT, SETTINGS, outputs, **values)
    Records(out).add(record)
    return record


def only_record(out: Path) -> Path:
    (path,) = (out / "records").glob("*.json")
    return path


def test_what_was_recorded_is_found_again_as_it_was(tmp_path):
    record = finished(tmp_path)
    assert Records(tmp_path).find(CONTENT, SETTINGS, "v/a") == record
    assert [output.path for output in record.outputs] == ["v/a.json", "v/a.labels/0.json", "v/a.labels/1.json"]


def test_a_record_is_a_document_that_says_everything(tmp_path):
    finished(tmp_path)
    document = json.loads(only_record(tmp_path).read_text())
    assert document["format"] == FORMAT == "posediff.annotation/1"
    assert document["content"] == CONTENT
    assert document["settings"] == SETTINGS
    assert document["settings_hash"] == settings_hash(SETTINGS)
    assert document["path"] == "videos/v/a.mp4"
    digest = hashlib.sha256(b"v/a json").hexdigest()
    assert document["outputs"][0] == {"path": "v/a.json", "size": 8, "sha256": digest}


def test_a_record_is_called_by_content_and_settings(tmp_path):
    finished(tmp_path)
    assert only_record(tmp_path).name.startswith(f"{CONTENT[:16]}-{settings_hash(SETTINGS)[:16]}-")


def test_other_settings_or_content_are_another_video(tmp_path):
    finished(tmp_path)
    records = Records(tmp_path)
    assert records.find(CONTENT, SETTINGS | {"smooth": 0.6}, "v/a") is None
    assert records.find(CONTENT[::-1], SETTINGS, "v/a") is None
    assert records.find_copy(CONTENT, SETTINGS | {"smooth": 0.6}, "b") is None
    assert Records(tmp_path / "elsewhere").find(CONTENT, SETTINGS, "v/a") is None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda out: (out / "v/a.json").unlink(), "is missing"),
        (lambda out: (out / "v/a.labels/1.json").unlink(), "is missing"),
        (lambda out: (out / "v/a.json").write_text("short"), "5 bytes and not 8"),
        (lambda out: (out / "v/a.json").write_text("v/a JSON"), "was changed"),
    ],
)
def test_outputs_that_are_not_as_they_were_do_not_count(tmp_path, caplog, change, reason):
    finished(tmp_path)
    change(tmp_path)
    with caplog.at_level(logging.WARNING):
        assert Records(tmp_path).find(CONTENT, SETTINGS, "v/a") is None
    assert reason in caplog.text


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"[" * 5000,
        b'{"format": "posediff/1"}',
        b'{"format": "posediff.annotation/2"}',
        b'{"format": "posediff.annotation/1"}',
        b'{"format": "posediff.annotation/1", "outputs": [1]}',
        b'{"format": "posediff.annotation/1", "outputs": []}',
    ],
)
def test_a_damaged_or_foreign_record_is_told_and_does_not_count(tmp_path, caplog, data):
    finished(tmp_path)
    only_record(tmp_path).write_bytes(data)
    with caplog.at_level(logging.WARNING):
        assert Records(tmp_path).find(CONTENT, SETTINGS, "v/a") is None
    assert "does not count" in caplog.text
    assert list(Records(tmp_path).outputs()) == []


@pytest.mark.parametrize("cut", range(0, 400, 57))
def test_a_record_that_is_cut_off_anywhere_does_not_count(tmp_path, cut):
    finished(tmp_path)
    path = only_record(tmp_path)
    path.write_bytes(path.read_bytes()[:cut])
    assert Records(tmp_path).find(CONTENT, SETTINGS, "v/a") is None


@pytest.mark.parametrize("key", ["name", "path", "content", "settings", "outputs", "quality", "faults", "frames"])
@pytest.mark.parametrize("value", [None, 3.5, "x", ["x"], {"x": 1}])
def test_a_record_with_a_value_of_another_kind_never_crashes(tmp_path, key, value):
    finished(tmp_path)
    path = only_record(tmp_path)
    document = json.loads(path.read_text())
    path.write_text(json.dumps(document | {key: value}))
    record = Records(tmp_path).find(CONTENT, SETTINGS, "v/a")
    assert record is None or getattr(record, key) in (value, tuple(value))


@pytest.mark.parametrize("bad", ["../secret", "/etc/hostname", "v/../../secret", "C:/x", "a\\..\\b", "", ".", "a\0b"])
def test_a_record_that_points_out_of_the_folder_does_not_count(tmp_path, bad):
    out = tmp_path / "out"
    finished(out)
    (tmp_path / "secret").write_text("secret")
    path = only_record(out)
    document = json.loads(path.read_text())
    document["outputs"][0] = {"path": bad, "size": 6, "sha256": hashlib.sha256(b"secret").hexdigest()}
    path.write_text(json.dumps(document))
    assert Records(out).find(CONTENT, SETTINGS, "v/a") is None
    assert Records(out).find_copy(CONTENT, SETTINGS, "b") is None


def test_a_record_under_the_file_name_of_another_does_not_count(tmp_path, caplog):
    finished(tmp_path)
    path = only_record(tmp_path)
    document = json.loads(path.read_text())
    path.write_text(json.dumps(document | {"content": CONTENT[:16] + "0" * 48}))
    assert Records(tmp_path).find(CONTENT, SETTINGS, "v/a") is None
    assert "another video" in caplog.text


def test_a_renamed_video_gets_copies_of_the_outputs(tmp_path):
    record = finished(tmp_path)
    records = Records(tmp_path)
    other = records.find_copy(CONTENT, SETTINGS, "w/b")
    assert other == record
    copied = records.copy(other, "w/b", "new/b.mp4")
    assert (tmp_path / "w/b.json").read_text() == "v/a json"
    assert (tmp_path / "w/b.labels/1.json").read_text() == "1"
    assert not os.path.samefile(tmp_path / "w/b.json", tmp_path / "v/a.json")  # correcting one leaves the other alone
    assert (copied.name, copied.path, copied.copied_from) == ("w/b", "new/b.mp4", "v/a")
    assert records.find(CONTENT, SETTINGS, "w/b") == copied
    assert records.find(CONTENT, SETTINGS, "v/a") == record
    assert (tmp_path / "w/b.json").stat().st_mode == (tmp_path / "v/a.json").stat().st_mode


def test_outputs_that_are_gone_are_not_copied(tmp_path):
    finished(tmp_path)
    (tmp_path / "v/a.json").unlink()
    assert Records(tmp_path).find_copy(CONTENT, SETTINGS, "b") is None


def test_outputs_that_are_not_called_by_the_name_are_not_copied(tmp_path):
    (tmp_path / "other.json").write_text("x")
    Records(tmp_path).add(Record("a", "a.mp4", CONTENT, SETTINGS, tuple(written(tmp_path, "other.json"))))
    assert Records(tmp_path).find_copy(CONTENT, SETTINGS, "b") is None


def test_a_copy_that_cannot_be_made_leaves_nothing(tmp_path, monkeypatch):
    record = finished(tmp_path)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(CannotWrite, match=r"w\.json: cannot be written \(No space"):
        Records(tmp_path).copy(record, "w", "w.mp4")
    assert [path.name for path in tmp_path.iterdir() if path.name not in ("v", "records")] == []


def test_all_outputs_of_all_records_are_known(tmp_path):
    finished(tmp_path, "a")
    finished(tmp_path, "b")
    assert {path for path in Records(tmp_path).outputs() if path.endswith(".json")} == {
        f"{name}{rest}" for name in "ab" for rest in (".json", ".labels/0.json", ".labels/1.json")
    }
    assert list(Records(tmp_path / "none").outputs()) == []


@pytest.mark.parametrize("path", ["gone.json", "../a.json"])
def test_an_output_that_is_not_there_is_a_fault(tmp_path, path):
    (tmp_path / "out").mkdir()
    (tmp_path / "a.json").write_text("")
    with pytest.raises(PosediffError, match="not there"):
        written(tmp_path / "out", path)


def test_an_output_knows_its_size_and_hash(tmp_path):
    data = bytes(range(256)) * 5000
    (tmp_path / "a.bin").write_bytes(data)
    assert written(tmp_path, "a.bin") == [Output("a.bin", len(data), hashlib.sha256(data).hexdigest())]
    assert file_hash(tmp_path / "a.bin") == hashlib.sha256(data).hexdigest()


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(), values, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), plain, max_size=5))
def test_the_hash_of_settings_does_not_depend_on_their_order_or_a_round_trip(settings):
    backwards = dict(reversed(settings.items()))
    assert settings_hash(settings) == settings_hash(backwards) == settings_hash(json.loads(json.dumps(settings)))


def test_the_hash_of_settings_tells_values_apart():
    every = [{}, {"a": 1}, {"a": "1"}, {"a": True}, {"a": None}, {"a": [1]}, {"a": 1.5}, {"b": 1}]
    assert len({settings_hash(settings) for settings in every}) == len(every)


@pytest.mark.parametrize("value", [Path("x"), float("nan"), {1, 2}, b"x"])
def test_settings_that_are_no_json_are_refused(value):
    with pytest.raises(BadSetting, match="cannot be written as JSON"):
        settings_hash({"a": value})


def edited(out: Path) -> Record:
    """A recorded video whose only output is a folder that a person may edit."""
    (out / "a.check").mkdir(parents=True)
    (out / "a.check" / "0.json").write_text("0")
    record = Record("a", "a.mp4", CONTENT, SETTINGS, (Output("a.check", 0, ""),))
    Records(out).add(record)
    return record


def test_a_folder_that_a_person_may_edit_has_to_be_there_whatever_is_in_it(tmp_path):
    record = edited(tmp_path)
    (tmp_path / "a.check" / "0.json").write_text("corrected")
    assert Records(tmp_path).find(CONTENT, SETTINGS, "a") == record
    (tmp_path / "a.check").rename(tmp_path / "mine")
    assert Records(tmp_path).find(CONTENT, SETTINGS, "a") is None
    (tmp_path / "a.check").write_text("a file")
    assert Records(tmp_path).find(CONTENT, SETTINGS, "a") is None


def test_such_a_folder_is_copied_whole_and_never_over_another(tmp_path):
    record = edited(tmp_path)
    Records(tmp_path).copy(record, "b", "b.mp4")
    assert (tmp_path / "b.check" / "0.json").read_text() == "0"
    (tmp_path / "c.check").mkdir()
    (tmp_path / "c.check" / "0.json").write_text("mine")
    Records(tmp_path).copy(record, "c", "c.mp4")
    assert (tmp_path / "c.check" / "0.json").read_text() == "mine"
    assert {path.name for path in tmp_path.iterdir()} == {"a.check", "b.check", "c.check", "records"}
