"""The files that hold a network's weights: a local path, the cache, or a download that is checked."""

from __future__ import annotations

import hashlib
import http.client
import os
import secrets
import shutil
import sys
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from posediff import __version__
from posediff.errors import BadData, BadSetting, CannotWrite, PosediffError
from posediff.io.files import file_hash

#: Seconds that a server may take to answer, or to send the next bytes.
TIMEOUT = 30.0

_BLOCK = 1 << 20
_OPENMMLAB = "https://download.openmmlab.com/mmpose/v1/projects"
_RTMPOSE = f"{_OPENMMLAB}/rtmposev1/onnx_sdk"


class Known(NamedTuple):
    """Weights that can be asked for by a name.

    Attributes:
        url: where they are downloaded from.
        sha256: their published SHA-256 or its first digits; empty where none is published, so that the first download
            has to be trusted. That of a zip archive would be the archive's.
    """

    url: str
    sha256: str = ""


#: Weights by name. The digits in the names of OpenMMLab's archives are of the PyTorch weights, not of the archives.
KNOWN = {
    "yolox-tiny": Known(f"{_RTMPOSE}/yolox_tiny_8xb8-300e_humanart-6f3252f9.zip"),
    "yolox-m": Known(f"{_RTMPOSE}/yolox_m_8xb8-300e_humanart-c2c7a14a.zip"),
    "yolox-x": Known(f"{_RTMPOSE}/yolox_x_8xb8-300e_humanart-a39d44ed.zip"),
    "rtmpose-s": Known(f"{_RTMPOSE}/rtmpose-s_simcc-body7_pt-body7_420e-256x192-acd4a1ef_20230504.zip"),
    "rtmpose-m": Known(f"{_RTMPOSE}/rtmpose-m_simcc-body7_pt-body7_420e-256x192-e48f03d0_20230504.zip"),
    "rtmpose-x": Known(f"{_RTMPOSE}/rtmpose-x_simcc-body7_pt-body7_700e-384x288-71d7b7e9_20230629.zip"),
    "rtmpose-s-halpe26": Known(f"{_RTMPOSE}/rtmpose-s_simcc-body7_pt-body7-halpe26_700e-256x192-7f134165_20230605.zip"),
    "rtmpose-m-halpe26": Known(f"{_RTMPOSE}/rtmpose-m_simcc-body7_pt-body7-halpe26_700e-256x192-4d3e73dd_20230605.zip"),
    "rtmpose-x-halpe26": Known(f"{_RTMPOSE}/rtmpose-x_simcc-body7_pt-body7-halpe26_700e-384x288-7fb6e239_20230606.zip"),
    "rtmw-m": Known(f"{_OPENMMLAB}/rtmw/onnx_sdk/rtmw-dw-l-m_simcc-cocktail14_270e-256x192_20231122.zip"),
    "rtmw-x": Known(f"{_OPENMMLAB}/rtmw/onnx_sdk/rtmw-dw-x-l_simcc-cocktail14_270e-384x288_20231122.zip"),
}


def cache_folder(kind: str = "weights") -> Path:
    """Where things of a kind are kept: in ``POSEDIFF_CACHE``, else in the cache folder of the user."""
    named = os.environ.get("POSEDIFF_CACHE")
    if named:
        return Path(os.path.expanduser(named), kind)
    usual = {"win32": "~/AppData/Local", "darwin": "~/Library/Caches"}.get(sys.platform, "~/.cache")
    named = os.environ.get("LOCALAPPDATA" if sys.platform == "win32" else "XDG_CACHE_HOME")
    return Path(os.path.expanduser(named or usual), "posediff", kind)


