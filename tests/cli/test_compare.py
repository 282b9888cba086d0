import inspect
import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from posediff.cli import main
from posediff.cli.compare import command
from posediff.compare import Settings, compare
from posediff.errors import PosediffError
from posediff.io import read_person, write
from posediff.motion.normalize import mirrored
from posediff.report.document import document

ANNOTATIONS = Path(__file__).parents[2] / "annotations"
SAMPLES = ANNOTATIONS / "samples"
REFERENCE, QUERY, SPATIAL = (str(SAMPLES / f"{name}.json") for name in ("squat_reference", "squat_shallow", "squat_3d"))
SCHEMA = json.loads((ANNOTATIONS / "comparison-1.schema.json").read_text(encoding="utf-8"))
WRITTEN = {"comparison.json", "report.html"}


def run(*arguments):
    return CliRunner().invoke(main, ["compare", *map(str, arguments)])


def refused(result, code, *parts):
    """Whether a run ended in one line of error that holds some text, one hint, the exit code and nothing on stdout."""
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    error, hint = result.stderr.splitlines()
    assert error.startswith("posediff: error: ")
    assert hint.startswith("hint: ")
    assert len(hint) > len("hint: ")
    for part in parts:
        assert part in error
    assert result.exit_code == code
    return True


def written(path, change=lambda document: None):
    """A sample file with something changed in its JSON."""
    made = json.loads(Path(REFERENCE).read_text(encoding="utf-8"))
    change(made)
    path.write_text(json.dumps(made), encoding="utf-8")
    return path


def frames(count):
    """A change that keeps some frames only."""

    def cut(made):
        person = made["people"][0]
        for key in ("frames", "keypoints", "scores", "status", "boxes"):
            if key in person:
                person[key] = person[key][:count]
        made["stages"] = []

    return cut


def without_keypoints(made):
    person = made["people"][0]
    person["keypoints"] = [[None] * len(frame) for frame in person["keypoints"]]
    person.pop("scores", None)
    person.pop("status", None)


def twins(made):
    made["people"].append({**made["people"][0], "id": 7})


def on_one_joint(made):
    made["skeleton"] = {"name": "dog", "joints": ["tail"], "bones": []}
    person = made["people"][0]
    for key in ("keypoints", "scores", "status"):
        if key in person:
            person[key] = [frame[:1] for frame in person[key]]


def test_the_table_names_the_score_and_the_difference():
    result = run(REFERENCE, QUERY)
    assert (result.exit_code, result.stderr) == (0, "")
    expected = compare(read_person(REFERENCE), read_person(QUERY))
    assert expected.differences
    for statement in (one["statement"] for one in document(expected)["differences"][:1]):
        assert statement.split(" from ")[0] in result.stdout
    assert "score" in result.stdout


def test_json_is_one_document_that_the_schema_describes_and_nothing_else():
    result = run(REFERENCE, QUERY, "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(result.stdout))


def test_options_reach_the_comparison():
    result = run(REFERENCE, QUERY, "--json", "--gamma", "0.5", "--segments", "3", "--mirror", "--view", "2d")
    settings = json.loads(result.stdout)["provenance"]["settings"]
    assert (settings["gamma"], settings["segments"], settings["mirror"], settings["view"]) == (0.5, 3, True, "2d")


@pytest.mark.parametrize("name", ["segments", "gamma", "view"])
def test_the_options_have_the_defaults_of_the_settings(name):
    option = next(option for option in command.params if option.name == name)
    assert option.default == inspect.signature(Settings).parameters[name].default


def test_the_same_file_on_both_sides_scores_100():
    found = json.loads(run(REFERENCE, REFERENCE, "--json").stdout)
    assert (found["score"], found["differences"]) == (100, [])


def test_parts_of_one_file_are_compared():
    found = json.loads(run(f"{REFERENCE}#10:60", f"{REFERENCE}#20:70", "--json").stdout)
    assert [found[side]["first_frame"] for side in ("reference", "query")] == [10, 20]


def test_a_frame_rate_is_given_to_the_file_that_names_none(tmp_path):
    write(tmp_path / "array.npy", read_person(QUERY), format="npy")
    found = json.loads(run(REFERENCE, tmp_path / "array.npy", "--skeleton", "mpii16", "--fps", 50, "--json").stdout)
    assert [found[side]["fps"] for side in ("reference", "query")] == [25, 50]
    assert not any("frame rate" in note for note in found["notes"])


def test_a_report_is_written_and_its_files_are_named_on_stderr(tmp_path):
    out = tmp_path / "deep" / "report"
    result = run(REFERENCE, QUERY, "--out", out)
    assert result.exit_code == 0
    assert {f"wrote {path}" for path in out.iterdir()} == set(result.stderr.splitlines())
    assert {path.name for path in out.iterdir()} >= WRITTEN
    jsonschema.Draft202012Validator(SCHEMA).validate(json.loads((out / "comparison.json").read_text(encoding="utf-8")))


def test_a_single_frame_can_be_compared(tmp_path):
    result = run(REFERENCE, written(tmp_path / "one.json", frames(1)), "--json")
    assert result.exit_code == 0
    jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(result.stdout))


