"""What a target's DNS name or Rancher service stands for at the moment: asked at the far end.

An :class:`Aim` is made once a search, with the containers that the search has seen, and can be asked
again later at the cost of one short command, to find out whether a search would see anything new.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from spyglass.erlang import metadata, naming
from spyglass.erlang.selection import stack_of
from spyglass.errors import Failure, Lost, Missing
from spyglass.remote.base import Remote
from spyglass.remote.container import Container, Facts
from spyglass.selector import Selector

Asked = frozenset[str]


class Aim:
    """Asks for a selector's addresses; ``addresses`` are those of the last answer."""

    def __init__(self, place: Remote, select: Selector, containers: Sequence[Facts]) -> None:
        self._place, self._select, self._containers = place, select, containers
        self._mouth: Callable[[], Asked] | None = None
        self.addresses: Asked = frozenset()

    def ask(self) -> Asked:
        """Ask now. Raises Lost, or a Failure that says why nobody could be asked."""
        found: set[str] = set()
        if self._select.dns:
            found |= self._resolved()
        if self._select.rancher:
            found |= self._of_rancher()
        self.addresses = frozenset(found)
        return self.addresses

    def _resolved(self) -> Asked:
        inside = self._inside()
        try:
            return naming.addresses(inside or self._place, self._select.dns)
        except naming.NoTool:
            if inside is None:
                raise
            return self._by_aliases(inside)

    def _by_aliases(self, inside: Container) -> Asked:
        """What Docker's own name server would say, as the engine has told us all that it knows."""
        name = self._select.dns.rstrip(".").lower()
        networks = {network.name for network in inside.facts.networks}
        return frozenset(
            address
            for facts in self._containers
            for network in facts.networks
            if network.name in networks
            and name in {facts.name.lower(), *(alias.lower() for alias in network.aliases)}
            for address in network.addresses
        )

    def _inside(self) -> Container | None:
        """The container that is asked in, if one is named."""
        wanted = self._select.ask_in
        if not wanted:
            return None
        facts = next((f for f in self._containers if f.called(wanted) and not f.paused), None)
        if facts is None:
            known = ", ".join(sorted(f.name for f in self._containers)[:12]) or "none"
            raise Missing(f"No container {wanted} runs there to be asked", f"Running there: {known}.")
        return Container(self._place, facts)

    def _of_rancher(self) -> Asked:
        """From where it answers: the container that is named, else the host, else one of the stack."""
        wanted, failure = self._select.rancher, None
        inside = self._inside()
        asked = self._mouths() if inside is None else [lambda: metadata.from_inside(inside, wanted)]
        for ask in [self._mouth] if self._mouth else asked:
            try:
                found = ask()
            except Lost:
                raise
            except Failure as fault:
                failure = failure or fault
            else:
                self._mouth = ask
                return found
        if failure and not any(map(stack_of, self._containers)):
            raise failure
        return frozenset()  # the labels tell of those that are here

    def _mouths(self) -> list[Callable[[], Asked]]:
        wanted = self._select.rancher
        stack = wanted.rpartition("/")[0]
        near = sorted(
            (f for f in self._containers if stack_of(f) and not f.paused),
            key=lambda facts: not stack_of(facts).startswith(f"{stack}/"),
        )
        inside = [Container(self._place, facts) for facts in near[:2]]
        return [
            lambda: metadata.from_host(self._place, wanted),
            *((lambda one=one: metadata.from_inside(one, wanted)) for one in inside),
        ]
