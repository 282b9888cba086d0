"""Everything about CoRe that can be chosen. The defaults are those of the paper (Yu et al. 2021), save the encoder."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from posediff.models.settings import DynamicSettings, SkeletalSettings, StaticSettings, check

#: Deepest tree: it has 1024 leaves, and some hundred million weights.
MOST_DEPTH = 10


@dataclass(frozen=True)
class CoReSettings:
    """CoRe: contrastive regression, with a group-aware regression tree.

    Attributes:
        width: of the features of each encoder.
        skeletal, dynamic, static: the encoders; None leaves one out. The paper has I3D, ``dynamic``, alone.
        steps: equal parts of a performance's time, the mean of each of which is kept; the paper takes 1.
        contrastive: whether the difference from an exemplar is regressed (eq. 3), or the score itself (eq. 1).
        reference_score: whether the score of the exemplar is told with the features (eq. 4).
        head: what regresses: ``gart``, the tree, or ``mlp``, three layers.
        depth: of the tree, which has 2 ** depth groups.
        hidden: width of the tree's nodes, and of the layers of ``mlp``.
        inference: what the tree says: the value of the ``most_probable`` leaf (eq. 7), or the ``expected`` one of all.
    """

    #: Of the labelled transitions, those that divide a performance into stages: it is taken as a whole.
    boundaries: ClassVar[tuple[int, ...]] = ()

    width: int = 256
    skeletal: SkeletalSettings | None = field(default_factory=SkeletalSettings)
    dynamic: DynamicSettings | None = None
    static: StaticSettings | None = None
    steps: int = 1
    contrastive: bool = True
    reference_score: bool = True
    head: Literal["gart", "mlp"] = "gart"
    depth: int = 5
    hidden: int = 256
    inference: Literal["most_probable", "expected"] = "most_probable"

    def __post_init__(self) -> None:
        check(
            self,
            {
                "one of skeletal, dynamic, static is there": any((self.skeletal, self.dynamic, self.static)),
                "width steps hidden are above 0": min(self.width, self.steps, self.hidden) > 0,
                f"depth is from 1 to {MOST_DEPTH}": 1 <= self.depth <= MOST_DEPTH,
            },
        )
