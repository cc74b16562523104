"""Following a target while it is connected: word that a search would see something new.

Two sources: word from there (the engines' own events and, for nodes in no container, the processes of
the host: one command that sleeps until something happens), and a question every five seconds where a DNS
name or Rancher's metadata says who belongs, or where a cluster does not tell by itself. Neither touches
a connection; the search that follows leaves what has not changed as it is.

Events come in bursts (a whole stack starts), so a moment of quiet is waited for, and a node needs a
moment after its container: after a start there are a few further looks.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from spyglass.erlang import events
from spyglass.errors import Cancelled, Failure, Lost
from spyglass.log import logger_for
from spyglass.remote.container import Shellless

if TYPE_CHECKING:
    from spyglass.erlang.aim import Aim
    from spyglass.erlang.discovery import Discovery
    from spyglass.profile import Profile
    from spyglass.remote.base import Piped, Remote, Stop
    from spyglass.remote.container import Engine

QUIET, LATEST = 0.25, 1.5
"""Seconds without an event that end a burst, and its longest."""
SETTLING = (1.0, 2.5, 5.0, 9.0)
"""Seconds after a start at which is looked again: nodes register when they are up."""
EVERY = 5.0
"""Seconds between two questions where somebody has to be asked."""
SPARING = 10
"""Times as long as the last answer took is waited at least before the next question."""
AGAIN = 5.0
"""Seconds after which an event stream that ended is opened anew."""
_LINE = 1024 * 1024  # bytes: a longer one is no event


class Following:
    """Calls ``changed`` (from its own threads) when a search is worth while."""

    def __init__(self, profile: Profile, stop: Stop, changed: Callable[[], None]) -> None:
        self._select = profile.select
        self._log = logger_for(profile.id)
        self._stop = stop
        self._changed = changed
        self._threads: list[threading.Thread] = []
        self._aim: Aim | None = None
        self._engines: tuple[Engine, ...] = ()
        self._processes: tuple[int, ...] = ()
        self._ids: frozenset[str] | None = None

    def begin(self, place: Remote, seen: Discovery, *, polls: bool = False, host: bool = True) -> None:
        """Follow from now on; later calls only say what the addresses are by now.

        ``polls``: look every few seconds in any case, also for what nobody tells of.
        ``host``: nodes outside containers count.
        """
        self._aim, self._engines, self._processes = seen.aim, seen.engines, seen.processes
        if self._threads or self._stop.is_set():
            return
        host = host and not (polls or self._select.narrows or isinstance(place, Shellless))
        works = [("events", lambda: self._hear(place, host=host))]
        if polls or self._select.asks:
            works.append(("asking", lambda: self._ask((lambda: True) if polls else self._leads_elsewhere)))
        for name, work in works:
            thread = threading.Thread(target=work, name=f"following {name}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def join(self, seconds: float) -> None:
        """Wait for the end, once the stop is set."""
        for thread in self._threads:
            thread.join(seconds)

    # -- events -------------------------------------------------------------------

    def _hear(self, place: Remote, *, host: bool) -> None:
        again = False
        while not self._stop.is_set():
            began = time.monotonic()
            try:
                self._listen(place, host=host, again=again)
            except Cancelled:
                return
            except (Failure, OSError) as fault:
                self._log.debug("no events: %s", getattr(fault, "title", fault))
            lived = time.monotonic() - began >= AGAIN
            if lived and not self._stop.is_set():
                self._changed()
            if again or lived:
                again = True
                self._stop.wait(AGAIN)
            elif host and self._engines:
                self._engines = ()  # none that lets us; the host may
            else:
                break  # it never began: nobody there tells
        if isinstance(place, Shellless):
            self._ask(lambda: self._are_others(place))

    def _listen(self, place: Remote, *, host: bool, again: bool) -> None:
        known = self._processes if host else None
        stream = events.follow(place, self._engines, known)
        if stream is None:
            return
        try:
            with self._stop.ending(stream.close):
                _Listener(stream, self._judge, self._changed, missed=again).run()
        finally:
            stream.close()

    def _judge(self, line: bytes) -> events.News | None:
        return events.judge(line, self._select)

    # -- questions ------------------------------------------------------------------

    def _ask(self, is_new: Callable[[], bool]) -> None:
        took = 0.0
        while not self._stop.wait(max(EVERY, took * SPARING)):
            began = time.monotonic()
            with suppress(Lost):  # the link tells that itself
                if is_new():
                    self._changed()
            took = time.monotonic() - began

    def _leads_elsewhere(self) -> bool:
        """Whether the name stands for other addresses than before."""
        aim = self._aim
        try:
            return aim is not None and aim.addresses != aim.ask()
        except Lost:
            raise
        except Failure:
            return True  # who was asked is gone

    def _are_others(self, place: Shellless) -> bool:
        """Whether other containers run there than when it was asked before."""
        before = self._ids
        try:
            self._ids = frozenset(place.engine.ids())
        except Lost:
            raise
        except Failure:
            return False
        return before is not None and before != self._ids


class _Listener:
    """Reads one event stream to its end."""

    def __init__(
        self,
        stream: Piped,
        judge: Callable[[bytes], events.News | None],
        changed: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
        *,
        missed: bool = False,
    ) -> None:
        """``missed``: something may have happened before; it is looked for once the stream stands."""
        self._stream, self._judge, self._changed, self._clock = stream, judge, changed, clock
        self._rest = b""
        self._due = [clock() + SETTLING[0]] if missed else []
        self._burst = 0.0

    def run(self) -> None:
        """Until the stream ends; raises OSError when it breaks."""
        while True:
            self._tell()
            self._stream.settimeout(max(0.01, self._due[0] - self._clock()) if self._due else None)
            try:
                data = self._stream.recv(65536)
            except TimeoutError:
                continue
            if not data:
                return
            self._take(data)

    def _tell(self) -> None:
        now = self._clock()
        late, self._due = [d for d in self._due if d <= now], [d for d in self._due if d > now]
        if late:
            self._burst = 0.0
            self._changed()

    def _take(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        self._rest = b"" if len(self._rest) > _LINE else self._rest
        news = [said for said in map(self._judge, lines) if said]
        if not news:
            return
        now = self._clock()
        self._burst = self._burst or now
        soon = min(now + QUIET, self._burst + LATEST)
        if any(said.rising for said in news):
            self._due = [soon, *(now + later for later in SETTLING)]
        else:
            self._due = sorted([soon, *(due for due in self._due if due > soon)])