BAD_CONTENT = {
    "truncated": Path(REFERENCE).read_bytes()[:3000],
    "empty": b"",
    "binary": bytes(range(256)) * 8,
    "not keypoints": b"{}",
    "a list": b"[]",
    "nested": b"[" * 100_000,
    "nan": Path(REFERENCE).read_bytes().replace(b'"fps":25', b'"fps":NaN').replace(b'"fps": 25', b'"fps": NaN'),
    "infinity": Path(REFERENCE)
    .read_bytes()
    .replace(b'"fps":25', b'"fps":1e999')
    .replace(b'"fps": 25', b'"fps": 1e999'),
}
CHANGES = {
    "wrong types": lambda made: made["people"][0].update(keypoints="x"),
    "text for a number": lambda made: made["people"][0]["keypoints"][3].__setitem__(2, ["a", "b"]),
    "huge number": lambda made: made["people"][0]["keypoints"][3].__setitem__(2, [1e300, 1.0]),
    "no people": lambda made: made.update(people=[]),
    "several people": twins,
    "no frames": frames(0),
    "all missing": without_keypoints,
    "no size": lambda made: made["people"][0].update(keypoints=[[[1, 1]] * 16] * len(made["people"][0]["frames"])),
    "another skeleton": on_one_joint,
    "far apart frames": lambda made: (frames(3)(made), made["people"][0].update(frames=[0, 10**6, 5 * 10**6])),
}


@pytest.mark.parametrize("kind", BAD_CONTENT)
@pytest.mark.parametrize("side", ["reference", "query"])
def test_a_file_that_cannot_be_understood_is_named(tmp_path, kind, side):
    path = tmp_path / "bad.json"
    path.write_bytes(BAD_CONTENT[kind])
    assert path.read_bytes() != Path(REFERENCE).read_bytes()
    pair = (path, REFERENCE) if side == "reference" else (REFERENCE, path)
    assert refused(run(*pair, "--out", tmp_path / "out"), 3, "bad.json")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("kind", CHANGES)
def test_data_that_cannot_be_compared_are_refused(tmp_path, kind):
    path = written(tmp_path / "bad.json", CHANGES[kind])
    assert refused(run(REFERENCE, path, "--out", tmp_path / "out"), 3, "bad.json")
    assert not (tmp_path / "out").exists()


def test_a_folder_a_missing_path_and_an_empty_range_are_refused(tmp_path):
    assert refused(run(REFERENCE, tmp_path), 3, "is a folder of no known format")
    assert refused(run(REFERENCE, tmp_path / "none.json"), 3, "none.json: no such file")
    assert refused(run(REFERENCE, f"{REFERENCE}#900:1000"), 3, "no frame lies in 900:1000")


def test_flat_and_spatial_files_are_not_compared():
    assert refused(run(SPATIAL, QUERY), 3, "squat_3d.json is 3D", "squat_shallow.json 2D")
    assert refused(run(REFERENCE, QUERY, "--view", "3d"), 3, "3D")


@pytest.mark.parametrize(
    "arguments",
    [
        [REFERENCE],
        [REFERENCE, QUERY, QUERY],
        [REFERENCE, QUERY, "--segments", "0"],
        [REFERENCE, QUERY, "--segments", "two"],
        [REFERENCE, QUERY, "--gamma", "-1"],
        [REFERENCE, QUERY, "--gamma", "nan"],
        [REFERENCE, QUERY, "--gamma", "inf"],
        [REFERENCE, QUERY, "--fps", "0"],
        [REFERENCE, QUERY, "--fps", "nan"],
        [REFERENCE, QUERY, "--view", "side"],
        [REFERENCE, QUERY, "--skeleton", "cat"],
        [REFERENCE, QUERY, "--person", "first"],
        [REFERENCE, QUERY, "--nothing"],
        [REFERENCE, QUERY, QUERY, "--references", str(SAMPLES)],
    ],
)
def test_wrong_usage_is_told_in_one_line(arguments):
    assert refused(run(*arguments), 2)


