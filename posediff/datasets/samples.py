"""Samples: clips as batches of tensors; their skeletons are read once and kept in memory."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

import numpy as np

from posediff.datasets import pictures
from posediff.datasets.augment import AugmentSettings, Changes, augmented, drawn
from posediff.datasets.clips import Clip
from posediff.datasets.features import Features
from posediff.datasets.poses import Centre, Posed, Scale, posed
from posediff.datasets.reading import each_clip, each_sequence
from posediff.datasets.transitions import UNKNOWN, Stages, labelled, stages_of
from posediff.errors import BadData, BadSetting, MissingDependency
from posediff.io.losses import front_view
from posediff.io.registry import split_range
from posediff.motion.gaps import fill_gaps
from posediff.sequence import PoseSequence
from posediff.skeletons import Skeleton, get

if TYPE_CHECKING:
    import torch

#: Streams of features that can be extracted.
STREAMS = ("dynamic", "static")

#: Most moments of a clip: all clips are in memory at once, and a network compares every moment with every other one.
MOST_FRAMES = 10_000
#: Largest size of a score, a difficulty or a target: float32 keeps its square, and sums of these.
LARGEST = 1e12

_LOGGER = logging.getLogger("posediff.datasets")


@dataclass(frozen=True)
class InputSettings:
    """What of a clip a network is given.

    Attributes:
        skeleton: name of the skeleton that all clips are brought to.
        frames: T, moments, evenly spread from the first to the last frame, 2 to 10,000.
        poses: whether skeletons are read.
        images: side of the square pictures in pixels, 0 for none.
        features: of ``dynamic`` and ``static``, the extracted ones that are read in place of pictures.
        features_root: folder that holds them.
        centre: ``root`` puts the root of the body at the origin in every frame, which leaves the posture; ``start`` its
            mean place in the first tenth of the clip, which keeps the body's way too; ``none`` the middle of the image
            where its size is known, else the origin of the file.
        scale: ``torso`` for torso lengths, ``none`` for the units of the file; with pictures, and ``none`` for both,
            these are the pictures' pixels.
        max_gap: longest gap of a joint that is filled (eq. 27 of HP-MCoRe), in seconds; 0 for none. What is filled has
            half the confidence of its neighbours.
        confidence: whether a keypoint has the confidence of its detector; else 1 where it is present.
        dimensions: 2, which takes the front view of clips in 3D, 3, or ``auto``: as the clips have it.

    Raises:
        BadSetting: naming every setting that cannot be used.
    """

    skeleton: str = "mpii16"
    frames: int = 96
    poses: bool = True
    images: int = 0
    features: tuple[str, ...] = ()
    features_root: str = ""
    centre: Centre = "root"
    scale: Scale = "torso"
    max_gap: float = 0.4
    confidence: bool = True
    dimensions: Literal[2, 3, "auto"] = "auto"

    def __post_init__(self) -> None:
        get(self.skeleton)
        rules = {
            f"frames is {self.frames}, expected 2 to {MOST_FRAMES:,} (memory)": 2 <= self.frames <= MOST_FRAMES,
            f"max_gap is {self.max_gap}, expected 0 or more": self.max_gap >= 0,
            f"images is {self.images}, expected 0 or more": self.images >= 0,
            f"features are {self.features}, expected dynamic, static or both": {*self.features} <= {*STREAMS},
            "features_root is empty, expected the features' folder": not self.features or bool(self.features_root),
            f"centre is {self.centre!r}, expected {', '.join(get_args(Centre))}": self.centre in get_args(Centre),
            f"scale is {self.scale!r}, expected {', '.join(get_args(Scale))}": self.scale in get_args(Scale),
            f"dimensions is {self.dimensions!r}, expected 2, 3 or auto": self.dimensions in (2, 3, "auto"),
            "poses, images and features are all off": bool(self.poses or self.images or self.features),
        }
        faults = [fault for fault, holds in rules.items() if not holds]
        if faults:
            raise BadSetting(f"InputSettings: {'; '.join(faults)}", "correct them")


class Samples:
    """Clips that can be loaded as batches.

    The skeletons of all clips are read when it is made and stay in memory, 4 T J (D + 1) bytes a clip: 18 kB for 96
    frames of 16 joints in images. Pictures and features are read with every batch.

    Attributes:
        clips: positions count in them.
        inputs: what of them is loaded.
        skeleton: of the poses.
        dimensions: of the poses, 2 or 3.

    Args:
        clips: what is to be loaded.
        inputs: what of it.
        difficulty: whether the target is the execution where a clip has a difficulty, in place of the score.
        sequences: skeletons that are in memory, by clip key; those of the other clips are read from their files.
        transitions: N, how many transitions are labelled; by default as many as the clips say. A clip that says none
            has the starts of its sequence's stages, if there are N of them inside it; where no clip says any, N is the
            number of those if all clips agree in it, and 0 if not.
        expected: what a model takes features of, for each stream, beside their number of frames: what ``described`` of
            its encoder says, for instance ``{"dynamic": {"backbone": "i3d", "snippets": 9, "length": 16}}``.

    Raises:
        BadData: if clips cannot be read or do not go together, of which it counts them and gives the first reasons, or
            if the features are not as expected.
    """

    def __init__(
        self,
        clips: Sequence[Clip],
        inputs: InputSettings,
        *,
        difficulty: bool,
        sequences: Mapping[str, PoseSequence] | None = None,
        transitions: int | None = None,
        expected: Mapping[str, Mapping[str, object]] | None = None,
    ) -> None:
        self.clips, self.inputs = tuple(clips), inputs
        self.skeleton: Skeleton = get(inputs.skeleton)
        self.dimensions: int = 2 if inputs.dimensions == "auto" else inputs.dimensions
        if not self.clips:
            raise BadData("there are no clips to load", "check the label file and the split")
        self._features = _features(self.clips, inputs, expected or {})
        self._arrays = _targets(self.clips, difficulty)
        stages = [UNKNOWN] * len(self.clips)
        if inputs.images:
            each_clip(self.clips, _has_pictures)
        if inputs.poses:
            made = each_sequence(self.clips, partial(_fitted, inputs), sequences or {})
            self.dimensions = _common_dimensions([one.posed for one in made])
            if flattened := sum(one.flattened for one in made):
                _LOGGER.warning("%d of %d clips are in 3D: only their front view is used", flattened, len(made))
            self._arrays["poses"] = np.stack([one.posed.points for one in made])
            self._arrays["confidence"] = np.stack([one.posed.confidence for one in made])
            self._arrays["room"] = np.array([one.room for one in made], np.float32)
            stages = [one.stages for one in made]
        self._arrays["transitions"] = labelled(self.clips, stages, inputs.frames, transitions)

    def __len__(self) -> int:
        return len(self.clips)

    @property
    def stages(self) -> int:
        """N, the number of labelled transitions."""
        return int(self._arrays["transitions"].shape[1])

    @property
    def targets(self) -> np.ndarray:
        """(number of clips,) float32 targets."""
        return self._arrays["target"]

    def load(
        self, positions: np.ndarray, draws: np.ndarray | None = None, augment: AugmentSettings | None = None
    ) -> dict[str, torch.Tensor]:
        """One batch.

        Args:
            positions: (B,) of the clips.
            draws: (B,) seeds of the augmentation of each; None for none.
            augment: how far it goes.

        Returns:
            ``poses`` (B, T, J, D) and ``confidence`` (B, T, J) float32, 0 where missing; ``frames`` (B, T, 3, S, S)
            uint8 RGB; ``dynamic`` and ``static`` float32; each where it is asked for. ``transitions`` (B, N) int64
            first frame of every stage but the first, -1 where unknown; ``target``, ``score`` and ``difficulty``, 1
            where it is unknown or not used, (B,) float32; ``index`` (B,) int64, the positions.

        Raises:
            BadData: if pictures or features cannot be read.
            BadSetting: if features that are extracted already would have to be augmented.
            MissingDependency: if torch, or for pictures Pillow, is not installed.
        """
        torch = _torch()
        positions = np.asarray(positions, np.int64)
        batch = {name: array[positions] for name, array in self._arrays.items()}
        batch["index"] = positions
        room = batch.pop("room", np.zeros(len(positions), np.float32))
        changes = None
        if draws is not None and augment is not None:
            changes = self._changes(batch["transitions"], np.asarray(draws), augment)
        if self.inputs.images:
            batch["frames"] = self._pictures(positions, changes)
        if self._features is not None:
            batch |= self._features.read([self.clips[position].key for position in positions])
        if changes is not None:
            batch = augmented(batch, changes, self.skeleton.mirror_order, room)
        return {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in batch.items()}

    def _changes(self, transitions: np.ndarray, draws: np.ndarray, augment: AugmentSettings) -> Changes:
        if self._features is not None and (augment.flip or augment.crop or augment.view):
            received = f"flip={augment.flip:g}, crop={augment.crop:g}, view={augment.view:g}"
            raise BadSetting(
                f"{received} cannot change features that are extracted already",
                "set them to 0, or train on pictures",
            )
        return drawn(augment, draws, transitions, (self.inputs.frames, len(self.skeleton.joints), self.dimensions))

    def _pictures(self, positions: np.ndarray, changes: Changes | None) -> np.ndarray:
        """(B, T, 3, S, S) uint8."""
        count, side = self.inputs.frames, self.inputs.images
        moments, shifts = np.tile(np.arange(count), (len(positions), 1)), np.zeros(len(positions))
        if changes is not None:
            moments, shifts = changes.moments, changes.shift
        places = [self.clips[position].images for position in positions]
        each = zip(places, moments / (count - 1), shifts, strict=True)
        return np.stack([pictures.read_pictures(place, at, side, float(shift)) for place, at, shift in each])


class _Read(NamedTuple):
    """What is kept of a clip's skeletons; ``room`` is half the width of the image that its pictures leave out."""

    posed: Posed
    stages: Stages
    room: float
    flattened: bool  # whether it was in 3D and only the front view is kept


