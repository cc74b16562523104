"""An engine's API that exists only here: answers by path, behind a FakeRemote's port."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from support.fake_remote import FakeRemote, Player

HOST, PORT = "10.0.0.5", 4243
URL = f"tcp://{HOST}:{PORT}"


class FakeApi:
    """``answers`` by method and path: a JSON value, bytes as they are, or (status, value)."""

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self.answers = {"GET /version": {"Version": "20.10.24"}, **answers}
        self.asked: list[str] = []

    def remote(self, others: Mapping[tuple[str, int], Any] | None = None) -> FakeRemote:
        """A Remote from which the API can be dialled, and nothing can be run."""
        return FakeRemote({(HOST, PORT): lambda: _Player(self), **(others or {})}, _no_command)

    def answer(self, request: bytes) -> bytes:
        """What comes back for one request."""
        line = request.partition(b"\r\n")[0].decode().removesuffix(" HTTP/1.1")
        self.asked.append(line)
        found = self.answers.get(line.partition("?")[0], (404, {"message": "no such thing"}))
        if isinstance(found, bytes):
            return found
        status, value = found if isinstance(found, tuple) else (200, found)
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        return f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body

    def hears_input(self, data: bytes) -> bytes | None:
        """What a command that runs writes at this input."""
        return None


class _Player(Player):
    def __init__(self, api: FakeApi) -> None:
        super().__init__()
        self._api, self._heard = api, False

    def hear(self, data: bytes) -> None:
        if self._heard:
            self.says += self._api.hears_input(data) or b""
        else:
            self._heard = self.over = True
            self.says = self._api.answer(data)


def _no_command(argv: object, stdin: object) -> Any:
    raise AssertionError(f"ran {argv}")
