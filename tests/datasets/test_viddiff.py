import json
import sys

import pytest

from posediff.datasets.viddiff import load
from posediff.errors import BadData, BadSetting, MissingDependency

STATEMENTS = {
    "0": {"name": "stance", "description": "the feet stance is wider", "query_string": "wider feet", "num_frames": "1"},
    "1": {"name": "depth", "description": "the squat is deeper", "query_string": "deeper", "num_frames": "1"},
    "2": None,
    "3": {"name": "speed", "description": "the motion is faster", "query_string": "faster", "num_frames": "gt_1"},
}


def row(key="s0", action="fitness_4", **changes):
    """A pair as it is published: what is nested is JSON text."""
    videos = [
        {"path": f"videos/{key}_0.mp4", "frames_trim": [5, 65, None], "fps_original": 30},
        {"path": f"videos/{key}_1.mp4", "frames_trim": [0, None, None], "fps_original": 29.97},
    ]
    found = {
        "sample_key": key,
        "videos": json.dumps(videos),
        "action": action,
        "action_name": "Squat",
        "action_description": "squat without weights",
        "source_dataset": "humann",
        "retrieval_frames": json.dumps([{"0": [3], "1": [7, 9, 11], "3": None}, {"0": [4], "1": None}]),
        "differences_annotated": json.dumps(STATEMENTS),
        "differences_gt": json.dumps({"0": "a", "1": "c", "2": None, "3": None}),
        "split": "easy",
        "domain": "fitness",
        "n_differences_open_prediction": 3,
    }
    return {**found, **changes}


def written(folder, rows, name="test.json"):
    text = "\n".join(map(json.dumps, rows)) if name.endswith("jsonl") else json.dumps(rows)
    (folder / name).write_text(text)
    return folder


def test_a_pair_holds_its_videos_labels_and_frames(tmp_path):
    (pair,) = load(written(tmp_path, [row()])).pairs
    assert (pair.key, pair.action, pair.split, pair.domain, pair.source) == (
        "s0",
        "fitness_4",
        "easy",
        "fitness",
        "humann",
    )
    assert [video.location for video in pair.videos] == [
        f"{tmp_path}/videos/s0_0.mp4#5:65",
        f"{tmp_path}/videos/s0_1.mp4#0:",
    ]
    assert [video.fps for video in pair.videos] == [30, 29.97]
    assert {name: one.label for name, one in pair.differences.items()} == {"0": "a", "1": "c"}
    assert pair.differences["1"].frames == ((7, 9, 11), ())
    assert pair.differences["0"].query == "wider feet"
    assert pair.n_open == 3


def test_an_action_has_also_the_statements_that_no_pair_labels(tmp_path):
    first = {**STATEMENTS, "3": None}
    bench = load(written(tmp_path, [row(differences_annotated=json.dumps(first)), row("s1")]))
    assert {name: one.text for name, one in bench.actions["fitness_4"].differences.items()} == {
        "0": "the feet stance is wider",
        "1": "the squat is deeper",
        "3": "the motion is faster",
    }


@pytest.mark.parametrize("name", ["test.json", "data/test-00000.jsonl"])
def test_exports_may_be_json_or_json_lines_and_hold_nested_values_as_they_are(tmp_path, name):
    (tmp_path / "data").mkdir()
    fields = ("videos", "differences_annotated", "differences_gt", "retrieval_frames")
    plain = {**row(), **{field: json.loads(row()[field]) for field in fields}}
    assert load(written(tmp_path, [plain], name)).pairs == load(written(tmp_path, [row()], name)).pairs


@pytest.mark.parametrize("kind", ["parquet", "arrow"])
def test_the_published_tables_are_read_and_their_order_kept(tmp_path, kind):
    pa = pytest.importorskip("pyarrow", exc_type=ImportError)
    import pyarrow.parquet as parquet

    rows = [row("s1"), row("s0", "fitness_3")]
    table = pa.Table.from_pylist([{**one, "vid0_thumbnail": b"picture"} for one in rows])
    path = tmp_path / f"test-00000-of-00001.{kind}"
    if kind == "parquet":
        parquet.write_table(table, path)
    else:
        with pa.ipc.new_stream(str(path), table.schema) as stream:
            stream.write_table(table)
    found = load(tmp_path).pairs
    path.unlink()
    assert [pair.key for pair in found] == ["s1", "s0"]
    assert found == load(written(tmp_path, rows)).pairs


def test_without_pyarrow_parquet_says_what_to_install(tmp_path, monkeypatch):
    (tmp_path / "test.parquet").write_bytes(b"PAR1")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingDependency, match="pyarrow"):
        load(tmp_path)


