"""A Remote made of answers: streams that are played by small classes, commands by a function.

No thread and no socket: what a stream is sent goes to its player at once, and what the
player says can be read afterwards.
"""

from __future__ import annotations

import hashlib
import socket
import struct
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from spyglass.errors import Unreachable
from spyglass.remote.base import Output, Piped, Relay, Stream

FLAGS_25 = 0x4_0000_0000 | 1 << 24 | 1  # new ids, the new handshake, published: an OTP 25 in plain view


class Player:
    """The far side of one stream. ``says`` is what can be read; ``over`` when nothing more comes."""

    def __init__(self) -> None:
        self.says = b""
        self.over = False

    def hear(self, data: bytes) -> None:
        """Take what was sent."""


class Said(Player):
    """Says the same, whatever it hears, and then closes unless ``stays``."""

    def __init__(self, says: bytes, *, stays: bool = False) -> None:
        super().__init__()
        self.says, self.over = says, not stays


class FakeStream:
    """A stream to a player. Reading what is not there times out at once."""

    def __init__(self, player: Player) -> None:
        self.player = player
        self.closed = False
        self.ended = False
        self.reason = ""

    def recv(self, size: int, /) -> bytes:
        """What the player said; empty at the end."""
        if self.closed:
            raise OSError("closed")
        piece, self.player.says = self.player.says[:size], self.player.says[size:]
        if not piece and not self.player.over:
            raise TimeoutError
        return piece

    def sendall(self, data: bytes, /) -> None:
        """Let the player hear it."""
        if self.closed:
            raise OSError("closed")
        self.player.hear(data)

    def shutdown_write(self) -> None:
        """Nothing changes for the player."""
        self.ended = True

    def settimeout(self, seconds: float | None, /) -> None:
        """Time does not pass here."""

    def why(self) -> str:
        """What the test has put there."""
        return self.reason

    def close(self) -> None:
        """Be closed."""
        self.closed = True


class FakeEpmd(Player):
    """Answers NAMES_REQ and PORT_PLEASE2_REQ with what is registered."""

    def __init__(self, names: dict[str, int]) -> None:
        super().__init__()
        self._names = names

    def hear(self, data: bytes) -> None:
        """Answer and close, as epmd does."""
        self.over = True
        if data[2:3] == b"n":
            lines = "".join(f"name {name} at port {port}\n" for name, port in self._names.items())
            self.says = struct.pack(">I", 4369) + lines.encode()
        elif (name := data[3:].decode()) in self._names:
            tail = struct.pack(">HBBHHH", self._names[name], 77, 0, 6, 5, len(name))
            self.says = b"\x77\x00" + tail + name.encode() + b"\0\0"
        else:
            self.says = b"\x77\x01"


@dataclass
class FakeNode:
    """A node; each connection gets a player of its own. ``wrong`` counts the wrong digests."""

    name: str
    cookie: str = "right"
    flags: int = FLAGS_25
    creation: int = 1000
    status: bytes = b"ok"
    old: bool = False
    visits: list[str] = field(default_factory=list)
    wrong: int = 0

    def player(self) -> Player:
        """A new connection's far side."""
        return _NodePlayer(self)


class _NodePlayer(Player):
    CHALLENGE = 0xDEADBEEF

    def __init__(self, node: FakeNode) -> None:
        super().__init__()
        self._node = node

    def hear(self, data: bytes) -> None:
        kind, body = data[2:3], data[3:]
        if kind in {b"N", b"n"}:
            self._greeted(kind, body)
        elif kind == b"r":
            self._digested(body)
        elif data[2:] == b"strue":
            self._challenge()

    def _greeted(self, kind: bytes, body: bytes) -> None:
        if self._node.old and kind == b"N":
            self.over = True
            return
        self._node.visits.append((body[14:] if kind == b"N" else body[6:]).decode())
        self._say(b"s" + self._node.status)
        if self._node.status in {b"ok", b"ok_simultaneous"}:
            self._challenge()

    def _challenge(self) -> None:
        node, name = self._node, self._node.name.encode()
        if node.old:
            self._say(b"n" + struct.pack(">HII", 5, node.flags & 0xFFFFFFFF, self.CHALLENGE) + name)
        else:
            self._say(
                b"N" + struct.pack(">QIIH", node.flags, self.CHALLENGE, node.creation, len(name)) + name
            )

    def _digested(self, body: bytes) -> None:
        ours, digest = struct.unpack(">I", body[:4])[0], body[4:20]
        self.over = True
        if digest == self._digest(self.CHALLENGE):
            self._say(b"a" + self._digest(ours))
        else:
            self._node.wrong += 1

    def _digest(self, challenge: int) -> bytes:
        return hashlib.md5(self._node.cookie.encode("latin-1") + str(challenge).encode()).digest()

    def _say(self, message: bytes) -> None:
        self.says += len(message).to_bytes(2, "big") + message


Answer = Callable[[list[str], bytes | None], Output]


class FakeRemote:
    """``listening`` maps (host, port) to what makes a player; ``answer`` runs commands, ``talk`` pipes."""

    def __init__(
        self,
        listening: dict[tuple[str, int], Callable[[], Player]],
        answer: Answer,
        talk: Callable[[list[str]], Player] | None = None,
    ) -> None:
        self.listening, self._answer, self._talk = listening, answer, talk
        self.dialled: list[tuple[str, int]] = []
        self.ran: list[list[str]] = []
        self.piped: list[list[str]] = []
        self.streams: list[FakeStream] = []
        self._lock = threading.Lock()

    def describe(self) -> str:
        """``deploy@web1``."""
        return "deploy@web1"

    def run(self, argv: Sequence[str], stdin: bytes | None = None, timeout: float = 20.0) -> Output:
        """Let the function answer."""
        with self._lock:
            self.ran.append(list(argv))
        return self._answer(list(argv), stdin)

    def pipe(self, argv: Sequence[str], timeout: float = 10.0) -> Piped:
        """A stream to a new player; one that has ended where nothing talks."""
        with self._lock:
            self.piped.append(list(argv))
        stream = FakeStream(self._talk(list(argv)) if self._talk else Said(b""))
        self.streams.append(stream)
        return stream

    def dial(self, host: str, port: int, timeout: float = 5.0) -> Stream:
        """A stream to a new player, or Unreachable."""
        with self._lock:
            self.dialled.append((host, port))
        if (host, port) not in self.listening:
            raise Unreachable(f"{host}:{port} refuses the connection")
        stream = FakeStream(self.listening[host, port]())
        self.streams.append(stream)
        return stream

    def relay(self, listener: socket.socket, host: str, port: int) -> Relay:
        """Not here."""
        raise NotImplementedError

    def close(self) -> None:
        """Nothing to close."""
