"""Many frames at a glance: one picture to check the skeletons by."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from posediff.annotate.drawing.skeleton import INK, PAPER, draw, text_size, write_text
from posediff.annotate.footage.video import Video
from posediff.errors import BadSetting, MissingDependency
from posediff.io.files import write_files
from posediff.io.registry import Location
from posediff.sequence import PoseSequence

#: Frames that are shown where nothing says how many.
COUNT = 24
#: Width of a picture in the sheet, and the space around it, in pixels.
CELL, GAP = 260, 10
#: Height of the letters.
LETTERS = 14
#: Border of the frames to check first; no limb has this colour of Okabe and Ito's palette.
MARK = "#CC79A7"
#: Room around the people, as a part of their size.
MARGIN = 0.25
_LEGEND = (
    "left limbs vermilion, right blue, middle yellow  ·  ring: interpolated  ·  square: verified  ·  faint: unsure"
)


def write_contact_sheet(
    video: Video,
    people: Sequence[PoseSequence],
    path: Location,
    *,
    frames: Sequence[int] | Mapping[int, str] | None = None,
    columns: int = 6,
    count: int = COUNT,
) -> None:
    """Write a PNG of frames over the whole video, each cut around the people, with their skeletons.

    All frames are cut to one size, so that people do not seem to grow.

    Args:
        video: what to draw on; it is decoded once more.
        people: in the pixels of the whole picture.
        path: where to.
        frames: numbers of the frames to check first, which are shown with a border, or a reason for each by its number.
            Those that the video lacks are passed over.
        columns: pictures in a row.
        count: how many evenly spaced frames are shown besides.

    Raises:
        BadSetting: if ``columns`` is less than 1 or ``count`` negative.
        BadData: if nothing can be decoded, or the people are not in pixels.
        CannotWrite: if the file system refuses.
        MissingDependency: if PyAV or Pillow is not installed.
    """
    if columns < 1 or count < 0:
        raise BadSetting(f"columns are {columns}, count is {count}", "give 1 column or more, and a count of 0 or more")
    reasons = frames if isinstance(frames, Mapping) else dict.fromkeys(frames or (), "")
    shown = chosen_frames(video, people, [int(frame) for frame in reasons], count)
    corners, size = crops(people, shown, video.size)
    factor = CELL / size[0]
    cell = (CELL, max(round(size[1] * factor), 1))
    lines = max((len(wrapped(reasons[frame], CELL)) for frame in shown if frame in reasons), default=0)
    cells = []
    for frame in video.frames(only=shown):
        x, y = corners[frame.index]
        cut = _resized(frame.image[y : y + size[1], x : x + size[0]], cell)
        picture = draw(cut, people, frame.index, offset=(x, y), scale=factor)
        text = f"frame {frame.index}   {frame.time:.2f} s"
        cells.append(_cell(picture, text, reasons.get(frame.index, ""), frame.index in reasons, lines))
    write_files({Path(path): _png(_sheet(cells, columns))})


def chosen_frames(video: Video, people: Sequence[PoseSequence], listed: Sequence[int], count: int) -> list[int]:
    """Evenly spaced frame numbers where there are people, and the listed ones, in order."""
    numbers = video.numbers
    seen = [one.frames[one.present.any(axis=1)] for one in people]
    populated = np.intersect1d(numbers, np.concatenate(seen)) if seen else numbers
    usable = populated if len(populated) else numbers
    even = usable[np.unique(np.linspace(0, len(usable) - 1, min(count, len(usable))).round().astype(int))]
    shown = np.union1d(even, np.intersect1d(numbers, np.array(listed, np.int64)))
    return [int(number) for number in (shown if len(shown) else numbers[:1])]


def crops(
    people: Sequence[PoseSequence], frames: Sequence[int], size: tuple[int, int]
) -> tuple[dict[int, tuple[int, int]], tuple[int, int]]:
    """Where to cut frames so that everybody is in each.

    Args:
        people: in pixels.
        frames: frame numbers, in order.
        size: (width, height) of the video.

    Returns:
        The upper left corner of every frame's cut, in whole pixels inside the picture, and (width, height) of all of
        them. A frame without people is cut where the one before is.
    """
    whole = np.array(size)
    around = {frame: box for frame in frames if (box := _around(people, frame, size)) is not None}
    extents = np.array([box[2:] - box[:2] for box in around.values()]).reshape(-1, 2)
    side = (1 + 2 * MARGIN) * extents.max(axis=0, initial=0) if len(extents) else whole.astype(float)
    side = np.maximum(side, side[::-1] * 0.75)  # neither a tower nor a strip
    cut = np.clip(np.ceil(side), np.minimum(64, whole), whole).astype(int)
    corners, center = {}, whole / 2 if not around else _center(next(iter(around.values())))
    for frame in frames:
        center = _center(around[frame]) if frame in around else center
        x, y = np.clip(np.rint(center - cut / 2), 0, whole - cut).astype(int)
        corners[frame] = (int(x), int(y))
    return corners, (int(cut[0]), int(cut[1]))


def _around(people: Sequence[PoseSequence], frame: int, size: tuple[int, int]) -> np.ndarray | None:
    """(4,) x0, y0, x1, y1 around everybody's joints in a frame as far as they are in the picture, or None."""
    boxes = []
    for one in people:
        row = int(np.searchsorted(one.frames, frame))
        if row < len(one) and one.frames[row] == frame and one.present[row].any():
            points = one.keypoints[row, one.present[row], :2].astype(float)
            points = points * (size if one.units == "normalized" else 1)
            boxes.append([*points.min(axis=0), *points.max(axis=0)])
    if not boxes:
        return None
    stacked = np.array(boxes)
    low = np.clip(stacked[:, :2].min(axis=0), 0, size)
    high = np.clip(stacked[:, 2:].max(axis=0), 0, size)
    return np.concatenate([low, high])


