import json

import pytest
from click.testing import CliRunner

from posediff.annotate import doctor
from posediff.annotate.doctor import Finding
from posediff.cli.doctor import command, table

POSE = Finding("pose", "mediapipe", "ok", "0.10.21")
VIDEO = Finding("video", "h264", "ok", "PyAV 18")
LACKING = Finding("detector", "torchvision", "missing", "torchvision not installed", "pip install torchvision")


def run(monkeypatch, findings, *arguments):
    monkeypatch.setattr(doctor, "examine", lambda: findings)
    return CliRunner().invoke(command, arguments)


def test_every_finding_is_a_row_and_what_is_missing_has_its_cure_below(monkeypatch):
    result = run(monkeypatch, [POSE, VIDEO, LACKING])
    rows = result.stdout.splitlines()
    assert [row.split()[:3] for row in rows[:3]] == [list(one[:3]) for one in (POSE, VIDEO, LACKING)]
    assert rows[3].strip() == "cure: pip install torchvision"
    assert (rows[4], result.exit_code) == ("Videos can be annotated.", 0)


def test_json_is_one_document(monkeypatch):
    result = run(monkeypatch, [POSE, VIDEO, LACKING], "--json")
    assert json.loads(result.stdout) == {
        "format": "posediff.doctor/1",
        "can_annotate": True,
        "findings": [one._asdict() for one in (POSE, VIDEO, LACKING)],
    }


@pytest.mark.parametrize("arguments", [[], ["--json"]])
def test_the_exit_code_is_1_where_nothing_can_annotate(monkeypatch, arguments):
    result = run(monkeypatch, [VIDEO, LACKING], *arguments)
    assert result.exit_code == 1
    assert "annotate" in result.stdout


def test_columns_are_aligned_and_control_characters_are_escaped():
    lines = table([POSE, LACKING, VIDEO._replace(detail="two\nlines")]).splitlines()
    assert lines[0].index("ok") == lines[1].index("missing") == lines[3].index("ok")
    assert lines[3].endswith(r"two\nlines")
