"""How smoothly the joints move, robust to keypoint noise: log dimensionless jerk by part of the movement."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: Least share of the measured jerk that is taken to be the movement's own, however noisy the keypoints.
LEAST_OWN_SHARE = 0.1


@dataclass(frozen=True, eq=False)
class Jerk:
    """Jerk and speed of the joints over a movement sampled at U even moments.

    Attributes:
        energy: (U, J) float64 squared jerk, in squared lengths a moment to the sixth.
        noise: (J,) float64 what keypoint noise adds to it.
        peak: (J,) float64 largest squared speed, in squared lengths a moment squared.
    """

    energy: np.ndarray
    noise: np.ndarray
    peak: np.ndarray

    def log_dimensionless(self, rows: slice) -> np.ndarray:
        """(J,) log dimensionless jerk of a part of the movement: -ln(mean squared jerk * U^4 / peak squared speed).

        Over the whole movement this is the measure of Balasubramanian et al. 2015; 0 or below, nearer to 0 is smoother;
        NaN for a joint that does not move.
        """
        raw = self.energy[rows].mean(axis=0)
        own = np.maximum(raw - self.noise, LEAST_OWN_SHARE * raw)
        with np.errstate(divide="ignore", invalid="ignore"):
            value = -np.log(own * len(self.energy) ** 4 / self.peak)
        return np.where(np.isfinite(value), value, np.nan)


def jerk(tracks: np.ndarray, noise: np.ndarray, half: int, response: np.ndarray | None = None) -> Jerk:
    """Jerk and speed from cubics and lines fitted to windows, which damp noise far more than differences do.

    Args:
        tracks: (U, J, D) float64 positions at even moments.
        noise: (J,) standard deviation of a coordinate, white in the frames that the moments were sampled from.
        half: the windows are ``2 half + 1`` moments wide; made smaller where there are fewer.
        response: how the error of one frame spreads over the moments, see :func:`frame_response`; by default to one.
    """
    response = np.ones(1) if response is None else response
    half = max(min(half, (len(tracks) - 1) // 2), 0)
    if half < 2:
        return Jerk(np.zeros(tracks.shape[:2]), np.zeros(len(noise)), np.zeros(len(noise)))
    k = np.arange(-half, half + 1.0)
    cubic = 5 * k**3 - (3 * half**2 + 3 * half - 1) * k  # orthogonal to all parabolas on the window
    third, first = 30.0 * cubic / (cubic @ cubic), k / (k @ k)
    windows = np.lib.stride_tricks.sliding_window_view(tracks, 2 * half + 1, axis=0)
    inner = ((windows @ third) ** 2).sum(axis=2)
    energy = np.pad(inner, ((half, half), (0, 0)), mode="edge")
    peak = ((windows @ first) ** 2).sum(axis=2).max(axis=0)
    spread = np.convolve(third, response)
    return Jerk(energy, tracks.shape[2] * noise**2 * (spread @ spread) / response.sum(), peak)


def frame_response(weights: np.ndarray, moments_a_frame: float) -> np.ndarray:
    """How the error of one frame spreads over moments, through smoothing and then sampling between the frames.

    Args:
        weights: (2 half + 1,) of the smoothing, which add up to 1.
        moments_a_frame: how many moments a frame is sampled at.

    Returns:
        (L,) float64 that add up to about ``moments_a_frame``.
    """
    reach = len(weights) // 2 + 1
    moments = np.arange(-int(reach * moments_a_frame), int(reach * moments_a_frame) + 1)
    return np.interp(moments / moments_a_frame, np.arange(-reach, reach + 1), np.pad(weights, 1))
