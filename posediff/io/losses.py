"""What a format cannot hold of what the sequences have."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from posediff.errors import BadData
from posediff.sequence import PoseSequence, Status, people_named

if TYPE_CHECKING:
    from posediff.io.registry import Format


def _has_scores(person: PoseSequence) -> bool:
    return bool((person.scores != person.present).any())


def _has_status(person: PoseSequence) -> bool:
    return bool((person.status > Status.MEASURED).any())


def _has_frames(person: PoseSequence) -> bool:
    return not np.array_equal(person.frames, np.arange(len(person)))


def _has_provenance(person: PoseSequence) -> bool:
    return bool(person.source.get("steps") or set(person.source) - {"path", "format", "steps", "fps_assumed"})


#: Everything that a sequence may have and a format may lack: how to tell, and how to say it.
FEATURES: dict[str, tuple[Callable[[PoseSequence], bool], str]] = {
    "fps": (lambda person: not person.source.get("fps_assumed", False), "fps"),
    "scores": (_has_scores, "scores"),
    "status": (_has_status, "status (which keypoints are interpolated or verified)"),
    "boxes": (lambda person: person.boxes is not None, "boxes"),
    "frames": (_has_frames, "frame numbers: they start at 0 and have no gaps"),
    "stages": (lambda person: bool(person.stages), "stages"),
    "image_size": (lambda person: person.image_size is not None, "image size"),
    "units": (lambda person: person.units != "px", "units"),
    "3d": (lambda person: person.dimensions == 3, "third dimension: the front view is written"),
    "joints": (lambda person: True, "joint names"),
    "person": (lambda person: person.person != 0, "person's id"),
    "provenance": (_has_provenance, "provenance"),
}

#: Metres in a unit.
METRES = {"m": 1.0, "cm": 0.01, "mm": 0.001}

EVERYTHING = frozenset([*FEATURES, "people"])


def losses(people: Sequence[PoseSequence], form: Format) -> list[str]:
    """One sentence for everything that the people have and the format cannot hold."""
    lost = []
    for feature, (has, words) in FEATURES.items():
        if feature not in _held(form, people[0]) and any(has(person) for person in people):
            lost.append(f"{form.name} holds no {words}")
    if len(people) > 1 and "people" not in form.holds:
        lost.append(f"{form.name} holds one person: {people_named(people[1:])} left out, choose with --person")
    return lost + [sentence for person in people for sentence in form.also_loses(person)]


def _held(form: Format, person: PoseSequence) -> set[str]:
    """The features that the format holds, or that go without saying in it."""
    said = {"joints"} if form.skeletons else set()
    said |= {"units"} if form.units and person.units in METRES and person.dimensions == 3 else set()
    return said | form.holds


def fitted(people: Sequence[PoseSequence], form: Format) -> list[PoseSequence]:
    """The people as the format can hold them: the first one, the front view where it must be.

    Raises:
        BadData: if it cannot hold them at all, or they do not go into one file together.
    """
    _check(people, form)
    kept = list(people) if "people" in form.holds else [people[0]]
    if "3d" not in form.holds:
        return [front_view(person) for person in kept]
    return [in_units(person, form.units) for person in kept] if form.units else kept


def front_view(person: PoseSequence) -> PoseSequence:
    """A sequence in two dimensions: as it is, or x and, turned downwards as in images, y."""
    if person.dimensions == 2:
        return person
    return person.replace(keypoints=person.keypoints[..., :2] * np.array([1, -1], np.float32), step="front_view()")


def in_units(person: PoseSequence, units: str) -> PoseSequence:
    """A sequence in 3D in other units of length; as it is, where it is in none."""
    if person.dimensions == 2 or person.units == units or person.units not in METRES:
        return person
    keypoints = person.keypoints.astype(np.float64) * (METRES[person.units] / METRES[units])
    return person.replace(keypoints=keypoints, units=units, step=f"in_units({person.units} -> {units})")


def _check(people: Sequence[PoseSequence], form: Format) -> None:
    if not people:
        raise BadData("there are no people to write", "give at least one sequence")
    if not all(len(person) for person in people):
        raise BadData("a sequence without frames cannot be written", "give at least one frame")
    if len({person.person for person in people}) < len(people):
        raise BadData(f"people share an id: {people_named(people)}", "give every person of a file its own id")
    for name in ("skeleton", "fps", "units", "dimensions", "image_size"):
        if any(getattr(person, name) != getattr(people[0], name) for person in people):
            raise BadData(f"the people differ in {name}", "write them to one file each")
    skeleton = people[0].skeleton.name
    if form.skeletons and skeleton not in form.skeletons:
        choices = " or ".join(form.skeletons)
        raise BadData(f"{form.name} cannot hold the skeleton {skeleton}", f"convert with --skeleton {choices}")
    if form.requires == "3d" and people[0].dimensions == 2:
        raise BadData(f"{form.name} holds keypoints in 3D only, these are in 2D", "choose another format")
