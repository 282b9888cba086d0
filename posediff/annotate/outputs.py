"""Writing what is wanted of a video: skeletons in some formats, pictures, and frames to correct."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

import numpy as np

from posediff.annotate.drawing.contact_sheet import write_contact_sheet
from posediff.annotate.drawing.images import write_images
from posediff.annotate.drawing.overlay import write_overlay
from posediff.annotate.finish.quality import Quality
from posediff.annotate.footage.video import Video
from posediff.errors import BadSetting, CannotWrite
from posediff.io.registry import get, write
from posediff.sequence import PoseSequence

#: The formats that can be written, and how the files of a video called ``{name}`` are called in each.
FORMATS = {
    "native": "{name}.json",
    "finediving-pose": "{name}.finediving-pose.json",
    "hp-mcore": "Pose/{folder}/pred_comp_{number}.npz",
    "coco": "{name}.coco.json",
    "labelme": "{name}.labelme",
}


@dataclass(frozen=True)
class Wanted:
    """What is written for each video.

    Attributes:
        formats: of :data:`FORMATS`.
        overlay: the video with the skeletons drawn.
        contact_sheet: a PNG of its frames with the skeletons drawn.
        check: as many of the frames to check first, as LabelMe files with their images.
    """

    formats: tuple[str, ...] = ("native",)
    overlay: bool = False
    contact_sheet: bool = False
    check: int = 0


class Written(NamedTuple):
    """What was written of a video; paths are relative to the folder of outputs.

    Attributes:
        files: posediff's own.
        folders: of LabelMe files, which are a person's to edit.
        notes: what there is to say about what was not written.
    """

    files: tuple[str, ...]
    folders: tuple[str, ...]
    notes: tuple[str, ...]


def check_skeleton(formats: Sequence[str], skeleton: str) -> None:
    """Refuse formats that cannot hold a skeleton.

    Raises:
        BadSetting: naming the format and the skeletons that it can hold.
    """
    for form in formats:
        held = get(form).skeletons
        if held and skeleton not in held:
            raise BadSetting(f"{form} cannot hold the skeleton {skeleton}", f"give --skeleton {' or '.join(held)}")


def path_of(form: str, name: str) -> str:
    """Where a format of a video goes. HP-MCoRe's clips are called ``competition/n``; others count as its only clip."""
    folder, _, number = name.rpartition("/")
    return FORMATS[form].format(name=name, folder=folder or name, number=number if folder else 0)


def write_outputs(
    name: str, out: Path, video: Video, people: Sequence[PoseSequence], figures: Sequence[Quality], wanted: Wanted
) -> Written:
    """Write everything that is wanted of a video.

    Folders of LabelMe files are a person's to edit: one that is there stays as it is, which is told.

    Raises:
        BadData: if a format cannot hold the people.
        CannotWrite: if the file system refuses.
    """
    files: list[str] = []
    folders: list[str] = []
    notes: list[str] = []
    for form in wanted.formats:
        path = path_of(form, name)
        if form == "labelme":
            folders.append(path)
            notes += _labelme(out / path, video, people, None)
        else:
            write(out / path, people, format=form)
            files.append(path)
    check = {one.frame: one.reason for figure in figures for one in figure.check}
    if wanted.check:
        folders.append(f"{name}.check")
        notes += _labelme(out / folders[-1], video, people, worth_checking(figures, video.numbers, wanted.check))
    if wanted.contact_sheet:
        write_contact_sheet(video, people, out / f"{name}.png", frames=check)
        files.append(f"{name}.png")
    if wanted.overlay:
        write_overlay(video, people, out / f"{name}.overlay.mp4")
        files.append(f"{name}.overlay.mp4")
    kept = (path for path in folders if (out / path).is_dir())
    return Written(tuple(files), tuple(kept), tuple(notes))


def worth_checking(figures: Sequence[Quality], numbers: np.ndarray, count: int) -> list[int]:
    """As many frames as are wanted, in order: those that look wrong, and then some that are spread over the video.

    Args:
        figures: of every person; of several, the worst frame of each comes before the second one of anybody.
        numbers: (T,) the video's frame numbers.
        count: how many frames.
    """
    ranked = zip_longest(*([one.frame for one in figure.check] for figure in figures))
    wrong = [frame for rank in ranked for frame in rank if frame is not None]
    spread = numbers[np.linspace(0, len(numbers) - 1, min(count, len(numbers))).round().astype(int)]
    return sorted([*dict.fromkeys([*wrong, *spread.tolist()])][:count])


def _labelme(folder: Path, video: Video, people: Sequence[PoseSequence], frames: Sequence[int] | None) -> list[str]:
    """Write frames with their images for LabelMe, all of them or some, unless the folder exists.

    The folder appears whole or not at all, since one that is there is never written to again. Frames that cannot be
    decoded are left out.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        return [f"{folder.name} is left as it is: move it away to have it written anew"]
    known = {int(number) for one in people for number in one.frames} & {int(number) for number in video.numbers}
    wanted = known if frames is None else known & {*frames}
    build = _building(folder)
    try:
        images = write_images(video, wanted, build / "images", damaged=True)
        chosen = [one.select(np.isin(one.frames, [int(image.stem) for image in images])) for one in people]
        people = [one for one in chosen if len(one)]
        if not people:
            return [f"{folder.name} is not written: nobody is in the frames to check"]
        write(build / "labels", people, format="labelme")
        for image in images:
            os.replace(image, build / "labels" / image.name)
        os.replace(build / "labels", folder)
    except OSError as error:
        raise CannotWrite(f"{folder}: cannot be written ({error.strerror})", "choose another place") from None
    finally:
        shutil.rmtree(build, ignore_errors=True)
    return []


def _building(folder: Path) -> Path:
    """A new folder beside another one, of a name by which the next run removes it if this one is killed."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name[:40]}.", suffix=".part"))
    except OSError as error:
        raise CannotWrite(f"{folder}: cannot be written ({error.strerror})", "choose another place") from None
