import base64
import json
import logging

import pytest

from posediff.differencing.helpers.endpoint import Endpoint
from posediff.differencing.helpers.llm import LanguageModel, LanguageModelFailed, LanguageSettings, said
from posediff.differencing.helpers.recorded import Recorded
from posediff.differencing.helpers.schema import obj
from posediff.errors import CannotWrite
from tests.fixtures.language_server import fails, says, serving

pytest.importorskip("openai")

SCHEMA = obj(answer={"type": "string", "enum": ["a", "b"]})
CHAT = [said("system", "Compare."), said("user", "Which knee?")]


@pytest.fixture(autouse=True)
def _environment(monkeypatch):
    monkeypatch.setenv("POSEDIFF_LLM_API_KEY", "sk-secret")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def model(server, folder, replay=False, **changes):
    settings = LanguageSettings(**{"base_url": server.url, "model": "small", "timeout": 30.0, **changes})
    return LanguageModel(settings, Recorded(folder), replay=replay, endpoint=Endpoint(settings, wait=[].append))


def test_an_answer_that_fits_is_given(tmp_path):
    with serving(says({"answer": "a"})) as server:
        assert model(server, tmp_path).ask(CHAT, SCHEMA, "which") == {"answer": "a"}
    assert server.bodies[0]["messages"] == CHAT


@pytest.mark.parametrize("nonsense", ["I think it is A.", '{"answer": "a', {"answer": "c"}, {"which": "a"}, ["a"], ""])
def test_nonsense_is_asked_for_once_more_with_what_is_wrong_with_it(tmp_path, nonsense):
    with serving(says(nonsense), says({"answer": "b"})) as server:
        assert model(server, tmp_path).ask(CHAT, SCHEMA, "which") == {"answer": "b"}
    *before, answer, complaint = server.bodies[1]["messages"]
    assert before == CHAT
    assert answer == {"role": "assistant", "content": nonsense if isinstance(nonsense, str) else json.dumps(nonsense)}
    assert complaint["content"].startswith("That cannot be used: the answer")


def test_nonsense_twice_is_a_failure_in_one_line_and_is_not_kept(tmp_path):
    with serving(says("Well,\nwell.")) as server:
        asked = model(server, tmp_path)
        with pytest.raises(
            LanguageModelFailed, match="answered what was not asked for: the answer is no JSON"
        ) as caught:
            asked.ask(CHAT, SCHEMA, "which")
    assert len(server.bodies) == 2
    assert "\n" not in str(caught.value)
    assert not asked.recorded.path.exists()


def test_what_was_asked_once_is_answered_from_the_record_without_the_server(tmp_path):
    with serving(says({"answer": "a"})) as server:
        for _ in range(2):
            model(server, tmp_path).ask(CHAT, SCHEMA, "which")
    assert len(server.bodies) == 1
    assert model(server, tmp_path, replay=True).ask(CHAT, SCHEMA, "which") == {"answer": "a"}


@pytest.mark.parametrize("changes", [{"model": "large"}, {"seed": 1}, {"temperature": 1.0}, {"max_tokens": 9}])
def test_other_settings_are_asked_anew(tmp_path, changes):
    with serving(says({"answer": "a"}), says({"answer": "b"})) as server:
        model(server, tmp_path).ask(CHAT, SCHEMA, "which")
        assert model(server, tmp_path, **changes).ask(CHAT, SCHEMA, "which") == {"answer": "b"}


def test_other_words_pictures_and_schemas_are_asked_anew(tmp_path):
    with serving(says({"answer": "a"})) as server:
        asked = model(server, tmp_path)
        asked.ask([said("user", "Which?", b"one")], SCHEMA, "which")
        asked.ask([said("user", "Which?", b"two")], SCHEMA, "which")
        asked.ask([said("user", "Who?", b"two")], SCHEMA, "which")
        asked.ask([said("user", "Who?", b"two")], {**SCHEMA, "title": "x"}, "which")
        asked.ask([said("user", "Who?", b"two")], SCHEMA, "which")
    assert len(server.bodies) == 4


def test_a_replay_asks_nobody(tmp_path):
    with serving(says({"answer": "a"})) as server, pytest.raises(LanguageModelFailed, match="holds no answer of small"):
        model(server, tmp_path, replay=True).ask(CHAT, SCHEMA, "which")
    assert server.bodies == []


def test_a_record_that_does_not_fit_is_asked_for_anew(tmp_path):
    with serving(says({"answer": "a"})) as server:
        asked = model(server, tmp_path)
        asked.ask(CHAT, SCHEMA, "which")
        path = asked.recorded.path
        path.write_text(path.read_text().replace('"reply": {"answer": "a"}', '"reply": {"answer": "z"}'))
        assert model(server, tmp_path).ask(CHAT, SCHEMA, "which") == {"answer": "a"}
    assert len(server.bodies) == 2


def test_the_record_holds_the_question_but_neither_the_key_nor_the_pictures(tmp_path):
    picture = base64.b64encode(b"a picture").decode()
    with serving(says({"answer": "a"})) as server:
        asked = model(server, tmp_path)
        asked.ask([said("user", "Which knee?", b"a picture")], SCHEMA, "which")
    assert picture in json.dumps(server.bodies[0])
    text = asked.recorded.path.read_text()
    assert "Which knee?" in text
    assert "sk-secret" not in text
    assert picture not in text


def test_an_answer_that_cannot_be_kept_is_given_all_the_same(tmp_path, caplog):
    class Full(Recorded):
        def add(self, key, request, reply):
            raise CannotWrite("the disk is full")

    with serving(says({"answer": "a"})) as server, caplog.at_level(logging.WARNING, "posediff"):
        asked = model(server, tmp_path)
        asked.recorded = Full(tmp_path)
        assert asked.ask(CHAT, SCHEMA, "which") == {"answer": "a"}
    assert "is not kept" in caplog.text


def test_a_failure_of_the_endpoint_is_a_failure_of_the_model(tmp_path):
    with serving(fails(500)) as server, pytest.raises(LanguageModelFailed, match="HTTP 500"):
        model(server, tmp_path).ask(CHAT, SCHEMA, "which")


def test_a_message_of_words_is_a_text_and_one_with_pictures_a_list():
    assert said("user", "a", "b") == {"role": "user", "content": "a\nb"}
    text, picture = said("user", "a", b"\xff\xd8")["content"]
    assert text == {"type": "text", "text": "a"}
    assert base64.b64decode(picture["image_url"]["url"].removeprefix("data:image/jpeg;base64,")) == b"\xff\xd8"


def test_a_result_can_say_which_model_it_used(tmp_path):
    with serving(says({"answer": "a"})) as server:
        told = model(server, tmp_path, seed=4).provenance
    assert told["model"] == "small"
    assert told["seed"] == 4
    assert "sk-secret" not in str(told)
