"""Soft-DTW as operators of torch: differentiable twice, with vmap and torch.compile.

Each operator returns the values together with their first derivatives, which are outputs like any other: the gradient
of a value is a multiple of them, and their own gradient a product with the Hessian. Tensors of a device without a
kernel of its own pass through the CPU. Operators are registered by hand because ``torch.library.custom_op`` takes three
times as long to call.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from posediff.alignment import torch_cuda
from posediff.alignment import torch_kernels as kernels
from posediff.errors import BadSetting

LIBRARY: Any = torch.library.Library("posediff", "FRAGMENT")  # type: ignore[no-untyped-call]


def _fake_pair(x: Tensor, y: Tensor, *rest: Any) -> tuple[Tensor, ...]:
    value = x.new_empty(x.shape[0])
    if not rest[-1]:
        return value, *kernels.pair_nothing(x)
    per_item = (x.new_empty(x.shape[0], dtype=torch.float64) for _ in range(2))
    return value, x.new_empty(x.shape), x.new_empty(y.shape), *per_item


def _fake_costs(costs: Tensor, *rest: Any) -> tuple[Tensor, ...]:
    derivatives = _fake_costs_curvature(costs) if rest[-2] else kernels.costs_nothing(costs)
    return costs.new_empty(costs.shape[0]), *derivatives


def _fake_pair_curvature(x: Tensor, y: Tensor, *rest: Any) -> tuple[Tensor, ...]:
    return _fake_pair(x, y, True)[1:]


def _fake_costs_curvature(costs: Tensor, *rest: Any) -> tuple[Tensor, ...]:
    count, height, width = costs.shape
    shapes = ((count, height), (count, width), (count,), (count,))
    return costs.new_empty(costs.shape), *(costs.new_empty(shape, dtype=torch.float64) for shape in shapes)


class _Pair(torch.autograd.Function):
    """The gradient of :func:`posediff.alignment.torch_kernels.pair`."""

    @staticmethod
    def forward(ctx: Any, *inputs: Any) -> Any:
        outputs = _below(torch.ops.posediff.soft_dtw_pair, inputs)
        _keep(ctx, inputs, outputs)
        return outputs

    @staticmethod
    def backward(ctx: Any, *moves: Any) -> Any:
        inputs, firsts, how = ctx.saved_tensors[:6], ctx.saved_tensors[6:], ctx.how
        if not how[-1]:  # derivatives were not expected to be asked for
            firsts = pair(*inputs, *how[:-1], True)[1:]
        return _gradient(ctx, moves, (0, 1, 4, 5), firsts, lambda: pair_curvature(*inputs, *moves[1:], *how[:-2]))


class _Costs(torch.autograd.Function):
    """The gradient of :func:`posediff.alignment.torch_kernels.costs`."""

    @staticmethod
    def forward(ctx: Any, *inputs: Any) -> Any:
        outputs = _below(torch.ops.posediff.soft_dtw_costs, inputs)
        _keep(ctx, inputs, outputs)
        return outputs

    @staticmethod
    def backward(ctx: Any, *moves: Any) -> Any:
        inputs, firsts, (*ways, gradient, sloping) = ctx.saved_tensors[:7], ctx.saved_tensors[7:], ctx.how
        if not gradient or (ctx.needs_input_grad[3] and not sloping):  # nor were these
            firsts = costs(*inputs, *ways, True, True)[1:]
        return _gradient(ctx, moves, (0, 5, 6, 3, 4), firsts, lambda: costs_curvature(*inputs, *moves[1:], *ways))


class _PairCurvature(torch.autograd.Function):
    """Third derivatives, which there are none of."""

    @staticmethod
    def forward(ctx: Any, *inputs: Any) -> Any:
        return _below(torch.ops.posediff.soft_dtw_pair_curvature, inputs)

    @staticmethod
    def backward(ctx: Any, *moves: Any) -> Any:
        raise BadSetting("a third derivative of soft-DTW was asked for", "take at most two")


class _CostsCurvature(_PairCurvature):
    @staticmethod
    def forward(ctx: Any, *inputs: Any) -> Any:
        return _below(torch.ops.posediff.soft_dtw_costs_curvature, inputs)


def _below(operator: Any, inputs: Any) -> Any:
    with torch._C._AutoDispatchBelowAutograd():
        return operator(*inputs)


def _keep(ctx: Any, inputs: Any, outputs: Any) -> None:
    """Keep inputs, whose tensors come first, and derivatives; those are outputs, so that they can be differentiated."""
    count = next(k for k, value in enumerate(inputs) if not (value is None or isinstance(value, Tensor)))
    ctx.save_for_backward(*inputs[:count], *outputs[1:])
    ctx.how = inputs[count:]
    ctx.set_materialize_grads(False)


def _gradient(ctx: Any, moves: Any, sources: tuple[int, ...], firsts: Any, bend: Callable[[], Any]) -> tuple[Any, ...]:
    """The gradient in all inputs.

    Args:
        ctx: what is kept.
        moves: the gradient in all outputs, the values' first; None for what has no influence.
        sources: for every output but the values, the number of the input that it is the derivative by.
        firsts: these outputs.
        bend: gives the Hessian times ``moves``, one product an output.
    """
    made: list[Tensor | None] = [None] * len(ctx.needs_input_grad)
    wanted = [k for k in range(len(sources)) if ctx.needs_input_grad[sources[k]]]
    if moves[0] is not None:
        for k in wanted:
            made[sources[k]] = firsts[k] * moves[0].reshape(-1, *[1] * (firsts[k].dim() - 1))
    if any(move is not None for move in moves[1:]):
        bent = bend()
        for k in wanted:
            before = made[sources[k]]
            made[sources[k]] = bent[k] if before is None else before + bent[k]
    return tuple(made)


def _transformable(operator: Any, function: Any) -> Callable[..., Any]:
    """The operator as a function that torch.func can transform, too."""

    def forward(*inputs: Any) -> Any:
        return operator(*inputs)

    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        _keep(ctx, inputs, output)

    parts = {"forward": staticmethod(forward), "setup_context": staticmethod(setup_context), "generate_vmap_rule": True}
    transformable: Any = type(f"{function.__name__}Transformable", (function,), parts)

    def call(*inputs: Any) -> Any:
        # torch.func differentiates only functions of this form, which take longer to call and cannot be compiled.
        if torch._C._are_functorch_transforms_active() and not torch.compiler.is_compiling():
            return transformable.apply(*inputs)
        return operator(*inputs)

    return call


def _vmap(operator: Any) -> Callable[..., Any]:
    """The rule for one more axis of every operator: it joins that of the items."""

    def rule(info: Any, in_dims: tuple[int | None, ...], *inputs: Any) -> Any:
        size = info.batch_size

        def joined(value: Any, axis: int | None) -> Any:
            if not isinstance(value, Tensor):
                return value
            value = value.expand(size, *value.shape) if axis is None else value.movedim(axis, 0)
            return value.reshape(size * value.shape[1], *value.shape[2:])

        outputs = operator(*(joined(value, axis) for value, axis in zip(inputs, in_dims, strict=True)))
        parts = (part.reshape(size, part.shape[0] // size, *part.shape[1:]) for part in outputs)
        return tuple(parts), (0,) * len(outputs)

    return rule


def _register(name: str, schema: str, kernel: Callable[..., Any], fake: Callable[..., Any], function: Any) -> Any:
    LIBRARY.define(f"{name}({schema}", tags=(torch.Tag.pt2_compliant_tag,))
    LIBRARY.impl(name, kernel, "CompositeExplicitAutograd")
    operator = getattr(torch.ops.posediff, name).default
    torch.library.register_fake(f"posediff::{name}", fake, lib=LIBRARY)
    torch.library.register_vmap(f"posediff::{name}", _vmap(operator), lib=LIBRARY)

    def autograd(*inputs: Any) -> Any:
        if torch.is_grad_enabled() and any(isinstance(value, Tensor) and value.requires_grad for value in inputs):
            return function.apply(*inputs)
        return _below(operator, inputs)

    LIBRARY.impl(name, autograd, "Autograd")
    return _transformable(operator, function)


_WAYS = "int band, float width, bool open_begin, bool open_end"
_PAIR = "Tensor x, Tensor y, Tensor? rows, Tensor? columns, Tensor gamma, Tensor? penalty"
_COSTS = "Tensor costs, Tensor? rows, Tensor? columns, Tensor? gamma, Tensor? penalty, Tensor? skip_x, Tensor? skip_y"
_MOVES = "Tensor? move_x, Tensor? move_y, Tensor? move_gamma, Tensor? move_penalty"

pair = _register(
    "soft_dtw_pair",
    f"{_PAIR}, str cost, {_WAYS}, bool checkpoint, bool gradient) -> ({', '.join(['Tensor'] * 5)})",
    kernels.pair,
    _fake_pair,
    _Pair,
)
costs = _register(
    "soft_dtw_costs",
    f"{_COSTS}, {_WAYS}, bool gradient, bool sloping) -> ({', '.join(['Tensor'] * 6)})",
    kernels.costs,
    _fake_costs,
    _Costs,
)
pair_curvature = _register(
    "soft_dtw_pair_curvature",
    f"{_PAIR}, {_MOVES}, str cost, {_WAYS}) -> ({', '.join(['Tensor'] * 4)})",
    kernels.pair_curvature,
    _fake_pair_curvature,
    _PairCurvature,
)
costs_curvature = _register(
    "soft_dtw_costs_curvature",
    f"{_COSTS}, Tensor? move_costs, {_MOVES}, {_WAYS}) -> ({', '.join(['Tensor'] * 5)})",
    kernels.costs_curvature,
    _fake_costs_curvature,
    _CostsCurvature,
)

LIBRARY.impl("soft_dtw_pair", torch_cuda.pair, "CUDA")
LIBRARY.impl("soft_dtw_costs", torch_cuda.costs, "CUDA")
