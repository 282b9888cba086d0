"""Where a result comes from: version, commit, date."""

from __future__ import annotations

import subprocess
from datetime import datetime, timezone
from functools import cache
from pathlib import Path

from posediff import __version__


def provenance() -> dict[str, str]:
    """Version of posediff and its commit, date, and version of torch."""
    import torch

    date = datetime.now(timezone.utc).isoformat(timespec="seconds")
    return {"posediff": __version__, "commit": commit(), "date": date, "torch": str(torch.__version__)}


@cache
def commit(file: Path = Path(__file__)) -> str:
    """The commit of the repository that a file belongs to, with ``+`` where files differ from it; empty without one.

    A file that only lies in somebody's repository, as an installed package may, does not belong to it.
    """
    belongs = ["ls-files", "--error-unmatch", file.name]
    try:
        _, name, changed = (
            subprocess.run(["git", *words], cwd=file.parent, capture_output=True, text=True, check=True).stdout.strip()
            for words in (belongs, ["rev-parse", "HEAD"], ["status", "--porcelain", "--untracked-files=no"])
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return name + ("+" if changed else "")
