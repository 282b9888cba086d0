"""What those who work on labels share: splits and files by key, choices by chance, names that were mistyped."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from posediff.datasets.clips import Clip
from posediff.errors import BadData, BadSetting, listed
from posediff.io.checks import Fault
from posediff.io.registry import split_range

#: Most points that judges give a dive before its difficulty: three marks of 10, or as many more as count as three.
BEST_EXECUTION = 30.0
#: Published scores are rounded to this.
ROUNDING = 0.05

AS_PUBLISHED = "give the annotations as they were published"


def drawn(text: str) -> int:
    """A number of 64 bits that looks random and is the same for the same text, everywhere and for ever."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def keys(clips: Any, kinds: tuple[type, type], form: str, path: Path) -> list[str]:
    """Keys of clips that a published table calls by two values.

    Args:
        clips: the pairs.
        kinds: the types of the two values.
        form: how a key is made of them.
        path: of the table, for the message.

    Raises:
        BadData: if a clip is called otherwise.
    """
    try:
        pairs = [(first, second) for first, second in clips]
    except (TypeError, ValueError):
        raise BadData(f"{path}: does not list clips by two values each", AS_PUBLISHED) from None
    for pair in pairs:
        if not all(isinstance(value, kind) for value, kind in zip(pair, kinds, strict=True)):
            expected = " and ".join("a text" if kind is str else "a number" for kind in kinds)
            raise BadData(f"{path}: calls a clip {pair!r}, expected {expected}", AS_PUBLISHED)
    return [form.format(*pair) for pair in pairs]


def gathered(
    split: Mapping[str, Sequence[str]], labels: Mapping[str, Any], make: Callable[[str, Any], Clip], path: Path
) -> dict[str, Clip]:
    """The clips of a split, in its order, all faults in one error.

    Args:
        split: keys by part of the split.
        labels: what is known of each clip, by key.
        make: a clip of its key and what is known of it.
        path: of the labels, for the message.

    Raises:
        BadData: if clips of the split have no labels, or wrong ones.
    """
    for part, names in split.items():
        if missing := [key for key in names if key not in labels]:
            raise BadData(
                f"{path}: {len(missing)} of {len(names)} clips of the {part} split have no labels: {listed(missing)}",
                "take labels and split from one release of the data set",
            )
    clips, faults = {}, []
    for key in (key for names in split.values() for key in names):
        try:
            clips[key] = make(key, labels[key])
        except KeyError as error:
            faults.append(f"clip {key!r}: {error} is missing")
        except (BadData, Fault) as error:
            faults.append(str(error))
        except (AttributeError, IndexError, OverflowError, TypeError, ValueError) as error:
            faults.append(f"clip {key!r}: {error}")
    if faults:
        raise BadData(f"{path}: {listed(faults, '; ')}", AS_PUBLISHED)
    return clips


def check_dive(clip: Clip) -> Clip:
    """A dive whose score judges can give.

    Raises:
        BadData: if it is below 0, or above 30 times the difficulty.
    """
    best = BEST_EXECUTION * (clip.difficulty or 1)
    if not -ROUNDING <= clip.score <= best + ROUNDING:
        raise BadData(f"clip {clip.key!r}: its score is {clip.score}, expected 0 to {best:g}, 30 x its difficulty")
    return clip


def check_patterns(owner: object, patterns: Sequence[str], example: Mapping[str, object]) -> None:
    """Refuse patterns of file names that cannot be filled in.

    Args:
        owner: the settings that hold them.
        patterns: file names with fields, ``{competition}/{index}.json``.
        example: a value for every field.

    Raises:
        BadSetting: if there is none, or one has an unknown field.
    """
    hint = f"the fields are: {', '.join(f'{{{name}}}' for name in example)}"
    if not patterns:
        raise BadSetting(f"{type(owner).__name__}: pose_files is empty", f"name the files; {hint}")
    for pattern in patterns:
        try:
            pattern.format(**example)
        except (KeyError, IndexError, ValueError, AttributeError):
            raise BadSetting(
                f"{type(owner).__name__}: pose_files has {pattern!r}, which cannot be filled in", hint
            ) from None


def with_files(
    clips: Mapping[str, Clip],
    attribute: str,
    root: str,
    patterns: Sequence[str],
    fields: Callable[[Clip], Mapping[str, object]],
) -> dict[str, Clip]:
    """The clips with the place of their skeletons or pictures.

    Args:
        clips: by key.
        attribute: ``poses`` or ``images``.
        root: folder that they lie in; empty where there are none.
        patterns: names in it with fields, of which the first that exists is taken; a range of frames ``#start:end`` at
            the end of one is kept.
        fields: the values of the fields for a clip.

    Raises:
        BadData: if the folder or any of them does not exist, in one error.
    """
    if not root:
        return dict(clips)
    what = {"poses": "skeleton files", "images": "folders of pictures"}[attribute]
    if not Path(root).is_dir():
        raise BadData(f"{root}: there is no such folder", f"name the folder that holds the {what}")
    found, missing = {}, []
    for key, clip in clips.items():
        candidates = [str(Path(root) / pattern.format(**fields(clip))) for pattern in patterns]
        there = next((path for path in candidates if exists(path)), None)
        if there is None:
            missing.append(candidates[0])
        else:
            found[key] = replace(clip, **{attribute: there})  # type: ignore[arg-type]  # both attributes are texts
    if missing:
        raise BadData(
            f"{root}: {len(missing)} of {len(clips)} {what} are missing: {listed(missing)}",
            f"they are looked for as {' or '.join(patterns)}",
        )
    return found


def exists(location: str) -> bool:
    """Whether there is something at a path, which may end with a range of frames, ``#start:end``."""
    try:
        return split_range(location)[0].exists()
    except (OSError, ValueError):
        return False
