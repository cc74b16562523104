"""A running container as a :class:`~spyglass.remote.base.Remote`, inside any other Remote.

Commands run by the engine's ``exec``. Its ports are dialled at its own addresses, which the
engine's host reaches; where that fails (rootless engines, engines in a virtual machine), at
the ports that the host publishes for it.
"""

from __future__ import annotations

import io
import socket
import tarfile
from collections.abc import Iterator, Sequence

from spyglass import asset
from spyglass.errors import Denied, Failure, Missing, Unreachable
from spyglass.remote.base import Output, Piped, Relay, Remote, Stream
from spyglass.remote.command_line import ENGINES, SUDO, CommandLine, Engine
from spyglass.remote.engine import Facts, Network, Published, read_inspect
from spyglass.remote.relay import ThreadRelay
from spyglass.remote.shellless import Shellless

__all__ = [
    "ENGINES",
    "CommandLine",
    "Container",
    "Engine",
    "Facts",
    "Network",
    "Published",
    "Shellless",
    "command",
    "find",
    "read_inspect",
    "refusal",
]

_NOT_FOUND = 127
_LOOPBACK = {"localhost", "127.0.0.1", "::1", ""}
_IN_USE = """\
[ "$(id -u)" != 0 ] || echo root
{ podman_own && echo own; podman_roots && echo roots; } 2>/dev/null
"""
_GONE = ("no such container", "is not running", "no such object", "no container with name or id", "is paused")


def command(engine: str | CommandLine, *words: str) -> list[str]:
    """The command line that runs an engine's command on its host."""
    return (CommandLine(engine) if isinstance(engine, str) else engine).words(*words)


class Container:
    """One container of an engine that runs at ``inner``. Closing it leaves ``inner`` open.

    ``user`` is who commands run as inside: a name or number; empty for the container's default.
    """

    def __init__(self, inner: Remote, facts: Facts, *, user: str = "") -> None:
        self.inner, self.facts, self.user = inner, facts, user
        self._proved: dict[int, tuple[str, int]] = {}

    def __repr__(self) -> str:
        return f"<Container {self.facts.name} at {self.inner.describe()}>"

    def describe(self) -> str:
        """``container web``."""
        return f"container {self.facts.name}"

    def run(self, argv: Sequence[str], stdin: bytes | None = None, timeout: float = 20.0) -> Output:
        """Run a command inside. Raises Unreachable when the container is gone, Denied by the engine."""
        way = self.facts.way
        output = way.execute(self.inner, self.facts.id, argv, stdin, self.user, timeout)
        if output.status in {1, 125, 126, 127, 255}:
            self._complain(output.stderr.decode("utf-8", "replace"))
        return output

    def pipe(self, argv: Sequence[str], timeout: float = 10.0) -> Piped:
        """Run a command inside, with a stream to it. The engine's complaints are in ``why`` at its end."""
        return self.facts.way.attach(self.inner, self.facts.id, argv, self.user, timeout)

    def read(self, path: str, limit: int = 65536) -> bytes | None:
        """A small file from inside, without running anything there; None when there is none to be had."""
        packed = self.facts.way.archive(self.inner, self.facts.id, path)
        if packed is None:
            return None
        try:
            with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
                file = next((archive.extractfile(m) for m in archive if m.isreg()), None)
                return file.read(limit) if file else None
        except (tarfile.TarError, OSError, EOFError):
            return None

    def _complain(self, text: str) -> None:
        lowered = text.lower()
        if "daemon" not in lowered and not lowered.startswith(
            ("error: no", "error: can only", "no such container", "sudo:")
        ):
            return
        if failure := refusal(self.facts.engine, text, self.inner.describe()):
            raise failure
        if any(word in lowered for word in _GONE):
            raise Unreachable(
                f"The container {self.facts.name} is gone", "See whether it runs; refresh the list."
            )

    def dial(self, host: str, port: int, timeout: float = 5.0) -> Stream:
        """Connect to ``host:port`` as seen from inside; ``host`` is mostly the container itself."""
        if host not in self._own():
            return self.inner.dial(host, port, timeout)
        reasons = []
        for place in self._ways(port):
            try:
                stream = self.inner.dial(*place, timeout)
            except Unreachable as failure:
                reasons.append(failure.title)
            else:
                self._proved[port] = place
                return stream
        why = "; ".join(reasons) or "it has no address"
        raise Unreachable(
            f"Port {port} of the container {self.facts.name} does not answer: {why}",
            "It may listen on the container's loopback only, or its network be out of the host's reach: "
            "publish the port.",
        )

    def _own(self) -> set[str]:
        facts = self.facts
        aliases = (alias for network in facts.networks for alias in network.aliases)
        return {*_LOOPBACK, facts.hostname, facts.name, *facts.addresses, *aliases}

    def _ways(self, port: int) -> Iterator[tuple[str, int]]:
        if port in self._proved:
            yield self._proved[port]
        if self.facts.shares_host:
            yield "127.0.0.1", port
        direct = [(address, port) for address in self.facts.near]
        published = [(p.host, p.host_port) for p in self.facts.published if p.port == port]
        yield from (*published, *direct) if self.facts.way.distant else (*direct, *published)

    def relay(self, listener: socket.socket, host: str, port: int) -> Relay:
        """Carry what the listener accepts to ``host:port``, by the inner Remote's way if that is known."""
        if host not in self._own():
            return self.inner.relay(listener, host, port)
        ways = list(self._ways(port))
        if port in self._proved or len(ways) == 1:
            return self.inner.relay(listener, *ways[0])
        return ThreadRelay(listener, lambda: self.dial(host, port), name=self.describe())

    def close(self) -> None:
        """Nothing to give back."""


