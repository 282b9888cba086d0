"""The second stage of the annotation alone: from boxes to people over time.

    python tools/track.py VIDEO boxes.json tracks.json --person largest

Reads ``posediff.boxes/1`` of any detector, writes ``posediff.tracks/1``. The video is read for the camera's motion.
"""

from __future__ import annotations

from pathlib import Path

import click

from posediff.annotate.boxes import write_tracks
from posediff.annotate.footage.video import open_video
from posediff.annotate.pipeline import Engines, look, tracks
from posediff.annotate.settings import PEOPLE, Settings
from posediff.cli import run


@click.command()
@click.argument("video")
@click.argument("boxes")
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--person", metavar="|".join([*PEOPLE, "ID"]), default="largest", show_default=True)
@click.option("--init-box", metavar="X0,Y0,X1,Y1@FRAME", help="Where the athlete is; X,Y@FRAME for a click.")
@click.option("--camera/--no-camera", default=True, help="Make up for a camera that follows the athlete.")
@click.option("--fps", type=float, help="Frame rate of an image folder.")
def command(video: str, out: Path, fps: float | None, **chosen: object) -> None:
    """Follow the people whose BOXES are known through VIDEO and write their tracks to OUT."""
    settings = Settings.of(chosen)
    opened = open_video(video, fps=fps)
    found = tracks(look(opened, Engines(settings), settings), opened, settings)
    write_tracks(out, found)
    for track in found:
        seen = int((track.boxes[:, 4] > 0).sum())
        click.echo(f"person {track.id}: frames {track.frames[0]} to {track.frames[-1]}, detected in {seen}")


if __name__ == "__main__":
    run(lambda: command.main(standalone_mode=False))
