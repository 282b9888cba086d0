"""Soft-DTW with skipped frames, compiled: the four states of :mod:`posediff.alignment.kernels.reference`.

Values are kept as costs (``-gamma log`` of a partition function), so that nothing overflows, and the transition
probabilities ("shares") are stored on the way, so that no digits cancel. A cell's states are joined by twos,

    MX = M + X    MY = M + Y    XB = X + B    A = MY + XB,

so that X, Y and B have one source each and M has four: A on the diagonal, an open begin, MX along x and MY along y.
There is a row and a column before the first ones, for what is skipped before the first match.
"""

from __future__ import annotations

import numpy as np

from posediff.alignment.kernels.compilation import compiled
from posediff.alignment.kernels.softmin import four, mix, softmin, turn, two

#: Shares a cell: of the sources of M (diagonal, begin, x, y), of M, X in MX, M, Y in MY, X, B in XB and MY, XB in A.
SHARES = 12


@compiled
def each(
    costs: np.ndarray,
    first: np.ndarray,
    end: np.ndarray,
    rows: np.ndarray,
    columns: np.ndarray,
    gamma: np.ndarray,
    penalty: np.ndarray,
    skip_x: np.ndarray,
    skip_y: np.ndarray,
    open_begin: bool,
    open_end: bool,
    direction: np.ndarray,
    direction_penalty: np.ndarray,
    direction_skip_x: np.ndarray,
    direction_skip_y: np.ndarray,
    value: np.ndarray,
    expected: np.ndarray,
    skipped_x: np.ndarray,
    skipped_y: np.ndarray,
    steps: np.ndarray,
) -> None:
    """Every item of a batch: values, and where ``expected`` has items also the derivatives.

    Arguments as for :func:`posediff.alignment.kernels.states.curvature`, in float64, int64 and C order, with columns
    inside of the matrix; a direction without items asks for the derivatives themselves. What comes behind ``direction``
    is filled, and expected to be zero.
    """
    gradient, turning = len(expected) > 0, len(direction) > 0
    cells = 0
    for b in range(len(costs)):
        cells = max(cells, (rows[b] + 1) * (columns[b] + 1))
    all_shares = np.empty((cells if gradient else 0) * SHARES)
    all_drift = np.empty((cells if turning else 0) * SHARES)
    for b in range(len(costs)):
        n, m = rows[b], columns[b]
        size, d_size = ((n + 1) * (m + 1) * SHARES if gradient else 0), ((n + 1) * (m + 1) * SHARES if turning else 0)
        shares = all_shares[:size].reshape((n + 1 if gradient else 0, m + 1, SHARES))
        drift = all_drift[:d_size].reshape((n + 1 if turning else 0, m + 1, SHARES))
        ends, end_drift = np.zeros(m + 2), np.zeros(m + 2)
        value[b] = forward(
            costs[b, :n, :m],
            first[b],
            end[b],
            gamma[b],
            penalty[b],
            skip_x[b, :n],
            skip_y[b, :m],
            open_begin,
            open_end,
            shares,
            ends,
        )
        if value[b] == np.inf or not gradient:
            continue
        if turning:
            tangent(
                shares,
                ends,
                direction[b, :n, :m],
                gamma[b],
                direction_penalty[b],
                direction_skip_x[b, :n],
                direction_skip_y[b, :m],
                open_end,
                drift,
                end_drift,
            )
        steps[b] = backward(
            shares, ends, drift, end_drift, open_end, expected[b, :n, :m], skipped_x[b, :n], skipped_y[b, :m]
        )


