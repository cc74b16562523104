"""The few sessions of an SSH connection: who waits for one, and what a refusal teaches."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from spyglass.remote import sessions
from spyglass.remote.sessions import Sessions

if TYPE_CHECKING:
    import pytest


def soon() -> float:
    return time.monotonic() + 0.02


def test_what_stays_leaves_the_last_places_to_short_commands() -> None:
    places = Sessions(4)
    assert [places.enter(soon(), long=True) for _ in range(3)] == [True, True, False]
    assert [places.enter(soon()) for _ in range(3)] == [True, True, False]


def test_where_only_one_is_allowed_a_pipe_may_have_it() -> None:
    assert Sessions(1).enter(soon(), long=True)


def test_where_all_that_is_open_stays_nobody_waits_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "_STUCK", 0.05)
    places, began = Sessions(4), time.monotonic()
    assert [places.enter(began + 60, long=True) for _ in range(3)] == [True, True, False]
    places.leave(long=True)
    assert places.enter(began + 60)  # a short command comes and goes: it is worth a wait
    assert not places.enter(soon(), long=True)
    assert places.lasting == 2
    assert time.monotonic() - began < 5


def test_whoever_waits_gets_the_place_that_is_given_back() -> None:
    places, got = Sessions(1), threading.Event()
    assert places.enter(soon())
    waiter = threading.Thread(target=lambda: places.enter(time.monotonic() + 5) and got.set())
    waiter.start()
    places.leave()
    assert got.wait(5)
    waiter.join()


def test_a_refusal_lowers_the_limit_and_time_raises_it_again(monkeypatch: pytest.MonkeyPatch) -> None:
    places = Sessions()
    for _ in range(3):
        assert places.enter(soon())
    assert places.refused()
    assert (places.limit, places.enter(soon())) == (2, False)
    monkeypatch.setattr(sessions, "_BETTER", 0.0)
    assert places.enter(soon())
    assert places.limit == 3


def test_a_refusal_where_nothing_is_open_is_final() -> None:
    places = Sessions()
    assert places.enter(soon())
    assert not places.refused()


def test_a_server_that_has_not_noticed_an_end_yet_is_asked_again() -> None:
    places = Sessions()
    assert places.enter(soon(), long=True)
    places.leave(broken_off=True)
    assert places.enter(soon())
    assert places.refused()
    assert places.limit == 1
