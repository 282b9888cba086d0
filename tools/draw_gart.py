"""Draw the groups of CoRe's regression tree on MTL-AQA's labels: uniform ones beside those of eq. 5, as in figure 4.

python tools/draw_gart.py [--data-root DATA] [--out docs/images]
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from posediff.datasets.exemplars import Exemplars
from posediff.datasets.mtl_aqa import MTLAQASettings, load
from posediff.models.core import differences
from posediff.models.heads.gart import groups_of, partition
from posediff.report.style import COLOURS, INK, new_figure, png, tidy

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("POSEDIFF_DATA") or ROOT.parent / "shared" / "data")
FOLDER = ROOT / "docs" / "images"
GROUPS = 32


def execution_differences(annotations: Path) -> torch.Tensor:
    """(T,) of all ordered pairs of training clips of the same difficulty."""
    clips = load(MTLAQASettings(annotations=str(annotations))).train
    executions = torch.tensor([clip.score / (clip.difficulty or 1) for clip in clips])
    return differences(executions, torch.from_numpy(Exemplars(clips, "difficulty").groups))


def partitions(values: torch.Tensor, groups: int = GROUPS) -> dict[str, torch.Tensor]:
    """Bounds (R + 1,) of either kind."""
    uniform = torch.linspace(float(values.min()), float(values.max()), groups + 1)
    return {"uniform partition": uniform, "equation 5": partition(values, groups)}


def shares(values: torch.Tensor, bounds: torch.Tensor) -> torch.Tensor:
    """(R,) percent of the values in each group."""
    return 100 * torch.bincount(groups_of(values, bounds), minlength=len(bounds) - 1) / len(values)


def picture(values: torch.Tensor) -> Figure:
    """The share of the pairs in each group, for both kinds."""
    figure = new_figure(10, 3.2)
    for axes, (name, bounds) in zip(figure.subplots(1, 2, sharey=True), partitions(values).items(), strict=True):
        found = shares(values, bounds)
        axes.bar(range(1, len(found) + 1), found.tolist(), color=COLOURS["reference"], width=0.8)
        axes.axhline(100 / len(found), color=COLOURS["query"], linewidth=1.5, label="the same share in each")
        axes.set_xticks((1, 8, 16, 24, 32))
        axes.set_title(name, color=INK, fontsize=11)
        tidy(axes, x="group, from much worse to much better", y="" if name == "equation 5" else "pairs, %")
    axes.legend(frameon=False, fontsize=9, loc="upper right")
    return figure


def main() -> int:
    """Print the table and draw the picture."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data-root", type=Path, default=DATA, help="folder that holds mtl_aqa")
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder (default: docs/images)")
    given = parser.parse_args()
    values = execution_differences(given.data_root / "mtl_aqa")
    print(f"{len(values)} pairs, differences of {len(values.unique())} sizes, {GROUPS} groups")
    for name, bounds in partitions(values).items():
        found = shares(values, bounds)
        print(f"{name}: {found.min():.2f} to {found.max():.2f} % of the pairs in a group")
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "gart_groups.png").write_bytes(png(picture(values)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
