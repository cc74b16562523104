"""Visiting the ports of a search: who answers behind each, by TLS or not, and what to show of it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from spyglass.erlang import certificates, found
from spyglass.erlang.cookies import Given
from spyglass.erlang.findings import Findings
from spyglass.erlang.found import Door, Found, Place
from spyglass.erlang.ground import HOST, Ground, Way, match
from spyglass.erlang.handshake import HungUp, NotErlang, Refused, Silent, SpeaksTLS
from spyglass.erlang.jar import Jar
from spyglass.erlang.procfs import Beam
from spyglass.erlang.visit import Dialler, Visit
from spyglass.errors import Denied, Unreachable
from spyglass.profile import Selector
from spyglass.remote.base import Remote, Stop
from spyglass.remote.container import Container

if TYPE_CHECKING:
    from spyglass.erlang.secure import Secured
    from spyglass.remote.tls import Credentials

# Words of the alerts that say so (RFC 8446, section 6.2).
_WANTING = ("certificate", "handshake failure", "unknown ca", "access denied")
_GUESS, _SURE = 1.0, 3.0  # seconds that a port gets to speak like a node


@dataclass(frozen=True, slots=True)
class Wish:
    """What is searched: ``me`` our constant name, ``only`` the id of one container, ``given`` cookies.

    ``credentials`` are what nodes that speak TLS are tried with, one after the other.
    """

    hops: tuple[str, ...]
    me: str
    select: Selector
    given: Given
    only: str | None = None
    credentials: tuple[Credentials, ...] = ()

    @property
    def narrow(self) -> bool:
        """Whether only some containers are wanted."""
        return bool(self.only or self.select.narrows)

    def matches(self, short: str) -> bool:
        """Whether a node of this short name may be wanted; an empty one always may."""
        wanted = self.select.node.partition("@")[0]
        return not wanted or not short or fnmatchcase(short, wanted)

    def chosen(self, node: str) -> bool:
        """Whether a node of this full name is wanted."""
        return not self.select.node or fnmatchcase(node, self.select.node)


class _Stranger(Exception):  # noqa: N818 - not an error: the address means another host here
    """Another node answers there."""


class Porter:
    """Visits doors, for one search, from many threads.

    ``place`` is set when the survey has named it, ``host_meant`` when an address of the host is wanted.
    """

    def __init__(self, dialler: Dialler, wish: Wish, stop: Stop, findings: Findings, jar: Jar) -> None:
        self.place = Place(wish.hops, "")
        self.host_meant = False
        self._dialler, self._wish, self._stop, self._findings, self._jar = dialler, wish, stop, findings, jar
        self._lock = threading.Lock()
        self._secured: list[tuple[Secured, Dialler]] = []

    def is_wanted(self, ground: Ground, beam: Beam | None) -> bool:
        """In the host's ground, with a container wanted: whether the process is in that container."""
        free = ground.key != HOST or not self._wish.narrow or self.host_meant
        return free or ground.container_of(beam) is not None

    def close(self) -> None:
        """Hang up everywhere."""
        with self._lock:
            diallers = [self._dialler, *(dialler for _, dialler in self._secured)]
        for dialler in diallers:
            dialler.close()

    def visit(self, ground: Ground, door: Door) -> None:
        """Add what is behind the door to the findings, or why nothing can be had there."""
        try:
            if certificates.speaks_tls(match(ground.beams, door.short or "", door.port)):
                self._unlock(ground, door)  # at once: a plain greeting leaves a line in its log
            else:
                self._enter(ground, door, self._dialler)
        except SpeaksTLS:
            self._unlock(ground, door)
        except Silent:
            self._shut(ground, door, f"port {door.port} accepts, but gives no answer")
        except (NotErlang, HungUp):
            self._shut(ground, door, f"what answers at port {door.port} is no node")
        except Refused as failure:
            self._shut(ground, door, failure.title)
        except Unreachable as failure:
            self._shut(ground, door, _why(ground, door, failure), sure=failure.code == "no-carrier")

    def _unlock(self, ground: Ground, door: Door) -> None:
        """By TLS, with each of the certificates that we have until one is right."""
        why = ""
        for secured, dialler in self._securely():
            try:
                self._enter(ground, door, dialler, secured)
            except (Denied, HungUp) as failure:
                why = _refusal(secured, ground.ways(door.port), failure)
            else:
                return
        self._shut(ground, door, why, tls=True, sure=True)

    def _securely(self) -> list[tuple[Secured, Dialler]]:
        """What dials by TLS, made when the first node wants it: few do."""
        from spyglass.erlang.secure import Secured  # noqa: PLC0415
        from spyglass.remote.tls import Credentials  # noqa: PLC0415

        with self._lock:
            if not self._secured:
                places = [
                    Secured(self._dialler.remote, c) for c in self._wish.credentials or (Credentials(),)
                ]
                self._secured = [(place, Dialler(place)) for place in places]
        if self._stop.is_set():
            self.close()
        return self._secured

    def _enter(self, ground: Ground, door: Door, dialler: Dialler, secured: Secured | None = None) -> None:
        ways = ground.ways(door.port)
        try:
            self._meet(ground, door, dialler, secured, ways)
        except _Stranger:
            self._meet(ground, door, dialler, secured, [way for way in ways if way.inside])

    def _meet(
        self, ground: Ground, door: Door, dialler: Dialler, secured: Secured | None, ways: list[Way]
    ) -> None:
        seconds = _SURE if door.short else _GUESS
        with Visit(dialler, ways, self._wish.me, self._stop, seconds=seconds) as visit:
            peer = visit.peer
            if not self._wish.chosen(peer.node) or not self._findings.first_visit(ground.key, peer):
                return
            beam = ground.beam_of(peer.node, door.port)
            if ground.distant and not (visit.way.published or visit.way.by) and _another(peer.node, beam):
                raise _Stranger
            if not self.is_wanted(ground, beam):
                return
            outcome = visit.prove(self._jar.candidates(ground, beam, peer.node, door.port))
        about = (self.place, ground, door, peer, visit.way, beam)
        if outcome.cookie is None:
            self._findings.add(_behind(secured, found.locked(*about, outcome.wrong)))
            return
        self._findings.add(_behind(secured, found.reachable(*about, outcome.cookie)))
        if better := self._jar.better_source(ground, beam, outcome.cookie):
            self._findings.add(_behind(secured, found.reachable(*about, better)))

    def _shut(self, ground: Ground, door: Door, why: str, *, tls: bool = False, sure: bool = False) -> None:
        """List a node that does not answer; a mere guess that was wrong is no news, unless it is ``sure``."""
        short = door.short or ""
        beam = match(ground.beams, short, door.port)
        if not short and not (sure and beam):
            return
        node = found.full_name(self.place, ground, short or (beam and beam.name) or "?", beam)
        if not self._wish.chosen(node) or not self.is_wanted(ground, beam):
            return
        shut = found.closed(self.place, ground, node, why, beam, door, tls=tls)
        self._findings.add(replace(shut, certificates=self._own(ground, beam)) if tls else shut)

    def _own(self, ground: Ground, beam: Beam | None) -> Callable[[], Credentials] | None:
        """What reads the node's own certificates, should a person agree to that."""
        told, facts, remote = certificates.named(beam), ground.container_of(beam), self._dialler.remote
        if not told:
            return None
        file = Container(remote, facts).read if facts else partial(_read, remote)
        return partial(certificates.read, told, file)


