"""Generated dives with known deductions: what a model has to learn is known exactly, stage by stage.

A dive is a pattern (:class:`posediff.motion.synthetic.Dive`) with planted faults, by a random performer before a random
camera. Its execution is 30 points less what the faults of each stage cost, in proportion to the degrees by which they
really turn a joint; its score is difficulty times execution, as in diving.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from posediff.datasets.clips import Clip, Collection
from posediff.errors import BadSetting
from posediff.motion.synthetic import Dive, Fault, Performer, Recording, generate
from posediff.motion.synthetic.body import SIDES
from posediff.motion.synthetic.faults import achieved
from posediff.motion.synthetic.movements import boundaries
from posediff.sequence import PoseSequence, Stage

STAGES = ("take-off", "flight", "entry")
PERFECT = 30.0

#: Dives by number, in the manner of the rules: group and half somersaults, then a straight, b pike, c tuck.
DIVES = {
    "101b": (Dive(0.5, "pike"), 1.3),
    "103b": (Dive(1.5, "pike"), 1.7),
    "103c": (Dive(1.5, "tuck"), 1.6),
    "105c": (Dive(2.5, "tuck"), 2.4),
    "201a": (Dive(0.5, "straight", backward=True), 1.8),
    "203b": (Dive(1.5, "pike", backward=True), 2.3),
    "203c": (Dive(1.5, "tuck", backward=True), 2.0),
    "205c": (Dive(2.5, "tuck", backward=True), 3.0),
}

#: What goes wrong, as judges see it, and which way it turns a joint: on the board and in the water the body is not
#: stretched; in the air a tuck or a pike is loose, a straight body is not straight. ``*`` are both sides.
_NOT_STRETCHED = {"*_knee": 1, "*_hip": 1, "*_elbow": 1, "*_shoulder": -1, "trunk_lean": 1}
_LOOSE = {
    "tuck": {"*_knee": -1, "*_hip": -1, "*_shoulder": 1},
    "pike": {"*_knee": 1, "*_hip": -1, "*_shoulder": 1},
    "straight": {"*_knee": 1, "*_hip": 1, "*_shoulder": 1},
}


@dataclass(frozen=True)
class SyntheticDivesSettings:
    """A set of generated dives.

    Attributes:
        clips: how many, of which a ``test`` fraction is kept apart.
        test: that fraction.
        seed: of everything random.
        faults: mean number of faults in a stage.
        amounts: least and largest size of a fault, in degrees.
        rate: points that a degree costs.
        view: ``2d`` or ``3d``.
        noise: of the keypoints, in torso lengths.
        drop: probability of a keypoint to be missing.
    """

    clips: int = 400
    test: float = 0.25
    seed: int = 0
    faults: float = 1.0
    amounts: tuple[float, float] = (5.0, 40.0)
    rate: float = 0.15
    view: str = "2d"
    noise: float = 0.01
    drop: float = 0.02

    def __post_init__(self) -> None:
        if not (self.clips > 1 and 0 < self.test < 1 and 0 < self.amounts[0] <= self.amounts[1]):
            raise BadSetting(
                f"clips={self.clips}, test={self.test}, amounts={self.amounts}",
                "give 2 clips or more, a fraction between 0 and 1, and positive amounts in order",
            )


def load(settings: SyntheticDivesSettings) -> Collection:
    """Generate the dives; the same settings always give the same ones."""
    dives = [dive(settings, number) for number in range(settings.clips)]
    clips = [clip for clip, _ in dives]
    kept = round(settings.clips * (1 - settings.test))
    return Collection(
        name="synthetic dives",
        train=tuple(clips[:kept]),
        test=tuple(clips[kept:]),
        stages=STAGES,
        sequences={clip.key: sequence for clip, sequence in dives},
    )


@lru_cache(maxsize=4096)
def dive(settings: SyntheticDivesSettings, number: int) -> tuple[Clip, PoseSequence]:
    """One dive: its labels, with ``deductions`` of every stage in ``extra``, and its skeletons.

    Args:
        settings: of the set.
        number: of the dive; it depends on no other.
    """
    rng = np.random.default_rng((settings.seed, number))
    action = str(rng.choice(list(DIVES)))
    pattern, difficulty = DIVES[action]
    pattern = Dive(pattern.somersaults, pattern.position, pattern.backward, flight=rng.uniform(1.3, 1.5))
    faults = {stage: _faults(settings, pattern, stage, rng) for stage in STAGES}
    deductions = {stage: settings.rate * _size(pattern, faults[stage]) for stage in STAGES}
    recording = Recording(
        fps=25.0,
        pace=rng.uniform(0.9, 1.1),
        tempo={name: rng.uniform(0.85, 1.2) for name, _ in pattern.stages},
        view=settings.view,
        zoom=rng.uniform(0.8, 1.2),
        shift=tuple(rng.uniform(-20, 20, 2)) if settings.view == "2d" else (),
        noise=settings.noise,
        drop=settings.drop,
    )
    sequence = generate(
        pattern,
        performer=Performer.random(rng),
        recording=recording,
        faults=[fault for planted in faults.values() for fault in planted],
        seed=int(rng.integers(2**31)),
    )
    sequence = sequence.replace(stages=_three(sequence.stages))
    execution = max(0.0, PERFECT - sum(deductions.values()))
    clip = Clip(
        key=f"dive{number:05d}",
        score=difficulty * execution,
        action=action,
        difficulty=difficulty,
        transitions=tuple(stage.start for stage in sequence.stages[1:]),
        frames=len(sequence),
        extra={"deductions": tuple(deductions.values())},
    )
    return clip, sequence


def _faults(settings: SyntheticDivesSettings, pattern: Dive, stage: str, rng: np.random.Generator) -> list[Fault]:
    """The faults of one stage, at most two kinds; both sides of the body share them."""
    kinds = _LOOSE[pattern.position] if stage == "flight" else _NOT_STRETCHED
    count = min(int(rng.poisson(settings.faults)), 2)
    faults = []
    for joint in rng.choice(list(kinds), size=count, replace=False):
        amount = kinds[str(joint)] * float(rng.uniform(*settings.amounts))
        sides = SIDES if "*" in joint else ("",)
        faults += [Fault(str(joint).replace("*", side), amount, stage) for side in sides]
    return faults


def _size(pattern: Dive, faults: Sequence[Fault]) -> float:
    """Degrees by which faults of one stage turn joints on average over the stage; two sides count as one."""
    if not faults:
        return 0.0
    index = [name for name, _ in pattern.stages].index(faults[0].stage)
    start, end = boundaries(pattern)[index : index + 2]
    t = np.linspace(start, end, 50)
    turned = np.abs(achieved(pattern.pose(t), faults, pattern, t)).mean(axis=1)
    sides = [2 if fault.joint.startswith(("left_", "right_")) else 1 for fault in faults]
    return float(np.sum(turned / sides))


def _three(stages: Sequence[Stage]) -> tuple[Stage, ...]:
    """The approach belongs to the take-off, as in the labels of FineDiving."""
    _, off, flight, entry = stages
    return Stage("take-off", stages[0].start, off.end), flight, entry
