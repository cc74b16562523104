import queue
import socket
import struct
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from spyglass.desktop import changes
from spyglass.desktop.changes import Changes, asleep, messages

UP, LOWER_UP = 0x1, 0x10000
NEWLINK, NEWADDR, NEWNEIGH = 16, 20, 28


def message(kind: int, body: bytes = b"") -> bytes:
    whole = struct.pack("=IHHII", 16 + len(body), kind, 0, 0, 0) + body
    return whole + b"\0" * (-len(whole) % 4)


def link(index: int, flags: int) -> bytes:
    return message(NEWLINK, struct.pack("=BxHiII", 0, 1, index, flags, 0))


class Kernel:
    """What tells of changes, played by the test, and what came of it."""

    def __init__(self) -> None:
        self.ours, self.theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.noticed: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self.slept = 0.0

    def tell(self, *datagrams: bytes) -> None:
        for datagram in datagrams:
            self.theirs.send(datagram)

    def notice(self) -> None:
        self.noticed.put(True)

    def clock(self) -> float:
        return self.slept


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Iterator[Kernel]:
    made = Kernel()
    monkeypatch.setattr(changes, "_subscribe", lambda: made.ours)
    monkeypatch.setattr(changes, "SETTLE", 0.01)
    yield made
    made.theirs.close()


@pytest.fixture
def watching(kernel: Kernel) -> Iterator[Changes]:
    made = Changes(kernel.notice, kernel.clock)
    yield made
    made.close()
    made.close()
    made.join(5)


def test_what_was_received_is_taken_apart() -> None:
    data = message(NEWADDR, b"abcde") + message(NEWNEIGH)
    assert list(messages(data)) == [(NEWADDR, b"abcde"), (NEWNEIGH, b"")]
    assert list(messages(b"\0" * 16)) == []
    assert list(messages(b"short")) == []


def test_a_new_address_is_noticed_and_a_neighbour_is_not(kernel: Kernel, watching: Changes) -> None:
    kernel.tell(message(NEWNEIGH), message(NEWADDR))
    assert kernel.noticed.get(timeout=5)
    assert kernel.noticed.empty()


def test_what_comes_together_is_noticed_once(kernel: Kernel) -> None:
    kernel.tell(*[message(NEWADDR)] * 5)
    watching = Changes(kernel.notice, kernel.clock)
    assert kernel.noticed.get(timeout=5)
    kernel.tell(message(NEWADDR))
    assert kernel.noticed.get(timeout=5)
    assert kernel.noticed.empty()
    watching.close()
    watching.join(5)


def test_a_network_that_does_not_rest_is_told_of_all_the_same(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "ENOUGH", 0.0)
    monkeypatch.setattr(changes, "SETTLE", 3600)
    watching = Changes(kernel.notice, kernel.clock)
    kernel.tell(message(NEWADDR))
    assert kernel.noticed.get(timeout=5)
    watching.close()
    watching.join(5)


def test_a_link_counts_when_it_comes_or_goes_and_not_when_it_only_tells(
    kernel: Kernel, watching: Changes
) -> None:
    kernel.tell(link(2, UP | LOWER_UP))
    assert kernel.noticed.get(timeout=5)
    kernel.tell(link(2, UP | LOWER_UP), link(2, UP | LOWER_UP), link(2, UP))
    assert kernel.noticed.get(timeout=5)
    assert kernel.noticed.empty()


def test_a_sleep_is_noticed_by_the_clocks(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "LOOK", 0.01)
    watching = Changes(kernel.notice, kernel.clock)
    kernel.slept = 600.0
    assert kernel.noticed.get(timeout=5)
    watching.close()
    watching.join(5)
    assert kernel.noticed.empty()


@pytest.mark.skipif(sys.platform != "linux", reason="netlink is Linux's")
def test_the_real_kernel_takes_the_subscription() -> None:
    noticed: queue.SimpleQueue[Any] = queue.SimpleQueue()
    watching = Changes(lambda: noticed.put(True))
    assert watching._netlink is not None
    watching.close()
    watching.join(5)
    assert asleep() == pytest.approx(asleep(), abs=1)
