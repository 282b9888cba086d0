"""The words of posediff: numbers of a comparison become sentences that a coach reads.

Every sentence speaks about the query: what it does more, less, earlier or later than the reference.
"""

from __future__ import annotations

import math
import re
from pathlib import PurePath

from posediff.compare.comparison import Comparison, Difference, Segment
from posediff.language.pairs import Told, grouped
from posediff.sequence import PoseSequence

#: Pattern of a measure; dimensions that it is meant for; its subject; what the query is where it has more of it; where
#: it has less. The first that fits is used. In 2D left and right are the picture's, in 3D the performer's.
DIRECTIONS: tuple[tuple[str, tuple[int, ...], str, str, str], ...] = (
    (r"(.*hip)_angle", (2, 3), r"\1", "more open", "more bent"),
    (r"(left_|right_|both_|)shoulder_angle", (2, 3), r"\1arm", "higher", "lower"),
    (r"(left_|right_|both_|)ankle_angle", (2, 3), r"\1foot", "more pointed", "more flexed"),
    (r"(.+)_angle", (2, 3), r"\1", "straighter", "more bent"),
    (r"(.+)_lean", (2,), r"\1 tilted", "further clockwise", "further anticlockwise"),
    (r"(.+)_lean", (3,), r"\1 leans", "further forward", "further back"),
    (r"(.+)_somersault", (2,), r"\1 turned", "further clockwise", "further anticlockwise"),
    (r"(.+)_somersault", (3,), r"\1 turned", "further forward", "further back"),
    (r"trunk_rotation", (3,), "shoulders turned", "further to the left", "further to the right"),
    (r"(.+)_rotation", (2, 3), r"\1 turned", "further", "less"),
    (r"(.+)_height", (2, 3), r"\1", "higher", "lower"),
    (r"(.+)_forward", (2, 3), r"\1", "further forward", "further back"),
    (r"(.+)_side", (2,), r"\1", "further right in the picture", "further left in the picture"),
    (r"(.+)_side", (3,), r"\1", "further to the left", "further to the right"),
)

#: More than one of a part of the body, where that is not an s more.
PLURALS = {"foot": "feet"}

#: Degrees from which on turns are told too, and a lean is a somersault.
HALF_TURN = 180.0

#: What the four quality dimensions mean.
DIMENSIONS = {
    "accuracy": "how near joints and limbs are to the reference's at the same moment of the movement",
    "timing": "how closely the tempo of the movement follows the reference",
    "smoothness": "how near the movement is to the reference in being fluent or jerky",
    "range": "how near the joints come to moving as far as in the reference",
}

#: What is said where no difference is reported: what is small, brief or uncertain is not, though it may cost points.
NO_DIFFERENCE = "no single difference stands out"

#: Lowest score of a grade, and its words.
GRADES = (
    (98.0, "Practically the same as the reference"),
    (90.0, "Very close to the reference"),
    (75.0, "Close to the reference, with clear differences"),
    (50.0, "The same movement, with large differences from the reference"),
    (-math.inf, "Far from the reference"),
)

#: Lowest confidence of a word for it.
CERTAINTIES = (
    (0.99, "almost certain"),
    (0.95, "very likely"),
    (0.8, "likely"),
    (-math.inf, "uncertain"),
)

#: A difference shorter than this is told by its moment, not by its duration, in seconds.
MOMENT = 0.2


def words(name: str) -> str:
    """A name from a file or a skeleton as plain words: ``left_knee`` is ``left knee``."""
    return name.replace("_", " ").strip()


def amount(value: float, unit: str) -> str:
    """A magnitude with its unit, in the digits that a reader can use: ``23°``, ``0.21 torso lengths``.

    Half a turn and more is told in turns too: ``297° (0.8 of a turn)``.
    """
    if unit == "deg":
        turns = f"{abs(value) / 360:.1f}"
        if abs(value) >= HALF_TURN:
            return f"{value:.0f}° ({turns} {'of a turn' if float(turns) < 1 else 'turns'})"
        return f"{value:.0f}°" if abs(value) >= 3 else f"{value:.1f}°"
    return f"{value:.2f} torso lengths" if unit == "torso" else f"{value:.3g} {unit}"


