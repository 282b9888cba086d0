"""Units of measures: powers of a degree, a torso length and a second."""

from __future__ import annotations

#: Powers of each of :data:`SYMBOLS`.
Unit = tuple[int, int, int]

SYMBOLS = ("deg", "torso", "s")
NONE: Unit = (0, 0, 0)
ANGLE: Unit = (1, 0, 0)
LENGTH: Unit = (0, 1, 0)
TIME: Unit = (0, 0, 1)
SPEED: Unit = (0, 1, -1)


def product(one: Unit, other: Unit, sign: int = 1) -> Unit:
    """The unit of a product; with ``sign`` -1, of a quotient."""
    return (one[0] + sign * other[0], one[1] + sign * other[1], one[2] + sign * other[2])


def name(unit: Unit) -> str:
    """A unit in words: ``deg``, ``torso/s``, ``torso^2``, ``1/s``, or ``1`` for none."""
    above, below = (
        [symbol if size == 1 else f"{symbol}^{size}" for symbol, power in zip(SYMBOLS, unit, strict=True)
         if (size := sign * power) > 0]
        for sign in (1, -1)
    )  # fmt: skip
    return "/".join(["*".join(above) or "1", *below])
