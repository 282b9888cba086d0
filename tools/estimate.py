"""The third stage of the annotation alone: from tracks to poses.

    python tools/estimate.py VIDEO tracks.json poses.json --pose mediapipe

Reads ``posediff.tracks/1``, writes posediff's native format: the poses as the back end gives them, on its skeleton.
"""

from __future__ import annotations

from pathlib import Path

import click

from posediff import write
from posediff.annotate.boxes import read_tracks
from posediff.annotate.estimate import estimate
from posediff.annotate.estimators import ESTIMATORS, load
from posediff.annotate.footage.video import open_video
from posediff.annotate.settings import DEVICES, ROTATIONS, Settings
from posediff.cli import run
from posediff.errors import BadData


@click.command()
@click.argument("video")
@click.argument("tracks")
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--pose", type=click.Choice([*ESTIMATORS]), default="mediapipe", show_default=True)
@click.option("--weights", help="Weights of the pose back end.")
@click.option("--config", help="Configuration of the pose back end (mmpose).")
@click.option("--rotation", type=click.Choice(ROTATIONS), default="none", show_default=True)
@click.option("--device", type=click.Choice(DEVICES), default="auto", show_default=True)
@click.option("--fps", type=float, help="Frame rate of an image folder.")
def command(video: str, tracks: str, out: Path, fps: float | None, **chosen: object) -> None:
    """Estimate the poses of the people whose TRACKS are known in VIDEO and write them to OUT."""
    settings = Settings.of(chosen)
    opened, followed = open_video(video, fps=fps), read_tracks(tracks)
    people = estimate(opened, followed, load(settings), rotation=settings.rotation)
    if not people:
        raise BadData(
            f"{tracks}: has nobody in the frames {opened.start} to {opened.end - 1} of {video}",
            "give the tracks that belong to this video",
        )
    write(out, people)
    click.echo(f"{out}: {len(people)} people, {people[0].skeleton.name}")


if __name__ == "__main__":
    run(lambda: command.main(standalone_mode=False))
