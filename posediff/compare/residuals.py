"""Query minus reference on the common time, and what noise explains of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from posediff.compare.align import Timeline
from posediff.compare.comparison import Residuals
from posediff.compare.settings import Settings
from posediff.motion.angles import ANGLES
from posediff.motion.resample import sample_track

#: Standard deviation of a place anywhere within a frame, in frames.
FRAME_SHARE = 1 / np.sqrt(12.0)


@dataclass(frozen=True, eq=False)
class Measured:
    """All measures of both performances on the common time.

    Attributes:
        names, units: of the K measures.
        reference, query: (U, K) float64 values; whole turns apart count as equal for angles that wrap.
        residual: (U, K) query minus reference; NaN where unknown.
        beyond: (U, K) the part of it that no small shift in time explains.
        noise: (U, K) standard deviation of the residual that keypoint noise explains.
        mistiming: (U, K) the same for the uncertainty of the alignment.
    """

    names: tuple[str, ...]
    units: tuple[str, ...]
    reference: np.ndarray
    query: np.ndarray
    residual: np.ndarray
    beyond: np.ndarray
    noise: np.ndarray
    mistiming: np.ndarray


def measure(line: Timeline, settings: Settings) -> Measured:
    """Sample all measures of both performances on the common time and take the differences."""
    (own, kinds, *at_reference), (others, _, *at_query) = (body.measures for body in line.pair)
    # A joint that one of the two never shows has no measures there.
    columns = [(column, others.index(name)) for column, name in enumerate(own) if name in others]
    chosen = [list(side) for side in zip(*columns, strict=True)] or [[], []]
    names, units = tuple(own[column] for column in chosen[0]), tuple(kinds[column] for column in chosen[0])
    reference, noise_r = (sample_track(part[:, chosen[0]], line.reference) for part in at_reference)
    query, noise_q = (sample_track(part[:, chosen[1]], line.query) for part in at_query)
    noise = np.hypot(noise_r, noise_q)
    turns = _turns(names, reference, query)
    query = query - turns
    shift = int(np.ceil(settings.slack * len(line)))
    # No alignment is finer than the frames that it aligns.
    frames = sum((FRAME_SHARE / body.sequence.fps) ** 2 for body in line.pair)
    seconds = np.sqrt(line.spread**2 + frames)
    # A shift in time explains no more than the lesser of the changes that both make nearby.
    near = max(shift, 1)
    changes = [high - low for low, high in (_range(values, near) for values in (reference, query))]
    slope = np.nan_to_num(np.fmin(*changes)) / (2 * near)
    mistiming = slope * (seconds / line.seconds_a_moment)[:, None]
    beyond = beyond_shift(reference, query, shift)
    return Measured(names, units, reference, query, query - reference, beyond, noise, mistiming)


def beyond_shift(reference: np.ndarray, query: np.ndarray, shift: int) -> np.ndarray:
    """Query minus reference, less what a shift of either by at most ``shift`` moments explains.

    At every moment, each value is compared with the range that the other one covers nearby; zero inside the range, else
    the distance to it, the smaller one of both directions. Symmetric up to the sign.

    Args:
        reference, query: (U, K) float64, NaN where unknown.
        shift: moments.

    Returns:
        (U, K) float64, NaN where either is unknown.
    """
    from_query = query - np.clip(query, *_range(reference, shift))
    from_reference = np.clip(reference, *_range(query, shift)) - reference
    smaller = np.where(np.abs(from_query) < np.abs(from_reference), from_query, from_reference)
    return np.where(np.sign(from_query) == np.sign(from_reference), smaller, np.where(np.isnan(smaller), np.nan, 0.0))


def by_reference_frame(line: Timeline, measured: Measured) -> Residuals:
    """The residuals at every frame of the reference, for pictures and files."""
    moments = line.by_reference_frame(np.arange(len(line), dtype=float))
    at_query = np.interp(moments, np.arange(len(line)), line.query)
    reference, query = line.pair
    gap = sample_track(query.sequence.keypoints.astype(np.float64), at_query) - reference.sequence.keypoints
    return Residuals(
        measures=measured.names,
        units=measured.units,
        values=sample_track(measured.residual, moments),
        noise=sample_track(np.hypot(measured.noise, measured.mistiming), moments),
        joints=np.linalg.norm(gap, axis=2),
    )


def _turns(names: tuple[str, ...], reference: np.ndarray, query: np.ndarray) -> np.ndarray:
    """(K,) whole turns, in degrees, by which wrapping angles of the query lie above the reference's."""
    turns = np.zeros(len(names))
    for column, name in enumerate(names):
        gap = query[:, column] - reference[:, column]
        if name in ANGLES and ANGLES[name].signed and np.isfinite(gap).any():
            turns[column] = 360.0 * np.rint(np.nanmedian(gap) / 360.0)
    return turns


def _range(values: np.ndarray, shift: int) -> tuple[np.ndarray, np.ndarray]:
    """Least and largest known value within ``shift`` rows; NaN rows stay NaN."""
    low = high = np.pad(values, ((shift, shift), (0, 0)), mode="edge")
    width, whole = 1, 2 * shift + 1
    while width < whole:  # the range of two overlapping windows is that of both: doubling takes few passes
        step = min(width, whole - width)
        low, high = np.fmin(low[:-step], low[step:]), np.fmax(high[:-step], high[step:])
        width += step
    unknown = np.isnan(values)
    return np.where(unknown, np.nan, low), np.where(unknown, np.nan, high)
