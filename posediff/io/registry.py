"""The file formats, and reading and writing by them."""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from os import PathLike
from pathlib import Path
from typing import Any

from posediff import skeletons
from posediff.errors import BadData, BadSetting
from posediff.io.checks import Fault, bad, shown
from posediff.io.content import Content
from posediff.io.files import write_files
from posediff.io.formats import FORMATS
from posediff.io.losses import fitted, losses
from posediff.sequence import PoseSequence, people_named

Location = str | PathLike[str]

_LOGGER = logging.getLogger(__name__)

#: What content of no known format is called, besides "a ... file".
_UNKNOWN = {
    "json": "JSON of no known format",
    "folder": "a folder of no known format",
    "text": "text of no known format",
    "image": "an image",
}

_FRAME = r"(?:-?\d{1,15})?"
_RANGE = re.compile(rf"(?P<path>.*)#(?P<start>{_FRAME}):(?P<end>{_FRAME})", re.DOTALL)


@dataclass(frozen=True)
class Format:
    """A file format.

    Attributes:
        name: as ``--to`` takes it.
        title: what it is, for people.
        kind: what it is stored as: one or several of the kinds of :class:`posediff.io.content.Content`.
        sniff: whether content of that kind is of this format.
        read: every person in the content; the argument names the skeleton where the format does not. Raises Fault.
        render: the bytes of every file that is to be written, by path, for a target path.
        holds: what it can keep, of :data:`posediff.io.losses.FEATURES`.
        skeletons: the skeletons that it can hold, by name; empty for any.
        requires: ``3d`` where it cannot hold two dimensions.
        units: the units that keypoints in 3D always have in it.
        also_loses: sentences about a person for what is not a matter of features.
    """

    name: str
    title: str
    kind: tuple[str, ...]
    sniff: Callable[[Content], bool]
    read: Callable[[Content, str | None], list[PoseSequence]]
    render: Callable[[Sequence[PoseSequence], Path], dict[Path, bytes]]
    holds: frozenset[str]
    skeletons: tuple[str, ...] = ()
    requires: str = ""
    units: str = ""
    also_loses: Callable[[PoseSequence], list[str]] = lambda person: []


def get(name: str) -> Format:
    """A format by its name.

    Raises:
        BadSetting: if there is none of that name.
    """
    if name not in FORMATS:
        raise BadSetting(f"unknown format {name!r}", f"choose one of: {', '.join(FORMATS)}")
    module = import_module(f"posediff.io.{FORMATS[name]}")
    formats: Mapping[str, Format] = module.FORMATS
    return formats[name]


def read(
    location: Location, *, format: str | None = None, skeleton: str | None = None, fps: float | None = None
) -> list[PoseSequence]:
    """Every person in a file or a folder of keypoints, whatever its format.

    Args:
        location: a path; ``path#34:68`` keeps the frame numbers 34 up to, not including, 68.
        format: name of the format; by default the content tells it.
        skeleton: name of the skeleton, for a file that does not name its joints.
        fps: frames a second, in place of what the file says. Where neither says it, 25 is assumed and
            ``source["fps_assumed"]`` is true.

    Raises:
        BadData: if the file cannot be understood, naming every fault and its place.
        BadSetting: if the format, the skeleton or fps is none.
    """
    if skeleton is not None:
        skeletons.get(skeleton)
    check_fps(fps)
    named = None if format is None else get(format)
    path, start, end = split_range(location)
    content = Content(path)
    form = named or recognised(content)
    if content.kind not in form.kind:
        raise BadData(f"{path}: is a {content.kind} and not {form.title}", "leave the format out, to let it be found")
    try:
        people = form.read(content, skeleton)
    except Fault as fault:
        raise bad(path, [str(fault)], f"it was read as {form.title}") from None
    except (BadData, BadSetting) as error:
        message = str(error) if str(error).startswith(str(path)) else f"{path}: {error}"
        raise type(error)(message, error.hint) from None
    if not people:
        raise BadData(f"{path}: holds no people", f"it was read as {form.title}")
    if not any(len(person) for person in people):
        raise BadData(f"{path}: holds no frames", f"it was read as {form.title}")
    people = [_with_provenance(person, path, form.name) for person in people if len(person)]
    if fps is not None:
        people = [at_fps(person, fps) for person in people]
    for one in people:
        details = one.person, len(one), one.fps, one.skeleton.name
        _LOGGER.info("read %r as %s: person %d, %d frames at %g fps, %r", str(path), form.name, *details)
    return people if start is None and end is None else _between(people, start, end, path)


