"""Motion of the camera: how far the background moves from frame to frame."""

from __future__ import annotations

import numpy as np

from posediff.errors import BadData

#: Correlation of two pictures, where they overlap after the shift, below which the shift is not believed.
LEAST_CONFIDENCE = 0.3

#: Longest shift that is looked for, as part of each side: beyond it too little is in common.
FARTHEST = 0.4

#: Longest side of the pictures that :func:`small_grey` makes.
SIDE = 256

#: Peaks of the phase correlation that are tried on the pictures.
PEAKS = 6

#: Most pixels that the best agreement is looked for beside a peak.
FARTHEST_CLIMB = 3

#: Width of the pass band in cycles a pixel: beyond it noise and motion blur outweigh what two pictures share.
CUT_OFF = 0.25

#: Scale in pixels of the pictures above which structure is light and shade rather than texture.
COARSE = 12.0

#: Largest part of a picture that known people may cover before their boxes are of no use as a mask.
MOST_COVERED = 0.6


class CameraMotion:
    """Measures the camera's shift from one picture to the next by phase correlation (Kuglin & Hines 1975).

    The pictures are tapered by a Hann window, so that their edges do not count. An athlete whom the camera follows
    stands still in the picture's centre and can have a higher peak than a blurred background; of the highest peaks the
    one is taken under which the two pictures agree over most of their area.

    Args:
        image_size: width and height of the video's pictures in pixels.

    Attributes:
        confidence: of the last shift: correlation of the two pictures' texture where they overlap, in [0, 1].
    """

    def __init__(self, image_size: tuple[int, int]) -> None:
        self.image_size = image_size
        self.confidence = 0.0
        self._last: _Picture | None = None

    def shift(self, grey: np.ndarray, boxes: np.ndarray | None = None) -> np.ndarray:
        """How far the background moved since the last picture that was given.

        Args:
            grey: (h, w) brightness of the whole picture, small and always of one size: see :func:`small_grey`.
            boxes: (N, 4 or more) x0, y0, x1, y1 of known people in pixels of the video, who are left out.

        Returns:
            (2,) pixels of the video, x to the right and y down: background at p has moved to p + shift. Zero for the
            first picture and where the confidence is too low.

        Raises:
            BadData: if the picture is not grey, or of another size than the one before.
        """
        grey = np.asarray(grey, dtype=np.float64)
        if grey.ndim != 2 or min(grey.shape) < 16:
            raise BadData(f"a picture of shape {grey.shape}, expected (height, width)", "give 16 pixels or more a side")
        if self._last is not None and self._last.texture.shape != grey.shape:
            before = self._last.texture.shape
            raise BadData(f"a picture of shape {grey.shape} after one of {before}", "give pictures of one size")
        last, self._last = self._last, _Picture(grey, self._background(grey.shape, boxes))
        self.confidence = 0.0
        if last is None:
            return np.zeros(2)
        shift, self.confidence = _best_shift(last, self._last)
        if self.confidence < LEAST_CONFIDENCE:
            return np.zeros(2)
        return shift * np.array(self.image_size) / grey.shape[::-1]

    def _background(self, shape: tuple[int, ...], boxes: np.ndarray | None) -> np.ndarray:
        """(h, w) 1 where no known person is, 0 elsewhere."""
        free = np.ones(shape)
        if boxes is None or not len(boxes):
            return free
        scale = np.array(shape[::-1] * 2) / np.array(self.image_size * 2)
        for x0, y0, x1, y1 in np.asarray(boxes)[:, :4] * scale:
            free[max(int(y0), 0) : max(int(np.ceil(y1)), 0), max(int(x0), 0) : max(int(np.ceil(x1)), 0)] = 0
        return free if free.mean() > 1 - MOST_COVERED else np.ones(shape)


