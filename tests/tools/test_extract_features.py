import json
import runpy
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from posediff.datasets.features import Features, feature_file
from posediff.datasets.pictures import read_pictures
from posediff.errors import PARTIAL, BadData, BadSetting
from posediff.weights.files import sha256_of
from tests.fixtures.videos import moving_square, write_images, write_video

torch = pytest.importorskip("torch")
pytest.importorskip("torchvision")

from posediff.models.encoders.dynamic import DynamicEncoder  # noqa: E402
from posediff.models.encoders.dynamic import described as described_dynamic  # noqa: E402
from posediff.models.encoders.static import StaticEncoder  # noqa: E402
from posediff.models.encoders.static import described as described_static  # noqa: E402
from posediff.models.settings import DynamicSettings, StaticSettings  # noqa: E402

SIZE, FRAMES = 40, 12
KEYS = ["01/1", "01/2", "02/1"]


@pytest.fixture(scope="module")
def networks(tmp_path_factory):
    """Settings of two encoders and the encoders, their random weights in files."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("weights")
    made = {}
    for name, encoder, settings in (
        (
            "dynamic",
            DynamicEncoder,
            DynamicSettings(snippets=2, length=8, weights=str(folder / "i3d.pt"), frozen=True),
        ),
        (
            "static",
            StaticEncoder,
            StaticSettings(backbone="resnet18", weights=str(folder / "resnet18.pt"), frozen=True),
        ),
    ):
        untrained = encoder(4, replace(settings, weights=""))
        torch.save((untrained.i3d if name == "dynamic" else untrained.backbone).state_dict(), settings.weights)
        made[name] = settings, encoder(4, settings).eval()
    return made


@pytest.fixture
def clips(tmp_path):
    for number, key in enumerate(KEYS):
        write_images(tmp_path / "frames" / key, moving_square(9 + number, step=1 + number))
    return tmp_path / "frames"


@pytest.fixture
def extract(networks, clips, tmp_path):
    """Run the tool; what click makes of it."""
    command = runpy.run_path(str(Path(__file__).parents[2] / "tools" / "extract_features.py"))["command"]

    def run(*arguments, encoder="both"):
        options = ["--out", tmp_path / "out", "--encoder", encoder, "--size", SIZE, "--frames", FRAMES]
        options += ["--backbone", "resnet18", "--snippets", 2, "--length", 8, "--device", "cpu"]
        options += [word for name in networks for word in (f"--{name}-weights", networks[name][0].weights)]
        return CliRunner().invoke(command, [*map(str, [clips, *options, *arguments])], standalone_mode=False)

    return run


def maps(networks, name, folder):
    """What an encoder's backbone makes of a folder of pictures."""
    pictures = torch.from_numpy(read_pictures(folder, np.linspace(0, 1, FRAMES), SIZE))
    with torch.no_grad():
        return networks[name][1].maps(pictures[None])[0].numpy()


def test_the_features_are_what_the_encoders_make_of_the_same_pictures(extract, networks, clips, tmp_path):
    result = extract("--dtype", "float32", "--batch", 2)
    assert (result.exception, result.return_value) == (None, 0)
    assert result.output.endswith("3 clips, 0 finished before, 0 failed\n")
    found = Features(tmp_path / "out", ("dynamic", "static")).read(KEYS)
    assert found["dynamic"].shape == (3, 2, 1024, 2, 2)
    assert found["static"].shape == (3, FRAMES, 512, 2, 2)
    for stream, (row, key) in ((stream, one) for stream in found for one in enumerate(KEYS)):
        np.testing.assert_allclose(found[stream][row], maps(networks, stream, clips / key), atol=1e-4, rtol=1e-3)


def test_the_description_says_what_they_are_and_fits_the_model(extract, networks, tmp_path):
    extract()
    expected = {"dynamic": described_dynamic(networks["dynamic"][0]), "static": described_static(networks["static"][0])}
    descriptions = Features(tmp_path / "out", ("dynamic", "static"), expected).descriptions
    assert descriptions["dynamic"] == {
        "backbone": "i3d",
        "snippets": 2,
        "length": 8,
        "sha256": sha256_of(Path(networks["dynamic"][0].weights)),
        "weights": "i3d.pt",
        "frames": FRAMES,
        "size": SIZE,
        "grid": 0,
        "dtype": "float16",
        "shape": [2, 1024, 2, 2],
    }
    other = described_dynamic(DynamicSettings(snippets=3, length=8))
    with pytest.raises(BadData, match="snippets is 2, the model expects 3"):
        Features(tmp_path / "out", ("dynamic",), {"dynamic": other})


def test_half_precision_is_half_as_long_and_nearly_the_same(extract, networks, clips, tmp_path):
    extract(encoder="static")
    expected = maps(networks, "static", clips / KEYS[1])
    np.testing.assert_allclose(Features(tmp_path / "out", ("static",)).read(KEYS)["static"][1], expected, atol=5e-3)
    assert feature_file(tmp_path / "out", "static", KEYS[0]).stat().st_size == expected.size * 2 + 128