def _fitted(inputs: InputSettings, clip: Clip, sequence: PoseSequence) -> _Read:
    if inputs.dimensions == 3 and sequence.dimensions == 2:
        raise BadData("its skeletons are in 2 dimensions", "set dimensions to 2 or auto")
    flattened = inputs.dimensions == 2 and sequence.dimensions == 3
    if flattened:
        sequence = front_view(sequence)
    sequence = fill_gaps(sequence, max_gap=inputs.max_gap)
    if not inputs.confidence:
        sequence = sequence.replace(scores=sequence.present.astype(np.float32))
    unit, size = 1.0, (0, 0)
    if inputs.images and inputs.centre == "none" and sequence.dimensions == 2 and sequence.units == "px":
        size = sequence.image_size or pictures.size_of(clip.images)
        sequence, unit = sequence.replace(image_size=size), min(size) / inputs.images
    skeleton = get(inputs.skeleton)
    made = posed(sequence, skeleton, frames=inputs.frames, centre=inputs.centre, scale=inputs.scale, unit=unit)
    return _Read(made, stages_of(sequence), max(size[0] - size[1], 0) / 2 / made.unit, flattened)


def _common_dimensions(clips: Sequence[Posed]) -> int:
    dimensions = [clip.points.shape[-1] for clip in clips]
    if len(set(dimensions)) > 1:
        raise BadData(
            f"{dimensions.count(2)} clips are in 2 dimensions and {dimensions.count(3)} in 3",
            "set dimensions to 2, which takes the front view of those in 3",
        )
    return dimensions[0]


