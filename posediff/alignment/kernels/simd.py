"""Vector values for numba, through its public extension interface: LLVM turns them into the registers of the machine.

A vector has :data:`BYTES` bytes, so 32 lanes of float32 and int32 or 16 of float64 and int64: wide enough to hide the
latency of one step behind the others. Lanes are rows of the cost matrix; :mod:`posediff.alignment.kernels.cpu` is the
only user.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, models, overload, register_model
from numpy import polynomial

BYTES = 128
INDEX = ir.IntType(32)
#: Per float type: bits of the mantissa, bias of the exponent, terms of the series for 2^x.
LAYOUT = {"float": (23, 127, 6), "double": (52, 1023, 12)}
#: Sums are never reordered, so that results do not depend on how wide the machine is.
FLAGS = ("contract", "nsz")


class Vector(types.Type):
    """Several numbers of one numba type."""

    def __init__(self, element: types.Type, lanes: int) -> None:
        self.element, self.lanes = element, lanes
        super().__init__(name=f"Vector({element}, {lanes})")

    @property
    def ir(self) -> ir.VectorType:
        name = self.element.name
        plain = {"float32": ir.FloatType(), "float64": ir.DoubleType(), "bool": ir.IntType(1)}.get(name)
        return ir.VectorType(plain or ir.IntType(self.element.bitwidth), self.lanes)

    @property
    def integers(self) -> Vector:
        return Vector(types.int32 if self.element.bitwidth == 32 else types.int64, self.lanes)

    @property
    def floats(self) -> Vector:
        return Vector(types.float32 if self.element.bitwidth == 32 else types.float64, self.lanes)


@register_model(Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager: Any, vector: Vector) -> None:
        super().__init__(manager, vector, vector.ir)


def vector_of(array: types.Array) -> Vector:
    """The vector that holds an array's numbers."""
    return Vector(array.dtype, BYTES // (array.dtype.bitwidth // 8))


def constant(vector: ir.VectorType, value: float) -> ir.Constant:
    """The same number in every lane."""
    return ir.Constant(vector, [ir.Constant(vector.element, value)] * vector.count)


def call(builder: ir.IRBuilder, name: str, *args: ir.Value) -> ir.Value:
    """Call an intrinsic function of LLVM on vectors."""
    kind = args[0].type
    element = {"float": "f32", "double": "f64"}.get(str(kind.element)) or f"i{kind.element.width}"
    signature = ir.FunctionType(kind, [arg.type for arg in args])
    function = cgutils.get_or_insert_function(builder.module, signature, f"llvm.{name}.v{kind.count}{element}")
    return builder.call(function, args)


def shuffle(builder: ir.IRBuilder, a: ir.Value, b: ir.Value, lanes: list[int]) -> ir.Value:
    """Lanes of a, and behind them of b, in a new order."""
    indices = ir.Constant(ir.VectorType(INDEX, len(lanes)), [ir.Constant(INDEX, k) for k in lanes])
    return builder.shuffle_vector(a, b, indices)


def spread(builder: ir.IRBuilder, scalar: ir.Value, lanes: int) -> ir.Value:
    """A scalar in every lane."""
    vector = ir.VectorType(scalar.type, lanes)
    first = builder.insert_element(ir.Constant(vector, ir.Undefined), scalar, ir.Constant(INDEX, 0))
    return shuffle(builder, first, first, [0] * lanes)


def address_of(
    context: Any, builder: ir.IRBuilder, kind: Any, array: Any, offset: Any, vector: ir.VectorType
) -> ir.Value:
    """A place in an array as the address of a vector."""
    data = context.make_array(kind)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [offset]), vector.as_pointer())


