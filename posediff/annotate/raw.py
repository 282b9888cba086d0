"""The poses of a video as the back ends gave them, kept as plain arrays."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from posediff.errors import BadData
from posediff.io.checks import Fault
from posediff.io.files import write_files
from posediff.io.native import plain, skeleton_from
from posediff.sequence import PoseSequence

FORMAT = "posediff.raw/1"

_ARRAYS = ("frames", "keypoints", "scores", "boxes")


def write_raw(path: Path, people: Sequence[PoseSequence]) -> None:
    """Keep the people of a video, whole or not at all.

    Args:
        path: the file, an archive of arrays.
        people: one or more, on one skeleton, with boxes.

    Raises:
        CannotWrite: if the file system refuses.
    """
    first = people[0]
    about = {
        "format": FORMAT,
        "skeleton": first.skeleton.as_dict(),
        "fps": first.fps,
        "image_size": first.image_size and [*map(int, first.image_size)],
        "source": plain(first.source),
        "people": [person.person for person in people],
    }
    arrays = {f"{row}.{name}": getattr(person, name) for row, person in enumerate(people) for name in _ARRAYS}
    file = io.BytesIO()
    np.savez_compressed(file, about=np.frombuffer(json.dumps(about).encode(), np.uint8), **arrays)
    write_files({path: file.getvalue()})


def read_raw(path: Path) -> list[PoseSequence]:
    """The people of a file of :func:`write_raw`.

    Raises:
        BadData: if it is damaged, or no such file.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            about = json.loads(archive["about"].tobytes())
            if about["format"] != FORMAT:
                raise ValueError(f"its format is {about['format']}")
            skeleton = skeleton_from(about["skeleton"])
            size = about["image_size"]
            return [
                PoseSequence(
                    skeleton=skeleton,
                    fps=about["fps"],
                    image_size=size and tuple(size),
                    person=person,
                    source=about["source"],
                    **{name: archive[f"{row}.{name}"] for name in _ARRAYS},
                )
                for row, person in enumerate(about["people"])
            ]
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, Fault) as error:
        raise BadData(f"{path}: holds no raw poses ({error})", "it is made again from the video") from None
