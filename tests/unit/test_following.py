"""Following a target: when a search is worth while, and that it ends with the connection."""

from __future__ import annotations

import json
import queue
from typing import Any

import pytest

from spyglass import following
from spyglass.erlang import events
from spyglass.erlang.discovery import Discovery
from spyglass.following import Following
from spyglass.profile import EngineHop, Profile, Selector
from spyglass.remote.base import Output, Stop
from spyglass.remote.container import CommandLine
from spyglass.remote.engine_host import EngineHost
from spyglass.remote.local import SocketStream
from support.fake_api import URL, FakeApi
from support.fake_remote import FakeRemote

SEEN = Discovery([], [], engines=(CommandLine(),), processes=(5, 77))


def event(action: str) -> bytes:
    about = {"ID": "c", "Attributes": {"name": "web"}}
    return json.dumps({"Type": "container", "Action": action, "Actor": about}).encode() + b"\n"


class Place(FakeRemote):
    """Where one end of a socket pair is the engine."""

    def __init__(self) -> None:
        import socket  # noqa: PLC0415 - only here

        super().__init__({}, lambda *_: Output(127))
        ours, self.engine = socket.socketpair()
        self.stream: Any = SocketStream(ours)

    def pipe(self, argv: Any, timeout: float = 10.0) -> Any:
        return self.stream


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "QUIET": 0.02,
        "LATEST": 0.1,
        "SETTLING": (0.05, 0.1),
        "EVERY": 0.02,
        "AGAIN": 0.3,
    }.items():
        monkeypatch.setattr(following, name, value)


def follow(place: FakeRemote, seen: Discovery, select: Selector = Selector()) -> tuple[Stop, Any, Following]:
    stop, told = Stop(), queue.SimpleQueue[None]()
    made = Following(Profile("x", select=select), stop, lambda: told.put(None))
    made.begin(place, seen)
    return stop, told, made


def end(stop: Stop, made: Following, place: Place | None = None) -> None:
    stop.set()
    made.join(5)
    if place:
        place.stream.close()
        place.engine.close()


def count(told: Any) -> int:
    """How many words come before there is a pause."""
    number = 0
    while True:
        try:
            told.get(timeout=0.4)
        except queue.Empty:
            return number
        number += 1


class Script:
    """A stream that tells pieces at their times, on a clock that a busy computer does not move."""

    def __init__(self, *pieces: tuple[float, bytes]) -> None:
        self.now = 0.0
        self.told: list[float] = []
        self._pieces = list(pieces)
        self._patience: float | None = None

    def settimeout(self, seconds: float | None) -> None:
        self._patience = seconds

    def recv(self, _size: int) -> bytes:
        when, piece = self._pieces[0] if self._pieces else (self.now, b"")
        if self._patience is not None and (not self._pieces or when > self.now + self._patience):
            self.now += self._patience
            raise TimeoutError
        self.now = max(self.now, when)
        return self._pieces.pop(0)[1] if self._pieces else piece

    def run(self) -> list[float]:
        """When the listener said that something changed."""

        def judge(line: bytes) -> Any:
            return events.judge(line, Selector())

        stream: Any = self
        listener = following._Listener(
            stream, judge, lambda: self.told.append(round(self.now, 2)), lambda: self.now
        )
        listener.run()
        return self.told


def test_a_burst_is_told_once_when_something_went() -> None:
    burst = [(number / 1000, event("die")) for number in range(20)]
    assert Script(*burst, (0.02, event("exec_die"))).run() == [0.04]


def test_a_burst_that_does_not_end_is_told_all_the_same() -> None:
    burst = [(1 + number / 128, event("die")) for number in range(20)]
    assert Script(*burst).run() == [1.1, 1.17]


def test_after_a_start_there_are_further_looks() -> None:
    halves = event("start")[:30], event("start")[30:]
    assert Script((0.0, halves[0]), (1.0, halves[1])).run() == [1.02, 1.05, 1.1]


