"""``posediff compare``: how a performance differs from a reference."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from posediff.cli.questions import asking

if TYPE_CHECKING:
    from posediff.report.document import Besides
    from posediff.report.learned import Learned
    from posediff.sequence import PoseSequence


@click.command("compare", context_settings={"show_default": True})
@click.argument("files", nargs=-1, required=True, metavar="[REFERENCE] QUERY")
@click.option("--out", type=click.Path(path_type=Path), help="Folder for comparison.json, plots and report.html.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of the table.")
@click.option("--references", type=click.Path(path_type=Path), help="Folder of exemplars to compare with.")
@click.option("--segments", type=click.IntRange(1, 1000), default=8, help="Segments where the files name no stages.")
@click.option("--gamma", type=click.FloatRange(0), default=0.03, help="Softness of the alignment; 0 is hard DTW.")
@click.option("--person", type=int, help="Which person, where a file holds several.")
@click.option(
    "--view", type=click.Choice(["auto", "2d", "3d"]), default="auto", help="Compare in the image or in space."
)
@click.option("--mirror", is_flag=True, help="Mirror the query: left- against right-handed performers.")
@click.option("--auto-mirror", is_flag=True, help="Take the better of the query and its mirror image.")
@click.option("--skeleton", help="Skeleton of files that name none, e.g. openpose18.")
@click.option("--fps", type=click.FloatRange(0, min_open=True), help="Frame rate of files that name none.")
@click.option(
    "--checkpoint", type=click.Path(path_type=Path), help="Trained network, which scores both performances besides."
)
@click.option(
    "--exemplars",
    "scored",
    type=click.Path(path_type=Path),
    help="Table of scored skeletons, or its folder, in place of the checkpoint's training clips.",
)
@click.option(
    "--action", help="What was performed: an action such as squat, or for --checkpoint a dive number such as 407c."
)
@click.option("--difficulty", type=click.FloatRange(0, min_open=True), help="Difficulty, for --checkpoint.")
@asking
def command(
    files: tuple[str, ...],
    out: Path | None,
    as_json: bool,
    references: Path | None,
    segments: int,
    gamma: float,
    person: int | None,
    view: str,
    mirror: bool,
    auto_mirror: bool,
    skeleton: str | None,
    fps: float | None,
    checkpoint: Path | None,
    scored: Path | None,
    action: str | None,
    difficulty: float | None,
    **options: Any,
) -> None:
    """Compare the performance in QUERY with the one in REFERENCE, or with all those in a folder.

    Any skeleton file that posediff reads will do, and any video, which is annotated first as posediff annotate does it
    and remembered; FILE#10:90 takes frames 10 to 89 of it. With --checkpoint a trained network scores the performances
    besides; what is measured stays the same. With --ask statements are answered, with --propose found.

    \b
    posediff compare annotations/samples/squat_reference.json annotations/samples/squat_shallow.json --out report
    posediff compare "dives.json#0:34" "dives.json#34:69"
    posediff compare pro.mp4 me.mp4 --out report
    posediff compare --references good/ mine.json
    posediff compare pro.json me.json --checkpoint best.pth --action 407c
    posediff compare pro.json me.json --ask squat --ask "the left elbow bends more"
    posediff compare pro.json me.json --action squat --propose 5
    """
    from posediff.cli import one_line
    from posediff.cli.questions import Questions
    from posediff.compare import Settings, compare, compare_with_references
    from posediff.report.document import dumps, write_report
    from posediff.report.table import render

    counts, expected = [2], "a reference and a query"
    if references:
        counts, expected = [1, 2], "a query, and perhaps one more reference before it"
    if len(files) not in counts:
        raise click.UsageError(f"expected {expected}, got: {', '.join(files)}")
    if mirror and auto_mirror:
        raise click.UsageError("--mirror and --auto-mirror exclude one another")
    network = {"--exemplars": scored, "--difficulty": difficulty}
    idle = [name for name, value in network.items() if value is not None]
    if checkpoint is None and idle:
        raise click.UsageError(f"{idle[0]} is for a trained network: give --checkpoint")
    questions = Questions.of("" if checkpoint else action or "", **options)
    if checkpoint is None and questions is None and action:
        raise click.UsageError("--action is for --ask, --propose or --checkpoint: give one of them")
    side = "auto" if auto_mirror else mirror
    settings = Settings(segments=segments, gamma=gamma, mirror=side, view=view)  # type: ignore[arg-type]  # click checked it
    *named, query = (performance(file, person=person, skeleton=skeleton, fps=fps) for file in files)
    besides: list[Besides] = []
    if checkpoint is not None:
        performances = [*zip(files, (*named, query), strict=True)]
        performances = performances[-1:] if references else performances  # of several, none is the reference
        besides.append(by_network(checkpoint, scored, performances, action or "", difficulty))
    folder = exemplars(references, person=person, skeleton=skeleton, fps=fps) if references else []
    if references:
        comparison = compare_with_references([*named, *folder], query, settings)
    else:
        comparison = compare(named[0], query, settings)
    if questions is not None:
        besides.append(questions.answered(comparison, None if references else named[0], query, [*named, *folder]))
    if out:
        for path in write_report(comparison, out, *besides):
            click.echo(one_line(f"wrote {path}"), err=True)
    click.echo(dumps(comparison, *besides) if as_json else render(comparison, *besides))


def by_network(
    checkpoint: Path,
    exemplars: Path | None,
    performances: Sequence[tuple[str, PoseSequence]],
    action: str,
    difficulty: float | None,
) -> Learned:
    """What a trained network says of a query, the last of the performances, and of the only reference, if there is one.

    Args:
        checkpoint: the network.
        exemplars: what it compares them with; by default its training clips.
        performances: files and what they hold.
        action: what was performed.
        difficulty: of it.
    """
    from posediff.engine.needs import require

    require("torch", purpose="scoring")
    from posediff.engine.scoring import Scorer
    from posediff.report.learned import Learned

    scorer = Scorer(checkpoint, exemplars=exemplars)
    found = [scorer.score(sequence, action=action, difficulty=difficulty, path=file) for file, sequence in performances]
    return Learned(found[-1], found[0] if len(found) > 1 else None, scorer.about)


def performance(file: str, *, person: int | None, skeleton: str | None, fps: float | None) -> PoseSequence:
    """The performance in a file: that of its only person, or of the one named."""
    from posediff.io.registry import at_fps, check_fps, is_video, read, the_person

    check_fps(fps)
    people = of_video(file, skeleton, fps) if is_video(file) else read(file, skeleton=skeleton)
    found = people[0] if len(people) == 1 else the_person(people, person, file)
    return at_fps(found, fps) if fps is not None and found.source.get("fps_assumed") else found


def of_video(file: str, skeleton: str | None, fps: float | None) -> list[PoseSequence]:
    """The athlete of a video, annotated with the default settings, or as it was annotated before."""
    from posediff.annotate.cache import skeletons_of
    from posediff.annotate.settings import Settings
    from posediff.cli import one_line

    terminal = sys.stderr.isatty()
    begun = False

    def progress(done: int, total: int) -> None:
        nonlocal begun
        if terminal or not begun:
            share = f": {100 * done // max(total, 1)} %" if terminal else ""
            end = terminal and done < total
            click.echo(one_line(f"posediff: annotating {file}{share}") + ("\r" if end else "\n"), err=True, nl=False)
            begun = True

    return skeletons_of(file, Settings(skeleton=skeleton or Settings.skeleton, fps=fps), progress=progress)


def exemplars(folder: Path, *, person: int | None, skeleton: str | None, fps: float | None) -> list[PoseSequence]:
    """Every performance in a folder; a file that cannot be read is named on stderr and left out."""
    from posediff.cli import one_line
    from posediff.errors import BadData, PosediffError

    if not folder.is_dir():
        raise BadData(f"{folder} is not a folder", "name a folder of skeleton files")
    found: list[PoseSequence] = []
    for path in sorted(path for path in folder.iterdir() if not path.name.startswith(".")):
        try:
            found.append(performance(str(path), person=person, skeleton=skeleton, fps=fps))
        except PosediffError as fault:
            click.echo(one_line(f"left out {fault}"), err=True)
    if not found:
        raise BadData(
            f"{folder} holds no skeleton file that can be read", "see posediff convert --help for the formats"
        )
    return found
