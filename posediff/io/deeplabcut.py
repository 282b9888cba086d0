"""DeepLabCut's CSV: rows ``scorer``, perhaps ``individuals``, ``bodyparts``, ``coords``, then one row a frame.

The coordinates are x, y and, in predictions, likelihood. An empty cell is missing. The index is the frame number, or
in labelled data an image's name, whose last number it then is. There is no fps.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from posediff.io.checks import Fault
from posediff.io.content import Content
from posediff.io.joints import named
from posediff.io.native import shortest
from posediff.io.people import Detections, frame_numbers, ids_of, sequences
from posediff.io.registry import Format
from posediff.sequence import PoseSequence

_SCORER = "posediff"


def sniff(content: Content) -> bool:
    """Whether the first row is the scorer's and one of the next two the body parts'."""
    lines = content.head.decode("utf-8", "replace").split("\n")[:4]
    heads = [line.partition(",")[0].strip('" ') for line in lines]
    return heads[0] == "scorer" and "bodyparts" in heads[1:3]


def read(content: Content, skeleton: str | None = None) -> list[PoseSequence]:
    """Every individual of the table."""
    try:
        rows = [row for row in csv.reader(io.StringIO(content.text)) if row]
    except csv.Error as error:
        raise Fault(f"it is no CSV ({error})") from None
    head = {row[0]: row for row in rows[:4] if row[0] in ("individuals", "bodyparts", "coords")}
    for name in ("bodyparts", "coords"):
        if name not in head:
            raise Fault(f"it has no row {name!r}")
    body = rows[len(head) + 1 :]
    first = next((i for i, cell in enumerate(head["coords"]) if cell in ("x", "y", "likelihood")), 0)
    width = len(head["coords"])
    wrong = [number for number, row in enumerate([*head.values(), *body]) if len(row) != width]
    if first == 0 or wrong:
        raise Fault("its rows differ in length" if first else "its row 'coords' has no x")
    if not body:
        return []
    individuals = head.get("individuals", [""] * width)[first:]
    columns = list(zip(individuals, head["bodyparts"][first:], head["coords"][first:], strict=True))
    if len(set(columns)) < len(columns):
        raise Fault("a body part's coordinate occurs twice")
    names = list(dict.fromkeys(individuals))
    joints = list(dict.fromkeys(head["bodyparts"][first:]))
    values = np.full((len(body), len(names), len(joints), 3), np.nan)
    values[..., 2] = 1.0 if "likelihood" not in head["coords"] else np.nan
    for index, (person, joint, coordinate) in enumerate(columns, start=first):
        if coordinate not in ("x", "y", "likelihood"):
            raise Fault(f"the coordinate {coordinate!r} of {joint} is none of x, y, likelihood")
        column = np.array([_number(row[index]) for row in body])
        axis = ("x", "y", "likelihood").index(coordinate)
        values[:, names.index(person), joints.index(joint), axis] = column
    frames = np.array(frame_numbers([_index(row[first - 1]) for row in body]), np.int64)
    if len(np.unique(frames)) < len(frames):
        raise Fault("a frame occurs twice")

    seen = np.isfinite(values[..., :2]).all(axis=-1).any(axis=-1)
    seen |= len(names) == 1
    rows_of, people = np.nonzero(seen)
    found = values[rows_of, people]
    detections = Detections(
        frames[rows_of], found[..., :2], np.nan_to_num(found[..., 2]), people=np.array(ids_of(names), np.int64)[people]
    )
    return sequences(detections, named(joints, skeleton), frames=frames.tolist())


def render(people: Sequence[PoseSequence], path: Path) -> dict[Path, bytes]:
    """The table of predictions; with several people, or an id, as multi-animal projects have it."""
    frames = np.unique(np.concatenate([person.frames for person in people]))
    joints = people[0].skeleton.joints
    values = np.full((len(frames), len(people), len(joints), 3), np.nan)
    for index, person in enumerate(people):
        likelihood = np.where(person.present, person.scores, np.nan)[..., None].astype(np.float32)
        rows = np.searchsorted(frames, person.frames)
        values[rows, index] = shortest(np.concatenate([person.keypoints, likelihood], axis=2))
    triples = [(f"id_{p.person}", joint, c) for p in people for joint in joints for c in ("x", "y", "likelihood")]
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["scorer", *[_SCORER] * len(triples)])
    if len(people) > 1 or people[0].person:
        writer.writerow(["individuals", *[individual for individual, _, _ in triples]])
    writer.writerow(["bodyparts", *[joint for _, joint, _ in triples]])
    writer.writerow(["coords", *[coordinate for _, _, coordinate in triples]])
    for number, row in zip(frames.tolist(), values.reshape(len(frames), -1).tolist(), strict=True):
        writer.writerow([number, *["" if value != value else repr(value) for value in row]])
    return {path: file.getvalue().encode(errors="backslashreplace")}


def _number(cell: str) -> float:
    try:
        return float(cell) if cell.strip() else np.nan
    except ValueError:
        raise Fault(f"the cell {cell!r:.40} is no number") from None


def _index(cell: str) -> str | int:
    return int(cell) if cell.isascii() and cell.isdigit() and len(cell) < 16 else cell


FORMATS = {
    "deeplabcut": Format(
        name="deeplabcut",
        title="DeepLabCut CSV",
        kind=("text",),
        sniff=sniff,
        read=read,
        render=render,
        holds=frozenset({"scores", "frames", "people", "person", "joints"}),
    )
}
