import sys
from pathlib import Path

import numpy as np
import pytest

from posediff.errors import MissingDependency
from posediff.io import read_person, write
from posediff.sequence import Status
from tests.fixtures.files import made_up


def test_a_user_s_instance_in_sleap_takes_the_place_of_the_prediction(tmp_path: Path) -> None:
    sleap_io = pytest.importorskip("sleap_io")
    body = sleap_io.Skeleton(nodes=["nose", "neck"], name="two")
    video = sleap_io.Video(filename="v.mp4", open_backend=False)
    track = sleap_io.Track("a")
    guess = sleap_io.PredictedInstance.from_numpy(
        np.array([[1.0, 2], [3, 4]]), skeleton=body, point_scores=np.array([0.5, 0.5]), track=track
    )
    fixed = sleap_io.Instance.from_numpy(np.array([[9.0, 2], [np.nan, np.nan]]), skeleton=body, track=track)
    fixed.from_predicted = guess
    frames = [
        sleap_io.LabeledFrame(video=video, frame_idx=4, instances=[guess, fixed]),
        sleap_io.LabeledFrame(video=video, frame_idx=5, instances=[guess]),
    ]
    sleap_io.Labels(frames).save(str(tmp_path / "a.slp"), verbose=False)
    person = read_person(tmp_path / "a.slp")
    assert person.frames.tolist() == [4, 5]
    assert person.keypoints[:, 0, 0].tolist() == [9, 1]
    assert person.status.tolist() == [[Status.VERIFIED, Status.MISSING], [Status.MEASURED, Status.MEASURED]]


def test_a_missing_library_is_named_with_the_extra_that_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sleap_io", None)
    with pytest.raises(MissingDependency) as error:
        write(tmp_path / "a", made_up(dimensions=3), format="sleap")
    assert error.value.hint == 'pip install "posediff[sleap]"'
