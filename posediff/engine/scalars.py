"""Where figures of the training go while it goes on: back ends of mmengine's Visualizer."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from mmengine.visualization import TensorboardVisBackend, Visualizer, WandbVisBackend
from mmengine.visualization.vis_backend import BaseVisBackend

from posediff.engine.predictions import known
from posediff.errors import BadSetting, CannotWrite, MissingDependency
from posediff.io.files import write_files

NAME = "scalars.jsonl"


class Lines(BaseVisBackend):  # type: ignore[misc]  # mmengine is not typed
    """Adds a line of JSON to a file for every call, and never holds one back.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(str(path.parent))
        self._path = path

    def _init_env(self) -> None:
        pass  # the folder is there

    @property
    def experiment(self) -> Path:
        return self._path

    def add_scalars(
        self, scalar_dict: Mapping[str, Any], step: int = 0, file_path: str | None = None, **_: Any
    ) -> None:
        try:
            with open(self._path, "a", encoding="utf-8") as file:
                values = {name: known(value) for name, value in scalar_dict.items()}
                file.write(json.dumps({"step": step, **values}, allow_nan=False) + "\n")
        except OSError as error:
            raise CannotWrite(f"{self._path}: cannot be written ({error.strerror})", "make room on the disk") from None


def make_visualizer(name: str, backends: Sequence[str], folder: Path) -> Visualizer:
    """What figures are given to.

    Args:
        name: of the experiment.
        backends: of ``local``, ``tensorboard``, ``wandb``.
        folder: that they write to.

    Raises:
        MissingDependency: if tensorboard is not installed.
        BadSetting: if wandb is not.
    """
    if "tensorboard" in backends and find_spec("tensorboard") is None:
        raise MissingDependency("tensorboard", "train", "the logging back end tensorboard")
    if "wandb" in backends and find_spec("wandb") is None:
        raise BadSetting("logging.backends names wandb, which is not installed", "pip install wandb")
    makers: dict[str, Any] = {
        "local": lambda: Lines(folder / NAME),
        "tensorboard": lambda: TensorboardVisBackend(str(folder / "tensorboard")),
        "wandb": lambda: WandbVisBackend(str(folder), init_kwargs={"name": name}),
    }
    return Visualizer(name, vis_backends=[makers[backend]() for backend in dict.fromkeys(backends)])


def forget_after(folder: Path, epoch: int) -> None:
    """Leave in the file only what was written up to the end of an epoch, so that it can be written again.

    Raises:
        CannotWrite: if the file system refuses.
    """
    path = folder / NAME
    if not path.exists():
        return
    kept = [line for line in path.read_bytes().splitlines(keepends=True) if _epoch(line) <= epoch]
    write_files({path: b"".join(kept)})


def _epoch(line: bytes) -> float:
    """The epoch that a line is of; none is kept that was cut off."""
    try:
        return float(json.loads(line)["epoch"])
    except (ValueError, KeyError, TypeError):
        return float("inf")
