"""PoseSequence: one person's skeleton over time, the type that every layer takes and returns."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np

from posediff.errors import BadData
from posediff.skeletons import Skeleton, conversion

UNITS = ("px", "m", "cm", "mm", "normalized")
ASSUMED_FPS = 25.0


class Status(IntEnum):
    """Where a keypoint comes from."""

    MISSING = 0
    MEASURED = 1
    INTERPOLATED = 2
    VERIFIED = 3


@dataclass(frozen=True)
class Stage:
    """A named part of the movement: frame numbers ``start`` to ``end``, ``end`` exclusive."""

    name: str
    start: int
    end: int


@dataclass(frozen=True, eq=False)
class PoseSequence:
    """One person's keypoints over time. Arrays are validated once, here, and are read-only.

    Attributes:
        keypoints: (T, J, D) float32, D 2 or 3, NaN where missing. In images y grows downwards; in 3D y is up.
        skeleton: names of the J joints.
        fps: frames a second.
        scores: (T, J) float32 confidence in [0, 1], 0 where missing; by default 1 where a keypoint is present.
        status: (T, J) uint8 of :class:`Status`; by default measured where present.
        boxes: (T, 4) float32, x0 y0 x1 y1 in pixels, or None.
        frames: (T,) int64 frame numbers in the video, strictly increasing; by default 0 to T - 1.
        image_size: (width, height) in pixels, or None.
        units: one of ``px, m, cm, mm, normalized``.
        stages: named frame ranges, in the numbering of ``frames``.
        person: the person's id in the file.
        source: provenance; ``source["steps"]`` lists every transform that was applied, in order.

    Raises:
        BadData: naming every fault at once.
    """

    keypoints: np.ndarray
    skeleton: Skeleton
    fps: float = ASSUMED_FPS
    scores: np.ndarray = None  # type: ignore[assignment]  # filled in by __post_init__
    status: np.ndarray = None  # type: ignore[assignment]  # filled in by __post_init__
    boxes: np.ndarray | None = None
    frames: np.ndarray = None  # type: ignore[assignment]  # filled in by __post_init__
    image_size: tuple[int, int] | None = None
    units: str = "px"
    stages: tuple[Stage, ...] = ()
    person: int = 0
    source: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.skeleton, Skeleton):
            raise BadData(
                f"skeleton is {self.skeleton!r}, expected a Skeleton", "posediff.skeletons.get(name) gives one"
            )
        keypoints = _array(self.keypoints, np.float32, "keypoints")
        joints = len(self.skeleton.joints)
        if keypoints.ndim != 3 or keypoints.shape[1] != joints or keypoints.shape[2] not in (2, 3):
            raise BadData(
                f"keypoints have shape {keypoints.shape}, expected (frames, {joints}, 2 or 3) for {self.skeleton.name}",
                "name the skeleton that the keypoints belong to",
            )
        faults = []
        if np.isinf(keypoints).any():
            faults.append(f"keypoints are infinite in {_places(np.isinf(keypoints).any(axis=2), self.skeleton)}")
        present = np.isfinite(keypoints).all(axis=2)
        keypoints = np.where(present[..., None], keypoints, np.float32(np.nan))
        count = len(keypoints)

        scores = _or_default(self.scores, present, np.float32, "scores")
        status = _or_default(self.status, np.where(present, Status.MEASURED, Status.MISSING), np.uint8, "status")
        frames = _or_default(self.frames, np.arange(count), np.int64, "frames")
        boxes = None if self.boxes is None else _array(self.boxes, np.float32, "boxes")
        shapes = {
            "scores": (scores, (count, joints)),
            "status": (status, (count, joints)),
            "frames": (frames, (count,)),
        }
        if boxes is not None:
            shapes["boxes"] = (boxes, (count, 4))
        for name, (value, shape) in shapes.items():
            if value.shape != shape:
                faults.append(f"{name} have shape {value.shape}, expected {shape}")
        if faults:
            raise BadData("; ".join(faults), "give every array one row a frame and one column a joint")

        scores = np.where(present, np.nan_to_num(scores, nan=0.0), np.float32(0))
        if ((scores < 0) | (scores > 1)).any():
            faults.append(f"scores lie between {scores.min():.3g} and {scores.max():.3g}, expected 0 to 1")
        if (status > max(Status)).any():
            faults.append(f"status holds {status.max()}, expected 0 to {max(Status):d}")
        status = np.where(present, np.where(status == Status.MISSING, Status.MEASURED, status), Status.MISSING)
        if (frames[1:] <= frames[:-1]).any():
            faults.append("frames do not increase")
        if not (np.isfinite(self.fps) and 1e-3 <= self.fps <= 100_000):
            faults.append(f"fps is {self.fps}, expected 0.001 to 100000")
        if self.units not in UNITS:
            faults.append(f"units are {self.units!r}, expected one of {', '.join(UNITS)}")
        if self.image_size is not None and not (len(self.image_size) == 2 and min(self.image_size) > 0):
            faults.append(f"image_size is {self.image_size}, expected (width, height)")
        faults += [
            f"stage {s.name!r} ends at {s.end}, before it starts at {s.start}" for s in self.stages if s.end <= s.start
        ]
        if faults:
            raise BadData("; ".join(faults), "correct the values, or mark missing keypoints as NaN")

        arrays = {"keypoints": keypoints, "scores": scores.astype(np.float32), "status": status.astype(np.uint8)}
        for name, value in {**arrays, "frames": frames, "boxes": boxes}.items():  # type: ignore[assignment]
            if value is not None:
                value.setflags(write=False)
            object.__setattr__(self, name, value)
        object.__setattr__(self, "source", MappingProxyType(dict(self.source)))
        object.__setattr__(self, "fps", float(self.fps))
        object.__setattr__(self, "stages", tuple(self.stages))
        if self.image_size is not None:
            object.__setattr__(self, "image_size", tuple(self.image_size))

    def __reduce__(self) -> tuple[Any, ...]:
        """Made anew from its attributes, since the view of the provenance cannot be pickled or copied itself."""
        values = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        return partial(PoseSequence, **{**values, "source": dict(self.source)}), ()

    def __len__(self) -> int:
        return len(self.keypoints)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PoseSequence):
            return NotImplemented
        return all(_same(getattr(self, f.name), getattr(other, f.name)) for f in dataclasses.fields(self))

    @property
    def dimensions(self) -> int:
        """2 or 3."""
        return int(self.keypoints.shape[2])

    @property
    def present(self) -> np.ndarray:
        """(T, J) bool: where a keypoint is known."""
        return np.asarray(self.status != Status.MISSING)

    @property
    def times(self) -> np.ndarray:
        """(T,) seconds since frame 0 of the video."""
        return self.frames / self.fps

    def joint(self, name: str) -> np.ndarray:
        """Track of a joint, or of the midpoint that stands for it; NaN where any part is missing.

        Returns:
            (T, D) float32.

        Raises:
            BadSetting: if the skeleton has nothing to make the joint from.
        """
        parts = self.skeleton.parts(name)
        if not parts:
            self.skeleton.index(name)
        return self.keypoints[:, [self.skeleton.index(part) for part in parts]].mean(axis=1)

    def replace(self, *, step: str | None = None, **changes: Any) -> PoseSequence:
        """A copy with some attributes changed and, in its provenance, what was done.

        Where keypoints change and scores or status are not given, those stay as they are, save where a keypoint
        appears or vanishes.
        """
        if step is not None:
            steps = [*self.source.get("steps", ()), step]
            changes["source"] = {**changes.get("source", self.source), "steps": steps}
        return dataclasses.replace(self, **changes)

    def select(self, keep: np.ndarray | slice) -> PoseSequence:
        """The frames that an index, a mask or a slice keeps; frame numbers and stages stay as they are."""
        return dataclasses.replace(
            self,
            keypoints=self.keypoints[keep],
            scores=self.scores[keep],
            status=self.status[keep],
            frames=self.frames[keep],
            boxes=None if self.boxes is None else self.boxes[keep],
        )

    def between(self, start: int | None, end: int | None) -> PoseSequence:
        """The frames whose numbers lie from ``start`` up to, not including, ``end``; stages are cut to them.

        Raises:
            BadData: if no frame is left.
        """
        low = self.frames[0] if start is None and len(self) else (start or 0)
        high = self.frames[-1] + 1 if end is None and len(self) else (end or 0)
        cut = self.select((self.frames >= low) & (self.frames < high))
        if not len(cut):
            have = f"{self.frames[0]} to {self.frames[-1]}" if len(self) else "none"
            raise BadData(f"no frame lies in {low}:{high}; there are {have}", "the end of a range is exclusive")
        stages = (Stage(s.name, max(s.start, int(low)), min(s.end, int(high))) for s in self.stages)
        return cut.replace(stages=tuple(s for s in stages if s.end > s.start), step=f"between({low}, {high})")

    def convert(self, skeleton: Skeleton, *, allow_missing: bool = False) -> PoseSequence:
        """The same person on another skeleton: joints by name, midpoints where anatomy allows.

        A midpoint has the least confidence and the least certain status of its parts.

        Args:
            skeleton: the target.
            allow_missing: leave a joint missing that cannot be made, instead of an error.

        Raises:
            BadData: naming the joints that cannot be made.
        """
        if skeleton.joints == self.skeleton.joints:
            return self.replace(skeleton=skeleton)
        recipes = conversion(self.skeleton, skeleton, allow_missing=allow_missing)
        count = len(self)
        keypoints = np.full((count, len(recipes), self.dimensions), np.nan, np.float32)
        scores = np.zeros((count, len(recipes)), np.float32)
        status = np.zeros((count, len(recipes)), np.uint8)
        certainty = np.array([0, 2, 1, 3], np.uint8)  # missing < interpolated < measured < verified; its own inverse
        for joint, parts in enumerate(recipes):
            if parts:
                keypoints[:, joint] = self.keypoints[:, parts].mean(axis=1)
                scores[:, joint] = self.scores[:, parts].min(axis=1)
                status[:, joint] = certainty[certainty[self.status[:, parts]].min(axis=1)]
        step = f"convert({self.skeleton.name} -> {skeleton.name})"
        return self.replace(keypoints=keypoints, scores=scores, status=status, skeleton=skeleton, step=step)


def _array(value: Any, dtype: Any, name: str) -> np.ndarray:
    try:
        with np.errstate(over="ignore", invalid="ignore"):  # what float32 cannot hold becomes infinite, told as such
            array = np.array(value, dtype=dtype)
    except (TypeError, ValueError, OverflowError) as error:
        raise BadData(f"{name} are not a regular array of numbers ({error})", "give one number a coordinate") from None
    if array.dtype.kind != "f":
        given = np.asarray(value)
        changed = given[array.astype(given.dtype) != given]
        if changed.size:
            raise BadData(f"{name} hold {changed[0]}, expected whole numbers that fit {array.dtype}", "correct them")
    return array


def _or_default(value: Any, default: np.ndarray, dtype: Any, name: str) -> np.ndarray:
    return default.astype(dtype) if value is None else _array(value, dtype, name)


def _places(marked: np.ndarray, skeleton: Skeleton, most: int = 3) -> str:
    """Name the first (frame, joint) places that are marked."""
    where = np.argwhere(marked)
    named = [f"frame {frame} {skeleton.joints[joint]}" for frame, joint in where[:most]]
    return ", ".join(named) + (f" and {len(where) - most} more" if len(where) > most else "")


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        return bool(np.array_equal(one, other, equal_nan=True))
    return bool(one == other)


def people_named(sequences: Sequence[PoseSequence]) -> str:
    """The ids of several people, for a message."""
    return ", ".join(str(sequence.person) for sequence in sequences)
