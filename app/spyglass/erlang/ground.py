"""Grounds: the network namespaces of a place, each with what lives in it.

A distribution port belongs to a network namespace, not to a process or a container:
containers with ``--net=host`` share the host's, others may share one with each other.
Asking each ground once means that no node is asked twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from spyglass.erlang import epmd
from spyglass.erlang.procfs import Beam, Listener
from spyglass.erlang.survey import Survey
from spyglass.remote.base import Remote
from spyglass.remote.carrier import UNKNOWN, Runtime
from spyglass.remote.container import Facts

HOST = "host"
STRAY = "@"  # begins the key of a ground that is known by an address alone
_LOOPBACK = ("127.", "::1")


@dataclass(frozen=True, slots=True)
class Way:
    """Where a port of a ground is dialled, as seen from the place; ``published``: by a port of the host.

    ``inside``: as seen from within this container, by a command there (``runtime``: where its own
    Erlang lies). Once it was gone, ``by`` is that command's name, and ``remote`` what dials it, if
    that is not the searched one.
    """

    host: str
    port: int
    published: bool = False
    inside: Facts | None = None
    runtime: Runtime = UNKNOWN
    by: str = ""
    remote: Remote | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True)
class Ground:
    """One network namespace. ``known``: its processes can be seen, so what is not there is not there."""

    key: str
    addresses: tuple[str, ...]
    containers: tuple[Facts, ...] = ()
    beams: tuple[Beam, ...] = ()
    known: bool = False
    foreign: frozenset[int] = frozenset()

    @property
    def quiet(self) -> bool:
        """Whether it is known that no BEAM runs here, so nobody need be asked."""
        return self.known and not self.beams

    @property
    def distant(self) -> bool:
        """Whether one looks at it from elsewhere than its own host, by an engine's API."""
        return any(facts.way.distant for facts in self.containers)

    @property
    def paused(self) -> bool:
        """Whether nobody here can answer, because the engine has stopped them all for now."""
        return self.key != HOST and bool(self.containers) and all(c.paused for c in self.containers)

    @property
    def listeners(self) -> tuple[Listener, ...]:
        """All that listens here, as far as it is known."""
        return tuple(dict.fromkeys(found for beam in self.beams for found in beam.listeners))

    def listens(self, port: int) -> bool:
        """Whether something listens on the port; True as well when nobody can tell."""
        return not self.known or any(found.port == port for found in self.listeners)

    def epmd_ports(self) -> list[int]:
        """Where an epmd may listen: its own port, and those that processes were told of."""
        told = [beam.epmd_port for beam in self.beams] + [
            c.environ.get("ERL_EPMD_PORT", "") for c in self.containers
        ]
        ports = [
            epmd.PORT,
            *(int(p) for p in told if p.isascii() and p.isdecimal() and len(p) < 6 and 0 < int(p) < 65536),
        ]
        return [p for p in dict.fromkeys(ports) if self.listens(p) and p not in self.foreign]

    def ways(self, port: int) -> list[Way]:
        """Where to dial the port: what its listener is bound to, the ground's addresses, published ports."""
        bound = self._bound(port)
        own = [a for a in bound if a] if bound and all(bound) else []
        if self.key != HOST:
            own = [a for a in own if not a.startswith(_LOOPBACK)]
        direct = [Way(a, port) for a in dict.fromkeys([*own, *self.addresses])]
        published = [p for c in self.containers for p in c.published if p.port == port]
        others = [Way(p.host, p.host_port, published=True) for p in published]
        if self.only_inside(port):
            direct = []  # and what the host publishes leads to the container's address, unless it is rootless
            others = others if any(c.way.rootless for c in self.containers) else []
        known = others + direct if self.distant else direct + others
        return known + self._from_within(port, bound, alone=not known)

    def _from_within(self, port: int, bound: list[str], *, alone: bool) -> list[Way]:
        """By a command in one of its containers: where it surely listens, or where there is no other way."""
        beam = next((b for b in self.beams if any(found.port == port for found in b.listeners)), None)
        facts = self.container_of(beam) or next(iter(self.containers), None)
        if self.key == HOST or facts is None or not (bound or alone):
            return []
        host = bound[0] if bound and all(bound) else "127.0.0.1"
        return [Way(host, port, inside=facts, runtime=beam.runtime if beam else UNKNOWN)]

    def _bound(self, port: int) -> list[str]:
        """The addresses that the port is known to listen at, empty ones for all of them."""
        return [found.address for found in self.listeners if found.port == port]

    def only_inside(self, port: int) -> bool:
        """Whether the port is known to listen on the ground's loopback alone."""
        bound = self._bound(port)
        return self.key != HOST and bool(bound) and all(a.startswith(_LOOPBACK) for a in bound)

    def guesses(self, taken: set[int], names: set[str], wanted: Callable[[str], bool]) -> list[int]:
        """Ports that may be a distribution port though no epmd speaks of them.

        ``taken`` ports are explained already, ``names`` (up to the ``@``) too. Of processes
        that carry a name only the ``wanted`` ones count.
        """
        ports: list[int] = []
        for beam in self.beams:
            if beam.may_listen and beam.short not in names and wanted(beam.short or ""):
                ports += _own_ports(beam)
        return [
            p for p in dict.fromkeys(ports) if p not in taken and p not in self.foreign and p != epmd.PORT
        ][:16]

    def beam_of(self, node: str, port: int | None) -> Beam | None:
        """The process behind a node: by its socket, by its name, or because there is only one."""
        return match(self.beams, node, port)

    def container_of(self, beam: Beam | None) -> Facts | None:
        """The container that a process of this ground is in."""
        if beam:
            return next((c for c in self.containers if c.id in beam.container_ids), None)
        alone = self.containers if self.key != HOST else ()
        return alone[0] if alone else None


