"""Pictures and skeletons together: from files through all three encoders to scores."""

import json
import runpy
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from posediff.datasets.augment import AugmentSettings
from posediff.datasets.clips import Clip
from posediff.datasets.exemplars import Exemplars
from posediff.datasets.finediving import FORMAT, STAGES, FineDivingSettings, load
from posediff.datasets.samples import InputSettings, Samples
from posediff.datasets.synthetic_dives import SyntheticDivesSettings, dive
from posediff.errors import BadData
from posediff.io import write
from posediff.models.settings import (
    DecoderSettings,
    DynamicSettings,
    HPMCoReSettings,
    SegmentationSettings,
    SkeletalSettings,
    StaticSettings,
)
from tests.datasets.rendered import stick_figures
from tests.engine.tiny import experiment
from tests.fixtures.data import data_root
from tests.fixtures.videos import write_images

torch = pytest.importorskip("torch")
pytest.importorskip("torchvision")

from posediff.datasets.pairs import Pairs  # noqa: E402
from posediff.engine.assessment import assess  # noqa: E402
from posediff.engine.build import plain  # noqa: E402
from posediff.engine.training import train  # noqa: E402
from posediff.models.encoders import dynamic, static  # noqa: E402
from posediff.models.encoders.backbones import load_backbone  # noqa: E402
from posediff.models.encoders.i3d import I3D  # noqa: E402
from posediff.models.hp_mcore import HPMCoRe  # noqa: E402

FRAMES, SIDE = 16, 32

#: All three encoders, as small as they get.
SMALL = HPMCoReSettings(
    width=16,
    skeletal=SkeletalSettings(channels=(8, 16), strides=(1, 1)),
    dynamic=DynamicSettings(snippets=2, length=8, frames=FRAMES),
    static=StaticSettings("resnet18"),
    segmentation=SegmentationSettings(hidden=8),
    decoder=DecoderSettings(layers=1, heads=2, steps=2),
)


@pytest.fixture(scope="module")
def pool(tmp_path_factory):
    """Generated dives as FineDiving keeps real ones: labels, skeleton files, and a folder of 64 x 48 px for each."""
    root, settings = tmp_path_factory.mktemp("pool"), SyntheticDivesSettings(noise=0.0, drop=0.0)
    labels = {}
    (root / "poses" / "01").mkdir(parents=True)
    for number in range(8):
        clip, sequence = dive(settings, number)
        facts = {"action": "103b", **{name: getattr(clip, name) for name in ("score", "difficulty", "frames")}}
        labels[f"01/{number}"] = {**facts, "sub_actions": STAGES, "starts": (0, *clip.transitions)}
        write_images(root / "images" / "01" / f"{number}", stick_figures(sequence, (64, 48)), name="{:03d}.jpg")
        write(root / "poses" / "01" / f"{number}.json", sequence)
    split = {"train": [*labels][:6], "test": [*labels][6:]}
    (root / "labels.json").write_text(json.dumps({"format": FORMAT, **split, "clips": labels}))
    return root


@pytest.fixture
def scratch(tmp_path):
    """A folder for checkpoints, which are too large to be kept."""
    yield tmp_path / "run"
    shutil.rmtree(tmp_path / "run", ignore_errors=True)


def source(pool, *parts):
    """Where the generated dives lie, and which of skeletons and pictures are read."""
    return {"annotations": str(pool / "labels.json"), **{part: str(pool / part) for part in parts}}


def rendered(pool):
    """Two generated dives."""
    return load(FineDivingSettings(**source(pool, "poses", "images"))).train[:2]


def real(pool):
    """The two real dives; their scores and the starts of their stages are made up."""
    folder = data_root("finediving", "pose_examples")
    dives = (("0:34", 60.0, (8, 27)), ("34:68", 80.0, (9, 28)))
    return [
        Clip(
            frames,
            score,
            poses=f"{folder}/annotations.json#{frames}",
            images=f"{folder}/images#{frames}",
            transitions=transitions,
            frames=34,
        )
        for frames, score, transitions in dives
    ]


def made(settings, samples):
    """A network for some samples, its random weights always the same."""
    torch.manual_seed(0)
    network = HPMCoRe(settings, samples.skeleton, samples.dimensions, samples.stages).train()
    network.scale.fill_(float(samples.targets.std()))
    return network


def step(network, optimizer, batch):
    """One step of training; the losses before it."""
    optimizer.zero_grad()
    losses = network.losses(batch)
    sum(losses.values()).backward()
    optimizer.step()
    return {name: loss.item() for name, loss in losses.items()}


@pytest.mark.parametrize(("dives", "backbone"), [(real, "resnet18"), (rendered, "resnet50")])
def test_all_encoders_learn_together(pool, dives, backbone):
    clips = dives(pool)
    samples = Samples(clips, InputSettings(frames=FRAMES, images=SIDE), difficulty=False)
    pairs = Pairs(samples, Exemplars(clips, "none", 0), AugmentSettings(flip=0.5, view=1.0, crop=0.1), seed=0)
    batch = pairs.__getitems__([0])
    assert batch["query"]["frames"].shape == (1, FRAMES, 3, SIDE, SIDE)
    network = made(replace(SMALL, static=StaticSettings(backbone)), samples)
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    losses = [step(network, optimizer, batch)]
    silent = [name for name, weight in network.named_parameters() if weight.grad is None or not weight.grad.any()]
    assert silent == []
    losses += [step(network, optimizer, batch) for _ in range(5)]
    assert sum(losses[-1].values()) < 0.8 * sum(losses[0].values())
    assert losses[-1]["score"] < 0.5 * losses[0]["score"]
    assert losses[-1]["segmentation"] < losses[0]["segmentation"]

    with torch.inference_mode():
        bank = network.eval().encode(samples.load(np.arange(2)))
        found = network.vote(bank, bank, torch.from_numpy(samples.targets), torch.tensor([[1], [0]]))
    assert {name: tuple(stream.shape) for name, stream in bank.streams.items()} == {
        "fused": (2, 3, 2, SMALL.width),
        "static": (2, 3, 2, SMALL.width),
    }
    assert all(part.isfinite().all() for part in (found.score, found.votes, found.stages))


