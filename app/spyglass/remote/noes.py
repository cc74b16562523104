"""What servers and commands say no to, in words for people. ``here`` is who was asked: ``deploy@prod``."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from spyglass.errors import Denied, Failure, Unreachable
from spyglass.remote.dialling import explain, place

if TYPE_CHECKING:
    from spyglass.remote.transport import Refused

_PROHIBITED = 1  # SSH_OPEN_ADMINISTRATIVELY_PROHIBITED (RFC 4254, 5.1)
_NOT_FOUND = ("not known", "no address", "name resolution", "resolve")


def no_way(exc: Refused, host: str, port: int, here: str) -> Failure:
    """A refused direct-tcpip channel (RFC 4254, 5.1)."""
    where, words = place(host, port), exc.words.lower()
    if exc.code == _PROHIBITED:
        return Denied(
            f"{here} does not forward to {where}",
            "The server forbids it: see AllowTcpForwarding and PermitOpen in its sshd_config, and the "
            "options of the key in authorized_keys.",
            code="forwarding-prohibited",
        )
    if "refused" in words:
        return explain(ConnectionRefusedError(), host, port, here)
    if any(word in words for word in _NOT_FOUND):
        return explain(socket.gaierror(), host, port, here)
    reason = exc.words.rstrip(".") or "no reason given"
    return Unreachable(
        f"{where} can't be reached from {here}: {reason}", "See whether it is up, seen from there."
    )


def no_commands(here: str, words: str = "") -> Denied:
    """A refused session, or a refused exec in it."""
    return Denied(
        f"{here} does not let this account run commands" + (f": {words}" if words else ""),
        "Spyglass looks around by commands: see ForceCommand, MaxSessions and the account's shell there.",
        code="exec-prohibited",
    )


def no_session(here: str, most: int) -> Unreachable:
    """Every session that may stay open over one connection is in use; ``most`` are allowed."""
    return Unreachable(
        f"{here}: one SSH connection carries {most} relay{'s' * (most > 1)}, and none is free",
        "Close a window or a forward that is not needed, or reach this node by a profile of its own, which "
        "has a connection of its own. (Of sshd's ten sessions a connection, see MaxSessions, two are kept.)",
        code="sessions",
    )


def too_slow(command: str, timeout: float, here: str) -> Failure:
    """A command that was killed at its time (``timeout`` seconds)."""
    return Failure(
        f"{command} did not end within {timeout:g} seconds on {here}",
        "See whether the machine is overloaded, or whether the command waits for something.",
        retry=True,
        code="timeout",
    )
