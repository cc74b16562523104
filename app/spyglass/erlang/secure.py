"""Nodes that speak TLS (``-proto_dist inet_tls``), reached by a local node that does not.

TLS ends here, on our side of the SSH connection: what connects to the forward speaks the plain
protocol. So any local Erlang will do, with or without its ssl application, and needs no option
file; a client certificate never leaves this process.

The one difference besides the encryption: in the handshake over TLS each message is preceded by
its length in 4 bytes, over TCP in 2 (OTP's ``inet_tls_dist`` sets ``{packet, 4}`` from the start,
``inet_tcp_dist`` ``{packet, 2}`` until the connection is up; "Distribution Handshake" in the ERTS
User's Guide tells the messages).
"""

from __future__ import annotations

import copy
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

from spyglass.errors import Denied, Lost, Unreachable
from spyglass.remote.base import Output, Piped, Relay, Remote, Stream
from spyglass.remote.carried import RELAYED, broken
from spyglass.remote.relay import ThreadRelay
from spyglass.remote.tls import Credentials, TLSStream

if TYPE_CHECKING:
    import ssl
    from collections.abc import Sequence

_MOST = 65_535
_LAST_SENT, _LAST_HEARD = b"r", b"a"  # send_challenge_reply, recv_challenge_ack


class Secured:
    """The place ``inner`` whose ports are dialled by TLS. Closing it leaves ``inner`` open."""

    def __init__(self, inner: Remote, credentials: Credentials) -> None:
        """Raises BadInput when the credentials can't be used."""
        self.inner = inner
        self._context: ssl.SSLContext = credentials.context()
        self._refusals: dict[tuple[str, int], str] = {}
        self.empty_handed = not credentials.certificate

    def __repr__(self) -> str:
        return f"<Secured {self.inner!r}>"

    def over(self, inner: Remote) -> Secured:
        """The same for another place, with one memory for both."""
        made = copy.copy(self)
        made.inner = inner
        return made

    def run(self, argv: Sequence[str], stdin: bytes | None = None, timeout: float = 20.0) -> Output:
        """Run a command there."""
        return self.inner.run(argv, stdin, timeout)

    def pipe(self, argv: Sequence[str], timeout: float = 10.0) -> Piped:
        """Run a command there, with a stream to it."""
        return self.inner.pipe(argv, timeout)

    def dial(self, host: str, port: int, timeout: float = 5.0) -> Stream:
        """Connect and shake hands. Raises Denied when the other side wants other certificates."""
        stream = self.inner.dial(host, port, timeout)
        carrier = getattr(stream, "carrier", "")
        try:
            secured = TLSStream(stream, self._context, seconds=timeout + (RELAYED if carrier else 0))
        except Lost as exc:
            stream.close()
            raise Unreachable(broken(stream) or exc.title) from exc
        except BaseException as exc:
            stream.close()
            if isinstance(exc, Denied) and exc.code == "tls-refused":
                self._refusals[host, port] = exc.title.rpartition(": ")[2]
            raise
        return Reframed(secured, lambda why: self._refusals.__setitem__((host, port), why), carrier)

    def refused(self, host: str, port: int) -> str:
        """Why the other side broke off, in OpenSSL's words, if it did: mostly for want of a certificate."""
        return self._refusals.get((host, port), "")

    def relay(self, listener: socket.socket, host: str, port: int) -> Relay:
        """Carry every connection that the listener accepts."""
        return ThreadRelay(listener, lambda: self.dial(host, port), name=f"tls {port}")

    def describe(self) -> str:
        """As the place itself."""
        return self.inner.describe()

    def close(self) -> None:
        """Nothing to give back."""


class Reframed:
    """Speaks as a node over TCP to us and as a node over TLS to ``inner``.

    ``refused`` hears why the other side broke off: with TLS 1.3 it says only after the handshake
    that it wants a certificate (RFC 8446, section 4.4.2.4).
    """

    # Right after the handshake, f_address/2 of OTP's inet_tls_dist would crash, and log it.
    minds_hanging_up = True

    def __init__(self, inner: TLSStream, refused: Callable[[str], None], carrier: str = "") -> None:
        self._inner, self._refused, self.carrier = inner, refused, carrier
        self._out, self._in = _Frames(2, 4, _LAST_SENT), _Frames(4, 2, _LAST_HEARD)

    def recv(self, size: int, /) -> bytes:
        """At least one byte, or ``b""`` at the end."""
        while True:
            if ready := self._in.take(size):
                return ready
            try:
                data = self._inner.recv(size)
            except TimeoutError:
                raise
            except OSError:
                self._refused(self._inner.refusal)
                raise
            if not data:
                return b""
            self._in.put(data)

    def sendall(self, data: bytes, /) -> None:
        """Send everything that makes whole messages; the rest waits for its other half."""
        self._out.put(data)
        while ready := self._out.take(_MOST):
            self._inner.sendall(ready)

    def shutdown_write(self) -> None:
        """Tell the other side that nothing more comes."""
        self._inner.shutdown_write()

    def settimeout(self, seconds: float | None, /) -> None:
        """Limit each later recv and sendall."""
        self._inner.settimeout(seconds)

    def close(self) -> None:
        """Release it; may be called twice and from any thread."""
        self._inner.close()


class _Frames:
    """Bytes in one direction: the lengths of messages change their width until ``last`` has passed."""

    def __init__(self, width: int, other: int, last: bytes) -> None:
        self._width, self._other, self._last = width, other, last
        self._raw = bytearray()
        self._ready = bytearray()
        self._through = False

    def put(self, data: bytes) -> None:
        """Take bytes in. Raises OSError for a message that can't be one of a handshake."""
        if self._through:
            self._ready += data
            return
        self._raw += data
        while not self._through and len(self._raw) >= self._width:
            length = int.from_bytes(self._raw[: self._width], "big")
            if length > _MOST:
                raise ConnectionError("what answers there is no node")
            if len(self._raw) < self._width + length:
                return
            message = bytes(self._raw[self._width : self._width + length])
            del self._raw[: self._width + length]
            self._ready += length.to_bytes(self._other, "big") + message
            if message[:1] == self._last:
                self._through = True
                self._ready += self._raw
                self._raw.clear()

    def take(self, size: int) -> bytes:
        """Up to ``size`` bytes of what is ready."""
        piece = bytes(self._ready[:size])
        del self._ready[:size]
        return piece
