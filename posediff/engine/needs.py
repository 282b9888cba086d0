"""What learned models need beyond posediff itself."""

from __future__ import annotations

from importlib.util import find_spec

from posediff.errors import MissingDependency


def require(*libraries: str, purpose: str) -> None:
    """Refuse to begin where a library is missing, before anything imports it.

    Args:
        libraries: names to import.
        purpose: what they are needed for.

    Raises:
        MissingDependency: naming the first that is not installed.
    """
    for library in libraries:
        if find_spec(library) is None:
            raise MissingDependency(library, "train", purpose)