def _center(box: np.ndarray) -> np.ndarray:
    return np.asarray((box[:2] + box[2:]) / 2)


def _cell(picture: np.ndarray, text: str, reason: str, marked: bool, lines: int) -> np.ndarray:
    """A picture with its border and its caption, which has room for so many lines of the reason."""
    height, width = picture.shape[:2]
    _, line = text_size(text, LETTERS)
    cell = np.full((height + 2 * GAP + (1 + lines) * line, width + 2 * GAP, 3), _rgb(PAPER), np.uint8)
    if marked:
        edge = GAP // 2
        cell[edge : GAP + height + GAP - edge, edge : GAP + width + GAP - edge] = _rgb(MARK)
    cell[GAP : GAP + height, GAP : GAP + width] = picture
    top = height + 2 * GAP - GAP // 4
    for at, said in enumerate([text, *wrapped(reason, width)]):
        cell = write_text(cell, said, (GAP, top + at * line), size=LETTERS, colour=INK, ground=PAPER)
    return cell


def wrapped(text: str, width: int, most: int = 2) -> list[str]:
    """Text in lines that are no wider than so many pixels, the last one cut off where there would be more."""
    words = "".join(letter if letter.isprintable() else " " for letter in text).split()
    lines: list[str] = []
    for word in words:
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and (len(lines) == most or text_size(longer, LETTERS)[0] + LETTERS <= width):
            lines[-1] = longer
        else:
            lines.append(word)
    return [fitting(line, width) for line in lines]


def fitting(text: str, width: int) -> str:
    """A line of text, cut off so that it is no wider than so many pixels."""
    if text_size(text, LETTERS)[0] + LETTERS <= width:
        return text
    while text and text_size(f"{text}…", LETTERS)[0] + LETTERS > width:
        text = text[:-1].rstrip()
    return f"{text}…"


def _sheet(cells: Sequence[np.ndarray], columns: int) -> np.ndarray:
    """All cells in rows, below a line that says what the marks mean."""
    height, width = cells[0].shape[:2]
    columns = min(columns, len(cells))
    rows = -(-len(cells) // columns)
    _, line = text_size(_LEGEND, LETTERS)
    sheet = np.full((rows * height + line + GAP, columns * width, 3), _rgb(PAPER), np.uint8)
    for at, cell in enumerate(cells):
        y, x = line + GAP + at // columns * height, at % columns * width
        sheet[y : y + height, x : x + width] = cell
    legend = fitting(_LEGEND, sheet.shape[1] - GAP)
    return write_text(sheet, legend, (GAP // 2, GAP // 2), size=LETTERS, colour=INK, ground=PAPER)


def _resized(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    pil = _pil()
    return np.asarray(pil.fromarray(np.ascontiguousarray(image)).resize(size, pil.Resampling.LANCZOS))


def _png(image: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    _pil().fromarray(image).save(buffer, format="PNG")
    return buffer.getvalue()


def _rgb(colour: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(colour[1:]))


def _pil() -> Any:
    try:
        from PIL import Image
    except ImportError:
        raise MissingDependency("Pillow", "annotate", "drawing on pictures") from None
    return Image
