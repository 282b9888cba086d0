"""An OpenAI-compatible endpoint: what is sent there, what may come back, and what else can happen."""

from __future__ import annotations

import json
import math
import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from posediff.errors import BadSetting, MissingDependency, PosediffError

#: Environment variables that an API key is taken from, the first that is set.
KEYS = ("POSEDIFF_LLM_API_KEY", "OPENAI_API_KEY")
#: Largest answer that is read, in bytes.
LARGEST = 4_000_000
#: Longest time that a server may ask to be left alone for, in seconds.
LONGEST_WAIT = 60.0

_HERE = ("localhost", "127.0.0.1", "::1")
_REFUSED = (400, 422)
_AGAIN = (408, 409, 429)
#: Options that some endpoints refuse, and what they want in their place.
_OPTIONS = {"max_tokens": "max_completion_tokens", "temperature": "", "seed": ""}

Message = Mapping[str, Any]


class LanguageModelFailed(PosediffError):
    """A language model that did not answer, or not what it was asked for (exit code 1)."""


@dataclass(frozen=True)
class LanguageSettings:
    """Which language model is asked, and how.

    Attributes:
        base_url: of the endpoint, such as ``http://localhost:8000/v1``.
        model: its name there.
        timeout: seconds within which the whole answer has to come.
        retries: how often an endpoint that is down, slow or busy is asked again.
        backoff: seconds before the first retry, doubled for each further one.
        temperature: 0 for the likeliest answer.
        seed: of what is random; servers may pass over it.
        max_tokens: longest answer.
    """

    base_url: str
    model: str
    timeout: float = 120.0
    retries: int = 2
    backoff: float = 1.0
    temperature: float = 0.0
    seed: int = 0
    max_tokens: int = 4096

    def __post_init__(self) -> None:
        try:
            parts = urlsplit(self.base_url)
            usable = parts.scheme in ("http", "https") and bool(parts.hostname)
            secret = parts.username is not None or bool(parts.query)
        except ValueError:
            usable = secret = False
        if secret:  # which messages would repeat
            raise BadSetting("base_url holds a name, a password or a query", f"put the key into {KEYS[0]}")
        if not usable:
            raise BadSetting(f"base_url is {self.base_url!r}", "give an address such as http://localhost:8000/v1")
        if not self.model:
            raise BadSetting("model is empty", "give the name that the endpoint knows it by")
        for name, least in (("timeout", 1e-3), ("retries", 0), ("backoff", 0), ("temperature", 0), ("max_tokens", 1)):
            value = getattr(self, name)
            if not least <= value < math.inf:
                raise BadSetting(f"{name} is {value}", f"give {least:g} or more")


@dataclass(frozen=True)
class _Manner:
    """How an endpoint wants to be asked: what it calls the options that it refused, and whether it takes schemas."""

    renamed: Mapping[str, str] = field(default_factory=dict)
    schema: bool = True