def match(beams: Iterable[Beam], node: str, port: int | None) -> Beam | None:
    """The one of ``beams`` that is the node; None when that can't be told."""
    beams = tuple(beam for beam in beams if beam.pid > 0)  # the survey's stand-in for an account has none
    inodes = {found.inode for beam in beams for found in beam.listeners if found.port == port}
    for beam in beams:
        if beam.sockets and beam.sockets & inodes:
            return beam
    named = [b for b in beams if b.name == node] or [b for b in beams if b.short == node.partition("@")[0]]
    if named:
        return named[0]
    unnamed = [b for b in beams if not (b.name and node)]  # a mere guess has no name
    return unnamed[0] if len(unnamed) == 1 else None


def _own_ports(beam: Beam) -> list[int]:
    """The ports that are certainly the process's, or at least its user's."""
    if beam.sockets is not None:
        return [found.port for found in beam.listeners if found.inode in beam.sockets]
    return [found.port for found in beam.listeners if found.uid == beam.uid]


def housed(survey: Survey, containers: Iterable[Facts]) -> Survey:
    """The survey, with the containers of those processes that only their ancestors place in one."""
    firsts = {facts.pid: facts.id for facts in containers if facts.id in survey.visible}

    def place(beam: Beam) -> Beam:
        home = next((firsts[pid] for pid in beam.ancestors if pid in firsts), None)
        return replace(beam, container_ids=(home,)) if home else beam

    return replace(survey, beams=tuple(map(place, survey.beams)))


def lay_out(survey: Survey, containers: Iterable[Facts]) -> list[Ground]:
    """The grounds of a place: the host's first, then one for each network namespace of containers."""
    by_id = {facts.id: facts for facts in containers}
    members: dict[str, list[Facts]] = defaultdict(list)
    for facts in by_id.values():
        members[_root(facts, by_id)].append(facts)
    beams: dict[str, list[Beam]] = defaultdict(list)
    for beam in survey.beams:
        beams[_home(beam, survey, by_id)].append(beam)
    return [
        _ground(key, members[key], beams[key], survey, by_id)
        for key in dict.fromkeys([HOST, *members, *beams])
    ]


def strays(addresses: Iterable[str]) -> list[Ground]:
    """A ground for each address of which nothing else is known, because another machine has it."""
    return [Ground(STRAY + address, (address,)) for address in sorted(addresses)]


def _ground(
    key: str, members: list[Facts], beams: list[Beam], survey: Survey, by_id: dict[str, Facts]
) -> Ground:
    if key == HOST:
        published = frozenset(p.host_port for facts in by_id.values() for p in facts.published)
        return Ground(key, ("127.0.0.1",), tuple(members), tuple(beams), survey.readable, published)
    own = (a for facts in members for a in facts.near)
    afar = any(facts.way.rootless for facts in members)
    seen = (a for beam in beams for a in beam.addresses if not afar)
    known = survey.readable and all(facts.id in survey.visible for facts in members)
    return Ground(key, tuple(dict.fromkeys([*own, *seen])), tuple(members), tuple(beams), known)


def _root(facts: Facts, by_id: dict[str, Facts]) -> str:
    """Whose network the container has."""
    for _ in by_id:
        if not facts.mode.startswith("container:"):
            break
        wanted = facts.mode.partition(":")[2]
        found = next((f for f in by_id.values() if f.called(wanted)), None)
        if found is None:
            return wanted
        facts = found
    return HOST if facts.shares_host else facts.id


def _home(beam: Beam, survey: Survey, by_id: dict[str, Facts]) -> str:
    """Whose network the process has. Of a container that no engine told of, the addresses tell."""
    known = next((i for i in beam.container_ids if i in by_id), None)
    if known:
        return _root(by_id[known], by_id)
    if not beam.container_ids or (beam.addresses and beam.addresses == survey.addresses):
        return HOST
    return beam.container_ids[-1]
