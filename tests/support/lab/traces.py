"""What runs, listens and lies on the laptop, before and after: for "leaves nothing behind"."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from support.lab.laptop import Laptop
from support.lab.server import wait_until

MEANT_TO_STAY = re.compile(
    r"""
    /\.config/erl_observer/                                       # Observer keeps the shape of its window
    | /\.cache/spyglass/(ebin-[^/]+/\w+\.beam | erlang\.json)$    # made at the first use, for all later ones
    | /\.local/state/spyglass/installation-id$                    # the same
    | ^run/user/\d+/spyglass/slot-\d+$                            # a file that serves as a lock must not go
    """,
    re.VERBOSE,
)
"""What a use may leave on the laptop for the next one."""


@dataclass(frozen=True)
class Traces:
    """Command lines, listening sockets and files of the laptop at one moment."""

    processes: frozenset[str]
    sockets: frozenset[str]
    files: frozenset[str]

    @classmethod
    def of(cls, laptop: Laptop) -> Traces:
        """Take stock."""
        running = frozenset(laptop.processes().values())
        return cls(running, frozenset(laptop.sockets()), frozenset(laptop.files()))

    def new(self, laptop: Laptop) -> set[str]:
        """Return what is there now and was not then."""
        now = Traces.of(laptop)
        kept = {name for name in now.files if MEANT_TO_STAY.search(name)}
        return {
            *(now.processes - self.processes),
            *(now.sockets - self.sockets),
            *(now.files - self.files - kept),
        }

    def wait_same(self, laptop: Laptop, seconds: float = 5) -> None:
        """Wait until nothing new is there; fail with what is left."""
        left: set[str] = set()

        def gone() -> bool:
            left.clear()
            left.update(self.new(laptop))
            return not left

        try:
            wait_until(gone, "nothing is left behind", seconds, every=0.05)
        except TimeoutError:
            raise AssertionError(f"left behind: {sorted(left)}") from None


@dataclass
class Watch:
    """Every command line and environment that showed up while it watched."""

    seen: set[str] = field(default_factory=set)
    samples: int = 0

    def holding(self, secrets: set[str]) -> list[str]:
        """Return what held one of the secrets, for an assertion."""
        return [line for line in self.seen if any(secret in line for secret in secrets)]


@contextmanager
def watching(laptop: Laptop) -> Iterator[Watch]:
    """Look at the laptop's processes again and again while inside, as ``ps axeww`` would."""
    watch, stop = Watch(), threading.Event()
    proc = laptop.root / "proc"  # the laptop's own process namespace

    def look() -> None:
        while not stop.is_set():
            for directory in proc.iterdir():
                if directory.name.isdecimal():
                    watch.seen.update(_words(directory))
            watch.samples += 1
            stop.wait(0.005)

    thread = threading.Thread(target=look, name="watch processes")
    thread.start()
    try:
        yield watch
    finally:
        stop.set()
        thread.join()


def _words(process: Path) -> Iterator[str]:
    for name in ("cmdline", "environ"):
        try:
            yield (process / name).read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:  # it has ended
            return


def files_holding(laptop: Laptop, secrets: set[str]) -> list[str]:
    """Return the files of the laptop in which one of these texts lies."""
    found = []
    for name in laptop.files():
        path = laptop.root / name
        with suppress(FileNotFoundError):  # it is gone again
            if path.is_file() and any(secret.encode() in path.read_bytes() for secret in secrets):
                found.append(name)
    return found
