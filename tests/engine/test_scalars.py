import json

import pytest

from posediff.engine import scalars
from posediff.engine.scalars import NAME, forget_after, make_visualizer
from posediff.errors import BadSetting, CannotWrite, MissingDependency


def test_every_call_is_a_line_at_once(tmp_path):
    visualizer = make_visualizer("a", ("local", "local"), tmp_path)
    visualizer.add_scalars({"epoch": 1, "loss": 0.5}, step=3)
    visualizer.add_scalars({"epoch": 2, "loss": 0.25}, step=6)
    lines = [json.loads(line) for line in (tmp_path / NAME).read_text().splitlines()]
    assert lines == [{"step": 3, "epoch": 1, "loss": 0.5}, {"step": 6, "epoch": 2, "loss": 0.25}]
    visualizer.close()


def test_what_json_lacks_is_null(tmp_path):
    visualizer = make_visualizer("a", ("local",), tmp_path)
    visualizer.add_scalars({"epoch": 1, "loss": float("nan")}, step=3)
    visualizer.close()
    line = json.loads((tmp_path / NAME).read_text(), parse_constant=pytest.fail)
    assert line == {"step": 3, "epoch": 1, "loss": None}


def test_tensorboard_gets_the_same_figures(tmp_path):
    event_accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    visualizer = make_visualizer("a", ("tensorboard",), tmp_path)
    visualizer.add_scalars({"epoch": 1, "train/loss": 0.5}, step=3)
    visualizer.close()
    events = event_accumulator.EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    (event,) = events.Scalars("train/loss")
    assert (event.step, event.value) == (3, 0.5)


@pytest.mark.parametrize(
    ("library", "error", "hint"),
    [("tensorboard", MissingDependency, "posediff[train]"), ("wandb", BadSetting, "pip install wandb")],
)
def test_a_back_end_that_is_not_installed_is_named_before_training(tmp_path, monkeypatch, library, error, hint):
    monkeypatch.setattr(scalars, "find_spec", lambda name: None)
    with pytest.raises(error, match=library) as caught:
        make_visualizer("a", (library,), tmp_path)
    assert hint in caught.value.hint


def test_a_full_disk_is_one_clear_line(tmp_path):
    visualizer = make_visualizer("a", ("local",), tmp_path / "lost")
    with pytest.raises(CannotWrite, match=NAME):
        visualizer.add_scalars({"epoch": 1}, step=1)


def test_what_was_written_after_an_epoch_is_forgotten_and_lines_that_were_cut_off_are_too(tmp_path):
    kept = b'{"step": 1, "epoch": 1}\n{"step": 2, "epoch": 2}\n'
    (tmp_path / NAME).write_bytes(kept + b'{"step": 3, "epoch": 3}\n{"step": 4, "ep')
    forget_after(tmp_path, 2)
    assert (tmp_path / NAME).read_bytes() == kept
    forget_after(tmp_path / "lost", 2)
