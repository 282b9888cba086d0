"""What every benchmark result says of itself: when, where, from which state of the code and by which command."""

from __future__ import annotations

import platform
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np

from posediff import __version__


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
    folder = Path(__file__).parent
    try:
        name, changed = (
            subprocess.run(["git", *args], cwd=folder, capture_output=True, text=True, check=True).stdout.strip()
            for args in (["rev-parse", "--short", "HEAD"], ["status", "--porcelain", "--untracked-files=no"])
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return name + ("+" if changed else "")
