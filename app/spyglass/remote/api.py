"""A container engine reached by its HTTP API at an address: Docker's, or Podman's that is like it.

Paths and bodies are those of the Docker Engine API (v1.24 and later); without a version in
the path an engine answers in its own. Each request has a connection of its own, dialled
through the Remote from which the address is seen, so an API behind a bastion works as well.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from spyglass.errors import Denied, Failure, Missing, Unreachable
from spyglass.remote.base import Output
from spyglass.remote.feed import Feed
from spyglass.remote.hijacked import Hijacked
from spyglass.remote.httpwire import Answer, Conversation
from spyglass.remote.shapes import identity, mapping, sequence

if TYPE_CHECKING:
    from spyglass.remote.base import Piped, Remote, Stream

LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_SECONDS = 10.0
_UPGRADE = {"Connection": "Upgrade", "Upgrade": "tcp", "Content-Type": "application/json"}
_MOST_OUTPUT = 32 * 1024 * 1024
_MOST_ARCHIVE = 4 * 1024 * 1024
_EVENTS = ("start", "die", "pause", "unpause", "rename", "connect", "disconnect")


class Api:
    """The API at ``where``. ``dial`` gives a connected stream, with TLS on it where that is spoken."""

    rootless = False  # who knows; its containers' own addresses are tried last

    def __init__(self, dial: Callable[[float], Stream], where: str, host: str = "") -> None:
        self._dial, self.where, self.here = dial, where, host
        self.distant = host not in LOOPBACK
        self.name = "docker"

    def __repr__(self) -> str:
        return f"<Api {self.where}>"

    def greet(self) -> str:
        """See who answers; returns its version. Raises Unreachable, Denied or a Failure."""
        told = self._object("GET", "/version")
        parts = told.get("Components")
        if any("podman" in str(part).lower() for part in sequence(parts)):
            self.name = "podman"
        version = str(told.get("Version", ""))[:40]
        return version if version.isprintable() else ""

    def ids(self) -> list[str]:
        """The ids of the running containers."""
        told = self._json("GET", "/containers/json")
        return list(filter(None, (identity(mapping(row).get("Id")) for row in sequence(told))))

    def inspect(self, name: str) -> str | None:
        """One container as JSON on one line; None when there is none of that name or id."""
        answer = self._answer("GET", f"/containers/{quote(name, safe='')}/json")
        if answer.status == 404:
            return None
        self._check(answer)
        return answer.body.decode("utf-8", "replace").replace("\n", " ").replace("\r", " ")

    def processes(self, container: str) -> list[str]:
        """The commands that run in it; the engine looks, nothing runs inside.

        Docker takes the arguments of ps(1). Podman takes those of its own ``top``, and would run
        ps inside for anything else; it tells a row as one word or several.
        """
        wanted = "pid,comm" if self.name == "podman" else "-eo pid,comm"
        path = f"/containers/{container}/top?{urlencode({'ps_args': wanted})}"
        rows = self._object("GET", path).get("Processes")
        words = [" ".join(map(str, sequence(row))).split() for row in sequence(rows)]
        return [row[-1] for row in words if row]

    def execute(
        self,
        host: Remote,
        container: str,
        argv: Sequence[str],
        stdin: bytes | None,
        user: str,
        timeout: float,
    ) -> Output:
        """Run a command in it (``POST /containers/ID/exec``, ``POST /exec/ID/start``)."""
        deadline = time.monotonic() + timeout
        with contextlib.ExitStack() as stack:
            piped, status = self._start(container, argv, user, timeout, stdin=stdin is not None)
            stack.callback(piped.close)
            try:
                if stdin is not None:
                    piped.sendall(stdin)
                    piped.shutdown_write()
                out = _read_all(piped, deadline)
            except TimeoutError:
                raise Failure(
                    f"{argv[0]} did not end within {timeout:g} seconds at {self.where}",
                    "See whether the machine is overloaded, or whether the command waits for something.",
                    retry=True,
                    code="timeout",
                ) from None
            except OSError as exc:
                raise Unreachable(f"{self.where} broke off a command: {exc}") from exc
            return Output(_status(status()), out, bytes(piped.errors))

    def attach(self, host: Remote, container: str, argv: Sequence[str], user: str, timeout: float) -> Piped:
        """Run a command in it for as long as the stream is open."""
        piped, _ = self._start(container, argv, user, timeout, stdin=True)
        piped.settimeout(None)
        return piped

    def _start(
        self, container: str, argv: Sequence[str], user: str, timeout: float, *, stdin: bool
    ) -> tuple[Hijacked, Callable[[], int | None]]:
        wish = {
            "AttachStdin": stdin,
            "AttachStdout": True,
            "AttachStderr": True,
            "Tty": False,
            "Cmd": list(argv),
            **({"User": user} if user else {}),
        }
        made = self._object("POST", f"/containers/{container}/exec", wish)
        ident = quote(str(made.get("Id", "")), safe="")
        stream = self._dial(timeout)
        try:
            talk = Conversation(stream, self.where, timeout)
            talk.ask("POST", f"/exec/{ident}/start", b'{"Detach":false,"Tty":false}', _UPGRADE)
            head = talk.head()
            if head.status not in {101, 200}:
                self._refused(Answer(head.status, head.fields, talk.body(head, 65536)))
        except BaseException:
            stream.close()
            raise

        def status() -> int | None:
            code = self._object("GET", f"/exec/{ident}/json").get("ExitCode")
            return code if isinstance(code, int) else None

        return Hijacked(stream, talk.rest(), status), status

    def _refused(self, answer: Answer) -> None:
        if "exec failed" in (said := _message(answer.body)):
            raise Failure(f"{self.where} can't run that in the container: {said}", code="no-shell")
        self._check(answer)
        raise Failure(f"{self.where} gives no stream to a command", "See the engine's log.", code="engine")

    def archive(self, host: Remote, container: str, path: str) -> bytes | None:
        """A tar archive with the file (``GET /containers/ID/archive``); None when there is none."""
        try:
            answer = self._answer(
                "GET", f"/containers/{container}/archive?{urlencode({'path': path})}", limit=_MOST_ARCHIVE
            )
        except Failure:
            return None
        return answer.body if answer.status == 200 else None

    def events(self) -> Piped:
        """What happens there (``GET /events``), one JSON object a line. Raises what :meth:`ids` does."""
        wish: dict[str, list[str]] = {"type": ["container", "network"]}
        if self.name == "docker":  # others give their events other names
            wish["event"] = list(_EVENTS)
        stream = self._dial(_SECONDS)
        try:
            talk = Conversation(stream, self.where, _SECONDS)
            talk.ask("GET", f"/events?{urlencode({'filters': json.dumps(wish)})}")
            head = talk.head()
            if head.status != 200:
                self._check(Answer(head.status, head.fields, talk.body(head, 65536)))
        except BaseException:
            stream.close()
            raise
        stream.settimeout(None)
        return Feed(stream, talk.rest(), head.fields)

    # -- requests ---------------------------------------------------------------

    def _object(self, method: str, path: str, wish: Mapping[str, Any] | None = None) -> dict[str, Any]:
        return mapping(self._json(method, path, wish))

    def _json(self, method: str, path: str, wish: Mapping[str, Any] | None = None) -> Any:
        answer = self._answer(method, path, wish)
        self._check(answer)
        try:
            return json.loads(answer.body)
        except (ValueError, RecursionError):
            raise Failure(
                f"{self.where} is no container engine's API: it does not answer in JSON",
                "See whether the address and the port are right.",
                code="not-http",
            ) from None

    def _answer(
        self, method: str, path: str, wish: Mapping[str, Any] | None = None, *, limit: int | None = None
    ) -> Answer:
        body = b"" if wish is None else json.dumps(wish).encode()
        fields = {"Content-Type": "application/json"} if body else {}
        with self._talk() as talk:
            talk.ask(method, path, body, fields)
            return talk.answer(limit) if limit else talk.answer()

    @contextlib.contextmanager
    def _talk(self) -> Iterator[Conversation]:
        stream = self._dial(_SECONDS)
        try:
            yield Conversation(stream, self.where, _SECONDS)
        finally:
            stream.close()

    def _check(self, answer: Answer) -> None:
        if 200 <= answer.status < 300:
            return
        said = _message(answer.body)
        title = f"{self.where} says: {said}" if said else f"{self.where} refuses (HTTP {answer.status})"
        if answer.status in {401, 403}:
            raise Denied(title, "See who may use the API.", code="engine-denied")
        if "client sent an http request to an https server" in said.lower():
            raise Denied(
                f"{self.where} speaks TLS only",
                "Name its certificates (`--docker-certs DIR`).",
                code="wants-tls",
            )
        if answer.status in {404, 409}:
            raise Missing(title, "See whether the container runs; refresh the list.", code="no-container")
        raise Failure(title, "See the engine's log.", code="engine")


def _message(body: bytes) -> str:
    """The engine's own words: JSON with a message, or a plain text."""
    text = body[:2000].decode("utf-8", "replace").strip()
    with contextlib.suppress(ValueError, RecursionError):
        told = json.loads(body[:20000])
        text = str(told.get("message") or told.get("cause") or "") if isinstance(told, dict) else text
    return "".join(char if char.isprintable() else " " for char in text)[:300]


def _read_all(piped: Hijacked, deadline: float) -> bytes:
    whole = bytearray()
    while len(whole) < _MOST_OUTPUT:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        piped.settimeout(left)
        piece = piped.recv(65536)
        if not piece:
            break
        whole += piece
    return bytes(whole)


def _status(code: int | None) -> int:
    return -1 if code is None else code
