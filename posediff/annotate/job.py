"""Annotating the videos of a batch: what a worker does with each, and which files it writes."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from posediff.annotate.batch.inputs import Input
from posediff.annotate.batch.records import settings_hash
from posediff.annotate.batch.tasks import Job, Report, Result
from posediff.annotate.finish.corrections import correct
from posediff.annotate.finish.quality import Quality, quality
from posediff.annotate.footage.video import Video, open_video
from posediff.annotate.outputs import Wanted, check_skeleton, path_of, write_outputs
from posediff.annotate.pipeline import Engines, estimated, finished, on_skeleton
from posediff.annotate.raw import read_raw, write_raw
from posediff.annotate.settings import Settings, fingerprint
from posediff.errors import BadData, BadSetting, PosediffError
from posediff.sequence import PoseSequence

#: Seconds at the end of a video without the person that are told, and the share of frames with the person.
LOST, SPARSE = 0.5, 0.9

#: Folder of the poses as the back ends gave them, so that a change of what comes after them costs nothing.
RAW = "raw"


@dataclass(frozen=True)
class Plan:
    """How the videos of a batch are annotated: makes their jobs, and in every process the worker that does them.

    Attributes:
        settings: for all of them.
        wanted: what is written.
        boxes: the boxes file of each video, by the names of their jobs.
        corrections: the folder of corrected frames of each video, by the names of their jobs.
    """

    settings: Settings
    wanted: Wanted = field(default_factory=Wanted)
    boxes: Mapping[str, str] = field(default_factory=dict)
    corrections: Mapping[str, str] = field(default_factory=dict)

    def jobs(self, videos: Sequence[Input]) -> list[Job]:
        """The jobs of some videos.

        Raises:
            BadData: if a file that the settings name cannot be read.
            BadSetting: if two videos would be written to one file, or a format cannot hold the skeleton.
        """
        check_skeleton(self.wanted.formats, self.settings.skeleton)
        for form in self.wanted.formats:
            paths = [path_of(form, video.name) for video in videos]
            twice = next((path for path, count in Counter(paths).items() if count > 1), None)
            if twice is not None:
                raise BadSetting(f"two videos would be written to {twice}", "annotate them into folders of their own")
        return [self.job(video) for video in videos]

    def job(self, video: Input) -> Job:
        """The job of one video; its settings name every file that the result depends on by what is in it."""
        resolved = self.settings_of(video.name).resolved()
        corrections = self.corrections.get(video.name)
        values = {
            **resolved,
            "corrections": fingerprint(Path(corrections)) if corrections else None,
            "wanted": dataclasses.asdict(self.wanted),
        }
        return Job(video.location, video.name, json.loads(json.dumps(values)))

    def settings_of(self, name: str) -> Settings:
        """The settings of one video."""
        return dataclasses.replace(self.settings, boxes=self.boxes.get(name))

    def __call__(self, settings: Mapping[str, Any]) -> Annotator:
        """The worker, whatever the job's settings: the models are the same for all videos, and are loaded now."""
        models = _engines(dataclasses.replace(self.settings, boxes=None))
        models.load(detector=not self.boxes)
        return Annotator(self, models)


