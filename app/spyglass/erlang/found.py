"""What discovery hands on: nodes as people see them, with what is needed to reach them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from msgspec.structs import replace

from spyglass.erlang import names
from spyglass.erlang.cookies import Candidate
from spyglass.erlang.ground import HOST, STRAY, Ground, Way
from spyglass.erlang.handshake import Peer
from spyglass.erlang.procfs import Beam
from spyglass.remote.base import Remote
from spyglass.remote.container import Facts
from spyglass.status import Cookie, NodeInfo

if TYPE_CHECKING:
    from spyglass.erlang.aim import Aim
    from spyglass.remote.container import Engine
    from spyglass.remote.tls import Credentials


@dataclass(frozen=True, slots=True)
class Found:
    """A node. Dial it at ``host:port`` through ``remote``; None means the one that was searched.

    ``certificates`` reads those of the node itself, where it wants one of whoever connects: that
    takes a person's consent.
    """

    info: NodeInfo
    cookie: str | None = field(default=None, repr=False)
    host: str = ""
    port: int = 0
    remote: Remote | None = field(default=None, repr=False)
    certificates: Callable[[], Credentials] | None = field(default=None, repr=False, compare=False)

    @property
    def bare(self) -> Remote | None:
        """What dials the ports there as they are: ``remote``, without the TLS that ends on the way."""
        return getattr(self.remote, "inner", None) if self.info.tls else self.remote


@dataclass(frozen=True, slots=True)
class Discovery:
    """All that was found, in a steady order, and what people should know besides.

    ``containers`` tells, by engine, how many run there and how many of them were wanted. ``aim`` is what
    was asked at the far end for the target's addresses, if it has such a name; ``engines`` have answered;
    ``processes`` are the numbers of the BEAMs that were seen.
    """

    found: list[Found]
    warnings: list[str]
    containers: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    aim: Aim | None = field(default=None, repr=False)
    engines: tuple[Engine, ...] = ()
    processes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """What all nodes of one search have in common."""

    hops: tuple[str, ...]
    hostname: str


@dataclass(frozen=True, slots=True)
class Door:
    """A port behind which a node should be. ``short``: what epmd calls it; None for a guess."""

    port: int
    short: str | None = None
    epmd_port: int | None = None


def reachable(
    place: Place, ground: Ground, door: Door, peer: Peer, way: Way, beam: Beam | None, cookie: Candidate
) -> Found:
    """A node whose name is certain and whose cookie is proved."""
    info = _info(place, ground, peer.node, beam, door, way, peer)
    shown = Cookie(found=True, source=cookie.source, proved=True)
    return Found(replace(info, reachable=True, cookie=shown), cookie.value, way.host, way.port, way.remote)


def locked(
    place: Place, ground: Ground, door: Door, peer: Peer, way: Way, beam: Beam | None, wrong: int
) -> Found:
    """A node that answers, but no cookie fits."""
    info = _info(place, ground, peer.node, beam, door, way, peer)
    why = (
        "no cookie found"
        if not wrong
        else f"none of {wrong} cookies fits"
        if wrong > 1
        else "the cookie found does not fit"
    )
    shown = Cookie(found=wrong > 0, source=None, proved=False if wrong else None)
    return Found(
        replace(info, reachable=False, why_not=why, cookie=shown), None, way.host, way.port, way.remote
    )


def closed(
    place: Place,
    ground: Ground,
    node: str,
    why: str,
    beam: Beam | None,
    door: Door | None = None,
    *,
    tls: bool = False,
) -> Found:
    """A node that should be there but does not answer, and why."""
    info = _info(place, ground, node, beam, door, None, None)
    return Found(replace(info, reachable=False, why_not=why, tls=tls))


def full_name(place: Place, ground: Ground, short: str, beam: Beam | None) -> str:
    """The most likely full name of a node that does not answer."""
    known = beam.name if beam and beam.name and beam.short == short.partition("@")[0] else short
    if "@" in known:
        return known
    facts = ground.container_of(beam)
    if ground.key.startswith(STRAY):
        return f"{known}@{ground.addresses[0]}"
    host = (facts.hostname if facts and not facts.shares_host else place.hostname) or "localhost"
    return f"{known}@{host if beam and beam.option('-name') else host.split('.')[0]}"


def _info(
    place: Place,
    ground: Ground,
    node: str,
    beam: Beam | None,
    door: Door | None,
    way: Way | None,
    peer: Peer | None,
) -> NodeInfo:
    facts = ground.container_of(beam)
    runtime, home, container_id = _home(place, ground, beam, facts)
    return NodeInfo(
        key=f"{runtime}/{home}/{node}",
        node=node,
        reachable=False,
        name_type=names.name_type(node) if names.valid(node) else None,
        hops=place.hops,
        runtime=runtime,
        container=home if container_id else None,
        container_id=container_id,
        image=facts.image if facts else None,
        networks=tuple(network.name for network in facts.networks) if facts else (),
        address=way.host if way else next(iter(ground.addresses), None),
        port=way.port if way else door.port if door else None,
        via=_via(door, way),
        epmd_port=door.epmd_port if door else None,
        hidden=peer.hidden if peer else None,
        otp=peer.otp if peer else None,
        elixir=beam.elixir if beam else None,
    )


def _home(
    place: Place, ground: Ground, beam: Beam | None, facts: Facts | None
) -> tuple[str, str, str | None]:
    """Runtime, name and container id of where a node lives, as far as they are known."""
    if facts:
        return facts.engine, facts.name, facts.id
    if ground.key.startswith(STRAY):
        return "address", ground.key.removeprefix(STRAY), None
    unknown = beam.container_ids[-1] if beam and beam.container_ids else ground.key
    return ("host", place.hostname, None) if unknown == HOST else ("container", unknown[:12], unknown)


def _via(door: Door | None, way: Way | None) -> str | None:
    if way and way.by:
        return f"relay ({way.by})"
    if way and way.published:
        return "published port"
    if door is None:
        return None
    return "epmd" if door.epmd_port else "socket"
