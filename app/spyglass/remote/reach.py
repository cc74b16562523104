"""Getting to an SSH server: the stream to it, the handshake on it, and each failure in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from paramiko.ssh_exception import IncompatiblePeer, SSHException

from spyglass.errors import Cancelled, Failure, Unreachable
from spyglass.remote import hostkeys
from spyglass.remote.dialling import place
from spyglass.remote.local import Local
from spyglass.remote.proxy import ProxyStream
from spyglass.remote.transport import Transport

if TYPE_CHECKING:
    from spyglass.remote.base import Remote, Stop, Stream
    from spyglass.remote.sshconfig import Settings


def reach(settings: Settings, through: Remote, stop: Stop) -> Stream:
    """A stream to the server's port: by ProxyCommand, or through the Remote reached so far.

    A ProxyCommand runs on this computer, so it counts for the first hop only (``ssh -J``
    ignores it for the later ones as well).
    """
    if settings.proxy_command and isinstance(through, Local):
        return ProxyStream(settings.proxy_command, settings.alias)
    dial = getattr(through, "dial_until", None)
    try:
        if dial is not None:  # this computer and SSH servers can be interrupted
            stream: Stream = dial(settings.hostname, settings.port, settings.connect_timeout, stop)
        else:
            stream = through.dial(settings.hostname, settings.port, settings.connect_timeout)
    except Unreachable as exc:
        raise _named(exc, settings) from exc
    return stream


def _named(exc: Unreachable, settings: Settings) -> Unreachable:
    """Tell of the name that the person wrote, where ssh_config made another one of it."""
    if settings.alias in exc.title:
        return exc
    where = place(settings.hostname, settings.port)
    hint = f"{settings.alias} stands for {where} in the SSH configuration. {exc.hint}"
    return Unreachable(exc.title, hint, code=exc.code, retry=exc.retry)


def shake_hands(transport: Transport, settings: Settings, stream: Stream) -> None:
    """Banner, key exchange, the server's proof of its host key. Raises a Failure that says what failed."""
    types = hostkeys.preferred_types(settings.known_hosts, *settings.known_as)
    try:
        transport.shake_hands(settings.connect_timeout, types)
    except Cancelled:
        raise
    except (OSError, EOFError, SSHException) as exc:
        raise handshake_failure(exc, settings, stream) from exc


def handshake_failure(exc: Exception, settings: Settings, stream: Stream) -> Failure:
    """What the end of a handshake means to a person."""
    where = place(settings.hostname, settings.port)
    if isinstance(stream, ProxyStream) and (reason := stream.why()):
        return reason
    if isinstance(exc, IncompatiblePeer):
        return _incompatible(exc, where)
    if isinstance(exc, TimeoutError):
        return Unreachable(
            f"{where} accepts connections but does not answer as an SSH server",
            "See whether the port is right. A server under heavy load may look like this too.",
            code="no-banner",
        )
    if "Indecipherable protocol" in str(exc):
        return Unreachable(
            f"{where} is not an SSH server",
            "Something else listens there: see whether the port is right.",
            code="not-ssh",
            retry=False,
        )
    if isinstance(exc, OSError | EOFError) or "protocol banner" in str(exc):
        return Unreachable(
            f"{where} closed the connection during the SSH handshake",
            "The server may be overloaded (MaxStartups) or may not want connections from here.",
            code="closed",
        )
    return Failure(
        f"The SSH handshake with {where} failed: {exc}", "Look at the server's log.", code="handshake"
    )


def _incompatible(exc: IncompatiblePeer, where: str) -> Failure:
    what = str(exc).partition("(")[2].rstrip(")") or str(exc)
    return Failure(
        f"{where} and Spyglass have no SSH algorithm in common ({what})",
        "The server offers only very old or unusual algorithms (SHA-1, DSA, chacha20 alone). "
        "Let it offer aes256-gcm or aes256-ctr, curve25519 and an Ed25519, ECDSA or RSA key.",
        code="algorithms",
    )
