"""Pictures and skeletons together: from files through all three encoders to scores."""

import json
from dataclasses import replace

import numpy as np
import pytest

from posediff.datasets.clips import Clip
from posediff.datasets.exemplars import Exemplars
from posediff.datasets.finediving import FORMAT, STAGES, FineDivingSettings, load
from posediff.datasets.samples import InputSettings, Samples
from posediff.datasets.synthetic_dives import SyntheticDivesSettings, dive
from posediff.io import write
from tests.datasets.rendered import stick_figures
from tests.fixtures.data import data_root
from tests.fixtures.videos import write_images

torch = pytest.importorskip("torch")
pytest.importorskip("torchvision")
pytest.importorskip("mmengine")

from posediff.datasets.augment import AugmentSettings  # noqa: E402
from posediff.datasets.pairs import Pairs  # noqa: E402
from posediff.models.hp_mcore import HPMCoRe  # noqa: E402
from posediff.models.settings import (  # noqa: E402
    DecoderSettings,
    DynamicSettings,
    HPMCoReSettings,
    SegmentationSettings,
    SkeletalSettings,
    StaticSettings,
)
from posediff.skeletons import MPII16  # noqa: E402

FRAMES, SIDE = 16, 32

#: All three encoders, as small as they get.
SMALL = HPMCoReSettings(
    width=16,
    skeletal=SkeletalSettings(channels=(8, 16), strides=(1, 1)),
    dynamic=DynamicSettings(snippets=2, length=8),
    static=StaticSettings("resnet18"),
    segmentation=SegmentationSettings(hidden=8),
    decoder=DecoderSettings(layers=1, heads=2, steps=2),
)


@pytest.fixture(scope="module")
def pool(tmp_path_factory):
    """Generated dives as FineDiving keeps real ones: labels, skeleton files, and a folder of 64 x 48 px for each."""
    root, settings = tmp_path_factory.mktemp("pool"), SyntheticDivesSettings(noise=0.0, drop=0.0)
    labels = {}
    for number in range(6):
        clip, sequence = dive(settings, number)
        labels[f"01/{number}"] = {
            "action": clip.action,
            "score": clip.score,
            "difficulty": clip.difficulty,
            "frames": clip.frames,
            "sub_actions": STAGES,
            "starts": (0, *clip.transitions),
        }
        write_images(root / "images" / "01" / f"{number}", stick_figures(sequence, (64, 48)), name="{:03d}.jpg")
        (root / "poses" / "01").mkdir(parents=True, exist_ok=True)
        write(root / "poses" / "01" / f"{number}.json", sequence)
    keys = [*labels]
    (root / "labels.json").write_text(
        json.dumps({"format": FORMAT, "train": keys[:4], "test": keys[4:], "clips": labels})
    )
    return root


def rendered(pool):
    """Two generated dives."""
    settings = FineDivingSettings(str(pool / "labels.json"), poses=str(pool / "poses"), images=str(pool / "images"))
    return load(settings).train[:2]


def real(pool):
    """The two real dives, their scores made up, the starts of their stages as seen."""
    folder = data_root("finediving", "pose_examples")
    return [
        Clip(
            str(start),
            score,
            poses=f"{folder}/annotations.json#{start}:{end}",
            images=f"{folder}/images#{start}:{end}",
            transitions=transitions,
            frames=34,
        )
        for start, end, score, transitions in ((0, 34, 60.0, (8, 27)), (34, 68, 80.0, (9, 28)))
    ]


@pytest.mark.parametrize(("dives", "backbone"), [(real, "resnet18"), (rendered, "resnet18"), (rendered, "resnet50")])
def test_all_encoders_learn_together(pool, dives, backbone):
    torch.manual_seed(0)
    clips = dives(pool)
    samples = Samples(clips, InputSettings(frames=FRAMES, images=SIDE), difficulty=False)
    pairs = Pairs(samples, Exemplars(clips, "none", 0), AugmentSettings(flip=0.5, view=1.0, crop=0.1), seed=0)
    batch = pairs.__getitems__(range(len(clips)))
    assert batch["query"]["frames"].shape == (len(clips), FRAMES, 3, SIDE, SIDE)
    network = HPMCoRe(replace(SMALL, static=StaticSettings(backbone)), MPII16, 2, 2).train()
    network.scale.fill_(float(samples.targets.std()))
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    totals = []
    for step in range(6):
        optimizer.zero_grad()
        loss = sum(network.losses(batch).values())
        loss.backward()
        if not step:
            silent = [
                name for name, weight in network.named_parameters() if weight.grad is None or not weight.grad.any()
            ]
            assert silent == []
        optimizer.step()
        totals.append(loss.item())
    print(totals)
    assert totals[-1] < 0.7 * totals[0]
    with torch.inference_mode():
        bank = network.eval().encode(samples.load(np.arange(len(clips))))
        others = torch.tensor([[place for place in range(len(clips)) if place != row] for row in range(len(clips))])
        found = network.vote(bank, bank, torch.from_numpy(samples.targets), others)
    assert {name: stream.shape for name, stream in bank.streams.items()} == {
        name: (len(clips), 3, 2, 16) for name in ("fused", "static")
    }
    assert all(part.isfinite().all() for part in (found.score, found.votes, found.stages))
