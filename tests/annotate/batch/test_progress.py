import io
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posediff.annotate.batch.messages import Finished, Progressed, Started
from posediff.annotate.batch.progress import PLAIN_PERIOD, WINDOW, Progress, Tally, duration, printable, status, told
from posediff.annotate.batch.tasks import DONE, FAILED, SKIPPED, Outcome


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def over(name: str, state: str = DONE, frames: int = 100, **details) -> Finished:
    return Finished(Outcome(name, f"{name}.mp4", state, seconds=4.0, frames=frames, **details))


def screen(text: str) -> list[str]:
    """What a terminal shows: a carriage return lets the next characters cover those before."""
    lines = []
    for line in text.split("\n"):
        shown = ""
        for piece in line.split("\r"):
            shown = piece + shown[len(piece) :]
        lines.append(shown.rstrip())
    return lines


def steady(videos: int, done: int, frames: int, rate: float) -> Tally:
    """A batch of equal videos at a steady rate, reported in tenths."""
    tally, now = Tally(videos), 0.0
    for index in range(done):
        tally.add(Started(str(index)), now)
        for tenth in range(1, 11):
            now += frames / 10 / rate
            tally.add(Progressed(str(index), frames * tenth // 10, frames), now)
        tally.add(over(str(index), frames=frames), now)
    return tally


def test_a_steady_rate_is_measured_and_the_rest_follows():
    tally = steady(videos=10, done=4, frames=200, rate=50)
    assert tally.rate() == pytest.approx(50)
    assert tally.seconds_left() == pytest.approx(6 * 200 / 50)


@given(st.integers(1, 6), st.integers(0, 6), st.integers(20, 500), st.floats(0.5, 500))
def test_the_time_left_of_equal_videos_is_exact(done, waiting, frames, rate):
    tally = steady(done + waiting, done, frames // 10 * 10, rate)
    assert tally.seconds_left() == pytest.approx(waiting * (frames // 10 * 10) / rate, rel=1e-6, abs=1e-6)


def test_loading_models_and_skipped_videos_do_not_count_in_the_rate():
    tally = Tally(5)
    tally.add(over("0", SKIPPED, frames=9000), 1.0)
    tally.add(Started("1"), 2.0)
    tally.add(Progressed("1", 0, 100), 62.0)
    tally.add(Progressed("1", 50, 100), 67.0)
    assert tally.rate() == pytest.approx(10)
    assert tally.frames == 50


def test_the_rate_follows_the_last_minute():
    tally = Tally(1)
    for second in range(300):
        tally.add(Progressed("a", second * 100 if second < 150 else 15000 + (second - 150) * 10, None), float(second))
    assert tally.rate() == pytest.approx(10)
    assert len(tally._samples) <= WINDOW + 2


def test_without_lengths_or_frames_nothing_is_claimed():
    tally = Tally(2)
    assert (tally.rate(), tally.seconds_left()) == (None, None)
    tally.add(Progressed("a", 0, None), 0.0)
    tally.add(Progressed("a", 0, None), 1.0)
    assert (tally.rate(), tally.seconds_left()) == (None, None)
    tally.add(Progressed("a", 10, None), 2.0)
    assert tally.rate() == pytest.approx(5)
    assert tally.seconds_left() is None


def test_videos_of_unknown_length_count_like_the_average():
    tally = Tally(3)
    tally.add(Progressed("a", 0, 100), 0.0)
    tally.add(Progressed("a", 50, 100), 5.0)
    tally.add(Progressed("b", 0, None), 5.0)
    assert tally.seconds_left() == pytest.approx((50 + 100 + 100) / 10)


def test_the_status_tells_counts_rate_time_and_what_is_in_work():
    tally = steady(videos=10, done=4, frames=200, rate=50)
    tally.add(over("bad", FAILED), 17.0)
    tally.add(Started("dive_7"), 17.0)
    tally.add(Progressed("dive_7", 80, 200), 17.6)
    tally.add(Started("dive_8"), 17.6)
    line = status(tally)
    assert line.startswith("5/10 videos, 1 failed | 50 frames/s | ")
    assert line.endswith("s left | dive_7 40 % and 1 more")


@given(st.text(), st.integers(0, 120), st.integers(0, 10**6), st.none() | st.integers(1, 10**6))
def test_a_status_never_breaks_its_line(name, width, done, total):
    tally = Tally(12)
    tally.add(Progressed(name, 0, total), 0.0)
    tally.add(Progressed(name, done, total), 3.0)
    line = status(tally, width)
    assert len(line) <= width
    assert line.isprintable()


def test_of_a_long_name_the_end_is_shown():
    tally = Tally(12)
    tally.add(Progressed("a/very/long/folder/dive_7", 1, 2), 0.0)
    assert status(tally, 30) == "0/12 videos | …der/dive_7 50 %"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.84, "0.8 s"),
        (9.96, "10 s"),
        (59.6, "1 min"),
        (185, "3 min 5 s"),
        (7800, "2 h 10 min"),
        (3600, "1 h"),
        (273600, "3 d 4 h"),
    ],
)
def test_durations_are_said_in_two_units(seconds, text):
    assert duration(seconds) == text


def test_a_pipe_gets_a_line_for_every_video_and_plain_text_only():
    stream, clock = io.StringIO(), Clock()
    with Progress(3, stream, clock=clock) as progress:
        progress(Started("a"))
        progress(over("a"))
        progress(over("b", FAILED, message="b.mp4: is no video", hint="check\nit"))
        clock.now += 125
        progress(over("c", SKIPPED))
    lines = stream.getvalue().splitlines()
    assert lines[0] == "a: 100 frames in 4.0 s"
    assert lines[1] == "b: failed: b.mp4: is no video (hint: check\\nit)"
    assert lines[-1] == "3 videos: 1 done, 1 finished before, 1 failed, 2 min 5 s"
    assert "\r" not in stream.getvalue()
    assert "\x1b" not in stream.getvalue()


def test_a_pipe_hears_of_long_videos_every_half_minute():
    stream, clock = io.StringIO(), Clock()
    progress = Progress(2, stream, clock=clock)
    for frame in range(600):
        clock.now += 0.5
        progress(Progressed("a", frame, 600))
    assert len(stream.getvalue().splitlines()) == 300 // PLAIN_PERIOD


def test_a_terminal_gets_one_line_that_changes(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    stream, clock = Terminal(), Clock()
    with Progress(2, stream, clock=clock) as progress:
        for frame in range(10):
            clock.now += 1
            progress(Progressed("a_long_name", frame, 10))
        assert len(screen(stream.getvalue())) == 1
        assert "90 %" in screen(stream.getvalue())[0]
        progress(over("a_long_name"))
        progress(over("b", FAILED, message="broken"))
    assert screen(stream.getvalue()) == ["b: failed: broken", "2 videos: 1 done, 1 failed, 10 s", ""]
    assert "\x1b" not in stream.getvalue()


@pytest.mark.parametrize(("no_color", "term", "red"), [("", "xterm", True), ("1", "xterm", False), ("", "dumb", False)])
def test_failures_are_red_where_colours_are_wanted(monkeypatch, no_color, term, red):
    monkeypatch.setenv("NO_COLOR", no_color)
    monkeypatch.setenv("TERM", term)
    stream = Terminal()
    Progress(1, stream, clock=Clock())(over("b", FAILED, message="broken"))
    assert ("\x1b[31m" in stream.getvalue()) == red


def test_the_log_does_not_run_into_the_line(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    stream, clock = Terminal(), Clock()
    handler, logger = logging.StreamHandler(stream), logging.getLogger("posediff")
    monkeypatch.setattr(logger, "handlers", [handler])
    with Progress(1, stream, clock=clock) as progress:
        clock.now += 1
        progress(Progressed("a", 1, 2))
        logging.getLogger("posediff.annotate").warning("look")
        assert screen(stream.getvalue()) == ["look", ""]
    assert handler.filters == []


def test_quiet_is_quiet():
    stream = Terminal()
    with Progress(1, stream, quiet=True, clock=Clock()) as progress:
        progress(over("b", FAILED, message="broken"))
    assert stream.getvalue() == ""


def test_a_reader_who_has_left_does_not_end_the_batch():
    class Closed(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    with Progress(1, Closed(), clock=Clock()) as progress:
        progress(over("b", FAILED, message="broken"))
    assert progress.tally.over[FAILED] == 1


def test_characters_that_the_stream_lacks_are_replaced():
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    Progress(1, stream, clock=Clock())(over("Müller…\udcff"))
    assert stream.buffer.getvalue().startswith(b"M?ller?\\udcff: 100 frames")


def test_videos_that_were_not_begun_are_told():
    stream = io.StringIO()
    with Progress(3, stream, clock=Clock()) as progress:
        progress(over("a"))
    assert stream.getvalue().splitlines()[-1] == "3 videos: 1 done, 2 not begun, 0.0 s"


def test_a_video_with_faults_is_told_with_them():
    assert told(over("a", faults=("cut off", "no times")).outcome) == "a: 100 frames in 4.0 s; cut off; no times"
    assert told(over("a", SKIPPED, message="the same as b").outcome) == "a: finished before (the same as b)"


@given(st.text())
def test_printable_text_is_what_it_says(text):
    assert printable(text).isprintable()


def test_one_frame_is_told_as_one():
    assert told(Outcome("a", "a.mp4", DONE, frames=1)).startswith("a: 1 frame in ")
    assert told(Outcome("a", "a.mp4", DONE, frames=2)).startswith("a: 2 frames in ")
