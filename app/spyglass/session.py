"""What one connected period owns: the survey, the forwards, the windows, a VM for calls.

Touched only by its connection's thread, but for the workers that it starts, which report
by ``post``. Everything stands on the connection's ExitStack, so that leaving it undoes
exactly what was built.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from spyglass import given, ports
from spyglass.calls import Calls
from spyglass.company import Company
from spyglass.errors import Cancelled, Failure
from spyglass.following import Following
from spyglass.forwards import Forwards
from spyglass.messages import Changed, Declined, Report, Seen, Surveyed, SurveyFailed, Went
from spyglass.options import Follows
from spyglass.profile import ContainerHop, Profile
from spyglass.remote.base import Remote, Stop
from spyglass.signs import Signs
from spyglass.wanted import Want, pick
from spyglass.windows import Windows

if TYPE_CHECKING:
    from spyglass.erlang.discovery import Discovery, Found
    from spyglass.erlang.node import LocalNode
    from spyglass.figures import Reading
    from spyglass.profile import Selector
    from spyglass.questions import Ask
    from spyglass.remote.tls import Credentials
    from spyglass.standby import Standby
    from spyglass.status import NodeInfo


class Session:
    """One connected period of one profile."""

    def __init__(
        self,
        profile: Profile,
        remotes: list[Remote],
        standby: Standby,
        ask: Ask,
        post: Callable[[Report], None],
        cookie: str | None = None,
        ports: dict[str, int] | None = None,
    ) -> None:
        """``remotes`` as :func:`spyglass.remote.opening.open_hops` gives them; ``cookie`` a given one.

        ``ports``, by node key, are the local ports of the periods before; it is kept up to date.
        """
        self._profile = profile
        self.lends = profile.observer.lend
        self._remotes = remotes
        self._standby = standby
        self._ask = ask
        self._post = post
        self._cookie = cookie
        self._stop = Stop()
        self._search: threading.Thread | None = None
        self._credentials: tuple[Credentials, ...] | None = None
        self._surveyed = False
        self._found: dict[str, Found] = {}
        self._forwards = Forwards(lambda: self.remote, {} if ports is None else ports)
        self.windows = Windows(self, standby, ask, post, self._company)
        self._calls = Calls(self, standby, ask, lambda node: post(Went(node)))
        self._signs = Signs(remotes, profile.hops, self._stop, post)
        self._following = Following(profile, self._stop, lambda: post(Changed()))
        self.follows: Follows = ""

    @property
    def hops(self) -> tuple[str, ...]:
        """What was travelled, without this computer; jumps of ssh_config are in it."""
        return tuple(_place(remote) for remote in self._remotes[1:])

    @property
    def remote(self) -> Remote:
        """The place where the nodes are."""
        return self._remotes[-1]

    def close(self) -> None:
        """Undo everything: windows and the VM for calls at the same time, then forwards and survey."""
        self._stop.set()
        ends = [*self.windows.closers(), self._calls.close]
        workers = [threading.Thread(target=end, name="close", daemon=True) for end in ends]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(20)
        self._forwards.close()
        if self._search is not None:
            self._search.join(10)
        self._signs.join(10)
        self._following.join(10)

    # -- survey ---------------------------------------------------------------

    def survey(self) -> None:
        """Look for nodes, in the background; one search at a time.

        Reports Seen for each and at last one of Surveyed, SurveyFailed and Declined.
        """
        before = self._search
        if before is not None:
            before.join()  # it has reported its end
        work = threading.Thread(target=self._survey, name=f"survey {self._profile.name}", daemon=True)
        self._search = work
        work.start()

    def _survey(self) -> None:
        try:
            if self._cookie is None:
                self._cookie = given.cookie(self._profile, self._ask)
            if self._credentials is None:
                self._credentials = given.credentials(self._profile, self._ask)
            discovery = self._discover(self._profile.select, lambda found: self._post(Seen(found)))
        except Cancelled:
            if not self._stop.is_set():
                self._post(Declined())
        except Failure as failure:
            self._post(SurveyFailed(failure))
        else:
            self._surveyed = True
            self._post(Surveyed(discovery))
            if self.follows:
                here = self._outside()
                always = self.follows == "always"
                self._following.begin(here, discovery, polls=always, host=here is self.remote)

    def _discover(self, select: Selector, tell: Callable[[Found], None] | None = None) -> Discovery:
        from spyglass.erlang import slots  # noqa: PLC0415 - late, so that SSH starts first
        from spyglass.erlang.discovery import discover  # noqa: PLC0415

        return discover(
            self._place(),
            hops=self.hops,
            me=slots.probe_name(),
            select=select,
            given=self._cookie,
            credentials=self._credentials or (),
            stop=self._stop,
            on_found=tell,
        )

    def _outside(self) -> Remote:
        """Where the engines are: a container's host."""
        hop = self._profile.hops[-1] if self._profile.hops else None
        return self._remotes[-2] if isinstance(hop, ContainerHop) else self.remote

    def _place(self) -> Remote:
        """Where to look. A container may have been made anew since it was opened: it is resolved again."""
        hop = self._profile.hops[-1] if self._profile.hops else None
        if self._surveyed and isinstance(hop, ContainerHop):
            from spyglass.remote import container  # noqa: PLC0415 - most ways have none

            self._remotes[-1] = container.find(self._remotes[-2], hop.name, hop.engine)
        return self.remote

    def _company(self) -> Company:
        return Company(lambda: list(self._found.copy().values()), self, self._ask, self._profile.id)

    def admit(self, found: Found) -> NodeInfo:
        """Take a node in: it gets its forward; returns what to show of it."""
        key = found.info.key
        self._found[key] = found
        if not found.info.reachable or not found.port:
            return found.info
        return msgspec.structs.replace(found.info, forward=self.port(found))

    def port(self, found: Found) -> int:
        """The local port of the forward to the node, opened at need."""
        return self._forwards.port(found)

    def settle(self, discovery: Discovery) -> tuple[NodeInfo, ...]:
        """The survey's whole result: nodes that are gone lose their forward; returns what to show."""
        shown = tuple(self.admit(found) for found in discovery.found)
        gone = set(self._found) - {info.key for info in shown}
        for key in gone:
            del self._found[key]
            if key not in self.windows:
                self._forwards.drop(key)
        self.windows.members_changed()
        return shown

    def forget(self, key: str) -> None:
        """A node went down: what is known of the way to it does not hold any more."""
        self._found.pop(key, None)
        self._forwards.drop(key)

    def pick(self, want: Want, *, complete: bool) -> Found | None:
        """The node that is meant (:func:`spyglass.wanted.pick`)."""
        hop = self._profile.hops[-1] if self._profile.hops else None
        narrow = self._profile.select.narrows or isinstance(hop, ContainerHop)
        return pick(want, self._found, narrow=narrow, complete=complete)

    def match(self, wanted: str) -> Found | None:
        """The node with this key or full name, if it is known."""
        found = self._found.get(wanted)
        return found or next((f for f in self._found.values() if f.info.node == wanted), None)

    # -- the link -------------------------------------------------------------

    def probe(self) -> None:
        """See whether the servers on the way still answer; reports LinkLost when one does not."""
        self._signs.probe()

    def measure(self) -> None:
        """See how soon the servers on the way answer; reports Measured."""
        self._signs.measure()

    # -- windows --------------------------------------------------------------

    def prove(self, found: Found, cookie: str) -> bool:
        """Whether the node knows this cookie; a no leaves a line in its log."""
        return ports.prove(self.remote, found, cookie)

    def unlock(self, found: Found, credentials: Credentials) -> Found:
        """The node as it is found with these certificates, which later searches try as well."""
        self._credentials = (*(self._credentials or ()), credentials)
        alone = msgspec.structs.replace(self._profile.select, node=found.info.node)
        known = {node.info.key: node for node in self._discover(alone).found}.get(found.info.key, found)
        self._post(Seen(known))
        return known

    def explain(self, found: Found) -> Failure:
        """Why a node that was there can't be connected."""
        return ports.explain(self.remote, found)

    # -- calls ----------------------------------------------------------------

    def calling(self, wanted: str) -> tuple[LocalNode, str]:
        """A VM for calls that is connected to the node, and the node's full name.

        May be called from any thread; blocks while the VM boots and connects. Raises
        Missing when there is no such node.
        """
        found = self._there(wanted)
        return self._calls.joined(found)[0].vm, found.info.node

    def stats(self, wanted: str) -> dict[str, Any]:
        """All figures of a node (:meth:`spyglass.erlang.node.LocalNode.stats`), in one round trip."""
        vm, name = self.calling(wanted)
        return vm.stats(name)

    def figures(self) -> dict[str, Reading]:
        """The live figures of the nodes that can be reached, by key."""
        there = {key: f for key, f in self._found.copy().items() if f.info.reachable and f.port}
        return self._calls.figures(there)

    def shell(self, wanted: str) -> tuple[str, Callable[[], int]]:
        """A shell on the node: the line to print before it, and what runs it in this terminal."""
        found = self._there(wanted)
        return self._calls.shell(found, lambda: self.port(found))

    def _there(self, wanted: str) -> Found:
        found = self.match(wanted)
        if found is None:
            raise no_node(wanted, [f.info.node for f in self._found.values()])
        return found


def _place(remote: Remote) -> str:
    """The place as it turned out: ``deploy@10.99.0.1:2222``, or a container's name."""
    settings = getattr(remote, "settings", None)
    if settings is None:
        return remote.describe()
    host = f"[{settings.hostname}]" if ":" in settings.hostname else settings.hostname
    return f"{settings.user}@{host}:{settings.port}"


def no_node(wanted: str, there: list[str]) -> Failure:
    """The Failure for a node that is not there, naming what is."""
    known = ", ".join(sorted(there)) or "none at all"
    return Failure(f"There is no node {wanted} there", f"Nodes found: {known}.", code="no-node")