def test_maps_can_be_averaged_to_a_smaller_grid(extract, networks, clips, tmp_path):
    extract("--grid", 1, "--dtype", "float32", encoder="static")
    found = Features(tmp_path / "out", ("static",)).read(KEYS[:1])["static"][0, :, :, 0, 0]
    np.testing.assert_allclose(found, maps(networks, "static", clips / KEYS[0]).mean((2, 3)), atol=1e-4, rtol=1e-3)


def test_what_is_finished_is_not_done_again_and_what_is_cut_off_is(extract, tmp_path):
    extract(encoder="static")
    files = [feature_file(tmp_path / "out", "static", key) for key in KEYS]
    whole = [file.read_bytes() for file in files]
    files[1].write_bytes(whole[1][:500])
    files[2].unlink()
    before = files[0].stat().st_mtime_ns
    assert extract(encoder="static").output.endswith("2 clips, 1 finished before, 0 failed\n")
    assert files[0].stat().st_mtime_ns == before
    assert [file.read_bytes() for file in files] == whole


def test_a_stream_can_be_added_to_another(extract, tmp_path):
    extract(encoder="static")
    assert extract(encoder="dynamic").return_value == 0
    assert {*Features(tmp_path / "out", ("dynamic", "static")).read(KEYS)} == {"dynamic", "static"}


def test_features_of_other_settings_are_not_mixed(extract, tmp_path):
    extract(encoder="static")
    before = (tmp_path / "out" / "features.json").read_bytes()
    fault = extract("--size", 64, "--dtype", "float32", encoder="static").exception
    assert isinstance(fault, BadSetting)
    assert "size 40, now 64; dtype 'float16', now 'float32'" in str(fault)
    assert (tmp_path / "out" / "features.json").read_bytes() == before


def test_a_bad_clip_is_told_and_the_others_are_done(extract, clips, tmp_path):
    (clips / "01" / "2" / "frame_004.png").write_bytes(b"no picture")
    result = extract(encoder="static")
    assert result.return_value == PARTIAL
    assert result.output.endswith("2 clips, 0 finished before, 1 failed\n")
    told = [line for line in result.stderr.splitlines() if "frame_004.png" in line]
    assert len(told) == 1
    assert Features(tmp_path / "out", ("static",)).missing(KEYS) == ["01/2"]


def test_videos_are_clips_too(extract, networks, clips, tmp_path):
    pytest.importorskip("av")
    frames = moving_square(15, width=96, height=48)
    (clips / "03").mkdir()
    write_video(clips / "03" / "dive.mkv", frames, codec="libx264rgb")
    write_images(tmp_path / "same", frames)
    assert extract("--dtype", "float32", encoder="static").output.endswith("4 clips, 0 finished before, 0 failed\n")
    found = Features(tmp_path / "out", ("static",)).read(["03/dive"])["static"][0]
    np.testing.assert_allclose(found, maps(networks, "static", tmp_path / "same"), atol=1e-3, rtol=1e-2)


def test_a_video_that_is_none_is_told(extract, clips):
    pytest.importorskip("av")
    (clips / "dive.mp4").write_bytes(b"no video")
    result = extract(encoder="static")
    assert (result.return_value, "dive.mp4" in result.stderr) == (PARTIAL, True)


def test_two_clips_of_one_name_are_refused(extract, clips):
    (clips / "01" / "1.mp4").write_bytes(b"")
    fault = extract(encoder="static").exception
    assert isinstance(fault, BadData)
    assert "called 01/1" in str(fault)


def test_one_folder_of_pictures_is_one_clip(extract, clips, tmp_path):
    shutil.rmtree(clips)
    write_images(clips, moving_square(5))
    assert extract(encoder="static").return_value == 0
    assert Features(tmp_path / "out", ("static",)).missing(["frames"]) == []


@pytest.mark.parametrize(
    ("encoder", "options", "fault", "says"),
    [
        (
            "both",
            ["--static-weights", "", "--dynamic-weights", ""],
            BadSetting,
            "--dynamic-weights and --static-weights",
        ),
        ("static", ["--static-weights", "nowhere.pth"], BadData, "nowhere.pth"),
        ("static", ["--backbone", "resnet1"], BadSetting, "resnet1"),
        ("dynamic", ["--frames", 7], BadSetting, "frames=7"),
        ("dynamic", ["--length", 12], BadSetting, "length"),
    ],
)
def test_what_cannot_work_is_told_before_anything_is_written(extract, tmp_path, encoder, options, fault, says):
    caught = extract(*options, encoder=encoder).exception
    assert isinstance(caught, fault)
    assert says in str(caught)
    assert not (tmp_path / "out").exists()


def test_features_that_do_not_fit_into_half_precision_fail(extract, networks, tmp_path):
    settings = networks["static"][0]
    state = torch.load(settings.weights, weights_only=True)
    state["layer4.1.bn2.bias"] += 1e6
    torch.save(state, tmp_path / "large.pt")
    result = extract("--static-weights", tmp_path / "large.pt", encoder="static")
    assert result.return_value == PARTIAL
    assert result.stderr.count("do not fit into float16") == 3
    assert json.loads((tmp_path / "out" / "features.json").read_text())["streams"]["static"]["weights"] == "large.pt"
