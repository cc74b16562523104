"""How many commands may run at once over one SSH connection.

sshd allows ten sessions a connection (MaxSessions, sshd_config(5)) and refuses the
eleventh; some servers allow fewer. Eight are used, and fewer once a server has said no.
"""

from __future__ import annotations

import threading
import time


class Sessions:
    """Counts sessions against a limit that only sinks."""

    def __init__(self, limit: int = 8) -> None:
        self._limit = limit
        self._open = 0
        self._changed = threading.Condition()

    @property
    def limit(self) -> int:
        """How many may be open at once, as far as is known."""
        return self._limit

    def enter(self, deadline: float) -> bool:
        """Wait for a free place until ``deadline`` (monotonic seconds); False when there was none."""
        with self._changed:
            rest = max(0.0, deadline - time.monotonic())
            if not self._changed.wait_for(lambda: self._open < self._limit, rest):
                return False
            self._open += 1
            return True

    def leave(self) -> None:
        """Give a place back."""
        with self._changed:
            self._open -= 1
            self._changed.notify()

    def refused(self) -> bool:
        """The server refused one (its place is given back); True when waiting for another to end may help."""
        with self._changed:
            self._open -= 1
            self._changed.notify()
            if not self._open:
                return False
            self._limit = min(self._limit, self._open)
            return True
