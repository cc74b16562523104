"""Following a target: when a search is worth while, and that it ends with the connection."""

from __future__ import annotations

import json
import queue
from typing import Any

import pytest

from spyglass import following
from spyglass.erlang.discovery import Discovery
from spyglass.following import Following
from spyglass.profile import Profile, Selector
from spyglass.remote.base import Output, Stop
from spyglass.remote.container import CommandLine
from spyglass.remote.local import SocketStream
from support.fake_remote import FakeRemote

SEEN = Discovery([], [], engines=(CommandLine(),))


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
    for name, value in {"QUIET": 0.02, "LATEST": 0.1, "SETTLING": (0.05, 0.1), "EVERY": 0.02}.items():
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


def test_a_burst_is_told_once_when_something_went() -> None:
    place = Place()
    stop, told, made = follow(place, SEEN)
    place.engine.sendall(event("die") * 20 + event("exec_die"))
    assert count(told) == 1
    end(stop, made, place)


def test_after_a_start_there_are_further_looks() -> None:
    place = Place()
    stop, told, made = follow(place, SEEN)
    place.engine.sendall(event("start")[:30])
    place.engine.sendall(event("start")[30:])
    assert count(told) == 3
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
