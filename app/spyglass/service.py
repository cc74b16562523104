"""Serving one connected period: what the mailbox brings, one message at a time.

A node whose window was open and that goes down while the link stays is looked for again,
with longer and longer pauses, until it is back, its window is wanted no more, or the link
goes as well.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from spyglass import links, messages
from spyglass.errors import Cancelled, Failure, Lost
from spyglass.session import Session, no_node
from spyglass.status import NodeInfo, Phase, backoff
from spyglass.wanted import Want, away, lost, missed

if TYPE_CHECKING:
    from spyglass.addressing import Addressing
    from spyglass.bulletin import Bulletin
    from spyglass.erlang.discovery import Discovery, Found
    from spyglass.profile import Profile
    from spyglass.standby import Standby
    from spyglass.status import Status

LONGEST = 15.0
"""Seconds between two looks for a node that went down, at most."""


class Service:
    """Called by the connection's thread only. ``wants`` outlives it: by key or name, what is wanted."""

    def __init__(
        self,
        profile: Profile,
        session: Session,
        bulletin: Bulletin,
        wants: dict[str, Want],
        standby: Standby,
        addressing: Addressing,
        *,
        persist: bool,
    ) -> None:
        self._profile = profile
        self._session = session
        self._bulletin = bulletin
        self._wants = wants
        self._standby = standby
        self._addressing = addressing
        self._persist = persist
        self._opened: dict[str, Want] = {}
        self._unwanted: set[str] = set()
        self._searching = self._again = False
        self._looks = 0
        self._next: float | None = None
        self._due = 0.0

    def begin(self) -> None:
        """Look around for the first time."""
        self._bulletin.show(phase=Phase.DISCOVERING, doing="Looking for nodes")
        self.search()
        self._session.measure()

    def search(self) -> None:
        """Look for nodes. A search that runs already may have missed what is asked for now: one follows."""
        self._next = None
        self._bulletin.show(next_try=None)
        self._again = self._searching
        if not self._searching:
            self._searching = True
            self._session.survey()

    def patience(self) -> float | None:
        """Seconds until :meth:`search` is due; None: nothing is waited for."""
        return None if self._next is None else max(0.0, self._next - time.monotonic())

    def carry(self) -> dict[str, Want]:
        """What is open now, as wishes for the next period."""
        return {key: self._loss(key, w) for key, w in self._opened.items() if key not in self._unwanted}

    # -- wishes ---------------------------------------------------------------------

    def grant(self, wish: messages.Wish | None) -> None:
        """A person's wish, or what the computer noticed."""
        match wish:
            case messages.Observe(node, company):
                self._observe(node, company=company)
            case messages.CloseWindow(key):
                self._give_up(key)
                self._unwanted |= {key} & self._opened.keys()
                self._session.windows.close_one(key)
            case messages.Refresh():
                self.search()
            case messages.Nudge():
                self._session.probe()
                self._hurry()
            case messages.Retry():
                self._addressing.again()
                self._hurry()
            case None:  # something that the status tells of has become known
                chain = links.here(self._status.chain, self._standby.erlang, self._standby.problem)
                self._bulletin.show(chain=chain, nodes=self._addressing.dressed(self._status.nodes))

    def _observe(self, node: str, *, company: bool) -> None:
        if node in self._opened:
            return
        self._wants.setdefault(node, Want(node, company=company))
        self._open_wanted()
        if node in self._wants and self._status.surveyed:
            self.search()  # it may have come since

    def _hurry(self) -> None:
        if self._next is not None:
            self.search()

    def _give_up(self, key: str) -> None:
        if self._wants.pop(key, None) is not None:
            self._looks = 0
            self._bulletin.clear(key)
            self._bulletin.show(**self._awaiting())

    # -- reports ----------------------------------------------------------------------

    def hear(self, report: messages.Report) -> None:
        """A worker's report. Raises what ends the period."""
        match report:
            case messages.Seen(found):
                self._seen(found)
            case messages.Surveyed(discovery):
                self._surveyed(discovery)
            case messages.SurveyFailed(failure):
                self._survey_failed(failure)
            case messages.LinkLost(failure, hop):
                self._bulletin.show(chain=links.broken(self._status.chain, failure, index=hop))
                raise failure
            case messages.Measured(hop, seconds):
                self._bulletin.show(chain=links.measured(self._status.chain, hop, seconds))
            case messages.Declined():
                raise Cancelled
            case messages.Changed():
                self.search()
            case messages.Went(node):
                self._went(node)
            case _:
                self._hear_window(report)

    def _hear_window(self, report: messages.Report) -> None:
        match report:
            case messages.Opened(key):
                self._came(key)
            case messages.Turned(key, node):
                self._turned(key, node)
            case messages.Ended(key, failure):
                self._ended(key, failure)

    def _seen(self, found: Found) -> None:
        info = self._session.admit(found)
        others = [node for node in self._status.nodes if node.key != info.key]
        self._bulletin.show(nodes=self._addressing.dressed((*others, info)))
        self._addressing.want([found])
        self._open_wanted()

    def _surveyed(self, discovery: Discovery) -> None:
        if self._status.phase is not Phase.READY:
            self._bulletin.show(phase=Phase.FORWARDING, doing="Opening forwards")
        nodes = self._addressing.dressed(self._session.settle(discovery))
        self._bulletin.found(nodes, discovery.warnings)
        self._bulletin.show(
            phase=Phase.READY,
            doing="",
            nodes=nodes,
            warnings=tuple(discovery.warnings),
            chain=self._chain(discovery, nodes),
            since=self._status.since or time.time(),
            surveyed=True,
            attempt=0,
        )
        self._addressing.want(discovery.found, complete=True)
        self._searched()

    def _chain(self, discovery: Discovery, nodes: tuple[NodeInfo, ...]) -> links.Chain:
        chain = links.here(self._status.chain, self._standby.erlang, self._standby.problem)
        hops, select, counts = len(self._profile.hops), self._profile.select, discovery.containers
        return links.complete(chain, hops, nodes, counts=counts, select=select)

    def _went(self, name: str) -> None:
        """Its window, if there is one, tells for itself; otherwise a look shows where it is now."""
        key = next((node.key for node in self._status.nodes if node.node == name), None)
        if key is None or key in self._opened or key in self._wants:
            return
        self._session.forget(key)
        self._bulletin.log.info("%s went down", name)
        self._bulletin.show(nodes=links.without(self._status.nodes, key))
        self.search()

    def _survey_failed(self, failure: Failure) -> None:
        """The first look decides; a later one costs nobody the window that is open."""
        if not self._status.surveyed or isinstance(failure, Lost):
            raise failure
        self._bulletin.log.warning("%s — %s", failure.title, failure.hint)
        self._bulletin.show(warnings=(failure.title,))
        self._searched(seen=False)

    def _searched(self, *, seen: bool = True) -> None:
        self._searching = False
        if seen:
            self._open_wanted(complete=True)
        if self._again:
            self.search()
            return
        for asked, want in list(self._wants.items()):
            if want.info is None:
                del self._wants[asked]
                self._bulletin.trouble(asked, no_node(asked, [node.node for node in self._status.nodes]))
            elif asked not in self._status.troubles:
                self._bulletin.trouble(asked, away(want))
        self._wait_for_wanted()

    def _wait_for_wanted(self) -> None:
        """Those that are missed are looked for again, after a while."""
        if self._wants and self._next is None and not self._searching:
            self._looks += 1
            pause = min(LONGEST, backoff(self._looks))
            self._next, self._due = time.monotonic() + pause, time.time() + pause
        self._bulletin.show(**self._awaiting())

    def _awaiting(self) -> dict[str, Any]:
        """What to show of those that are missed."""
        awaited = frozenset(key for key, want in self._wants.items() if want.info)
        if not self._wants:
            self._next = None
        return {"awaited": awaited, "next_try": None if self._next is None else self._due}

    # -- windows ----------------------------------------------------------------------

    def _open_wanted(self, *, complete: bool = False) -> None:
        for asked, want in list(self._wants.items()):
            found = self._session.pick(want, complete=complete)
            if found is not None:
                del self._wants[asked]
                self._open(found, want)

    def _open(self, found: Found, want: Want) -> None:
        key = found.info.key
        if key in self._opened:
            return
        self._bulletin.clear(key, want.asked)
        self._bulletin.log.info("opening Observer on %s", found.info.node)
        self._opened[key] = want
        self._session.windows.open(found, company=want.company)

    def _came(self, key: str) -> None:
        self._looks = 0
        self._opened[key] = self._loss(key, self._opened[key])  # from now on it is missed when it goes
        self._bulletin.show(observing=self._status.observing | {key}, doing="", **self._awaiting())
        self._bulletin.log.info("Observer is open on %s", key.rpartition("/")[2])
        if self._persist:
            self._standby.begin()

    def _turned(self, key: str, node: str) -> None:
        """The window shows another node by now: that one is missed when it goes."""
        now, want = self._session.match(node), self._opened.get(key)
        if now is None or want is None or now.info.key in self._opened:
            return  # it has a window of its own: this one stays known by its first node
        self._session.windows.turned(key, now)
        del self._opened[key]
        self._opened[now.info.key] = self._loss(now.info.key, want)
        self._bulletin.log.info("Observer was turned to %s", node)
        self._bulletin.show(observing=self._status.observing - {key} | {now.info.key})

    def _ended(self, key: str, failure: Failure | None) -> None:
        self._session.windows.ended(key)
        want, stood = self._opened.pop(key, None), key in self._status.observing
        self._unwanted.discard(key)
        if failure is None:
            self._bulletin.log.info("Observer on %s was closed", key.rpartition("/")[2])
        else:
            self._bulletin.trouble(key, failure)  # before it is told gone: whoever waits for that asks why
        gone = self._persist and failure is not None and missed(want, failure)
        if gone and want is not None:
            self._wants[key] = self._loss(key, want)
            self._session.forget(key)
        self._bulletin.show(
            observing=self._status.observing - {key},
            nodes=links.without(self._status.nodes, key) if gone else self._status.nodes,
        )
        if gone:
            self._bulletin.show(**self._awaiting())
            (self.search if stood else self._wait_for_wanted)()  # opened in vain: after the usual pause

    def _loss(self, key: str, want: Want) -> Want:
        """The wish for the node of this key, should it be lost now."""
        info = next((node for node in self._status.nodes if node.key == key), want.info)
        return lost(info, self._status.nodes, company=want.company) if info else want

    @property
    def _status(self) -> Status:
        return self._bulletin.status
