"""From two files' skeletons to two bodies that can be compared: one skeleton, size, origin and heading."""

from __future__ import annotations

import numpy as np

from posediff.compare.body import Body, filled
from posediff.compare.settings import Settings
from posediff.errors import BadData
from posediff.motion.gaps import contiguous, fill_gaps
from posediff.motion.normalize import root_track, torso_length
from posediff.motion.smooth import half_width, noise_level, smooth
from posediff.sequence import PoseSequence

#: Frame numbers to a given frame from which on a sequence is no movement, and filling it up would take all memory.
SPARSEST = 100
#: Noise of a keypoint that is seen too seldom to tell, in torso lengths.
USUAL_NOISE = 0.02


def prepare(sequence: PoseSequence, settings: Settings) -> Body:
    """One performance made comparable, as far as that does not depend on the other one.

    Raises:
        BadData: if it has no frames, no keypoints, or nothing to measure its size by.
    """
    try:
        return _prepared(sequence, settings)
    except BadData as fault:
        raise BadData(f"{_named(sequence, 'the sequence')}: {fault}", fault.hint) from None


def _prepared(sequence: PoseSequence, settings: Settings) -> Body:
    if not len(sequence):
        raise BadData("it has no frames", "choose a file, a person or a frame range that has some")
    # A keypoint without any confidence is a place holder, whatever its coordinates say.
    sequence = sequence.replace(keypoints=np.where(sequence.scores[..., None] > 0, sequence.keypoints, np.nan))
    if not sequence.present.any():
        raise BadData("every joint is missing, or has confidence 0, in every frame", "check that a person was detected")
    if sequence.frames[-1] - sequence.frames[0] >= SPARSEST * len(sequence):
        raise BadData(
            f"only {len(sequence)} frames, numbered {sequence.frames[0]} to {sequence.frames[-1]}, are given",
            "check the frame numbers, or cut the part that is meant",
        )
    sequence = fill_gaps(contiguous(sequence), max_gap=settings.max_gap, method="hermite")
    noise = noise_level(sequence)
    if settings.smoothing > 0:
        sequence = smooth(sequence, method="savgol", window=settings.smoothing)
        noise = noise * np.linalg.norm(smoothing_weights(settings, sequence.fps))
    scale = torso_length(sequence)
    root = filled(root_track(sequence).astype(np.float64)[:, None])[:, 0]
    keypoints = ((sequence.keypoints - root[:, None]) / scale).astype(np.float32)
    path = (root - root[0]) / scale if sequence.dimensions == 3 else np.zeros_like(root)
    step = f"normalise(root-centred, torso length {scale:.4g} {sequence.units} = 1)"
    centred = sequence.replace(keypoints=keypoints, units="normalized", boxes=None, image_size=None, step=step)
    return Body(centred, path, np.minimum(np.nan_to_num(noise / scale, nan=USUAL_NOISE), 1.0))


def smoothing_weights(settings: Settings, fps: float) -> np.ndarray:
    """Weights that smoothing gives the frames around one: a parabola's, fitted to ``2 half + 1`` frames, at its middle.

    Their length, as a vector, is the share of white noise that is left.
    """
    half = half_width(settings.smoothing, fps) if settings.smoothing > 0 else 0
    if half < 2:
        return np.ones(1)
    return np.asarray(np.linalg.pinv(np.vander(np.arange(-half, half + 1.0), 3))[2])


def match(
    reference: PoseSequence, query: PoseSequence, settings: Settings
) -> tuple[PoseSequence, PoseSequence, list[str]]:
    """The two sequences on one skeleton and in one number of dimensions and notes.

    Raises:
        BadData: if the skeletons have no joints in common, or 3D is asked for and one has none.
    """
    notes = []
    if reference.dimensions != query.dimensions:
        raise BadData(
            f"{_named(reference, 'the reference')} is {reference.dimensions}D and "
            f"{_named(query, 'the query')} {query.dimensions}D",
            "compare files of the same kind, made from the same camera view",
        )
    if settings.view == "3d" and reference.dimensions == 2:
        raise BadData("a 3D comparison was asked for, but both files are 2D", "leave out --view 3d")
    if settings.view == "2d" or reference.dimensions == 2:
        if reference.dimensions == 3:
            reference, query = _flat(reference), _flat(query)
        notes.append("2D: both are taken to be filmed from the same direction by a level camera; turns towards or away "
                     "from the camera look like bending.")  # fmt: skip
    if reference.skeleton.joints != query.skeleton.joints:
        before = query.skeleton.name
        try:
            query = query.convert(reference.skeleton, allow_missing=True)
        except BadData as fault:
            raise BadData(f"{_named(query, 'the query')}: {fault}", fault.hint) from None
        notes.append(f"The query's skeleton {before} was converted to {reference.skeleton.name}.")
    for side, sequence in (("reference", reference), ("query", query)):
        seen = np.asarray(sequence.present.any(axis=0))
        unseen = [joint for joint, there in zip(sequence.skeleton.joints, seen.tolist(), strict=True) if not there]
        if unseen:
            notes.append(f"The {side} never shows {', '.join(unseen)}: nothing that depends on them is compared.")
        if sequence.source.get("fps_assumed"):
            notes.append(f"The {side} names no frame rate; {sequence.fps:g} frames a second are assumed.")
    return reference, query, notes


def _named(sequence: PoseSequence, otherwise: str) -> str:
    return str(sequence.source.get("path") or otherwise)


def _flat(sequence: PoseSequence) -> PoseSequence:
    flipped = sequence.keypoints[..., :2] * np.array([1.0, -1.0], np.float32)
    return sequence.replace(keypoints=flipped, step="project(x, -y)")