def find(name_or_path: str | Path, *, url: str | None = None, sha256: str | None = None, hint: str = "") -> Path:
    """The file with some weights: that of a path, else that of the cache, else downloaded into the cache.

    A downloaded zip archive is kept as the ``.onnx`` file that it holds. The SHA-256 of a file in the cache is kept
    beside it and checked at every use, so that a file for which none is published is trusted once and never again.

    Args:
        name_or_path: a path (``~`` is the home folder), the name of a file in the cache, one of :data:`KNOWN`, or an
            address (``https://``).
        url: where a name is downloaded from; https, except from this machine.
        sha256: what the file's SHA-256 is, or its first eight or more digits; a zip archive's is the archive's.
        hint: what else the user can do, for the messages.

    Raises:
        BadData: if there is no such file, or it is not what its checksum says.
        BadSetting: if the address or the checksum is not one.
        CannotWrite: if a download cannot be stored.
        PosediffError: if a download fails.
    """
    text = str(name_or_path)
    expected = _digits(sha256)
    if (local := _local(text)) is not None:
        return _checked(local, expected, "give another file")
    known = KNOWN.get(text)
    if known is not None:
        url, expected = url or known.url, expected or known.sha256
    elif url is None and "://" in text:
        url = text
    if url is None:
        hint = hint or f"give the path of a file, or one of: {', '.join(KNOWN)}"
        raise BadData(f"{text}: there are no weights of that path or name", hint)
    kept = place(url)
    if kept.is_file():
        of_archive = urlsplit(url).path.endswith(".zip")  # which is gone; what is recorded is of the file itself
        return _checked(kept, "" if of_archive else expected, f"delete {kept} to have it downloaded again")
    _download(url, kept, expected, hint or f"without a network, put the file at {kept}, or give its path")
    return kept


def place(url: str) -> Path:
    """Where the cache keeps what is downloaded from an address, whether it is there or not.

    Raises:
        BadSetting: if the address names no file.
    """
    try:
        name = Path(unquote(urlsplit(url).path)).name
    except ValueError:
        name = ""
    if not name or "\0" in name:
        raise BadSetting(f"{url}: this address names no file", "give the address of the file itself")
    name = f"{name[:-4]}.onnx" if name.endswith(".zip") else name
    if all(url != known.url for known in KNOWN.values()):
        name = f"{hashlib.sha256(url.encode()).hexdigest()[:8]}-{name}"  # many a file is called end2end.onnx
    return cache_folder() / name


def sha256_of(path: Path) -> str:
    """SHA-256 of a file.

    Raises:
        BadData: if it cannot be read.
    """
    try:
        return file_hash(path)
    except OSError as error:
        raise BadData(f"{path}: cannot be read ({error.strerror})", "check the path and its permissions") from None


def provenance(path: Path) -> dict[str, str]:
    """What a result says about its weights: the file's name and its SHA-256."""
    return {"weights": path.name, "sha256": sha256_of(path)}


def _local(text: str) -> Path | None:
    """The file of that path, or of that name in the cache."""
    try:
        given = Path(os.path.expanduser(text))
        if given.is_dir():
            raise BadData(f"{text}: is a folder, expected a file with weights", "give the path of the file in it")
        if given.exists():
            return given
        kept = cache_folder() / text
        return kept if Path(text).name == text and kept.is_file() else None
    except (OSError, ValueError):  # longer than a path can be, or with a zero byte
        return None


def _checked(path: Path, expected: str, hint: str) -> Path:
    """The path, where the file's SHA-256 begins with the expected digits and is that of the record."""
    actual = sha256_of(path)
    inside = path.parent == cache_folder()
    recorded = _record(path) if inside else ""
    for digits in filter(None, (expected, recorded)):
        if not actual.startswith(digits):
            raise BadData(f"{path}: its SHA-256 is {actual}, expected {digits}", hint)
    if inside and not recorded:
        with suppress(OSError):  # somebody put it there; a cache that cannot be written to is used all the same
            _keep_record(path, actual)
    return path


def _digits(sha256: str | None) -> str:
    digits = (sha256 or "").lower()
    if digits and (not 8 <= len(digits) <= 64 or set(digits) - set("0123456789abcdef")):
        raise BadSetting(f"{sha256!r} is not a SHA-256", "give 64 hexadecimal digits, or the first 8 or more")
    return digits


def _record_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")


def _keep_record(path: Path, sha256: str) -> None:
    _record_path(path).write_text(f"{sha256}  {path.name}\n", encoding="utf-8")


def _record(path: Path) -> str:
    """The SHA-256 that was kept beside a file, in the form of ``sha256sum``."""
    try:
        words = _record_path(path).read_text(encoding="utf-8").split()
    except (OSError, ValueError):
        return ""
    return words[0] if words else ""


