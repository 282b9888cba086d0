"""Pictures of generated dives, and features of them by backbones with random weights.

A picture shows the skeleton that the network is given otherwise, in an upright frame that stands still for the whole
dive: limbs as lines, each side and each kind of limb in its own colour, no water and no board. The backbones' weights
are random and stay so. Their batch normalisation has the statistics of pictures of other dives, without which features
would hardly differ from one another.
"""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageDraw

from posediff.datasets.features import feature_file, write_descriptions, write_feature
from posediff.datasets.synthetic_dives import SyntheticDivesSettings, dive
from posediff.models.encoders import dynamic, static
from posediff.models.settings import DynamicSettings, StaticSettings
from posediff.motion.gaps import fill_gaps
from posediff.sequence import PoseSequence

FRAMES = 48
#: Width and height in pixels. The diver falls, and never moves sideways by two fifths of that.
SIZE = (48, 128)
MARGIN = 3
#: Pictures are drawn larger and reduced, so that edges are smooth.
FINER = 4

BACKGROUND = (30, 60, 110)
COLOURS = {
    ("left", "arm"): (250, 160, 60),
    ("left", "leg"): (230, 60, 60),
    ("right", "arm"): (80, 220, 230),
    ("right", "leg"): (60, 200, 60),
    ("", ""): (240, 230, 210),
}
ARM = ("shoulder", "elbow", "wrist")

#: Half as many snippets as the paper cuts out of 96 frames.
SNIPPETS, LENGTH = 5, 16
BACKBONE = "resnet18"
#: How many dives batch normalisation takes its statistics from, and how far their seed is from that of the others.
CALIBRATION, OTHER_SEED = 16, 1000


def pictured(folder: Path, without: set[str]) -> list[str]:
    """Options of an experiment that reads the features of a folder, save for the encoders that are left out."""
    encoders = {
        "dynamic": {"snippets": SNIPPETS, "length": LENGTH, "frames": FRAMES},
        "static": {"backbone": BACKBONE},
    }
    used = tuple(name for name in encoders if name not in without)
    weighted = {name: {**encoders[name], "weights": str(weights(folder, name)), "frozen": True} for name in used}
    return [
        *(f"model.{name}={settings!r}" for name, settings in weighted.items()),
        f"data.inputs.features={used!r}",
        f"data.inputs.features_root={folder}",
        f"data.inputs.poses={'skeletal' not in without}",
        f"data.inputs.frames={FRAMES}",
        *(f"data.augment.{name}=0.0" for name in ("flip", "crop", "view")),
    ]


def extract(folder: Path, settings: SyntheticDivesSettings) -> float:
    """Write the features of a set of dives, by backbones of its seed, unless they are there; the seconds it took."""
    if (folder / "features.json").exists():
        return 0.0
    started = time.perf_counter()
    others = replace(settings, seed=settings.seed + OTHER_SEED)
    encoders = backbones(settings.seed, np.stack([draw(dive(others, number)[1]) for number in range(CALIBRATION)]))
    descriptions: dict[str, dict[str, Any]] = {}
    for number in range(settings.clips):
        clip, sequence = dive(settings, number)
        pictures = torch.from_numpy(draw(sequence)[None])
        for name, encoder in encoders.items():
            with torch.inference_mode():
                maps = encoder.maps(pictures)[0].numpy().astype(np.float16)
            descriptions.setdefault(name, {"frames": FRAMES, "dtype": "float16", "shape": list(maps.shape)})
            write_feature(feature_file(folder, name, clip.key), maps)
    for name, encoder in encoders.items():
        path = weights(folder, name)
        torch.save(trunk(encoder).state_dict(), path)
        described = dynamic.described if name == "dynamic" else static.described
        descriptions[name] |= described(replace(encoder.settings, weights=str(path)))
    write_descriptions(folder, descriptions)  # last: it says that all is there
    return time.perf_counter() - started


def weights(folder: Path, encoder: str) -> Path:
    """Where the weights of an encoder's backbone are."""
    return folder.absolute() / f"{encoder}.pt"


def backbones(seed: int, pictures: np.ndarray) -> dict[str, Any]:
    """Encoders whose backbones have random weights and the statistics of pictures (N, T, 3, H, W)."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        encoders: dict[str, Any] = {
            "dynamic": dynamic.DynamicEncoder(64, DynamicSettings(SNIPPETS, LENGTH, FRAMES, frozen=True)),
            "static": static.StaticEncoder(64, StaticSettings(BACKBONE, frozen=True)),
        }
    for encoder in encoders.values():
        for layer in encoder.eval().modules():
            if isinstance(layer, torch.nn.modules.batchnorm._BatchNorm):
                layer.momentum = 1.0
        trunk(encoder).train()
        with torch.inference_mode():
            encoder.maps(torch.from_numpy(pictures))
        trunk(encoder).eval()
    return encoders


def trunk(encoder: Any) -> torch.nn.Module:
    """The backbone of an encoder."""
    return encoder.i3d if isinstance(encoder, dynamic.DynamicEncoder) else encoder.backbone


def draw(sequence: PoseSequence, size: tuple[int, int] = SIZE) -> np.ndarray:
    """(T, 3, H, W) uint8 stick figures at moments evenly spread over a dive, whose whole way fills the height."""
    places = fill_gaps(sequence, max_gap=0.4).keypoints
    places = places[np.rint(np.linspace(0, len(places) - 1, FRAMES)).astype(int)]
    low, high = np.nanmin(places, axis=(0, 1)), np.nanmax(places, axis=(0, 1))
    unit = (size[1] - 2 * MARGIN) / (high[1] - low[1])
    places = FINER * ((places - (low + high) / 2) * unit + np.array(size) / 2)
    names = sequence.skeleton
    bones = [([names.index(joint) for joint in bone], COLOURS[kind(bone[1])]) for bone in names.bones]
    pictures = []
    for frame in places:
        picture = Image.new("RGB", (FINER * size[0], FINER * size[1]), BACKGROUND)
        lines = ImageDraw.Draw(picture)
        for ends, colour in bones:
            if np.isfinite(frame[ends]).all():
                lines.line(frame[ends].ravel().tolist(), fill=colour, width=2 * FINER)
        pictures.append(np.asarray(picture.reduce(FINER)))
    return np.ascontiguousarray(np.stack(pictures).transpose(0, 3, 1, 2))


def kind(joint: str) -> tuple[str, str]:
    """Side and limb that a joint is of; two empty names for the trunk."""
    side, _, name = joint.rpartition("_")
    return (side, "arm" if name in ARM else "leg") if side in ("left", "right") else ("", "")
