"""The first stage of the annotation alone: from a video to the boxes of everybody in each frame.

    python tools/detect.py VIDEO boxes.json --detector mediapipe

Writes ``posediff.boxes/1``; only frames that were looked at are listed.
"""

from __future__ import annotations

from pathlib import Path

import click

from posediff.annotate.boxes import write_boxes
from posediff.annotate.detectors import DETECTORS
from posediff.annotate.footage.video import open_video
from posediff.annotate.pipeline import Engines, look
from posediff.annotate.settings import DEVICES, Settings
from posediff.cli import run


@click.command()
@click.argument("video")
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--detector", type=click.Choice([*DETECTORS]), default="mediapipe", show_default=True)
@click.option("--detector-weights", help="Weights of the detector.")
@click.option("--detect-every", type=click.IntRange(1), default=1, show_default=True, help="Frames between detections.")
@click.option("--device", type=click.Choice(DEVICES), default="auto", show_default=True)
@click.option("--fps", type=float, help="Frame rate of an image folder.")
def command(video: str, out: Path, fps: float | None, **chosen: object) -> None:
    """Find the people in VIDEO and write their boxes to OUT."""
    settings = Settings.of({**chosen, "camera": False})
    detected = look(open_video(video, fps=fps), Engines(settings), settings)
    write_boxes(out, detected.boxes, detected.frames)
    click.echo(f"{out}: {sum(map(len, detected.boxes))} boxes in {len(detected.frames)} frames")


if __name__ == "__main__":
    run(lambda: command.main(standalone_mode=False))
