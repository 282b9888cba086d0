"""Skeletons drawn on pictures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from posediff.errors import BadData, MissingDependency
from posediff.io.people import boxed
from posediff.sequence import PoseSequence, Status

#: Of Okabe and Ito's palette, which colour-blind people tell apart: vermilion, blue, yellow.
COLOURS = {"left": "#D55E00", "right": "#0072B2", "middle": "#F0E442"}
INK, PAPER = "#22272e", "#ffffff"
#: Pictures are drawn this many times larger and scaled down: PIL's lines have no smooth edges.
_FINE = 2
#: Least opacity, of what has no confidence.
_FAINTEST = 0.3
#: Furthest that a joint may lie outside the picture, in its own sizes; others are not drawn.
_FAR = 3.0


@dataclass(frozen=True, eq=False)
class Body:
    """One person in one frame, in the pixels of the picture that is drawn on.

    Attributes:
        sequence: whose it is.
        points: (J, 2), NaN where missing or far outside.
        scores, status: (J,).
        box: (4,) x0, y0, x1, y1; NaN where there is none.
    """

    sequence: PoseSequence
    points: np.ndarray
    scores: np.ndarray
    status: np.ndarray
    box: np.ndarray


def draw(
    image: np.ndarray,
    sequences: Sequence[PoseSequence],
    index: int,
    *,
    offset: tuple[float, float] = (0.0, 0.0),
    scale: float | None = None,
) -> np.ndarray:
    """Draw the people of one frame.

    Left limbs are vermilion, right ones blue, the middle of the body yellow; the less confident, the fainter. Measured
    joints are discs, interpolated ones rings with dashed bones, verified ones squares. Each person has a box, dashed
    where it is only that of the keypoints, and an id.

    Args:
        image: (H, W, 3) uint8 RGB; it stays as it is.
        sequences: the people, in pixels of the whole picture.
        index: frame number; people who have no such frame are left out.
        offset: x and y in the whole picture of the upper left corner of ``image``.
        scale: size of ``image`` relative to the part of the whole picture that it shows. By default 1, or what follows
            from a person's ``image_size`` where there is no offset.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        BadData: if a person is not in pixels of a picture.
        MissingDependency: if Pillow is not installed.
    """
    height, width = image.shape[:2]
    bodies = [body for one in sequences if (body := _body(one, index, (width, height), offset, scale)) is not None]
    if not bodies:
        return image.copy()
    thick = line_width(width, height)
    low, high = _region(bodies, thick, width, height)
    if (high <= low).any():
        return image.copy()
    pil, _ = _pil()
    canvas = _Canvas(low, high, thick)
    for layer in (_draw_box, _draw_body):
        for body in bodies:
            layer(canvas, body)
    part = image[low[1] : high[1], low[0] : high[0]]
    mixed = pil.alpha_composite(pil.fromarray(part).convert("RGBA"), canvas.finished())
    drawn = image.copy()
    drawn[low[1] : high[1], low[0] : high[0]] = np.asarray(mixed)[..., :3]
    for body in bodies:
        if np.isfinite(body.box).all():
            drawn = write_text(drawn, str(body.sequence.person), body.box[:2], above=True)
    return drawn


def line_width(width: int, height: int) -> float:
    """Width of a bone in a picture of so many pixels."""
    return max(max(width, height) / 240, 1.8)


def side_of(*joints: str) -> str:
    """``left``, ``right`` or ``middle``: which side of the body joints lie on, or a bone between them."""
    sides = {joint.split("_")[0] for joint in joints} & {"left", "right"}
    return sides.pop() if len(sides) == 1 else "middle"


def text_size(text: str, size: int) -> tuple[int, int]:
    """Width and height in pixels of a line of text; the height is that of any text."""
    _, font = _pil()
    left, _, right, _ = font.load_default(size).getbbox(text)
    return int(np.ceil(right - min(left, 0))), round(size * 1.25)


def write_text(
    image: np.ndarray,
    text: str,
    at: Sequence[float] | np.ndarray,
    *,
    size: int | None = None,
    colour: str = PAPER,
    ground: str = INK,
    above: bool = False,
) -> np.ndarray:
    """Write a line of text on a ground of its own, moved to lie inside the picture.

    Args:
        image: (H, W, 3) uint8 RGB; it stays as it is.
        text: one line.
        at: x and y of the upper left corner.
        size: height of the letters in pixels, by default that which suits the picture.
        colour, ground: of the letters and of what lies behind them.
        above: the text ends at ``at``, it does not start there.
    """
    pil, font = _pil()
    from PIL import ImageDraw

    height, width = image.shape[:2]
    size = size or round(max(4 * line_width(width, height), 10))
    wide, tall = text_size(text, size)
    wide += 2 * round(size / 4)
    x = int(np.clip(at[0], 0, max(width - wide, 0)))
    y = int(np.clip(at[1] - (tall if above else 0), 0, max(height - tall, 0)))
    picture = pil.fromarray(image)
    pen = ImageDraw.Draw(picture)
    pen.rectangle((x, y, x + wide - 1, y + tall - 1), fill=ground)
    pen.text((x + round(size / 4), y), text, fill=colour, font=font.load_default(size))
    return np.asarray(picture).copy()


class _Canvas:
    """A transparent picture over a region, drawn larger than it is."""

    def __init__(self, low: np.ndarray, high: np.ndarray, thick: float) -> None:
        pil, _ = _pil()
        from PIL import ImageDraw

        self.size = tuple(int(side) for side in high - low)
        self.low, self.thick = low, thick
        self.picture = pil.new("RGBA", tuple(side * _FINE for side in self.size), (0, 0, 0, 0))
        self.pen = ImageDraw.Draw(self.picture)

    def finished(self) -> Any:
        """The picture in its size. Its colours weigh by their opacity, so that no edge turns dark."""
        return self.picture.convert("RGBa").reduce(_FINE).convert("RGBA")

    def at(self, point: np.ndarray) -> tuple[float, float]:
        """A point of the picture, here; pixel centres are whole numbers there."""
        x, y = (point - self.low + 0.5) * _FINE
        return float(x), float(y)

    def line(self, start: np.ndarray, end: np.ndarray, width: float, fill: tuple[int, ...]) -> None:
        """A line with round ends, of a width in pixels of the picture."""
        self.pen.line((*self.at(start), *self.at(end)), fill=fill, width=max(round(width * _FINE), 1))
        for point in (start, end):
            self.disc(point, width / 2, fill)

    def disc(self, center: np.ndarray, radius: float, fill: tuple[int, ...]) -> None:
        """A disc, of a radius in pixels of the picture."""
        x, y = self.at(center)
        around = radius * _FINE
        self.pen.ellipse((x - around, y - around, x + around, y + around), fill=fill)

    def square(self, center: np.ndarray, half: float, fill: tuple[int, ...]) -> None:
        """A square, of half a side in pixels of the picture."""
        x, y = self.at(center)
        around = half * _FINE
        self.pen.rectangle((x - around, y - around, x + around, y + around), fill=fill)


def _body(
    sequence: PoseSequence, index: int, size: tuple[int, int], offset: tuple[float, float], scale: float | None
) -> Body | None:
    """A person in a frame, in the pixels of a picture of some size; None where they have no such frame."""
    if sequence.dimensions != 2 or sequence.units not in ("px", "normalized"):
        raise BadData(
            f"person {sequence.person} is in {sequence.units} with {sequence.dimensions} dimensions, not in a picture",
            "draw keypoints that are pixels of this video",
        )
    row = int(np.searchsorted(sequence.frames, index))
    if row == len(sequence) or sequence.frames[row] != index:
        return None
    whole = np.array(sequence.image_size or size, float)
    if scale is None:
        scale = size[0] / whole[0] if offset == (0.0, 0.0) else 1.0
    unit = whole if sequence.units == "normalized" else np.ones(2)
    points = (sequence.keypoints[row].astype(float) * unit - offset) * scale
    far = (np.abs(points / size - 0.5) > _FAR + 0.5).any(axis=1)
    points[far] = np.nan
    box = np.full(4, np.nan)
    if np.isfinite(points).any():
        one = sequence.select(slice(row, row + 1))
        box = ((boxed(one)[0].reshape(2, 2).astype(float) * unit - offset) * scale).ravel()
        box = np.clip(box, -_FAR * max(size), (_FAR + 1) * max(size))
    return Body(sequence, points, sequence.scores[row], sequence.status[row], box)


def _region(bodies: Sequence[Body], thick: float, width: int, height: int) -> tuple[np.ndarray, np.ndarray]:
    """Corners of the part of the picture that is drawn on."""
    corners = np.concatenate([part for body in bodies for part in (body.points, body.box.reshape(2, 2))])
    corners = corners[np.isfinite(corners).all(axis=1)]
    if not len(corners):
        return np.zeros(2, int), np.zeros(2, int)
    size = np.array([width, height])
    low = np.clip(np.floor(corners.min(axis=0) - 4 * thick), 0, size)
    high = np.clip(np.ceil(corners.max(axis=0) + 4 * thick), 0, size)
    return low.astype(int), high.astype(int)


def _draw_box(canvas: _Canvas, body: Body) -> None:
    if not np.isfinite(body.box).all():
        return
    x0, y0, x1, y1 = body.box
    corners = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1], [x0, y0]])
    thin = max(canvas.thick / 3, 1.0)
    boxes = body.sequence.boxes
    dash = 0.0 if boxes is not None and np.isfinite(boxes).any() else 4 * canvas.thick
    for width, fill in ((2.2 * thin, _rgba(INK, 0.5)), (thin, _rgba(PAPER, 0.9))):
        for start, end in zip(corners[:-1], corners[1:], strict=True):
            for a, b in _dashes(start, end, dash):
                canvas.line(a, b, width, fill)


def _draw_body(canvas: _Canvas, body: Body) -> None:
    """Draw bones and joints, the least confident first, each on a dark edge that shows it on any ground."""
    skeleton, thick = body.sequence.skeleton, canvas.thick
    ends = [[skeleton.index(joint) for joint in bone] for bone in skeleton.bones]
    order = sorted(range(len(ends)), key=lambda bone: float(body.scores[ends[bone]].min()))
    for edge in (True, False):
        for bone in order:
            start, end = body.points[ends[bone]]
            if not np.isfinite([start, end]).all():
                continue
            opacity = _opacity(body.scores[ends[bone]].min())
            fill = _rgba(INK, 0.8 * opacity) if edge else _rgba(COLOURS[side_of(*skeleton.bones[bone])], opacity)
            interpolated = (body.status[ends[bone]] == Status.INTERPOLATED).any()
            for a, b in _dashes(start, end, 3 * thick if interpolated else 0.0):
                canvas.line(a, b, thick + (max(thick / 2, 1) if edge else 0), fill)
    for joint in np.argsort(body.scores, kind="stable"):
        if np.isfinite(body.points[joint]).all():
            opacity = _opacity(body.scores[joint])
            colour = _rgba(COLOURS[side_of(skeleton.joints[joint])], opacity)
            _draw_joint(canvas, body.points[joint], int(body.status[joint]), colour, opacity)


def _draw_joint(canvas: _Canvas, point: np.ndarray, status: int, colour: tuple[int, ...], opacity: float) -> None:
    radius = 1.1 * canvas.thick
    if status == Status.VERIFIED:
        canvas.square(point, 1.5 * radius, _rgba(INK, opacity))
        canvas.square(point, 1.2 * radius, _rgba(PAPER, opacity))
        canvas.square(point, 0.75 * radius, colour)
    elif status == Status.INTERPOLATED:
        canvas.disc(point, 1.5 * radius, _rgba(INK, opacity))
        canvas.disc(point, 1.25 * radius, colour)
        canvas.disc(point, 0.7 * radius, _rgba(PAPER, opacity))
    else:
        canvas.disc(point, 1.25 * radius, _rgba(INK, opacity))
        canvas.disc(point, radius, colour)


def _dashes(start: np.ndarray, end: np.ndarray, length: float) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The line itself, or its dashes, which start and end it; a dash and a gap are each about ``length`` long."""
    count = round(np.linalg.norm(end - start) / length / 2) if length else 0
    cuts = np.linspace(0, 1, 2 * count + 2)
    for low, high in zip(cuts[::2], cuts[1::2], strict=True):
        yield start + low * (end - start), start + high * (end - start)


def _opacity(score: float) -> float:
    return _FAINTEST + (1 - _FAINTEST) * float(score)


def _rgba(colour: str, opacity: float) -> tuple[int, ...]:
    return (*bytes.fromhex(colour[1:]), round(255 * min(max(opacity, 0.0), 1.0)))


def _pil() -> tuple[Any, Any]:
    try:
        from PIL import Image, ImageFont
    except ImportError:
        raise MissingDependency("Pillow", "annotate", "drawing on pictures") from None
    return Image, ImageFont
