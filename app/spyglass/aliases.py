"""Alias mode: nodes answer at their own addresses on this computer, to any tool, by their true names.

Two ports of an address lead to a node: the one of its epmd, which tells the other, and the one of
its distribution. They stay while the connection behind them comes and goes, and only programs of
our own user, on this computer, are let in.

What listens at a node's own address is what the node itself speaks, byte by byte: a node of TLS
distribution answers by TLS there, to a tool started with ``-proto_dist inet_tls`` and certificates of
its own. (Forwards end the TLS on the way, as what goes by them is ours: :mod:`spyglass.erlang.secure`.)

That they stay is why each connection asks anew where its node is, and dials there, in place of one
``relay`` of the Remote's. It costs nothing: SSH's own relay is the same ThreadRelay over the same
channels. Measured side by side over one sshd, median of nine rounds: a round trip through an alias
takes 0.96 to 1.03 of one through a forward, a first byte 1.08.
"""

from __future__ import annotations

import errno
import os
import socket
import sys
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, Self

from spyglass.errors import Unreachable
from spyglass.forward import OwnListener
from spyglass.loopback import addresses, epmd
from spyglass.loopback.claims import Claims
from spyglass.loopback.responder import Responder
from spyglass.remote.relay import ThreadRelay

if TYPE_CHECKING:
    from spyglass.erlang.found import Found
    from spyglass.remote.base import Relay, Remote, Stream

EPMD = 4369
LIMIT = 10.0
"""Seconds for dialling."""


class Way(Protocol):
    """What knows the way to the nodes at this moment (:class:`spyglass.session.Session`)."""

    @property
    def remote(self) -> Remote:
        """The place where the nodes are."""

    def match(self, wanted: str, /) -> Found | None:
        """The node with this key, if it is known."""


class Adder(Protocol):
    """What can put an address on the loopback interface (:class:`spyglass.loopback.client.Helper`)."""

    def add(self, address: str, /) -> None:
        """Add it, or raise a Failure."""

    def remove(self, address: str, /) -> None:
        """Take one away again, if it is there."""

    def close(self) -> None:
        """Take all away again."""


@dataclass(slots=True)
class _Seat:
    """A node at an address: where it is looked up, and what listens for it."""

    key: str
    port: int
    relay: Relay


@dataclass(slots=True)
class _Home:
    """An address with the port of an epmd, and the nodes that answer there, by the part before the ``@``."""

    address: str
    epmd_port: int
    epmd: Relay | None = None
    seats: dict[str, _Seat] = field(default_factory=dict)

    def ports(self) -> dict[str, int]:
        """What an epmd would know."""
        return {short: seat.port for short, seat in self.seats.copy().items()}

    def close(self) -> None:
        """End the listeners and what they carry."""
        for relay in (self.epmd, *(seat.relay for seat in self.seats.values())):
            if relay is not None:
                relay.close()
        self.seats.clear()


