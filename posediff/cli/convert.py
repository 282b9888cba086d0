"""``posediff convert``: skeletons from one file format to another."""

from __future__ import annotations

import json

import click

from posediff.io.formats import FORMATS
from posediff.skeletons import CATALOGUE


@click.command("convert")
@click.argument("source", metavar="IN")
@click.argument("target", metavar="OUT")
@click.option("--to", "target_format", required=True, type=click.Choice([*FORMATS]), help="Format of OUT.")
@click.option(
    "--from", "source_format", type=click.Choice([*FORMATS]), help="Format of IN, by default found by content."
)
@click.option(
    "--skeleton",
    type=click.Choice([*CATALOGUE]),
    help="Skeleton to convert to; also the skeleton of an IN that does not name its joints.",
)
@click.option("--fps", type=float, help="Frames a second of IN, in place of what it says; nothing is resampled.")
@click.option("--person", type=int, metavar="ID", help="Convert this person only.")
@click.option("--allow-missing", is_flag=True, help="Leave joints missing that IN has nothing to make from.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON document.")
def command(
    source: str,
    target: str,
    target_format: str,
    source_format: str | None,
    skeleton: str | None,
    fps: float | None,
    person: int | None,
    allow_missing: bool,
    as_json: bool,
) -> None:
    """Convert the skeletons in IN to another file format, or another skeleton, at OUT.

    IN is a file or a folder; IN#34:68 takes its frames 34 to 67. What the format of OUT cannot hold is told on stderr.
    """
    from posediff import skeletons
    from posediff.io import read, read_person, write

    if person is None:
        people = read(source, format=source_format, skeleton=skeleton, fps=fps)
    else:
        people = [read_person(source, person=person, format=source_format, skeleton=skeleton, fps=fps)]
    if skeleton is not None:
        people = [one.convert(skeletons.get(skeleton), allow_missing=allow_missing) for one in people]
    losses = write(target, people, format=target_format)

    for loss in losses:
        click.echo(f"posediff: {loss}", err=True)
    if as_json:
        click.echo(
            json.dumps(
                {
                    "format": "posediff.conversion/1",
                    "in": {"path": source, "format": people[0].source["format"]},
                    "out": {"path": target, "format": target_format},
                    "skeleton": people[0].skeleton.name,
                    "fps": people[0].fps,
                    "people": [{"id": one.person, "frames": len(one)} for one in people],
                    "lost": losses,
                }
            )
        )
        return
    frames = sum(len(one) for one in people)
    who = f"{len(people)} people" if len(people) > 1 else "1 person"
    click.echo(f"{target}: {target_format}, {who}, {frames} frames, {people[0].skeleton.name}, {people[0].fps:g} fps")
