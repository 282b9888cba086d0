"""A validation split, taken from the training clips so that no choice is made on test clips."""

from __future__ import annotations

from collections.abc import Sequence

from posediff.datasets.clips import Clip
from posediff.datasets.labels import drawn
from posediff.errors import BadData, BadSetting


def validation_split(
    clips: Sequence[Clip], fraction: float, seed: int = 0, name: str = ""
) -> tuple[tuple[Clip, ...], tuple[Clip, ...]]:
    """Training clips in two parts, with the same share of every action in both as nearly as may be.

    An action always keeps a clip in the training part: what is validated has an exemplar. Where the performer of every
    clip is known and there are several, performers are divided instead, and the share is that of them: a network is to
    be chosen by people whom it has not seen. Which clips are chosen depends on their keys and the seed, not on their
    order.

    Args:
        clips: the training clips.
        fraction: share of the clips that is for validation; at least one is, unless it is 0.
        seed: of the choice.
        name: of the collection or its file, for the message.

    Returns:
        Those that remain for training, and those for validation, both in the given order.

    Raises:
        BadSetting: if the fraction is not from 0 to below 1.
        BadData: if there are no clips, or no action occurs twice, so that nothing can be taken.
    """
    if not 0 <= fraction < 1:
        raise BadSetting(f"a fraction of {fraction} of the clips for validation", "give one from 0 to below 1")
    start = f"{name}: " if name else ""
    if not clips:
        raise BadData(f"{start}there are no training clips", "check the label file and the split")
    if fraction == 0:
        return tuple(clips), ()
    performers = sorted({clip.performer for clip in clips})
    if performers[0] and len(performers) > 1:
        count = min(max(1, round(fraction * len(performers))), len(performers) - 1)
        apart = set(sorted(performers, key=lambda one: drawn(f"validation {seed} {one}"))[:count])
        return tuple(c for c in clips if c.performer not in apart), tuple(c for c in clips if c.performer in apart)
    actions: dict[str, list[str]] = {}
    for clip in clips:
        actions.setdefault(clip.action, []).append(clip.key)
    if all(len(keys) == 1 for keys in actions.values()):
        if len(clips) == 1:
            raise BadData(f"{start}there is only one clip, which cannot be divided", "give more clips")
        raise BadData(
            f"{start}none of {len(clips)} clips can be kept apart, since each is the only one of its action",
            "give more clips of each action, or leave the actions out",
        )
    chosen: set[str] = set()
    for action, count in _counts({action: len(keys) for action, keys in actions.items()}, fraction, seed).items():
        chosen.update(sorted(actions[action], key=lambda key: drawn(f"validation {seed} {key}"))[:count])
    return tuple(c for c in clips if c.key not in chosen), tuple(c for c in clips if c.key in chosen)


def _counts(sizes: dict[str, int], fraction: float, seed: int) -> dict[str, int]:
    """How many of each action are for validation: its share rounded down, the rest to those who lost most by that."""
    counts = {action: int(fraction * size) for action, size in sizes.items()}
    room = sum(size - 1 for size in sizes.values())
    left = min(max(1, round(fraction * sum(sizes.values()))), room) - sum(counts.values())
    order = sorted(sizes, key=lambda action: (-(fraction * sizes[action] % 1), drawn(f"actions {seed} {action}")))
    while left > 0:
        for action in [action for action in order if counts[action] < sizes[action] - 1][:left]:
            counts[action] += 1
            left -= 1
    return counts
