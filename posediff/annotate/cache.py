"""The skeletons of a video, annotated once and then remembered."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from posediff.annotate.batch.records import settings_hash
from posediff.annotate.footage.video import content_hash, open_video
from posediff.annotate.pipeline import Engines, Progress, estimated, finished, on_skeleton
from posediff.annotate.settings import Settings
from posediff.errors import CannotWrite, PosediffError
from posediff.io.registry import Location, read, write
from posediff.weights.files import cache_folder

if TYPE_CHECKING:
    from posediff.sequence import PoseSequence


def skeletons_of(
    location: Location,
    settings: Settings | None = None,
    *,
    progress: Progress = lambda done, total: None,
) -> list[PoseSequence]:
    """The people of a video, from the cache where it was annotated before.

    Args:
        location: a video or a folder of images; ``path#34:69`` for a range of frames.
        settings: by default those of ``posediff annotate``.
        progress: hears how many frames are done.

    Raises:
        BadData: if the video cannot be read, or nobody is in it.
        MissingDependency: if a library for videos is not installed.
    """
    settings = settings or Settings()
    key = f"{content_hash(location)[:32]}-{settings_hash(settings.resolved())[:16]}"
    path = cache_folder("skeletons") / f"{key}.json"
    try:
        return [_named(person, location) for person in read(path)]
    except PosediffError:
        pass  # not there, or damaged
    video = open_video(location, fps=settings.fps)
    raw = estimated(video, Engines(settings), settings, progress)
    people = finished(on_skeleton(raw, settings.skeleton), settings)
    with suppress(CannotWrite):
        write(path, people)
    return [_named(person, location) for person in people]


def _named(person: PoseSequence, location: Location) -> PoseSequence:
    return person.replace(source={**person.source, "path": str(Path(location)), "format": "video"})