def _behind(secured: Secured | None, node: Found) -> Found:
    """The node with what dials it, where that is not the searched place itself."""
    if secured is None:
        return node
    return replace(node, remote=node.remote or secured, info=msgspec.structs.replace(node.info, tls=True))


def _read(remote: Remote, path: str) -> bytes | None:
    output = remote.run(["head", "-c", "65536", "--", path])
    return output.stdout if output.status == 0 else None


def _refusal(secured: Secured, ways: list[Way], failure: Denied | HungUp) -> str:
    if isinstance(failure, Denied) and failure.code == "tls-untrusted":
        return "its TLS certificate is not to be trusted"
    told = " ".join(secured.refused(way.host, way.port) for way in ways)
    if not any(word in told for word in _WANTING):
        return f"refuses TLS: {told.strip() or 'it hangs up'}"
    return "wants a client certificate" if secured.empty_handed else "wants another client certificate"


def _another(node: str, beam: Beam | None) -> bool:
    """Whether the node is not the process: seen from afar, an address may be that of quite another host."""
    return bool(beam and beam.short and beam.short != node.partition("@")[0])


def _why(ground: Ground, door: Door, failure: Unreachable) -> str:
    if ground.only_inside(door.port):
        advice = ": publish the port" if failure.code == "no-carrier" else ""
        return f"listens on its container's loopback only, and {failure.title}{advice}"
    if "refuse" in failure.title:
        return f"port {door.port} refuses"
    return f"epmd answers, but port {door.port} does not" if door.epmd_port else failure.title
