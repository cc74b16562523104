"""Session channels: those that run a command for somebody, and one that warms the server up."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from paramiko.message import Message

from spyglass.log import redact
from spyglass.remote.base import TAIL
from spyglass.remote.channel import PIECE, Channel

if TYPE_CHECKING:
    from spyglass.remote.transport import Transport


class Command(Channel):
    """A session channel that runs one command, driven by the thread that waits for it.

    Everything the server says is collected in the transport's thread; the waiting thread
    only feeds standard input and gives the window back, so no other thread is needed.
    """

    def __init__(self, chanid: int) -> None:
        super().__init__(chanid)
        self.out: list[bytes] = []
        self.err: list[bytes] = []
        self.started = False
        self.forbidden = False
        self._unacknowledged = 0

    @property
    def over(self) -> bool:
        """The command ended and everything that it wrote is here."""
        ended = self.status_event.is_set() or self._signalled
        return bool(self.closed or (self.eof_received and ended))

    _signalled = False

    def converse(self, stdin: bytes, deadline: float) -> bool:
        """Feed ``stdin`` to its end and collect until the command is over.

        False when ``deadline`` (monotonic seconds) comes first.
        """
        at = 0
        while True:
            if self.started and at >= 0:
                at = self._feed_some(stdin, at)
            with self.lock:
                if not self._news(at):
                    self.out_buffer_cv.wait(max(0.0, deadline - time.monotonic()))
                credit, self._unacknowledged = self._unacknowledged, 0
            self._give_back(credit)
            if self.over or time.monotonic() >= deadline:
                return self.over

    def _news(self, at: int) -> bool:
        """Whether there is something to do now. The lock is held."""
        room = self.started and at >= 0 and self.out_window_size > 0
        return self.over or room or self._unacknowledged > self.in_window_threshold

    def _feed_some(self, stdin: bytes, at: int) -> int:
        """Send from ``at`` what the window lets through; returns where to go on, -1 after the end."""
        self.settimeout(0.0)
        with contextlib.suppress(
            OSError
        ):  # it closed its input, or ended: what it wrote is still worth having
            while at < len(stdin):
                at += self.send(stdin[at : at + PIECE]) or len(stdin)
            self.shutdown_write()
            return -1
        return at if self.out_window_size == 0 and not self.closed else -1

    def _feed(self, m: Any) -> None:
        self._collect(self.out, m.get_binary())

    def _feed_extended(self, m: Any) -> None:
        if m.get_int() == 1:  # SSH_EXTENDED_DATA_STDERR (RFC 4254, 5.2)
            self._collect(self.err, m.get_binary())

    def _collect(self, where: list[bytes], data: bytes) -> None:
        with self.lock:
            where.append(data)
            self._unacknowledged += len(data)
            if self._unacknowledged > self.in_window_threshold:
                self.out_buffer_cv.notify_all()

    def _request_success(self, m: Any) -> None:
        self.started = True
        super()._request_success(m)  # type: ignore[misc]  # not in the stubs
        self._tell()

    def _request_failed(self, m: Any) -> None:
        self.forbidden = True
        super()._request_failed(m)  # type: ignore[misc]  # not in the stubs
        self._tell()

    def _handle_request(self, m: Any) -> None:
        kind = m.get_text()
        self._signalled = self._signalled or kind == "exit-signal"
        m.rewind()
        m.get_int()  # the channel's number
        super()._handle_request(m)  # type: ignore[misc]  # not in the stubs
        self._tell()

    def _handle_eof(self, m: Any) -> None:
        super()._handle_eof(m)  # type: ignore[misc]  # not in the stubs
        self._tell()

    def _tell(self) -> None:
        with self.lock:
            self.out_buffer_cv.notify_all()


class PipedCommand(Channel):
    """A session channel whose data are a command's input and output (:class:`~spyglass.remote.base.Piped`).

    ``leave`` is called once when it is over, from whichever thread ends it.
    """

    def __init__(self, chanid: int) -> None:
        super().__init__(chanid)
        self.started = False
        self.forbidden = False
        self.begun = threading.Event()  # one of the two above is known, or it is over
        self.leave: Callable[[], None] | None = None
        self._said = b""

    def why(self) -> str:
        """Why the command ended, as far as it said so; waits a moment for its end."""
        self.status_event.wait(0.5)
        said = redact(self._said.decode(errors="replace").strip())
        status = self.exit_status
        return said or (f"it ended with status {status}" if status > 0 else "")

    def close(self) -> None:
        """End the command: its input ends, it is told to, and nobody reads what it writes."""
        transport = self.transport
        if transport is not None and self.started and not self.closed and self.exit_status < 0:
            with contextlib.suppress(OSError):
                request(transport, self, "signal", "TERM", reply=False)  # RFC 4254, 6.9
        super().close()

    def _feed_extended(self, m: Any) -> None:
        if m.get_int() == 1:  # SSH_EXTENDED_DATA_STDERR (RFC 4254, 5.2)
            data = m.get_binary()
            self._said = (self._said + data)[-TAIL:]
            self._give_back(len(data))

    def _request_success(self, m: Any) -> None:
        self.started = True
        super()._request_success(m)  # type: ignore[misc]  # not in the stubs
        self.begun.set()

    def _request_failed(self, m: Any) -> None:
        self.forbidden = True
        super()._request_failed(m)  # type: ignore[misc]  # not in the stubs
        self.begun.set()

    def _set_closed(self) -> None:
        super()._set_closed()
        self.begun.set()
        leave, self.leave = self.leave, None
        if leave:
            leave()


class WarmUp(Channel):
    """Runs ``true`` as soon as it is granted, and closes itself at the answer; nobody waits for it."""

    def __init__(self, chanid: int) -> None:
        super().__init__(chanid)
        self.leave: Callable[[], None] | None = None
        self._asked = time.monotonic()

    def granted(self) -> None:
        """Run it."""
        super().granted()
        if self.transport is not None:
            self.transport.note_round_trip(time.monotonic() - self._asked)
            request(self.transport, self, "exec", "true", reply=True)

    def refused(self, code: int, words: str) -> None:
        """Then not."""
        super().refused(code, words)
        self._leave_once()

    def _request_success(self, m: Any) -> None:
        self.close()

    def _set_closed(self) -> None:
        super()._set_closed()
        self._leave_once()

    def _leave_once(self) -> None:
        leave, self.leave = self.leave, None
        if leave:
            leave()


def request(transport: Transport, channel: Channel, kind: str, value: str, *, reply: bool) -> None:
    """Send a channel request with one string (RFC 4254, 5.4)."""
    m = Message()
    m.add_byte(b"\x62")  # SSH_MSG_CHANNEL_REQUEST, 98
    m.add_int(channel.remote_chanid)
    m.add_string(kind)
    m.add_boolean(reply)
    m.add_string(value)
    transport._send_user_message(m, channel)
