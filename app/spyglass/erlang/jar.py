"""The cookies that come into question for a node, cheapest and likeliest first.

What the survey saw costs nothing. A look into the container by the engine's ``exec`` costs a
tenth of a second or more and is taken only when the caller asks that far.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from spyglass.erlang import cookies
from spyglass.erlang.cookies import Candidate, Given
from spyglass.erlang.ground import HOST, STRAY, Ground, match
from spyglass.erlang.inside import Inside
from spyglass.erlang.procfs import Beam


class Jar:
    """Candidates for one search; ``given`` is what the person gave.

    ``kin`` are the grounds of the target's members here: one that is known by its address alone, because
    it runs on another machine, has most likely their cookie.
    """

    def __init__(self, given: Given, inside: Inside) -> None:
        self._given, self._inside = given, inside
        self.kin: tuple[Ground, ...] = ()

    def prepare(self, ground: Ground, beam: Beam) -> None:
        """Begin to look inside when the survey shows no cookie of the process: that takes longest."""
        facts = ground.container_of(beam)
        if facts and beam.may_listen and not self._given and not cookies.found_in(beam, facts.environ):
            self._inside.begin(facts, beam)

    def candidates(self, ground: Ground, beam: Beam | None, node: str, port: int) -> Iterator[Candidate]:
        """What may be the node's cookie, each value once."""
        tried: set[str] = set()
        for candidate in self._told(ground, beam, node, port):
            if candidate.value not in tried:
                tried.add(candidate.value)
                yield candidate

    def _told(self, ground: Ground, beam: Beam | None, node: str, port: int) -> Iterator[Candidate]:
        yield from cookies.given_for(self._given, node)
        if ground.key.startswith(STRAY):
            yield from self._of_kin()
            return
        if beam is None and ground.key == HOST:
            yield from self._of_guests(ground, node, port)
        facts = ground.container_of(beam)
        environ = facts.environ if facts else None
        for one in (beam,) if beam else ground.beams or (Beam(pid=-1),):
            yield from cookies.found_in(one, environ)
        if facts:
            beams = self._inside.look(facts, beam).beams
            own = match(beams, node, port)
            for one in (own,) if own else beams:
                yield from cookies.found_in(one, environ)

    def _of_kin(self) -> Iterator[Candidate]:
        for ground in self.kin:
            for beam in ground.beams:
                facts = ground.container_of(beam)
                for one in cookies.found_in(beam, facts.environ if facts else None):
                    yield replace(one, source=f"{one.source} of {facts.name if facts else 'the host'}")

    def _of_guests(self, ground: Ground, node: str, port: int) -> Iterator[Candidate]:
        """Where the host hides its processes, one of a container in its network may be the node."""
        for facts in ground.containers:
            guest = match(self._inside.look(facts, None).beams, node, port)
            if guest:
                yield from cookies.found_in(guest, facts.environ)

    def better_source(self, ground: Ground, beam: Beam | None, cookie: Candidate) -> Candidate | None:
        """Where a cookie of the command line really came from; None when that is known well enough.

        The script of a release puts the cookie there that it read from elsewhere.
        """
        facts = ground.container_of(beam)
        boot = beam.option("-boot") if beam else None
        told = cookie.source in {cookies.COMMAND_LINE, cookies.VM_ARGS}
        if not (facts and beam and boot and "/releases/" in boot and told and beam.environ is None):
            return None
        own = match(self._inside.look(facts, beam).beams, beam.name or "", None)
        same = (c for c in cookies.found_in(own, facts.environ) if c.value == cookie.value) if own else ()
        return next((c for c in same if c.source != cookie.source), None)
