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
_STUCK = 6.0  # seconds without change after which what stays is not waited for any longer
_BETTER = 10.0  # seconds after which a refusal may not hold any more


class Sessions:
    """Counts sessions against a limit that sinks when the server says no, and recovers slowly."""

    def __init__(self, limit: int = _MOST) -> None:
        self._most = self._limit = limit
        self._open = self._long = 0
        self._moved = 0.0
        self._changed = threading.Condition()
        self._said_no = self._broken_off = -_BETTER

    @property
    def limit(self) -> int:
        """How many may be open at once, as far as is known."""
        return self._limit

    @property
    def lasting(self) -> int:
        """How many of them may be for something that stays."""
        return max(1, self._limit - _KEPT)

    def enter(self, deadline: float, *, long: bool = False) -> bool:
        """Wait for a free place until ``deadline`` (monotonic seconds); False when there was none.

        ``long``: for something that stays, so not one of the last places, and not worth the whole
        wait where all the others stay as well.
        """
        with self._changed:
            began = time.monotonic()
            while not self._has_room(long=long):
                now = time.monotonic()
                rest = deadline - now
                stuck = self._long >= self.lasting and now - max(began, self._moved) >= _STUCK
                if rest <= 0 or (long and stuck):
                    return False
                self._changed.wait(min(rest, 1.0))
            self._open += 1
            self._long += long
            return True

    def _has_room(self, *, long: bool) -> bool:
        now = time.monotonic()
        if self._limit < self._most and now - self._said_no > _BETTER:
            self._limit += 1
            self._said_no = now
        return self._open < (self.lasting if long else self._limit)

    def leave(self, *, long: bool = False, broken_off: bool = False) -> None:
        """Give a place back; ``broken_off``: the server may notice a little later."""
        with self._changed:
            self._give_back(long=long)
            if broken_off:
                self._broken_off = time.monotonic()

    def _give_back(self, *, long: bool) -> None:
        self._open -= 1
        self._long -= long
        self._moved = time.monotonic()
        self._changed.notify_all()

    def refused(self, *, long: bool = False) -> bool:
        """The server refused one (its place is given back); True when trying again may help, in a moment."""
        with self._changed:
            self._give_back(long=long)
            now = time.monotonic()
            if not self._open and now - self._broken_off > _LINGERS:
                return False
            self._limit, self._said_no = max(1, min(self._limit, self._open)), now
            return True
