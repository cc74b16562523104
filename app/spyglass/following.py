"""Following a target while it is connected: word that a search would see something new.

Two sources: the engines' own events (one command that sleeps until something happens), and, where a
DNS name or Rancher's metadata says who belongs, a question every five seconds. Neither touches a
connection; the search that follows leaves what has not changed as it is.

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

    def begin(self, place: Remote, seen: Discovery, *, polls: bool = False) -> None:
        """Follow from now on; later calls only say what the addresses are by now.

        ``polls``: look every few seconds in any case, also for what no engine tells of.
        """
        self._aim, self._engines = seen.aim, seen.engines
        if self._threads or self._stop.is_set():
            return
        works = [(self._hear, "events", (place,))]
        if polls or self._select.asks:
            works.append((self._ask, "asking", (polls,)))  # type: ignore[arg-type]
        for work, name, args in works:
            thread = threading.Thread(target=work, args=args, name=f"following {name}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def join(self, seconds: float) -> None:
        """Wait for the end, once the stop is set."""
        for thread in self._threads:
            thread.join(seconds)

    # -- events -------------------------------------------------------------------

    def _hear(self, place: Remote) -> None:
        while not self._stop.is_set():
            began = time.monotonic()
            try:
                self._listen(place)
            except Cancelled:
                return
            except (Failure, OSError) as fault:
                self._log.debug("no events: %s", getattr(fault, "title", fault))
                return
            if self._stop.is_set() or time.monotonic() - began < AGAIN:
                return  # it never began: no engine there, or none that lets us
            self._stop.wait(AGAIN)
            self._changed()

    def _listen(self, place: Remote) -> None:
        stream = events.follow(place, self._engines)
        if stream is None:
            return
        try:
            with self._stop.ending(stream.close):
                _Listener(stream, self._judge, self._changed).run()
        finally:
            stream.close()

    def _judge(self, line: bytes) -> events.News | None:
        return events.judge(line, self._select)

    # -- questions ------------------------------------------------------------------

    def _ask(self, always: bool) -> None:  # noqa: FBT001 - a thread's argument
        while not self._stop.wait(EVERY):
            if always or self._is_new():
                self._changed()

    def _is_new(self) -> bool:
        aim = self._aim
        if aim is None:
            return False
        before = aim.addresses
        with suppress(Lost):  # the link tells that itself
            try:
                return aim.ask() != before
            except Failure:
                return True  # who was asked is gone
        return False


class _Listener:
    """Reads one event stream to its end."""

    def __init__(
        self,
        stream: Piped,
        judge: Callable[[bytes], events.News | None],
        changed: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stream, self._judge, self._changed, self._clock = stream, judge, changed, clock
        self._rest = b""
        self._due: list[float] = []
        self._burst = 0.0

    def run(self) -> None:
        """Until the stream ends; raises OSError when it breaks."""
        while True:
            now = self._clock()
            self._stream.settimeout(max(0.01, self._due[0] - now) if self._due else None)
            try:
                data = self._stream.recv(65536)
            except TimeoutError:
                self._tell()
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
