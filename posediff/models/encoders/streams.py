"""What the skeletal encoder sees of a joint: its place, its bone, its angle, all also as the trunk sees them."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from posediff.errors import BadSetting
from posediff.skeletons import Skeleton

#: Lengths below this fraction of a torso have no direction.
SHORTEST = 1e-3


class _Seen(NamedTuple):
    """A vector at every joint, and where it is known."""

    values: Tensor
    known: Tensor


class KinematicStreams(nn.Module):
    """Coordinates as one or several streams of features, each joint's own.

    ``joint`` is the place as given; ``bone`` the vector from the parent joint; ``angle`` the cosine and the sine of the
    angle between a bone and its parent bone (in 3D the sine has no sign), which no turn of the body changes; ``body``
    the place about the root in axes that turn with the trunk (in 3D also with the hips); ``motion``
    the change of place since the frame before. A joint without a parent has the trunk for a bone, and the vertical for
    its parent. What needs a missing joint is 0.

    Args:
        skeleton: names the joints and their parents.
        dimensions: 2 or 3.
        streams: names, in order.

    Raises:
        BadSetting: for an unknown stream, or one that needs a trunk on a skeleton without.
    """

    parents: Tensor
    lower: Tensor
    upper: Tensor
    sides: Tensor

    def __init__(self, skeleton: Skeleton, dimensions: int, streams: tuple[str, ...]) -> None:
        super().__init__()
        widths = {"joint": dimensions, "bone": dimensions, "angle": 2, "body": dimensions, "motion": dimensions}
        unknown = [name for name in streams if name not in widths]
        if unknown or not streams:
            raise BadSetting(f"streams are {list(streams)}", f"choose from: {', '.join(widths)}")
        lower, upper = skeleton.torso
        if not (lower and upper) and {"angle", "body", "bone"} & set(streams):
            raise BadSetting(
                f"skeleton {skeleton.name} has no torso, which the streams angle, body and bone need",
                "choose the streams joint and motion, or a skeleton with pelvis or hips, and neck or shoulders",
            )
        self.streams, self.width = streams, sum(widths[name] for name in streams)
        above = {child: parent for parent, child in reversed(skeleton.bones)}
        index = skeleton.index
        self.register_buffer(
            "parents", torch.tensor([index(above[j]) if j in above else -1 for j in skeleton.joints]), persistent=False
        )
        for name, joints in (("lower", lower), ("upper", upper), ("sides", _hips(skeleton))):
            self.register_buffer(name, torch.tensor([index(j) for j in joints], dtype=torch.long), persistent=False)

    def forward(self, poses: Tensor, confidence: Tensor) -> Tensor:
        """The streams side by side.

        Args:
            poses: (B, T, J, C) coordinates, y upwards.
            confidence: (B, T, J), 0 where missing.

        Returns:
            (B, T, J, width).
        """
        known = confidence > 0
        poses = torch.where(known[..., None], poses, 0.0)
        made = {name: getattr(self, f"_{name}")(_Seen(poses, known)) for name in self.streams}
        return torch.cat([torch.where(seen.known[..., None], seen.values, 0.0) for seen in made.values()], dim=-1)

    def _joint(self, seen: _Seen) -> _Seen:
        return seen

    def _motion(self, seen: _Seen) -> _Seen:
        known = seen.known[:, 1:] & seen.known[:, :-1]
        none = torch.zeros_like(seen.known[:, :1])
        return _Seen(
            torch.cat((torch.zeros_like(seen.values[:, :1]), seen.values.diff(dim=1)), dim=1),
            torch.cat((none, known), dim=1),
        )

    def _bone(self, seen: _Seen) -> _Seen:
        trunk = self._trunk(seen)
        first = (self.parents < 0)[:, None]
        values = torch.where(first, trunk.values, seen.values - seen.values[:, :, self.parents.clamp(min=0)])
        known = torch.where(first[:, 0], trunk.known, seen.known & seen.known[:, :, self.parents.clamp(min=0)])
        return _Seen(values, known)

    def _angle(self, seen: _Seen) -> _Seen:
        bone = _directed(self._bone(seen))
        above = self.parents.clamp(min=0)
        vertical = torch.zeros_like(bone.values[..., :1, :])
        vertical[..., 1] = 1
        first = (self.parents < 0)[:, None]
        parent = torch.where(first, vertical, bone.values[:, :, above])
        cosine = (bone.values * parent).sum(dim=-1)
        sine = (
            _turned(bone.values, parent)[..., 0]
            if bone.values.shape[-1] == 2
            else torch.linalg.vector_norm(torch.linalg.cross(bone.values, parent), dim=-1)
        )
        return _Seen(torch.stack((cosine, sine), dim=-1), bone.known & (first[:, 0] | bone.known[:, :, above]))

    def _body(self, seen: _Seen) -> _Seen:
        trunk = _directed(self._trunk(seen))
        root, rooted = self._middle(seen, self.lower)
        places = seen.values - root
        if places.shape[-1] == 2:
            return _Seen(_turned(places, trunk.values), seen.known & trunk.known & rooted)
        left, right = (self._middle(seen, self.sides[side : side + 1]) for side in (0, 1))
        across = left[0] - right[0]
        across = across - (across * trunk.values).sum(dim=-1, keepdim=True) * trunk.values
        lateral = _directed(_Seen(across, left[1] & right[1] & trunk.known))
        forward = torch.linalg.cross(lateral.values, trunk.values)
        axes = torch.cat((forward, trunk.values, lateral.values), dim=-2)  # (B, T, 3 axes, 3)
        return _Seen(places @ axes.transpose(-1, -2), seen.known & lateral.known & rooted)

    def _trunk(self, seen: _Seen) -> _Seen:
        """(B, T, 1, C) vector from the lower end of the torso to the upper."""
        (low, one), (high, other) = self._middle(seen, self.lower), self._middle(seen, self.upper)
        return _Seen(high - low, one & other)

    def _middle(self, seen: _Seen, joints: Tensor) -> tuple[Tensor, Tensor]:
        return seen.values[:, :, joints].mean(dim=2, keepdim=True), seen.known[:, :, joints].all(dim=2, keepdim=True)


def _hips(skeleton: Skeleton) -> tuple[str, ...]:
    """Left and right end of a line across the body: the hips, else the shoulders, else nothing."""
    pairs = ((f"left_{joint}", f"right_{joint}") for joint in ("hip", "shoulder"))
    return next((pair for pair in pairs if set(pair) <= set(skeleton.joints)), ())


def _directed(seen: _Seen) -> _Seen:
    """Vectors of length 1; those too short to have a direction are unknown."""
    length = torch.linalg.vector_norm(seen.values, dim=-1, keepdim=True)
    return _Seen(seen.values / length.clamp(min=SHORTEST), seen.known & (length[..., 0] > SHORTEST))


def _turned(vectors: Tensor, up: Tensor) -> Tensor:
    """Vectors (..., 2) in axes whose second points along ``up`` (..., 2)."""
    x, y = vectors.unbind(dim=-1)
    a, b = up.unbind(dim=-1)
    return torch.stack((x * b - y * a, x * a + y * b), dim=-1)