def check_fps(fps: float | None) -> None:
    """Refuse a number of frames a second that is none; None is no number given."""
    if fps is not None and not (math.isfinite(fps) and 0 < fps <= 100_000):
        raise BadSetting(f"fps is {fps}", "give a positive number of frames a second")


def at_fps(person: PoseSequence, fps: float) -> PoseSequence:
    """A person at the frame rate that is right, in place of what the file says; nothing is resampled."""
    source = dict(person.source)
    if not source.pop("fps_assumed", False) and fps != person.fps:
        source["steps"] = [*source["steps"], f"fps({person.fps:g} -> {fps:g})"]
    return person.replace(fps=fps, source=source)


def read_person(location: Location, *, person: int | None = None, **options: Any) -> PoseSequence:
    """One person of a file; see :func:`read`.

    Args:
        location: as for :func:`read`.
        person: the person's id; may be left out where there is only one.
        options: ``format``, ``skeleton`` and ``fps`` as for :func:`read`.

    Raises:
        BadData: if there are several people and none is chosen, or the chosen one is not there.
    """
    return the_person(read(location, **options), person, location)


def the_person(people: Sequence[PoseSequence], person: int | None, location: Location) -> PoseSequence:
    """One of several people, by id, or the only one; errors as for :func:`read_person`."""
    chosen = people if person is None else [one for one in people if one.person == person]
    if len(chosen) == 1:
        return chosen[0]
    if not chosen:
        raise BadData(f"{location}: has no person {person}", f"its people are: {people_named(people)}")
    raise BadData(f"{location}: holds several people: {people_named(people)}", "choose one with --person ID")


def write(location: Location, sequences: Sequence[PoseSequence] | PoseSequence, *, format: str = "native") -> list[str]:
    """Write people to a file or a folder, whole or not at all.

    Args:
        location: a path; the folder formats (OpenPose, LabelMe) write a folder there, which must be new or empty.
        sequences: the people.
        format: name of the format.

    Returns:
        One sentence for everything that they have and the format cannot hold.

    Raises:
        BadData: if the format cannot hold them at all, or they do not go into one file together.
        CannotWrite: if the file system refuses; nothing is left behind.
    """
    form = get(format)
    people = [sequences] if isinstance(sequences, PoseSequence) else list(sequences)
    kept = fitted(people, form)
    path = Path(location)
    write_files(form.render(kept, path), folder=path if form.kind[0] == "folder" else None)
    return losses(people, form)


def split_range(location: Location) -> tuple[Path, int | None, int | None]:
    """Path, first frame and end frame of ``path#first:end``; a file that is literally named so wins."""
    path = Path(location)
    match = _RANGE.fullmatch(str(location))
    if match is None or _exists(path):
        return path, None, None
    start, end = (int(match[name]) if match[name] else None for name in ("start", "end"))
    return Path(match["path"]), start, end


def is_video(location: Location) -> bool:
    """Whether a video file lies there, or a folder that holds images and no JSON."""
    path, _, _ = split_range(location)
    try:
        content = Content(path)
        return content.kind == "video" or (content.is_folder and content.holds_pictures)
    except BadData:
        return False


def recognised(content: Content) -> Format:
    """The format that the content is of.

    Raises:
        BadData: if it is of none.
    """
    for name in FORMATS:
        form = get(name)
        if content.kind in form.kind and form.sniff(content):
            return form
    hint = f"readable are: {', '.join(get(name).title for name in FORMATS)}"
    if content.kind == "video":
        hint = "posediff annotate writes the skeletons of the people in it"
    kind = _UNKNOWN.get(content.kind, f"a {content.kind} file")
    raise BadData(f"{content.path}: is {kind}, not keypoints", hint)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def _with_provenance(person: PoseSequence, path: Path, form: str) -> PoseSequence:
    source = {"steps": [], **person.source}
    if not isinstance(source["steps"], list):
        raise BadData(f"{path}: source.steps is {shown(source['steps'])}, expected a list", "correct the file")
    if "path" in source:
        source.setdefault("origin", source["path"])
    return person.replace(source={**source, "path": str(path), "format": form})


def _between(people: list[PoseSequence], start: int | None, end: int | None, path: Path) -> list[PoseSequence]:
    cut = []
    reason = BadData("")
    for person in people:
        try:
            cut.append(person.between(start, end))
        except BadData as error:
            reason = error
    if not cut:
        raise BadData(f"{path}: {reason}", reason.hint)
    return cut
