"""Soft minima of few values, their shares and how these change, compiled: the steps of the scalar kernels."""

from __future__ import annotations

import numpy as np

from posediff.alignment.kernels.compilation import compiled


@compiled
def softmin(values: np.ndarray, gamma: float) -> float:
    """Soft minimum; turns the values into their shares in it, all zero where none is finite."""
    least = values.min()
    if least == np.inf:
        values[:] = 0.0
        return least
    values[:] = np.exp((least - values) / gamma)
    total = values.sum()
    values /= total
    return least - gamma * np.log(total)


@compiled
def turn(shares: np.ndarray, moves: np.ndarray, gamma: float) -> None:
    """Derivative of the shares in a soft minimum, put in place of the derivatives of its values."""
    moves[:] = shares * ((shares * moves).sum() - moves) / gamma


@compiled
def two(a: float, b: float, gamma: float) -> tuple[float, tuple[float, float]]:
    """Soft minimum of two and their shares in it."""
    least = min(a, b)
    if least == np.inf:
        return least, (0.0, 0.0)
    odds = np.exp((least - max(a, b)) / gamma)
    larger, smaller = 1.0 / (1.0 + odds), odds / (1.0 + odds)
    return least - gamma * np.log1p(odds), (larger, smaller) if a <= b else (smaller, larger)


@compiled
def three(a: float, b: float, c: float, gamma: float) -> tuple[float, float, float, float]:
    """Soft minimum of three and their shares in it; the least one needs no exponential."""
    lesser, largest = min(a, b), max(a, b)
    least, other = min(lesser, c), max(lesser, c)
    if least == np.inf:
        return least, 0.0, 0.0, 0.0
    s, t = np.exp((least - other) / gamma), np.exp((least - largest) / gamma)
    total = 1.0 + s + t
    r, s = (1.0, s) if c < lesser else (s, 1.0)
    p, q = (s, t) if a <= b else (t, s)
    return least - gamma * np.log(total), p / total, q / total, r / total


@compiled
def four(a: float, b: float, c: float, d: float, gamma: float) -> tuple[float, tuple[float, float, float, float]]:
    """Soft minimum of four and their shares in it."""
    least = min(a, b, c, d)
    if least == np.inf:
        return least, (0.0, 0.0, 0.0, 0.0)
    p, q = np.exp((least - a) / gamma), np.exp((least - b) / gamma)
    r, s = np.exp((least - c) / gamma), np.exp((least - d) / gamma)
    total = p + q + r + s
    return least - gamma * np.log(total), (p / total, q / total, r / total, s / total)


@compiled
def mix(a: float, b: float, shares: np.ndarray, drift: np.ndarray, gamma: float) -> float:
    """Derivative of a soft minimum of two; fills that of their shares."""
    drift[0] = shares[0] * shares[1] * (b - a) / gamma
    drift[1] = -drift[0]
    return shares[0] * a + shares[1] * b
