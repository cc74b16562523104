"""Live figures of nodes, for whoever watches: one thread a connection, and only while somebody does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from spyglass.errors import Cancelled, Failure

BEAT = 2.0
"""Seconds from one refresh to the next."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The figures of one node at one moment.

    ``when`` is ``time.monotonic()``; ``memory`` bytes in all; ``processes`` and ``run_queue`` counts;
    ``uptime`` and ``cpu`` seconds (``cpu``: processor time used since the node's start); ``load`` the part
    of its schedulers that was busy since the reading before, 0 to 1 (None at the first one). It is
    worked out from processor time, which costs the node nothing; schedulers that spin count as busy.
    ``otp`` is the exact release, empty where it was not told.
    """

    when: float
    memory: int
    processes: int
    run_queue: int
    schedulers: int
    uptime: float
    cpu: float
    load: float | None = None
    otp: str = ""


Readings = Mapping[str, Reading]
"""By the node's key."""
Listener = Callable[[Readings], None]
Source = Callable[[], dict[str, Reading]]


def reading(told: Mapping[str, Any], when: float) -> Reading:
    """What the local VM tells of one node (see ``spyglass_stats:figures/1``)."""
    return Reading(
        when,
        int(told["memory"]),
        int(told["processes"]),
        int(told["run_queue"]),
        int(told["schedulers"]),
        told["uptime_ms"] / 1000,
        told["cpu_ms"] / 1000,
        otp=str(told.get("otp", "")),
    )


def compared(now: Reading, before: Reading | None) -> Reading:
    """The reading with its load since the one before; none when the node was started meanwhile."""
    if before is None or now.uptime <= before.uptime or now.cpu < before.cpu:
        return now
    able = (now.uptime - before.uptime) * max(now.schedulers, 1)
    return replace(now, load=min(1.0, (now.cpu - before.cpu) / able))


class Figures:
    """Asks ``source`` each :data:`BEAT` while there is one and somebody watches, and tells the watchers."""

    def __init__(self, name: str, beat: float = BEAT) -> None:
        self._name = name
        self._beat = beat
        self._lock = threading.Lock()
        self._listeners: tuple[Listener, ...] = ()
        self._source: Source | None = None
        self._ending: threading.Event | None = None
        self._thread: threading.Thread | None = None

    def watch(self, listener: Listener) -> Callable[[], None]:
        """Tell ``listener`` every refresh from now on, from our thread; returns how to stop that."""
        with self._lock:
            self._listeners = (*self._listeners, listener)
            self._turn()
        return lambda: self._leave(listener)

    def _leave(self, listener: Listener) -> None:
        with self._lock:
            self._listeners = tuple(known for known in self._listeners if known is not listener)
            self._turn()

    def attach(self, source: Source) -> None:
        """A connected period begins. ``source`` blocks for one round trip; it may raise Failure."""
        with self._lock:
            self._source = source
            self._turn()

    def detach(self) -> None:
        """The period is over: wait until the thread has ended."""
        with self._lock:
            self._source = None
            self._turn()
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(10)

    def _turn(self) -> None:
        wanted = bool(self._listeners) and self._source is not None
        if wanted and self._ending is None:
            self._ending = threading.Event()
            work = (self._source, self._ending)
            self._thread = threading.Thread(target=self._run, args=work, name=self._name, daemon=True)
            self._thread.start()
        elif not wanted and self._ending is not None:
            self._ending.set()
            self._ending = None

    def _run(self, source: Source, ending: threading.Event) -> None:
        before: dict[str, Reading] = {}
        while not ending.is_set():
            began = time.monotonic()
            try:
                now = {key: compared(each, before.get(key)) for key, each in source().items()}
            except (Failure, Cancelled):
                now = {}
            before |= now
            self._tell(now, ending)
            ending.wait(max(0.1 * self._beat, self._beat - (time.monotonic() - began)))

    def _tell(self, now: Readings, ending: threading.Event) -> None:
        for listener in self._listeners:
            if now and not ending.is_set():
                listener(now)
