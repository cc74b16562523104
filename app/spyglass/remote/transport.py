"""paramiko's Transport, hardened.

What is changed, and why, stands at each method. The measured reasons: AES-GCM before
AES-CTR with HMAC (half the time a byte), reading ahead, window given back only when the
bytes are out of our hands. The rest are faults that end or hang connections: a rekey that
waits for its own thread, keepalives that nobody counts, refusals that reach the wrong
opener, message numbers without a name, a close() that leaves its thread behind.

The methods with a leading underscore override those of paramiko 5.1, which is why the
dependency is pinned to that release line; a test fails when one of them is renamed.
"""

from __future__ import annotations

import contextlib
import errno
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import paramiko
import paramiko.common
from paramiko.common import MSG_NAMES, cMSG_CHANNEL_OPEN, cMSG_CHANNEL_WINDOW_ADJUST, cMSG_GLOBAL_REQUEST
from paramiko.message import Message
from paramiko.ssh_exception import SSHException

from spyglass.errors import Cancelled
from spyglass.remote.channel import Channel
from spyglass.remote.packets import Packets
from spyglass.remote.wire import Wire

if TYPE_CHECKING:
    from spyglass.remote.base import Stop, Stream

KEEPALIVE = 3.0  # seconds of silence before the server is asked for a sign of life; three in a row end it
_CONNECTION_MESSAGES = 80  # from here on they must wait while keys are exchanged (RFC 4253, 7.1)
_DATA = struct.Struct(">BII")
_FIRST_PAUSE = 0.5
_FAR = 0.010  # seconds of round trip above which a larger window pays
_FAR_WINDOW = 8 << 20
_C = TypeVar("_C", bound=Channel)

for _number in range(256):  # paramiko looks up a name for its warning and dies of a KeyError where there is none
    MSG_NAMES.setdefault(_number, f"message {_number}")


def _virtual(name: str) -> Callable[[Channel, Message], None]:
    def call(channel: Channel, m: Message) -> None:
        getattr(channel, name)(m)

    return call


class _Ready(Message):
    """A message whose bytes are there already."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def asbytes(self) -> bytes:
        """The bytes."""
        return self._data


class _Channels:
    """The open channels by number. paramiko's own map forgets a channel that nobody else refers to."""

    def __init__(self) -> None:
        self._map: dict[int, Channel] = {}
        self.get = self._map.get
        self.put = self._map.__setitem__

    def __len__(self) -> int:
        return len(self._map)

    def delete(self, number: int) -> None:
        """Forget the channel, if it is there."""
        self._map.pop(number, None)

    def values(self) -> list[Channel]:
        """All of them, at this moment."""
        return list(self._map.values())