def _download(url: str, kept: Path, expected: str, hint: str) -> None:
    """Fetch a file under a temporary name, check it, unpack it, record its SHA-256, rename it to its place."""
    _allow(url)
    part = kept.with_name(f".{kept.name}.{secrets.token_hex(4)}.part")
    inner = part.with_suffix(".onnx")
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        actual = _fetch(url, part, kept.name, hint)
        if not actual.startswith(expected):
            raise BadData(
                f"{url}: the file's SHA-256 is {actual}, expected {expected}; it was not kept",
                "try again; if it stays so, the file was replaced: do not use it",
            )
        ready = part
        if urlsplit(url).path.endswith(".zip"):
            _unpack(part, inner, url)
            ready, actual = inner, sha256_of(inner)
        _keep_record(kept, actual)
        os.replace(ready, kept)
    except OSError as error:
        raise CannotWrite(
            f"{kept}: cannot be stored ({error.strerror or error})",
            "make room, or name another folder in POSEDIFF_CACHE",
        ) from None
    finally:
        for leftover in (part, inner):
            with suppress(OSError):
                leftover.unlink()


def _fetch(url: str, part: Path, name: str, hint: str) -> str:
    """Write what an address gives to a new file; its SHA-256."""
    total = hashlib.sha256()
    with open(part, "xb") as file:
        for block in _blocks(url, name, hint):
            total.update(block)
            file.write(block)
    return total.hexdigest()


def _blocks(url: str, name: str, hint: str) -> Iterator[bytes]:
    """The bytes of an address, with progress on stderr."""
    request = urllib.request.Request(url, headers={"User-Agent": f"posediff/{__version__}"})
    done = 0
    try:
        with urllib.request.build_opener(_Redirects).open(request, timeout=TIMEOUT) as answer:
            length = answer.headers.get("Content-Length") or ""
            size = int(length) if length.isdecimal() else 0
            _tell(f"downloading {name}" + (f" ({size / 1e6:.1f} MB)" if size else ""), end="\n")
            while block := answer.read(_BLOCK):
                done += len(block)
                if sys.stderr.isatty():
                    _tell(f"{done / 1e6:.1f} MB" + (f", {done / size:.0%}" if size else ""), end="\r")
                yield block
    except urllib.error.HTTPError as error:
        raise PosediffError(f"{url}: cannot be downloaded (HTTP {error.code} {error.reason})", hint) from None
    except (OSError, http.client.HTTPException) as error:  # the disk's errors occur outside, where blocks are written
        reason = getattr(error, "reason", None) or error or type(error).__name__
        raise PosediffError(f"{url}: cannot be downloaded ({reason})", hint) from None
    if done < size:
        raise PosediffError(f"{url}: the download ended after {done} of {size} bytes", hint)


def _tell(text: str, end: str) -> None:
    print(f"posediff: {text}", end=end, file=sys.stderr, flush=True)


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows a redirection only to where a download may come from."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        _allow(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _allow(url: str) -> None:
    """Refuse addresses whose content somebody on the way can change."""
    parts = urlsplit(url)
    here = parts.hostname in ("localhost", "127.0.0.1", "::1")
    if parts.scheme not in ("https", "file") and not (parts.scheme == "http" and here):
        raise BadSetting(f"{url}: weights are downloaded by https only", "give an address that begins with https://")


def _unpack(archive: Path, target: Path, url: str) -> None:
    """Copy the one ``.onnx`` file of an archive; of several, the one that OpenMMLab calls ``end2end.onnx``."""
    hint = "give the address or the path of an .onnx file"
    try:
        with zipfile.ZipFile(archive) as inside:
            models = [name for name in inside.namelist() if name.endswith(".onnx")]
            chosen = [name for name in models if Path(name).name == "end2end.onnx"] or models
            if len(chosen) != 1:
                raise BadData(f"{url}: the archive holds {len(chosen)} .onnx files, expected one", hint)
            with inside.open(chosen[0]) as source, open(target, "xb") as file:
                shutil.copyfileobj(source, file, _BLOCK)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise BadData(f"{url}: is not a zip archive that can be read ({error})", hint) from None