class Aliases:
    """The addresses of one connection, open until closed. Not for several threads, but for :meth:`drop`."""

    def __init__(self, owner: str, way: Callable[[], Way], helper: Adder, *, everyone: bool = False) -> None:
        """``owner`` is the profile's name; ``way`` may raise a Failure while there is no connection.

        ``everyone``: every user of this computer is let in.
        """
        self._way, self._helper, self._everyone = way, helper, everyone
        self._claims = Claims(owner)
        self._addresses: set[str] = set()
        self._homes: dict[tuple[str, int], _Home] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the listeners, then take the addresses away; may be called twice."""
        for address in list(self._addresses):
            self.drop(address)
        self._helper.close()
        self._claims.close()

    def drop(self, address: str) -> None:
        """End what listens on an address, which is nobody's then; from any thread."""
        self._addresses.discard(address)
        for place in [place for place in self._homes if place[0] == address]:
            self._homes.pop(place).close()
        self._claims.release(address)

    def keep(self, wanted: Collection[str]) -> None:
        """Give up all addresses but these."""
        for address in self._addresses - set(wanted):
            self.release(address)

    def release(self, address: str) -> None:
        """Give up an address, if it is held."""
        if address in self._addresses:
            self.drop(address)
            self._helper.remove(address)

    def open(self, found: Found, asked: str = addresses.AUTO) -> tuple[str, int, int]:
        """Let the node answer at its address; return that, its port there, and the port of its epmd.

        May be called again: a node that came back elsewhere is led to there. Raises Failure when the
        address can't be had.
        """
        address = addresses.wanted(found.info.node, asked)
        home = self._home(address, found.info.epmd_port or int(os.environ.get("ERL_EPMD_PORT") or EPMD))
        return address, self._seat(home, found).port, home.epmd_port

    def _home(self, address: str, epmd_port: int) -> _Home:
        """Have the address, and answer there as an epmd."""
        if address not in self._addresses:
            self._take(address)
        home = self._homes.setdefault((address, epmd_port), _Home(address, epmd_port))
        if home.epmd is None:
            home.epmd = self._relay(home, epmd_port, lambda: self._to_epmd(home))
        return home

    def _take(self, address: str) -> None:
        self._claims.take(address)
        try:
            if addresses.needs_helper(address):
                self._helper.add(address)
        except BaseException:
            self._claims.release(address)
            raise
        self._addresses.add(address)

    def _seat(self, home: _Home, found: Found) -> _Seat:
        short, key = found.info.node.partition("@")[0], found.info.key
        seat = home.seats.get(short)
        if seat is not None and seat.key != key and self._way().match(seat.key) is not None:
            raise addresses.refused(
                f"Two nodes want to be {short} at {home.address}",
                "Name the one that is meant, or its container.",
            )
        if seat is not None and seat.port == found.port:
            seat.key = key
            return seat
        if seat is not None:
            seat.relay.close()
        relay = self._relay(home, found.port, lambda: self._to_node(home, short))
        home.seats[short] = _Seat(key, found.port, relay)
        return home.seats[short]

    def _relay(self, home: _Home, port: int, dial: Callable[[], Stream]) -> Relay:
        listener = listen(home.address, port, home.epmd_port, everyone=self._everyone)
        return ThreadRelay(listener, dial, name=f"alias {home.address}:{port}")

    def _to_node(self, home: _Home, short: str) -> Stream:
        way = self._way()
        found = way.match(home.seats[short].key)
        if found is None or not found.port:
            raise Unreachable(f"{short} is not there now")
        return (found.bare or way.remote).dial(found.host, found.port, LIMIT)

    def _to_epmd(self, home: _Home) -> Stream:
        """The epmd of the nodes there; where they have none, or not all the same one, ours."""
        way = self._way()
        known = [way.match(seat.key) for seat in home.seats.copy().values()]
        there = {
            (found.host, found.info.container_id): found for found in known if found and _has_epmd(found)
        }
        if len(there) == 1 and all(found and _has_epmd(found) for found in known):
            found = next(iter(there.values()))
            return (found.bare or way.remote).dial(found.host, home.epmd_port, LIMIT)
        return Responder(home.ports, home.epmd_port)


def _has_epmd(found: Found) -> bool:
    """Whether an epmd tells the same port as the one that leads to the node."""
    return bool(found.info.epmd_port) and found.info.via == "epmd"


def listen(address: str, port: int, epmd_port: int, *, everyone: bool = False) -> socket.socket:
    """A listener on an address of the loopback interface that nothing from outside can reach.

    An address that is not of 127/8 would answer to neighbours on the network too: the listener is
    bound to the interface (SO_BINDTODEVICE, socket(7)), or is not opened at all. (Where there is no
    such option, no such address can be had either.) Raises Failure.
    """
    plain = socket.socket(socket.AF_INET, socket.SOCK_STREAM) if everyone else None
    listener = plain or OwnListener(f"{address}:{port}")
    try:
        if sys.platform != "win32":  # there it would allow to take another's port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if sys.platform == "linux":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo\0")
        listener.bind((address, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise epmd.explain(address, port, epmd.in_the_way(address, port), epmd_port) from None
        raise addresses.refused(f"{address}:{port} can't be opened: {error.strerror}") from None
    return listener
