"""Watches for changes of the computer (:mod:`spyglass.desktop.changes`) while that is of use to somebody."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from spyglass.status import Phase, Status

if TYPE_CHECKING:
    from spyglass.desktop.changes import Changes


class Vigil:
    """Calls ``nudge`` after a change, as long as a connection that comes back by itself is up or waits."""

    def __init__(self, nudge: Callable[[], None]) -> None:
        self._nudge = nudge
        self._lock = threading.Lock()
        self._standing: set[str] = set()
        self._changes: Changes | None = None

    def hear(self, status: Status, *, persists: bool) -> None:
        """What becomes of a connection; ``persists``: it comes back by itself."""
        from spyglass.desktop.changes import Changes  # noqa: PLC0415 - not before something is connected

        with self._lock:
            standing = status.phase not in {Phase.OFFLINE, Phase.FAILED}
            if standing and persists:
                self._standing.add(status.profile_id)
            elif not standing:
                self._standing.discard(status.profile_id)
            unneeded = None if self._standing else self._changes
            if self._standing and self._changes is None:
                self._changes = Changes(self._nudge)
            elif unneeded is not None:
                self._changes = None
        if unneeded is not None:
            unneeded.close()

    def close(self) -> None:
        """Watch no more, whoever has not ended in time."""
        if (changes := self._changes) is not None:
            changes.close()