def small_grey(image: np.ndarray) -> np.ndarray:
    """A picture's brightness, made smaller by averaging whole blocks of pixels.

    Args:
        image: (H, W, 3) RGB or (H, W) brightness.

    Returns:
        (h, w) float32, the longer side at most ``SIDE``; a rest of pixels at the right and lower edge is shared out
        among the blocks.
    """
    grey = image if image.ndim == 2 else image @ np.array([0.299, 0.587, 0.114], np.float32)
    factor = max(1, -(-max(grey.shape) // SIDE))
    for axis in (0, 1):
        edges = np.linspace(0, grey.shape[axis], max(grey.shape[axis] // factor, 1), endpoint=False).astype(int)
        sizes = np.diff([*edges, grey.shape[axis]])
        grey = np.add.reduceat(grey, edges, axis=axis, dtype=np.float32) / (sizes[:, None] if axis == 0 else sizes)
    return grey.astype(np.float32)


class _Picture:
    """What two pictures are compared by.

    Attributes:
        texture: (h, w) the picture without its light and shade, clipped so that no single thing outweighs the rest.
        free: (h, w) 1 where it counts.
        spectrum: of the texture, tapered towards the edges.
    """

    def __init__(self, grey: np.ndarray, free: np.ndarray) -> None:
        from scipy.fft import rfft2
        from scipy.ndimage import gaussian_filter

        self.free = free
        texture = gaussian_filter(grey, 1.0) - gaussian_filter(grey, COARSE)
        spread = 2 * np.median(np.abs(texture)) + 1e-9
        self.texture = np.clip(texture, -spread, spread)
        taper = free * np.outer(*(np.hanning(side + 2)[1:-1] for side in grey.shape))
        self.spectrum = rfft2(self.texture * taper)


def _best_shift(last: _Picture, now: _Picture) -> tuple[np.ndarray, float]:
    """The shift x, y in pixels of the pictures, and its confidence."""
    tried = {tuple(peak): _agreement(last, now, peak) for peak in _peaks(_phase_correlation(last, now))}
    best = max(tried, key=lambda peak: tried[peak])
    for _ in range(FARTHEST_CLIMB):  # a peak among noise may lie a pixel beside the best agreement
        for unit in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            beside = (best[0] + unit[0], best[1] + unit[1])
            if beside not in tried:
                tried[beside] = _agreement(last, now, np.array(beside))
        climbed = max(tried, key=lambda peak: tried[peak])
        if climbed == best:
            break
        best = climbed
    if tried[best] <= 0:
        return np.zeros(2), 0.0
    return np.array(best) + [_top(tried, best, axis) for axis in (0, 1)], tried[best]


def _phase_correlation(last: _Picture, now: _Picture) -> np.ndarray:
    """(h, w) correlation surface, its origin at [0, 0]."""
    from scipy.fft import fftfreq, irfft2, rfftfreq

    height, width = last.texture.shape
    cross = now.spectrum * np.conj(last.spectrum)
    power = np.abs(cross)
    frequency = np.hypot(fftfreq(height)[:, None], rfftfreq(width)[None])
    cross *= np.exp(-((frequency / CUT_OFF) ** 2)) / np.maximum(power, 1e-12 * power.max() + 1e-300)
    cross[0, 0] = 0
    return np.asarray(irfft2(cross, s=(height, width)))


def _peaks(surface: np.ndarray) -> list[np.ndarray]:
    """The shifts x, y of the highest peaks."""
    height, width = surface.shape
    reach_x, reach_y = int(FARTHEST * width), int(FARTHEST * height)
    rows, columns = np.arange(-reach_y, reach_y + 1), np.arange(-reach_x, reach_x + 1)
    near = surface[np.ix_(rows, columns)].copy()
    found = []
    for _ in range(PEAKS):
        y, x = np.unravel_index(int(near.argmax()), near.shape)
        found.append(np.array([columns[x], rows[y]]))
        near[max(y - 2, 0) : y + 3, max(x - 2, 0) : x + 3] = -np.inf
    return found


def _agreement(last: _Picture, now: _Picture, shift: np.ndarray) -> float:
    """Correlation of the textures where the pictures overlap after the shift."""
    before, after = _overlap(last, -shift), _overlap(now, shift)
    weights = before[1] * after[1]
    norm = np.sqrt((weights * before[0] ** 2).sum() * (weights * after[0] ** 2).sum())
    return float((weights * before[0] * after[0]).sum() / norm) if norm > 0 else 0.0


def _overlap(picture: _Picture, shift: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Texture and weights of the part that a picture shares with one that lies ``shift`` before it."""
    x, y = (int(value) for value in shift)
    height, width = picture.texture.shape
    part = slice(max(y, 0), height + min(y, 0)), slice(max(x, 0), width + min(x, 0))
    return picture.texture[part], picture.free[part]


def _top(tried: dict[tuple[int, ...], float], best: tuple[int, ...], axis: int) -> float:
    """Where, beside the best shift, the parabola through the agreement of its neighbours has its top."""
    low, high = (tried.get((best[0] + k * (axis == 0), best[1] + k * (axis == 1)), 0.0) for k in (-1, 1))
    bend = low - 2 * tried[best] + high
    return float(np.clip((low - high) / (2 * bend), -0.5, 0.5)) if bend < 0 else 0.0
