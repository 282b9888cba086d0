"""A plain regression: three layers, the baseline of CoRe's tree."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional


class MLP(nn.Module):
    """Three layers that say one number of every row.

    Args:
        inputs: numbers in a row.
        width: of the layers between.

    Source: Yu et al. 2021, section 4.1, "I3D + MLP".
    """

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(inputs, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 1)
        )

    def prepare(self, values: Tensor) -> None:
        """Take what there is to know from the training values: nothing."""

    def forward(self, features: Tensor) -> Tensor:
        """(P, inputs) to (P,)."""
        found: Tensor = self.layers(features).squeeze(-1)
        return found

    def losses(self, features: Tensor, values: Tensor) -> dict[str, Tensor]:
        """``score``: mean squared error (eq. 2).

        Args:
            features: (P, inputs).
            values: (P,) true ones.
        """
        return {"score": functional.mse_loss(self(features).to(values.dtype), values)}
