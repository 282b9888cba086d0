"""Networks of single pictures, by name, without their classifiers."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, NamedTuple

from torch import nn

from posediff.errors import BadSetting, MissingDependency, suggestion
from posediff.models.encoders.pictures import IMAGENET, Colours
from posediff.weights.checkpoints import load_weights, read_checkpoint, weights_of
from posediff.weights.files import find


class Backbone(NamedTuple):
    """A network that makes maps of pictures.

    Attributes:
        network: (N, 3, H, W) to (N, channels, h, w).
        channels: of the maps.
        colours: mean and standard deviation that its pictures are normalised by.
    """

    network: nn.Module
    channels: int
    colours: Colours


def load_backbone(name: str, weights: str = "") -> Backbone:
    """A network by name.

    Args:
        name: a ``resnet*`` of torchvision, or a network of timm that ends in maps.
        weights: path or known name of a checkpoint of it, with or without the classifier; empty for random weights.

    Raises:
        BadSetting: if there is no such network.
        BadData: if the weights cannot be loaded.
        MissingDependency: if it is one of timm, which is not installed.
    """
    backbone = _resnet(name) if name in _resnets() else _of_timm(name)
    if weights:
        file = find(weights, hint=f"give the path of a checkpoint of {name}")
        load_weights(backbone.network, weights_of(read_checkpoint(file), file), file)
    return backbone


def _resnets() -> list[str]:
    from torchvision.models import list_models

    return [name for name in list_models() if name.startswith("resnet")]


def _resnet(name: str) -> Backbone:
    from torchvision.models import get_model

    whole: Any = get_model(name, weights=None)
    trunk = OrderedDict(part for part in whole.named_children() if part[0] not in ("avgpool", "fc"))
    return Backbone(nn.Sequential(trunk), whole.fc.in_features, IMAGENET)


def _of_timm(name: str) -> Backbone:
    resnets = _resnets()
    try:
        import timm
    except ImportError:
        purpose = f"the backbone {name!r}, which is not one of {', '.join(resnets)},"
        raise MissingDependency("timm", "train", purpose) from None
    names = timm.list_models()
    if name not in names:  # no other name reaches timm, which would fetch what it takes for an address
        guess = suggestion(name, [*resnets, *names])
        hint = guess if guess.startswith("did") else f"choose one of {', '.join(resnets)}, or one of timm"
        raise BadSetting(f"there is no backbone {name!r}", hint)
    network: Any = timm.create_model(name, pretrained=False, num_classes=0, global_pool="")
    own = network.pretrained_cfg
    return Backbone(network, network.num_features, (own.get("mean", IMAGENET[0]), own.get("std", IMAGENET[1])))
