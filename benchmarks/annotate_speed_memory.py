"""What memory a frame takes while a video is annotated; ``annotate_speed.py`` says how it is measured."""

from __future__ import annotations

import multiprocessing
import re
import resource
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from posediff.annotate.batch.inputs import Input
from posediff.annotate.estimators import Poses
from posediff.annotate.job import Annotator, Plan
from posediff.annotate.pipeline import Engines
from posediff.annotate.settings import Settings
from posediff.skeletons import BLAZEPOSE33

#: Width and height of the synthetic pictures, and how many of them there are.
SIZE, LENGTHS = (160, 128), (1000, 8000)


class Still:
    """A detector and a pose engine in one that finds the same person in the middle of every picture."""

    skeleton = BLAZEPOSE33
    every = 0.0
    longest = 320

    def __init__(self) -> None:
        self.provenance: dict[str, object] = {"backend": "still"}

    def detect(self, image: np.ndarray) -> np.ndarray:
        height, width = image.shape[:2]
        return np.array([[width / 4, height / 4, 3 * width / 4, 3 * height / 4, 0.9]], np.float32)

    def estimate(self, image: np.ndarray, boxes: np.ndarray, angles: np.ndarray) -> Poses:
        shares = np.random.default_rng(0).uniform(0.1, 0.9, (len(boxes), len(self.skeleton.joints), 2))
        places = boxes[:, None, :2] + shares * (boxes[:, None, 2:4] - boxes[:, None, :2])
        return Poses(places.astype(np.float32), np.full(places.shape[:2], 0.9, np.float32))


def write_video(path: Path, frames: int) -> None:
    """A video of noise that drifts."""
    import av

    noise = np.random.default_rng(1).integers(0, 255, (SIZE[1], SIZE[0], 3), np.uint8)
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        for number in range(frames):
            picture = np.ascontiguousarray(np.roll(noise, number, axis=1))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))


def peak(path: Path) -> int:
    """Bytes that this process has had resident at most once it has annotated a video."""
    settings = Settings(threads=1)
    plan, engines = Plan(settings), Engines(settings)
    engines.estimator = engines.detector = Still()
    with tempfile.TemporaryDirectory() as out:
        job = plan.job(Input(str(path), "video"))
        result = Annotator(plan, engines)(job, Path(out), lambda done, total: None)
    if result.quality["people"][0]["coverage"] < 1:
        raise SystemExit(f"the synthetic person was not followed: {result.quality['people']}")
    return resident()


def resident() -> int:
    """Most bytes that this process has had resident; of its own, where the system tells it apart from its parent's."""
    try:
        match = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    except OSError:
        match = None
    return 1024 * (int(match[1]) if match else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def memory(lengths: Sequence[int] = LENGTHS) -> dict[str, Any]:
    """Print and return what memory a frame takes, from the peaks of two videos in a fresh process each."""
    context = multiprocessing.get_context("spawn")
    peaks = {}
    with tempfile.TemporaryDirectory() as folder:
        for frames in sorted(lengths):
            path = Path(folder) / f"{frames}.mp4"
            write_video(path, frames)
            with context.Pool(1) as pool:
                peaks[frames] = pool.apply(peak, (path,))
    (few, least), (many, most) = peaks.items()
    each, picture = (most - least) / (many - few), 3 * SIZE[0] * SIZE[1]
    told = ", ".join(f"{value / 2**20:.1f} MiB with {frames} frames" for frames, value in peaks.items())
    print(f"\nmemory: {told}: {each:.0f} bytes a frame; a picture has {picture}")
    return {"peak_bytes": peaks, "bytes_per_frame": each, "picture_bytes": picture}
