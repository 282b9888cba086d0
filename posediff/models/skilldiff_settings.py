"""Everything about SkillDiff that can be chosen. The defaults are the paper's, save where said."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from posediff.models.settings import DynamicSettings, SkeletalSettings, StaticSettings, check

#: What the differential heads are called, in their order, where there are as many; what each is taught to measure.
DIMENSIONS = ("timing", "smoothness", "accuracy", "range")


@dataclass(frozen=True)
class AlignmentSettings:
    """Which frame of the reference belongs to a frame of the query (section 3.2).

    Attributes:
        gamma: softness, in units of the squared distance of two frames; the paper does not say it.
        unit: whether frames are compared by features of length 1, whose squared distance is at most 4, so that
            ``gamma`` and ``skip`` mean the same in every network. The paper does not scale them.
        skip: cost of leaving a frame of either performance without a counterpart; None forbids it, as in the paper.
        band: frames by which two performances may be apart; None for any.
        trained: whether the score is also differentiated through the correspondences, not only through the features
            that they join.
    """

    gamma: float = 0.1
    unit: bool = True
    skip: float | None = None
    band: int | None = None
    trained: bool = False

    def __post_init__(self) -> None:
        check(
            self,
            {
                "gamma is above 0": self.gamma > 0,
                "skip is 0 or more": self.skip is None or self.skip >= 0,
                "band is 0 or more": self.band is None or self.band >= 0,
            },
        )


@dataclass(frozen=True)
class LossSettings:
    """What training minimises (section 3.5).

    Attributes:
        score: ``mse`` of scores, in their standard deviations; ``bce`` of labels or probabilities from 0 to 1.
        ranking: alpha, weight of the ranking loss.
        margin: epsilon of the ranking loss, in variances of the scores; the paper does not say it.
        alignment: beta, weight of the alignment loss.
        contrast: lambda_c, weight of the contrastive regularisation in it, which is divided by the squared number of
            frames to be on a par with a distance; the paper does not say it.
        near: frames up to which two of a performance count as near in it.
        apart: squared distance beyond which far ones do not repel each other.
        dimensions: weight of what the heads are taught about the dimensions that they are named after, where the data
            says it; not in the paper.
        both_ways: whether in training the exemplar is also scored beside the query; not in the paper.
    """

    score: Literal["mse", "bce"] = "mse"
    ranking: float = 0.5
    margin: float = 0.01
    alignment: float = 0.1
    contrast: float = 1.0
    near: float = 10.0
    apart: float = 2.0
    dimensions: float = 5.0
    both_ways: bool = False

    def __post_init__(self) -> None:
        check(
            self,
            {
                "ranking alignment contrast dimensions are 0 or more": min(
                    self.ranking, self.alignment, self.contrast, self.dimensions
                )
                >= 0,
                "margin near are 0 or more": min(self.margin, self.near) >= 0,
                "apart is above 0": self.apart > 0,
            },
        )


@dataclass(frozen=True)
class SkillDiffSettings:
    """SkillDiff: segment scores from what differs between a performance and an aligned reference.

    Attributes:
        width: d, of frame features and of differential embeddings; 512 in the paper.
        skeletal, dynamic, static: the encoders; None leaves one out. The paper takes I3D alone.
        alignment: of the two performances in time; None compares frames of the same number, or with ``differential``
            off regresses from the query alone.
        differential: whether residuals and timing pass through the heads; else the features of both are pooled as they
            are.
        heads: H, one for each of :data:`DIMENSIONS` where there are as many.
        hidden: width of every head.
        signed: whether the timing offset has a sign: above 0 where the query is later than the reference.
        segments: M, equal in time.
        total: ``weighted`` mean of the segments' scores, as in the paper, or ``deductions``: what every segment lacks
            of the best possible score is taken from it.
        loss: what training minimises.
        boundaries: which of the labelled transitions divide the segments: none of them.
    """

    boundaries: ClassVar[tuple[int, ...]] = ()
    width: int = 128
    skeletal: SkeletalSettings | None = field(default_factory=SkeletalSettings)
    dynamic: DynamicSettings | None = None
    static: StaticSettings | None = None
    alignment: AlignmentSettings | None = field(default_factory=AlignmentSettings)
    differential: bool = True
    heads: int = 4
    hidden: int = 64
    signed: bool = False
    segments: int = 8
    total: Literal["weighted", "deductions"] = "weighted"
    loss: LossSettings = field(default_factory=LossSettings)

    def __post_init__(self) -> None:
        check(
            self,
            {
                "one of skeletal, dynamic, static is there": any((self.skeletal, self.dynamic, self.static)),
                "heads hidden segments are above 0": min(self.heads, self.hidden, self.segments) > 0,
                "width is a positive multiple of heads": self.width > 0 and self.width % max(self.heads, 1) == 0,
                "total is weighted where loss takes bce": self.total == "weighted" or self.loss.score == "mse",
            },
        )
