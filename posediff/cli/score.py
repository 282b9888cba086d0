"""``posediff score``: the score of one performance."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from posediff.engine.scoring import Scored


@click.command("score")
@click.argument("query")
@click.option(
    "--checkpoint",
    required=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Trained network, as posediff train writes it.",
)
@click.option(
    "--exemplars",
    type=click.Path(path_type=Path),
    metavar="CSV|DIR",
    help="Table of scored skeletons, or its folder.  [default: the training clips of the checkpoint]",
)
@click.option("--person", type=int, metavar="ID", help="Person of QUERY, if it holds several.")
@click.option("--action", default="", metavar="NAME", help="What was performed, such as the dive number 407c.")
@click.option(
    "--difficulty", type=click.FloatRange(0, min_open=True), help="Difficulty.  [default: that of the exemplars]"
)
@click.option(
    "--level",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.9,
    show_default=True,
    help="Probability with which the interval is to hold the judges' score.",
)
@click.option(
    "--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True, help="Where it runs."
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON document.")
def command(
    query: str,
    checkpoint: Path,
    exemplars: Path | None,
    person: int | None,
    action: str,
    difficulty: float | None,
    level: float,
    device: str,
    as_json: bool,
) -> None:
    """Score the performance in QUERY, a skeleton file, by comparing it with exemplars whose scores are known.

    QUERY#34:68 takes its frames 34 to 67. Every exemplar votes; their spread says how much they disagree, and the
    interval, which comes from errors on the validation clips, how far off the judges' score may be.

    \b
    posediff score dive.json --checkpoint best.pth --action 407c
    posediff score dive.json --checkpoint best.pth --action 407c --difficulty 3.2 --exemplars scored.csv --json
    """
    from posediff.engine.needs import require

    require("torch", purpose="scoring")
    from posediff.engine.provenance import provenance
    from posediff.engine.scoring import Scorer
    from posediff.io import read_person
    from posediff.report.learned import scored_document

    sequence = read_person(query, person=person)
    scorer = Scorer(checkpoint, exemplars=exemplars, device=device)
    found = scorer.score(sequence, action=action, difficulty=difficulty, path=query, level=level)
    if len(found.votes) == 1:
        click.echo("posediff: one exemplar only: nothing says how sure the score is", err=True)
    if not as_json:
        click.echo(table(query, found))
        return
    about = {"path": query, "person": sequence.person, "frames": len(sequence), "fps": sequence.fps, "action": action}
    result = {"format": "posediff.score/1", "query": about, **scored_document(found)}
    click.echo(json.dumps({**result, "checkpoint": scorer.about, "provenance": provenance()}, allow_nan=False))


def table(query: str, found: Scored) -> str:
    """A score in lines for a terminal: its interval, what each stage adds, and the votes behind it."""
    from posediff.cli import one_line
    from posediff.report.learned import interval_in_words, score_in_words, stage_lines

    lines = [f"{query}: {score_in_words(found)}", f"  {interval_in_words(found.interval)}"]
    lines += [f"  {line}" for line in stage_lines(found)]
    lines += [f"  by {vote.exemplar} ({vote.known:.2f}): {vote.score:.2f}" for vote in found.votes]
    return "\n".join(map(one_line, lines))
