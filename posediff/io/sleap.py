"""SLEAP's ``.slp`` and analysis ``.h5``, through sleap-io.

Nodes are joints and tracks are people. A user's instance takes the place of the prediction it corrects, and its
keypoints are verified. There is no fps.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from posediff.errors import MissingDependency
from posediff.io.checks import Fault
from posediff.io.content import Content
from posediff.io.joints import named
from posediff.io.people import Detections, ids_of, sequences
from posediff.io.registry import Format
from posediff.sequence import PoseSequence, Status


def read(content: Content, skeleton: str | None = None) -> list[PoseSequence]:
    """Every track of a file of one video.

    Raises:
        MissingDependency: if sleap-io is not installed.
    """
    labels = _load(content.path)
    if len(labels.videos) > 1:
        raise Fault(f"it holds {len(labels.videos)} videos, expected one")
    if len(labels.skeletons) != 1:
        raise Fault(f"it holds {len(labels.skeletons)} skeletons, expected one")
    nodes = [node.name for node in labels.skeletons[0].nodes]
    bones = [(edge.source.name, edge.destination.name) for edge in labels.skeletons[0].edges]
    found = [(int(frame.frame_idx), instance) for frame in labels.labeled_frames for instance in _instances(frame)]
    if not found:
        return []
    points = [instance.points for _, instance in found]
    verified = np.array(["score" not in point.dtype.names for point in points])
    keypoints = np.stack([point["xy"] for point in points]).astype(np.float64)
    scores = np.stack([point["score"] if "score" in point.dtype.names else np.ones(len(nodes)) for point in points])
    tracks = list(labels.tracks)
    tracked = all(instance.track in tracks for _, instance in found)
    ids = ids_of([track.name for track in tracks])
    detections = Detections(
        np.array([frame for frame, _ in found], np.int64),
        keypoints,
        np.nan_to_num(scores),
        status=np.broadcast_to(np.where(verified, Status.VERIFIED, Status.MEASURED)[:, None], scores.shape),
        people=np.array([ids[tracks.index(instance.track)] for _, instance in found]) if tracked else None,
    )
    shape = labels.videos[0].shape if labels.videos else None
    name = labels.skeletons[0].name or "custom"
    return sequences(
        detections,
        named(nodes, skeleton, bones, name),
        frames=[int(frame.frame_idx) for frame in labels.labeled_frames],
        image_size=(int(shape[2]), int(shape[1])) if shape else None,
    )


def render(people: Sequence[PoseSequence], path: Path) -> dict[Path, bytes]:
    """A ``.slp`` of predictions, one track a person.

    Raises:
        MissingDependency: if sleap-io is not installed.
    """
    sleap = _sleap_io()
    first = people[0]
    body = first.skeleton
    skeleton = sleap.Skeleton(nodes=list(body.joints), edges=list(body.bones), name=body.name)
    video = sleap.Video(filename=str(first.source.get("video", "video.mp4")), open_backend=False)
    frames: dict[int, list[Any]] = {}
    for person in people:
        track = sleap.Track(str(person.person))
        for index, number in enumerate(person.frames.tolist()):
            instance = sleap.PredictedInstance.from_numpy(
                person.keypoints[index].astype(np.float64),
                skeleton=skeleton,
                point_scores=person.scores[index].astype(np.float64),
                score=float(person.scores[index].mean()),
                track=track,
            )
            frames.setdefault(number, []).append(instance)
    labels = sleap.Labels(
        [sleap.LabeledFrame(video=video, frame_idx=number, instances=frames[number]) for number in sorted(frames)]
    )
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "people.slp"
        labels.save(str(file), verbose=False)
        return {path: file.read_bytes()}


def _instances(frame: Any) -> list[Any]:
    """The user's instances, and the predictions that they do not correct."""
    if not frame.user_instances:
        return list(frame.predicted_instances)
    return [*frame.user_instances, *frame.unused_predictions]


def _load(path: Path) -> Any:
    sleap = _sleap_io()
    import h5py

    try:
        with h5py.File(path) as file:
            is_analysis = "track_occupancy" in file
        return sleap.load_analysis_h5(str(path)) if is_analysis else sleap.load_slp(str(path), open_videos=False)
    except Exception as error:  # the library raises whatever a damaged file makes it stumble on
        raise Fault(f"sleap-io cannot read it ({type(error).__name__}: {str(error)[:120]})") from None


def _sleap_io() -> Any:
    try:
        import sleap_io
    except ImportError:
        raise MissingDependency("sleap-io", "sleap", "a SLEAP file") from None
    return sleap_io


FORMATS = {
    "sleap": Format(
        name="sleap",
        title="SLEAP labels or analysis",
        kind=("hdf5",),
        sniff=lambda content: True,
        read=read,
        render=render,
        holds=frozenset({"scores", "frames", "people", "person", "joints"}),
    )
}
