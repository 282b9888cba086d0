import errno
import io
import os

import pytest

from posediff.engine.narration import NAMES, Narrator, in_words, losses_in_words
from posediff.errors import CannotWrite

FIGURES = {"srcc": 0.91234, "relative_l2": 0.5, "aiou_50_flight": 99.5, "aiou_75_flight": 90.04, "aiou_50_all": 80.0}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_lines_go_to_the_stream_and_with_the_time_to_the_file(tmp_path):
    stream = io.StringIO()
    narrator = Narrator(stream, tmp_path / "log.txt")
    narrator.tell("epoch 1")
    narrator.show(lambda: "step 1")
    narrator.tell("epoch 2")
    assert stream.getvalue() == "epoch 1\nepoch 2\n"
    logged = (tmp_path / "log.txt").read_text().splitlines()
    assert [line.split(" ", 1)[1] for line in logged] == ["epoch 1", "epoch 2"]


def test_on_a_terminal_a_line_changes_in_place_and_makes_way(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    now = [0.0]
    stream = Terminal()
    narrator = Narrator(stream, clock=lambda: now[0])
    for step in range(3):
        narrator.show(lambda step=step: f"step {step}")
        now[0] += 0.15
    narrator.tell("done")
    assert stream.getvalue() == "\rstep 0\rstep 2\rdone  \n"


def test_without_a_stream_nothing_is_made():
    narrator = Narrator(None)
    narrator.show(lambda: pytest.fail("nobody sees this"))
    narrator.tell("nothing")


def test_a_stream_that_is_closed_does_not_end_the_training():
    stream = io.StringIO()
    stream.close()
    narrator = Narrator(Terminal(), None)
    narrator._stream = stream
    narrator.tell("nobody reads this")


def test_a_log_that_cannot_be_written_is_one_clear_line(tmp_path, monkeypatch):
    narrator = Narrator(None, tmp_path / "no" / "log.txt")
    with pytest.raises(CannotWrite, match=os.strerror(errno.ENOENT)):
        narrator.tell("lost")


def test_figures_and_losses_in_words():
    assert in_words(FIGURES) == "SRCC 0.9123, R-l2 0.5000, AIoU 99.5/90.0"
    assert in_words({"srcc": None, "relative_l2": 1.0}) == "R-l2 1.0000"
    assert in_words({}) == "no figures"
    assert (
        losses_in_words({"loss": 0.5, "score": 0.3, "contrast": 0.2}) == "loss 0.5000 (score 0.3000, contrast 0.2000)"
    )


def test_every_figure_has_a_name():
    from posediff.engine.evaluation import FIGURES, OF_LABELS

    assert {*NAMES} == {*FIGURES, *OF_LABELS}
    assert [name for name in NAMES if name in FIGURES] == [*FIGURES]


def test_figures_of_labels_are_told_too():
    assert in_words({"srcc": 0.5, "accuracy": 0.75, "auc": 0.8}) == "SRCC 0.5000, accuracy 0.7500, AUC 0.8000"
