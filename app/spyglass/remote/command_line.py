"""An engine reached by its command line, on the host where its daemon and its containers are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from spyglass.remote.base import Output, Piped, Remote

ENGINES = ("docker", "podman", "nerdctl")
SUDO = ("sudo", "-n")
_SOCKET = "DOCKER_HOST=unix://"
# An SSH command gets a short PATH; the engine may lie where a login shell would look.
_WIDER = 'PATH="$PATH:/usr/local/bin:/usr/bin:/bin:/snap/bin"; export PATH; exec "$0" "$@"'


class Engine(Protocol):
    """How one talks to an engine: by its command, or by its API.

    ``rootless``: its containers' networks lie in a namespace of their own, so that the host
    reaches published ports only. ``distant``: we are not at its host, so that addresses of its
    containers may mean others to us. ``here``: where ports lie that it publishes at all addresses.
    """

    @property
    def name(self) -> str:
        """``docker``, ``podman`` or ``nerdctl``."""

    @property
    def rootless(self) -> bool:
        """Whether the host cannot reach the containers' own addresses."""

    @property
    def distant(self) -> bool:
        """Whether the containers' own addresses may mean something else to us."""

    @property
    def here(self) -> str:
        """The host's address, as one dials it at the place."""

    def execute(
        self,
        host: Remote,
        container: str,
        argv: Sequence[str],
        stdin: bytes | None,
        user: str,
        timeout: float,
    ) -> Output:
        """Run a command in it as ``user`` (empty: its default). Raises what ``Remote.run`` does."""

    def attach(self, host: Remote, container: str, argv: Sequence[str], user: str, timeout: float) -> Piped:
        """Run a command in it for as long as the stream is open. Raises what ``Remote.pipe`` does."""

    def archive(self, host: Remote, container: str, path: str) -> bytes | None:
        """A tar archive with the file in it; None when there is none to be had."""


@dataclass(frozen=True, slots=True)
class CommandLine:
    """An engine's command. ``prefix``: the words before it, ``sudo -n`` or ``env DOCKER_HOST=…``."""

    name: str = "docker"
    prefix: tuple[str, ...] = ()
    rootless: bool = False

    @property
    def distant(self) -> bool:
        """Never: the command runs at its host."""
        return False

    @property
    def here(self) -> str:
        """The host's loopback."""
        return "127.0.0.1"

    @classmethod
    def read(cls, text: str) -> CommandLine | None:
        """``NAME rootful|rootless [PREFIX …]`` as the survey writes it; None for anything else."""
        name, kind, *prefix = text.split() if len(text.split()) > 1 else ("", "")
        usual = not prefix or tuple(prefix) == SUDO or (prefix[0] == "env" and _is_socket(prefix[1:]))
        if name not in ENGINES or kind not in {"rootful", "rootless"} or not usual:
            return None
        return cls(name, tuple(prefix), kind == "rootless")

    @classmethod
    def at(cls, socket: str, *, rootless: bool) -> CommandLine:
        """Docker's command for the daemon at a Unix socket."""
        return cls("docker", ("env", f"{_SOCKET}{socket}"), rootless)

    def words(self, *words: str) -> list[str]:
        """The command line that runs an engine's command on its host."""
        return ["sh", "-c", _WIDER, *self.prefix, self.name, *words]

    def execute(
        self,
        host: Remote,
        container: str,
        argv: Sequence[str],
        stdin: bytes | None,
        user: str,
        timeout: float,
    ) -> Output:
        """``docker exec``."""
        options = ["-i"] * (stdin is not None) + ["-u", user] * bool(user)
        return host.run(self.words("exec", *options, container, *argv), stdin, timeout)

    def attach(self, host: Remote, container: str, argv: Sequence[str], user: str, timeout: float) -> Piped:
        """``docker exec -i``."""
        options = ["-i", *(["-u", user] * bool(user))]
        return host.pipe(self.words("exec", *options, container, *argv), timeout)

    def archive(self, host: Remote, container: str, path: str) -> bytes | None:
        """``docker cp``: nothing runs in the container."""
        output = host.run(self.words("cp", f"{container}:{path}", "-"))
        return None if output.status else output.stdout


def _is_socket(words: Sequence[str]) -> bool:
    return len(words) == 1 and words[0].startswith(f"{_SOCKET}/")