@intrinsic
def load(typing, array, offset):
    """The lanes from ``array[offset]`` on."""
    vector = vector_of(array)

    def generate(context, builder, signature, args):
        address = address_of(context, builder, array, args[0], args[1], vector.ir)
        return builder.load(address, align=array.dtype.bitwidth // 8, typ=vector.ir)

    return vector(array, types.int64), generate


@intrinsic
def store(typing, array, offset, value):
    """Write the lanes from ``array[offset]`` on."""

    def generate(context, builder, signature, args):
        address = address_of(context, builder, array, args[0], args[1], value.ir)
        builder.store(args[2], address, align=array.dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(array, types.int64, value), generate


@intrinsic
def splat(typing, array, value):
    """A number in every lane of a vector as ``array`` holds them."""
    vector = vector_of(array)

    def generate(context, builder, signature, args):
        return spread(builder, context.cast(builder, args[1], value, vector.element), vector.lanes)

    return vector(array, value), generate


@intrinsic
def lane_is(typing, array, lane):
    """A mask that is true in one lane."""
    vector = Vector(types.boolean, vector_of(array).lanes)

    def generate(context, builder, signature, args):
        number = spread(builder, builder.trunc(args[1], INDEX), vector.lanes)
        lanes = ir.Constant(number.type, [ir.Constant(INDEX, k) for k in range(vector.lanes)])
        return builder.icmp_signed("==", number, lanes)

    return vector(array, types.int64), generate


@intrinsic
def less(typing, a, b):
    """A mask of the lanes in which a is below b, or one of them is not a number."""
    vector = Vector(types.boolean, a.lanes)

    def generate(context, builder, signature, args):
        compare = builder.fcmp_unordered if isinstance(a.element, types.Float) else builder.icmp_signed
        return compare("<", *args)

    return vector(a, b), generate


@intrinsic
def choose(typing, mask, yes, no):
    """``yes`` where the mask is true, else ``no``."""
    return yes(mask, yes, no), lambda context, builder, signature, args: builder.select(*args)


def _push(upwards: bool) -> Any:
    @intrinsic
    def push(typing, vector, array, offset):
        def generate(context, builder, signature, args):
            lanes = list(range(vector.lanes + 1))
            data = context.make_array(array)(context, builder, args[1]).data
            entering = spread(builder, builder.load(builder.gep(data, [args[2]])), vector.lanes)
            order = lanes[-1:] + lanes[:-2] if upwards else lanes[1:]
            return shuffle(builder, args[0], entering, order)

        return vector(vector, array, types.int64), generate

    return push


#: Move every lane's number to the next lane (to the one before) and let a number of an array enter at the free end.
push_up, push_down = _push(True), _push(False)


@intrinsic
def store_lane(typing, array, offset, vector, lane):
    """Write one lane's number."""

    def generate(context, builder, signature, args):
        data = context.make_array(array)(context, builder, args[0]).data
        builder.store(builder.extract_element(args[2], builder.trunc(args[3], INDEX)), builder.gep(data, [args[1]]))
        return context.get_dummy_value()

    return types.void(array, types.int64, vector, types.int64), generate


def _elementwise(on_floats: Callable[..., ir.Value], on_integers: Callable[..., ir.Value]) -> Any:
    @intrinsic
    def operation(typing, a, b):
        emit = on_floats if isinstance(a.element, types.Float) else on_integers
        return a(a, b), lambda context, builder, signature, args: emit(builder, *args)

    return operation


_add = _elementwise(lambda b, x, y: b.fadd(x, y, flags=FLAGS), lambda b, x, y: b.add(x, y))
_sub = _elementwise(lambda b, x, y: b.fsub(x, y, flags=FLAGS), lambda b, x, y: b.sub(x, y))
_mul = _elementwise(lambda b, x, y: b.fmul(x, y, flags=FLAGS), lambda b, x, y: b.mul(x, y))
largest = _elementwise(lambda b, x, y: b.select(b.fcmp_ordered(">", x, y), x, y), lambda b, x, y: call(b, "smax", x, y))
smallest = _elementwise(
    lambda b, x, y: b.select(b.fcmp_ordered("<", x, y), x, y), lambda b, x, y: call(b, "smin", x, y)
)


def _operator(symbol: Any, operation: Any) -> None:
    @overload(symbol, inline="always")
    def applied(a, b):
        if isinstance(a, Vector) and isinstance(b, Vector):
            return lambda a, b: operation(a, b)
        return None


_operator(operator.add, _add)
_operator(operator.sub, _sub)
_operator(operator.mul, _mul)


@intrinsic
def scale(typing, value, exponent, reference):
    """``value * 2^(exponent - reference)`` by bits, where that power is at most 2^127 (2^1023); 0 where it is tiny."""

    def generate(context, builder, signature, args):
        mantissa, bias, _ = LAYOUT[str(args[0].type.element)]
        kind = args[1].type
        field = builder.sub(args[1], builder.sub(args[2], constant(kind, bias)))
        field = builder.shl(call(builder, "smax", field, constant(kind, 0)), constant(kind, mantissa))
        return builder.fmul(args[0], builder.bitcast(field, args[0].type), flags=FLAGS)

    return value(value, exponent, reference), generate


@intrinsic
def exponent_of(typing, value):
    """Exponents of positive numbers, and what their bits say (far below any) for 0."""
    vector = value.integers

    def generate(context, builder, signature, args):
        mantissa, bias, _ = LAYOUT[str(args[0].type.element)]
        bits = builder.bitcast(args[0], vector.ir)
        return builder.sub(builder.lshr(bits, constant(vector.ir, mantissa)), constant(vector.ir, bias))

    return vector(value), generate


@intrinsic
def positive(typing, value):
    """A mask of the lanes above 0."""
    vector = Vector(types.boolean, value.lanes)

    def generate(context, builder, signature, args):
        return builder.fcmp_ordered(">", args[0], constant(args[0].type, 0.0))

    return vector(value), generate


@intrinsic
def exp2_parts(typing, value, factor, offset):
    """``(p, k)`` with ``p * 2^k = 2^(value * factor + offset)``, p in about [0.7, 1.42] and k whole.

    Fused multiply-adds give the fraction without rounding the exponent first.
    """
    result = types.Tuple([value, value.integers])

    def generate(context, builder, signature, args):
        kind = args[0].type
        whole = call(builder, "rint", call(builder, "fma", *args))
        fraction = call(builder, "fma", args[0], args[1], builder.fsub(args[2], whole, flags=FLAGS))
        *rest, total = [constant(kind, value) for value in _exp2_coefficients(str(kind.element))]
        for coefficient in reversed(rest):
            total = call(builder, "fma", total, fraction, coefficient)
        return context.make_tuple(builder, result, [total, builder.fptosi(whole, value.integers.ir)])

    return result(value, factor, offset), generate


def _exp2_coefficients(element: str) -> list[float]:
    """Of a polynomial 1 + x q(x) near 2^x on [-1/2, 1/2], from the constant term on.

    q meets (2^x - 1) / x at the Chebyshev nodes; 2^0 is exactly 1, so that cells without cost add no error.
    """
    nodes = polynomial.chebyshev.chebpts1(LAYOUT[element][2] - 1) / 2
    nodes[np.abs(nodes) < 1e-9] = 1e-9  # where the quotient has its limit
    series = polynomial.chebyshev.chebfit(2 * nodes, np.expm1(nodes * np.log(2.0)) / nodes, len(nodes) - 1)
    values = [1.0, *polynomial.chebyshev.cheb2poly(series) * 2.0 ** np.arange(len(nodes))]
    return [float(np.float32(value)) if element == "float" else float(value) for value in values]


@intrinsic
def lanes_of(typing, array):
    """The lanes of a vector of this array's numbers, as a constant that loops can be unrolled by."""
    lanes = vector_of(array).lanes
    return types.int64(array), lambda context, builder, signature, args: ir.Constant(ir.IntType(64), lanes)