def direction(measure: str, more: bool, dimensions: int, amount: str = "") -> str:
    """What it means to have more or less of a measure: ``left knee 23° straighter``.

    Args:
        measure: name of the measure, e.g. ``left_knee_angle``.
        more: whether the query has more of it than the reference.
        dimensions: 2 or 3, of the sequences.
        amount: how much, with its unit; left out where empty.
    """
    subject, word = measure, "larger" if more else "smaller"
    for pattern, meant_for, told_of, larger, smaller in DIRECTIONS:
        match = re.fullmatch(pattern, measure, re.DOTALL)
        if match and dimensions in meant_for:
            subject, word = match.expand(told_of), larger if more else smaller
            break
    return " ".join(part for part in (_plural(words(subject)), amount, word) if part)


def statement(difference: Difference, comparison: Comparison) -> str:
    """One difference as a sentence about the query, with its time in the query and its segment.

    Returns:
        E.g. ``left knee 23° more bent from 0.72 to 1.04 s (flight)``.
    """
    how_much, more = amount(difference.magnitude, difference.unit), difference.more_in == "query"
    turned = difference.unit == "deg" and difference.magnitude >= HALF_TURN
    measure = re.sub("_lean$", "_somersault", difference.measure) if turned else difference.measure
    what = direction(measure, more, comparison.query.dimensions, how_much)
    where = f" ({difference.segment})" if difference.segment else ""
    return f"{what} {when(difference, comparison)}{where}"


def when(difference: Difference, comparison: Comparison) -> str:
    """When the query does it: ``at 0.84 s``, or ``from 0.72 to 1.04 s`` where it lasts."""
    fps = comparison.query.fps
    first, end = difference.query_frames
    if (end - first) / fps < MOMENT:
        return f"at {difference.peak[1] / fps:.2f} s"
    return f"from {first / fps:.2f} to {(end - 1) / fps:.2f} s"


def extent(sequence: PoseSequence) -> str:
    """How long a performance is: ``98 frames at 25 fps, 0.00–3.88 s``."""
    frames = "1 frame" if len(sequence) == 1 else f"{len(sequence)} frames"
    return f"{frames} at {sequence.fps:g} fps, {times(span(sequence), sequence.fps)}"


def times(frames: tuple[int, int], fps: float) -> str:
    """The times of the first and the last of some frames: ``1.76–2.24 s``."""
    first, end = frames
    start = f"{first / fps:.2f}"
    return f"{start} s" if end - first <= 1 else f"{start}–{(end - 1) / fps:.2f} s"


def values(difference: Difference) -> str:
    """Both performances' mean of a joint's angle, ``112°, reference 135°``; empty where unknown, or for what has no
    zero that a reader knows.
    """
    reference, query = difference.values
    if not difference.measure.endswith("_angle") or not (math.isfinite(reference) and math.isfinite(query)):
        return ""
    return f"{amount(query, 'deg')}, reference {amount(reference, 'deg')}"


def certainty(difference: Difference) -> str:
    """How far the difference is from noise, in a word and a percentage: ``very likely (97%)``."""
    return f"{_grade(difference.confidence, CERTAINTIES)} ({percentage(difference.confidence)})"


def percentage(probability: float) -> str:
    """A probability that never claims to be sure: ``97%``, ``>99%``."""
    if not math.isfinite(probability):
        return "unknown"
    if probability > 0.99:
        return ">99%"
    return f"{100 * probability:.0f}%" if probability >= 0.01 else "<1%"


def with_noise(difference: Difference) -> str:
    """The magnitude with what noise can explain of it: ``23.1° ± 3.2°``."""
    digits, unit = (1, "°") if difference.unit == "deg" else (2, "")
    noise = f"{difference.noise:.{digits}f}{unit}" if math.isfinite(difference.noise) else "unknown"
    text = f"{difference.magnitude:.{digits}f}{unit} ± {noise}"
    return text if unit else f"{text} {'torso lengths' if difference.unit == 'torso' else difference.unit}"


