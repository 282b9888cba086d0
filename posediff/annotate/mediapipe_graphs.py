"""MediaPipe's calculators, wired and run without its solutions: one packet in, one answer out.

The graphs are those of MediaPipe's ``PoseDetectionCpu`` and ``PoseLandmarkByRoiCpu``, with the number of threads as a
setting and with the certainty that there is a person as an output instead of a gate.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from posediff.errors import BadSetting, MissingDependency, PosediffError
from posediff.io.files import file_hash

DETECTOR = "pose_detection/pose_detection.tflite"
LANDMARKS = "pose_landmark/pose_landmark_full.tflite"

_PURPOSE = "the built-in pose engine"
_REINSTALL = 'pip install "posediff[annotate]"'


@dataclass(frozen=True)
class Library:
    """The parts of MediaPipe that are used.

    Attributes:
        version: MediaPipe's.
        root: the folder that model paths in graphs are relative to.
        creator, getter: its modules that put values into packets and take them out.
        graph: its class of running graphs.
        rectangle: its class of turned rectangles.
        pixels: its name of the format of 8-bit RGB.
    """

    version: str
    root: Path
    creator: Any
    getter: Any
    graph: Any
    rectangle: Any
    pixels: Any

    def image(self, image: np.ndarray) -> Any:
        """A picture, (H, W, 3) uint8 RGB, as a packet."""
        return self.creator.create_image_frame(image_format=self.pixels, data=np.ascontiguousarray(image))


@lru_cache(maxsize=1)
def library() -> Library:
    """MediaPipe, imported.

    Raises:
        MissingDependency: if it is not installed.
        PosediffError: if it is installed but cannot be loaded; says why.
    """
    try:
        version = metadata.version("mediapipe")
    except metadata.PackageNotFoundError:
        raise MissingDependency("mediapipe", "annotate", _PURPOSE) from None
    os.environ.setdefault("GLOG_minloglevel", "2")
    try:
        with hushed() as said:
            import mediapipe
            from mediapipe.framework.formats import rect_pb2
            from mediapipe.python import packet_creator, packet_getter
            from mediapipe.python._framework_bindings import calculator_graph, image_frame, resource_util
    except Exception as error:  # numpy 2, a missing system library, a broken protobuf: it fails in many ways
        reason = _last_line(str(error)) or _last_line(said()) or type(error).__name__
        raise PosediffError(f"mediapipe {version} is installed but cannot be loaded: {reason}", _REINSTALL) from None
    root = Path(mediapipe.__file__).parent
    resource_util.set_resource_dir(str(root.parent))
    return Library(
        version=version,
        root=root,
        creator=packet_creator,
        getter=packet_getter,
        graph=calculator_graph.CalculatorGraph,
        rectangle=rect_pb2.NormalizedRect,
        pixels=image_frame.ImageFormat.SRGB,
    )


@lru_cache
def weights_hash(model: str) -> str:
    """SHA-256 of one of the models that come with MediaPipe.

    Args:
        model: path below MediaPipe's folder of modules, as ``LANDMARKS``.

    Raises:
        PosediffError: if this release of MediaPipe comes without it.
    """
    mediapipe = library()
    path = mediapipe.root / "modules" / model
    if not path.is_file():
        raise PosediffError(f"mediapipe {mediapipe.version} comes without the model {path.name}", _REINSTALL)
    return file_hash(path)


def provenance(role: str, model: str) -> dict[str, object]:
    """Where results come from: back end, its version, the model and its SHA-256."""
    digest = weights_hash(model)
    return {role: "mediapipe", "version": library().version, "weights": Path(model).name, "sha256": digest}


class Graph:
    """A running graph that answers one set of packets at a time.

    Args:
        nodes: the graph's nodes, in the text form of MediaPipe's configuration.
        inputs, outputs: the names of its streams.

    Raises:
        MissingDependency, PosediffError: if MediaPipe cannot be loaded or refuses the graph.
    """

    def __init__(self, nodes: str, inputs: Sequence[str], outputs: Sequence[str]) -> None:
        mediapipe = library()
        streams = [f'input_stream: "{name}"' for name in inputs] + [f'output_stream: "{name}"' for name in outputs]
        self._answers: dict[str, Any] = {}
        self._time = 0
        try:
            with hushed() as said:
                # Without threads of its own the graph works in the caller's thread, one calculator after another.
                self._graph = mediapipe.graph(graph_config="\n".join(["num_threads: 0", *streams, nodes]))
                for name in outputs:
                    self._graph.observe_output_stream(name, self._answers.__setitem__)
                self._graph.start_run({})
                self._graph.wait_until_idle()
        except (RuntimeError, ValueError) as error:
            reason = _last_line(str(error)) or _last_line(said())
            raise PosediffError(f"mediapipe {mediapipe.version} refuses the graph: {reason}", _REINSTALL) from None

    def run(self, **packets: Any) -> dict[str, Any]:
        """Send one packet into every input and collect what comes out.

        Returns:
            The packets by the outputs' names; outputs that stay silent are absent.

        Raises:
            PosediffError: if a calculator fails or the graph is closed.
        """
        if self._graph is None:
            raise PosediffError("the MediaPipe graph is closed", "make a new one")
        self._answers.clear()
        self._time += 1
        try:
            with hushed() if self._time == 1 else _unchanged():  # the first picture makes it talk once more
                for name, packet in packets.items():
                    self._graph.add_packet_to_input_stream(name, packet.at(self._time))
                self._graph.wait_until_idle()
        except (RuntimeError, ValueError) as error:
            raise PosediffError(
                f"MediaPipe failed: {_last_line(str(error))}", "report the picture it failed on"
            ) from None
        return {name: packet for name, packet in self._answers.items() if not packet.is_empty()}

    def close(self) -> None:
        """Free the graph; closing twice does nothing."""
        graph, self._graph = self._graph, None
        if graph is not None:
            graph.close()


def checked_threads(threads: int) -> int:
    """The number of threads, if it is one.

    Raises:
        BadSetting: if it is below 1.
    """
    if threads < 1:
        raise BadSetting(f"threads is {threads}, expected 1 or more", "1 suits several workers on one machine")
    return threads


def refuse(weights: str | None, config: str | None = None, device: str = "auto") -> None:
    """Refuse what a model that MediaPipe brings itself has no use for.

    Raises:
        BadSetting: if weights or a configuration are given, or it is to run elsewhere than on the CPU.
    """
    for name, value in (("weights", weights), ("configuration", config)):
        if value is not None:
            raise BadSetting(f"mediapipe takes no {name}, received {value!r}", "leave it out: it brings its own")
    if device == "cuda":
        raise BadSetting("mediapipe runs on the CPU only", "leave --device out, or choose another --pose")


@contextmanager
def hushed() -> Iterator[Any]:
    """Keep what C++ libraries write to the standard error out of sight; gives a function that tells it."""
    sys.stderr.flush()
    with tempfile.TemporaryFile() as file:
        try:
            kept = os.dup(2)
        except OSError:  # there is no standard error that could be kept clean
            yield lambda: ""
            return
        text = ""

        def said() -> str:
            return text

        os.dup2(file.fileno(), 2)
        try:
            yield said
        finally:
            sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)
            file.seek(0)
            text = file.read().decode(errors="replace")


@contextmanager
def _unchanged() -> Iterator[Any]:
    yield lambda: ""


def _last_line(text: str) -> str:
    """The last line that says something."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""
