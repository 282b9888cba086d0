"""What every benchmark result says of itself: when, where, from which state of the code and by which command."""

from __future__ import annotations

import platform
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np

from posediff import __version__
from posediff.engine.provenance import commit as commit_of


def provenance() -> dict[str, Any]:
    """Version, commit, date, machine and command of this run."""
    return {
        "posediff": __version__,
        "commit": commit(),
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "machine": f"{platform.machine()}, Python {platform.python_version()}, numpy {np.__version__}",
        "command": " ".join(["python", *sys.argv]),
    }


def commit() -> str | None:
    """The commit that is checked out, with ``+`` where files differ from it; None outside of a repository."""
    name = commit_of(Path(__file__))
    return name[:7] + name[40:] if name else None
