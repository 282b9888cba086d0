"""``posediff test``: a trained network on the test clips."""

from __future__ import annotations

import json
from pathlib import Path

import click

from posediff.cli.config_options import ConfigCommand, cfg_options


@click.command("test", cls=ConfigCommand)
@click.argument("config", type=click.Path(path_type=Path))
@click.argument("checkpoint", type=click.Path(path_type=Path))
@click.option(
    "--level",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.9,
    show_default=True,
    help="Probability with which intervals are to hold the score.",
)
@click.option("--by-action", is_flag=True, help="Also the figures of every action and their means, as AQA-7 has them.")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Write the predictions as JSON.")
@cfg_options
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON document.")
def command(
    config: Path,
    checkpoint: Path,
    level: float,
    by_action: bool,
    out: Path | None,
    options: tuple[str, ...],
    as_json: bool,
) -> None:
    """Test CHECKPOINT, a network that was trained as CONFIG says, on the test clips.

    Its figures stand beside those of the labels alone: the mean training score of the same dive. R-l2 is the mean
    squared error relative to the range of the scores, times 100. Intervals are by the errors on the validation clips.

    \b
    posediff test configs/synthetic_dives.py work_dirs/synthetic_dives/best.pth --out predictions.json
    """
    from posediff.engine.needs import require

    require("torch", "mmengine", purpose="testing")
    from posediff.cli.figures import coverage_in_words, exemplars_in_words, table
    from posediff.engine.assessment import assess
    from posediff.engine.config import load_experiment
    from posediff.engine.predictions import write_predictions

    result = assess(load_experiment(config, options), checkpoint, level)
    figures = {
        "figures": result.figures,
        "floor": result.floor,
        "by_action": result.by_action,
        "interval": result.interval,
    }
    if out is not None:
        write_predictions(out, result.found, {**figures, **result.about}, result.interval["half_width"])
    clips = len(result.found.keys)
    if as_json:
        document = {"format": "posediff.test/1", "clips": clips, **figures, **result.about}
        click.echo(json.dumps({**document, "out": None if out is None else str(out)}, allow_nan=False))
        return
    experiment = result.about["experiment"]
    click.echo(f"{experiment['name']}: {clips} test clips, {exemplars_in_words(experiment['data']['exemplars'])}")
    rows = {experiment["model"]["type"]: result.figures, "labels alone": result.floor}
    if by_action and result.by_action is not None:
        rows |= {f"{name} ({part['clips']})": part for name, part in result.by_action["actions"].items()}
        rows["mean of actions"] = result.by_action["mean"]
    click.echo(table(rows))
    if by_action and result.by_action is None:
        click.echo("no figures by action: fewer than two actions have three test clips")
    click.echo(coverage_in_words(result.interval, clips))
    if out is not None:
        click.echo(str(out))
