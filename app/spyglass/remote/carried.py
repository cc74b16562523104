"""A place whose ports are reached by a command there: slower than dialling, and often the only way."""

from __future__ import annotations

import shlex
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spyglass.errors import Denied, Failure, Lost, Unreachable
from spyglass.remote.base import Output, Piped, Relay, Remote, Stream
from spyglass.remote.carrier import CARRIERS, UNKNOWN, WIDER, Runtime, line, probe
from spyglass.remote.command_line import CommandLine
from spyglass.remote.relay import ThreadRelay

if TYPE_CHECKING:
    from spyglass.remote.engine import Facts

RELAYED = 6.0  # seconds more than by dialling: for a command in a container to start and connect
_PATIENCE = 20.0  # seconds for a session to become free and for the command to start

_PID = "{{.State.Pid}}"
# Whose process number it was may have changed, so the container's id has to stand in its control group;
# else the engine is asked for the number anew, for a container that was started again keeps its id.
_ENTERED = """\
inside() { grep -qs "$id" "/proc/$pid/cgroup"; }
id=$0 pid=$1
shift
inside || { pid=$(ENGINE </dev/null) && inside; } || { echo "It is gone" >&2; exit 1; }
PATHS; exec ENTER -t "$pid" "$@"
"""
_ENTER = (
    "nsenter -n",
    "sudo -n nsenter -n",
    "nsenter -U --preserve-credentials -n",  # a container of our own account's
)


@dataclass(frozen=True, slots=True)
class Behind:
    """A container's network, as entered from its host: by the first process of the container.

    ``asks`` is the command that prints this process's number at the host.
    """

    host: Remote
    pid: int
    container: str
    asks: tuple[str, ...] = ("false",)

    @classmethod
    def of(cls, facts: Facts, host: Remote) -> Behind:
        """Of a container whose engine has its command at the host."""
        way = facts.way
        if not isinstance(way, CommandLine):
            return cls(host, 0, facts.id)
        return cls(host, facts.pid, facts.id, tuple(way.words("inspect", "--format", _PID, facts.id)))

    def entering(self, enter: str) -> tuple[str, ...]:
        """The words before a command that is to run in the container's network."""
        script = _ENTERED.replace("ENGINE", shlex.join(self.asks)).replace("ENTER", enter)
        return "sh", "-c", script.replace("PATHS", WIDER), self.container, str(self.pid)


@dataclass(frozen=True, slots=True)
class _Tool:
    name: str
    at: Remote
    carrier: str
    before: tuple[str, ...] = ()


class CarriedStream:
    """A connection by a command. ``carrier`` names the command; ``why`` is what it said at its end."""

    def __init__(self, pipe: Piped, carrier: str) -> None:
        self.carrier = carrier
        self.recv, self.sendall, self.settimeout = pipe.recv, pipe.sendall, pipe.settimeout
        self.shutdown_write, self.close, self.why = pipe.shutdown_write, pipe.close, pipe.why
        pour: Callable[[socket.socket], None] | None = getattr(pipe, "pour", None)
        if pour is not None:
            self.pour = pour


class Carried:
    """The Remote ``place``, dialled by a command that runs there.

    Which one is found out at the first dial. ``runtime``: its node's own Erlang, if known;
    ``behind``: where to enter its network from outside when nothing inside serves.
    """

    def __init__(self, place: Remote, runtime: Runtime = UNKNOWN, behind: Behind | None = None) -> None:
        self._place, self._runtime, self._behind = place, runtime, behind
        self._lock = threading.Lock()
        self._found: _Tool | Failure | None = None

    def __repr__(self) -> str:
        return f"<Carried {self.describe()}>"

    def describe(self) -> str:
        """As the place itself."""
        return self._place.describe()

    def run(self, argv: Sequence[str], stdin: bytes | None = None, timeout: float = 20.0) -> Output:
        """Run a command there."""
        return self._place.run(argv, stdin, timeout)

    def pipe(self, argv: Sequence[str], timeout: float = 10.0) -> Piped:
        """Run a command there, with a stream to it."""
        return self._place.pipe(argv, timeout)

    def dial(self, host: str, port: int, timeout: float = 5.0) -> CarriedStream:
        """Start a command that connects to ``host:port``.

        Whether it could connect shows later: the stream is at its end at once, and ``why`` tells.
        Raises Unreachable with code ``no-carrier`` when nothing there serves, ``sessions`` when
        no more commands may run there now, and what ``run`` and ``pipe`` raise.
        """
        tool = self._tool()
        try:
            argv = line(tool.carrier, host, port, self._runtime)
        except ValueError:
            raise Unreachable(f"{host!r} is no host", "Write a name or an address.", retry=False) from None
        pipe = tool.at.pipe([*tool.before, *argv], max(timeout, _PATIENCE))
        return CarriedStream(pipe, tool.name)

    def relay(self, listener: socket.socket, host: str, port: int) -> Relay:
        """Carry what the listener accepts to ``host:port``, each connection by a command of its own."""
        return ThreadRelay(listener, lambda: self.dial(host, port), name=f"{port} in {self.describe()}")

    def close(self) -> None:
        """Nothing is held."""

    def _tool(self) -> _Tool:
        with self._lock:
            if self._found is None:
                self._found = self._look()
            if isinstance(self._found, Failure):
                raise self._found
            return self._found

    def _look(self) -> _Tool | Failure:
        try:
            return self._inside() or self._outside() or self._none()
        except Lost:
            raise
        except Denied:  # an engine's API is a place without a shell
            return self._none()
        except Failure as failure:
            return failure

    def _inside(self) -> _Tool | None:
        name = _answer(self._place.run(probe(self._runtime)))
        return _Tool(name, self._place, name) if name else None

    def _outside(self) -> _Tool | None:
        if self._behind is None or self._behind.pid <= 1:
            return None
        host = self._behind.host
        for enter in _ENTER:
            before = self._behind.entering(enter)
            if host.run([*before, "true"]).status == 0:
                name = _answer(host.run(probe()))
                return _Tool(f"nsenter, {name}", host, name, before) if name else None
        return None

    def _none(self) -> Unreachable:
        names = ", ".join(one.name for one in CARRIERS[:-2])
        return Unreachable(
            f"{self.describe()} has none of {names} and erl to connect with from inside",
            "Publish the port, or let the node listen on the container's address.",
            code="no-carrier",
            retry=False,
        )


def _answer(output: Output) -> str:
    """The carrier's name that the probe found; a talkative login shell may have spoken before."""
    said = output.stdout.decode("utf-8", "replace").split()[-1:]
    return next((one.name for one in CARRIERS if [one.name] == said), "")


def broken(stream: Stream) -> str:
    """Why a carried connection never came about, if it said so; empty for any other stream."""
    return stream.why() if isinstance(stream, CarriedStream) else ""