@compiled
def forward(
    costs: np.ndarray,
    first: np.ndarray,
    end: np.ndarray,
    gamma: float,
    penalty: float,
    skip_x: np.ndarray,
    skip_y: np.ndarray,
    open_begin: bool,
    open_end: bool,
    shares: np.ndarray,
    ends: np.ndarray,
) -> float:
    """Soft-DTW value of one matrix; fills the shares.

    Args:
        costs: (N, M) float64.
        first, end: (N,) the columns of every row in which frames may be matched.
        gamma, penalty: softness, above 0, and cost of a step that is not diagonal.
        skip_x, skip_y: (N,) and (M,) float64, infinite where forbidden.
        open_begin, open_end: whether frames of y before the first and behind the last match are free.
        shares: (N + 1, M + 1, SHARES) float64 to fill, or without rows to leave out.
        ends: (M + 2,) float64 to fill with the shares of the columns in which alignments end and, last, of the
            alignment without a match where the begin is open.
    """
    rows, columns = costs.shape
    above_mx, above_any = np.full(columns + 1, np.inf), np.full(columns + 1, np.inf)
    mx, any_state = np.full(columns + 1, np.inf), np.full(columns + 1, np.inf)
    leading = 0.0
    for i in range(rows + 1):
        my = xb = np.inf
        for j in range(columns + 1):
            m = x = y = b = np.inf
            into_m = (0.0, 0.0, 0.0, 0.0)
            if i > 0:
                x = above_mx[j] + skip_x[i - 1]
            if j > 0:
                y, b = my + skip_y[j - 1], xb + skip_y[j - 1]
            if i == 0:
                if j == 0 and not open_begin:
                    m = 0.0
            elif first[i - 1] < j <= end[i - 1] and costs[i - 1, j - 1] < np.inf:
                begin = leading if open_begin else np.inf
                m, into_m = four(above_any[j - 1], begin, above_mx[j] + penalty, my + penalty, gamma)
                m += costs[i - 1, j - 1]
            mx[j], into_mx = two(m, x, gamma)
            my, into_my = two(m, y, gamma)
            xb, into_xb = two(x, b, gamma)
            any_state[j], into_any = two(my, xb, gamma)
            if len(shares) > 0:
                s = shares[i, j]
                s[0], s[1], s[2], s[3] = into_m
                s[4], s[5] = into_mx
                s[6], s[7] = into_my
                s[8], s[9] = into_xb
                s[10], s[11] = into_any
        if i > 0:
            leading += skip_x[i - 1]
        above_mx, mx = mx, above_mx
        above_any, any_state = any_state, above_any
    ends[:] = np.inf
    if open_end:
        ends[: columns + 1] = above_mx
    else:
        ends[columns] = above_any[columns]
    if open_begin:
        ends[columns + 1] = leading
    return softmin(ends, gamma)


@compiled
def tangent(
    shares: np.ndarray,
    ends: np.ndarray,
    costs: np.ndarray,
    gamma: float,
    penalty: float,
    skip_x: np.ndarray,
    skip_y: np.ndarray,
    open_end: bool,
    drift: np.ndarray,
    end_drift: np.ndarray,
) -> None:
    """Derivative of the shares along a direction.

    Args:
        shares, ends: from :func:`forward`.
        costs: (N, M) direction of the costs, finite.
        gamma: the same as there.
        penalty: direction of the penalty.
        skip_x, skip_y: (N,) and (M,) directions of the costs of skipping.
        open_end: the same as there.
        drift, end_drift: float64 to fill, like shares and ends.
    """
    rows, columns = costs.shape
    above_mx, above_any = np.zeros(columns + 1), np.zeros(columns + 1)
    mx, any_state = np.zeros(columns + 1), np.zeros(columns + 1)
    leading = 0.0
    for i in range(rows + 1):
        my = xb = 0.0
        for j in range(columns + 1):
            m = x = y = b = 0.0
            s, d = shares[i, j], drift[i, j]
            d[:4] = 0.0
            if i > 0:
                x = above_mx[j] + skip_x[i - 1]
            if j > 0:
                y, b = my + skip_y[j - 1], xb + skip_y[j - 1]
            if s[0] + s[1] + s[2] + s[3] > 0:
                sources = (above_any[j - 1], leading, above_mx[j] + penalty, my + penalty)
                mean = s[0] * sources[0] + s[1] * sources[1] + s[2] * sources[2] + s[3] * sources[3]
                for k in range(4):
                    d[k] = s[k] * (mean - sources[k]) / gamma
                m = mean + costs[i - 1, j - 1]
            mx[j] = mix(m, x, s[4:6], d[4:6], gamma)
            my = mix(m, y, s[6:8], d[6:8], gamma)
            xb = mix(x, b, s[8:10], d[8:10], gamma)
            any_state[j] = mix(my, xb, s[10:12], d[10:12], gamma)
        if i > 0:
            leading += skip_x[i - 1]
        above_mx, mx = mx, above_mx
        above_any, any_state = any_state, above_any
    if open_end:
        end_drift[: columns + 1] = above_mx
    else:
        end_drift[: columns + 1] = above_any
    end_drift[columns + 1] = leading
    turn(ends, end_drift, gamma)


