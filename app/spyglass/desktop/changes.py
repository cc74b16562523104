"""Notices that the network changed or that the computer slept: then waiting makes no sense any more.

On Linux the kernel tells of links, addresses and routes over a netlink socket (rtnetlink(7));
nobody is asked again and again for that. Of a wake logind tells (:mod:`spyglass.desktop.logind`).
Where there is none, a sleep shows in two clocks: one stops meanwhile, the other goes on. They are
compared every :data:`LOOK` seconds, which is why this runs only while somebody has a connection.
"""

from __future__ import annotations

import select
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

from spyglass.desktop import logind, windows

LOOK = 5.0
"""Seconds between two looks at the clocks."""
SLEPT = 2.0
"""Seconds by which the clocks part when the computer slept (less is the setting of a clock)."""
SETTLE = 0.3
"""Seconds of rest after which a change has settled: one comes as many messages."""
ENOUGH = 2.0
"""Seconds after which a change is told although the network does not rest."""

# linux/rtnetlink.h: multicast groups and message types; linux/if.h: flags of an interface
_GROUPS = 0x1 | 0x10 | 0x40 | 0x100 | 0x400  # links, addresses and routes, of IPv4 and IPv6
_NEWLINK = 16
_MATTERS = {20, 21, 24, 25}  # RTM_NEWADDR, RTM_DELADDR, RTM_NEWROUTE, RTM_DELROUTE
_HEADER = struct.Struct("=IHHII")  # nlmsghdr: length, type, flags, sequence, port
_LINK = struct.Struct("=BxHiII")  # ifinfomsg: family, type, index, flags, change
_UP, _LOWER_UP = 0x1, 0x10000


def asleep() -> float:
    """Seconds that this computer has slept, counted from some moment in the past."""
    if sys.platform == "win32":
        return windows.asleep()
    whole = getattr(time, "CLOCK_BOOTTIME", None)
    return (time.time() if whole is None else time.clock_gettime(whole)) - time.monotonic()


class Changes:
    """Calls ``notify``, from a thread of its own, after each change and each sleep, until closed."""

    def __init__(self, notify: Callable[[], None], clock: Callable[[], float] = asleep) -> None:
        self._notify = notify
        self._clock = clock
        self._links: dict[int, int] = {}
        self._netlink = _subscribe()
        self._sleep: logind.Sleep | None = None
        self._ours, self._theirs = socket.socketpair()
        self._before = clock()  # not on the thread: what happens until it runs counts as well
        self._thread = threading.Thread(target=self._run, name="changes", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End it; does not wait. Callable twice."""
        with suppress(OSError):
            self._theirs.close()

    def join(self, seconds: float) -> None:
        """Wait for its end."""
        if self._thread is not threading.current_thread():
            self._thread.join(seconds)

    def _run(self) -> None:
        self._sleep = logind.subscribe()
        with self._ours:
            while True:
                watched: list[socket.socket | logind.Sleep] = [*self._watched()]
                watched += [self._sleep] if self._sleep else []
                ready, _, _ = select.select(watched, [], [], LOOK)
                if self._ours in ready:
                    break
                now = self._clock()
                told = [self._netlink in ready and self._changed(), self._sleep in ready and self._woke()]
                if any(told) or now - self._before > SLEPT:
                    self._settle()
                    self._notify()
                    now = self._clock()
                self._before = now
        for end in (self._netlink, self._sleep):
            if end is not None:
                end.close()

    def _watched(self) -> list[socket.socket]:
        return [self._ours, *([self._netlink] if self._netlink else [])]

    def _woke(self) -> bool:
        """What logind tells; a bus that is gone leaves it to the clocks."""
        try:
            return self._sleep is not None and self._sleep.woke()
        except OSError:
            if self._sleep:
                self._sleep.close()
            self._sleep = None
            return False

    def _settle(self) -> None:
        end = time.monotonic() + ENOUGH
        while self._netlink is not None and time.monotonic() < end:
            ready, _, _ = select.select(self._watched(), [], [], SETTLE)
            if self._netlink not in ready or self._ours in ready:
                return
            self._changed()

    def _changed(self) -> bool:
        """Whether what the kernel tells concerns the ways out of this computer."""
        if self._netlink is None:
            return False
        try:
            data = self._netlink.recv(65536)
        except OSError:  # ENOBUFS: it told more than there was room for
            return True
        told = [self._matters(kind, body) for kind, body in messages(data)]  # each is to be remembered
        return any(told)

    def _matters(self, kind: int, body: bytes) -> bool:
        if kind in _MATTERS:
            return True
        if kind != _NEWLINK or len(body) < _LINK.size:
            return False
        _, _, index, flags, _ = _LINK.unpack_from(body)
        before = self._links.get(index)
        self._links[index] = flags & (_UP | _LOWER_UP)
        return before != self._links[index]


def messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The netlink messages in what was received: type and body (netlink(7))."""
    at = 0
    while at + _HEADER.size <= len(data):
        length, kind, *_ = _HEADER.unpack_from(data, at)
        if length < _HEADER.size:
            return
        yield kind, data[at + _HEADER.size : at + length]
        at += (length + 3) & ~3


def _subscribe() -> socket.socket | None:
    """A socket on which the kernel tells of changes, where there is such a thing."""
    if sys.platform != "linux":
        return None
    with suppress(OSError):
        made = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        try:
            made.bind((0, _GROUPS))
        except OSError:
            made.close()
            raise
        return made
    return None
