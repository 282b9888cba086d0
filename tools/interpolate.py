"""The last stage of the annotation alone: doubtful keypoints out, gaps filled, noise smoothed.

    python tools/interpolate.py poses.json finished.json --skeleton mpii16

Reads any file of keypoints that posediff knows, writes posediff's native format.
"""

from __future__ import annotations

from pathlib import Path

import click

from posediff import read, write
from posediff.annotate.pipeline import finished, on_skeleton
from posediff.annotate.settings import Settings
from posediff.cli import run
from posediff.skeletons import CATALOGUE

_DEFAULT = Settings()


@click.command(context_settings={"show_default": True})
@click.argument("poses")
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--skeleton", type=click.Choice([*CATALOGUE]), help="Skeleton to convert to, by default that of POSES.")
@click.option("--min-score", type=click.FloatRange(0, 1), default=0.3, help="Less is missing.")
@click.option("--max-gap", type=click.FloatRange(0), default=_DEFAULT.max_gap, help="Seconds filled at most.")
@click.option("--cutoff", type=click.FloatRange(0), default=_DEFAULT.cutoff, help="Smoothing in Hz; 0 for none.")
def command(poses: str, out: Path, skeleton: str | None, **chosen: object) -> None:
    """Fill in and smooth the keypoints of POSES and write them to OUT."""
    people = read(poses)
    people = on_skeleton(people, skeleton) if skeleton else people
    write(out, finished(people, Settings.of(chosen)))
    click.echo(f"{out}: {len(people)} people, {sum(map(len, people))} frames")


if __name__ == "__main__":
    run(lambda: command.main(standalone_mode=False))
