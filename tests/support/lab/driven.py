"""The program inside the laptop that a :class:`support.lab.driver.Driver` drives: a Hub, without a window.

One command a line on standard input; on standard output one JSON object a line: each status as it
is published, live figures when they are watched, and what the process holds when asked (``stock``).
"""

from __future__ import annotations

import gc
import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from spyglass import log
from spyglass.errors import Cancelled
from spyglass.hub import Hub
from spyglass.options import Options
from spyglass.profile import ContainerHop, EngineHop, Profile, Selector, parse_target
from spyglass.store import paths
from spyglass.store.profiles import Profiles


class Driven:
    """A Hub with one connection, and what may be wished of it."""

    def __init__(self, target: str, container: str, hop: str) -> None:
        self._lock = threading.Lock()
        paths.current().ensure()
        self.hub = Hub(Profiles(paths.current().profiles), self._refuse)
        self.hub.subscribe(lambda status: self._say(status=status))
        profile = msgspec.structs.replace(
            parse_target(target, {}).profile, select=Selector(container=container)
        )
        plain = (
            msgspec.structs.replace(h, plain=True) if isinstance(h, EngineHop) else h for h in profile.hops
        )
        profile = msgspec.structs.replace(profile, hops=tuple(plain))  # nobody is here to agree to it
        if hop:
            profile = msgspec.structs.replace(profile, hops=(*profile.hops, ContainerHop(hop)))
        self.profile: Profile = profile
        self.id = ""
        self._stop: Callable[[], None] = lambda: None

    def serve(self, word: str, rest: str) -> None:
        """Do what one line asks."""
        getattr(self, f"do_{word}")(*([rest] if rest else []))

    def do_connect(self) -> None:
        self.id = self.hub.connect(self.profile, Options())

    def do_observe(self, node: str) -> None:
        self.hub.observe(self.id, node)

    def do_close(self, key: str) -> None:
        self.hub.close_window(self.id, key)

    def do_retry(self) -> None:
        self.hub.retry(self.id)

    def do_nudge(self) -> None:
        self.hub.nudge()

    def do_disconnect(self) -> None:
        self.hub.disconnect(self.id)

    def do_watch(self) -> None:
        self._stop = self.hub.watch_stats(self.id, lambda figures: self._say(figures=figures))

    def do_unwatch(self) -> None:
        self._stop()

    def do_log(self) -> None:
        self._say(log=[str(line) for line in log.RING.lines()])

    def do_stock(self) -> None:
        gc.collect()
        names = []
        for fd in Path("/proc/self/fd").iterdir():
            with suppress(OSError):  # another thread has just closed it; that of the listing is gone as well
                names.append(str(fd.readlink()))
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        self._say(
            stock={
                "threads": sorted(thread.name for thread in threading.enumerate()),
                "sockets": sum(name.startswith("socket:") for name in names),
                "files": len(names),
                "memory": pages * os.sysconf("SC_PAGE_SIZE"),
            }
        )

    def _refuse(self, profile: str, question: Any) -> Any:
        self._say(asked=type(question).__name__)
        raise Cancelled

    def _say(self, **told: Any) -> None:
        with self._lock:
            print(msgspec.json.encode(told).decode(), flush=True)


def main() -> None:
    log.setup()
    driven = Driven(*sys.argv[1:4])
    for line in sys.stdin:
        word, _, rest = line.strip().partition(" ")
        driven.serve(word, rest)
    driven.hub.close()


if __name__ == "__main__":
    main()