class Endpoint:
    """Sends a chat and returns the text that comes back, within the time that is given.

    Args:
        settings: where to, and how.
        wait: sleeps for some seconds.
        clock: seconds that only ever grow.
    """

    def __init__(
        self,
        settings: LanguageSettings,
        *,
        wait: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.settings, self._wait, self._clock = settings, wait, clock
        self._manner = _Manner()

    def send(self, messages: Sequence[Message], schema: Mapping[str, Any], name: str) -> str:
        """The text of the answer to a chat.

        An endpoint that refuses an option is asked without it, one that refuses the schema is sent it in words; it is
        asked in that way from then on.

        Args:
            messages: of the chat.
            schema: of the answer.
            name: of the schema.

        Raises:
            LanguageModelFailed: if none comes.
            MissingDependency: if openai is not installed.
        """
        manner = self._manner
        while True:
            try:
                text = self._tried(self._body(messages, schema, name, manner))
            except _Refused as refused:
                option = refused.option
                if option and option not in manner.renamed:
                    manner = replace(manner, renamed={**manner.renamed, option: _OPTIONS[option]})
                elif manner.schema:
                    manner = replace(manner, schema=False)
                else:
                    raise self.failed(f"refuses the request{refused}", "see what it supports") from None
            else:
                self._manner = manner
                return text

    def failed(self, what: str, hint: str) -> LanguageModelFailed:
        """The failure that something is, to be raised."""
        return LanguageModelFailed(f"the language model {self.settings.model} at {self.settings.base_url} {what}", hint)

    def _body(
        self, messages: Sequence[Message], schema: Mapping[str, Any], name: str, manner: _Manner
    ) -> dict[str, Any]:
        options = {manner.renamed.get(option, option): getattr(self.settings, option) for option in _OPTIONS}
        options.pop("", None)
        form: dict[str, Any] = {"type": "json_object"}
        if manner.schema:
            form = {"type": "json_schema", "json_schema": {"name": name, "strict": True, "schema": schema}}
        else:
            words = f"Answer with one JSON object that fits this JSON Schema, and nothing else:\n{json.dumps(schema)}"
            messages = [{"role": "system", "content": words}, *messages]
        return {"model": self.settings.model, "messages": list(messages), "response_format": form, **options}

    def _tried(self, body: Mapping[str, Any]) -> str:
        """The text of the answer to one request, sent again where that may help."""
        attempt = 0
        while True:
            try:
                return self._sent(body)
            except _Passing as fault:
                if attempt >= self.settings.retries:
                    raise self.failed(str(fault), fault.hint) from None
                self._wait(max(self.settings.backoff * 2**attempt, fault.seconds))
                attempt += 1

    def _sent(self, body: Mapping[str, Any]) -> str:
        """Send a request once.

        The body is read piece by piece, since the client's own time limit is for a piece: an endpoint that sends a byte
        now and then would never be late.
        """
        client, openai = self._client, _openai()
        deadline = self._clock() + self.settings.timeout
        data = bytearray()
        try:
            with client.chat.completions.with_streaming_response.create(**body) as response:
                for piece in response.iter_bytes():
                    data += piece
                    if self._clock() > deadline:
                        raise _Passing(f"did not answer within {self.settings.timeout:g} s", _SLOW)
                    if len(data) > LARGEST:
                        raise self.failed(f"sent more than {LARGEST} bytes", "check the address")
        except PosediffError:
            raise
        except openai.APIStatusError as error:
            raise self._refusal(error) from None
        except Exception as error:  # of the transport's library, which differs between versions of openai
            if "Timeout" in type(error).__name__:
                raise _Passing(f"did not answer within {self.settings.timeout:g} s", _SLOW) from None
            if isinstance(error, openai.APIConnectionError) and "ConnectError" in type(error.__cause__).__name__:
                raise _Passing("cannot be reached", "check the address, and that the server runs") from None
            raise _Passing(f"broke the connection ({type(error).__name__})", "look into the server's log") from None
        return self._content(bytes(data))

    def _content(self, data: bytes) -> str:
        """The text in an answer."""
        try:
            choice = json.loads(data)["choices"][0]
            text, ending = choice["message"]["content"], choice.get("finish_reason")
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            raise self.failed("sent what is no chat completion", "check the address: it often ends in /v1") from None
        if ending == "length":
            limit = self.settings.max_tokens
            raise self.failed(f"stopped in the middle, after {limit} tokens", "set a larger max_tokens")
        if not isinstance(text, str):
            raise self.failed("declined to answer", "ask another model")
        return text

    def _refusal(self, error: Any) -> PosediffError:
        """What an HTTP status means; ``error`` is openai's."""
        status = int(error.status_code)
        detail = self._detail(error)
        if status in _REFUSED:
            named = re.search("|".join(_OPTIONS), str(error.param or detail))
            return _Refused(f" (HTTP {status}){detail}", named[0] if named else "")
        if status in (401, 403):
            return self.failed(f"wants another API key (HTTP {status})", f"set {KEYS[0]}; over http none is sent afar")
        if status == 404:
            return self.failed("knows no such model or address (HTTP 404)", "check both; many addresses end in /v1")
        what = f"answered HTTP {status}{detail}"
        if status in _AGAIN or status >= 500:
            return _Passing(what, "it is busy or broken: try again later", _seconds(error.response.headers))
        return self.failed(what, "look into the server's log")

    def _detail(self, error: Any) -> str:
        """The server's own words, on one line, without the key."""
        body = error.body if isinstance(error.body, Mapping) else {}
        words = " ".join(str(body.get("message") or "").split())
        words = words.replace(self._key, "***") if self._key else words
        return f": {words[:200]}" if words else ""

    @property
    def _key(self) -> str:
        """The API key, unless it would travel for everybody to read."""
        parts = urlsplit(self.settings.base_url)
        if parts.scheme != "https" and parts.hostname not in _HERE:
            return ""
        return next((key for name in KEYS if (key := os.environ.get(name, "").strip())), "")

    @cached_property
    def _client(self) -> Any:
        return _openai().OpenAI(
            base_url=self.settings.base_url,
            api_key=self._key or "none",  # the client wants one; servers without keys pass over it
            timeout=self.settings.timeout,
            max_retries=0,
        )


_SLOW = "allow more time, or ask a smaller model"


class _Passing(PosediffError):
    """A failure that another try may not meet, and the seconds that the server wants to be left alone for."""

    def __init__(self, message: str, hint: str, seconds: float = 0.0) -> None:
        super().__init__(message, hint)
        self.seconds = seconds


class _Refused(PosediffError):
    """A request that the endpoint does not like, and the option that it names."""

    def __init__(self, message: str, option: str) -> None:
        super().__init__(message)
        self.option = option


def _openai() -> Any:
    try:
        import openai
    except ImportError:
        raise MissingDependency("openai", "language", "asking a language model") from None
    return openai


def _seconds(headers: Mapping[str, str]) -> float:
    """How long a busy server wants to be left alone, as far as it says so in seconds."""
    text = headers.get("retry-after", "")
    return min(float(text), LONGEST_WAIT) if text.isdecimal() else 0.0
