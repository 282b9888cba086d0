"""Scoring: what a trained network says of one skeleton, compared with exemplars whose scores are known."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from math import floor
from pathlib import Path

import numpy as np

from posediff.datasets.clips import Clip, Collection
from posediff.datasets.folder import FolderSettings
from posediff.datasets.folder import load as load_folder
from posediff.datasets.leaks import Place, place_of
from posediff.engine.assessment import about_checkpoint
from posediff.engine.checkpoints import load, network_of
from posediff.engine.conformal import USUAL, Interval, interval
from posediff.engine.data import Questions, compared, exemplars_of, load_clips, load_samples, require_difficulties
from posediff.engine.evaluation import predict
from posediff.engine.models import boundaries, stage_names
from posediff.engine.processes import join
from posediff.errors import BadData, BadSetting, suggestion
from posediff.io.registry import read
from posediff.sequence import PoseSequence, Stage


@dataclass(frozen=True)
class Vote:
    """What one exemplar says.

    Attributes:
        exemplar: its key.
        known: its own score.
        score: that of the query, compared with it.
    """

    exemplar: str
    known: float
    score: float


@dataclass(frozen=True)
class Scored:
    """The score of a performance.

    Attributes:
        score: mean of the votes.
        spread: their standard deviation; None for a single one.
        difficulty: that the execution is multiplied with to give all scores here; None where it does not count.
        votes: of the exemplars.
        stages: predicted stages, in frame numbers of the sequence.
        contributions: what each stage adds to the score, relative to the exemplars; their sum is the mean difference.
        interval: where the score that judges would give lies, by the errors on the validation clips.
        segments: score of each stage by itself, on the scale of the whole; None where the network gives none.
    """

    score: float
    spread: float | None
    difficulty: float | None
    votes: tuple[Vote, ...]
    stages: tuple[Stage, ...]
    contributions: tuple[float, ...]
    interval: Interval
    segments: tuple[float, ...] | None = None


class Scorer:
    """Scores skeletons with a checkpoint.

    Args:
        path: of the checkpoint.
        exemplars: a CSV file of scored skeletons (:mod:`posediff.datasets.folder`), or the folder that holds it; None
            for the training clips that the checkpoint itself names.
        device: ``cpu``, ``cuda``, or ``auto``.

    Raises:
        BadData: if the checkpoint or the exemplars cannot be read.
        BadSetting: if the network looks at more than skeletons.
    """

    def __init__(self, path: Path, *, exemplars: Path | None = None, device: str = "auto") -> None:
        self._checkpoint = load(path)
        self._settings = self._checkpoint.experiment.data
        if self._settings.inputs.images or self._settings.inputs.features:
            raise BadSetting(f"{path}: this network looks at pictures, too", "use posediff test, or a network of poses")
        self._exemplars = _of_folder(exemplars) if exemplars is not None else self._own(path)
        self._process = join("none", device)
        self._network = network_of(self._checkpoint, path).to(self._process.device)
        self.about = about_checkpoint(self._checkpoint, path)

    def score(
        self,
        sequence: PoseSequence,
        *,
        action: str = "",
        difficulty: float | None = None,
        path: str = "",
        level: float = USUAL,
    ) -> Scored:
        """The score of a performance.

        Args:
            sequence: its skeleton.
            action: what was performed, where exemplars are chosen by it.
            difficulty: by default that of the exemplars, where all have the same.
            path: its file, by any of its names, with ``#start:end`` where it is a part of it. Exemplars that show any
                of the same frames do not vote. Where it is a clip of the data, it has the exemplars of that clip.
            level: probability with which the interval is to hold the score that judges would give.

        Raises:
            BadData: if there is no exemplar, the difficulty is needed and not known, the exemplars are not as those
                that the network was trained on, or the score is not a finite number.
            BadSetting: if there is a difficulty, and the exemplars have none, or the level is not above 0 and below 1.
        """
        here = place_of(Clip(key="query", score=0.0, poses=path))
        same = self._places(here.file, sequence.person) if path else {}
        key = next((key for key, there in same.items() if _cut_alike(there, here, sequence)), _hash(sequence))
        shared = {key for key, there in same.items() if _within(there, sequence.frames).any()}
        known = [clip for clip in self._exemplars.train if clip.key not in shared]
        asking = Clip(key=key, score=0.0, action=action, difficulty=difficulty)
        chosen = self._chosen(asking, known)
        task, model = self._checkpoint.task, self._checkpoint.experiment.model.settings
        if difficulty is not None and all(clip.difficulty is None for clip in chosen):
            raise BadSetting("the exemplars have no difficulties", "leave --difficulty out")
        if self._settings.difficulty:
            difficulty = _common_difficulty(chosen) if difficulty is None else difficulty
            require_difficulties(self._settings, chosen, task)
        query = Clip(key=path or "query", score=0.0, action=action, difficulty=difficulty)
        alone = Collection("query", (), (query,), sequences={query.key: sequence})
        bank = load_samples(self._settings, model, self._exemplars, chosen, task)
        picks = np.arange(len(chosen))[None]
        if self._settings.exemplars.choice == "barycentre":
            bank, picks = compared(self._settings, bank, [asking])
        asked = Questions(
            load_samples(self._settings, model, alone, [query], task),
            bank,
            picks,
            np.zeros(1),
            boundaries(model, task.transitions),
            None,
        )
        found = predict(self._network, asked, self._checkpoint.experiment.training.batch_size, self._process)
        parts = (found.predicted, found.votes, found.stages, found.segments)
        if not all(np.isfinite(part).all() for part in parts if part is not None):
            raise BadData("the network's score is not a number", "its training has diverged: take another checkpoint")
        voting = [bank.clips[pick] for pick in picks[0]]
        votes = [Vote(clip.key, clip.score, float(vote)) for clip, vote in zip(voting, found.votes[0], strict=True)]
        score, factor = float(found.predicted[0]), 1.0 if found.factor is None else float(found.factor[0])
        names = stage_names(asked.boundaries, task.stages, found.stages.shape[1])
        return Scored(
            score=score,
            spread=float(np.std(found.votes[0], ddof=1)) if len(votes) > 1 else None,
            difficulty=query.difficulty if self._settings.difficulty else None,
            votes=tuple(votes),
            stages=stages_of(sequence, found.transitions[0], found.frames, names),
            contributions=tuple(found.stages[0].tolist()),
            interval=interval(score, self._checkpoint.progress.errors, level, factor),
            segments=None if found.segments is None else tuple(found.segments[0].tolist()),
        )

    def _places(self, file: str, person: int) -> dict[str, Place]:
        """Which frames of a person in a file the clips show, by key."""
        clips = (*self._exemplars.train, *self._exemplars.test)
        places = {clip.key: place_of(clip) for clip in clips if clip.poses}
        return {key: there for key, there in places.items() if there.file == file and there.person in (None, person)}

    def _own(self, path: Path) -> Collection:
        """The training clips that the checkpoint names."""
        try:
            return load_clips(self._settings)
        except (BadData, BadSetting) as error:
            raise BadData(f"{path}: its training clips cannot be read ({error})", "give others: --exemplars") from None

    def _chosen(self, query: Clip, known: Sequence[Clip]) -> list[Clip]:
        """The exemplars of a query, each once, or those whose average is one."""
        if not known:
            raise BadData("there is no exemplar but the performance itself", "give others: --exemplars")
        choice = self._settings.exemplars
        if choice.by == "action":
            _require_action(query.action, sorted({clip.action for clip in known}))
        elif choice.by == "difficulty":
            _require_difficulty(query.difficulty, {clip.difficulty for clip in known})
        exemplars = exemplars_of(self._settings, known)
        averaged = choice.choice == "barycentre"
        picks = exemplars.pools([query])[0] if averaged else exemplars.picks([query], choice.count)[0].tolist()
        return [known[position] for position in dict.fromkeys(picks)]


def stages_of(
    sequence: PoseSequence, transitions: Sequence[int] | np.ndarray, moments: int, names: Sequence[str]
) -> tuple[Stage, ...]:
    """Predicted stages in the frame numbers of a sequence.

    Args:
        sequence: the performance.
        transitions: (K - 1) first moment of every stage but the first.
        moments: T, evenly spread from its first frame to its last.
        names: of the K stages.
    """
    first, last = int(sequence.frames[0]), int(sequence.frames[-1])
    starts = [first, *(first + floor(int(moment) * (last - first) / (moments - 1)) for moment in transitions)]
    ends = [*starts[1:], last + 1]
    return tuple(Stage(name, start, max(end, start + 1)) for name, start, end in zip(names, starts, ends, strict=True))


def _of_folder(path: Path) -> Collection:
    """All clips of a table, whatever split it says."""
    if path.is_dir():
        tables = sorted(path.glob("*.csv"))
        if len(tables) != 1:
            raise BadData(f"{path}: holds {len(tables)} CSV files, expected one", "name the file itself")
        path = tables[0]
    found = load_folder(FolderSettings(csv=str(path), test=0.0))
    return Collection(found.name, (*found.train, *found.test), (), found.stages)


def _require_action(action: str, actions: Sequence[str]) -> None:
    """Refuse an action that no exemplar has."""
    if action in actions:
        return
    named = [one for one in actions if one]
    if not named:
        raise BadData(f"there is no exemplar of the action {action!r}: they have none", "leave --action out")
    if not action:
        some = ", ".join(named[:10]) + (", ..." if len(named) > 10 else "")
        raise BadData("there is no exemplar without an action", f"name one of these with --action: {some}")
    raise BadData(f"there is no exemplar of the action {action!r}", suggestion(action, named, "--action "))


def _require_difficulty(difficulty: float | None, difficulties: set[float | None]) -> None:
    """Refuse a difficulty that no exemplar has."""
    numbers = sorted(one for one in difficulties if one is not None)
    if difficulty in difficulties:
        return
    if difficulty is None:
        raise BadData("exemplars are chosen by difficulty, which is not known", "give --difficulty")
    if not numbers:
        raise BadSetting("the exemplars have no difficulties", "leave --difficulty out")
    there = ", ".join(f"{one:g}" for one in numbers)
    raise BadData(f"there is no exemplar of the difficulty {difficulty:g}", f"there are: {there}")


def _common_difficulty(clips: Sequence[Clip]) -> float | None:
    """That of all clips; None where they have none."""
    found = {clip.difficulty for clip in clips}
    if len(found) > 1:
        some = ", ".join("none" if one is None else f"{one:g}" for one in sorted(found, key=lambda one: one or 0)[:5])
        raise BadData(f"the exemplars have different difficulties ({some})", "give that of the query: --difficulty")
    return found.pop()


def _cut_alike(there: Place, here: Place, sequence: PoseSequence) -> bool:
    """Whether a clip has all frames of a person in a file that the query, ``sequence``, has, and no others."""
    if (there.start, there.end) == (here.start, here.end):
        return True
    if not _within(there, sequence.frames).all():
        return False
    frames = next((one.frames for one in read(here.file) if one.person == sequence.person), sequence.frames)
    return np.array_equal(frames[_within(there, frames)], sequence.frames)


def _within(place: Place, frames: np.ndarray) -> np.ndarray:
    """Which frame numbers are in a part of a file."""
    inside: np.ndarray = (frames >= place.start) & (frames < place.end)
    return inside


def _hash(sequence: PoseSequence) -> str:
    """A key that a performance has under every name of its file."""
    return hashlib.sha256(sequence.keypoints.tobytes() + sequence.frames.tobytes()).hexdigest()
