"""The distribution handshake as far as a stranger needs it: who a node is, and whether a cookie is its own.

A node tells its true full name before it asks for the cookie, and a right digest proves
the cookie to both sides without a line in the node's log. A wrong one costs a warning
there, so callers try few. Each *new* name of ours would cost the node one atom for ever:
``me`` has to be the same at every call.

Wire format: Erlang/OTP documentation, "Distribution Protocol", section "Distribution
Handshake"; the flags: section "Distribution Flags" and ``dist.hrl`` of kernel.
"""

from __future__ import annotations

import contextlib
import hashlib
import secrets
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from spyglass.erlang import names
from spyglass.erlang.reader import Ended, Reader
from spyglass.errors import Failure

if TYPE_CHECKING:
    from spyglass.remote.base import Stream

_PUBLISHED = 1
_HANDSHAKE_23 = 1 << 24
_OURS = (
    0x4 | 0x10 | 0x80 | 0x100 | 0x200 | 0x400 | 0x800  # references, funs, export, bit strings, floats
    | 0x8 | 0x20  # monitors, by name too: without them a node would not answer _ANYBODY
    | 0x10000 | 0x20000 | 0x40000  # UTF-8 atoms, maps, big creation
    | _HANDSHAKE_23 | 1 << 25 | 1 << 34  # the new handshake, unlink ids, 64-bit pids
)  # fmt: skip
_OTP = ((1 << 38, "29+"), (1 << 37, "28"), (1 << 34, "24-27"), (_HANDSHAKE_23, "23"), (0, "21-22"))
_PASS_THROUGH, _TERM, _MONITOR_P = b"p", b"\x83", 19
_MOST = 4096  # bytes of one message: a name has at most 255 characters
_TLS = b"\x15\x16"  # RFC 8446, section 5.1: the record types alert and handshake


class NotErlang(Failure):
    """Something answers, but not a node."""

    code = "not-erlang"


class Silent(NotErlang):
    """Something listens, but says nothing: a node that is stopped, or another service that waits."""

    code = "silent"


class SpeaksTLS(Failure):
    """A node may be there, but behind TLS (``-proto_dist inet_tls``)."""

    code = "tls"


class Refused(Failure):
    """The node turns our name away for the moment (``nok``), or for good (``not_allowed``)."""

    code = "refused"


class HungUp(Failure):
    """The other side closed before it told its name; OTP 22 and older do so at a new greeting."""

    code = "hung-up"


@dataclass(frozen=True, slots=True)
class Me:
    """Who we say we are: the full name, and the creation of this visit."""

    node: str
    creation: int = field(default_factory=lambda: secrets.randbelow(2**32 - 4) + 4)

    def monitor(self, name: str) -> bytes:
        """The control message MONITOR_P for a registered name, from a process that we have not.

        "Distribution Protocol", section "Protocol between Connected Nodes"; "External Term
        Format": SMALL_TUPLE_EXT, NEW_PID_EXT, ATOM_UTF8_EXT, NEWER_REFERENCE_EXT.
        """
        node = _atom(self.node)
        process = b"X" + node + struct.pack(">III", 1, 0, self.creation)
        reference = b"Z" + struct.pack(">H", 3) + node + struct.pack(">IIII", self.creation, 1, 0, 0)
        return b"h\x04a" + bytes([_MONITOR_P]) + process + _atom(name) + reference


def _atom(text: str) -> bytes:
    encoded = text.encode()
    return b"v" + struct.pack(">H", len(encoded)) + encoded


@dataclass(frozen=True, slots=True)
class Peer:
    """Who answers. ``flags`` as in ``dist.hrl``; ``creation`` tells one start of a node from the next."""

    node: str
    flags: int
    creation: int

    @property
    def hidden(self) -> bool:
        """Whether it shows itself to a cluster."""
        return not self.flags & _PUBLISHED

    @property
    def otp(self) -> str:
        """What release its flags speak of: ``29+``, ``28``, ``24-27``, ``23`` or ``21-22``."""
        return next(release for bit, release in _OTP if self.flags & bit or not bit)


