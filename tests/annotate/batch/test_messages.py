import logging
import pickle
import warnings

import pytest

from posediff.annotate.batch.messages import PERIOD, Logged, Progressed, Rarely, Setback, died, forward_log
from posediff.annotate.batch.tasks import FAILED, Job
from posediff.errors import BadData, BadSetting, CannotWrite, MissingDependency, PosediffError


def test_reports_are_thinned_but_the_first_and_the_last_come_through():
    heard, now = [], 0.0
    report = Rarely("a", heard.append, clock=lambda: now)
    for done in range(1, 1001):
        now = done * PERIOD / 100
        report(done, 1000)
    assert heard[0] == Progressed("a", 1, 1000)
    assert heard[-1] == Progressed("a", 1000, 1000)
    assert len(heard) in (10, 11, 12)


def test_slow_reports_all_come_through():
    heard, now = [], 0.0
    report = Rarely("a", heard.append, clock=lambda: now)
    for done in range(5):
        now += 2 * PERIOD
        report(done, None)
    assert [event.done for event in heard] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (BadSetting("m", "h"), BadSetting),
        (BadData("m", "h"), BadData),
        (CannotWrite("m", "h"), PosediffError),
        (MissingDependency("av", "annotate", "reading"), PosediffError),
    ],
)
def test_a_setback_survives_the_way_to_another_process(fault, kind):
    arrived = pickle.loads(pickle.dumps(Setback.of(fault))).error()
    assert isinstance(arrived, kind)
    assert (str(arrived), arrived.hint, arrived.exit_code) == (str(fault), fault.hint, fault.exit_code)


@pytest.fixture
def loggers():
    kept = {name: logging.getLogger(name) for name in ("posediff", "py.warnings")}
    before = {name: (logger.handlers, logger.propagate, logger.level) for name, logger in kept.items()}
    yield
    logging.captureWarnings(False)
    for name, logger in kept.items():
        logger.handlers, logger.propagate, level = before[name]
        logger.setLevel(level)


@pytest.mark.usefixtures("loggers")
def test_the_log_of_a_process_is_forwarded():
    sent = []
    forward_log(sent.append, logging.INFO)
    logging.getLogger("posediff.annotate.footage.video").warning("%d frames", 5)
    logging.getLogger("posediff.annotate").debug("unheard")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn("old", stacklevel=1)
    assert sent[0] == Logged("posediff.annotate.footage.video", logging.WARNING, "5 frames")
    assert [message.logger for message in sent[1:]] == ["py.warnings"]


def test_a_forwarded_line_is_logged_as_it_is(caplog):
    Logged("posediff.x", logging.WARNING, "100 % of %s").log()
    assert caplog.record_tuples == [("posediff.x", logging.WARNING, "100 % of %s")]


def test_a_death_names_the_video_and_the_reason():
    outcome = died(Job("v/a.mp4", "a"), "SIGKILL", 1.23456)
    assert (outcome.state, outcome.code, outcome.seconds) == (FAILED, 1, 1.235)
    assert "v/a.mp4" in outcome.message
    assert "SIGKILL" in outcome.message
