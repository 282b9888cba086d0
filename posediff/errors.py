"""Faults that a user can cause, each with one line that says what is wrong and one that says what to do."""

from __future__ import annotations

from collections.abc import Iterable

FAILURE, USAGE, BAD_DATA, PARTIAL = 1, 2, 3, 4

#: Names that a message repeats; it counts the others.
SHOWN = 3


class PosediffError(Exception):
    """A fault that is reported to the user without a traceback.

    Args:
        message: what is wrong, with the file and the value received.
        hint: what to do about it.
    """

    exit_code = FAILURE

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class BadSetting(PosediffError):
    """A setting or an option that cannot be used (exit code 2)."""

    exit_code = USAGE


class BadData(PosediffError):
    """A file or an array that cannot be understood (exit code 3)."""

    exit_code = BAD_DATA


class MissingDependency(PosediffError):
    """An optional library that a feature needs is not installed (exit code 1).

    Args:
        package: the library's name.
        extra: the extra of posediff that installs it.
        purpose: what it is needed for.
    """

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(f"{purpose} needs {package}, which is not installed", f'pip install "posediff[{extra}]"')


class CannotWrite(PosediffError):
    """An output that cannot be written (exit code 1)."""


def listed(names: Iterable[object], separator: str = ", ") -> str:
    """The first names, and how many there are besides: ``a, b, c and 4 more``."""
    texts = [str(name) for name in names]
    more = f" and {len(texts) - SHOWN} more" if len(texts) > SHOWN else ""
    return separator.join(texts[:SHOWN]) + more


def suggestion(name: str, known: Iterable[str], prefix: str = "") -> str:
    """What was probably meant by an unknown name, in whatever case, or else all that there is: for a hint.

    Args:
        name: the unknown name.
        known: the names that there are.
        prefix: what stands before them.
    """
    from difflib import get_close_matches

    known = list(known)
    spelled = {one.casefold(): one for one in known}
    close = get_close_matches(name.casefold(), spelled, n=1)
    return f"did you mean {prefix}{spelled[close[0]]}?" if close else f"there are: {', '.join(known)}"