class Transport(paramiko.Transport):
    """One SSH connection over a Stream. ``on_end(reason)`` is called once, in its thread, when it is over."""

    packets: type[Packets] = Packets
    _kex_info = {  # noqa: RUF012 - paramiko's own shape
        **paramiko.Transport._kex_info,  # type: ignore[attr-defined]
        "curve25519-sha256": paramiko.Transport._kex_info["curve25519-sha256@libssh.org"],  # type: ignore[attr-defined]
    }
    # RFC 8731 gave the key exchange its plain name; hardened servers know only that one.
    _preferred_kex = ("curve25519-sha256", *paramiko.Transport._preferred_kex)  # type: ignore[attr-defined]
    _preferred_ciphers = (
        "aes128-gcm@openssh.com",
        "aes256-gcm@openssh.com",
        "aes128-ctr",
        "aes192-ctr",
        "aes256-ctr",
    )
    _preferred_macs = (
        "hmac-sha2-256-etm@openssh.com",
        "hmac-sha2-512-etm@openssh.com",
        "hmac-sha2-256",
        "hmac-sha2-512",
        "hmac-sha1",
    )
    # paramiko's table names the methods of its own Channel class, and passes over a subclass.
    _channel_handler_table = {
        number: _virtual(method.__name__)
        for number, method in paramiko.Transport._channel_handler_table.items()  # type: ignore[attr-defined]
    }
    packetizer: Packets
    clear_to_send_lock: Any
    clear_to_send: Any
    _channels: Any
    _handler_table: Any

    def __init__(self, stream: Stream, name: str = "") -> None:
        self._held: list[Message] = []
        self._answers: deque[Callable[[], None]] = deque()
        self._over = threading.Event()
        self._ending = threading.Lock()
        self._abandoned: dict[int, Channel] = {}
        self._wanted_keys: tuple[str, ...] = ()
        self.host_key_blob = b""
        self.on_end: Callable[[Exception | None], None] | None = None
        self.round_trip: float | None = None  # seconds, of the newest probe
        self.wire = Wire(stream, _FIRST_PAUSE)
        super().__init__(self.wire, packetizer_class=self.packets)  # type: ignore[arg-type]
        self._channels = _Channels()
        self.name = f"ssh {name}".strip()
        self._handler_table[paramiko.common.MSG_CHANNEL_OPEN_FAILURE] = self._parse_channel_open_failure

    # the life of the connection

    def shake_hands(self, timeout: float, key_types: Sequence[str] = ()) -> None:
        """Exchange banners and keys within ``timeout`` seconds, asking for host keys in the order given.

        Raises TimeoutError, or what paramiko made of the failure.
        """
        self._wanted_keys = tuple(name for name in key_types if name in self._key_info)  # type: ignore[attr-defined]
        done = threading.Event()
        self.banner_timeout = timeout
        self.start_client(event=done)
        if not done.wait(timeout):
            self.close()
            raise TimeoutError("the server did not finish the handshake in time")
        if not (self.active and self.initial_kex_done):
            self.close()
            raise self.saved_exception or EOFError("the connection was closed")

    @property
    def preferred_keys(self) -> Sequence[str]:
        """The host key algorithms to ask for. No certificates unless wanted: most people know no CA."""
        return self._wanted_keys or self._filter_algorithm("keys")  # type: ignore[attr-defined, no-any-return]

    def _verify_key(self, host_key: bytes, sig: bytes) -> None:
        """Keep the key as the server sent it: of a certificate paramiko keeps the bare key only."""
        super()._verify_key(host_key, sig)  # type: ignore[misc]  # not in the stubs
        self.host_key_blob = host_key

    def keep_alive(self) -> None:
        """From now on (logged in) watch the line: lost after three silences of :data:`KEEPALIVE` seconds."""
        self.wire.interval(KEEPALIVE)
        self.wire.watch(self._probe)

    def cut(self) -> None:
        """End it without waiting, from any thread: whoever waits for something is woken."""
        self.active = False
        self.clear_to_send.set()
        self.packetizer.close()  # shuts the wire down, which wakes the thread
        for channel in self._channels.values():
            channel._unlink()

    def close(self) -> None:
        """End it and wait for its thread; may be called twice and from any thread."""
        self.cut()
        if not self.ident:
            self.wire.release()
        elif threading.current_thread() is not self:
            self.join(5)

    def stop_thread(self) -> None:
        """paramiko's name for it, called at exit."""
        self.close()

    def run(self) -> None:
        """paramiko's loop; afterwards everything that waits is woken, however it ended."""
        try:
            super().run()
        finally:
            self.active = False
            self.clear_to_send.set()
            for channel in [*self._channels.values(), *self._abandoned.values()]:
                channel._unlink()
            self._wake()
            self.wire.release()
            if self.on_end:
                self.on_end(self.saved_exception)

    def _log(self, level: int, msg: object, *args: object) -> None:
        """Be quiet: what matters reaches people as a Failure."""

    def _wake(self) -> None:
        if self.completion_event is not None:
            self.completion_event.set()
        if self.auth_handler is not None:
            self.auth_handler.abort()
        while self._answers:
            self._answers.popleft()()

    # sending

    def _send_message(self, data: Message) -> None:
        """Send now, but hold back what the reading thread answers while keys are exchanged.

        paramiko lets its reading thread wait there for the end of an exchange that this
        very thread has to bring about; half a minute later the connection dies.
        """
        if self._must_wait(data):
            self._held.append(data)
        else:
            super()._send_message(data)  # type: ignore[misc]  # not in the stubs

    def _must_wait(self, data: Message) -> bool:
        if self.clear_to_send.is_set() or threading.current_thread() is not self:
            return False
        return data.asbytes()[0] >= _CONNECTION_MESSAGES

    def _send_user_message(self, data: Message, channel: Channel | None = None) -> None:
        """Send what belongs to the connection; OSError where paramiko drops it or raises EOFError.

        With a channel: only while it is open. Its CLOSE is sent by the reading thread, at any
        moment, and a server ends the whole connection when something comes after that.
        """
        if threading.current_thread() is self:
            self._send_message(data)
            return
        deadline = time.monotonic() + self.clear_to_send_timeout
        try:
            while not self._sent(data, channel):
                self.clear_to_send.wait(1)
                if time.monotonic() > deadline:
                    raise ConnectionResetError(errno.ETIMEDOUT, "the server did not finish changing keys")
        except (EOFError, SSHException) as exc:
            raise ConnectionResetError(errno.ECONNRESET, str(exc) or "the connection is gone") from exc

    def _sent(self, data: Message, channel: Channel | None) -> bool:
        """Send unless keys are being exchanged."""
        with self.clear_to_send_lock:
            if not self.active:
                raise ConnectionResetError(errno.ECONNRESET, "the connection is gone")
            if not self.clear_to_send.is_set():
                return False
            with self.packetizer.sending:
                if channel is not None and channel.closed:
                    raise BrokenPipeError(errno.EPIPE, "the channel is closed")
                self.packetizer.send_message(data)
        return True

    def send_data(self, channel: Channel, data: bytes) -> None:
        """Send data on the channel (RFC 4254, 5.2)."""
        self._send_user_message(_Ready(_DATA.pack(94, channel.remote_chanid, len(data)) + data), channel)

    def _parse_newkeys(self, m: Message) -> None:
        super()._parse_newkeys(m)  # type: ignore[misc]  # not in the stubs
        held, self._held = self._held, []
        for message in held:
            self._send_message(message)

    def adjust(self, channel: Channel, size: int) -> None:
        """Let the server send ``size`` more bytes on the channel (RFC 4254, 5.2)."""
        m = Message()
        m.add_byte(cMSG_CHANNEL_WINDOW_ADJUST)
        m.add_int(channel.remote_chanid)
        m.add_int(size)
        with contextlib.suppress(OSError):  # a dead link is noticed elsewhere
            self._send_user_message(m, channel)

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
        self.default_window_size = _FAR_WINDOW if seconds > _FAR else paramiko.common.DEFAULT_WINDOW_SIZE

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
