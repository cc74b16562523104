"""Which nodes came and went while somebody looks: told and shown for a moment, then forgotten.

Only what happens to a connection that stands is news. A first list, a lost link and one that is not
on the screen are not: nobody wants to hear of all nodes at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace
from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent

from spyglass.status import Phase
from spyglass.ui import words
from spyglass.ui.nodes_model import LEFT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spyglass.status import NodeInfo, Status

LASTS = 8000
"""Milliseconds that news is told; more of it within that time joins it."""
_NAMED = 2


class Arrivals(QObject):
    """``changed`` tells that ``text`` and ``fresh`` (the keys of those that came) are others now.

    ``faded`` tells that it is news no more, and that those that left go from the table.
    """

    changed = Signal()
    faded = Signal()

    def __init__(self, page: QObject) -> None:
        super().__init__(page)
        self._page = page
        self._profile = ""
        self._known: dict[str, NodeInfo] | None = None
        self._came: dict[str, NodeInfo] = {}
        self._went: dict[str, NodeInfo] = {}
        self._before: dict[str, str] = {}
        self._timer = QTimer(self, singleShot=True, interval=LASTS)
        self._timer.timeout.connect(self.forget)

    @property
    def text(self) -> str:
        """``shop@d came · shop@b left``, or empty."""
        told = (_told(self._came.values(), "came"), _told(self._went.values(), LEFT))
        return " · ".join(filter(None, told))

    @property
    def fresh(self) -> frozenset[str]:
        """The keys of the nodes that came."""
        return frozenset(self._came)

    def among(self, nodes: Iterable[NodeInfo]) -> list[NodeInfo]:
        """These nodes and, where they stood, those that left: out of reach by now."""
        shown = list(nodes)
        for key, node in self._went.items():
            before = self._before[key]
            at = next((n for n, each in enumerate(shown, 1) if each.key == before), 0)
            shown.insert(at, replace(node, reachable=False, why_not=LEFT, forward=None, alias=None))
        return shown

    def hear(self, status: Status, *, seen: bool) -> None:
        """Take the status that is shown; ``seen``: somebody can see it."""
        stands = status.phase is Phase.READY and status.surveyed
        now = {node.key: node for node in status.nodes} if stands else None
        before, self._known = self._known, now
        if status.profile_id != self._profile:
            self._profile, before = status.profile_id, None
        if before is None or now is None or not seen:
            self._clear()
        elif before.keys() != now.keys():
            self._tell(before, now)

    def _tell(self, before: dict[str, NodeInfo], now: dict[str, NodeInfo]) -> None:
        shown = [node.key for node in self.among(before.values())]
        came = {key: now[key] for key in now.keys() - before.keys()}
        went = self._went | {key: before[key] for key in before.keys() - now.keys()}
        self._came = {key: node for key, node in (self._came | came).items() if key in now}
        self._went = {key: went[key] for key in shown if key in went and key not in now}
        self._before = dict(zip(shown, ["", *shown], strict=False))
        self._timer.start()
        self.changed.emit()
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self._page, self.text))

    def forget(self) -> None:
        """It is no news any more."""
        self._clear()
        self.faded.emit()

    def _clear(self) -> None:
        self._timer.stop()
        if self._came or self._went:
            self._came, self._went = {}, {}
            self.changed.emit()


def _told(nodes: Iterable[NodeInfo], what: str) -> str:
    known = sorted({node.node for node in nodes})
    if not known:
        return ""
    return f"{', '.join(known) if len(known) <= _NAMED else words.count(len(known), 'node')} {what}"
