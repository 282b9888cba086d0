"""``posediff annotate``: skeletons from videos."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from posediff.annotate.detectors import DETECTORS
from posediff.annotate.estimators import ESTIMATORS
from posediff.annotate.outputs import FORMATS
from posediff.annotate.settings import DEVICES, PEOPLE, ROTATIONS, Settings
from posediff.skeletons import CATALOGUE

if TYPE_CHECKING:
    from posediff.annotate.batch.run import Summary
    from posediff.annotate.batch.tasks import Outcome

_DEFAULT = Settings()


@click.command("annotate", context_settings={"show_default": True})
@click.argument("videos", nargs=-1, required=True, metavar="VIDEOS...")
@click.option("--out", type=click.Path(path_type=Path), default=Path("skeletons"), help="Folder to write to.")
@click.option("--pose", type=click.Choice([*ESTIMATORS]), default=_DEFAULT.pose, help="What finds the joints.")
@click.option("--weights", metavar="PATH", help="Weights of the pose back end.")
@click.option("--config", metavar="PATH", help="Configuration of the pose back end (mmpose).")
@click.option(
    "--detector", metavar="NAME|PATH", default="auto", help=f"What finds people: {', '.join(DETECTORS)}; or weights."
)
@click.option("--detector-weights", metavar="PATH", help="Weights of the detector.")
@click.option("--boxes", metavar="PATH", help="Boxes file in place of a detector, or a folder with one a video.")
@click.option("--init-box", metavar="X0,Y0,X1,Y1@FRAME", help="Where the athlete is; X,Y@FRAME for a click.")
@click.option("--person", metavar="|".join([*PEOPLE, "ID"]), default=_DEFAULT.person, help="Who is annotated.")
@click.option(
    "--detect-every", type=click.IntRange(0), default=0, help="Frames between detections; 0 for the detector's own."
)
@click.option(
    "--rotation", type=click.Choice(ROTATIONS), default=_DEFAULT.rotation, help="How inverted bodies are met."
)
@click.option("--camera/--no-camera", default=True, help="Make up for a camera that follows the athlete.")
@click.option("--skeleton", type=click.Choice([*CATALOGUE]), default=_DEFAULT.skeleton, help="Skeleton to write.")
@click.option(
    "--format",
    "formats",
    type=click.Choice([*FORMATS]),
    multiple=True,
    help="Format to write, several times if wanted.  [default: native]",
)
@click.option("--overlay", is_flag=True, help="Write the video with the skeleton drawn.")
@click.option("--contact-sheet", is_flag=True, help="Write a PNG of the video's frames with the skeleton drawn.")
@click.option(
    "--check", type=click.IntRange(0), default=0, metavar="N", help="Write the N frames to check first for LabelMe."
)
@click.option("--corrections", type=click.Path(path_type=Path), help="Folder of frames corrected in LabelMe.")
@click.option(
    "--min-score",
    type=click.FloatRange(0, 1),
    help="Less confident keypoints are missing.  [default: 0.1 with mediapipe, else 0.3]",
)
@click.option(
    "--max-gap", type=click.FloatRange(0), default=_DEFAULT.max_gap, help="Seconds that are interpolated at most."
)
@click.option("--cutoff", type=click.FloatRange(0), default=_DEFAULT.cutoff, help="Smoothing in Hz; 0 for none.")
@click.option("--fps", type=click.FloatRange(0, min_open=True), help="Frame rate of image folders.")
@click.option("--device", type=click.Choice(DEVICES), default=_DEFAULT.device, help="Where the models run.")
@click.option("--workers", type=click.IntRange(1), default=1, help="Videos at a time.")
@click.option("--shard", metavar="I/N", help="Only the I-th of N parts of the videos, for cluster arrays.")
@click.option("--engine", type=click.Choice(["local", "ray"]), default="local", help="What runs the workers.")
@click.option("--resume/--no-resume", default=True, help="Skip videos that are finished.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of the table.")
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
def command(
    videos: tuple[str, ...],
    out: Path,
    formats: tuple[str, ...],
    overlay: bool,
    contact_sheet: bool,
    check: int,
    corrections: Path | None,
    workers: int,
    shard: str | None,
    engine: str,
    resume: bool,
    as_json: bool,
    quiet: bool,
    **chosen: Any,
) -> int:
    """Write the skeletons of the people in VIDEOS: files, folders of them, image folders, globs, or list files.

    Each video is written to OUT under its own name. Run it again to go on where it was stopped: videos that are
    finished are skipped, even if they were renamed; those whose settings have changed are done anew.

    \b
    posediff annotate videos/ --overlay
    posediff annotate dive.mp4 --init-box 180,0,240,210 --rotation trunk
    posediff annotate "match.mp4#250:400" --person all --format coco
    """
    from posediff.annotate.batch.inputs import expand
    from posediff.annotate.batch.inputs import shard as part_of
    from posediff.annotate.batch.progress import Progress
    from posediff.annotate.batch.run import run
    from posediff.annotate.job import Plan, boxes_of, corrections_of
    from posediff.annotate.outputs import Wanted

    detector, weights = named_or_weights(chosen.pop("detector"), chosen.pop("detector_weights"))
    boxes = chosen.pop("boxes")
    settings = Settings(**chosen, detector=detector, detector_weights=weights, threads=1 if workers > 1 else 0)
    wanted = Wanted(tuple(dict.fromkeys(formats)) or ("native",), overlay, contact_sheet, check)
    inputs = expand(videos, out=out)
    if shard:
        inputs = part_of(inputs, shard)
    plan = Plan(
        settings,
        wanted,
        boxes=boxes_of(Path(boxes), inputs) if boxes else {},
        corrections=corrections_of(corrections, inputs) if corrections else {},
    )
    jobs = plan.jobs(inputs)
    with Progress(len(jobs), sys.stderr, quiet=quiet) as progress:
        summary = run(jobs, plan, out=out, workers=workers, engine=engine, resume=resume, on_event=progress)
    click.echo(
        json.dumps({"format": "posediff.annotations/1", "out": str(out), **summary.as_dict()})
        if as_json
        else table(summary)
    )
    return summary.exit_code


def named_or_weights(detector: str, weights: str | None) -> tuple[str, str | None]:
    """Name and weights of the detector; where a file is named in its place, the one that such weights belong to."""
    if detector in ("auto", *DETECTORS):
        return detector, weights
    if not Path(detector).exists():
        raise click.UsageError(f"--detector is {detector!r}: neither a file nor one of auto, {', '.join(DETECTORS)}")
    return "rtmlib" if detector.endswith(".onnx") else "torchvision", detector


def table(summary: Summary) -> str:
    """What came of each video, in lines for a terminal: its people, how well they were seen, and what to look at."""
    from posediff.cli import one_line

    return "\n".join(one_line(line) for outcome in summary.outcomes for line in _lines(outcome))


def _lines(outcome: Outcome) -> list[str]:
    if outcome.state not in ("done", "skipped"):
        hint = [f"  hint: {outcome.hint}"] if outcome.hint else []
        return [f"{outcome.name}: {outcome.state}: {outcome.message}", *hint]
    frames = "1 frame" if outcome.frames == 1 else f"{outcome.frames} frames"
    lines = [f"{outcome.name}: {frames}" + (", finished before" if outcome.state == "skipped" else "")]
    lines += [f"  note: {outcome.message}"] if outcome.message else []
    for person in outcome.quality.get("people", ()):
        figures = [f"person {person['person']}: seen in {person['coverage']:.0%} of the frames"]
        if person["longest_gap"]:
            figures.append(f"longest gap {person['longest_gap']:.2f} s")
        if person["jitter_torso"] is not None:
            figures.append(f"jitter {person['jitter_torso']:.1%} of the torso")
        lines.append("  " + ", ".join(figures))
        if person["check"]:
            check = ", ".join(f"{one['frame']} ({one['reason']})" for one in person["check"][:3])
            lines.append(f"    check first: {check}")
    return [*lines, *(f"  note: {fault}" for fault in outcome.faults), *(f"  {path}" for path in outcome.outputs)]
