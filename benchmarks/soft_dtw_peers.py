"""Other implementations of soft-DTW, each called in the fastest way that its users have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from soft_dtw_adapter import OURS, Peer, Prepared, Skipped, matmul_costs, torch_costs, torch_pair

#: Bytes that one peer may need before it is left out of a size.
MEMORY_LIMIT = 2**30


class CallableCost(Peer):
    """Peers that are torch modules of x and y and accept a function for the costs."""

    def module(self, gamma: float, cost: Callable[[Any, Any], Any] | None) -> Callable[[Any, Any], Any]:
        """The peer's module."""
        raise NotImplementedError

    def from_pair(self, x: np.ndarray, y: np.ndarray, gamma: float) -> Prepared:
        return torch_pair(self.module(gamma, matmul_costs), x, y)

    def from_costs(self, costs: np.ndarray, gamma: float) -> Prepared:
        import torch

        batch, rows, columns = costs.shape
        x, y = torch.zeros(batch, rows, 1), torch.zeros(batch, columns, 1)
        return torch_costs(lambda given: self.module(gamma, lambda x, y: given)(x, y), costs)


class Tslearn(CallableCost):
    """SoftDTWLossPyTorch, given costs by a matrix product."""

    name = "tslearn"
    package = "tslearn.metrics"

    def module(self, gamma: float, cost: Callable[[Any, Any], Any] | None) -> Callable[[Any, Any], Any]:
        from tslearn.metrics import SoftDTWLossPyTorch

        return SoftDTWLossPyTorch(gamma=gamma, dist_func=cost)


class TslearnDefault(Tslearn):
    """The same with its own costs, from an N x M x D difference."""

    name = "tslearn, own cost"

    def from_pair(self, x: np.ndarray, y: np.ndarray, gamma: float) -> Prepared:
        needed = 4 * 4 * x.shape[0] * x.shape[1] * y.shape[1] * x.shape[2]
        if needed > MEMORY_LIMIT:
            raise Skipped(f"its N x M x D differences need about {needed / 2**30:.0f} GiB")
        return torch_pair(self.module(gamma, None), x, y)

    def from_costs(self, costs: np.ndarray, gamma: float) -> Prepared:
        raise Skipped("the same as tslearn")


class Pysdtw(CallableCost):
    """pysdtw with its own costs, which are a matrix product."""

    name = "pysdtw"
    package = "pysdtw"

    def module(self, gamma: float, cost: Callable[[Any, Any], Any] | None) -> Callable[[Any, Any], Any]:
        import pysdtw

        return pysdtw.SoftDTW(gamma=gamma, dist_func=cost, use_cuda=False)

    def from_pair(self, x: np.ndarray, y: np.ndarray, gamma: float) -> Prepared:
        return torch_pair(self.module(gamma, None), x, y)


class Maghoumi(CallableCost):
    """pytorch-softdtw-cuda on the CPU, given costs by a matrix product."""

    name = "pytorch-softdtw-cuda"
    package = "soft_dtw_cuda"

    def module(self, gamma: float, cost: Callable[[Any, Any], Any] | None) -> Callable[[Any, Any], Any]:
        import soft_dtw_cuda

        return soft_dtw_cuda.SoftDTW(use_cuda=False, gamma=gamma, dist_func=cost)


class SdtwCudaTorch(Peer):
    """sdtw-cuda-torch on the CPU; its costs are a matrix product."""

    name = "sdtw-cuda-torch"
    package = "softdtw_cuda"

    def from_pair(self, x: np.ndarray, y: np.ndarray, gamma: float) -> Prepared:
        import softdtw_cuda

        return torch_pair(softdtw_cuda.SoftDTW(gamma=gamma), x, y)

    def from_costs(self, costs: np.ndarray, gamma: float) -> Prepared:
        from softdtw_cuda.autograd import SoftDTWAutograd

        return torch_costs(lambda given: SoftDTWAutograd.apply(given, gamma, None), costs)


