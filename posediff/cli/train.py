"""``posediff train``: a network from a configuration."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from posediff.cli.config_options import ConfigCommand, cfg_options

if TYPE_CHECKING:
    from posediff.engine.experiment import Experiment
    from posediff.engine.training import Outcome


@click.command("train", cls=ConfigCommand)
@click.argument("config", type=click.Path(path_type=Path))
@click.option("--work-dir", type=click.Path(path_type=Path), help="Folder to write to.  [default: work_dirs/CONFIG]")
@click.option("--resume", is_flag=True, help="Go on from last.pth in the folder, if there is one.")
@cfg_options
@click.option(
    "--launcher",
    type=click.Choice(["none", "pytorch", "slurm"]),
    default="none",
    show_default=True,
    help="What started the processes, where several train together: torchrun or srun.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON document.")
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
def command(
    config: Path,
    work_dir: Path | None,
    resume: bool,
    options: tuple[str, ...],
    launcher: str,
    as_json: bool,
    quiet: bool,
) -> None:
    """Train the network that CONFIG describes.

    The best epoch is chosen on clips that are taken from the training split, never on the test clips. Paths in CONFIG
    are relative to the current folder; $NAME in them is an environment variable.

    \b
    posediff train configs/synthetic_dives.py
    posediff train configs/synthetic_dives.py --resume --cfg-options training.workers=4 training.patience=10
    torchrun --nproc-per-node 4 -m posediff train configs/finediving.py --launcher pytorch
    """
    from posediff.engine.needs import require

    require("torch", "mmengine", purpose="training")
    if launcher != "none":  # torch says in every process that weights may be unused, which is meant so
        os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    from posediff.engine.config import load_experiment
    from posediff.engine.training import train

    experiment = load_experiment(config, options)
    folder = work_dir or Path("work_dirs", config.stem)
    outcome = train(
        experiment,
        folder,
        resume=resume,
        launcher=launcher,  # type: ignore[arg-type]  # click checks it
        stream=None if quiet else sys.stderr,
    )
    if outcome.leads:
        click.echo(
            json.dumps(document(experiment, outcome), allow_nan=False) if as_json else summary(experiment, outcome)
        )


def document(experiment: Experiment, outcome: Outcome) -> dict[str, object]:
    """What came of a training, as plain JSON."""
    progress = outcome.progress
    return {
        "format": "posediff.training/1",
        "experiment": experiment.name,
        "work_dir": str(outcome.work_dir),
        "epochs": progress.epoch,
        "ended_early": outcome.ended_early,
        "best": {"epoch": progress.best_epoch, **progress.best, "checkpoint": str(outcome.best)},
        "floor": outcome.floor,
        "on_test_not_used_to_choose": progress.on_test or None,
    }


def summary(experiment: Experiment, outcome: Outcome) -> str:
    """The best epoch beside what the labels alone say, in lines for a terminal."""
    from posediff.cli.figures import table

    progress = outcome.progress
    early = ", ended early" if outcome.ended_early else ""
    rows = {"validation": progress.best, "labels alone": outcome.floor}
    if progress.on_test:
        rows["test, best of all epochs (as papers report it)"] = progress.on_test
    return "\n".join(
        [
            f"{experiment.name}: best epoch {progress.best_epoch} of {progress.epoch}{early}",
            table(rows),
            str(outcome.best),
        ]
    )
