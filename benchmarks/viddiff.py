"""How well differences are told from skeletons alone on VidDiffBench: closed accuracy, open recall@N, calibration.

    python benchmarks/viddiff.py --data-root VidDiffBench --annotate --split easy --mode closed --out out/
    python benchmarks/viddiff.py --data-root VidDiffBench --skeletons poses/ --split all --mode open --out out/

The statements of an action are measured as viddiff_taxonomies/ACTION.yaml says, whose d3 is the benchmark's 3. What
body keypoints cannot tell is left unanswered and counts as wrong; how much that is, and why, is part of the result. In
the open setting these same taxonomies are the proposals: they know what the benchmark asks for, as the paper's proposer
does not, so that recall is no fair match for its Table 3. With --taxonomies, others are used, matched by their text.

--out gets figures.json, and predictions.json in the form of the published evaluation, where c stands for no answer.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from record import provenance
from viddiff_report import Asked, closed_figures, closed_prediction, open_figures, open_prediction

from posediff.compare.run import compare
from posediff.datasets.viddiff import SPLITS, Video, VideoPair, located
from posediff.datasets.viddiff import load as load_benchmark
from posediff.differencing.answers import Answer
from posediff.differencing.differencer import ask
from posediff.differencing.metrics import Match, Matcher, Statement, by_id, by_text
from posediff.differencing.statements.taxonomy import Taxonomy
from posediff.differencing.statements.taxonomy import load as load_taxonomy
from posediff.errors import BadData, PosediffError, listed
from posediff.io import read
from posediff.sequence import PoseSequence

TAXONOMIES = Path(__file__).parent / "viddiff_taxonomies"
#: What estimators are asked for: with toes, ears and a nose.
SKELETON = "blazepose33"


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        return run(options)
    except PosediffError as error:
        print(f"error: {error}\nhint: {error.hint}", file=sys.stderr)
        return error.exit_code


def run(options: argparse.Namespace) -> int:
    splits = SPLITS if options.split == "all" else (options.split,)
    benchmark = load_benchmark(options.data_root, splits, videos=options.videos)
    root = options.videos or (options.data_root if options.data_root.is_dir() else options.data_root.parent)
    if options.annotate and (missing := benchmark.missing_videos):
        print(f"{len(missing)} videos are missing: {listed(missing)}", file=sys.stderr)
    taxonomies = {code: taxonomy_of(code, options.taxonomies) for code in benchmark.actions}
    asked = []
    for number, pair in enumerate(benchmark.pairs, 1):
        print(f"{number}/{len(benchmark.pairs)} {pair.key}", file=sys.stderr)
        asked.append(asked_about(pair, taxonomies[pair.action], options, root))
    closed_mode = options.mode == "closed"
    figures = closed_figures(asked) if closed_mode else open_figures(asked, _matcher(options))
    predictions = [closed_prediction(one) if closed_mode else open_prediction(one) for one in asked]
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "predictions.json").write_text(json.dumps(predictions, indent=1))
        (options.out / "figures.json").write_text(json.dumps({**figures, **provenance()}, indent=1))
    return 0


def taxonomy_of(action: str, folder: Path) -> Taxonomy | None:
    """How the statements of an action are measured; None where keypoints tell nothing of it."""
    path = folder / f"{action}.yaml"
    return load_taxonomy(path) if path.exists() else None


def asked_about(pair: VideoPair, taxonomy: Taxonomy | None, options: argparse.Namespace, root: Path) -> Asked:
    """Everything that the taxonomy asks about a pair."""
    if taxonomy is None:
        return Asked(pair, {}, {}, "no taxonomy: body keypoints do not show it")
    try:
        a, b = (skeleton_of(pair, side, options, root) for side in (0, 1))
        answers = answers_about(taxonomy, a, b)
    except BadData as error:
        print(f"{pair.key}: {error}", file=sys.stderr)
        return Asked(pair, {}, {}, "no skeletons that can be compared")
    named = {benchmark_id(answer.id): answer for answer in answers}
    signs = {benchmark_id(question.id): question.sign for question in taxonomy.differences}
    return Asked(pair, named, {name: lean(answer, signs[name]) for name, answer in named.items()})


def answers_about(taxonomy: Taxonomy, a: PoseSequence, b: PoseSequence) -> Sequence[Answer]:
    """The answers of posediff to all statements about two performances."""
    return ask(compare(a, b), taxonomy).answers


def benchmark_id(name: str) -> str:
    """The benchmark's id of a statement; names in a taxonomy begin with a letter, so ``d3`` is its 3."""
    match = re.fullmatch(r"d(\d+)", name)
    return match[1] if match else name