def test_a_person_is_chosen_by_id(tmp_path):
    path = written(tmp_path / "two.json", twins)
    assert json.loads(run(path, path, "--person", 7, "--json").stdout)["query"]["person"] == 7
    assert refused(run(path, path, "--person", 99), 3, "has no person 99")


@pytest.mark.parametrize("below", ["", "x", "x/y"])
def test_an_unwritable_folder_leaves_nothing_behind(tmp_path, below):
    (tmp_path / "file").write_text("mine")
    assert refused(run(REFERENCE, QUERY, "--out", tmp_path / "file" / below), 1, "cannot write the report")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_text() == "mine"


@pytest.fixture
def exemplars(tmp_path):
    folder = tmp_path / "good"
    folder.mkdir()
    for name in ("a.json", "b.json"):
        written(folder / name)
    (folder / ".hidden").write_text("not looked at")
    return folder


def test_a_folder_of_references_is_compared_with(exemplars):
    result = run(QUERY, "--references", exemplars, "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    assert {Path(one["path"]).name for one in json.loads(result.stdout)["exemplars"]} == {"a.json", "b.json"}


def test_a_reference_that_is_named_joins_those_of_the_folder(exemplars):
    assert len(json.loads(run(REFERENCE, QUERY, "--references", exemplars, "--json").stdout)["exemplars"]) == 3


def test_a_bad_file_among_the_references_is_left_out_and_named_on_one_line(exemplars):
    (exemplars / "c\x1b[31m\n.json").write_bytes(BAD_CONTENT["truncated"])
    result = run(QUERY, "--references", exemplars, "--json")
    assert len(json.loads(result.stdout)["exemplars"]) == 2
    (line,) = result.stderr.splitlines()
    assert line.startswith("left out ")
    assert "c\\x1b[31m\\n.json: is not valid JSON" in line


def test_references_must_be_a_folder_that_holds_some(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")
    assert refused(run(QUERY, "--references", tmp_path / "file"), 3, "is not a folder")
    assert refused(run(QUERY, "--references", tmp_path / "none"), 3, "is not a folder")
    assert refused(run(QUERY, "--references", tmp_path / "empty"), 3, "no skeleton file")


def test_text_from_files_can_neither_drive_the_terminal_nor_add_to_the_page(tmp_path):
    def hostile(made):
        made["stages"] = [{"name": "<script>alert(1)</script>\x1b[2J", "start": 0, "end": 40}]
        made["source"]["note"] = "<img src=x onerror=alert(2)>"

    path = written(tmp_path / "<b>\x1b[31m.json", hostile)
    result = run(path, REFERENCE, "--out", tmp_path / "out")
    assert result.exit_code == 0
    assert "\x1b" not in result.stdout + result.stderr
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert not any(bad in page for bad in ("<script>alert", "<b>\x1b", "<img src=x"))


def test_the_program_runs_as_a_whole_process():
    command = [sys.executable, "-m", "posediff", "compare", REFERENCE, QUERY, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "COLUMNS": "80"})
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["format"] == "posediff.comparison/1"


SHORT = json.loads(Path(REFERENCE).read_text(encoding="utf-8"))
frames(12)(SHORT)
TEXT = json.dumps(SHORT)
VALUES = (
    st.none() | st.booleans() | st.integers(-5, 10**6) | st.floats() | st.text(max_size=3) | st.just([]) | st.just({})
)


@st.composite
def mutated(draw):
    """A short file with something replaced or removed somewhere, or cut off, or with bytes overwritten."""
    kind = draw(st.sampled_from(("value", "value", "removed", "cut", "bytes")))
    if kind == "cut":
        return TEXT[: draw(st.integers(0, len(TEXT)))].encode()
    if kind == "bytes":
        content = bytearray(TEXT.encode())
        for place in draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=4)):
            content[place] = draw(st.integers(0, 255))
        return bytes(content)
    made = json.loads(TEXT)
    holder, key = made, draw(st.sampled_from(sorted(made)))
    while isinstance(holder[key], (dict, list)) and holder[key] and draw(st.integers(0, 3)):
        holder = holder[key]
        key = draw(st.sampled_from(sorted(holder) if isinstance(holder, dict) else range(len(holder))))
    if kind == "removed":
        del holder[key]
    else:
        holder[key] = draw(VALUES)
    return json.dumps(made).encode()


