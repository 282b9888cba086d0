"""Synthetic motion: a forward-kinematic performer, movements, planted faults and variations, imperfect recordings.

>>> reference = generate("squat")
>>> fault = Fault("left_knee", 25, "bottom")
>>> query = generate("squat", faults=(fault,), recording=Recording(fps=30, noise=0.01), seed=1)
>>> deeper = varied("squat", {"depth": 1.0})
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from posediff.errors import BadSetting
from posediff.motion.angles import joint_angles
from posediff.motion.synthetic.body import SIDES, TREE, Body, Performer, forward_kinematics
from posediff.motion.synthetic.dive import DIVE_VARIATIONS, Dive
from posediff.motion.synthetic.faults import JOINTS, Fault, with_faults
from posediff.motion.synthetic.free_throw import FREE_THROW_VARIATIONS, FreeThrow
from posediff.motion.synthetic.lunge import LUNGE_VARIATIONS, Lunge
from posediff.motion.synthetic.movements import Movement
from posediff.motion.synthetic.raises import (
    FRONT_RAISE_VARIATIONS,
    SHOULDER_RAISE_VARIATIONS,
    FrontRaise,
    ShoulderRaise,
)
from posediff.motion.synthetic.recording import Recording, clock, film, spoil
from posediff.motion.synthetic.serve import SERVE_VARIATIONS, Serve
from posediff.motion.synthetic.sit_to_stand import SIT_TO_STAND_VARIATIONS, SitToStand
from posediff.motion.synthetic.squat import SQUAT_VARIATIONS, Squat
from posediff.motion.synthetic.swing import SWING_VARIATIONS, Swing
from posediff.motion.synthetic.variation import Variation, apply
from posediff.sequence import PoseSequence
from posediff.skeletons import Skeleton, get

__all__ = [
    "JOINTS",
    "MOVEMENTS",
    "VARIATIONS",
    "Dive",
    "Fault",
    "FreeThrow",
    "FrontRaise",
    "Lunge",
    "Movement",
    "Performer",
    "PlantedFault",
    "Recording",
    "Serve",
    "ShoulderRaise",
    "SitToStand",
    "Squat",
    "Swing",
    "Variation",
    "generate",
    "planted",
    "varied",
]

#: The movements by name.
MOVEMENTS: dict[str, type[Movement]] = {
    "squat": Squat,
    "swing": Swing,
    "dive": Dive,
    "lunge": Lunge,
    "sit_to_stand": SitToStand,
    "shoulder_raise": ShoulderRaise,
    "front_raise": FrontRaise,
    "free_throw": FreeThrow,
    "serve": Serve,
}
#: What can be different about a movement, by the name of the movement and of the difference.
VARIATIONS: dict[str, Mapping[str, Variation]] = {
    "squat": SQUAT_VARIATIONS,
    "swing": SWING_VARIATIONS,
    "dive": DIVE_VARIATIONS,
    "lunge": LUNGE_VARIATIONS,
    "sit_to_stand": SIT_TO_STAND_VARIATIONS,
    "shoulder_raise": SHOULDER_RAISE_VARIATIONS,
    "front_raise": FRONT_RAISE_VARIATIONS,
    "free_throw": FREE_THROW_VARIATIONS,
    "serve": SERVE_VARIATIONS,
}

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
        movement: a pattern, or the name of one in :data:`MOVEMENTS` with its usual parameters.
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


def varied(
    movement: Movement | str,
    amounts: Mapping[str, float],
    *,
    performer: Performer | None = None,
    recording: Recording | None = None,
    skeleton: Skeleton | str = "mpii16",
    seed: int = 0,
) -> PoseSequence:
    """A performance of a movement with variations; otherwise as :func:`generate`.

    Args:
        movement, performer, recording, skeleton, seed: as for :func:`generate`.
        amounts: how much of which of the movement's :data:`VARIATIONS`; 1 is clearly visible, -1 is its opposite.

    Raises:
        BadSetting: as :func:`generate`, and for a variation that the movement does not have.
    """
    movement, recording = _resolved(movement), recording or Recording()
    movement, faults, tempo = apply(movement, VARIATIONS.get(_name(movement), {}), amounts)
    tempo = {stage: factor * recording.tempo.get(stage, 1.0) for stage, factor in tempo.items()}
    recording = dataclasses.replace(recording, tempo={**recording.tempo, **tempo})
    return generate(movement, performer=performer, recording=recording, faults=faults, skeleton=skeleton, seed=seed)


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


def _name(movement: Movement) -> str:
    known = (name for name, kind in MOVEMENTS.items() if type(movement) is kind)
    return next(known, type(movement).__name__.lower())


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
    # Most parameters are deviations from the usual pattern, and not worth a word where they are 0 as usual.
    usual = {field.name: field.default for field in dataclasses.fields(movement)}  # type: ignore[arg-type]
    pattern = {
        name: value for name, value in vars(movement).items() if (value, usual[name]) != (0, 0) or value is False
    }
    return {
        "generator": "posediff.motion.synthetic",
        "movement": {"name": _name(movement), **pattern},
        "performer": dataclasses.asdict(performer),
        "recording": dataclasses.asdict(recording),
        "faults": [dataclasses.asdict(fault) for fault in faults],
        "seed": seed,
    }
