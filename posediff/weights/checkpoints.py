"""PyTorch checkpoints, read without running anything that they name."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from posediff.errors import BadData, BadSetting, listed

if TYPE_CHECKING:
    import torch

#: What to do about a file that is no checkpoint.
HINT = "give a PyTorch checkpoint; of your own, save the state_dict alone: torch.save(model.state_dict(), path)"

#: What numpy's arrays and numbers are made of in a pickle; numpy 1 and 2 call the place differently.
_NUMPY_PLACES = ("numpy.core.multiarray", "numpy._core.multiarray")
_NUMPY_KINDS = ("float64", "float32", "int64", "int32", "uint8", "bool")


class _Inert:
    """What stands for an object of a class that is not allowed: it takes everything and does nothing."""

    def __new__(cls, *_: Any, **__: Any) -> _Inert:
        return object.__new__(cls)

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        pass


def read_checkpoint(path: Path, hint: str = HINT) -> dict[str, Any]:
    """The content of a checkpoint: tensors, numpy arrays and plain containers.

    torch's loader for weights only is used. Objects of other classes, such as the histories that training leaves in a
    checkpoint, become empty stand-ins: no code that the file names is imported or run.

    Args:
        path: a file that ``torch.save`` wrote.
        hint: what to do about a file that is none.

    Raises:
        BadData: if it is not one, or it holds what even a stand-in cannot be put for.
    """
    import torch

    try:
        with torch.serialization.safe_globals([*_numpy_globals(), *_stand_ins(path)]):
            content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # what is no checkpoint, or a damaged one, can make torch fail in any way
        raise BadData(f"{path}: cannot be read as a PyTorch checkpoint ({_reason(error)})", hint) from None
    if not isinstance(content, Mapping):
        raise BadData(f"{path}: holds a {type(content).__name__}, expected weights by name", hint)
    return dict(content)


def weights_of(checkpoint: Mapping[str, Any], path: Path) -> dict[str, torch.Tensor]:
    """The weights by name, wherever a checkpoint keeps them.

    Args:
        checkpoint: as :func:`read_checkpoint` gives it: the weights, or a mapping with a ``state_dict``.
        path: what to call it.

    Raises:
        BadData: if there are none.
    """
    import torch

    named = next((checkpoint[key] for key in ("state_dict", "model") if isinstance(checkpoint.get(key), Mapping)), None)
    state = checkpoint if named is None else named
    if not state or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise BadData(f"{path}: holds no weights", "give a checkpoint with a state_dict, or a state_dict alone")
    return {name.removeprefix("module."): value for name, value in state.items()}


def load_weights(model: torch.nn.Module, state: Mapping[str, torch.Tensor], path: Path) -> None:
    """Put weights into a network, all that it has.

    Args:
        model: the network.
        state: weights by name; those that it does not know are left out, as are those of auxiliary heads.
        path: what to call them.

    Raises:
        BadData: if one is missing or has another shape.
    """
    hint = "give the weights of this very network"
    try:
        missing = model.load_state_dict(dict(state), strict=False).missing_keys
    except RuntimeError as error:
        lines = str(error).splitlines()
        raise BadData(f"{path}: its weights do not fit ({lines[min(1, len(lines) - 1)].strip()})", hint) from None
    missing = [name for name in missing if not name.endswith("num_batches_tracked")]
    if missing:
        raise BadData(f"{path}: lacks the weights {listed(missing)}", hint)


def torch_device(device: str) -> torch.device:
    """The device that a setting names.

    Args:
        device: ``cpu``, ``cuda``, or ``auto`` for CUDA where it works.

    Raises:
        BadSetting: if CUDA is asked for and not there.
    """
    import torch

    there = torch.cuda.is_available()
    if device == "cuda" and not there:
        raise BadSetting("device is 'cuda', but torch finds no GPU", "choose the device cpu, and see posediff doctor")
    return torch.device("cuda" if there and device != "cpu" else "cpu")


def _reason(error: Exception) -> str:
    """Why a checkpoint cannot be read; torch's own words advise to run what the file names."""
    if isinstance(error, FileNotFoundError):
        return "no such file"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    if isinstance(error, pickle.UnpicklingError):
        return "it holds more than weights, or is no checkpoint"
    return "it is damaged, or is no checkpoint"


def _numpy_globals() -> list[tuple[Any, str]]:
    empty, number = (value.__reduce__()[0] for value in (np.empty(0), np.float64(0)))
    kinds = [type(np.dtype(kind)) for kind in _NUMPY_KINDS]
    return [
        (np.ndarray, "numpy.ndarray"),
        (np.dtype, "numpy.dtype"),
        *((empty, f"{place}._reconstruct") for place in _NUMPY_PLACES),
        *((number, f"{place}.scalar") for place in _NUMPY_PLACES),
        *((kind, f"{kind.__module__}.{kind.__name__}") for kind in kinds),
    ]


def _stand_ins(path: Path) -> list[tuple[Any, str]]:
    """A stand-in for every foreign name in a checkpoint."""
    import torch

    unsafe = getattr(torch.serialization, "get_unsafe_globals_in_checkpoint", None)
    if unsafe is None:  # torch before 2.6
        return []
    known = {name for _, name in _numpy_globals()}
    try:
        return [(_Inert, name) for name in unsafe(path) if name not in known]
    except OSError:
        raise
    except Exception:  # the oldest format, whose names are not listed and so refused, or a damaged file
        return []
