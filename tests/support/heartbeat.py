"""How long the GUI thread was not there for the person."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

from PySide6.QtCore import QTimer


class Heartbeat:
    """A timer that should beat every 5 ms; the longest gap is the GUI thread's longest stall.

    What the kernel let this program's threads wait for a processor, because others wanted it too,
    is not the window's doing and is taken off (schedstat, second figure; proc(5)). All of them count:
    a worker that waits while it holds the interpreter lets the window wait as well. ``busiest`` is
    the longest time that the thread itself has worked between two beats: no neighbour changes it.
    """

    def __init__(self) -> None:
        self.longest = self.busiest = 0.0
        self._worked = time.thread_time()
        self._queued: dict[str, int] = {}
        self._last = self._now()
        self._timer = QTimer(interval=5)
        self._timer.timeout.connect(self._beat)
        self._timer.start()

    def _now(self) -> float:
        now = time.perf_counter()
        for task in Path("/proc/self/task").iterdir():
            with contextlib.suppress(OSError):  # it has just ended; what it waited still counts
                queued = int((task / "schedstat").read_text().split()[1])
                self._queued[task.name] = max(queued, self._queued.get(task.name, 0))
        return now - sum(self._queued.values()) / 1e9

    def _beat(self) -> None:
        now, worked = self._now(), time.thread_time()
        self.busiest = max(self.busiest, worked - self._worked)
        self._worked = worked
        self.longest = max(self.longest, now - self._last)
        self._last = now

    def stop(self) -> float:
        if self._timer.isActive():
            self._beat()
            self._timer.stop()
        return self.longest
