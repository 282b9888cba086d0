"""Cheap trials of the libraries that annotating uses, each meant to be run in a process of its own."""

from __future__ import annotations

import importlib.util
import io
import json
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from posediff.errors import MissingDependency, PosediffError

_IDENTITY = (  # an ONNX network that gives the one number that it takes
    b'\x08\x08:7\n\x10\n\x01x\x12\x01y"\x08Identity\x12\x01gZ\x0f\n\x01x\x12\n\n\x08\x08\x01\x12\x04\n\x02\x08\x01'
    b"b\x0f\n\x01y\x12\n\n\x08\x08\x01\x12\x04\n\x02\x08\x01B\x04\n\x00\x10\r"
)
_MMPOSE = (
    'pip install "setuptools<81" wheel "numpy<2" && pip install --no-build-isolation chumpy '
    '&& pip install "posediff[mmpose]"'
)


class Probe(NamedTuple):
    """A trial of one library.

    Attributes:
        topic: what it is for.
        packages: the modules that have to be there.
        run: tries them and says what was seen; raises what goes wrong.
        install: the command that installs them.
        repair: the command for when they are there but do not work.
    """

    topic: str
    packages: Sequence[str]
    run: Callable[[], str]
    install: str
    repair: str


def mediapipe() -> str:
    """Look for somebody in a grey picture."""
    from posediff.annotate import detectors, estimators
    from posediff.annotate.settings import Settings

    settings = Settings(pose="mediapipe", detector="mediapipe", device="cpu")
    picture = np.full((96, 96, 3), 128, np.uint8)
    detectors.load(settings).detect(picture)
    poses = estimators.load(settings).estimate(picture, np.array([[10.0, 10, 80, 90]]), np.zeros(1))
    if np.isfinite(poses.keypoints).any():
        raise PosediffError("mediapipe sees somebody in a grey picture")
    return f"mediapipe {_version('mediapipe')} sees nobody in a grey picture"


def rtmlib() -> str:
    """Run the smallest ONNX network on every device that onnxruntime offers."""
    import onnxruntime

    devices = [
        name
        for name in onnxruntime.get_available_providers()
        if name in ("CPUExecutionProvider", "CUDAExecutionProvider") and name in _session(name).get_providers()
    ]
    number = np.array([3], np.float32)
    if _session("CPUExecutionProvider").run(None, {"x": number})[0] != number:
        raise PosediffError("onnxruntime gives a wrong number")
    return (
        f"onnxruntime {onnxruntime.__version__} on {', '.join(name[: -len('ExecutionProvider')] for name in devices)}"
    )


def _session(provider: str) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(_IDENTITY, options, providers=[provider])


def torchvision() -> str:
    """Call an operation of torchvision's compiled part."""
    import torch
    import torchvision
    from torchvision.ops import nms

    kept = nms(torch.tensor([[0.0, 0, 9, 9], [0, 0, 9, 9]]), torch.tensor([0.5, 0.9]), 0.5).tolist()
    if kept != [1]:
        raise PosediffError(f"torchvision keeps the boxes {kept}, expected the second")
    return f"torchvision {torchvision.__version__}, torch {torch.__version__}"


def mmpose() -> str:
    """Build a small backbone from MMPose's registry and run it."""
    from posediff.annotate.estimators.mmpose import import_mmpose

    import_mmpose()
    import torch
    from mmengine.registry import init_default_scope
    from mmpose.registry import MODELS

    init_default_scope("mmpose")
    with torch.no_grad():
        shape = tuple(MODELS.build({"type": "ResNet", "depth": 18})(torch.zeros(2, 3, 64, 64))[-1].shape)
    if shape != (2, 512, 2, 2):
        raise PosediffError(f"a ResNet-18 gives features of shape {shape}")
    return f"mmpose {_version('mmpose')}, torch {torch.__version__}"


def supervision() -> str:
    """Look for the tracker."""
    import supervision

    supervision.ByteTrack()
    return f"supervision {supervision.__version__}, with ByteTrack"


def ray() -> str:
    """Import it."""
    import ray

    return f"ray {ray.__version__}"


def pillow() -> str:
    """Write a word into a picture."""
    import PIL
    from PIL import Image, ImageDraw, ImageFont

    picture = Image.new("L", (60, 20))
    ImageDraw.Draw(picture).text((2, 2), "pose", fill=255, font=ImageFont.load_default(12))
    if not np.asarray(picture).any():
        raise PosediffError("pillow draws no letters")
    return f"pillow {PIL.__version__}, with a font"


def gpu() -> str:
    """The GPUs that torch can compute on."""
    import torch

    if not torch.cuda.is_available():
        return f"torch {torch.__version__} finds no GPU; the CPU is used"
    total = float((torch.ones(4, device="cuda") * 2).sum())
    if total != 8:
        raise PosediffError(f"the GPU adds 2 four times to {total}")
    names = [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())]
    return f"torch {torch.__version__} on {', '.join(names)}"