def test_a_damaged_parquet_is_told(tmp_path):
    pytest.importorskip("pyarrow", exc_type=ImportError)
    (tmp_path / "test.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(BadData, match=r"test\.parquet: cannot be read"):
        load(tmp_path)


def test_only_the_splits_that_are_wanted_are_there(tmp_path):
    rows = [row("s0"), row("s1", "surgery_0", split="hard", domain="surgery"), row("s2")]
    bench = load(written(tmp_path, rows), ["hard"])
    assert [pair.key for pair in bench.pairs] == ["s1"]
    assert list(bench.actions) == ["surgery_0"]


def test_the_first_release_takes_difficulty_and_numbers_from_its_lookups(tmp_path):
    old = row(split="fitness")
    del old["domain"], old["n_differences_open_prediction"]
    written(tmp_path, [old])
    (tmp_path / "lookup_action_to_split.json").write_text(json.dumps({"fitness_4": "easy"}))
    (tmp_path / "n_differences.json").write_text(json.dumps({"fitness": {"fitness_4": 5}}))
    (pair,) = load(tmp_path).pairs
    assert (pair.split, pair.domain, pair.n_open) == ("easy", "fitness", 5)


def test_where_no_number_is_given_half_as_many_again_as_are_labelled_are_allowed(tmp_path):
    labels = json.dumps({"0": "a", "1": "b", "3": "c"})
    (pair,) = load(written(tmp_path, [row(differences_gt=labels, n_differences_open_prediction=None)])).pairs
    assert pair.n_open == 5  # 4.5, rounded up


def test_missing_videos_are_listed_once(tmp_path):
    (tmp_path / "elsewhere/videos").mkdir(parents=True)
    (tmp_path / "elsewhere/videos/s0_1.mp4").touch()
    rows = [row("s0"), row("s1", videos=row("s0")["videos"])]
    bench = load(written(tmp_path, rows), videos=tmp_path / "elsewhere")
    assert bench.missing_videos == (tmp_path / "elsewhere/videos/s0_0.mp4",)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"split": "simple"}, "lookup_action_to_split.json.fitness_4 is missing"),
        ({"action": 4}, "action is 4, expected a text"),
        ({"videos": "[{}"}, "videos is not valid JSON"),
        ({"videos": "[" * 10**5}, "videos is not valid JSON"),
        ({"videos": "[]"}, "videos has 0 entries, expected two"),
        ({"videos": [{"path": "a.mp4"}, {}]}, r"videos\[1\].path is missing"),
        ({"videos": [{"path": "a.mp4", "frames_trim": [0, -1]}] * 2}, "expected a start and an end from 0 on"),
        ({"videos": [{"path": "a.mp4", "frames_trim": [0, 9, 2]}] * 2}, "no step"),
        ({"differences_gt": {"0": "A"}}, "differences_gt.0 is 'A', expected a, b, c or null"),
        ({"differences_gt": {"2": "a"}}, "differences_gt.2 is labelled, but"),
        ({"differences_gt": None}, "differences_gt is missing"),
        ({"differences_annotated": {"0": {"name": "x"}}}, "differences_annotated.0.description is missing"),
        ({"retrieval_frames": [{"0": ["x"]}, {}]}, r"retrieval_frames\[0\].0 is 'x', expected a whole number"),
        ({"sample_key": "s0"}, "its sample_key occurs before"),
    ],
)
def test_a_wrong_entry_is_told_with_its_row_and_place(tmp_path, changes, told):
    with pytest.raises(BadData, match=rf"test\.json: row 1 .*{told}"):
        load(written(tmp_path, [row("s0"), row("s1", **changes)]))


@pytest.mark.parametrize(
    ("content", "told"), [("{}", "expected a list of pairs"), ("[1]", "row 0 .*expected an object"), ("[", "not valid")]
)
def test_a_table_of_another_form_is_refused(tmp_path, content, told):
    (tmp_path / "test.json").write_text(content)
    with pytest.raises(BadData, match=told):
        load(tmp_path)


def test_a_wrong_json_line_is_told_with_its_number(tmp_path):
    (tmp_path / "test.jsonl").write_text(json.dumps(row()) + "\n\n{\n")
    with pytest.raises(BadData, match="line 3 is not valid JSON"):
        load(tmp_path)


def test_a_folder_without_a_table_an_empty_split_and_an_unknown_one_are_refused(tmp_path):
    with pytest.raises(BadData, match="neither it nor its data holds a table"):
        load(tmp_path)
    with pytest.raises(BadData, match="no pair of the splits hard"):
        load(written(tmp_path, [row()]), ["hard"])
    with pytest.raises(BadSetting, match="no split 'esay'"):
        load(tmp_path, ["esay"])
    with pytest.raises(BadData, match="no such file"):
        load(tmp_path / "away")
