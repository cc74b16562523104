"""TLS over any Stream: an SSH channel, a pipe to a command, a socket.

Python's ``ssl`` can wrap sockets only; its memory BIOs do the same for everything else. One
thread may read while another writes, as with a socket.
"""

from __future__ import annotations

import contextlib
import os
import ssl
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from spyglass.errors import BadInput, Denied, Lost, Unreachable

if TYPE_CHECKING:
    from spyglass.remote.base import Stream

_PIECE = 16_384  # bytes of one TLS record, at most (RFC 8446, section 5.1)


def pem(path: str, hint: str) -> str:
    """What a PEM file (RFC 7468) of this computer holds; empty for none.

    Words around what is encoded may be of any alphabet. Raises BadInput with the ``hint``.
    """
    if not path:
        return ""
    why = "it is no PEM file"
    try:
        text = Path(path).expanduser().read_bytes().decode("ascii", "ignore")
    except OSError as exc:
        text, why = "", str(exc.strerror)
    if "-----BEGIN " not in text:
        raise BadInput(f"{path} can't be read: {why}", hint, code="bad-certificate")
    return text


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a client shows and believes, as PEM text; empty: nothing of the kind.

    Without ``authorities`` a server is believed whatever it shows. ``certificate`` may carry the
    chain behind it; ``passphrase`` is asked for only when the key is encrypted.
    """

    authorities: str = field(default="", repr=False)
    certificate: str = field(default="", repr=False)
    key: str = field(default="", repr=False)
    passphrase: Callable[[], str] | None = field(default=None, repr=False, compare=False)

    def context(self, *, check_hostname: bool = False) -> ssl.SSLContext:
        """A client's context. Raises BadInput for what is no certificate or key, or does not fit."""
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        made.check_hostname = check_hostname and bool(self.authorities)
        made.verify_mode = ssl.CERT_REQUIRED if self.authorities else ssl.CERT_NONE
        try:
            if self.authorities:
                made.load_verify_locations(cadata=self.authorities)
            if self.certificate:
                self._show_certificate(made)
        except (ssl.SSLError, ValueError, TypeError) as exc:
            raise BadInput(
                f"The TLS certificates can't be used: {_reason(exc)}",
                "Name PEM files; the key must be the one of the certificate.",
                code="bad-certificate",
            ) from None
        return made

    def _show_certificate(self, made: ssl.SSLContext) -> None:
        ask = self.passphrase
        password = ask or _no_passphrase
        with _file(self.certificate) as certificate, _file(self.key or self.certificate) as key:
            made.load_cert_chain(certificate, key, password)


def _no_passphrase() -> str:
    raise BadInput("The TLS key has a passphrase", "Name a key without one.", code="bad-certificate")


@contextlib.contextmanager
def _file(text: str) -> Iterator[str]:
    """A path behind which OpenSSL, which reads files only, finds the text; in memory where there is a way."""
    if hasattr(os, "memfd_create"):
        number = os.memfd_create("pem", os.MFD_CLOEXEC)
        with os.fdopen(number, "wb") as file:
            file.write(text.encode())
            file.flush()
            yield f"/proc/self/fd/{number}"
        return
    with tempfile.TemporaryDirectory() as directory:  # 0700
        path = Path(directory) / "pem"
        path.write_text(text, "utf-8")
        yield str(path)


class TLSStream:
    """A Stream that speaks TLS through another one. Closing it closes that one too."""

    def __init__(
        self, inner: Stream, context: ssl.SSLContext, server_name: str = "", *, seconds: float = 5.0
    ) -> None:
        """Shake hands, within ``seconds`` for each answer. Raises Unreachable, Denied or Lost.

        ``server_name`` is told to the server (RFC 6066, section 3), and checked if the context does.
        """
        self._inner = inner
        self._coming, self._going = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._coming, self._going, server_hostname=server_name or None)
        self._state, self._sending = threading.Lock(), threading.Lock()
        self.refusal = ""
        inner.settimeout(seconds)
        try:
            self._shake_hands()
        except ssl.SSLCertVerificationError as exc:
            raise Denied(
                f"The server's TLS certificate is not to be trusted: {exc.verify_message}",
                "Name the certificate of the authority that signed it.",
                code="tls-untrusted",
            ) from None
        except TimeoutError:
            raise Unreachable("The server does not answer in TLS", code="no-tls") from None
        except ssl.SSLError as exc:
            self._note(exc)
            raise Denied(
                f"The TLS handshake failed: {_reason(exc)}",
                "The server may want a client certificate, or another TLS version.",
                code="tls-refused",
            ) from None
        except OSError as exc:
            raise Lost("The server hung up in the TLS handshake") from exc

    def _shake_hands(self) -> None:
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self._flush()
                self._feed()
            else:
                self._flush()
                return

    def recv(self, size: int, /) -> bytes:
        """At least one byte, or ``b""`` at the end. A refusal that comes late is an OSError."""
        while True:
            with self._state:
                try:
                    return self._tls.read(min(size, _PIECE))
                except ssl.SSLWantReadError:
                    pass
                except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                    return b""
                except ssl.SSLError as exc:
                    self._note(exc)
                    raise
            self._flush()
            self._feed()

    def sendall(self, data: bytes, /) -> None:
        """Send everything."""
        view = memoryview(data)
        for start in range(0, len(view), _PIECE):
            with self._state:
                self._tls.write(view[start : start + _PIECE])
            self._flush()

    def shutdown_write(self) -> None:
        """Say goodbye (close_notify) and end the way there; reading goes on (RFC 8446, section 6.1)."""
        with self._state, contextlib.suppress(ssl.SSLError):
            self._tls.unwrap()
        self._flush()
        self._inner.shutdown_write()

    def settimeout(self, seconds: float | None, /) -> None:
        """Limit each later recv and sendall."""
        self._inner.settimeout(seconds)

    def close(self) -> None:
        """Release it; may be called twice and from any thread."""
        self._inner.close()

    def _flush(self) -> None:
        """Send what is to be sent. In its own lock, so that records keep their order."""
        with self._sending:
            with self._state:
                data = self._going.read()
            if data:
                self._inner.sendall(data)

    def _feed(self) -> None:
        data = self._inner.recv(_PIECE)
        with self._state:
            if data:
                self._coming.write(data)
            else:
                self._coming.write_eof()

    def _note(self, exc: ssl.SSLError) -> None:
        self.refusal = _reason(exc)


def _reason(exc: Exception) -> str:
    """OpenSSL's words without its decoration: ``tlsv13 alert certificate required``."""
    told = getattr(exc, "reason", None) or str(exc)
    return str(told).lower().replace("_", " ")