def codec(decoders: Sequence[str], encoders: Sequence[str]) -> str:
    """Write a short video and read it back.

    Args:
        decoders: names of those that may be there.
        encoders: the same, the best first.

    Raises:
        PosediffError: if it cannot be read, or is read as something else.
    """
    import av

    available = av.codecs_available
    if not available.intersection(decoders):
        raise PosediffError(f"PyAV {av.__version__} cannot read it: it has no decoder {' or '.join(decoders)}")
    encoder = next((one for one in encoders if one in available), None)
    if encoder is None:
        return f"PyAV {av.__version__} reads it and cannot write it"
    ramp = np.tile(np.linspace(0, 255, 64).astype(np.uint8)[None, :, None], (64, 1, 3))
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as video:
        stream: Any = video.add_stream(encoder, rate=25)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for _ in range(5):
            video.mux(stream.encode(av.VideoFrame.from_ndarray(ramp, format="rgb24")))
        video.mux(stream.encode(None))
    file.seek(0)
    with av.open(file) as video:
        frames = [frame.to_ndarray(format="rgb24") for frame in video.decode(video=0)]
    if len(frames) != 5 or np.abs(frames[0].astype(int) - ramp).mean() > 20:
        raise PosediffError(f"of 5 frames written by {encoder}, {len(frames)} are read, or other ones")
    return f"PyAV {av.__version__} reads it and writes it ({encoder})"


_ANNOTATE = 'pip install "posediff[annotate]"'
_AV = "pip install --force-reinstall --only-binary av av"
_CODECS = {
    "h264": (["h264"], ["libx264", "libopenh264"]),
    "hevc": (["hevc"], ["libx265"]),
    "av1": (["libdav1d", "libaom-av1"], ["libsvtav1", "libaom-av1"]),
}

#: Every trial by the name of what is tried.
PROBES = {
    "mediapipe": Probe(
        "pose",
        ["mediapipe"],
        mediapipe,
        _ANNOTATE if sys.version_info < (3, 13) else f"python3.12 -m venv .venv && .venv/bin/{_ANNOTATE}",
        'pip install --force-reinstall "mediapipe==0.10.21" "numpy<2"',
    ),
    "rtmlib": Probe(
        "pose",
        ["onnxruntime"],
        rtmlib,
        'pip install "posediff[rtmlib]"',
        "pip install --force-reinstall onnxruntime",
    ),
    "mmpose": Probe("pose", ["mmpose", "mmcv"], mmpose, _MMPOSE, _MMPOSE),
    "torchvision": Probe(
        "detector",
        ["torch", "torchvision"],
        torchvision,
        'pip install "posediff[torchvision]"',
        "pip install --force-reinstall torch torchvision",
    ),
    "supervision": Probe("tracker", ["supervision"], supervision, _ANNOTATE, 'pip install "supervision>=0.26,<0.30"'),
    **{name: Probe("video", ["av"], partial(codec, *names), _ANNOTATE, _AV) for name, names in _CODECS.items()},
    "pillow": Probe("drawing", ["PIL"], pillow, _ANNOTATE, "pip install --force-reinstall pillow"),
    "gpu": Probe(
        "device",
        ["torch"],
        gpu,
        'pip install "posediff[torchvision]"',
        "nvidia-smi  # then the torch that fits to the driver",
    ),
    "ray": Probe("batch", ["ray"], ray, 'pip install "posediff[ray]"', "pip install --force-reinstall ray"),
}


def attempt(probe: Probe) -> tuple[str, str]:
    """What comes of a trial.

    Returns:
        ``ok``, ``missing`` or ``broken``, and what was seen.
    """
    absent = [name for name in probe.packages if importlib.util.find_spec(name) is None]
    if absent:
        return "missing", f"{', '.join(absent)} not installed"
    try:
        return "ok", probe.run()
    except MissingDependency as error:
        return "missing", str(error)
    except Exception as error:
        lines = str(error).strip().splitlines()
        said = lines[0] if lines else "no reason given"
        return "broken", said if isinstance(error, PosediffError) else f"{type(error).__name__}: {said}"


def main(name: str) -> None:
    """Try one thing and write what came of it, as JSON, to stdout, which libraries cannot write to meanwhile."""
    answer = os.dup(1)
    os.dup2(2, 1)
    state, detail = attempt(PROBES[name])
    os.write(answer, json.dumps([state, detail]).encode())


def _version(package: str) -> str:
    from importlib.metadata import version

    return version(package)


if __name__ == "__main__":
    main(sys.argv[1])