def test_what_the_engine_tells_is_heard_on_a_thread() -> None:
    place = Place()
    stop, told, made = follow(place, SEEN)
    place.engine.sendall(event("die"))
    told.get(timeout=5)
    assert count(told) == 0
    end(stop, made, place)


def test_what_is_none_of_ours_is_not_told() -> None:
    place = Place()
    stop, told, made = follow(place, SEEN, Selector(container="db"))
    place.engine.sendall(event("start") + b"noise\n")
    assert count(told) == 0
    end(stop, made, place)


def test_the_end_of_the_connection_ends_a_silent_stream() -> None:
    place = Place()
    stop, _, made = follow(place, SEEN)
    end(stop, made, place)
    assert not any(thread.is_alive() for thread in made._threads)


def test_without_an_engine_nothing_runs() -> None:
    stop, told, made = follow(FakeRemote({}, lambda *_: Output(127)), Discovery([], []))
    made.join(5)
    assert count(told) == 0
    stop.set()


def test_a_stream_that_ends_is_opened_anew_and_what_was_missed_is_looked_for() -> None:
    place = Place()
    stop, told, made = follow(place, SEEN)
    assert count(told) == 0  # it has been open for longer than AGAIN by now
    place.engine.close()
    assert count(told) == 1
    end(stop, made)
    place.stream.close()


def test_the_host_is_watched_where_its_nodes_count_and_no_engine_lets_us() -> None:
    place = FakeRemote({}, lambda *_: Output(127))
    for select, host in (
        (Selector(), True),
        (Selector(node="shop@*"), True),
        (Selector(container="w"), False),
    ):
        stop, _, made = follow(place, SEEN, select)
        made.join(5)
        asked = [argv[4:] for argv in place.piped]
        assert asked == ([["host 5 77", "docker"], ["host 5 77"]] if host else [["engines", "docker"]])
        place.piped.clear()
        stop.set()


class Silent(FakeApi):
    """An engine that does not tell what happens."""

    def __init__(self, *answers: list[str]) -> None:
        super().__init__({})
        self._rest = list(answers)

    def answer(self, request: bytes) -> bytes:
        rows = self._rest.pop(0) if len(self._rest) > 1 else self._rest[0]
        self.answers["GET /containers/json"] = [{"Id": i} for i in rows]
        return super().answer(request)


def test_an_engine_s_api_tells_what_happens() -> None:
    api = FakeApi({"GET /events": b"HTTP/1.1 200 OK\r\n\r\n" + event("die")})
    place = EngineHost.open(EngineHop(URL, plain=True), api.remote(), pytest.fail)  # type: ignore[arg-type]
    stop, told, made = follow(place, SEEN)  # type: ignore[arg-type]
    assert count(told) == 0  # the stream is over before the moment of quiet is
    end(stop, made)
    assert "event%22%3A+%5B%22start%22" in next(line for line in api.asked if "/events?" in line)


def test_an_engine_s_api_that_tells_nothing_is_asked() -> None:
    api = Silent(["a"], ["a"], ["a"], ["a", "b"])
    place = EngineHost.open(EngineHop(URL, plain=True), api.remote(), pytest.fail)  # type: ignore[arg-type]
    stop, told, made = follow(place, SEEN)  # type: ignore[arg-type]
    told.get(timeout=5)
    assert count(told) == 0
    end(stop, made)


class Aim:
    """Says one set of addresses after the other."""

    def __init__(self, *answers: set[str]) -> None:
        self.addresses, *self._rest = map(frozenset, answers)

    def ask(self) -> frozenset[str]:
        if self._rest:
            self.addresses = self._rest.pop(0)
        return self.addresses


def test_a_name_that_leads_elsewhere_is_told_once() -> None:
    aim: Any = Aim({"10.0.0.1"}, {"10.0.0.1"}, {"10.0.0.2"})
    stop, told, made = follow(
        FakeRemote({}, lambda *_: Output(127)), Discovery([], [], aim=aim), Selector(dns="web")
    )
    told.get(timeout=5)
    assert count(told) == 0
    end(stop, made)
