"""What of annotating works on this machine, and how to get the rest."""

from __future__ import annotations

import json
import os
import platform
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from posediff import __version__
from posediff.annotate.probes import PROBES
from posediff.errors import PosediffError
from posediff.weights import files as weights

#: Seconds that one trial may take: importing torch and mmpose for the first time can take half a minute.
TIME_LIMIT = 120.0

#: Least free space in the cache folder, in bytes: the largest weights are half as large.
FREE = 1_000_000_000

#: The weights that the back ends use where none are named.
DEFAULTS = ("rtmpose-m", "yolox-m")


class Finding(NamedTuple):
    """Something that was looked at.

    Attributes:
        topic: what it is for: ``pose``, ``detector``, ``tracker``, ``video``, ``drawing``, ``device``, ``batch``,
            ``weights`` or ``cache``.
        name: what it is.
        state: ``ok``, ``missing`` or ``broken``.
        detail: what was seen.
        cure: what to do about it, a command where there is one; empty where nothing is to be done.
    """

    topic: str
    name: str
    state: str
    detail: str
    cure: str = ""


def examine(names: Iterable[str] = tuple(PROBES), *, time_limit: float = TIME_LIMIT) -> list[Finding]:
    """Look at the machine, the libraries, the weights and the disk.

    Every library is tried in a process of its own, several at a time: one that crashes or hangs harms nothing else.

    Args:
        names: the libraries to try, of :data:`posediff.annotate.probes.PROBES`.
        time_limit: seconds that one trial may take.

    Returns:
        The findings: the machine, then libraries in the order of their names, weights, and the cache.
    """
    with ThreadPoolExecutor(max(1, min(4, _cores()))) as pool:
        tried = list(pool.map(lambda name: _tried(name, time_limit), names))
    return [_machine(), *tried, *_weights(), _space(weights.cache_folder())]


def can_annotate(findings: Sequence[Finding]) -> bool:
    """Whether videos can be read and at least one pose back end works."""
    working = {(one.topic, one.name) for one in findings if one.state == "ok"}
    return ("video", "h264") in working and any(topic == "pose" for topic, _ in working)


def _tried(name: str, time_limit: float) -> Finding:
    """What comes of trying a library."""
    probe = PROBES[name]
    state, detail = _answer([sys.executable, "-m", "posediff.annotate.probes", name], time_limit)
    return Finding(probe.topic, name, state, detail, {"missing": probe.install, "broken": probe.repair}.get(state, ""))


def _answer(command: Sequence[str], time_limit: float) -> tuple[str, str]:
    """State and detail that a trial in another process writes, or what became of it."""
    try:
        done = subprocess.run(command, capture_output=True, timeout=time_limit, stdin=subprocess.DEVNULL, check=False)
    except subprocess.TimeoutExpired:
        return "broken", f"no answer within {time_limit:g} s"
    except OSError as error:
        return "broken", f"cannot be tried ({error.strerror})"
    if done.returncode < 0:
        return "broken", f"crashed ({signal.Signals(-done.returncode).name})"
    try:
        state, detail = json.loads(done.stdout)
    except ValueError:
        last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        return "broken", f"ended with exit code {done.returncode}" + (f": {last}" if last else "")
    return state, detail


def _machine() -> Finding:
    detail = (
        f"posediff {__version__}, Python {platform.python_version()}, {platform.system()} {platform.machine()}, "
        f"{_cores()} CPU cores"
    )
    return Finding("device", "machine", "ok", detail)


def _cores() -> int:
    """CPU cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _weights() -> list[Finding]:
    """The default weights, and those others that are in the cache."""
    expected = {name: weights.place(weights.KNOWN[name].url) for name in weights.KNOWN}
    others = {path.name: path for path in _stored(weights.cache_folder()) if path not in expected.values()}
    wanted = [name for name, path in expected.items() if name in DEFAULTS or path.is_file()]
    return [_known(name, expected[name]) for name in wanted] + [_kept(name, path) for name, path in others.items()]


def _stored(folder: Path) -> list[Path]:
    """The files with weights in the cache."""
    try:
        files = sorted(path for path in folder.iterdir() if path.is_file())
    except OSError:
        return []
    return [path for path in files if path.suffix not in (".sha256", ".part")]


def _known(name: str, place: Path) -> Finding:
    if place.is_file():
        return _kept(name, place)
    source = weights.KNOWN[name].url
    unpacked = f", the .onnx file in it as {place}" if source.endswith(".zip") else f" as {place}"
    return Finding(
        "weights", name, "missing", "not downloaded yet", f"happens at its first use; by hand: {source}{unpacked}"
    )


def _kept(name: str, place: Path) -> Finding:
    """Whether weights in the cache are what they were when they came there."""
    try:
        weights.find(name if name in weights.KNOWN else place)
        size = place.stat().st_size
    except (PosediffError, OSError) as error:
        return Finding("weights", name, "broken", str(error), f"delete {place}")
    return Finding("weights", name, "ok", f"{place} ({size / 1e6:.1f} MB)")


def _space(folder: Path) -> Finding:
    """Whether there is room for weights."""
    existing = next((path for path in (folder, *folder.parents) if path.is_dir()), Path("."))
    cure = "make room, or name another folder in POSEDIFF_CACHE"
    try:
        free = shutil.disk_usage(existing).free
    except OSError as error:
        return Finding("cache", "disk", "broken", f"{folder}: {error.strerror}", cure)
    detail = f"{free / 1e9:.1f} GB free for {folder}"
    if not os.access(existing, os.W_OK):
        return Finding("cache", "disk", "broken", f"{folder} cannot be written to", cure)
    return Finding("cache", "disk", "ok", detail) if free >= FREE else Finding("cache", "disk", "broken", detail, cure)
