"""Sequences as datasets of the ``movement`` package, for people who work there."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from posediff.errors import BadData, MissingDependency
from posediff.io.joints import named
from posediff.io.losses import fitted
from posediff.io.native import boxes_as_list, plain, skeleton_from
from posediff.io.registry import get
from posediff.sequence import ASSUMED_FPS, PoseSequence, Stage

if TYPE_CHECKING:
    import xarray

_SPACE = ("x", "y", "z")
_DIMENSIONS = ("time", "space", "keypoints", "individuals")


def to_xarray(sequences: Sequence[PoseSequence] | PoseSequence) -> xarray.Dataset:
    """People as a poses dataset in the layout of ``movement``.

    Args:
        sequences: people with the same skeleton, fps, units and number of dimensions.

    Returns:
        ``position`` (time, space, keypoints, individuals) and ``confidence`` (time, keypoints, individuals), NaN where
        missing; time in seconds. A frame that only other people have is NaN. ``status`` goes along as a third
        variable, and what movement has no place for as JSON in ``attrs["posediff"]``.

    Raises:
        BadData: if the people do not go into one dataset.
        MissingDependency: if xarray is not installed.
    """
    try:
        import xarray
    except ImportError:
        raise MissingDependency("xarray", "xarray", "a dataset in the layout of movement") from None

    people = fitted([sequences] if isinstance(sequences, PoseSequence) else list(sequences), get("native"))
    first = people[0]
    frames = np.unique(np.concatenate([person.frames for person in people]))
    shape = (len(frames), len(first.skeleton.joints), len(people))
    position = np.full((shape[0], first.dimensions, *shape[1:]), np.nan, np.float32)
    confidence = np.full(shape, np.nan, np.float32)
    status = np.zeros(shape, np.uint8)
    for index, person in enumerate(people):
        rows = np.searchsorted(frames, person.frames)
        position[rows, :, :, index] = person.keypoints.transpose(0, 2, 1)
        confidence[rows, :, index] = np.where(person.present, person.scores, np.nan)
        status[rows, :, index] = person.status
    return xarray.Dataset(
        {
            "position": (("time", "space", "keypoints", "individuals"), position),
            "confidence": (("time", "keypoints", "individuals"), confidence),
            "status": (("time", "keypoints", "individuals"), status),
        },
        coords={
            "time": frames / first.fps,
            "space": list(_SPACE[: first.dimensions]),
            "keypoints": list(first.skeleton.joints),
            "individuals": [f"id_{person.person}" for person in people],
        },
        attrs={
            "ds_type": "poses",
            "fps": first.fps,
            "time_unit": "seconds",
            "source_software": "posediff",
            "source_file": str(first.source.get("path", "")),
            "posediff": json.dumps(_besides(people)),
        },
    )


def from_xarray(dataset: xarray.Dataset, *, skeleton: str | None = None) -> list[PoseSequence]:
    """The people of a poses dataset of ``movement``.

    Args:
        dataset: ``position`` and, if there is one, ``confidence``; dimensions named as movement names them, in the
            plural or, as its newest versions do, in the singular.
        skeleton: name of the skeleton, where the keypoints' names are not its joints' names.

    Raises:
        BadData: if the dataset is none of poses.
    """
    if "position" not in getattr(dataset, "data_vars", ()):
        raise BadData("the dataset has no variable 'position'", "give a poses dataset of movement")
    dataset = dataset.rename({one: f"{one}s" for one in ("keypoint", "individual") if one in dataset.dims})
    if "individuals" not in dataset.dims:
        dataset = dataset.expand_dims(individuals=["id_0"])
    lacking = {*_DIMENSIONS} - {*map(str, dataset["position"].dims)}
    if lacking:
        raise BadData(f"'position' lacks the dimensions {', '.join(sorted(lacking))}", "give a poses dataset")

    fps = dataset.attrs.get("fps")
    position = dataset["position"].transpose("individuals", "time", "keypoints", "space").values
    body = named([str(joint) for joint in dataset["keypoints"].values], skeleton)
    frames = _frames(dataset["time"].values, fps if dataset.attrs.get("time_unit") == "seconds" else None)
    try:
        besides = json.loads(dataset.attrs.get("posediff", "{}"))
    except (TypeError, ValueError):
        raise BadData("attrs['posediff'] is no JSON", "remove it from the dataset") from None
    if [*body.joints] == besides.get("skeleton", {}).get("joints"):
        body = skeleton_from(besides["skeleton"])
    extra: dict[str, Any] = {}
    for name, key in (("confidence", "scores"), ("status", "status")):
        if name in dataset:
            extra[key] = dataset[name].transpose("individuals", "time", "keypoints").values
    if "scores" in extra and not np.isfinite(extra["scores"]).any():
        extra.pop("scores")  # movement fills confidence with NaN where the source had none

    people = []
    for index, name in enumerate(map(str, dataset["individuals"].values)):
        own: dict[str, Any] = next((one for one in besides.get("people", ()) if f"id_{one['id']}" == name), {})
        rows = np.isin(frames, own["frames"]) if "frames" in own else slice(None)
        person = PoseSequence(
            position[index][rows],
            body,
            fps=fps or ASSUMED_FPS,
            frames=frames[rows],
            units=besides.get("units", "px"),
            image_size=tuple(besides["image_size"]) if besides.get("image_size") else None,
            stages=tuple(Stage(*stage) for stage in own.get("stages", ())),
            person=own.get("id", index),
            source=own.get("source", {"individual": name}) | ({} if fps else {"fps_assumed": True}),
            **{key: values[index][rows] for key, values in extra.items()},
        )
        if (boxes := own.get("boxes")) is not None and len(boxes) == len(person):
            person = person.replace(boxes=[box or [np.nan] * 4 for box in boxes])
        people.append(person)
    return people


def _besides(people: Sequence[PoseSequence]) -> dict[str, Any]:
    """What movement has no place for."""
    first = people[0]
    return {
        "skeleton": first.skeleton.as_dict(),
        "units": first.units,
        "image_size": plain(first.image_size),
        "people": [
            {
                "id": int(person.person),
                "frames": person.frames.tolist(),
                "boxes": None if person.boxes is None else boxes_as_list(person.boxes),
                "stages": [[stage.name, int(stage.start), int(stage.end)] for stage in person.stages],
                "source": plain(person.source),
            }
            for person in people
        ],
    }


def _frames(times: np.ndarray, fps: float | None) -> np.ndarray:
    return np.rint(np.asarray(times, np.float64) * (fps or 1)).astype(np.int64)
