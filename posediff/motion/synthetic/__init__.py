"""Synthetic motion: a forward-kinematic performer, three movements, planted faults and imperfect recordings.

>>> reference = generate("squat")
>>> fault = Fault("left_knee", 25, "bottom")
>>> query = generate("squat", faults=(fault,), recording=Recording(fps=30, noise=0.01), seed=1)
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from posediff.errors import BadSetting
from posediff.motion.angles import joint_angles
from posediff.motion.synthetic.body import SIDES, TREE, Body, Performer, forward_kinematics
from posediff.motion.synthetic.dive import Dive
from posediff.motion.synthetic.faults import JOINTS, Fault, with_faults
from posediff.motion.synthetic.movements import Movement, Squat, Swing
from posediff.motion.synthetic.recording import Recording, clock, film, spoil
from posediff.sequence import PoseSequence
from posediff.skeletons import Skeleton, get

__all__ = [
    "JOINTS",
    "MOVEMENTS",
    "Dive",
    "Fault",
    "Movement",
    "Performer",
    "PlantedFault",
    "Recording",
    "Squat",
    "Swing",
    "generate",
    "planted",
]

#: The movements by name.
MOVEMENTS: dict[str, type[Squat] | type[Swing] | type[Dive]] = {"squat": Squat, "swing": Swing, "dive": Dive}

_JOINTS = Skeleton("synthetic", ("pelvis", *TREE), ())


@dataclass(frozen=True)
class PlantedFault:
    """What a fault really does to the angle that shows it, without noise.

    Attributes:
        measure: e.g. ``left_knee_angle``.
        stage: name of the stage that the fault was planted in.
        frames: (first, end) frame numbers, end exclusive, where the effect exceeds half of its peak.
        values: mean of the angle over those frames (without the fault, with it).
        more_in: the performance in which the angle is larger, where the one with the fault is the query.
        magnitude: mean absolute effect over those frames, in degrees.
        peak: the largest absolute effect, in degrees, after the anatomical limits and as the camera sees it.
    """

    measure: str
    stage: str
    frames: tuple[int, int]
    values: tuple[float, float]
    more_in: Literal["reference", "query"]
    magnitude: float
    peak: float


def generate(
    movement: Movement | str,
    *,
    performer: Performer | None = None,
    recording: Recording | None = None,
    faults: Sequence[Fault] = (),
    skeleton: Skeleton | str = "mpii16",
    seed: int = 0,
) -> PoseSequence:
    """A performance of a movement, with its stages.

    Args:
        movement: a pattern, or the name of one with its usual parameters: ``squat``, ``swing`` or ``dive``.
        performer: size and proportions of the body, by default average.
        recording: clock, camera, noise and dropped keypoints, by default 25 frames a second of 3D without fault.
        faults: added to the pattern, within anatomical limits.
        skeleton: of the result; any of the catalogue.
        seed: of the noise and of what is dropped; nothing else is random.

    Returns:
        T frames in metres (3D, y up) or pixels (2D, y down). ``source`` holds all parameters.

    Raises:
        BadSetting: for an unknown movement, skeleton, joint or stage.
    """
    movement, performer, recording = _resolved(movement), performer or Performer(), recording or Recording()
    skeleton = get(skeleton) if isinstance(skeleton, str) else skeleton
    t, stages = clock(movement, recording)

    def body_at(times: np.ndarray) -> Body:
        return forward_kinematics(with_faults(movement.pose(times), faults, movement, times), performer)

    body = body_at(t)
    root = movement.root(t, body_at, performer, _sound_legs(faults))
    tracks = [np.mean([body[part] for part in _made_of(joint, skeleton)], axis=0) + root for joint in skeleton.joints]
    coordinates, scale = film(np.stack(tracks, axis=1), movement, recording)
    torso = scale * (performer.offset("spine")[1] + performer.offset("thorax")[1])
    flat = recording.view == "2d"
    return PoseSequence(
        keypoints=spoil(coordinates, recording.noise * torso, recording.drop, np.random.default_rng(seed)),
        skeleton=skeleton,
        fps=recording.fps,
        image_size=recording.image_size if flat else None,
        units="px" if flat else "m" if recording.zoom == 1 else "normalized",
        stages=stages,
        source=_provenance(movement, performer, recording, faults, seed),
    )


def planted(
    movement: Movement | str,
    fault: Fault,
    *,
    performer: Performer | None = None,
    recording: Recording | None = None,
    skeleton: Skeleton | str = "mpii16",
) -> PlantedFault:
    """What a fault does to the angle that shows it: the same recording with it and without, free of noise.

    Args:
        movement, performer, recording, skeleton: as for :func:`generate`.
        fault: the fault.

    Raises:
        BadSetting: as :func:`generate`, and if the skeleton cannot show the angle in that view.
    """
    ideal = dataclasses.replace(recording or Recording(), noise=0.0, drop=0.0)
    angles = []
    for faults in ((), (fault,)):
        sequence = generate(movement, performer=performer, recording=ideal, faults=faults, skeleton=skeleton)
        names, values = joint_angles(sequence)
        if fault.measure not in names:
            raise BadSetting(
                f"{fault.measure} does not show on {sequence.skeleton.name} in {ideal.view}", "choose another"
            )
        angles.append(values[:, names.index(fault.measure)])
    effect = angles[1] - angles[0]
    largest = int(np.argmax(np.abs(effect)))
    weak = np.abs(effect) <= np.abs(effect[largest]) / 2
    weak |= np.sign(effect) != np.sign(effect[largest])
    start = int(np.max(np.flatnonzero(weak[:largest]), initial=-1)) + 1
    end = largest + int(np.min(np.flatnonzero(weak[largest:]), initial=len(effect) - largest))
    end = max(end, start + 1)
    before, after = (float(values[start:end].mean()) for values in angles)
    return PlantedFault(
        measure=fault.measure,
        stage=fault.stage,
        frames=(start, end),
        values=(before, after),
        more_in="query" if after > before else "reference",
        magnitude=float(np.abs(effect[start:end]).mean()),
        peak=float(np.abs(effect[largest])),
    )


def _resolved(movement: Movement | str) -> Movement:
    if not isinstance(movement, str):
        return movement
    if movement not in MOVEMENTS:
        raise BadSetting(f"unknown movement {movement!r}", f"choose from: {', '.join(MOVEMENTS)}")
    return MOVEMENTS[movement]()


def _sound_legs(faults: Sequence[Fault]) -> list[str]:
    """The sides whose legs have no fault and so carry the body; both, where both have one."""
    faulty = {fault.joint.split("_")[0] for fault in faults if fault.joint.endswith(("_knee", "_hip", "_ankle"))}
    return [side for side in SIDES if side not in faulty] or list(SIDES)


def _made_of(joint: str, skeleton: Skeleton) -> tuple[str, ...]:
    parts = _JOINTS.parts(joint)
    if not parts:
        raise BadSetting(f"the synthetic body has no joint {joint!r} of {skeleton.name}", "choose another skeleton")
    return parts


def _provenance(
    movement: Movement, performer: Performer, recording: Recording, faults: Sequence[Fault], seed: int
) -> dict[str, Any]:
    pattern = dict(vars(movement))
    return {
        "generator": "posediff.motion.synthetic",
        "movement": {"name": type(movement).__name__.lower(), **pattern},
        "performer": dataclasses.asdict(performer),
        "recording": dataclasses.asdict(recording),
        "faults": [dataclasses.asdict(fault) for fault in faults],
        "seed": seed,
    }
