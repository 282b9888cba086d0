"""Annotations that a person has corrected in LabelMe, taken back into the estimates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import numpy as np

from posediff.errors import BadData
from posediff.io.checks import Fault
from posediff.io.content import Content
from posediff.io.labelme import VERIFIED_FRAMES, Image, approved, checked, images, remembered, sniff
from posediff.sequence import PoseSequence, Status
from posediff.skeletons import Skeleton

#: Pixels by which a point or a box must have been moved to count as corrected.
MOVED = 0.01


@dataclass(frozen=True, eq=False)
class Corrections:
    """What was corrected of one person, in N frames.

    Attributes:
        person: the person's id.
        skeleton: names of the J joints.
        frames: (N,) int64 frame numbers, increasing.
        keypoints: (N, J, 2) float64 the corrected keypoints, NaN where deleted or not corrected.
        changed: (N, J) bool: which keypoints are corrected or deleted.
        boxes: (N, 4) float64 x0, y0, x1, y1 of the corrected boxes, NaN where deleted or not corrected.
        boxed: (N,) bool: which boxes are corrected or deleted.
        approved: (N,) bool: frames whose image is flagged ``verified``.
    """

    person: int
    skeleton: Skeleton
    frames: np.ndarray
    keypoints: np.ndarray
    changed: np.ndarray
    boxes: np.ndarray
    boxed: np.ndarray
    approved: np.ndarray


def correct(
    people: Sequence[PoseSequence], folder: str | PathLike[str], *, within: range | None = None
) -> list[PoseSequence]:
    """People with the corrections of a LabelMe folder; what is in it of new people makes new ones.

    Args:
        people: the raw estimates of all people of a video, before they are finished; at least one.
        folder: of LabelMe files, see :func:`read_corrections`.
        within: the frame numbers of the video, where they are known.

    Raises:
        BadData: as :func:`read_corrections` and :func:`merge`.
    """
    if not people:
        raise BadData(f"{folder}: there is nobody to correct", "read the folder itself as the annotation")
    found = {
        one.person: one
        for one in read_corrections(folder, people[0].skeleton, within=within, size=people[0].image_size)
    }
    known = [merge(person, found.pop(person.person)) if person.person in found else person for person in people]
    new = [merge(_nobody(people[0], one), one) for one in found.values()]
    return known + [person for person in new if person.present.any()]


def read_corrections(
    folder: str | PathLike[str],
    skeleton: Skeleton,
    *,
    within: range | None = None,
    size: tuple[int, int] | None = None,
) -> list[Corrections]:
    """What a person has corrected in a LabelMe folder.

    A keypoint counts as corrected if it is flagged ``verified``, if it is not where posediff wrote it (by more than
    :data:`MOVED` px), if posediff wrote none there, or if the image as a whole is flagged ``verified``. A keypoint that
    posediff wrote and that is gone was deleted: it becomes missing, and a short gap is filled again from the frames
    around it. In an image that is flagged ``verified`` what is missing stays missing. In files from elsewhere, which do
    not say what posediff wrote, every point counts. Boxes are taken likewise. ``group_id`` is the person's id; it may
    be left out where posediff wrote one person only.

    Args:
        folder: one JSON file an image, the last number in its name the frame.
        skeleton: of the estimates.
        within: the frame numbers of the video, where they are known.
        size: width and height of the video, where they are known.

    Returns:
        One for every person of whom anything was corrected, by id.

    Raises:
        BadData: naming the file and the label, for a label that is no joint, a frame that the video does not have, a
            picture of another size, or another skeleton.
    """
    content = Content(Path(folder))
    if not content.frames or not sniff(content):
        raise BadData(f"{folder}: holds no LabelMe files", "give the folder with the corrected .json files")
    try:
        body, _ = remembered(content)
        if body is not None and body.joints != skeleton.joints:
            raise Fault(
                f"{content.frames[0].path.name}: the skeleton is {body.name}, that of the video {skeleton.name}"
            )
        found = images(content)
        _check_frames(found, within)
        _check_sizes(content, size)
        ids = {one for image in found for one in (*image.points, *image.boxes, *image.written)}
        people = [_of_person(person, sorted(found, key=lambda image: image.number), skeleton) for person in sorted(ids)]
    except Fault as fault:
        raise BadData(
            f"{folder}: {fault}", "give the frames of this video; or correct the labels, or annotate it again"
        ) from None
    return [one for one in people if one.changed.any() or one.boxed.any() or one.approved.any()]


def merge(sequence: PoseSequence, corrections: Corrections) -> PoseSequence:
    """One person's estimates with what was corrected, verified and at confidence 1.

    Frames in which the person was not found are added. What is missing in approved frames is remembered in the
    provenance, so that :func:`posediff.annotate.finish.finish` leaves it so.

    Args:
        sequence: the raw estimates.
        corrections: of the same person.

    Raises:
        BadData: if they do not belong together.
    """
    _check(sequence, corrections)
    filled = np.isfinite(corrections.keypoints[..., 0]).any(axis=1) | np.isfinite(corrections.boxes[:, 0])
    frames = np.union1d(sequence.frames, corrections.frames[filled])
    rows, inside = np.searchsorted(frames, sequence.frames), np.isin(corrections.frames, frames)
    at = np.searchsorted(frames, corrections.frames[inside])
    changed, boxed = corrections.changed[inside], corrections.boxed[inside]

    shape = (len(frames), len(sequence.skeleton.joints))
    keypoints, scores = np.full((*shape, 2), np.nan, np.float32), np.zeros(shape, np.float32)
    status, boxes = np.zeros(shape, np.uint8), np.full((len(frames), 4), np.nan, np.float32)
    keypoints[rows], scores[rows], status[rows] = sequence.keypoints, sequence.scores, sequence.status
    if sequence.boxes is not None:
        boxes[rows] = sequence.boxes
    keypoints[at] = np.where(changed[..., None], corrections.keypoints[inside], keypoints[at])
    scores[at] = np.where(changed, 1.0, scores[at])
    status[at] = np.where(changed, Status.VERIFIED, status[at])
    boxes[at] = np.where(boxed[:, None], corrections.boxes[inside], boxes[at])

    settled = sorted(approved(sequence) | set(corrections.frames[corrections.approved].tolist()))
    touched = (changed.any(axis=1) | boxed).sum()
    return sequence.replace(
        keypoints=keypoints,
        scores=scores,
        status=status,
        boxes=boxes if sequence.boxes is not None or np.isfinite(boxes).any() else None,
        frames=frames,
        source={**sequence.source, **({VERIFIED_FRAMES: settled} if settled else {})},
        step=f"merge(corrections): {changed.sum()} keypoints in {touched} frames",
    )


def _of_person(person: int, found: list[Image], skeleton: Skeleton) -> Corrections:
    shape = (len(found), len(skeleton.joints))
    keypoints, changed = np.full((*shape, 2), np.nan), np.zeros(shape, bool)
    boxes, boxed = np.full((len(found), 4), np.nan), np.zeros(len(found), bool)
    for row, image in enumerate(found):
        written = image.written.get(person)
        before = written.points if written else {}
        points = image.points.get(person, {})
        for label, point in points.items():
            column = checked(label, image, skeleton)
            place = (point.x, point.y)
            if image.verified or point.status == Status.VERIFIED or _moved(place, before.get(label)):
                keypoints[row, column], changed[row, column] = place, True
        for label in before:
            if label not in points:
                changed[row, checked(label, image, skeleton)] = True
        changed[row] |= image.verified
        box, old = image.boxes.get(person), written.box if written else None
        if box is not None and (image.verified or _moved(box, old)):
            boxes[row], boxed[row] = box, True
        boxed[row] |= box is None and old is not None
    numbers = np.array([image.number for image in found], np.int64)
    approved = np.array([image.verified for image in found])
    return Corrections(person, skeleton, numbers, keypoints, changed, boxes, boxed, approved)


def _moved(place: Sequence[float], before: Sequence[float] | None) -> bool:
    return before is None or bool(np.abs(np.subtract(place, before)).max() > MOVED)


def _check_frames(found: Sequence[Image], within: range | None) -> None:
    for image in found:
        if within is not None and image.number not in within:
            there = f"{within.start} to {within.stop - 1}"
            raise Fault(f"{image.name}: the video has no frame {image.number}, its frames are {there}")


def _check_sizes(content: Content, size: tuple[int, int] | None) -> None:
    """Refuse images that are not as large as the video is: they are another one's."""
    for frame in content.frames if size is not None else ():
        there = frame.document.get("imageWidth"), frame.document.get("imageHeight")
        if None not in there and there != size:
            large, video = (f"{width} x {height}" for width, height in (there, size or there))
            raise Fault(f"{frame.path.name}: the image is {large} pixels large, the video {video}")


def _check(sequence: PoseSequence, corrections: Corrections) -> None:
    if sequence.dimensions != 2:
        raise BadData(f"corrections are in 2D, person {sequence.person} in 3D", "correct the estimates in the image")
    if sequence.skeleton.joints != corrections.skeleton.joints:
        raise BadData(
            f"corrections are of the skeleton {corrections.skeleton.name}, the estimates of {sequence.skeleton.name}",
            "annotate the video again with that skeleton",
        )
    if sequence.person != corrections.person:
        raise BadData(
            f"corrections are of person {corrections.person}, the estimates of {sequence.person}",
            "give both of one person",
        )


def _nobody(like: PoseSequence, corrections: Corrections) -> PoseSequence:
    """A person of whom nothing is known but the corrections that are to come."""
    source = {key: value for key, value in like.source.items() if key not in ("steps", VERIFIED_FRAMES)}
    return PoseSequence(
        np.zeros((0, len(like.skeleton.joints), 2)),
        like.skeleton,
        fps=like.fps,
        image_size=like.image_size,
        person=corrections.person,
        source=source,
    )
