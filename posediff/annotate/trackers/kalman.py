"""A box in motion: Kalman filter and smoother over centre and size, for many boxes at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

#: Frames a second that the noise of a motion is told for.
RATE = 25.0


class Noise(NamedTuple):
    """How boxes move and how well they are measured, as standard deviations.

    Lengths are parts of the box's size, log sizes are natural logarithms of its width and height.

    Attributes:
        place: of a measured centre.
        size: of a measured log size.
        push: of the change of the centre's velocity in 1/25 s.
        swell: of the change of the log size's velocity in 1/25 s.
    """

    place: float
    size: float
    push: float
    swell: float

    @property
    def measured(self) -> np.ndarray:
        """(4,) of measured centre x, centre y, log width, log height."""
        return np.array([self.place, self.place, self.size, self.size])

    @property
    def pushed(self) -> np.ndarray:
        """(4,) of the change of their velocities in 1/25 s."""
        return np.array([self.push, self.push, self.swell, self.swell])


#: Standard deviation of the velocity before a track's first frame, in the units of its place and size, in 1/25 s.
FIRST_VELOCITY = 0.5

#: Part of the log size's velocity that is left after 1/25 s; a body does not grow or shrink for long.
KEPT = 0.85


class Motion(NamedTuple):
    """Gaussian beliefs about boxes.

    Attributes:
        mean: (..., 4, 2) value and velocity (per 1/25 s) of centre x, centre y, log width, log height.
        covariance: (..., 4, 2, 2) of value and velocity.
    """

    mean: np.ndarray
    covariance: np.ndarray


def measured(boxes: np.ndarray) -> np.ndarray:
    """(..., 4) centre x, centre y, log width, log height of (..., 4 or more) x0, y0, x1, y1."""
    low, high = boxes[..., :2], boxes[..., 2:4]
    return np.concatenate([(low + high) / 2, np.log(np.maximum(high - low, 1e-3))], axis=-1)


def corners(values: np.ndarray) -> np.ndarray:
    """(..., 4) x0, y0, x1, y1 of (..., 4) centre x, centre y, log width, log height."""
    half = np.exp(values[..., 2:]) / 2
    return np.concatenate([values[..., :2] - half, values[..., :2] + half], axis=-1)


def begin(value: np.ndarray, velocity: np.ndarray, spread: np.ndarray, speed: np.ndarray) -> Motion:
    """A belief from (..., 4) values and velocities and their standard deviations."""
    covariance = np.zeros((*value.shape, 2, 2))
    covariance[..., 0, 0], covariance[..., 1, 1] = spread**2, speed**2
    return Motion(np.stack([value, velocity], axis=-1), covariance)


def predict(motion: Motion, steps: float, push: np.ndarray) -> Motion:
    """The belief some steps of 1/25 s later.

    Args:
        motion: the belief before.
        steps: how many, also between.
        push: (..., 4) standard deviation of the change of velocity in one step.
    """
    transition = _transition(steps)
    mean = (transition @ motion.mean[..., None])[..., 0]
    covariance = transition @ motion.covariance @ np.swapaxes(transition, -1, -2)
    covariance = covariance + _diffusion(steps) * (push**2)[..., None, None]
    return Motion(mean, covariance)


def update(motion: Motion, values: np.ndarray, spread: np.ndarray) -> Motion:
    """The belief after a measurement of (..., 4) values with (..., 4) standard deviations; NaN measures nothing."""
    known = np.isfinite(values)
    gain = motion.covariance[..., 0] / (motion.covariance[..., 0, 0] + spread**2)[..., None]
    gain = np.where(known[..., None], gain, 0)
    innovation = np.where(known, values - motion.mean[..., 0], 0)
    mean = motion.mean + gain * innovation[..., None]
    covariance = motion.covariance - gain[..., :, None] * motion.covariance[..., 0, None, :]
    return Motion(mean, covariance)


def log_likelihood(motion: Motion, values: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """(..., 4) log density of measured values under the belief."""
    variance = motion.covariance[..., 0, 0] + spread**2
    return -0.5 * ((values - motion.mean[..., 0]) ** 2 / variance + np.log(2 * np.pi * variance))


def lengths(values: np.ndarray) -> np.ndarray:
    """(..., 4) units of the standard deviations in :class:`Noise`: the box's size for the centre, 1 for log sizes.

    The unit of a side is the mean of that side and the square root of the area, so that a body that lies down does not
    become surer in its narrow direction at once.
    """
    sides = np.exp(np.clip(values[..., 2:], -7, 14))
    middle = np.sqrt(sides.prod(axis=-1, keepdims=True))
    return np.concatenate([np.sqrt(sides * middle), np.ones_like(sides)], axis=-1)


def smooth(values: np.ndarray, steps: np.ndarray, spread: np.ndarray, noises: Sequence[Noise]) -> np.ndarray:
    """Smoothed values, with the noise among the choices that explains the measurements best.

    Kalman filter and Rauch-Tung-Striebel smoother (1965). Centre and size choose their noise apart.

    Args:
        values: (T, 4) centre x, centre y, log width, log height; NaN where nothing is measured.
        steps: (T - 1,) time between the rows in 1/25 s.
        spread: (T,) factor on the standard deviations of the measurements.
        noises: the choices.

    Returns:
        (T, 4) the smoothed values, also where nothing was measured.
    """
    known, rows = np.isfinite(values).all(axis=1), np.arange(len(values))
    filled = np.column_stack([np.interp(rows, rows[known], column[known]) for column in values.T])
    unit = lengths(filled)
    uncertain = np.array([noise.measured for noise in noises])[:, None] * unit * spread[:, None]
    push = np.array([noise.pushed for noise in noises])[:, None] * unit
    first = np.broadcast_to(filled[0], (len(noises), 4))
    motion = begin(first, 0 * first, 0 * first + unit[0], 0 * first + FIRST_VELOCITY * unit[0])
    before, after, evidence = [], [], np.zeros((len(noises), 4))
    for row in range(len(values)):
        motion = predict(motion, steps[row - 1], push[:, row]) if row else motion
        before.append(motion)
        if known[row]:
            evidence += log_likelihood(motion, values[row], uncertain[:, row])
        motion = update(motion, np.broadcast_to(values[row], first.shape), uncertain[:, row])
        after.append(motion)
    pairs = evidence.reshape(len(noises), 2, 2).sum(axis=2)
    best = np.repeat(pairs.argmax(axis=0), 2), np.arange(4)
    mean = after[-1].mean[best]
    smoothed = [mean[:, 0]]
    for row in range(len(values) - 2, -1, -1):
        ahead = before[row + 1].covariance[best]
        gain = after[row].covariance[best] @ np.swapaxes(_transition(steps[row]), -1, -2) @ np.linalg.inv(ahead)
        mean = after[row].mean[best] + (gain @ (mean - before[row + 1].mean[best])[..., None])[..., 0]
        smoothed.append(mean[:, 0])
    return np.array(smoothed[::-1])


def _transition(steps: float) -> np.ndarray:
    """(4, 2, 2): the centre goes on as it moved, the size's velocity fades."""
    fading = KEPT**steps
    reach = (1 - fading) / -np.log(KEPT)
    return np.array([[[1, steps], [0, 1]]] * 2 + [[[1, reach], [0, fading]]] * 2)


def _diffusion(steps: float) -> np.ndarray:
    """(2, 2) covariance that white acceleration of unit strength adds."""
    return np.array([[steps**3 / 3, steps**2 / 2], [steps**2 / 2, steps]])