def _targets(clips: Sequence[Clip], difficulty: bool) -> dict[str, np.ndarray]:
    def values(clip: Clip) -> dict[str, float]:
        factor = (clip.difficulty or 1.0) if difficulty else 1.0
        found = {"score": clip.score, "difficulty": factor, "target": clip.score / factor}
        faults = [f"its {name} is {value:g}" for name, value in found.items() if not abs(value) <= LARGEST]
        if faults:
            raise BadData(f"{' and '.join(faults)}, expected at most {LARGEST:g}", "correct its row in the label file")
        return found

    rows = each_clip(clips, values)
    return {name: np.array([row[name] for row in rows], np.float32) for name in ("target", "difficulty", "score")}


def _has_pictures(clip: Clip) -> None:
    if not clip.images:
        raise BadData("it has no folder of pictures", "give it one, or set images to 0")
    folder, _, _ = split_range(clip.images)
    if not folder.is_dir():
        raise BadData(f"{folder}: no such folder", "check where the pictures are")


def _features(
    clips: Sequence[Clip], inputs: InputSettings, expected: Mapping[str, Mapping[str, object]]
) -> Features | None:
    if not inputs.features:
        return None
    wanted = {stream: {**expected.get(stream, {}), "frames": inputs.frames} for stream in inputs.features}
    features = Features(Path(inputs.features_root), inputs.features, wanted)
    features.require([clip.key for clip in clips])
    return features


def _torch() -> Any:
    try:
        import torch
    except ImportError:
        raise MissingDependency("torch", "train", "loading batches") from None
    return torch
