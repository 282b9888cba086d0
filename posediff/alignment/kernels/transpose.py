"""Square tiles of memory, transposed on the way from rows that lie far apart to rows that lie together, and back."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from posediff.alignment.kernels.simd import Vector, shuffle, vector_of


def _transposition(pieces_in: bool) -> Any:
    """One side of the tile is moved in pieces of 16 bytes, which spares whole-register shuffles."""

    @intrinsic
    def transpose(typing, source, source_offset, source_stride, target, target_offset, target_stride):
        size = vector_of(source).lanes // 2
        align = source.dtype.bitwidth // 8
        width = 16 // align
        whole, piece = Vector(source.dtype, size).ir, Vector(source.dtype, width).ir

        def generate(context, builder, signature, args):
            def address(kind, array, offset, stride, row, column, vector):
                data = context.make_array(kind)(context, builder, array).data
                place = builder.add(offset, builder.mul(stride, ir.Constant(stride.type, row)))
                place = builder.add(place, ir.Constant(stride.type, column))
                return builder.bitcast(builder.gep(data, [place]), vector.as_pointer())

            def fetch(row, column, vector):
                return builder.load(address(source, *args[:3], row, column, vector), align=align, typ=vector)

            def put(value, row, column):
                builder.store(value, address(target, *args[3:], row, column, value.type), align=align)

            blocks = range(0, size, width)
            for column in blocks:
                if pieces_in:
                    rows = []
                    for k in range(width):
                        parts = [fetch(block + k, column, piece) for block in blocks]
                        while len(parts) > 1:
                            lanes = list(range(2 * parts[0].type.count))
                            parts = [
                                shuffle(builder, *pair, lanes) for pair in zip(parts[::2], parts[1::2], strict=True)
                            ]
                        rows.append(parts[0])
                else:
                    rows = [fetch(column + k, 0, whole) for k in range(width)]
                for k, row in enumerate(_transpose_blocks(builder, rows)):
                    if pieces_in:
                        put(row, column + k, 0)
                    else:
                        for block in blocks:
                            put(shuffle(builder, row, row, list(range(block, block + width))), block + k, column)
            return context.get_dummy_value()

        number = types.int64
        return types.void(source, number, number, target, number, number), generate

    return transpose


def _transpose_blocks(builder: ir.IRBuilder, rows: list[ir.Value]) -> list[ir.Value]:
    """Transpose the square blocks of a few rows, each block as wide as there are rows."""
    rows, size, step = list(rows), rows[0].type.count, 1
    while step < len(rows):
        for k in range(len(rows)):
            if not k & step:
                a, b = rows[k], rows[k + step]
                rows[k] = shuffle(builder, a, b, [i if not i & step else size + i - step for i in range(size)])
                rows[k + step] = shuffle(builder, a, b, [i + step if not i & step else size + i for i in range(size)])
        step *= 2
    return rows


#: Transpose a square tile of half a vector's lanes a side from one array to another; the side whose rows lie far
#: apart is the source of the first and the target of the second.
gather, scatter = _transposition(True), _transposition(False)
