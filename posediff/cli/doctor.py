"""``posediff doctor``: what works on this machine, and how to get the rest."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from posediff.errors import FAILURE

if TYPE_CHECKING:
    from posediff.annotate.doctor import Finding


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as one JSON document.")
@click.pass_context
def command(context: click.Context, as_json: bool) -> None:
    """Say which back ends, codecs, devices and weights work here, and how to get the others.

    Every library is really tried, in a process of its own; that takes a moment. The exit code is 1 if no video can be
    annotated at all.
    """
    from posediff.annotate.doctor import can_annotate, examine

    findings = examine()
    able = can_annotate(findings)
    if as_json:
        document = {
            "format": "posediff.doctor/1",
            "can_annotate": able,
            "findings": [one._asdict() for one in findings],
        }
        click.echo(json.dumps(document))
    else:
        click.echo(table(findings))
        click.echo("Videos can be annotated." if able else "No video can be annotated: see the pose and video rows.")
    context.exit(0 if able else FAILURE)


def table(findings: Sequence[Finding]) -> str:
    """The findings in aligned columns, each cure on a line of its own."""
    from posediff.cli import one_line

    topic, name, state = (max(len(one[column]) for one in findings) for column in range(3))
    lines = []
    for one in findings:
        row = f"{one.topic:{topic}}  {one.name:{name}}  {one.state:{state}}  {one_line(one.detail)}"
        lines.append(row.rstrip())
        if one.cure:
            lines.append(f"{'':{topic + name + state + 6}}cure: {one_line(one.cure)}")
    return "\n".join(lines)