def find(remote: Remote, name: str, engine: str = "auto") -> Container:
    """The running container of this name or id at ``remote``.

    ``engine``: ``auto`` asks each that is there. Raises Missing (and names what is there),
    or Denied when an engine does not let us ask.
    """
    if not name or name.startswith("-"):
        raise Missing(f"{name!r} is not a container's name", "See `docker ps`.")
    if isinstance(remote, Shellless):
        return _at_api(remote, name)
    refused: Failure | None = None
    there: list[str] = []
    for each in ENGINES if engine == "auto" else (engine,):
        for way in _ways(remote, each):
            output = remote.run(way.words("inspect", "--type", "container", "--format", "{{json .}}", name))
            found, _ = read_inspect(way, output.stdout.decode("utf-8", "replace").splitlines())
            if found and found[0].pid:
                return Container(remote, found[0])
            said = output.stderr.decode("utf-8", "replace")
            refused = refused or refusal(each, said, remote.describe())
            if output.status == _NOT_FOUND:
                break
            there += _running(remote, way)
    if refused and not there:
        raise refused
    raise _missing(remote, name, there)


def _at_api(host: Shellless, name: str) -> Container:
    told = host.engine.inspect(name)
    found, _ = read_inspect(host.engine, [told] if told else [])
    if found and found[0].pid:
        return Container(host, found[0])
    there, _ = read_inspect(host.engine, host.containers())
    raise _missing(host, name, [facts.name for facts in there])


def _ways(remote: Remote, engine: str) -> Iterator[CommandLine]:
    """How the account may reach an engine: the likeliest first, the others where that finds nothing."""
    if engine == "podman":
        yield from _podmen(remote)
        return
    yield CommandLine(engine)
    uid = remote.run(["id", "-u"]).stdout.strip().decode("ascii", "replace")
    if not uid.isdecimal() or uid == "0":
        return
    if engine == "docker":
        yield CommandLine.at(f"/run/user/{uid}/docker.sock", rootless=True)
    yield CommandLine(engine, SUDO)


def _podmen(remote: Remote) -> Iterator[CommandLine]:
    """The account's own and root's, where asking leaves nothing behind (``podman.sh`` tells why)."""
    script = asset("discovery/podman.sh").read_text("utf-8")
    said = remote.run(["sh", "-c", f"{script}\n{_IN_USE}"]).stdout.decode("ascii", "replace").split()
    if "root" in said:  # we are
        yield from [CommandLine("podman")] * ("roots" in said)
        return
    yield from [CommandLine("podman", rootless=True)] * ("own" in said)
    yield from [CommandLine("podman", SUDO)] * ("roots" in said)


def _running(remote: Remote, way: CommandLine) -> list[str]:
    output = remote.run(way.words("ps", "--format", "{{.Names}}"))
    return output.stdout.decode("utf-8", "replace").split() if output.status == 0 else []


def _missing(remote: Remote, name: str, there: list[str]) -> Missing:
    known = ", ".join(sorted(there)[:12]) + (" …" if len(there) > 12 else "")
    hint = (
        f"Running there: {known}."
        if there
        else "No container engine with running containers was found there."
    )
    return Missing(f"{remote.describe()} runs no container {name}", hint, code="no-container")


def refusal(engine: str, text: str, where: str) -> Failure | None:
    """What an engine's words on standard error mean, when they mean that it does not let us in."""
    lowered = text.lower()
    title = engine.capitalize()
    if "permission denied" in lowered:
        return Denied(
            f"{title} on {where}: permission denied",
            f"Add the account to the group {engine} (`sudo usermod -aG {engine} USER`, then log in anew).",
            code="engine-denied",
        )
    if lowered.startswith("sudo:"):
        return Denied(
            f"{title} on {where} may not be used by sudo any more",
            "See `sudo -l` there.",
            code="engine-denied",
        )
    if "cannot connect to the docker daemon" in lowered or "is the docker daemon running" in lowered:
        return Unreachable(f"{title} on {where} does not run", "Start it: `sudo systemctl start docker`.")
    return None
