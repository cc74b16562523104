"""The other nodes of a target, in the Nodes menu of one Observer window.

Each is joined by its own route and its own cookie, hidden as the first one is, so nobody's mesh is
joined and no member hears of another by us. A node that can't be joined without asking, or is refused,
is left out and tried again when something changes; one that would need a cookie from a person is left out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from spyglass.errors import Cancelled, Failure, NeedsAnswer
from spyglass.log import logger_for
from spyglass.observation import join, lend

if TYPE_CHECKING:
    from contextlib import ExitStack

    from spyglass.erlang.discovery import Found
    from spyglass.erlang.node import LocalNode
    from spyglass.observation import Way
    from spyglass.questions import Ask


class Company:
    """Used by the window's thread only."""

    def __init__(self, members: Callable[[], list[Found]], way: Way, ask: Ask, profile_id: str) -> None:
        """``members`` gives all nodes of the target, from any thread."""
        self._members, self._way, self._ask = members, way, ask
        self._log = logger_for(profile_id)
        self._vm: LocalNode | None = None
        self._stack: ExitStack | None = None
        self._joined: set[str] = set()
        self._ready: set[str] = set()  # have what Observer needs
        self._refused: set[str] = set()  # by a person: they are not asked again

    def begin(self, vm: LocalNode, stack: ExitStack, node: str) -> None:
        """The window is open on ``node``: let the others in."""
        self._vm, self._stack = vm, stack
        self._joined.add(node)
        self._ready.add(node)
        self.gather(node)

    def member(self, node: str) -> Found | None:
        """The node of this full name."""
        return next((found for found in self._members() if found.info.node == node), None)

    def lost(self, node: str) -> None:
        """It is joined again when a search finds it again."""
        self._joined.discard(node)
        self._ready.discard(node)

    def gather(self, node: str) -> None:
        """Let in who came, and out who is not of the target any more; never the one that is shown."""
        there = {found.info.node: found for found in self._members()}
        for name in self._joined - there.keys() - {node}:
            self._let_out(name)
        for name, found in there.items():
            if name not in self._joined and name not in self._refused and found.info.reachable:
                self._let_in(found)

    def _let_out(self, name: str) -> None:
        self.lost(name)
        if self._vm is not None:
            self._vm.disconnect(name)
            self._vm.remove_route(name)

    def _let_in(self, found: Found) -> None:
        vm, stack, name = self._vm, self._stack, found.info.node
        if vm is None or stack is None or found.cookie is None or not found.port:
            return
        try:
            join(vm, found, self._way)
            self._joined.add(name)
            lend(vm, name, self._ask, stack, self._way.lends)
            vm.watch(name)
        except (Failure, Cancelled) as fault:
            self._leave(name, fault)
        else:
            self._ready.add(name)
            self._log.info("%s is in the Nodes menu", name)

    def _leave(self, name: str, fault: Failure | Cancelled) -> None:
        """Observer must not be turned to a node that has not what it needs."""
        title = fault.title if isinstance(fault, Failure) else "not agreed"
        self._log.info("%s is not in the Nodes menu: %s", name, title)
        if isinstance(fault, Cancelled | NeedsAnswer) or getattr(fault, "code", "") == "no-backend":
            self._refused.add(name)
        if name in self._joined:
            self._let_out(name)
