"""A place with containers and no shell outside them: an engine's API, a Kubernetes cluster."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NoReturn, Protocol

from spyglass.errors import Denied
from spyglass.remote.command_line import Engine

if TYPE_CHECKING:
    from spyglass.remote.base import Output, Piped, Relay, Remote, Stream

_AT_ONCE = 8


class Told(Engine, Protocol):
    """An engine that tells of its containers from afar."""

    def ids(self) -> list[str]:
        """The ids of the running containers."""

    def inspect(self, name: str, /) -> str | None:
        """One container as JSON on one line; None when there is none of that name or id."""

    def events(self) -> Piped | None:
        """What happens there, one JSON object a line; None when it does not tell by itself."""

    def processes(self, container: str, /) -> list[str] | None:
        """The commands that run in it; None when that is not told. Raises a Failure when it can't be."""


class Shellless:
    """Such a place, seen from ``inner``. Closing it leaves ``inner`` open."""

    def __init__(self, inner: Remote, label: str, host: str, engine: Told) -> None:
        """``host`` is what the place calls itself, ``label`` what people call it."""
        self.inner, self.label, self.host, self.engine = inner, label, host, engine

    def describe(self) -> str:
        """``tcp://10.0.0.5:4243``, ``kubernetes:web``."""
        return self.label

    def run(self, argv: Sequence[str], stdin: bytes | None = None, timeout: float = 20.0) -> Output:
        """No command runs there outside a container: Denied."""
        self._no_shell()

    def pipe(self, argv: Sequence[str], timeout: float = 10.0) -> Piped:
        """No command runs there outside a container: Denied."""
        self._no_shell()

    def _no_shell(self) -> NoReturn:
        raise Denied(
            f"{self.describe()} runs commands in containers only",
            "Reach the host by SSH for what is not in a container.",
            code="no-shell",
        )

    def containers(self) -> list[str]:
        """Every running container as the engine inspects it, one JSON object each."""
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="inspect") as pool:
            return [told for told in pool.map(self.engine.inspect, self.engine.ids()) if told]

    def dial(self, host: str, port: int, timeout: float = 5.0) -> Stream:
        """Connect to ``host:port``: each kind of place has its own way."""
        raise NotImplementedError

    def relay(self, listener: socket.socket, host: str, port: int) -> Relay:
        """Carry every connection that the listener accepts to ``host:port``."""
        raise NotImplementedError

    def close(self) -> None:
        """Nothing is held."""
