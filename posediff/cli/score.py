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
    device: str,
    as_json: bool,
) -> None:
    """Score the performance in QUERY, a skeleton file, by comparing it with exemplars whose scores are known.

    QUERY#34:68 takes its frames 34 to 67. Every exemplar votes; the spread of their votes says how sure the score is.

    \b
    posediff score dive.json --checkpoint best.pth --action 407c
    posediff score dive.json --checkpoint best.pth --action 407c --difficulty 3.2 --exemplars scored.csv --json
    """
    from posediff.engine.needs import require

    require("torch", purpose="scoring")
    from posediff.engine.provenance import provenance
    from posediff.engine.scoring import Scorer
    from posediff.io import read_person

    sequence = read_person(query, person=person)
    scorer = Scorer(checkpoint, exemplars=exemplars, device=device)
    found = scorer.score(sequence, action=action, difficulty=difficulty, path=query)
    if len(found.votes) == 1:
        click.echo("posediff: one exemplar only: nothing says how sure the score is", err=True)
    if not as_json:
        click.echo(table(query, found))
        return
    about = {"path": query, "person": sequence.person, "frames": len(sequence), "fps": sequence.fps, "action": action}
    result = {"format": "posediff.score/1", "query": about, **document(found)}
    click.echo(json.dumps({**result, "checkpoint": scorer.about, "provenance": provenance()}, allow_nan=False))


def document(found: Scored) -> dict[str, object]:
    """A score as plain JSON."""
    stages = zip(found.stages, found.contributions, strict=True)
    return {
        "score": found.score,
        "spread": found.spread,
        "difficulty": found.difficulty,
        "stages": [
            {"name": stage.name, "start": stage.start, "end": stage.end, "contribution": part} for stage, part in stages
        ],
        "votes": [vote.__dict__ for vote in found.votes],
    }


def table(query: str, found: Scored) -> str:
    """A score in lines for a terminal: the votes behind it, and what each stage adds."""
    from posediff.cli import one_line

    spread = "" if found.spread is None else f" ± {found.spread:.2f}"
    by = "1 exemplar" if len(found.votes) == 1 else f"{len(found.votes)} exemplars"
    factor = "" if found.difficulty is None else f", difficulty {found.difficulty:g}"
    lines = [f"{query}: {found.score:.2f}{spread} by {by}{factor}"]
    width = max(len(stage.name) for stage in found.stages)
    for stage, part in zip(found.stages, found.contributions, strict=True):
        frames = f"frames {stage.start} to {stage.end - 1}"
        lines.append(f"  {stage.name:{width}}  {part:+7.2f} relative to the exemplars, {frames}")
    lines += [f"  by {vote.exemplar} ({vote.known:.2f}): {vote.score:.2f}" for vote in found.votes]
    return "\n".join(map(one_line, lines))
