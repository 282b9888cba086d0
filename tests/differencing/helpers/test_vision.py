import base64
import io
import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posediff.differencing.answers import Answer
from posediff.differencing.helpers.llm import LanguageModel, LanguageSettings
from posediff.differencing.helpers.recorded import Recorded
from posediff.differencing.helpers.vision import VisionSettings, agreed, look
from posediff.errors import BadData, BadSetting
from tests.fixtures.language_server import fails, says, send, serving

pytest.importorskip("openai")
pytest.importorskip("PIL")

BRIGHT, DARK = 220, 60


class Grey:
    """A film all of whose pictures have one brightness."""

    def __init__(self, level):
        self.level, self.groups = level, []

    def clips(self, groups):
        self.groups = [list(group) for group in groups]
        return [[np.full((64, 48, 3), self.level, np.uint8) for _ in group] for group in groups]


def gaze(**changes):
    fields = {"id": "gaze", "query": "the eyes look further down", "answer": None, "probability": math.nan, "unit": ""}
    fields |= {"values": (math.nan, math.nan), "noise": math.nan, "frames": ((10, 15), (20, 21)), "confidence": 0.9}
    return Answer(**{**fields, "measure": "", "reason": "only pictures can tell", **changes})


def brightness(part):
    from PIL import Image

    data = base64.b64decode(part["image_url"]["url"].partition(",")[2])
    return float(np.median(np.asarray(Image.open(io.BytesIO(data)).convert("L"))))


def brighter(handler):
    """A model that really looks: whose pictures are brighter."""
    parts = handler.server.last["messages"][-1]["content"]
    levels, letter = {"a": [], "b": []}, ""
    for part in parts:
        if part["type"] == "text":
            letter = part["text"][-2:-1].lower() if part["text"].startswith("Performance") else letter
        else:
            levels[letter].append(brightness(part))
    choice = max(levels, key=lambda name: np.mean(levels[name]))
    reply = json.dumps({"answer": choice, "probability": 0.9})
    document = {"choices": [{"message": {"content": reply}, "finish_reason": "stop"}]}
    send(handler, 200, json.dumps(document).encode())


def seen(tmp_path, scenes, films, answers, **settings):
    with serving(*scenes) as server:

        class Bodies(list):
            def append(self, body):
                server.http.last = body
                super().append(body)

        server.bodies = Bodies()
        model = LanguageModel(LanguageSettings(server.url, "eye", retries=0), Recorded(tmp_path))
        return look(model, "squat", answers, films, VisionSettings(**settings)), server


@pytest.mark.parametrize(("levels", "choice"), [((BRIGHT, DARK), "a"), ((DARK, BRIGHT), "b")])
def test_a_model_that_looks_is_believed(tmp_path, levels, choice):
    (found,), server = seen(tmp_path, [brighter], tuple(map(Grey, levels)), [gaze()])
    assert (found.answer, found.source, found.reason) == (choice, "vision", "")
    assert found.probability == pytest.approx(0.9)
    assert len(server.bodies) == 2


@pytest.mark.parametrize("favourite", ["a", "b"])
def test_a_model_that_prefers_a_place_is_not(tmp_path, favourite):
    films = (Grey(BRIGHT), Grey(DARK))
    (found,), _ = seen(tmp_path, [says({"answer": favourite, "probability": 0.95})], films, [gaze()])
    assert found.answer == "same"
    assert found.probability == pytest.approx(0.025)


def test_the_pictures_are_of_the_place_of_each_and_exchanged_the_second_time(tmp_path):
    films = (Grey(BRIGHT), Grey(DARK))
    _, server = seen(tmp_path, [says({"answer": "same", "probability": 0.8})], films, [gaze()], pictures=3)
    assert [film.groups for film in films] == [[[10, 12, 14]], [[20]]]
    shown = [
        [round(brightness(part), -1) for part in body["messages"][-1]["content"] if part["type"] == "image_url"]
        for body in server.bodies
    ]
    assert shown == [[BRIGHT] * 3 + [DARK], [DARK] + [BRIGHT] * 3]
    texts = [part["text"] for part in server.bodies[0]["messages"][-1]["content"] if part["type"] == "text"]
    assert texts[:3] == ["The movement: squat.", "Performance A:", "Performance B:"]
    assert '"the eyes look further down"' in texts[3]


def test_one_pass_over_each_film_serves_all_questions_that_have_a_place(tmp_path):
    films = (Grey(BRIGHT), Grey(DARK))
    answers = [gaze(), gaze(frames=(None, (1, 2))), gaze(query="the hands are open", frames=((30, 31), (40, 41)))]
    found, server = seen(tmp_path, [says({"answer": "same", "probability": 0.8})], films, answers)
    assert films[0].groups == [[10, 12, 14], [30]]
    assert [one.answer for one in found] == ["same", None, "same"]
    assert found[1].reason == "not seen: its place was not found"
    assert len(server.bodies) == 4


def test_a_film_that_is_not_there_is_the_reason(tmp_path):
    films = (Grey(BRIGHT), BadData("the video b.mp4 is not beside the file of keypoints"))
    (found,), server = seen(tmp_path, [says("")], films, [gaze()])
    assert (found.answer, found.source) == (None, "skeleton")
    assert found.reason == "not seen: the video b.mp4 is not beside the file of keypoints"
    assert server.bodies == []


def test_a_model_that_fails_is_the_reason_and_what_was_measured_stays(tmp_path):
    measured = gaze(answer="a", probability=0.7, measure="max(neck_angle)", reason="")
    found, _ = seen(tmp_path, [fails(401)], (Grey(BRIGHT), Grey(DARK)), [gaze(), measured])
    assert found[0].answer is None
    assert found[0].reason.startswith("not seen: the language model eye at http://127.0.0.1")
    assert found[1] == measured


def test_pictures_that_cannot_be_decoded_are_the_reason(tmp_path):
    film = Grey(DARK)
    film.clips = lambda groups: [[] for _ in groups]
    (found,), _ = seen(tmp_path, [says("")], (Grey(BRIGHT), film), [gaze()])
    assert found.reason == "not seen: its pictures cannot be decoded"


opinions = st.tuples(st.sampled_from(["a", "b", "same"]), st.floats(0, 1))


@given(opinions, opinions)
def test_agreement_is_symmetric_and_a_probability(first, second):
    choice, probability = agreed(first, second)
    assert agreed(second, first) == (choice, pytest.approx(probability))
    assert 0 <= probability <= 1


@given(st.floats(0.34, 1), st.floats(0.34, 1))
def test_two_that_agree_are_as_sure_as_they_are_on_average(first, second):
    assert agreed(("b", first), ("b", second)) == ("b", pytest.approx((first + second) / 2))


@pytest.mark.parametrize("changes", [{"pictures": 0}, {"longest": 10}])
def test_settings_that_show_nothing_are_refused(changes):
    with pytest.raises(BadSetting):
        VisionSettings(**changes)