#: A small experiment with pictures, for what is in the pool.
EXPERIMENT = {
    "model": {**plain(SMALL), "type": "hp_mcore"},
    "data__exemplars": {"by": "none", "count": 2},
    "data__validation": 0.34,
    "optimizer": {"type": "SGD", "lr": 0.01, "momentum": 0.0},
    "training": {"epochs": 2, "batch_size": 4, "device": "cpu"},
}


def test_a_network_of_pictures_and_skeletons_is_trained_and_tested(pool, scratch):
    chosen = experiment(
        **EXPERIMENT,
        data__source={"type": "finediving", **source(pool, "poses", "images")},
        data__inputs={"frames": FRAMES, "images": SIDE},
        data__augment={"flip": 0.5, "view": 1.0},
    )
    done = train(chosen, scratch)
    assert done.progress.epoch == 2
    tested = assess(chosen, done.best)
    assert tested.found.keys == ("01/6", "01/7")
    assert np.isfinite(tested.found.predicted).all()
    assert np.isfinite(tested.found.votes).all()


@pytest.fixture(scope="module")
def extracted(pool, tmp_path_factory):
    """Features of the generated dives by random backbones; the settings of a network that takes them."""
    folder, out = tmp_path_factory.mktemp("weights"), tmp_path_factory.mktemp("features")
    torch.manual_seed(1)
    files = {"dynamic": folder / "i3d.pt", "static": folder / "resnet18.pt"}
    torch.save(I3D().state_dict(), files["dynamic"])
    torch.save(load_backbone("resnet18").network.state_dict(), files["static"])
    options = [word for name, file in files.items() for word in (f"--{name}-weights", str(file))]
    options += ["--backbone", "resnet18", "--snippets", "2", "--length", "8", "--dtype", "float32", "--device", "cpu"]
    options += ["--frames", str(FRAMES), "--size", str(SIDE), "--out", str(out)]
    command = runpy.run_path(str(Path(__file__).parents[2] / "tools" / "extract_features.py"))["command"]
    CliRunner().invoke(command, [str(pool / "images"), *options], standalone_mode=False, catch_exceptions=False)
    yield (
        out,
        replace(
            SMALL,
            dynamic=replace(SMALL.dynamic, weights=str(files["dynamic"]), frozen=True),
            static=replace(SMALL.static, weights=str(files["static"]), frozen=True),
        ),
    )
    shutil.rmtree(folder)


def fitting(settings):
    """What a network of some settings takes features of."""
    return {"dynamic": dynamic.described(settings.dynamic), "static": static.described(settings.static)}


def test_features_stand_in_for_pictures(pool, extracted):
    root, settings = extracted
    clips, with_pictures = load(FineDivingSettings(**source(pool, "poses"))).train, rendered(pool)
    inputs = InputSettings(frames=FRAMES, features=("dynamic", "static"), features_root=str(root))
    samples = Samples(clips, inputs, difficulty=True, expected=fitting(settings))
    batch = Pairs(samples, Exemplars(clips, "none", 0), None, seed=0).__getitems__(range(4))
    assert "frames" not in batch["query"]
    network = made(settings, samples)
    before = {name: weight.detach().clone() for name, weight in network.named_parameters()}
    optimizer = torch.optim.Adam([weight for weight in network.parameters() if weight.requires_grad], lr=3e-3)
    losses = [sum(step(network, optimizer, batch).values()) for _ in range(3)]
    assert losses[2] < losses[0]
    same = {name.split(".")[2] for name, weight in network.named_parameters() if torch.equal(weight, before[name])}
    assert same == {"i3d", "backbone"}

    pictures = Samples(with_pictures, InputSettings(frames=FRAMES, images=SIDE), difficulty=True)
    with torch.inference_mode():
        one, other = (network.eval().encode(part.load(np.arange(2))) for part in (samples, pictures))
    assert torch.equal(one.transitions, other.transitions)
    for name, stream in one.streams.items():
        torch.testing.assert_close(stream, other.streams[name], atol=1e-4, rtol=1e-3)


def test_features_for_another_network_are_refused(pool, extracted):
    root, settings = extracted
    clips = load(FineDivingSettings(**source(pool, "poses"))).train
    inputs = InputSettings(frames=FRAMES, features=("dynamic", "static"), features_root=str(root))
    for changed, says in (
        (replace(settings, dynamic=replace(settings.dynamic, snippets=3)), "dynamic.snippets is 2"),
        (replace(settings, static=replace(settings.static, backbone="resnet50")), "static.backbone is 'resnet18'"),
        (replace(settings, static=replace(settings.static, weights=settings.dynamic.weights)), "static.sha256 is '"),
    ):
        with pytest.raises(BadData, match=f"{says}.*, the model expects") as caught:
            Samples(clips, inputs, difficulty=True, expected=fitting(changed))
        assert "\n" not in str(caught.value)


def test_a_network_is_trained_on_features(pool, extracted, scratch):
    root, settings = extracted
    chosen = experiment(
        **{**EXPERIMENT, "model": {**plain(settings), "type": "hp_mcore"}},
        data__source={"type": "finediving", **source(pool, "poses")},
        data__inputs={"frames": FRAMES, "features": ("dynamic", "static"), "features_root": str(root)},
    )
    done = train(chosen, scratch)
    assert np.isfinite(assess(chosen, done.best).found.predicted).all()
