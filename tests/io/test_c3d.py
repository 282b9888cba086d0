import sys
from pathlib import Path

import numpy as np
import pytest

from posediff.errors import BadData, MissingDependency
from posediff.io import c3d, read, read_person, write
from tests.fixtures.files import made_up


def test_c3d_with_z_up_is_turned_y_up(tmp_path: Path) -> None:
    ezc3d = pytest.importorskip("ezc3d")
    file = ezc3d.c3d()
    file["parameters"]["POINT"]["RATE"]["value"] = [100.0]
    file["parameters"]["POINT"]["LABELS"]["value"] = ["LKNE"]
    file["data"]["points"] = np.array([1.0, 2.0, 3.0, 1.0]).reshape(4, 1, 1)
    file.write(str(tmp_path / "a.c3d"))
    person = read_person(tmp_path / "a.c3d")
    assert (person.keypoints.ravel().tolist(), person.fps, person.skeleton.joints) == ([1, 3, -2], 100, ("lkne",))


def test_a_c3d_that_holds_or_crashes_the_library_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ezc3d")
    write(tmp_path / "a.c3d", made_up(dimensions=3), format="c3d")
    for child, said in (("while True: pass", "come to an end"), ("import os; os.abort()", "it crashes")):
        monkeypatch.setattr(c3d, "_CHILD", child)
        monkeypatch.setattr(c3d, "PATIENCE", 0.5)
        with pytest.raises(BadData, match=said):
            read(tmp_path / "a.c3d")


def test_a_missing_library_is_named_with_the_extra_that_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ezc3d", None)
    with pytest.raises(MissingDependency) as error:
        write(tmp_path / "a", made_up(dimensions=3), format="c3d")
    assert error.value.hint == 'pip install "posediff[c3d]"'
