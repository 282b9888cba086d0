"""The table of models that an experiment can name, imported when they are used."""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar, cast

from posediff.errors import BadSetting, suggestion
from posediff.models.settings import check
from posediff.skeletons import get

if TYPE_CHECKING:
    import torch

T = TypeVar("T")

#: Every model: module and class of the network, and of its settings.
MODELS = {
    "hp_mcore": ("posediff.models.hp_mcore:HPMCoRe", "posediff.models.settings:HPMCoReSettings"),
    "core": ("posediff.models.core:CoRe", "posediff.models.core_settings:CoReSettings"),
    "skilldiff": ("posediff.models.skilldiff:SkillDiff", "posediff.models.skilldiff_settings:SkillDiffSettings"),
}


@dataclass(frozen=True)
class Task:
    """What a network is made for, beside its settings.

    Attributes:
        skeleton: name of the poses' skeleton.
        dimensions: of the poses.
        stages: names of the labelled stages, one more than there are transitions.
        scale: standard deviation of the training targets.
        difficulty: whether the targets are executions, score / difficulty; None if those of some clips alone are.
    """

    skeleton: str
    dimensions: int
    stages: tuple[str, ...]
    scale: float
    difficulty: bool | None = None

    def __post_init__(self) -> None:
        get(self.skeleton)
        rules = {
            "dimensions are 2 or 3": self.dimensions in (2, 3),
            "stages are one or more": bool(self.stages),
            "scale is above 0": self.scale > 0,
        }
        check(self, rules)

    @property
    def transitions(self) -> int:
        """How many are labelled in every clip."""
        return len(self.stages) - 1


def settings_of(name: str) -> type:
    """The class of a model's settings.

    Raises:
        BadSetting: if there is no such model.
    """
    return cast(type, _imported(_entry(name)[1]))


def make_model(name: str, settings: Any, task: Task) -> torch.nn.Module:
    """A model with new weights, save those that its settings name.

    Args:
        name: in :data:`MODELS`.
        settings: of its class of settings.
        task: what it is made for.

    Raises:
        BadSetting: if there is no such model, or its settings do not go with the data.
    """
    network = _imported(_entry(name)[0])
    return cast("torch.nn.Module", network(settings, get(task.skeleton), task.dimensions, task.transitions))


def without_weights(settings: T) -> T:
    """A model's settings without the files of weights that they name, for where all weights are loaded afterwards."""
    if not is_dataclass(settings) or isinstance(settings, type):
        return settings
    values = {field.name: getattr(settings, field.name) for field in fields(settings)}
    bare = {
        name: "" if name == "weights" and isinstance(value, str) else without_weights(value)
        for name, value in values.items()
    }
    return replace(settings, **bare)


def boundaries(settings: Any, transitions: int) -> tuple[int, ...]:
    """Which of the labelled transitions a model's stages begin at; all of them where its settings do not say."""
    given = getattr(getattr(settings, "segmentation", settings), "boundaries", None)
    return tuple(range(transitions)) if given is None else tuple(given)


def stage_names(used: tuple[int, ...], labelled: tuple[str, ...], count: int) -> tuple[str, ...]:
    """What a model's stages are called: ``take-off + flight`` where some transitions alone divide them.

    Args:
        used: the labelled transitions that they begin at, from :func:`boundaries`.
        labelled: names of the labelled stages.
        count: of the model's stages; they have numbers where it divides a performance in a way of its own.
    """
    if count != len(used) + 1:
        return tuple(f"segment {number}" for number in range(1, count + 1))
    limits = [0, *(number + 1 for number in used), len(labelled)]
    return tuple(" + ".join(labelled[start:end]) for start, end in zip(limits, limits[1:], strict=False))


def _entry(name: str) -> tuple[str, str]:
    if name not in MODELS:
        raise BadSetting(f"model.type is {name!r}: there is no such model", suggestion(name, MODELS))
    return MODELS[name]


def _imported(place: str) -> Any:
    module, attribute = place.split(":")
    return getattr(import_module(module), attribute)