class Greeting:
    """A handshake that waits at the challenge: the peer is known, the cookie may follow once."""

    def __init__(self, reader: Reader, me: Me, peer: Peer, challenge: int, *, complement: bool) -> None:
        self.peer = peer
        self._reader, self._me, self._challenge, self._complement = reader, me, challenge, complement

    def __repr__(self) -> str:
        return f"<Greeting of {self.peer.node}>"

    def prove(self, cookie: str, *, seconds: float = 3.0) -> bool:
        """Whether ``cookie`` is the node's; the stream is used up afterwards."""
        if not usable(cookie):
            return False
        ours = secrets.randbits(32)
        self._reader.extend(seconds)
        try:
            self._answer(ours, cookie)
            ack = _receive(self._reader)
        except (Ended, TimeoutError, Failure):
            return False
        right = ack[:1] == b"a" and secrets.compare_digest(ack[1:17], digest(cookie, ours))
        if right and getattr(self._reader.stream, "minds_hanging_up", False):
            self._settle()
        return right

    def _settle(self) -> None:
        """Wait until the node has set the connection up, so that it can end like any other.

        There is no message that says so, so we ask for something that any node answers, and only
        once it is up: to monitor a process that is not there.
        """
        with contextlib.suppress(Ended, TimeoutError):
            message = _PASS_THROUGH + _TERM + self._me.monitor("undefined")  # no process can have this name
            self._reader.send(len(message).to_bytes(4, "big") + message)
            while not int.from_bytes(self._reader.exactly(4), "big"):
                continue  # a tick

    def _answer(self, ours: int, cookie: str) -> None:
        if self._complement:
            _send(self._reader, b"c" + struct.pack(">II", _OURS >> 32, 4))
        _send(self._reader, b"r" + struct.pack(">I", ours) + digest(cookie, self._challenge))


def usable(cookie: str) -> bool:
    """Whether a node can have this cookie: an atom of Latin-1 characters, not empty."""
    return 0 < len(cookie) <= 255 and all(ord(char) < 256 for char in cookie)


def digest(cookie: str, challenge: int) -> bytes:
    """MD5 over the cookie and the challenge in decimal, as the protocol wants it."""
    text = cookie.encode("latin-1") + str(challenge).encode()
    return hashlib.md5(text, usedforsecurity=False).digest()


def greet(stream: Stream, me: str, *, version: int = 6, seconds: float = 3.0) -> Greeting:
    """Say who we are and learn who the peer is; nothing is logged there.

    ``version`` 6 suits OTP 23 and newer, 5 those before. Raises NotErlang, Silent,
    SpeaksTLS, Refused or HungUp.
    """
    reader, ours = Reader(stream, seconds), Me(me)
    try:
        _introduce(reader, ours, version)
        _welcome(reader, _receive(reader))
        return _greeting(reader, ours, _receive(reader), version)
    except TimeoutError:
        raise Silent("What listens there gives no answer") from None
    except Ended:
        raise HungUp("What listens there hung up at the greeting") from None
    except struct.error:
        raise NotErlang("What answers there is no node: a message is too short") from None


def _introduce(reader: Reader, me: Me, version: int) -> None:
    name = me.node.encode()
    if version >= 6:
        _send(reader, b"N" + struct.pack(">QIH", _OURS, me.creation, len(name)) + name)
    else:
        _send(reader, b"n" + struct.pack(">HI", 5, _OURS & 0xFFFFFFFF & ~(1 << 25)) + name)


def _welcome(reader: Reader, message: bytes) -> None:
    """Read the status. ``alive``: an earlier visit of ours is not yet forgotten; it may be dropped."""
    if message[:1] != b"s":
        raise NotErlang("What answers there is no node")
    status = message[1:].split(b":")[0]
    if status == b"alive":
        _send(reader, b"strue")
    elif status == b"nok":
        raise Refused("The node is busy with an earlier visit of ours", retry=True)
    elif status not in {b"ok", b"ok_simultaneous"}:
        raise Refused("The node does not let us in (-connect_all or net_kernel:allow)")


def _greeting(reader: Reader, me: Me, message: bytes, version: int) -> Greeting:
    if message[:1] == b"N":
        flags, challenge, creation, length = struct.unpack(">QIIH", message[1:19])
        name = message[19 : 19 + length]
    elif message[:1] == b"n":
        _, flags, challenge = struct.unpack(">HII", message[1:11])
        creation, name = 0, message[11:]
    else:
        raise NotErlang("What answers there is no node")
    node = name.decode("utf-8", "replace")
    if not names.valid(node):
        raise NotErlang("What answers there gives a name that no node can have")
    late = message[:1] == b"N" and version < 6
    return Greeting(reader, me, Peer(node, flags, creation), challenge, complement=late)


def _send(reader: Reader, message: bytes) -> None:
    reader.send(len(message).to_bytes(2, "big") + message)


def _receive(reader: Reader) -> bytes:
    first = reader.exactly(1)
    if first in _TLS:
        raise SpeaksTLS("The node speaks TLS (inet_tls distribution)")
    length = int.from_bytes(first + reader.exactly(1), "big")
    if not 0 < length <= _MOST:
        raise NotErlang("What answers there is no node")
    return reader.exactly(length)
