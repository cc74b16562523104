"""One search of a place: survey, grounds, epmd, greetings, cookies; everything at once.

Every step is a task of a crew, so that a ground that does not answer holds up nobody.
The tasks share nothing but the :class:`~spyglass.erlang.findings.Findings`.
"""

from __future__ import annotations

from spyglass.erlang import afar, epmd, found, selection, slots, survey
from spyglass.erlang.aim import Aim
from spyglass.erlang.crew import Crew
from spyglass.erlang.findings import Findings
from spyglass.erlang.found import Door, Place
from spyglass.erlang.ground import HOST, Ground, housed, lay_out, strays
from spyglass.erlang.inside import Inside
from spyglass.erlang.jar import Jar
from spyglass.erlang.porter import Porter, Wish
from spyglass.erlang.procfs import Beam
from spyglass.erlang.survey import Survey
from spyglass.erlang.visit import Dialler
from spyglass.errors import Failure, Lost
from spyglass.remote.base import Remote, Stop, Stream
from spyglass.remote.container import Engine, Facts, Shellless, read_inspect, refusal

_CREW = 16


class Search:
    """One search at ``remote``. :meth:`run` returns when everything was asked."""

    def __init__(self, remote: Remote, wish: Wish, stop: Stop, findings: Findings) -> None:
        self._remote, self._wish, self._stop, self._findings = remote, wish, stop, findings
        self._dialler = Dialler(remote)
        self._inside = Inside(remote, findings.warn)
        self._jar = Jar(wish.given, self._inside)
        self._porter = Porter(self._dialler, wish, stop, findings, self._jar)
        self._grounds: list[Ground] = []
        self.aim: Aim | None = None
        self.engines: tuple[Engine, ...] = ()
        self.processes: tuple[int, ...] = ()
        self._crew = Crew("discovery", _CREW, self._failed)

    def run(self) -> None:
        """Search. Raises Cancelled when stopped and Lost when the link is gone."""
        done = False
        try:
            with self._stop.ending(self._porter.close), self._crew as crew:
                crew.add(self._begin)
                crew.wait(self._stop)
                done = True
        finally:
            self._inside.close(patience=0.5 if done else 0)
        if self._findings.lost:
            raise self._findings.lost
        self._name_the_silent()

    def _failed(self, exc: Exception) -> None:
        """What goes wrong because the search is being stopped is no news."""
        if not self._stop.is_set():
            self._findings.failed(exc)

    # -- survey and grounds ---------------------------------------------------------

    def _begin(self) -> None:
        seen = self._survey()
        every = self._containers(seen)
        self.engines, self.processes = tuple(seen.engines), tuple(b.pid for b in seen.beams if b.pid > 0)
        seen = housed(seen, every)
        self._aim_at(every)
        containers = [facts for facts in every if self._wanted(facts)]
        self._count(every)
        if isinstance(self._remote, Shellless):
            seen = afar.look(seen, self._remote, containers, self._findings.warn)
        self._porter.place = Place(self._wish.hops, seen.hostname)
        addressed = self._addressed(seen, every)
        self._grounds = [g for g in lay_out(seen, containers) if self._concerns(g, containers)]
        self._jar.kin = tuple(self._grounds)
        self._grounds += addressed
        for ground in self._grounds:
            if not ground.quiet and not ground.paused:
                self._crew.add(self._ask, ground)
                for beam in (b for b in ground.beams if self._wish.matches(b.short or "")):
                    self._jar.prepare(ground, beam)

    def _survey(self) -> Survey:
        try:
            if isinstance(self._remote, Shellless):
                return afar.take(self._remote)
            return survey.take(self._remote)
        except Lost:
            raise
        except Failure as failure:
            self._stop.check()
            self._findings.warn(f"No look around on {self._remote.describe()}: {failure.title}")
            return Survey()

    def _containers(self, seen: Survey) -> list[Facts]:
        met: dict[str, Facts] = {}
        for name, text in seen.troubles.items():
            failure = refusal(name, text, self._remote.describe())
            if failure and failure.code == "engine-denied":
                self._findings.warn(f"{failure.title}. {failure.hint}")
        for engine, lines in seen.engines.items():
            facts, warnings = read_inspect(engine, lines)
            for warning in warnings:
                self._findings.warn(warning)
            for one in facts:
                met.setdefault(one.id, one)
        return list(met.values())

    def _count(self, every: list[Facts]) -> None:
        for engine in {facts.engine for facts in every} if not self._wish.only else ():
            its = [facts for facts in every if facts.engine == engine]
            self._findings.counted(engine, len(its), sum(map(self._wanted, its)))

    def _aim_at(self, every: list[Facts]) -> None:
        """Ask what a DNS name or Rancher service stands for; without an answer, labels have to do."""
        if not self._wish.select.asks:
            return
        self.aim = Aim(self._remote, self._wish.select, every)
        try:
            if not self.aim.ask() and self._wish.select.dns:
                self._findings.warn(f"The name {self._wish.select.dns} leads nowhere at the moment.")
        except Lost:
            raise
        except Failure as failure:
            self._findings.warn(f"{failure.title}. {failure.hint}")

    def _addressed(self, seen: Survey, every: list[Facts]) -> list[Ground]:
        """What is known by its address alone; an address of the host itself means the host."""
        if self.aim is None or not selection.only_addresses(self._wish.select):
            return []
        own = set(seen.addresses) | {a for a in self.aim.addresses if a.startswith("127.") or a == "::1"}
        self._porter.host_meant = bool(own & self.aim.addresses)
        known = {address for facts in every for address in facts.addresses}
        return strays(self.aim.addresses - known - own)

    def _wanted(self, facts: Facts) -> bool:
        if self._wish.only:
            return facts.id == self._wish.only
        return selection.means(self._wish.select, facts, self.aim.addresses if self.aim else ())

    def _concerns(self, ground: Ground, containers: list[Facts]) -> bool:
        """With a container wanted, only grounds in which a wanted one is."""
        if not self._wish.narrow or (ground.key == HOST and self._porter.host_meant):
            return True
        return any(facts in ground.containers for facts in containers)

    # -- one ground -----------------------------------------------------------------

    def _ask(self, ground: Ground) -> None:
        """Ask its epmd, then visit each port that should be, or may be, a node's."""
        doors: dict[int, Door] = {}
        for port in ground.epmd_ports():
            for short, its_port in self._names(ground, port).items():
                if its_port not in ground.foreign:
                    doors.setdefault(its_port, Door(its_port, short, port))
        shorts = {door.short for door in doors.values() if door.short}
        doors.update(
            {
                port: Door(port)
                for port in ground.guesses({*doors, *ground.epmd_ports()}, shorts, self._wish.matches)
            }
        )
        for door in doors.values():
            if self._wish.matches(door.short or ""):
                self._crew.add(self._porter.visit, ground, door)

    def _names(self, ground: Ground, port: int) -> dict[str, int]:
        try:
            _, stack, names = self._dialler.talk(ground.ways(port), _ask_epmd)
        except Lost:
            raise
        except Failure:  # no epmd: not every node has one
            return {}
        stack.close()
        return names

    # -- what did not speak up --------------------------------------------------------

    def _name_the_silent(self) -> None:
        """List processes that carry a node's name, but were not met at any port."""
        met = {(n.info.container_id, n.info.node.split("@")[0]) for n in self._findings.nodes()}
        for ground in self._grounds:
            for beam in (b for b in ground.beams if b.name and not slots.is_ours(b.short or "")):
                node = found.full_name(self._porter.place, ground, beam.short or "", beam)
                silent = found.closed(self._porter.place, ground, node, _why_silent(ground, beam), beam)
                if (silent.info.container_id, beam.short) in met or not self._wish.chosen(node):
                    continue
                if self._porter.is_wanted(ground, beam):
                    self._findings.add(silent)


def _ask_epmd(stream: Stream, more: float) -> dict[str, int]:
    return epmd.names(stream, seconds=2.0 + more)


def _why_silent(ground: Ground, beam: Beam) -> str:
    if ground.paused:
        return "its container is paused"
    if ground.known and not beam.listeners:
        return "runs, but listens on nothing (no distribution)"
    if ground.key != HOST and not ground.addresses:
        return "runs in a container that no engine tells of"
    return "runs, but does not answer at any port that is known"
