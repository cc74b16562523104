"""The Observer windows of one connected period, by the key of the node that each shows.

A window may have company: all nodes of the target are in its Nodes menu. It hears of those that come
and go, and the person may turn it to another one; it is known by that one's key from then on.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from spyglass.observation import Observation

if TYPE_CHECKING:
    from spyglass.company import Company
    from spyglass.erlang.discovery import Found
    from spyglass.messages import Report
    from spyglass.observation import Way
    from spyglass.questions import Ask
    from spyglass.standby import Standby


class Windows:
    """Touched only by the connection's thread."""

    def __init__(
        self,
        way: Way,
        standby: Standby,
        ask: Ask,
        report: Callable[[Report], None],
        company: Callable[[], Company],
    ) -> None:
        """``company`` makes the others of a window that has some; ``report`` hears of windows."""
        self._way, self._standby, self._ask, self._report = way, standby, ask, report
        self._company = company
        self._open: dict[str, Observation] = {}

    def __contains__(self, key: str) -> bool:
        return key in self._open

    def open(self, found: Found, *, company: bool = False) -> None:
        """Open Observer on the node; reports Opened, Turned when it shows another one, at last Ended."""
        key = found.info.key
        if key in self._open:
            return
        others = self._company() if company else None
        window = Observation(found, self._way, self._standby.take, self._ask, self._report, others)
        self._open[key] = window
        window.start()

    def turned(self, key: str, now: Found) -> None:
        """The window of ``key`` shows another node by now, and is known by that."""
        self._open[now.info.key] = window = self._open.pop(key)
        window.key = now.info.key

    def members_changed(self) -> None:
        """Nodes came or went: windows with company follow."""
        for window in self._open.values():
            window.members_changed()

    def ended(self, key: str) -> None:
        """Forget a window that reported Ended."""
        window = self._open.pop(key, None)
        if window is not None:
            window.close()

    def close_one(self, key: str) -> None:
        """Close one window; it reports Ended. The caller's thread does not wait for it."""
        window = self._open.get(key)
        if window is not None:
            threading.Thread(target=window.close, name="close window", daemon=True).start()

    def closers(self) -> list[Callable[[], None]]:
        """What closes each of them, to be called at the same time."""
        return [window.close for window in self._open.values()]