def lean(answer: Answer, sign: int) -> str | None:
    """The performance that the measure is in favour of, however little."""
    advantage = sign * answer.difference
    return "b" if advantage > 0 else "a" if advantage < 0 else None


def skeleton_of(pair: VideoPair, side: int, options: argparse.Namespace, root: Path) -> PoseSequence:
    """Whoever is seen most in one video of a pair.

    Raises:
        BadData: if nobody is, or there is neither a skeleton file nor a video.
    """
    video = pair.videos[side]
    if options.annotate:
        from posediff.annotate.cache import skeletons_of
        from posediff.annotate.settings import Settings

        return max(skeletons_of(video.location, Settings(skeleton=SKELETON, fps=_image_fps(video))), key=_seen)
    folder = options.skeletons or root
    own = folder / f"{pair.key}_{'ab'[side]}.json"
    if own.exists():
        return max(read(own), key=_seen)
    relative = video.path.relative_to(root) if video.path.is_relative_to(root) else Path(video.path.name)
    names = dict.fromkeys((relative.with_suffix(".json"), Path(f"{relative}.json"), Path(f"{relative.stem}.json")))
    for name in names:
        if (folder / name).exists():
            return max(read(located(folder / name, video.start, video.end)), key=_seen)
    raise BadData(f"{folder}: has no skeletons of {relative}", "posediff annotate makes them, or give --annotate")


def language_matcher(model: Any) -> Matcher:
    """Matching by a language model, :class:`posediff.differencing.helpers.llm.LanguageModel`, as in the paper."""
    from posediff.differencing.helpers.llm import said
    from posediff.differencing.helpers.schema import obj

    number = {"type": "integer"}
    schema = obj(matches={"type": "array", "items": obj(first=number, second=number, opposite={"type": "boolean"})})
    task = (
        "Two numbered lists hold statements that compare how two people move. Pair each statement of the first list "
        "with the one of the second list that is about the same visible property, if there is one. Use no statement "
        "twice. Set opposite to true where one of a pair says more of the property and the other says less."
    )

    def match(truths: Sequence[Statement], predictions: Sequence[Statement]) -> list[Match]:
        if not truths or not predictions:
            return []
        lists = [json.dumps({str(n): one.text for n, one in enumerate(some)}) for some in (truths, predictions)]
        reply = model.ask([said("system", task), said("user", *lists)], schema, "matches")
        found: list[Match] = []
        for one in reply["matches"]:
            first, second = int(one["first"]), int(one["second"])
            fresh = all(first != other.truth and second != other.prediction for other in found)
            if fresh and 0 <= first < len(truths) and 0 <= second < len(predictions):
                found.append(Match(first, second, one["opposite"]))
        return found

    return match


def _matcher(options: argparse.Namespace) -> Matcher:
    if options.llm_base_url:
        from posediff.differencing.helpers.llm import LanguageModel, LanguageSettings

        return language_matcher(LanguageModel(LanguageSettings(options.llm_base_url, options.llm_model)))
    return by_id if options.taxonomies == TAXONOMIES else by_text


def _seen(person: PoseSequence) -> float:
    return float(person.scores.sum())


def _image_fps(video: Video) -> float | None:
    return video.fps if video.path.is_dir() else None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-root", type=Path, required=True, help="the downloaded folder, or its table")
    parser.add_argument("--videos", type=Path, help="what the videos' paths are relative to, by default the folder")
    source = parser.add_mutually_exclusive_group()
    source.add_argument(
        "--skeletons", type=Path, help="folder of KEY_a.json and KEY_b.json, or of files named after the videos"
    )
    source.add_argument("--annotate", action="store_true", help="annotate the videos, once")
    parser.add_argument("--split", choices=(*SPLITS, "all"), default="easy")
    parser.add_argument("--mode", choices=("closed", "open"), default="closed")
    parser.add_argument("--taxonomies", type=Path, default=TAXONOMIES, help="folder of ACTION.yaml")
    parser.add_argument("--llm-base-url", help="match open statements by a language model at this address")
    parser.add_argument("--llm-model", default="", help="its name there")
    parser.add_argument("--out", type=Path, help="folder for figures.json and predictions.json")
    return parser


if __name__ == "__main__":
    sys.exit(main())