class Annotator:
    """Annotates one video after the other with the same models."""

    def __init__(self, plan: Plan, engines: Engines) -> None:
        self.plan, self.engines = plan, engines

    def __call__(self, job: Job, out: Path, report: Report) -> Result:
        """Annotate a video and write everything that is wanted of it.

        Args:
            job: the video.
            out: the folder of outputs.
            report: hears of the progress.

        Raises:
            PosediffError: if the video cannot be annotated, or an output not be written.
        """
        settings = self.plan.settings_of(job.name)
        video = open_video(job.path, fps=settings.fps)
        raw, faults = self._estimated(job, video, settings, out, report)
        people = on_skeleton(raw, settings.skeleton)
        if corrections := self.plan.corrections.get(job.name):
            first, last = int(raw[0].frames[0]), int(raw[0].frames[-1])
            people = correct(people, corrections, within=range(min(first, video.start), max(last + 1, video.end)))
        done = finished(people, settings)
        figures = [
            quality(
                one, raw=before, total=video.count if len(people) == 1 else None, most=max(10, self.plan.wanted.check)
            )
            for one, before in zip(done, people, strict=True)
        ]
        written = write_outputs(job.name, out, video, done, figures, self.plan.wanted)
        return Result(
            outputs=written.files,
            folders=written.folders,
            quality={"people": [one.as_dict() for one in figures]},
            faults=(*faults, *lost(done, figures, video), *written.notes),
            frames=video.count,
        )

    def _estimated(
        self, job: Job, video: Video, settings: Settings, out: Path, report: Report
    ) -> tuple[list[PoseSequence], list[str]]:
        """The poses as the back ends give them, from an earlier run where there was one; and the video's faults."""
        decisive = settings.estimation()
        path = out / RAW / f"{job.content[:16]}-{settings_hash(decisive)[:16]}.npz"
        if path.exists():
            try:
                people = read_raw(path)
                told = people[0].source.get("faults")
                return people, [str(fault) for fault in told] if isinstance(told, (list, tuple)) else []
            except PosediffError:
                pass  # damaged: estimated anew
        people = estimated(video, self.engines, settings, report)
        faults = list(video.faults)
        marks: dict[str, Any] = {"faults": faults} if faults else {}
        if video.variable:
            marks["frame_times"] = [round(float(time), 6) for time in video.times]
        people = [one.replace(source={**one.source, **marks, "settings": decisive}) for one in people]
        write_raw(path, people)
        return people, faults


@lru_cache(maxsize=1)
def _engines(settings: Settings) -> Engines:
    """The models that some settings name, kept until those of others are asked for."""
    return Engines(settings)


def lost(people: Sequence[PoseSequence], figures: Sequence[Quality], video: Video) -> list[str]:
    """What is to be said of people who are not in all of the video."""
    if len(people) != 1 or not people[0].present.any():
        return []
    there = people[0].frames[people[0].present.any(axis=1)]
    faults = []
    if video.end - there[-1] > LOST * video.fps:
        faults.append(f"the person is lost after frame {there[-1]} of {video.end - 1}")
    if figures[0].coverage < SPARSE:
        faults.append(f"the person is seen in {figures[0].coverage:.0%} of the frames only")
    return faults


def boxes_of(path: Path, inputs: Sequence[Input]) -> dict[str, str]:
    """The boxes file of every video, by name: a file for one video, or a folder of ``name.json``.

    Raises:
        BadSetting: if one file is given for several videos.
        BadData: naming the videos without a file.
    """
    if not path.is_dir():
        if len(inputs) > 1:
            raise BadSetting(
                f"one boxes file, {path}, for {len(inputs)} videos", "give a folder that holds NAME.json for each"
            )
        return {one.name: str(path) for one in inputs}
    found = {one.name: path / f"{one.name}.json" for one in inputs}
    missing = [str(file) for file in found.values() if not file.is_file()]
    if missing:
        raise BadData(f"there are no boxes in {', '.join(missing)}", "give every video a file of that name")
    return {name: str(file) for name, file in found.items()}


def corrections_of(folder: Path, inputs: Sequence[Input]) -> dict[str, str]:
    """The folder of corrected frames of each video that has one, by name.

    ``folder`` is that of the only video, or holds ``name.check``, ``name.labelme`` or ``name`` for each.

    Raises:
        BadData: if there is none for any video.
    """
    if not folder.is_dir():
        raise BadData(f"{folder}: is no folder", "name the folder of the frames that were corrected in LabelMe")
    found = {}
    for one in inputs:
        places = [folder / f"{one.name}{suffix}" for suffix in (".check", ".labelme", "")]
        place = next((place for place in places if place.is_dir() and any(place.glob("*.json"))), None)
        if place is None and len(inputs) == 1 and any(folder.glob("*.json")):
            place = folder
        if place is not None:
            found[one.name] = str(place)
    if not found:
        name = inputs[0].name if inputs else "NAME"
        raise BadData(
            f"{folder}: holds no corrected frames of these videos",
            f"they are looked for in {name}.check, {name}.labelme and {name} there, as LabelMe writes them",
        )
    return found
