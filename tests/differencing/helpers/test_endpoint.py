import socket
import sys

import pytest

from posediff.differencing.helpers.endpoint import Endpoint, LanguageModelFailed, LanguageSettings
from posediff.errors import BadSetting, MissingDependency
from tests.fixtures.language_server import fails, says, send, serving

pytest.importorskip("openai")

SCHEMA = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
CHAT = [{"role": "user", "content": "which knee?"}]


@pytest.fixture(autouse=True)
def _environment(monkeypatch):
    for name in ("POSEDIFF_LLM_API_KEY", "OPENAI_API_KEY", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


def endpoint(server, waits=None, **changes):
    settings = LanguageSettings(**{"base_url": server.url, "model": "small", "timeout": 30.0, **changes})
    return Endpoint(settings, wait=(waits if waits is not None else []).append)


def send_to(server, waits=None, **changes):
    return endpoint(server, waits, **changes).send(CHAT, SCHEMA, "knees")


def test_what_is_sent_is_the_chat_the_settings_and_the_schema():
    with serving(says("left")) as server:
        assert send_to(server, seed=3, max_tokens=50) == "left"
    assert server.bodies == [
        {
            "model": "small",
            "messages": CHAT,
            "temperature": 0.0,
            "seed": 3,
            "max_tokens": 50,
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "knees", "strict": True, "schema": SCHEMA},
            },
        }
    ]


def test_the_key_comes_from_the_environment_the_own_one_first(monkeypatch):
    with serving(says("left")) as server:
        monkeypatch.setenv("OPENAI_API_KEY", "general")
        send_to(server)
        monkeypatch.setenv("POSEDIFF_LLM_API_KEY", "own")
        send_to(server)
    assert [headers["Authorization"] for headers in server.headers] == ["Bearer general", "Bearer own"]


@pytest.mark.parametrize(
    ("url", "key"),
    [("http://far.example/v1", ""), ("https://far.example/v1", "own"), ("http://localhost:1/v1", "own")],
)
def test_no_key_travels_in_the_open(monkeypatch, url, key):
    monkeypatch.setenv("POSEDIFF_LLM_API_KEY", "own")
    assert Endpoint(LanguageSettings(url, "small"))._key == key


def test_an_endpoint_that_recovers_is_asked_again_after_longer_and_longer_waits():
    waits = []
    with serving(fails(500), fails(429), fails(503), says("left")) as server:
        assert send_to(server, waits, retries=3, backoff=0.5) == "left"
    assert waits == [0.5, 1.0, 2.0]


def test_a_busy_endpoint_says_itself_how_long_to_wait_within_reason():
    waits = []
    with serving(fails(429, Retry_After="7"), fails(429, Retry_After="86400"), says("left")) as server:
        send_to(server, waits)
    assert waits == [7.0, 60.0]


def test_an_endpoint_that_stays_broken_is_given_up():
    waits = []
    with serving(fails(500, "out of memory")) as server, pytest.raises(LanguageModelFailed) as caught:
        send_to(server, waits, retries=2)
    assert len(server.bodies) == 3
    assert str(caught.value).endswith("answered HTTP 500: out of memory")
    assert "\n" not in f"{caught.value}{caught.value.hint}"


def test_a_slow_endpoint_is_given_up_in_time():
    with serving(lambda handler: server.released.wait(60)) as server:
        with pytest.raises(LanguageModelFailed, match=r"did not answer within 0\.2 s"):
            send_to(server, timeout=0.2, retries=0)
        server.released.set()


