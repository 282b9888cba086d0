"""``posediff test``: a trained network on the test clips."""

from __future__ import annotations

import json
from pathlib import Path

import click

from posediff.cli.config_options import ConfigCommand, cfg_options


@click.command("test", cls=ConfigCommand)
@click.argument("config", type=click.Path(path_type=Path))
@click.argument("checkpoint", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Write the predictions as JSON.")
@cfg_options
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON document.")
def command(config: Path, checkpoint: Path, out: Path | None, options: tuple[str, ...], as_json: bool) -> None:
    """Test CHECKPOINT, a network that was trained as CONFIG says, on the test clips.

    Its figures stand beside those of the labels alone: the mean training score of the same dive. R-l2 is the mean
    squared error relative to the range of the scores, times 100.

    \b
    posediff test configs/synthetic_dives.py work_dirs/synthetic_dives/best.pth --out predictions.json
    """
    from posediff.engine.needs import require

    require("torch", "mmengine", purpose="testing")
    from posediff.cli.figures import table
    from posediff.engine.assessment import assess
    from posediff.engine.config import load_experiment
    from posediff.engine.predictions import write_predictions

    result = assess(load_experiment(config, options), checkpoint)
    figures = {"figures": result.figures, "floor": result.floor}
    if out is not None:
        write_predictions(out, result.found, {**figures, **result.about})
    clips = len(result.found.keys)
    if as_json:
        document = {"format": "posediff.test/1", "clips": clips, **figures, **result.about}
        click.echo(json.dumps({**document, "out": None if out is None else str(out)}, allow_nan=False))
        return
    experiment = result.about["experiment"]
    exemplars = experiment["data"]["exemplars"]
    click.echo(f"{experiment['name']}: {clips} test clips, up to {exemplars['count']} exemplars by {exemplars['by']}")
    click.echo(table({experiment["model"]["type"]: result.figures, "labels alone": result.floor}))
    if out is not None:
        click.echo(str(out))
