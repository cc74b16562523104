"""Which address of this computer may stand for a node, and why another may not.

The helper has the last word on private addresses; what is said here is what can be said
before anybody is asked for a password.
"""

from __future__ import annotations

import contextlib
import socket
import sys
from collections.abc import Callable, Iterable
from ipaddress import AddressValueError, IPv4Address, IPv4Network

from spyglass.errors import Failure
from spyglass.loopback.interfaces import LOOPBACK, Own, own

AUTO = "auto"
LOCAL = IPv4Network("127.0.0.0/8")
OWN = IPv4Address("127.0.0.1")
PRIVATE = tuple(
    IPv4Network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")
)
"""RFC 1918 and RFC 6598: what the helper may add. Other addresses belong to somebody on the internet."""

MARK = "lo:sg"
"""How the label of an address begins that the helper added; the uid follows."""

POOL = tuple(str(IPv4Address("127.0.0.2") + number) for number in range(16))
"""What the LaunchDaemon of ``packaging/macos`` adds at boot, on Macs where somebody installed it."""

WAYS = (
    "Observer, `spyglass shell` and `spyglass rpc` reach the node without an address of its own, and so does "
    "your own iex or erl by the line that `spyglass forward` prints."
)


def wanted(node: str, asked: str = AUTO) -> str:
    """The address at which the node is to answer: the one asked for, or the host in its own name.

    Raises Failure (code ``no-alias``) when it is none that could be had.
    """
    host = node.partition("@")[2] if asked == AUTO else asked
    try:
        address = IPv4Address(host)
    except AddressValueError:
        if asked == AUTO:
            raise refused(f"{node} is named by a host name, not by an address", _NAMED) from None
        raise refused(
            f"{host} is not an IPv4 address", "Write --alias auto, or an address such as 127.0.0.2."
        ) from None
    _check_kind(address)
    return str(address)


_NAMED = (
    f"{WAYS} For other tools, give --alias an address such as 127.0.0.2, and let the host name lead to it "
    "in /etc/hosts."
)


def _check_kind(address: IPv4Address) -> None:
    home = next((net for net in (LOCAL, *PRIVATE) if address in net), None)
    if home is None:
        raise refused(f"{address} is a public address: it belongs to somebody on the internet")
    if address in {home.network_address, home.broadcast_address}:
        raise refused(f"{address} is the address of a network, not of a computer")
    if address == OWN:
        raise refused(
            f"{address} is this computer's own address, where its own epmd and nodes live",
            f"{WAYS} For other tools, choose an address such as 127.0.0.2 for this profile.",
        )


def is_here(address: str) -> bool:
    """Whether a listener can have the address now."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((address, 0))
        return True
    return False


def needs_helper(
    address: str,
    mine: Iterable[Own] | None = None,
    system: str = sys.platform,
    here: Callable[[str], bool] = is_here,
) -> bool:
    """Whether the address must be put on the loopback interface first.

    ``mine`` are this computer's addresses. Raises Failure (code ``no-alias``) when it is in use here,
    or can't be had on this ``system``.
    """
    wish = IPv4Address(address)
    if wish in LOCAL:
        return _is_local_missing(address, system, here)
    if not system.startswith("linux"):
        raise refused(f"Only addresses of 127.0.0.0/8 can be had on this system, and {address} is none", WAYS)
    for have in own() if mine is None else mine:
        if have.index == LOOPBACK and have.address == wish:
            return _is_there(wish, have.label)
        if wish in have.network:
            raise refused(
                f"{address} is in the network of this computer's own address {have.address}/{have.length} "
                f"({have.label or 'interface'})",
                f"What answers there now would be hidden. {WAYS}",
            )
    return True


def _is_there(address: IPv4Address, label: str) -> bool:
    """Somebody put it on the loopback interface: to stay, or for another run of ours."""
    if label.startswith(MARK):
        raise refused(
            f"{address} stands for a node of another Spyglass on this computer",
            "One that ended suddenly leaves it for a minute at most. Try again then.",
        )
    return False


def _is_local_missing(address: str, system: str, here: Callable[[str], bool]) -> bool:
    """Linux and Windows have all of 127/8; a Mac has what somebody put on lo0."""
    if system == "darwin" and not here(address):
        pool = f" (`spyglass helper` tells how to have {POOL[0]} to {POOL[-1]} added at each start)"
        raise refused(
            f"{address} is not on this Mac's loopback interface",
            f"`sudo ifconfig lo0 alias {address}` adds it{pool if address in POOL else ''}, "
            f"and -alias removes it. {WAYS}",
        )
    return False


def refused(title: str, hint: str = WAYS) -> Failure:
    """The Failure for an address that can't be had."""
    return Failure(title, hint, code="no-alias")
