from __future__ import annotations

import contextlib
import errno
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from spyglass.errors import Cancelled, Unreachable
from spyglass.remote import dialling
from spyglass.remote.base import Stop
from spyglass.remote.dialling import connect, explain


@pytest.fixture
def full() -> Iterator[int]:
    """A port whose queue is full: connecting to it hangs."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            sock = stack.enter_context(socket.socket())
            sock.setblocking(False)
            sock.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


def test_the_socket_is_blocking_and_without_nagle() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        connect("127.0.0.1", listener.getsockname()[1], 5) as sock,
    ):
        assert sock.gettimeout() is None
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_dead_address_does_not_hold_up_a_living_one(full: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        addresses = [(socket.AF_INET, ("127.0.0.1", full)), (socket.AF_INET, listener.getsockname())]
        monkeypatch.setattr(dialling, "_look_up", lambda *_: addresses)
        started = time.monotonic()
        connect("two.example", 1, 10).close()
        assert time.monotonic() - started < 2


def test_a_refusing_address_is_passed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as reserved, socket.create_server(("127.0.0.1", 0)) as listener:
        reserved.bind(("127.0.0.1", 0))
        addresses = [(socket.AF_INET, sock.getsockname()) for sock in (reserved, listener)]
        monkeypatch.setattr(dialling, "_look_up", lambda *_: addresses)
        connect("two.example", 1, 10).close()


def test_silence_is_told_at_its_time(full: int) -> None:
    with pytest.raises(Unreachable) as failure:
        connect("127.0.0.1", full, 0.2)
    assert (failure.value.code, failure.value.title) == ("no-answer", f"127.0.0.1:{full} does not answer")


def test_stopping_ends_it_at_once(full: int) -> None:
    stop = Stop()
    timer = threading.Timer(0.1, stop.set)
    timer.start()
    started = time.monotonic()
    with pytest.raises(Cancelled):
        connect("127.0.0.1", full, 60, stop)
    assert time.monotonic() - started < 1
    timer.join()


@pytest.mark.leaves(
    "thread", "the system's resolver can't be interrupted; its thread is left to end by itself"
)
def test_stopping_ends_a_look_up_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()

    def slow(host: str, port: int, flags: int) -> list[object]:
        if flags:
            raise socket.gaierror
        release.wait(5)
        return []

    monkeypatch.setattr(dialling, "_addresses", slow)
    stop = Stop()
    timer = threading.Timer(0.1, stop.set)
    timer.start()
    with pytest.raises(Cancelled):
        connect("slow.example", 1, 60, stop)
    release.set()
    timer.join()


@pytest.mark.parametrize(
    ("error", "title"),
    [
        (socket.gaierror(), "h can't be found"),
        (ConnectionRefusedError(), "h:1 refuses connections"),
        (TimeoutError(), "h:1 does not answer"),
        (OSError(errno.EHOSTUNREACH, "x"), "There is no route to h:1"),
        (OSError(errno.EACCES, "not allowed"), "h:1 can't be reached: not allowed"),
    ],
)
def test_each_way_to_fail_has_its_own_title_and_a_hint(error: OSError, title: str) -> None:
    failure = explain(error, "h", 1)
    assert failure.title == title
    assert failure.hint
    assert failure.retry


def test_ipv6_addresses_are_written_in_brackets() -> None:
    assert explain(ConnectionRefusedError(), "::1", 22).title == "[::1]:22 refuses connections"
