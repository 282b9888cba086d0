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
def commit(folder: Path = Path(__file__).parent) -> str:
    """The commit that a folder of a repository is at, with ``+`` where files differ from it; empty elsewhere."""
    try:
        name, changed = (
            subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=True).stdout.strip()
            for words in (["rev-parse", "HEAD"], ["status", "--porcelain", "--untracked-files=no"])
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return name + ("+" if changed else "")
