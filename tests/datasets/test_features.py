import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posediff.datasets.features import (
    Features,
    feature_file,
    open_feature,
    read_descriptions,
    write_descriptions,
    write_feature,
)
from posediff.errors import BadData

KEYS = ["01/1", "01/2", "FINADivingWorldCup2021_Women3m_final_r1/0"]
NOWHERE = Path("nowhere")
SHAPES = {"dynamic": [4, 6, 2, 2], "static": [8, 5, 3, 3]}
DESCRIPTIONS = {
    "dynamic": {"backbone": "i3d", "snippets": 2, "frames": 8, "dtype": "float16", "shape": SHAPES["dynamic"]},
    "static": {"backbone": "resnet18", "frames": 8, "dtype": "float32", "shape": SHAPES["static"]},
}
WITH_OBJECTS = {"format": "posediff.features/1", "streams": {"static": {**DESCRIPTIONS["static"], "dtype": "O"}}}


@pytest.fixture
def maps():
    random = np.random.default_rng(0)
    return {
        stream: {key: random.normal(size=shape).astype(DESCRIPTIONS[stream]["dtype"]) for key in KEYS}
        for stream, shape in SHAPES.items()
    }


@pytest.fixture
def root(tmp_path, maps):
    write_descriptions(tmp_path, DESCRIPTIONS)
    for stream, clips in maps.items():
        for key, values in clips.items():
            write_feature(feature_file(tmp_path, stream, key), values)
    return tmp_path


def test_features_come_back_as_batches_in_the_order_of_the_keys(root, maps):
    found = Features(root, ("dynamic", "static")).read([KEYS[2], KEYS[0], KEYS[2]])
    for stream in SHAPES:
        assert found[stream].dtype == np.float32
        expected = np.stack([maps[stream][KEYS[2]], maps[stream][KEYS[0]], maps[stream][KEYS[2]]])
        np.testing.assert_array_equal(found[stream], expected)


def test_only_the_streams_that_are_wanted_are_read(root):
    for file in (root / "static").iterdir():
        file.unlink()
    features = Features(root, ("dynamic",))
    assert [*features.read(KEYS)] == ["dynamic"]
    assert features.missing(KEYS) == []


def test_what_is_read_is_a_batch_of_its_own(root, maps):
    features = Features(root, ("dynamic",))
    features.read(KEYS)["dynamic"][:] = 0
    np.testing.assert_array_equal(features.read(KEYS[:1])["dynamic"][0], maps["dynamic"][KEYS[0]])


def test_a_file_is_mapped_into_memory(root):
    assert isinstance(open_feature(feature_file(root, "dynamic", KEYS[0]), DESCRIPTIONS["dynamic"]), np.memmap)


@given(st.lists(st.text(min_size=1), unique=True, max_size=6))
def test_no_two_keys_share_a_file_and_none_leaves_the_folder(keys):
    files = [feature_file(NOWHERE, "static", key) for key in keys]
    assert len(set(files)) == len(keys)
    for file in files:
        assert file.parent == NOWHERE / "static"
        assert len(file.name.encode()) < 240
        assert not set(file.name) & set('<>:"/\\|?*\0')


def test_keys_that_are_long_and_alike_have_files_of_their_own():
    one, other = (feature_file(NOWHERE, "static", "clip/" * 200 + end) for end in "ab")
    assert one != other
    assert feature_file(NOWHERE, "static", "01/1").name == "01%2F1.npy"


def test_clips_without_features_are_counted_and_named(root):
    wanted = [*KEYS, "02/1", "02/2", "02/3", "02/4"]
    features = Features(root, ("dynamic", "static"))
    with pytest.raises(BadData, match=r"lacks features of 4 of 7 clips: 02/1, 02/2, 02/3 and 1 more") as caught:
        features.read(wanted)
    assert "extract_features" in caught.value.hint
    assert features.missing(wanted) == ["02/1", "02/2", "02/3", "02/4"]


@pytest.mark.parametrize("left", [0, 5, 60, -1])
def test_a_file_that_is_cut_off_is_told(root, left):
    file = feature_file(root, "dynamic", KEYS[1])
    file.write_bytes(file.read_bytes()[:left])
    with pytest.raises(BadData, match=r"01%2F2\.npy: cannot be read") as caught:
        Features(root, ("dynamic",)).read(KEYS)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "values", [np.zeros((4, 6, 2, 3), np.float16), np.zeros(SHAPES["dynamic"]), np.zeros((4, 6), np.float16)]
)
def test_maps_that_are_not_as_described_are_told(root, values):
    write_feature(feature_file(root, "dynamic", KEYS[1]), values)
    with pytest.raises(BadData, match=r"expected \(4, 6, 2, 2\) of float16"):
        Features(root, ("dynamic",)).read(KEYS)


def test_objects_are_never_unpickled(root):
    np.save(feature_file(root, "dynamic", KEYS[0]), np.array([{}], object), allow_pickle=True)
    with pytest.raises(BadData, match="cannot be read"):
        Features(root, ("dynamic",)).read(KEYS)


def test_features_of_other_settings_are_told_with_all_that_differs(root):
    expected = {"dynamic": {"backbone": "i3d", "snippets": 9}, "static": {"backbone": "resnet50", "frames": 8}}
    with pytest.raises(BadData) as caught:
        Features(root, ("dynamic", "static"), expected)
    assert "dynamic.snippets is 2, the model expects 9" in str(caught.value)
    assert "static.backbone is 'resnet18', the model expects 'resnet50'" in str(caught.value)
    assert "frames" not in str(caught.value)
    assert Features(root, ("dynamic",), {"dynamic": {"snippets": 2}, "static": {"backbone": "resnet50"}})


def test_something_expected_that_the_description_does_not_say_is_a_difference(root):
    with pytest.raises(BadData, match="sha256 is None, the model expects 'abc'"):
        Features(root, ("dynamic",), {"dynamic": {"sha256": "abc"}})


def test_streams_of_different_lengths_do_not_go_together(root):
    write_descriptions(root, {**DESCRIPTIONS, "static": {**DESCRIPTIONS["static"], "frames": 9}})
    with pytest.raises(BadData, match="different numbers of frames"):
        Features(root, ("dynamic", "static"))
    assert Features(root, ("static",)).descriptions["static"]["frames"] == 9


def test_a_stream_that_was_not_extracted_is_told(root):
    write_descriptions(root, {"dynamic": DESCRIPTIONS["dynamic"]})
    with pytest.raises(BadData, match="holds no static features but dynamic") as caught:
        Features(root, ("dynamic", "static"))
    assert "--encoder static" in caught.value.hint


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "not valid JSON"),
        (b"\xff", "not valid JSON"),
        (b"[]", "format"),
        (b'{"format": "posediff.features/2", "streams": {}}', "format"),
        (b'{"format": "posediff.features/1"}', "does not say"),
        (
            b'{"format": "posediff.features/1", "streams": {"static": {"shape": [0], "dtype": "float16"}}}',
            "does not say",
        ),
        (json.dumps(WITH_OBJECTS).encode(), "does not say"),
    ],
)
def test_a_description_that_is_none_is_told(tmp_path, content, says):
    (tmp_path / "features.json").write_bytes(content)
    with pytest.raises(BadData, match=f"features.json: .*{says}"):
        read_descriptions(tmp_path)


def test_a_folder_without_features_is_told(tmp_path):
    with pytest.raises(BadData, match=r"features\.json: cannot be read"):
        Features(tmp_path / "nowhere", ("static",))


def test_reading_features_needs_no_torch():
    code = "import sys; sys.modules['torch'] = None; import posediff.datasets.features"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
