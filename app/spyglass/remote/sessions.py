"""How many commands may run at once over one SSH connection.

sshd allows ten sessions a connection (MaxSessions, sshd_config(5)) and refuses the
eleventh; some servers allow fewer. Eight are used, and fewer once a server has said no.
What runs for long (a pipe) leaves two of them to commands that come and go.
"""

from __future__ import annotations

import threading
import time

_MOST = 8
_KEPT = 2  # for short commands
_LINGERS = 3.0  # seconds that a server may count a session whose command was told to end
_BETTER = 10.0  # seconds after which a refusal may not hold any more


class Sessions:
    """Counts sessions against a limit that sinks when the server says no, and recovers slowly."""

    def __init__(self, limit: int = _MOST) -> None:
        self._most = self._limit = limit
        self._open = 0
        self._changed = threading.Condition()
        self._said_no = self._broken_off = -_BETTER

    @property
    def limit(self) -> int:
        """How many may be open at once, as far as is known."""
        return self._limit

    def enter(self, deadline: float, *, long: bool = False) -> bool:
        """Wait for a free place until ``deadline`` (monotonic seconds); False when there was none.

        ``long``: for something that stays, so not one of the last places.
        """
        with self._changed:
            while not self._has_room(long=long):
                rest = deadline - time.monotonic()
                if rest <= 0:
                    return False
                self._changed.wait(min(rest, 1.0))
            self._open += 1
            return True

    def _has_room(self, *, long: bool) -> bool:
        now = time.monotonic()
        if self._limit < self._most and now - self._said_no > _BETTER:
            self._limit += 1
            self._said_no = now
        return self._open < (max(1, self._limit - _KEPT) if long else self._limit)

    def leave(self, *, broken_off: bool = False) -> None:
        """Give a place back; ``broken_off``: the server may notice a little later."""
        with self._changed:
            self._open -= 1
            if broken_off:
                self._broken_off = time.monotonic()
            self._changed.notify_all()

    def refused(self) -> bool:
        """The server refused one (its place is given back); True when trying again may help, in a moment."""
        with self._changed:
            self._open -= 1
            self._changed.notify_all()
            now = time.monotonic()
            if not self._open and now - self._broken_off > _LINGERS:
                return False
            self._limit, self._said_no = max(1, min(self._limit, self._open)), now
            return True