def test_an_endpoint_that_trickles_is_given_up_in_time():
    def trickle(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(b"{")
        handler.wfile.flush()
        server.released.wait(60)

    times = iter([0.0, 31.0])
    with serving(trickle) as server:
        settings = LanguageSettings(server.url, "small", timeout=30.0, retries=0)
        with pytest.raises(LanguageModelFailed, match="did not answer within 30 s"):
            Endpoint(settings, clock=lambda: next(times)).send(CHAT, SCHEMA, "knees")
        server.released.set()


def test_another_key_is_asked_for_once_and_none_is_repeated(monkeypatch):
    monkeypatch.setenv("POSEDIFF_LLM_API_KEY", "sk-secret")
    waits = []
    told = pytest.raises(LanguageModelFailed, match=r"wants another API key \(HTTP 401\)")
    with serving(fails(401, "Incorrect API key provided: sk-secret")) as server, told as caught:
        send_to(server, waits)
    assert (len(server.bodies), waits) == (1, [])
    assert "sk-secret" not in f"{caught.value}{caught.value.hint}"


def test_the_key_is_not_repeated_after_any_other_failure(monkeypatch):
    monkeypatch.setenv("POSEDIFF_LLM_API_KEY", "sk-secret")
    told = pytest.raises(LanguageModelFailed, match=r"HTTP 418: no tea for \*\*\*$")
    with serving(fails(418, "no\ntea for sk-secret")) as server, told:
        send_to(server)


def test_an_endpoint_that_refuses_schemas_is_sent_it_in_words_from_then_on():
    with serving(fails(400, "response_format is not supported"), says("left")) as server:
        asked = endpoint(server)
        assert [asked.send(CHAT, SCHEMA, "knees") for _ in range(2)] == ["left", "left"]
    assert [body["response_format"]["type"] for body in server.bodies] == ["json_schema", "json_object", "json_object"]
    first, *rest = server.bodies[1]["messages"]
    assert first["role"] == "system"
    assert '"additionalProperties": false' in first["content"]
    assert rest == CHAT


def test_an_endpoint_that_refuses_an_option_is_asked_without_it():
    refusals = (
        fails(400, "Unsupported parameter", param="max_tokens"),
        fails(400, "Unsupported value: 'temperature' does not support 0"),
    )
    with serving(*refusals, says("left")) as server:
        assert send_to(server, max_tokens=9) == "left"
    last = server.bodies[-1]
    assert last["max_completion_tokens"] == 9
    assert not {"max_tokens", "temperature"} & set(last)
    assert last["response_format"]["type"] == "json_schema"


def test_a_request_that_is_refused_in_any_manner_fails_and_leaves_no_mark():
    with serving(fails(400, "too many pictures")) as server:
        asked = endpoint(server)
        with pytest.raises(LanguageModelFailed, match=r"refuses the request \(HTTP 400\): too many pictures"):
            asked.send(CHAT, SCHEMA, "knees")
        server.scenes = [says("left")]
        asked.send(CHAT, SCHEMA, "knees")
    assert server.bodies[-1]["response_format"]["type"] == "json_schema"


def test_a_connection_that_breaks_midway_is_tried_again():
    def broken(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(b'{"choices": [')

    waits = []
    with serving(broken, says("left")) as server:
        assert send_to(server, waits) == "left"
    assert len(waits) == 1
    with serving(broken) as server, pytest.raises(LanguageModelFailed, match="broke the connection"):
        send_to(server)


def test_a_server_that_is_down_cannot_be_reached():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    waits = []
    with pytest.raises(LanguageModelFailed, match=rf"small at {url} cannot be reached"):
        Endpoint(LanguageSettings(url, "small"), wait=waits.append).send(CHAT, SCHEMA, "knees")
    assert waits == [1.0, 2.0]


@pytest.mark.parametrize(
    ("scene", "told"),
    [
        (says("left", "length"), "stopped in the middle, after 4096 tokens"),
        (says(None), "declined to answer"),
        (lambda handler: send(handler, 200, b"<html>hello</html>"), "sent what is no chat completion"),
        (lambda handler: send(handler, 200, b'{"choices": []}'), "sent what is no chat completion"),
        (lambda handler: send(handler, 200, b"[" * 50_000), "sent what is no chat completion"),
        (lambda handler: send(handler, 200, b" " * 4_000_001), "sent more than 4000000 bytes"),
        (fails(404), "knows no such model or address"),
    ],
)
def test_what_is_no_answer_is_told(scene, told):
    with serving(scene) as server, pytest.raises(LanguageModelFailed, match=told) as caught:
        send_to(server)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"base_url": "localhost:8000"}, "base_url is 'localhost:8000'"),
        ({"base_url": "http://[/v1"}, "base_url is"),
        ({"model": ""}, "model is empty"),
        ({"timeout": float("nan")}, "timeout is nan"),
        ({"retries": -1}, "retries is -1"),
        ({"max_tokens": 0}, "max_tokens is 0"),
    ],
)
def test_settings_that_cannot_be_used_are_refused(changes, told):
    with pytest.raises(BadSetting, match=told):
        LanguageSettings(**{"base_url": "http://localhost:8000/v1", "model": "small", **changes})


@pytest.mark.parametrize("url", ["https://me:secret@far.example/v1", "https://far.example/v1?key=secret"])
def test_a_secret_in_the_address_is_refused_and_not_repeated(url):
    with pytest.raises(BadSetting) as caught:
        LanguageSettings(url, "small")
    assert "secret" not in str(caught.value)


def test_without_openai_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "openai", None)
    with pytest.raises(MissingDependency) as caught:
        Endpoint(LanguageSettings("http://localhost:1/v1", "small")).send(CHAT, SCHEMA, "knees")
    assert caught.value.hint == 'pip install "posediff[language]"'