class Google(Peer):
    """soft-dtw-divergences, in float64, one pair at a time; gradients of both sequences from its expected alignment."""

    name = "soft-dtw-divergences"
    precision = "float64"
    package = "sdtw_div.numba_ops"

    def from_pair(self, x: np.ndarray, y: np.ndarray, gamma: float) -> Prepared:
        from sdtw_div import numba_ops as peer

        # Its cost is half of the squared distance: with both sequences times the root of two it is the whole.
        scale = np.sqrt(2.0)
        pairs = [(scale * a, scale * b) for a, b in zip(x.astype(np.float64), y.astype(np.float64), strict=True)]

        def gradients(a: np.ndarray, b: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
            value, expected = peer.sdtw_value_and_grad_C(peer.squared_euclidean_cost(a, b), gamma)
            along = peer.squared_euclidean_cost_vjp
            return value, scale * along(a, b, expected), scale * along(b, a, expected.T)

        return Prepared(
            lambda: [peer.sdtw(a, b, gamma) for a, b in pairs],
            lambda: tuple(zip(*(gradients(a, b) for a, b in pairs), strict=True)),
        )

    def from_costs(self, costs: np.ndarray, gamma: float) -> Prepared:
        from sdtw_div import numba_ops as peer

        items = costs.astype(np.float64)
        return Prepared(
            lambda: [peer.sdtw_C(item, gamma) for item in items],
            lambda: tuple(zip(*(peer.sdtw_value_and_grad_C(item, gamma) for item in items), strict=True)),
        )


class Ott(Peer):
    """ott-jax, compiled and mapped over the batch."""

    name = "ott-jax"
    package = "ott.geometry.costs"
    longest = 2048

    def _compiled(self, loss: Callable[..., Any], arguments: list[Any], length: int) -> Prepared:
        import jax

        if length > self.longest:
            raise Skipped(f"its compilation does not end beyond length {self.longest}")
        arrays = [jax.numpy.asarray(argument) for argument in arguments]
        forward = jax.jit(jax.vmap(loss))
        both = jax.jit(jax.vmap(jax.value_and_grad(loss, argnums=tuple(range(len(arrays))))))

        def flat() -> tuple[Any, ...]:
            value, gradients = jax.block_until_ready(both(*arrays))
            return (value, *gradients)

        return Prepared(lambda: forward(*arrays).block_until_ready(), flat)

    def from_pair(self, x: np.ndarray, y: np.ndarray, gamma: float) -> Prepared:
        from ott.geometry import costs

        return self._compiled(costs.SoftDTW(gamma), [x, y], max(x.shape[1], y.shape[1]))

    def from_costs(self, costs: np.ndarray, gamma: float) -> Prepared:
        import jax
        from ott.geometry import costs as peer

        class Given(peer.CostFn):
            """Costs that are given in place of the first sequence."""

            def __call__(self, x: Any, y: Any) -> Any:
                raise NotImplementedError

            def all_pairs(self, x: Any, y: Any) -> Any:
                return x

        loss, empty = peer.SoftDTW(gamma, ground_cost=Given()), jax.numpy.zeros((costs.shape[2], 1))
        return self._compiled(lambda given: loss(given, empty), [costs], max(costs.shape[1:]))


class Dtaidistance(Peer):
    """dtaidistance's C routine: hard DTW, forward only, for the scale."""

    name = "dtaidistance (hard)"
    precision = "float64"
    package = "dtaidistance"
    rival = False

    def from_pair(self, x: np.ndarray, y: np.ndarray, gamma: float) -> Prepared:
        from dtaidistance import dtw_ndim

        pairs = list(zip(x.astype(np.float64), y.astype(np.float64), strict=True))
        return Prepared(lambda: [dtw_ndim.distance_fast(a, b, inner_dist="squared euclidean") ** 2 for a, b in pairs])


PEERS = (Tslearn(), TslearnDefault(), Pysdtw(), Google(), Ott(), SdtwCudaTorch(), Maghoumi(), Dtaidistance())


def loaded() -> tuple[list[Peer], dict[str, str]]:
    """The implementations that are installed, posediff first; and why the others are absent."""
    present: list[Peer] = []
    absent: dict[str, str] = {}
    for peer in (*OURS, *PEERS):
        try:
            peer.load()
        except ImportError as error:
            absent[peer.name] = f"absent: {error}"
        else:
            present.append(peer)
    return present, absent
