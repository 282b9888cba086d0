"""The body of the synthetic performer: its joints, its proportions, forward kinematics and centre of mass.

The body stands upright, facing +x, with y up and its right side towards +z. A pose gives every joint that turns its
rotation in the frame of its parent; in the neutral pose (no rotations) arms and legs hang down straight.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from posediff.errors import BadSetting

#: Local rotations by joint, each (T, 3, 3); a joint that is not named does not turn.
Pose = Mapping[str, np.ndarray]
#: Positions by joint, each (T, 3) in metres.
Body = dict[str, np.ndarray]

SIDES = ("left", "right")

#: joint: (parent, segment, offset in the parent's frame as fractions of stature), parents first; z points outwards
#: for the joints of a side. Lengths after Winter, Biomechanics and Motor Control of Human Movement, fig. 4.1; face,
#: hand and foot landmarks are placed by eye.
_MIDLINE = {
    "lumbar": ("pelvis", "trunk", (0.0, 0.0, 0.0)),
    "spine": ("lumbar", "trunk", (0.0, 0.144, 0.0)),
    "thorax": ("spine", "trunk", (0.0, 0.144, 0.0)),
    "neck": ("thorax", "head", (0.0, 0.015, 0.0)),
    "upper_neck": ("neck", "head", (0.0, 0.037, 0.0)),
    "head": ("upper_neck", "head", (0.01, 0.065, 0.0)),
    "head_top": ("upper_neck", "head", (0.0, 0.13, 0.0)),
    "nose": ("upper_neck", "head", (0.065, 0.045, 0.0)),
}
_SIDED = {
    "eye": ("=upper_neck", "head", (0.055, 0.068, 0.018)),
    "eye_inner": ("=upper_neck", "head", (0.057, 0.068, 0.010)),
    "eye_outer": ("=upper_neck", "head", (0.050, 0.068, 0.026)),
    "ear": ("=upper_neck", "head", (0.0, 0.06, 0.043)),
    "mouth": ("=upper_neck", "head", (0.055, 0.022, 0.014)),
    "collar": ("=thorax", "shoulder_width", (0.0, 0.0, 0.045)),
    "shoulder": ("=thorax", "shoulder_width", (0.0, 0.0, 0.105)),
    "elbow": ("shoulder", "upper_arm", (0.0, -0.186, 0.0)),
    "wrist": ("elbow", "forearm", (0.0, -0.146, 0.0)),
    "hand": ("wrist", "forearm", (0.0, -0.05, 0.0)),
    "index": ("wrist", "forearm", (0.018, -0.055, 0.0)),
    "pinky": ("wrist", "forearm", (-0.018, -0.05, 0.0)),
    "thumb": ("wrist", "forearm", (0.03, -0.035, 0.0)),
    "hand_tip": ("wrist", "forearm", (0.0, -0.1, 0.0)),
    "hip": ("=pelvis", "hip_width", (0.0, 0.0, 0.052)),
    "knee": ("hip", "thigh", (0.0, -0.245, 0.0)),
    "ankle": ("knee", "shank", (0.0, -0.246, 0.0)),
    "heel": ("ankle", "foot", (-0.03, -0.035, 0.0)),
    "big_toe": ("ankle", "foot", (0.115, -0.035, -0.012)),
    "small_toe": ("ankle", "foot", (0.095, -0.035, 0.025)),
    "toes": ("ankle", "foot", (0.11, -0.035, 0.0)),
    "foot": ("ankle", "foot", (0.08, -0.03, 0.0)),
    "foot_index": ("ankle", "foot", (0.118, -0.035, 0.0)),
}

Tree = dict[str, tuple[str, str, tuple[float, float, float]]]


def _tree() -> Tree:
    tree: Tree = dict(_MIDLINE)
    for name, (parent, segment, (x, y, z)) in _SIDED.items():
        for side, outwards in zip(SIDES, (-1, 1), strict=True):
            above = parent[1:] if parent.startswith("=") else f"{side}_{parent}"
            tree[f"{side}_{name}"] = (above, segment, (x, y, outwards * z))
    return tree


TREE = _tree()
SEGMENTS = tuple(dict.fromkeys(segment for _, segment, _ in TREE.values()))

#: Segments as point masses: (proximal joint, distal joint, fraction of body mass, place of the centre of mass from the
#: proximal end, radius of gyration about it), the latter two as fractions of the segment's length. Winter, table 4.1.
_MASSES = [
    ("pelvis", "thorax", 0.497, 0.50, 0.30),
    ("upper_neck", "head_top", 0.081, 0.50, 0.495),
    *((f"{s}_shoulder", f"{s}_elbow", 0.028, 0.436, 0.322) for s in SIDES),
    *((f"{s}_elbow", f"{s}_wrist", 0.016, 0.430, 0.303) for s in SIDES),
    *((f"{s}_wrist", f"{s}_hand_tip", 0.006, 0.506, 0.297) for s in SIDES),
    *((f"{s}_hip", f"{s}_knee", 0.100, 0.433, 0.323) for s in SIDES),
    *((f"{s}_knee", f"{s}_ankle", 0.0465, 0.433, 0.302) for s in SIDES),
    *((f"{s}_heel", f"{s}_toes", 0.0145, 0.50, 0.475) for s in SIDES),
]


@dataclass(frozen=True)
class Performer:
    """The size and the proportions of a body.

    Attributes:
        height: stature in metres.
        proportions: length of a segment relative to the average body of that stature, e.g. ``{"thigh": 1.03}``.

    Raises:
        BadSetting: for a length that is not positive or a segment that there is not.
    """

    height: float = 1.75
    proportions: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        unknown = sorted(set(self.proportions) - set(SEGMENTS))
        if unknown:
            raise BadSetting(f"no body segment is named {', '.join(unknown)}", f"choose from: {', '.join(SEGMENTS)}")
        if min([self.height, *self.proportions.values()]) <= 0:
            raise BadSetting(f"{self} has a length that is not positive", "give heights and proportions above 0")

    @classmethod
    def random(cls, rng: np.random.Generator, *, spread: float = 0.02) -> Performer:
        """An adult of random height, whose proportions deviate from the average by ``spread`` (one sd)."""
        factors = np.clip(rng.normal(1.0, spread, len(SEGMENTS)), 1 - 2.5 * spread, 1 + 2.5 * spread)
        return cls(float(rng.uniform(1.55, 1.95)), dict(zip(SEGMENTS, map(float, factors), strict=True)))

    def offset(self, joint: str) -> np.ndarray:
        """(3,) metres from the joint's parent to the joint, in the parent's frame."""
        _, segment, fractions = TREE[joint]
        return self.height * self.proportions.get(segment, 1.0) * np.array(fractions)


def turn(axis: str, degrees: np.ndarray | float) -> np.ndarray:
    """Rotations about ``x``, ``y`` or ``z``, right-handed.

    Args:
        axis: the axis' name.
        degrees: scalar or (T,).

    Returns:
        (T, 3, 3), T = 1 for a scalar.
    """
    angle = np.radians(np.atleast_1d(degrees))
    one, two = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
    rotation = np.broadcast_to(np.eye(3), (len(angle), 3, 3)).copy()
    rotation[:, one, one] = rotation[:, two, two] = np.cos(angle)
    rotation[:, two, one] = np.sin(angle)
    rotation[:, one, two] = -np.sin(angle)
    return rotation


def turn_about(axis: np.ndarray, degrees: np.ndarray) -> np.ndarray:
    """(T, 3, 3) rotations about unit axes (T, 3) by (T,) degrees (Rodrigues' formula)."""
    angle = np.radians(degrees)[:, None, None]
    cross = np.cross(np.eye(3)[None], axis[:, None])
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def forward_kinematics(pose: Pose, performer: Performer) -> Body:
    """Where a pose puts the joints of a performer, with the pelvis at the origin.

    Args:
        pose: local rotations; that of ``pelvis`` is its orientation in the world.
        performer: the lengths.
    """
    count = max(len(rotation) for rotation in pose.values())
    at: Body = {"pelvis": np.zeros((count, 3))}
    turned = {"pelvis": pose.get("pelvis", np.eye(3)[None])}
    for joint, (parent, _, _) in TREE.items():
        at[joint] = at[parent] + turned[parent] @ performer.offset(joint)
        turned[joint] = turned[parent] @ pose[joint] if joint in pose else turned[parent]
    return at


def centre_of_mass(body: Body) -> np.ndarray:
    """(T, 3) centre of mass of the body."""
    masses, places, _ = _point_masses(body)
    return np.einsum("s,std->td", masses, places) / masses.sum()


def lateral_inertia(body: Body) -> np.ndarray:
    """(T,) moment of inertia about the z axis through the centre of mass, for a body mass of 1 kg, in m²."""
    masses, places, own = _point_masses(body)
    apart = (places - centre_of_mass(body))[..., :2]
    return np.einsum("s,st->t", masses, (apart**2).sum(axis=2) + own**2) / masses.sum()


def _point_masses(body: Body) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Masses (S,), their places (S, T, 3) and their radii of gyration (S, T)."""
    ends = [(body[near], body[far]) for near, far, *_ in _MASSES]
    masses = np.array([mass for _, _, mass, _, _ in _MASSES])
    places = np.stack([near + row[3] * (far - near) for row, (near, far) in zip(_MASSES, ends, strict=True)])
    own = [row[4] * np.linalg.norm(far - near, axis=1) for row, (near, far) in zip(_MASSES, ends, strict=True)]
    return masses, places, np.stack(own)
