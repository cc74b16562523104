"""An SSH server as a :class:`~spyglass.remote.base.Remote`."""

from __future__ import annotations

import contextlib
import functools
import shlex
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from spyglass.errors import Failure, Lost
from spyglass.questions import Ask
from spyglass.remote import auth, noes, sshconfig, trust
from spyglass.remote.base import Output, Remote, Stop, Stream
from spyglass.remote.carried import Carried
from spyglass.remote.channel import Channel
from spyglass.remote.command import Command, PipedCommand, WarmUp, request
from spyglass.remote.dialling import explain, place
from spyglass.remote.reach import reach, shake_hands
from spyglass.remote.relay import ThreadRelay
from spyglass.remote.sessions import Sessions
from spyglass.remote.transport import Refused, Transport

if TYPE_CHECKING:
    from spyglass.profile import SSHHop
    from spyglass.remote.auth import Secrets
    from spyglass.remote.sshconfig import Settings

_A_MOMENT = 0.05  # seconds until a session that was refused is asked for again
_C = TypeVar("_C", bound=Channel)


def _silent(_step: str) -> None:
    """Nobody wants to hear of the steps."""


class SSH:
    """A logged-in SSH connection. Made by :meth:`connect`; ``auth_method`` says how the login went.

    Set ``on_lost`` to hear, once, that the link died by itself: it is called in the
    connection's own thread, or at once when the link was dead already.
    """

    def __init__(self, settings: Settings, transport: Transport, auth_method: str) -> None:
        self.settings, self.auth_method = settings, auth_method
        self._transport = transport
        self._sessions = Sessions()
        self._shut: dict[tuple[str, int], Failure] = {}  # where the server does not forward to
        self._carried = Carried(self)
        self._lock = threading.Lock()
        self._closing = False
        self._lost: Lost | None = None
        self._on_lost: Callable[[Failure], None] | None = None
        transport.on_end = self._ended
        transport.keep_alive()
        self._warm_up = self._warm()

    @classmethod
    def connect(  # noqa: PLR0913 - the optional ones are named
        cls,
        hop: SSHHop,
        through: Remote,
        ask: Ask,
        stop: Stop,
        *,
        settings: Settings | None = None,
        config: Path | None = None,
        environ: Mapping[str, str] | None = None,
        secrets: Secrets | None = None,
        on_step: Callable[[str], None] = _silent,
    ) -> SSH:
        """Reach the server through the Remote before it, check its host key, log in.

        ``settings`` are resolved from ssh_config (``config``: read that file instead) unless
        given. ``stop`` ends every step at once. Raises BadInput, Unreachable, BadHostKey,
        Denied, NeedsAnswer, Cancelled.
        """
        settings = settings or sshconfig.resolve(hop, config=config, environ=environ)
        stop.check()
        on_step(f"connecting to {place(settings.hostname, settings.port)}")
        stream = reach(settings, through, stop)
        transport = Transport(stream, settings.label)
        try:
            with stop.ending(transport.cut):
                on_step("exchanging keys")
                shake_hands(transport, settings, stream)
                trust.check_host_key(settings, transport.host_key_type or "", transport.host_key_blob, ask)
                on_step(f"logging in as {settings.user}")
                method = auth.authenticate(transport, settings, ask, stop, secrets=secrets)
            return cls(settings, transport, method)
        except BaseException:
            transport.close()
            raise

    def describe(self) -> str:
        """``deploy@prod``."""
        return self.settings.label

    def __repr__(self) -> str:
        return f"<SSH {self.describe()}>"

    # what a Remote can do

    def run(self, argv: Sequence[str], stdin: bytes | None = None, timeout: float = 20.0) -> Output:
        """Run a command through the account's login shell; ``timeout`` seconds, then it is killed."""
        deadline = time.monotonic() + timeout
        channel = self._session(Command, deadline, argv[0], timeout)
        try:
            self._send_request(channel, "exec", shlex.join(argv))
            if not channel.converse(stdin or b"", deadline):
                self._send_request(channel, "signal", "KILL", reply=False)  # RFC 4254, 6.9
                raise noes.too_slow(argv[0], timeout, self.describe())
        except OSError as exc:
            raise self._gone() from exc
        finally:
            ended = channel.over
            channel.close()
            self._sessions.leave(broken_off=not ended)
        return self._outcome(channel)

    def pipe(self, argv: Sequence[str], timeout: float = 10.0) -> PipedCommand:
        """Run a command through the account's login shell, with a stream to it.

        It holds one of the few sessions that the server allows, so it has to wait for one,
        and at most ``timeout`` seconds.
        """
        deadline = time.monotonic() + timeout
        channel = self._session(PipedCommand, deadline, argv[0], timeout)
        channel.leave = functools.partial(self._sessions.leave, long=True, broken_off=True)
        try:
            self._send_request(channel, "exec", shlex.join(argv))
            channel.begun.wait(max(0.0, deadline - time.monotonic()))
        except OSError as exc:
            channel.close()
            raise self._gone() from exc
        if channel.started:
            return channel
        channel.close()
        if channel.forbidden:
            raise noes.no_commands(self.describe())
        raise noes.too_slow(argv[0], timeout, self.describe()) if self._transport.is_alive() else self._gone()

    def dial(self, host: str, port: int, timeout: float = 5.0) -> Stream:
        """Connect from the server to ``host:port``: by a direct-tcpip channel, or by a command
        where the server does not forward there.
        """
        return self.dial_until(host, port, timeout, Stop())

    def dial_until(self, host: str, port: int, timeout: float, stop: Stop) -> Stream:
        """As ``dial``, but ``stop`` ends the attempt at once (Cancelled)."""
        refusal = self._shut.get((host, port))
        if refusal:
            return self._dial_by_command(host, port, timeout, refusal)
        try:
            return self._transport.open(Channel, "direct-tcpip", (host, port), timeout, stop)
        except Refused as exc:
            refusal = noes.no_way(exc, host, port, self.describe())
            if exc.code != Refused.PROHIBITED:
                raise refusal from exc
            self._shut[host, port] = refusal
            return self._dial_by_command(host, port, timeout, refusal)
        except TimeoutError as exc:
            raise explain(exc, host, port, self.describe()) from exc
        except OSError as exc:
            raise self._gone() from exc

    def _dial_by_command(self, host: str, port: int, timeout: float, refusal: Failure) -> Stream:
        try:
            return self._carried.dial(host, port, timeout)
        except Failure as failure:
            raise (refusal if failure.code in {"no-carrier", "exec-prohibited"} else failure) from failure

    def relay(self, listener: socket.socket, host: str, port: int) -> ThreadRelay:
        """Carry what the listener accepts to ``host:port`` there."""
        stop = Stop()
        name = f"{place(host, port)} by {self.describe()}"
        return ThreadRelay(listener, lambda: self.dial_until(host, port, 10.0, stop), name=name, stop=stop)

    def close(self) -> None:
        """End the connection and everything that goes through it; may be called twice and from any thread."""
        with self._lock:
            self._closing = True
        self._transport.close()

    # the link

    @property
    def on_lost(self) -> Callable[[Failure], None] | None:
        """Who is told that the link died by itself."""
        return self._on_lost

    @on_lost.setter
    def on_lost(self, listener: Callable[[Failure], None] | None) -> None:
        with self._lock:
            self._on_lost = listener
            lost = self._lost
        if lost and listener:
            listener(lost)

    def latency(self, timeout: float = 5.0) -> float | None:
        """Seconds from a question to the server's answer, or None when none came in time."""
        answered = threading.Event()
        asked = time.monotonic()
        if not self._transport.ask(answered.set) or not answered.wait(timeout):
            return None
        return time.monotonic() - asked

    def _ended(self, reason: Exception | None) -> None:
        """The transport's thread is about to end."""
        with self._lock:
            if self._closing or self._lost:
                return
            self._lost = self._loss(reason)
            listener = self._on_lost
        if listener:
            listener(self._lost)

    def _loss(self, reason: Exception | None) -> Lost:
        silent = reason.strerror if isinstance(reason, ConnectionAbortedError) else ""
        detail = silent or "the server or something on the way closed it"
        return Lost(f"The connection to {self.describe()} is lost: {detail}", "It can be opened again.")

    def _gone(self) -> Lost:
        if self._closing:
            return Lost(f"The connection to {self.describe()} is closed", "Open it again.")
        return self._lost or self._loss(None)  # a channel may hear of the end before the link does

    # sessions

    def _session(self, kind: type[_C], deadline: float, command: str, timeout: float) -> _C:
        """A session channel, when one of the few that a server allows is free."""
        long = kind is PipedCommand
        while True:
            if not self._sessions.enter(deadline, long=long):
                raise (
                    noes.no_session(self.describe(), self._sessions.lasting)
                    if long
                    else noes.too_slow(command, timeout, self.describe())
                )
            try:
                return self._transport.open(kind, "session", None, deadline - time.monotonic(), Stop())
            except Refused as exc:
                if not self._sessions.refused(long=long):
                    raise noes.no_commands(self.describe(), exc.words) from exc
                time.sleep(_A_MOMENT)
            except TimeoutError as exc:
                self._sessions.leave(long=long)
                raise noes.too_slow(command, timeout, self.describe()) from exc
            except OSError as exc:
                self._sessions.leave(long=long)
                raise self._gone() from exc

    def _send_request(self, channel: Channel, kind: str, value: str, *, reply: bool = True) -> None:
        request(self._transport, channel, kind, value, reply=reply)

    def _outcome(self, channel: Command) -> Output:
        if channel.forbidden:
            raise noes.no_commands(self.describe())
        if not channel.started or not (channel.eof_received or channel.exit_status >= 0):
            raise self._gone()
        return Output(channel.exit_status, b"".join(channel.out), b"".join(channel.err))

    def _warm(self) -> Channel | None:
        """Run ``true`` and do not wait for it.

        sshd switches Nagle's algorithm off only when a session runs something; without that
        each small answer may come 40 ms late.
        """
        if not self._sessions.enter(0):
            return None
        with contextlib.suppress(OSError):
            channel = self._transport.begin(WarmUp, "session")
            channel.leave = functools.partial(self._sessions.leave, broken_off=True)
            return channel
        self._sessions.leave()
        return None
