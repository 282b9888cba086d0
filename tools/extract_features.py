"""Features of the backbones for every clip of a data set, so that training need not run the backbones.

    python tools/extract_features.py FRAMES --out OUT --dynamic-weights rgb_imagenet.pt --static-weights resnet50.pth

FRAMES holds a folder of pictures or a video for each clip, whose key is its path in FRAMES: ``01/1``. Writes
``OUT/dynamic/01%2F1.npy``, ``OUT/static/01%2F1.npy`` and ``OUT/features.json``, which says what they are;
:class:`posediff.datasets.features.Features` reads them. At 224 pixels and in half precision a clip of 96 frames takes
1.8 MB for I3D and 19 MB for ResNet-50, with ``--grid 3`` 0.3 and 3.5 MB. Run it again to go on where it stopped.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np

from posediff.annotate.batch.inputs import expand
from posediff.annotate.footage.ahead import ahead
from posediff.annotate.footage.video import open_video
from posediff.annotate.settings import DEVICES
from posediff.cli import one_line, run
from posediff.datasets.features import (
    DESCRIPTION,
    DTYPES,
    feature_file,
    open_feature,
    read_descriptions,
    write_descriptions,
    write_feature,
)
from posediff.datasets.pictures import read_pictures
from posediff.errors import PARTIAL, BadData, BadSetting, MissingDependency
from posediff.models.settings import DynamicSettings, StaticSettings

STREAMS = ("dynamic", "static")


class Clip(NamedTuple):
    """Its key, and where its pictures or its video are."""

    key: str
    path: Path


class Stream(NamedTuple):
    """An encoder whose backbone is used, and what describes the maps."""

    encoder: Any
    description: dict[str, Any]


@click.command()
@click.argument("root", metavar="FRAMES", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of the features.")
@click.option("--encoder", type=click.Choice([*STREAMS, "both"]), default="both", show_default=True)
@click.option("--dynamic-weights", default="", help="Kinetics RGB weights of I3D.")
@click.option("--static-weights", default="", help="Weights of the static backbone.")
@click.option("--backbone", default="resnet50", show_default=True, help="Static: resnet* or a network of timm.")
@click.option("--snippets", type=click.IntRange(1), default=9, show_default=True, help="Dynamic: snippets of a clip.")
@click.option("--length", type=click.IntRange(8), default=16, show_default=True, help="Dynamic: frames of a snippet.")
@click.option("--frames", type=click.IntRange(2), default=96, show_default=True, help="Frames of a clip.")
@click.option("--size", type=click.IntRange(32), default=224, show_default=True, help="Side of the pictures.")
@click.option("--grid", type=click.IntRange(0), default=0, help="Side that maps are averaged to; 0 keeps them.")
@click.option("--batch", type=click.IntRange(1), default=1, show_default=True, help="Clips at a time.")
@click.option("--dtype", type=click.Choice(DTYPES), default="float16", show_default=True)
@click.option("--device", type=click.Choice(DEVICES), default="auto", show_default=True)
def command(root: Path, out: Path, encoder: str, batch: int, **chosen: Any) -> int:
    """Extract the features of every clip in FRAMES."""
    names = STREAMS if encoder == "both" else (encoder,)
    lacking = [f"--{name}-weights" for name in names if not chosen[f"{name}_weights"]]
    if lacking:
        raise BadSetting(f"{' and '.join(lacking)}: missing; features of a random backbone say nothing", "give a file")
    clips = find_clips(root, out)
    streams = {name: make_stream(name, chosen) for name in names}
    describe(out, streams)
    waiting = [clip for clip in clips if not is_done(clip, streams, out)]
    faults: list[BadData] = []
    with click.progressbar(length=len(waiting), label="clips", file=sys.stderr) as progress:
        for loaded in ahead(batches(waiting, batch, chosen["frames"], chosen["size"]), depth=2):
            faults += extract(loaded, streams, out)
            progress.update(len(loaded))
    for fault in faults:
        click.echo(one_line(str(fault)), err=True)
    done = len(waiting) - len(faults)
    click.echo(f"{out}: {done} clips, {len(clips) - len(waiting)} finished before, {len(faults)} failed")
    return PARTIAL if faults else 0


def find_clips(root: Path, out: Path) -> list[Clip]:
    """Every folder of pictures and every video in and below a folder."""
    if not root.is_dir():
        raise BadData(f"{root}: no such folder", "give the folder that holds the clips")
    paths = [Path(found.location) for found in expand([str(root)], out=out)]
    inside = [path.relative_to(root) if path != root else Path(root.resolve().name) for path in paths]
    keys = [
        (name if path.is_dir() else name.with_suffix("")).as_posix() for name, path in zip(inside, paths, strict=True)
    ]
    twice = sorted({key for key in keys if keys.count(key) > 1}) if len(set(keys)) < len(keys) else []
    if twice:
        raise BadData(f"{root}: more than one clip is called {', '.join(twice[:3])}", "rename all but one")
    return [Clip(key, path) for key, path in zip(keys, paths, strict=True)]


def make_stream(name: str, chosen: dict[str, Any]) -> Stream:
    """An encoder with its weights, and what its features are."""
    try:
        from posediff.models.encoders import dynamic, static
    except ImportError as error:
        raise MissingDependency(str(error.name), "train", "extracting features") from None
    from posediff.weights.checkpoints import torch_device
    from posediff.weights.files import find

    weights, frames, size, grid = chosen[f"{name}_weights"], chosen["frames"], chosen["size"], chosen["grid"]
    encoder: dynamic.DynamicEncoder | static.StaticEncoder
    if name == "dynamic":
        count, length = chosen["snippets"], chosen["length"]
        moving = DynamicSettings(snippets=count, length=length, frames=frames, weights=weights, frozen=True)
        encoder, description = dynamic.DynamicEncoder(len(moving.kernels), moving), dynamic.described(moving)
        steps, least = moving.snippets * moving.length // 8, moving.length
    else:
        still = StaticSettings(backbone=chosen["backbone"], weights=weights, frozen=True)
        encoder, description = static.StaticEncoder(1, still), static.described(still)
        steps, least = frames, 1
    encoder = encoder.eval().to(torch_device(chosen["device"]))
    shape = maps_of(encoder, np.zeros((1, least, 3, size, size), np.uint8), grid).shape
    description |= {"weights": find(weights).name, "frames": frames, "size": size, "grid": grid}
    return Stream(encoder, {**description, "dtype": chosen["dtype"], "shape": [steps, *shape[2:]]})


def describe(out: Path, streams: dict[str, Stream]) -> None:
    """Write what the features are, beside what is there already, unless that is something else."""
    descriptions = read_descriptions(out) if (out / DESCRIPTION).exists() else {}
    for name, stream in streams.items():
        old, new = descriptions.get(name, stream.description), stream.description
        names = [key for key in {**old, **new} if key != "weights"]  # a file may be called otherwise
        changed = [f"{key} {old.get(key)!r}, now {new.get(key)!r}" for key in names if old.get(key) != new.get(key)]
        if changed:
            raise BadSetting(f"{out} holds {name} features of {'; '.join(changed)}", "choose another folder for --out")
        descriptions[name] = new
    write_descriptions(out, descriptions)


def is_done(clip: Clip, streams: dict[str, Stream], out: Path) -> bool:
    """Whether all the features of a clip are there and whole."""
    try:
        for name, stream in streams.items():
            open_feature(feature_file(out, name, clip.key), stream.description)
    except BadData:
        return False
    return True


def batches(
    clips: Sequence[Clip], batch: int, frames: int, size: int
) -> Iterator[list[tuple[Clip, np.ndarray | BadData]]]:
    """Clips with their pictures, or with what is wrong with them."""
    for start in range(0, len(clips), batch):
        yield [(clip, read_clip(clip.path, frames, size)) for clip in clips[start : start + batch]]


def read_clip(path: Path, frames: int, size: int) -> np.ndarray | BadData:
    """(T, 3, S, S) uint8 pictures that are evenly spread over a clip."""
    moments = np.linspace(0, 1, frames)
    try:
        return read_pictures(path, moments, size) if path.is_dir() else read_video(path, moments, size)
    except BadData as fault:
        return fault


def read_video(path: Path, moments: np.ndarray, size: int) -> np.ndarray:
    """Frames of a video at moments from 0 to 1, as :func:`read_pictures` gives those of a folder."""
    from PIL import Image

    video = open_video(path)
    wanted = video.numbers[np.rint(moments * (video.count - 1)).astype(int)]
    width, height = video.size
    short = min(width, height)
    box = ((width - short) / 2, (height - short) / 2, (width + short) / 2, (height + short) / 2)
    decoded = {
        frame.index: Image.fromarray(frame.image).resize(
            (size, size), Image.Resampling.BILINEAR, box=box, reducing_gap=2.0
        )
        for frame in video.frames(only=wanted)
    }
    if lost := sorted({*wanted.tolist()} - {*decoded}):
        raise BadData(
            f"{path}: {len(lost)} of its frames cannot be decoded, the first is {lost[0]}", "convert it again"
        )
    return np.stack([np.asarray(decoded[number]) for number in wanted.tolist()]).transpose(0, 3, 1, 2)


def extract(loaded: list[tuple[Clip, np.ndarray | BadData]], streams: dict[str, Stream], out: Path) -> list[BadData]:
    """Write the features of some clips; what was wrong with the others."""
    faults = [content for _, content in loaded if isinstance(content, BadData)]
    clips = [clip for clip, content in loaded if isinstance(content, np.ndarray)]
    if not clips:
        return faults
    pictures = np.stack([content for _, content in loaded if isinstance(content, np.ndarray)])
    bad: dict[str, BadData] = {}
    for name, (encoder, description) in streams.items():
        with np.errstate(over="ignore"):
            maps = maps_of(encoder, pictures, description["grid"]).astype(description["dtype"])
        for clip, one in zip(clips, maps, strict=True):
            if np.isfinite(one).all():
                write_feature(feature_file(out, name, clip.key), one)
            else:
                bad[clip.key] = BadData(f"{clip.path}: its {name} features do not fit into {description['dtype']}")
    return [*faults, *bad.values()]


def maps_of(encoder: Any, pictures: np.ndarray, grid: int) -> np.ndarray:
    """What the backbone of an encoder makes of pictures (N, T, 3, S, S)."""
    import torch

    from posediff.models.encoders.interpolation import shrink

    with torch.inference_mode():
        maps = encoder.maps(torch.from_numpy(pictures).to(next(encoder.parameters()).device))
        return (shrink(maps, grid) if grid else maps).cpu().numpy()


if __name__ == "__main__":
    run(lambda: command.main(standalone_mode=False))