@given(content=mutated())
@examples(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_file_is_compared_or_refused_but_never_more(tmp_path, content):
    path = tmp_path / "damaged.json"
    path.write_bytes(content)
    try:
        found = document(compare(read_person(REFERENCE), read_person(str(path))))
    except PosediffError as fault:
        told = (str(fault), fault.hint)
    else:
        jsonschema.Draft202012Validator(SCHEMA).validate(found)
        told = (json.dumps(found, allow_nan=False),)
    assert all(told)


def test_the_better_side_is_taken_on_request(tmp_path):
    path = tmp_path / "left.json"
    write(path, mirrored(read_person(SAMPLES / "swing_a.json")))
    found = run(SAMPLES / "swing_a.json", path, "--auto-mirror", "--json")
    assert json.loads(found.stdout)["score"] > 99
    assert "The query was mirrored." in json.loads(found.stdout)["notes"]


def test_mirror_and_auto_mirror_exclude_one_another():
    found = run("--mirror", "--auto-mirror", "a.json", "b.json")
    assert found.exit_code == 2
    assert "exclude" in found.stderr


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A small network of dives, one of their skeletons as a file, and another one."""
    pytest.importorskip("mmengine")
    from posediff.datasets.synthetic_dives import SyntheticDivesSettings, dive
    from posediff.engine.models import MODELS
    from posediff.engine.training import train
    from tests.engine.tiny import TABLE, experiment

    folder = tmp_path_factory.mktemp("dives")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(MODELS, "tiny", TABLE)
        best = train(experiment(training__epochs=1), folder / "run").best
        dives = [dive(SyntheticDivesSettings(clips=48), number) for number in range(48)]
        action = dives[40][0].action
        other = next(number for number in range(36, 48) if dives[number][0].action == action and number != 40)
        paths = [folder / "reference.json", folder / "query.json"]
        for path, number in zip(paths, (other, 40), strict=True):
            write(path, dives[number][1])
        yield [*map(str, paths)], ["--checkpoint", str(best), "--action", action]


def test_a_network_scores_both_and_what_is_measured_stays_the_same(trained):
    files, network = trained
    plain, result = json.loads(run(*files, "--json").stdout), run(*files, *network, "--difficulty", 2, "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    found = json.loads(result.stdout)
    jsonschema.Draft202012Validator(SCHEMA).validate(found)
    learned = found.pop("learned")
    assert found == plain
    for side, path in (("reference", files[0]), ("query", files[1])):
        scored = CliRunner().invoke(main, ["score", path, *network, "--difficulty", "2", "--json"])
        document = json.loads(scored.stdout)
        assert learned[side] == {name: document[name] for name in learned[side]}
        assert learned["checkpoint"] == document["checkpoint"]
    assert learned["query"]["score"] != learned["reference"]["score"]


def test_learned_scores_are_in_the_table_and_in_the_report(trained, tmp_path):
    files, network = trained
    result = run(*files, *network, "--out", tmp_path / "out")
    assert "learned scores\n  query " in result.stdout
    assert "  reference  " in result.stdout
    assert "Learned score" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "learned" in json.loads((tmp_path / "out" / "comparison.json").read_text(encoding="utf-8"))


def test_of_several_references_none_is_scored(trained):
    (reference, query), network = trained
    found = json.loads(run(query, "--references", Path(reference).parent, *network, "--json").stdout)
    assert found["learned"]["reference"] is None


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        (["--checkpoint", "lost.pth"], 3, "lost.pth"),
        (["--action", "999z"], 3, "no exemplar of the action '999z'"),
        (["--exemplars", "lost.csv"], 3, "lost.csv"),
        (["--difficulty", "0"], 2, "--difficulty"),
    ],
)
def test_what_the_network_cannot_score_ends_in_one_line_and_nothing_is_written(
    trained, tmp_path, change, code, message
):
    files, network = trained
    assert refused(run(*files, *network, *change, "--out", tmp_path / "out"), code, message)
    assert not (tmp_path / "out").exists()


def test_an_action_needs_something_that_is_asked():
    assert refused(run(REFERENCE, QUERY, "--action", "407c"), 2, "--action is for --ask, --propose or --checkpoint")


def test_a_comparison_without_a_network_imports_no_torch():
    script = f"""
import sys
from posediff.cli import main
main(["compare", {REFERENCE!r}, {QUERY!r}, "--json"], standalone_mode=False)
sys.exit(" ".join({{"torch", "mmengine"}} & set(sys.modules)) or 0)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")
