"""A language model, asked for JSON of a certain shape; what it answered once is not asked again."""

from __future__ import annotations

import base64
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from posediff.differencing.helpers.endpoint import Endpoint, LanguageModelFailed, LanguageSettings, Message
from posediff.differencing.helpers.recorded import Recorded, request_key, without_pictures
from posediff.differencing.helpers.schema import mismatch, parsed
from posediff.errors import CannotWrite

__all__ = ["LanguageModel", "LanguageModelFailed", "LanguageSettings", "said"]

_LOGGER = logging.getLogger(__name__)

#: The settings that an answer depends on; where the endpoint is and how patiently it is asked is not among them.
DECISIVE = ("model", "temperature", "seed", "max_tokens")


class LanguageModel:
    """Asks an endpoint, checks the answers, and keeps them.

    Args:
        settings: which model.
        recorded: where answers are kept; by default in posediff's cache.
        replay: answer from what is recorded alone; nothing is sent.
        endpoint: what sends the questions; by default made from the settings.
    """

    def __init__(
        self,
        settings: LanguageSettings,
        recorded: Recorded | None = None,
        *,
        replay: bool = False,
        endpoint: Endpoint | None = None,
    ) -> None:
        self.settings, self.recorded, self.replay = settings, recorded or Recorded(), replay
        self.endpoint = endpoint or Endpoint(settings)

    @property
    def provenance(self) -> dict[str, Any]:
        """What a result says about the model that it used."""
        return {"base_url": self.settings.base_url} | {name: getattr(self.settings, name) for name in DECISIVE}

    def ask(self, messages: Sequence[Message], schema: Mapping[str, Any], name: str) -> Any:
        """The model's answer as a JSON value that fits a schema.

        Whatever the endpoint promises about schemas, the answer is checked here. One that does not fit is asked for
        once more, with what is wrong with it.

        Args:
            messages: of the chat, as :func:`said` makes them.
            schema: of an object; see :func:`posediff.differencing.helpers.schema.mismatch` for what it may hold.
            name: of the schema, in letters, digits and underscores.

        Raises:
            LanguageModelFailed: if no answer comes that fits, for whatever reason; the caller can go on without.
            BadData: if the file of recorded answers cannot be read.
            MissingDependency: if openai is not installed.
        """
        settings = {option: getattr(self.settings, option) for option in DECISIVE}
        request = without_pictures({**settings, "messages": list(messages), "name": name, "schema": schema})
        key = request_key(request)
        reply = self.recorded.find(key)
        if reply is not None and not mismatch(reply, schema):
            return reply
        if self.replay:
            raise LanguageModelFailed(
                f"{self.recorded.path} holds no answer of {self.settings.model} to this question ({name})",
                "ask the endpoint once, with the same files and settings",
            )
        reply = self._fitting(messages, schema, name)
        try:
            self.recorded.add(key, request, reply)
        except CannotWrite as error:
            _LOGGER.warning("the language model's answer is not kept: %s", error)
        return reply

    def _fitting(self, messages: Sequence[Message], schema: Mapping[str, Any], name: str) -> Any:
        """An answer that fits; the second try is told what was wrong, since the same words would bring the same."""
        fault = ""
        for _ in range(2):
            text = self.endpoint.send(messages, schema, name)
            try:
                reply = parsed(text)
                fault = mismatch(reply, schema)
            except ValueError as error:
                fault = f"the answer is no JSON ({error})"
            if not fault:
                return reply
            again = f"That cannot be used: {fault}. Answer again, with the JSON object alone."
            messages = [*messages, {"role": "assistant", "content": text}, said("user", again)]
        raise self.endpoint.failed(f"answered what was not asked for: {fault}", "try another model")


def said(role: str, *parts: str | bytes) -> Message:
    """A message of a chat.

    Args:
        role: ``system`` or ``user``.
        parts: texts, and JPEG pictures as bytes.
    """
    if all(isinstance(part, str) for part in parts):
        return {"role": role, "content": "\n".join(part for part in parts if isinstance(part, str))}
    return {"role": role, "content": [_part(part) for part in parts]}


def _part(part: str | bytes) -> dict[str, Any]:
    if isinstance(part, str):
        return {"type": "text", "text": part}
    url = f"data:image/jpeg;base64,{base64.b64encode(part).decode()}"
    return {"type": "image_url", "image_url": {"url": url}}
