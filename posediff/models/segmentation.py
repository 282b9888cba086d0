"""Procedure segmentation: the moments at which the stages of a performance begin."""

from __future__ import annotations

from math import log

import torch
from torch import Tensor, nn
from torch.nn import functional

from posediff.errors import BadData
from posediff.models.segmenters import FC, TCN, ASFormer, BiGRU
from posediff.models.settings import SegmentationSettings

Network = BiGRU | FC | TCN | ASFormer
NETWORKS: dict[str, type[Network]] = {"bigru": BiGRU, "fc": FC, "tcn": TCN, "asformer": ASFormer}
#: Frames for every one with a certain transition that an untrained network expects.
FRAMES_PER_TRANSITION = 100


class Segmentation(nn.Module):
    """Which frame begins which stage (eq. 6).

    Args:
        width: D, of the features.
        settings: the network, and by its boundaries K.
    """

    def __init__(self, width: int, settings: SegmentationSettings) -> None:
        super().__init__()
        network = NETWORKS[settings.kind](width, settings.hidden, settings.layers)
        self.network, self.classifier = network, nn.Linear(network.width, settings.stages)
        # Transitions are rare. To learn that first, from as many frames as there are, would drown everything else.
        nn.init.zeros_(self.classifier.bias)
        with torch.no_grad():
            self.classifier.bias[0] = log(FRAMES_PER_TRANSITION)

    def forward(self, features: Tensor) -> Tensor:
        """Logits of what begins with every frame.

        Args:
            features: (B, T, D).

        Returns:
            (B, T, K): 0 for nothing, k for the stage behind the k-th transition.
        """
        logits: Tensor = self.classifier(self.network(features))
        return logits


def decode(logits: Tensor, windows: bool = False) -> Tensor:
    """The most probable transitions together, found by dynamic programming.

    If every frame is classified alone, the probability that the transitions, and no others, lie at given frames is
    their product of odds against no transition, times what is the same for all places. Both losses of
    :func:`segmentation_loss` train these odds, so both are decoded alike.

    Args:
        logits: (B, T, K) of :class:`Segmentation`.
        windows: whether the i-th of n transitions is only searched in the i-th n-th of the clip, as in the released
            code.

    Returns:
        (B, K - 1) int64, strictly increasing from 1 to T - 1; without a gradient.

    Raises:
        BadData: if there are fewer frames than stages, or than twice the transitions where there are windows.
    """
    frames, count = logits.shape[1], logits.shape[2] - 1
    needed = max(count + 1, 2 * count if windows else 0)
    if frames < needed:
        raise BadData(f"a clip of {frames} frames is too short for {count} transitions", f"sample {needed} or more")
    if not count:
        return torch.empty(len(logits), 0, dtype=torch.int64, device=logits.device)
    # A network that has diverged must show in its loss, not in an index: hence no NaN here.
    odds = log_odds(logits.detach()).float().nan_to_num()
    odds = odds.masked_fill(~_allowed(frames, count, windows, logits.device), -torch.inf)
    best, froms = odds[..., 0], []
    for transition in range(1, count):
        before, at = best[:, :-1].cummax(dim=1)
        froms.append(at)
        best = odds[..., transition] + functional.pad(before, (1, 0), value=-torch.inf)
    found = [best.argmax(dim=1, keepdim=True)]
    for at in reversed(froms):
        found.insert(0, at.gather(1, found[0] - 1))
    return torch.cat(found, dim=1)


def log_odds(logits: Tensor) -> Tensor:
    """(B, T, K - 1) logarithm of the odds of each transition against none."""
    return logits[..., 1:] - logits[..., :1]


def segmentation_loss(logits: Tensor, transitions: Tensor, settings: SegmentationSettings) -> Tensor:
    """Cross-entropy in nats for every known transition (eq. 7), each counted by its weight.

    ``frames`` sums the cross-entropy over all frames of a clip. A mean over frames, as is usual, would divide what the
    one frame in T says that matters by T. What is unknown is left out of the classes of its clip, so that no frame is
    called empty that might hold it. ``time`` is the cross-entropy over frames of the odds of each transition.

    Args:
        logits: (B, T, K) of :class:`Segmentation`.
        transitions: (B, K - 1) true frames; -1 where unknown.
        settings: the loss, and the weights of the transitions; a frame without one weighs 1.

    Returns:
        () mean over the known transitions; exactly 0 where none is known.
    """
    logits = logits.float() if logits.dtype in (torch.float16, torch.bfloat16) else logits
    time = torch.arange(logits.shape[1], device=logits.device)
    here = transitions[:, None] == time[:, None]  # (B, T, K - 1)
    known = (transitions >= 0)[:, None]
    weights = logits.new_tensor([settings.class_weights[boundary] for boundary in settings.boundaries])
    if settings.loss == "time":
        chances = log_odds(logits).log_softmax(dim=1)
        total = -(torch.where(here, chances, 0) * weights).sum()
    else:
        masked = torch.cat((logits[..., :1], logits[..., 1:].masked_fill(~known, -torch.inf)), dim=-1)
        chances = masked.log_softmax(dim=-1)
        empty = chances[..., 0].masked_fill(here.any(dim=-1), 0)
        total = -(torch.where(here, chances[..., 1:], 0) * weights).sum() - empty.sum()
    return total / known.sum().clamp(min=1)


def _allowed(frames: int, count: int, windows: bool, device: torch.device) -> Tensor:
    """(T, K - 1) bool: frames at which each transition may lie."""
    time = torch.arange(frames, device=device)[:, None]
    if not windows:
        return (time > 0).expand(frames, count)
    window = torch.arange(count, device=device)
    return (time > 0) & (time >= window * frames // count) & (time < (window + 1) * frames // count)
