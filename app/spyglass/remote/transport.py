"""An SSH connection as the rest of the package uses it: channels on a hardened line, and signs of life."""

from __future__ import annotations

import contextlib
import errno
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from paramiko.common import (
    DEFAULT_WINDOW_SIZE,
    MSG_CHANNEL_OPEN_FAILURE,
    cMSG_CHANNEL_OPEN,
    cMSG_GLOBAL_REQUEST,
)
from paramiko.message import Message
from paramiko.ssh_exception import SSHException

from spyglass.errors import Cancelled
from spyglass.remote.channel import Channel
from spyglass.remote.line import Line

if TYPE_CHECKING:
    from spyglass.remote.base import Stop, Stream

KEEPALIVE = 3.0  # seconds of silence before the server is asked for a sign of life; three in a row end it
_FAR = 0.010  # seconds of round trip above which a larger window pays
_FAR_WINDOW = 8 << 20
_C = TypeVar("_C", bound=Channel)


class Transport(Line):
    """Opens channels, each with its own answer, and watches whether the server still answers at all."""

    def __init__(self, stream: Stream, name: str = "") -> None:
        self._abandoned: dict[int, Channel] = {}
        self._answers: deque[Callable[[], None]] = deque()
        self.round_trip: float | None = None  # seconds, of the newest probe
        super().__init__(stream, name)
        self._handler_table[MSG_CHANNEL_OPEN_FAILURE] = self._parse_channel_open_failure

    def keep_alive(self) -> None:
        """From now on (logged in) watch the line: lost after three silences of :data:`KEEPALIVE` seconds."""
        self.wire.interval(KEEPALIVE)
        self.wire.watch(self._probe)

    def _wake(self) -> None:
        super()._wake()
        self._abandoned.clear()
        while self._answers:
            self._answers.popleft()()

    # channels

    def begin(self, channel_class: type[_C], kind: str, address: tuple[str, int] | None = None) -> _C:
        """Ask for a channel; returns at once. See :meth:`open`."""
        with self.lock:
            number = self._next_channel()  # type: ignore[attr-defined]
            channel = channel_class(number)
            channel._set_transport(self)  # type: ignore[attr-defined]
            channel._set_window(self.default_window_size, self.default_max_packet_size)  # type: ignore[attr-defined]
            self._channels.put(number, channel)
            self.channels_seen[number] = True
        m = Message()
        m.add_byte(cMSG_CHANNEL_OPEN)
        m.add_string(kind)
        m.add_int(number)
        m.add_int(self.default_window_size)
        m.add_int(self.default_max_packet_size)
        if address:  # RFC 4254, 7.2: where to, and where it comes from
            for host, port in (address, ("127.0.0.1", 0)):
                m.add_string(host)
                m.add_int(port)
        self._send_user_message(m)
        return channel

    def open(
        self, channel_class: type[_C], kind: str, address: tuple[str, int] | None, timeout: float, stop: Stop
    ) -> _C:
        """Open a channel within ``timeout`` seconds.

        Raises TimeoutError, ConnectionResetError, Cancelled, or :class:`Refused` with the
        server's own reason. A channel that is granted too late is closed then.
        """
        channel = self.begin(channel_class, kind, address)
        try:
            with stop.ending(channel.answered.set):
                channel.answered.wait(timeout)
        except Cancelled:
            self.abandon(channel)
            raise
        if channel.refusal:
            raise Refused(*channel.refusal)
        if channel.closed or not self.active:
            raise ConnectionResetError(errno.ECONNRESET, "the connection is gone")
        if not channel.active:
            self.abandon(channel)
            raise TimeoutError("the server did not answer in time")
        return channel

    def abandon(self, channel: Channel) -> None:
        """Nobody waits for this channel any more: close it, now or when the server grants it."""
        with self.lock:
            if not (channel.active or channel.closed or channel.refusal):
                self._abandoned[channel.chanid] = channel
                return
        channel.close()

    def _parse_channel_open_success(self, m: Message) -> None:
        """Wake the opener; a channel that nobody waits for any more is closed."""
        super()._parse_channel_open_success(m)  # type: ignore[misc]  # not in the stubs
        m.rewind()
        number = m.get_int()
        channel = self._channels.get(number)
        if channel is None:
            return
        with self.lock:
            channel.granted()
            unwanted = self._abandoned.pop(number, None)
        if unwanted:
            unwanted.close()

    def _parse_channel_open_failure(self, m: Message) -> None:
        """Give the refusal to the channel that it is for; paramiko keeps one for all, and logs an error."""
        number, code = m.get_int(), m.get_int()
        words = m.get_string().decode(errors="replace")
        channel = self._channels.get(number)
        with self.lock:
            self._abandoned.pop(number, None)
            self._channels.delete(number)
            if channel is not None:
                channel.refused(code, words)

    # signs of life

    def ask(self, on_answer: Callable[[], None]) -> bool:
        """Ask for an answer of any kind; False when that can't be sent now (keys are being exchanged)."""
        m = Message()
        m.add_byte(cMSG_GLOBAL_REQUEST)
        m.add_string("keepalive@openssh.com")  # no server knows it, each must answer (RFC 4254, 4)
        m.add_boolean(True)  # noqa: FBT003 - want reply
        if not self.clear_to_send_lock.acquire(timeout=KEEPALIVE / 6):
            return False  # a sender is stuck: the line is full, and asking would stick too
        try:
            if not (self.active and self.clear_to_send.is_set()):
                return False
            self._answers.append(on_answer)
            self._send_message(m)
        finally:
            self.clear_to_send_lock.release()
        return True

    def _probe(self) -> None:
        asked = time.monotonic()

        def answered() -> None:
            self.note_round_trip(time.monotonic() - asked)

        with contextlib.suppress(EOFError, SSHException):
            self.ask(answered)

    def note_round_trip(self, seconds: float) -> None:
        """Remember how far the server is; later channels to a far one get a window that fills the line."""
        self.round_trip = seconds
        self.default_window_size = _FAR_WINDOW if seconds > _FAR else DEFAULT_WINDOW_SIZE

    def _parse_request_success(self, m: Message) -> None:
        """Answers carry no number, they come in the order of the questions (RFC 4254, 4)."""
        if self._answers:
            self._answers.popleft()()

    def _parse_request_failure(self, m: Message) -> None:
        self._parse_request_success(m)


class Refused(OSError):  # noqa: N818 - it says what the server did
    """The server does not open a channel. ``code`` is RFC 4254 5.1's, ``words`` are the server's."""

    PROHIBITED = 1
    CONNECT_FAILED = 2

    def __init__(self, code: int, words: str) -> None:
        super().__init__(words or "refused")
        self.code, self.words = code, words
