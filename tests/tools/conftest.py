"""The tools with the detector and the pose back end for plain figures in MediaPipe's place."""

import runpy
from pathlib import Path

import pytest
from click.testing import CliRunner

from posediff.annotate.detectors import DETECTORS
from posediff.annotate.estimators import ESTIMATORS
from tests.fixtures.videos import walkers, write_images

TOOLS = Path(__file__).parents[2] / "tools"
COUNT = 12


@pytest.fixture
def tool(monkeypatch):
    """Run a tool with some arguments; what click makes of it."""
    monkeypatch.setitem(DETECTORS, "mediapipe", "tests.fixtures.engines:make_detector")
    monkeypatch.setitem(ESTIMATORS, "mediapipe", ("tests.fixtures.engines:make_estimator", "mediapipe"))

    def run(name, *arguments):
        command = runpy.run_path(str(TOOLS / f"{name}.py"))["command"]
        return CliRunner().invoke(command, [*map(str, arguments)])

    return run


@pytest.fixture
def walk(tmp_path):
    """Images of two people who walk."""
    return write_images(tmp_path / "walk", walkers(COUNT))
