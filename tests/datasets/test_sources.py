import dataclasses
import subprocess
import sys

import pytest

from posediff.datasets.clips import Collection
from posediff.datasets.sources import SOURCES, source
from posediff.errors import BadSetting

#: Makes torch impossible to import, as where it is not installed, and loads every source and what works on labels.
WITHOUT_TORCH = """
import sys
sys.modules["torch"] = None
from posediff.datasets import exemplars, floors, splits
from posediff.datasets.sources import SOURCES, source
for name in SOURCES:
    source(name)
"""


@pytest.mark.parametrize("name", SOURCES)
def test_every_source_has_settings_and_a_function_that_loads(name):
    settings, load = source(name)
    assert dataclasses.is_dataclass(settings)
    assert settings.__name__ == SOURCES[name][1]
    assert load.__annotations__["return"] == Collection.__name__


def test_a_source_loads_clips(tmp_path):
    (tmp_path / "a.json").touch()
    (tmp_path / "scores.csv").write_text("file,score\na.json,1\n")
    settings, load = source("folder")
    assert [clip.key for clip in load(settings(str(tmp_path / "scores.csv"), test=0)).train] == ["a.json"]


def test_an_unknown_source_is_answered_with_what_was_meant():
    with pytest.raises(BadSetting, match="no data set 'fine_diving'") as caught:
        source("fine_diving")
    assert caught.value.hint == "did you mean finediving?"
    with pytest.raises(BadSetting) as caught:
        source("gymnastics")
    assert caught.value.hint == "there are: finediving, mtl_aqa, ui_prmd, aqa7, jigsaws, folder, synthetic_dives"


def test_labels_are_read_without_torch():
    result = subprocess.run([sys.executable, "-c", WITHOUT_TORCH], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")
