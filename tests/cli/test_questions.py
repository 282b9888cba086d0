import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from posediff.cli import main
from posediff.motion.synthetic import varied
from tests.cli.test_compare import QUERY, REFERENCE, refused
from tests.fixtures.language_server import fails, serving

SCHEMA = json.loads(
    (Path(__file__).parents[2] / "annotations" / "comparison-1.schema.json").read_text(encoding="utf-8")
)


def run(*arguments):
    return CliRunner().invoke(main, ["compare", *map(str, arguments)])


def test_answers_and_proposals_are_in_the_document_as_the_schema_says():
    result = run(REFERENCE, QUERY, "--ask", "squat", "--ask", "the left knee bends more", "--propose", 3, "--json")
    document = json.loads(result.stdout)
    Draft202012Validator(SCHEMA).validate(document)
    answers = {answer["query"]: answer for answer in document["answers"]}
    assert (answers["the squat is deeper"]["answer"], answers["the left knee bends more"]["answer"]) == ("a", "a")
    assert answers["the heels come off the floor"]["answer"] is None
    assert 0 < len(document["proposals"]) <= 3
    assert document["asking"] == {
        "action": "squat", "taxonomy": "squat.yaml", "language_model": None, "image_text_model": None
    }  # fmt: skip
    frames = {point["name"]: point["frame_b"] for point in document["key_points"]}
    assert list(frames.values()) == sorted(frames.values())


def test_the_table_and_the_page_show_the_answers(tmp_path):
    result = run(REFERENCE, QUERY, "--action", "squat", "--ask", "the squat is deeper", "--out", tmp_path / "report")
    assert "the squat is deeper: " in result.stdout
    assert "The squat is deeper" in (tmp_path / "report" / "report.html").read_text(encoding="utf-8")


def test_several_references_are_asked_about_and_proposed_from(tmp_path):
    folder = tmp_path / "good"
    folder.mkdir()
    for name in (REFERENCE, QUERY):
        (folder / Path(name).name).write_bytes(Path(name).read_bytes())
    result = run("--references", folder, QUERY, "--action", "squat", "--propose", 2, "--json")
    assert result.exit_code == 0, result.output
    assert "proposals" in json.loads(result.stdout)


@pytest.mark.parametrize(
    ("arguments", "code", "part"),
    [
        (["--ask", "the moon is fuller"], 2, "moon"),
        (["--action", "squatt", "--propose", 2], 2, "squatt"),
        (["--ask", "nowhere.yaml"], 3, "nowhere.yaml"),
        (["--llm-base-url", "http://127.0.0.1:1/v1"], 2, "--llm-base-url helps to answer"),
        (["--ask", "squat", "--llm-model", "small"], 2, "belong together"),
        (["--ask", "squat", "--ask", "lunge"], 2, "several taxonomies"),
    ],
)
def test_what_cannot_be_asked_ends_in_one_line(arguments, code, part):
    assert refused(run(REFERENCE, QUERY, *arguments), code, part)


def test_a_misspelt_joint_in_a_taxonomy_is_told_with_its_line(tmp_path):
    path = tmp_path / "squat.yaml"
    path.write_text(
        "action: squat\nkey_points:\n  - name: lowest\n    text: lowest\n    cue: lowest(height(pelvs, ankle))\n"
        "differences:\n  - id: depth\n    query: deeper\n    where: lowest\n    measure: time(lowest)\n",
        encoding="utf-8",
    )
    result = run(REFERENCE, QUERY, "--ask", path)
    assert refused(result, 3, "squat.yaml", "line 5", "'pelvs'")
    assert "pelvis" in result.stderr


def test_an_endpoint_that_refuses_costs_one_line_and_no_answer(tmp_path):
    pytest.importorskip("openai")
    with serving(fails(401)) as server:
        result = run(REFERENCE, QUERY, "--action", "squat", "--propose", 2, "--llm-base-url", server.url,
                     "--llm-model", "small", "--llm-transcript", tmp_path, "--json")  # fmt: skip
    assert result.exit_code == 0
    assert len(result.stderr.splitlines()) == 1
    assert result.stderr.startswith("posediff: warning: ")
    assert json.loads(result.stdout)["proposals"]


def test_a_measure_that_needs_three_dimensions_is_told_and_the_others_are_answered():
    document = json.loads(run(REFERENCE, QUERY, "--ask", "squat", "--json").stdout)
    reasons = {answer["id"]: answer["reason"] for answer in document["answers"]}
    assert "3D" in reasons["stance_width"]
    assert reasons["depth"] == ""


def test_a_performance_too_short_for_the_key_points_is_bad_data(tmp_path):
    from posediff.io import write

    short = tmp_path / "short.json"
    write(short, varied("squat", {}).between(0, 4))
    assert refused(run(short, short, "--ask", "squat"), 3)
