"""One video, from its pictures to skeletons: detect, follow, estimate, finish."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from posediff import skeletons
from posediff.annotate import detectors, estimators
from posediff.annotate.detect import Detected, detect, step
from posediff.annotate.estimate import estimate
from posediff.annotate.finish.finish import finish
from posediff.annotate.follow import follow, too_sparse
from posediff.annotate.settings import Settings
from posediff.errors import BadData, BadSetting

if TYPE_CHECKING:
    from posediff.annotate.boxes import Track
    from posediff.annotate.footage.video import Video
    from posediff.sequence import PoseSequence

#: Told as a video is worked on: frames done, and frames in all.
Progress = Callable[[int, int], None]


class Engines:
    """The models that the settings name, each loaded when it is first needed and then kept.

    Args:
        settings: see :class:`Settings`.
    """

    def __init__(self, settings: Settings) -> None:
        if settings.detector == "auto":
            settings = dataclasses.replace(settings, detector=estimators.ESTIMATORS[settings.pose][1])
        self.settings = settings

    @cached_property
    def estimator(self) -> estimators.Estimator:
        """What finds the joints."""
        return estimators.load(self.settings)

    @cached_property
    def detector(self) -> detectors.Detector:
        """What finds the people."""
        return detectors.load(self.settings)

    def load(self, *, detector: bool = True) -> None:
        """Load what was not needed yet, so that what is missing shows before the first video."""
        _ = self.estimator
        if detector:
            _ = self.detector


def look(video: Video, engines: Engines, settings: Settings, progress: Progress = lambda done, total: None) -> Detected:
    """The first pass: the boxes of everybody, found by the detector or read from the file that the settings name."""
    # Seldom and for one large person, the camera's motion would change nothing and cost as much as the decoding.
    needed = settings.boxes or settings.init_box or settings.person != "largest" or settings.detect_every == 1
    return detect(
        video,
        None if settings.boxes else engines.detector,
        boxes=Path(settings.boxes) if settings.boxes else None,
        every=settings.detect_every,
        camera=settings.camera and bool(needed) and settings.detector != "whole",
        threads=settings.threads,
        report=lambda done: progress(min(done, video.count), video.count),
    )


def tracks(detected: Detected, video: Video, settings: Settings) -> list[Track]:
    """Between the passes: who is to be annotated, and where they are.

    Raises:
        BadData: if nobody was found.
        BadSetting: if the settings name a person, a place or a frame that the video does not have.
    """
    try:
        return follow(
            detected,
            size=video.size,
            fps=video.fps,
            person=settings.person,
            init_box=settings.init_box,
            span=range(video.start, video.end),
        )
    except (BadData, BadSetting) as fault:
        raise type(fault)(f"{video.path}: {fault}", fault.hint) from None


def located(
    video: Video, engines: Engines, settings: Settings, progress: Progress = lambda done, total: None
) -> tuple[list[Track], int]:
    """The first pass, and who is to be annotated. Where frames were left out that are needed, the detector looks again.

    Args:
        video: the video.
        engines: the models.
        settings: of this video.
        progress: hears how many frames are done.

    Returns:
        The tracks, and the frames from one detection to the next.

    Raises:
        BadData: if nobody was found.
        BadSetting: if the settings name a person, a place or a frame that the video does not have.
    """
    detected = look(video, engines, settings, progress)
    try:
        found = tracks(detected, video, settings)
    except BadData:
        if settings.detect_every or step(detected.frames) <= 1:
            raise
        found = []
    if not settings.detect_every and too_sparse(found, detected):
        detected = look(video, engines, dataclasses.replace(settings, detect_every=1), progress)
        found = tracks(detected, video, settings)
    return found, step(detected.frames) or video.end - video.start


def estimated(
    video: Video, engines: Engines, settings: Settings, progress: Progress = lambda done, total: None
) -> list[PoseSequence]:
    """Both passes over a video.

    Args:
        video: the video.
        engines: the models.
        settings: of this video.
        progress: hears how many frames are done.

    Returns:
        One sequence a person, as the estimator gives them, on its own skeleton.

    Raises:
        BadData: if the video cannot be read, or nobody is in it.
    """
    count = video.count
    found, every = located(video, engines, settings, lambda done, total: progress(done // 2, count))
    people = estimate(
        video,
        found,
        engines.estimator,
        rotation=settings.rotation,
        every=every,
        threads=settings.threads,
        report=lambda done: progress((count + min(done, count)) // 2, count),
    )
    if not any(person.present.any() for person in people):
        whose = "the person" if len(found) == 1 else f"{len(found)} people"
        raise BadData(
            f"{video.path}: no pose was found in the boxes of {whose}",
            "try --rotation quarters for inverted bodies, another --pose, or look at the boxes",
        )
    if not settings.boxes:
        found_by = engines.detector.provenance
        people = [person.replace(source={**person.source, "detector": found_by}) for person in people]
    return people


def finished(people: Sequence[PoseSequence], settings: Settings) -> list[PoseSequence]:
    """Poses as they are written: on the skeleton that is wanted, without doubtful keypoints, filled in and smoothed."""
    return [
        finish(
            person,
            min_score=settings.least_score,
            max_gap=settings.max_gap,
            cutoff=settings.cutoff,
            fix_swaps=settings.fix_swaps,
        )
        for person in people
    ]


def on_skeleton(people: Sequence[PoseSequence], name: str) -> list[PoseSequence]:
    """The people on another skeleton; joints that the back end has nothing to make from are missing."""
    return [person.convert(skeletons.get(name), allow_missing=True) for person in people]
