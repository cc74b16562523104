"""The line under a Transport: paramiko's handshake, sending and ending, hardened.

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
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import paramiko
from paramiko.common import MSG_NAMES, cMSG_CHANNEL_WINDOW_ADJUST
from paramiko.message import Message
from paramiko.ssh_exception import SSHException

from spyglass.remote.channel import Channel
from spyglass.remote.packets import Packets
from spyglass.remote.wire import Wire

if TYPE_CHECKING:
    from spyglass.remote.base import Stream

_CONNECTION_MESSAGES = 80  # from here on they must wait while keys are exchanged (RFC 4253, 7.1)
_DATA = struct.Struct(">BII")
_FIRST_PAUSE = 0.5

# paramiko looks up a name for its warning, and dies of a KeyError where there is none
for _number in range(256):
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


class Line(paramiko.Transport):
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
    _channel_handler_table = {  # noqa: RUF012 - paramiko's own shape
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
        self._over = threading.Event()
        self._ending = threading.Lock()
        self._wanted_keys: tuple[str, ...] = ()
        self.host_key_blob = b""
        self.on_end: Callable[[Exception | None], None] | None = None
        self.wire = Wire(stream, _FIRST_PAUSE)
        super().__init__(self.wire, packetizer_class=self.packets)  # type: ignore[arg-type]
        self._channels = _Channels()
        self.name = f"ssh {name}".strip()

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
        return self._wanted_keys or self._filter_algorithm("keys")  # type: ignore[attr-defined]

    def _verify_key(self, host_key: bytes, sig: bytes) -> None:
        """Keep the key as the server sent it: of a certificate paramiko keeps the bare key only."""
        super()._verify_key(host_key, sig)  # type: ignore[misc]  # not in the stubs
        self.host_key_blob = host_key

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
            for channel in self._channels.values():
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
