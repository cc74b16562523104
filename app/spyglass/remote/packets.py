"""paramiko's packets, with a short way for AES-GCM (RFC 5647).

The general code reads a packet in two parts, looks at every cipher mode on the way and
copies the payload three times; this costs more than the encryption. Only the state is
shared with it, under paramiko's private names, so keys, rekeying and every other cipher
stay its business. A test fails when one of these names is gone.
"""

from __future__ import annotations

import os
import struct
from typing import Any

from cryptography.exceptions import InvalidTag
from paramiko.message import Message
from paramiko.packet import Packetizer
from paramiko.ssh_exception import SSHException

_HEAD = struct.Struct(">I")
_SEQUENCE = 0xFFFFFFFF
_COUNTER = (1 << 64) - 1
_LARGEST = 1 << 24  # bytes of one packet; OpenSSH takes 256 kB
_BLOCK, _TAG = 16, 16

PRIVATE = (
    "aead_in", "aead_out", "block_engine_in", "block_engine_out", "compress_engine_in", "compress_engine_out",
    "iv_in", "iv_out", "sequence_number_in", "sequence_number_out", "sent_bytes", "sent_packets",
    "received_bytes", "received_packets", "received_bytes_overflow", "received_packets_overflow",
    "need_rekey", "socket", "write_lock", "dump_packets",
)  # fmt: skip


class Packets(Packetizer):
    """What paramiko's Transport sends and receives packets with."""

    _Packetizer__aead_in: bool
    _Packetizer__aead_out: bool
    _Packetizer__block_engine_in: Any
    _Packetizer__block_engine_out: Any
    _Packetizer__iv_in: bytes
    _Packetizer__iv_out: bytes
    _Packetizer__sequence_number_in: int
    _Packetizer__sequence_number_out: int
    _Packetizer__sent_bytes: int
    _Packetizer__sent_packets: int
    _Packetizer__received_bytes: int
    _Packetizer__received_packets: int
    _Packetizer__received_bytes_overflow: int
    _Packetizer__received_packets_overflow: int
    _Packetizer__need_rekey: bool

    def start_handshake(self, timeout: float) -> None:
        """Nothing to start: who shakes hands keeps the time, without a thread of its own."""

    @property
    def sending(self) -> Any:
        """The lock that whoever sends holds."""
        return self._Packetizer__write_lock  # type: ignore[attr-defined]

    def send_message(self, data: Message) -> None:
        """Send one message."""
        if not self._Packetizer__aead_out:
            super().send_message(data)
            return
        payload = data.asbytes()
        padding = 3 + _BLOCK - (len(payload) + 4) % _BLOCK
        head = _HEAD.pack(len(payload) + padding + 1)
        plain = b"%c%b%b" % (padding, payload, os.urandom(padding))
        with self.sending:
            iv = self._Packetizer__iv_out
            self._write(head + self._Packetizer__block_engine_out.encrypt(iv, plain, head))
            self._Packetizer__iv_out = _next(iv)
            self._Packetizer__sequence_number_out = (self._Packetizer__sequence_number_out + 1) & _SEQUENCE
            self._count_sent(len(plain) + len(head) + _TAG)

    def _write(self, out: bytes) -> None:
        """As write_all, which also says what goes wrong."""
        try:
            sent = self._Packetizer__socket.send(out)  # type: ignore[attr-defined]
        except TimeoutError:
            sent = 0
        except OSError as exc:
            raise EOFError from exc
        if sent < len(out):
            self.write_all(out[sent:])

    def _count_sent(self, size: int) -> None:
        self._Packetizer__sent_bytes += size
        self._Packetizer__sent_packets += 1
        if self._Packetizer__need_rekey:
            return
        if (
            self._Packetizer__sent_bytes >= self.REKEY_BYTES
            or self._Packetizer__sent_packets >= self.REKEY_PACKETS
        ):
            self._begin_rekey()

    def read_message(self) -> tuple[int, Message]:
        """Wait for the next message; returns its number and the rest of it."""
        if not self._Packetizer__aead_in:
            number, message = super().read_message()
            return number, message
        head = self._exactly(4, True)  # noqa: FBT003 - as in read_all
        (size,) = _HEAD.unpack(head)
        if size > _LARGEST:
            raise SSHException(f"a packet of {size} bytes")
        iv = self._Packetizer__iv_in
        try:
            plain = self._Packetizer__block_engine_in.decrypt(iv, self._exactly(size + _TAG, False), head)  # noqa: FBT003
        except InvalidTag:
            raise SSHException("a packet was tampered with") from None
        self._Packetizer__iv_in = _next(iv)
        message = Message(plain[2 : size - plain[0]])
        message.seqno = self._Packetizer__sequence_number_in
        self._Packetizer__sequence_number_in = (self._Packetizer__sequence_number_in + 1) & _SEQUENCE
        self._count_received(size + 4 + _TAG)
        return plain[1], message

    def _exactly(self, size: int, check_rekey: bool) -> bytes:  # noqa: FBT001 - as in read_all
        try:
            data: bytes = self._Packetizer__socket.recv(size)  # type: ignore[attr-defined]
        except TimeoutError:
            data = b""
        if len(data) == size:
            return data
        return data + bytes(self.read_all(size - len(data), check_rekey and not data))

    def _count_received(self, size: int) -> None:
        self._Packetizer__received_bytes += size
        self._Packetizer__received_packets += 1
        if self._Packetizer__need_rekey:
            self._count_overflow(size)
        elif (
            self._Packetizer__received_bytes >= self.REKEY_BYTES
            or self._Packetizer__received_packets >= self.REKEY_PACKETS
        ):
            self._begin_rekey()

    def _count_overflow(self, size: int) -> None:
        """The server was asked for new keys: how much it still sends with the old ones is limited."""
        self._Packetizer__received_bytes_overflow += size
        self._Packetizer__received_packets_overflow += 1
        if (
            self._Packetizer__received_bytes_overflow >= self.REKEY_BYTES_OVERFLOW_MAX
            or self._Packetizer__received_packets_overflow >= self.REKEY_PACKETS_OVERFLOW_MAX
        ):
            raise SSHException("the server does not change keys")

    def _begin_rekey(self) -> None:
        self._Packetizer__received_bytes_overflow = 0
        self._Packetizer__received_packets_overflow = 0
        self._trigger_rekey()  # type: ignore[attr-defined]


def _next(iv: bytes) -> bytes:
    """Four fixed bytes and a counter of eight (RFC 5647, 7.1)."""
    return iv[:4] + ((int.from_bytes(iv[4:], "big") + 1) & _COUNTER).to_bytes(8, "big")
