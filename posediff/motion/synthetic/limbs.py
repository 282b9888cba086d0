"""Poses of arms and legs: from anatomical angles, or from where the hand or the foot has to be."""

from __future__ import annotations

import numpy as np

from posediff.motion.synthetic.body import turn

#: Sign of the outward direction (z) of each side.
OUTWARDS = {"left": -1, "right": 1}
#: A limb that reaches for something too far stays bent by this many degrees.
LEAST_BEND = 6.0
#: How sharply the limb stops there: the reach deviates by ln 2 / SHARPNESS of the full reach at most.
SHARPNESS = 200.0


def raised_arm(side: str, elevation: np.ndarray, plane: np.ndarray | float = 0.0) -> np.ndarray:
    """Rotation of the shoulder that raises the arm; the forearm keeps bending in the plane of elevation.

    Args:
        side: ``left`` or ``right``.
        elevation: (T,) degrees, 0 hanging beside the trunk, 180 overhead.
        plane: degrees, 0 raises the arm forwards, 90 to the side.

    Returns:
        (T, 3, 3).

    Source: the globe system of Wu et al. 2005 (ISB recommendation), with the axial rotation taken out.
    """
    to_plane = turn("y", -OUTWARDS[side] * np.asarray(plane, float))
    return to_plane @ turn("z", elevation) @ to_plane.transpose(0, 2, 1)


def reach(
    start: np.ndarray, target: np.ndarray, lengths: tuple[float, float], pole: np.ndarray, *, knee: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Turn a limb of two segments so that its end reaches a target, by the law of cosines.

    Args:
        start: (T, 3) hip or shoulder.
        target: (T, 3) where ankle or wrist has to be; where it is too far, the limb only points at it.
        lengths: of the upper and the lower segment.
        pole: (T, 3) the direction that the knee or the elbow points to.
        knee: the joint bends as a knee does (the lower segment goes back), not as an elbow.

    Returns:
        Orientation of the upper segment (T, 3, 3), in the frame of the arguments, and the bend (T,) in degrees.
    """
    upper, lower = lengths
    span = target - start
    far = np.sqrt(upper**2 + lower**2 + 2 * upper * lower * np.cos(np.radians(LEAST_BEND)))
    distance = np.linalg.norm(span, axis=1)
    reached = far - np.logaddexp(0, SHARPNESS * (1 - distance / far)) / SHARPNESS * far  # a minimum without a kink
    along = span / distance[:, None]
    away = pole - (pole * along).sum(axis=1, keepdims=True) * along
    away /= np.linalg.norm(away, axis=1, keepdims=True)
    rise = np.arccos(np.clip((upper**2 + reached**2 - lower**2) / (2 * upper * reached), -1, 1))[:, None]
    bend = 180 - np.degrees(np.arccos(np.clip((upper**2 + lower**2 - reached**2) / (2 * upper * lower), -1, 1)))
    y = -(np.cos(rise) * along + np.sin(rise) * away)
    x = (np.cos(rise) * away - np.sin(rise) * along) * (1 if knee else -1)
    return np.stack([x, y, np.cross(x, y)], axis=2), bend
