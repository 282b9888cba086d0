"""From raw estimates to a track that can be used: doubtful keypoints out, short gaps filled, noise smoothed."""

from __future__ import annotations

import numpy as np

from posediff.annotate.finish.repair import remove_outliers, swap_back
from posediff.errors import BadSetting
from posediff.io.labelme import approved
from posediff.motion import smooth as smoothing
from posediff.motion.gaps import contiguous, fill_gaps
from posediff.sequence import PoseSequence, Status

SMOOTHING = (*smoothing.METHODS, "none")


def finish(
    sequence: PoseSequence,
    *,
    min_score: float = 0.3,
    max_gap: float = 0.4,
    smooth: str = "savgol",
    cutoff: float = 6.0,
    fix_swaps: bool = True,
) -> PoseSequence:
    """Clean one person's raw estimates; what a person has verified is never changed.

    In this order: frame numbers without a row get one; keypoints of low confidence become missing (:func:`gate`);
    exchanged sides are put right and lone jumps become missing (:mod:`posediff.annotate.finish.repair`); short gaps are
    filled linearly, eq. 27 of HP-MCoRe (Qi et al. 2025) as :func:`posediff.motion.gaps.fill_gaps` corrects it; what is
    left is smoothed. Every step is told in the provenance. Nothing is extrapolated. What is missing in a frame that
    somebody has approved as a whole stays missing.

    Args:
        sequence: raw estimates, T frames, with corrections merged in where there are some.
        min_score: least confidence, 0 to 1, of a keypoint that is used.
        max_gap: longest gap to fill, in seconds.
        smooth: ``"savgol"``, ``"butterworth"`` or ``"none"``.
        cutoff: frequency in Hz above which movement is smoothed away; 0 for no smoothing.
        fix_swaps: put left and right right where they are exchanged for a few frames.

    Returns:
        The sequence with every frame number from the first to the last. Measured keypoints stay measured, filled ones
        are ``Status.INTERPOLATED``.

    Raises:
        BadSetting: naming the setting that cannot be used.
    """
    if smooth not in SMOOTHING:
        raise BadSetting(f"unknown smoothing method {smooth!r}", f"choose one of: {', '.join(SMOOTHING)}")
    confident = gate(contiguous(sequence), min_score)
    clean = remove_outliers(swap_back(confident) if fix_swaps else confident)
    filled = _filled(clean, max_gap)
    return filled if smooth == "none" or cutoff == 0 else _smoothed(filled, smooth, cutoff)


def gate(sequence: PoseSequence, min_score: float) -> PoseSequence:
    """Keypoints whose confidence is below a threshold become missing, save verified ones.

    Args:
        sequence: T frames.
        min_score: from 0 to 1.

    Raises:
        BadSetting: if the threshold is none.
    """
    if not 0 <= min_score <= 1:
        raise BadSetting(f"min_score is {min_score}", "give a confidence from 0 to 1")
    doubtful = sequence.present & (sequence.scores < min_score) & (sequence.status != Status.VERIFIED)
    keypoints = np.where(doubtful[..., None], np.float32(np.nan), sequence.keypoints)
    step = f"gate(min_score={min_score:g}): {doubtful.sum()} keypoints"
    return sequence.replace(keypoints=keypoints, step=step)


def _filled(sequence: PoseSequence, max_gap: float) -> PoseSequence:
    filled = fill_gaps(sequence, max_gap=max_gap)
    settled = np.isin(sequence.frames, list(approved(sequence)))[:, None] & ~sequence.present
    if not settled.any():
        return filled
    return filled.replace(keypoints=np.where(settled[..., None], np.float32(np.nan), filled.keypoints))


def _smoothed(sequence: PoseSequence, method: str, cutoff: float) -> PoseSequence:
    weighed = {"confidence": True} if method == "savgol" else {}
    smooth = smoothing.smooth(sequence, method=method, cutoff=cutoff, **weighed)  # type: ignore[arg-type]
    verified = (sequence.status == Status.VERIFIED)[..., None]
    return smooth.replace(keypoints=np.where(verified, sequence.keypoints, smooth.keypoints))