@compiled
def backward(
    shares: np.ndarray,
    ends: np.ndarray,
    drift: np.ndarray,
    end_drift: np.ndarray,
    open_end: bool,
    expected: np.ndarray,
    skipped_x: np.ndarray,
    skipped_y: np.ndarray,
) -> float:
    """Probabilities of matches and skips, or their derivative along a direction; returns the same of the steps.

    Args:
        shares, ends: from :func:`forward`.
        drift, end_drift: from :func:`tangent`; without rows for the probabilities themselves.
        open_end: the same as there.
        expected, skipped_x, skipped_y: (N, M), (N,) and (M,) float64 to fill.
    """
    rows, columns = expected.shape
    turning = len(drift) > 0
    d = np.zeros(SHARES)
    # Probabilities of the joined states, those of row i - 1 gathered on row i, and (names in d) their derivatives.
    mx, any_state, above_mx, above_any = np.zeros((4, columns + 1))
    dmx, dany, above_dmx, above_dany = np.zeros((4, columns + 1))
    last, dlast = (mx, dmx) if open_end else (any_state, dany)
    last[:] = ends[: columns + 1]
    skipped_x[:] = 0.0
    skipped_y[:] = 0.0
    steps, leading, dleading = 0.0, ends[columns + 1], 0.0
    if turning:
        dlast[:] = end_drift[: columns + 1]
        dleading = end_drift[columns + 1]
    for i in range(rows, -1, -1):
        if i > 0:
            skipped_x[i - 1] += dleading if turning else leading
        my = xb = dmy = dxb = 0.0
        for j in range(columns, -1, -1):
            s = shares[i, j]
            if turning:
                d = drift[i, j]
            my, dmy = my + s[10] * any_state[j], dmy + s[10] * dany[j] + d[10] * any_state[j]
            xb, dxb = xb + s[11] * any_state[j], dxb + s[11] * dany[j] + d[11] * any_state[j]
            m, dm = s[4] * mx[j] + s[6] * my, s[4] * dmx[j] + d[4] * mx[j] + s[6] * dmy + d[6] * my
            x, dx = s[5] * mx[j] + s[8] * xb, s[5] * dmx[j] + d[5] * mx[j] + s[8] * dxb + d[8] * xb
            y, dy = s[7] * my, s[7] * dmy + d[7] * my
            b, db = s[9] * xb, s[9] * dxb + d[9] * xb
            mx[j] = any_state[j] = dmx[j] = dany[j] = 0.0
            my, dmy, xb, dxb = y, dy, b, db
            if j > 0:
                skipped_y[j - 1] += dy + db if turning else y + b
            if i == 0:
                continue
            skipped_x[i - 1] += dx if turning else x
            above_mx[j] += x
            above_dmx[j] += dx
            if j == 0:
                continue
            expected[i - 1, j - 1] = dm if turning else m
            above_any[j - 1] += s[0] * m
            above_dany[j - 1] += s[0] * dm + d[0] * m
            leading += s[1] * m
            dleading += s[1] * dm + d[1] * m
            above_mx[j] += s[2] * m
            above_dmx[j] += s[2] * dm + d[2] * m
            my += s[3] * m
            dmy += s[3] * dm + d[3] * m
            steps += (s[2] + s[3]) * dm + (d[2] + d[3]) * m if turning else (s[2] + s[3]) * m
        mx, above_mx, any_state, above_any = above_mx, mx, above_any, any_state
        dmx, above_dmx, dany, above_dany = above_dmx, dmx, above_dany, dany
    return steps
