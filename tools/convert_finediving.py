"""FineDiving's labels as one JSON file, in place of the published pickles.

    python tools/convert_finediving.py Annotations finediving.json

Reads ``FineDiving_fine-grained_annotation.pkl``, ``train_split.pkl``, ``test_split.pkl`` and, where it is there,
``FineDiving_coarse_annotation.pkl``, without running anything that they name. The data set ``finediving`` takes the
file wherever it takes the folder. One clip a line, sorted; the same bytes every time:

    format        posediff.finediving/1
    train, test   keys of the clips, <competition>/<index>, in the published order
    clips         by key:
      action        the dive number, in lower case
      score         the final score: difficulty x execution
      difficulty    the factor
      frames        number of frames
      sub_actions   their names, in order
      starts        the first frame of each, counted from 0
      judges        their scores
      video_frames  first and last frame of the clip in the untrimmed video
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from posediff.cli import run
from posediff.datasets.finediving import FineDivingSettings, load, read_labels
from posediff.io.files import write_files


@click.command()
@click.argument("annotations", type=click.Path(path_type=Path))
@click.argument("out", type=click.Path(path_type=Path))
def command(annotations: Path, out: Path) -> None:
    """Write the labels in the folder ANNOTATIONS to the file OUT."""
    clips = load(FineDivingSettings(str(annotations)))
    write_files({out: rendered(read_labels(annotations)).encode()})
    click.echo(f"{out}: {len(clips.train)} clips for training, {len(clips.test)} for testing")


def rendered(labels: dict[str, Any]) -> str:
    """The document as JSON, one clip a line."""
    lines = [f"{json.dumps(key)}: {json.dumps(clip, allow_nan=False)}" for key, clip in labels["clips"].items()]
    parts = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in labels.items() if key != "clips"]
    return "{" + ",\n".join([*parts, '"clips": {\n' + ",\n".join(lines) + "\n}"]) + "}\n"


if __name__ == "__main__":
    run(lambda: command.main(standalone_mode=False))