def sizes(told: Told) -> str:
    """The magnitude with its noise, of either side where both are told: ``left 26.0° ± 0.5°, right 24.5° ± 0.5°``."""
    if len(told.sides) == 1:
        return with_noise(told.whole)
    return ", ".join(f"{side.measure.partition('_')[0]} {with_noise(side)}" for side in told.sides)


def timing(offset: float) -> str:
    """A timing offset in words: ``0.08 s later``, ``0.08 s earlier``, ``on time``."""
    if not math.isfinite(offset):
        return "unknown"
    if abs(offset) < 0.005:
        return "on time"
    return f"{abs(offset):.2f} s {'later' if offset > 0 else 'earlier'}"


def summary(comparison: Comparison) -> str:
    """The whole comparison in one sentence: how near, and the largest difference."""
    grade = f"{_grade(comparison.score, GRADES)} (score {number(comparison.score)})"
    if not comparison.differences:
        return f"{grade}; {NO_DIFFERENCE}."
    return f"{grade}; the largest difference: {statement(grouped(comparison.differences)[0].whole, comparison)}."


def weakest(comparison: Comparison) -> str:
    """The weakest dimension and segment in one sentence, empty where everything is as in the reference."""
    if not comparison.scores or min(comparison.scores.values()) >= GRADES[0][0]:
        return ""
    dimension = min(comparison.scores, key=lambda name: comparison.scores[name])
    text = f"Weakest in {dimension} ({number(comparison.scores[dimension])})"
    if len(comparison.segments) > 1:
        segment = min(comparison.segments, key=lambda segment: segment.score)
        text += f"; the weakest part is {segment.name} ({number(segment.score)})"
    return text + "."


def segment_statement(segment: Segment) -> str:
    """A segment in one sentence: ``flight: score 91, starts 0.08 s later, weakest in timing (80)``."""
    text = f"{segment.name}: score {number(segment.score)}, starts {timing(segment.timing_offset_s)}"
    if segment.scores and min(segment.scores.values()) < GRADES[0][0]:
        dimension = min(segment.scores, key=lambda name: segment.scores[name])
        text += f", weakest in {dimension} ({number(segment.scores[dimension])})"
    return text


def number(score: float) -> str:
    """A score from 0 to 100 without decimals, which it does not deserve; ``?`` where unknown."""
    return f"{score:.0f}" if math.isfinite(score) else "?"


def frame_range(frames: tuple[int, int]) -> str:
    """Frame numbers as people count them, the last one included: ``18–21``."""
    first, end = frames
    return f"{first}" if end - first <= 1 else f"{first}–{end - 1}"


def frames_named(frames: tuple[int, int]) -> str:
    """``frames 18–21``, or ``frame 18`` for a single one."""
    return f"{'frame' if frames[1] - frames[0] <= 1 else 'frames'} {frame_range(frames)}"


def names(comparison: Comparison) -> tuple[str, str]:
    """Short names of the reference and the query, told apart by their frames where their files are the same."""
    reference, query = comparison.reference, comparison.query
    pair = (_file_name(reference, "reference"), _file_name(query, "query"))
    if pair[0] != pair[1]:
        return pair
    spans = (f"{pair[0]}, {frames_named(span(reference))}", f"{pair[1]}, {frames_named(span(query))}")
    return spans if spans[0] != spans[1] else (f"{pair[0]} (reference)", f"{pair[1]} (query)")


def capital(sentence: str) -> str:
    """The sentence with a capital first letter, the rest as it is."""
    return sentence[:1].upper() + sentence[1:]


def span(sequence: PoseSequence) -> tuple[int, int]:
    """(first, end) frame numbers of a performance, end exclusive."""
    return (int(sequence.frames[0]), int(sequence.frames[-1]) + 1) if len(sequence) else (0, 0)


def _plural(subject: str) -> str:
    """``both knee`` as ``both knees``; every other subject as it is."""
    both, _, part = subject.partition("both ")
    return f"both {PLURALS.get(part, f'{part}s')}" if part and not both else subject


def _file_name(sequence: PoseSequence, role: str) -> str:
    path = str(sequence.source.get("path") or "")
    return PurePath(path).name or path or role


def _grade(value: float, steps: tuple[tuple[float, str], ...]) -> str:
    return next((text for least, text in steps if value >= least), steps[-1][1])
