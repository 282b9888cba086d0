import os
import subprocess
import sys
from importlib import metadata

import numpy as np
import pytest

from posediff.annotate import mediapipe_graphs as graphs
from posediff.errors import BadSetting, MissingDependency, PosediffError


@pytest.fixture
def unloaded():
    graphs.library.cache_clear()
    yield
    graphs.library.cache_clear()


def test_a_missing_mediapipe_is_told_with_its_extra(monkeypatch, unloaded):
    def absent(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", absent)
    with pytest.raises(MissingDependency, match="mediapipe") as error:
        graphs.library()
    assert "posediff[annotate]" in error.value.hint


def test_a_mediapipe_that_cannot_be_imported_is_told_with_the_reason(monkeypatch, unloaded, tmp_path):
    (tmp_path / "mediapipe.py").write_text("raise ImportError('first line\\nlibGL.so.1: cannot open shared object')")
    monkeypatch.setattr(metadata, "version", lambda name: "0.10.21")
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.split(".")[0] == "mediapipe"]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(PosediffError) as error:
        graphs.library()
    assert str(error.value) == (
        "mediapipe 0.10.21 is installed but cannot be loaded: libGL.so.1: cannot open shared object"
    )


def test_what_is_written_to_the_standard_error_is_kept_and_told():
    with graphs.hushed() as said:
        os.write(2, b"from C++\n")
    assert said() == "from C++\n"


def test_a_failure_while_hushed_comes_through():
    def fail():
        with graphs.hushed() as said:
            told.append(said)
            os.write(2, b"before")
            raise KeyError

    told = []
    with pytest.raises(KeyError):
        fail()
    assert told[0]() == "before"


def test_starting_and_running_writes_nothing_to_the_standard_error():
    pytest.importorskip("mediapipe")
    code = (
        "import numpy as np\n"
        "from posediff.annotate.detectors.mediapipe import MediaPipeDetector\n"
        "from posediff.annotate.estimators.mediapipe import MediaPipe\n"
        "image = np.zeros((64, 64, 3), np.uint8)\n"
        "MediaPipeDetector().detect(image)\n"
        "MediaPipe().estimate(image, np.array([[0, 0, 64, 64]]), np.zeros(1))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert (done.stdout, done.stderr) == ("", "")


def test_a_graph_answers_one_picture_at_a_time():
    pytest.importorskip("mediapipe")
    node = 'node { calculator: "ImagePropertiesCalculator" input_stream: "IMAGE_CPU:image" output_stream: "SIZE:size" }'
    graph = graphs.Graph(node, ["image"], ["size"])
    library = graphs.library()
    for _ in range(2):
        answer = graph.run(image=library.image(np.zeros((4, 6, 3), np.uint8)))
        assert list(answer) == ["size"]
    graph.close()
    graph.close()
    with pytest.raises(PosediffError, match="closed"):
        graph.run(image=library.image(np.zeros((4, 6, 3), np.uint8)))


def test_a_graph_that_cannot_be_is_refused_with_the_reason():
    pytest.importorskip("mediapipe")
    with pytest.raises(PosediffError, match=r"refuses the graph: .*NoSuchCalculator"):
        graphs.Graph('node { calculator: "NoSuchCalculator" output_stream: "out" }', [], ["out"])


def test_a_model_that_is_not_there_is_told():
    pytest.importorskip("mediapipe")
    with pytest.raises(PosediffError, match=r"comes without the model no\.tflite"):
        graphs.weights_hash("pose_landmark/no.tflite")


def test_threads_below_one_are_refused():
    with pytest.raises(BadSetting, match="threads is 0"):
        graphs.checked_threads(0)
