import queue
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from spyglass.errors import Lost
from spyglass.figures import Figures, Reading, compared, reading

TOLD = {
    "node": "shop@h", "memory": 64_000_000, "processes": 120, "run_queue": 1, "schedulers": 4,
    "uptime_ms": 90_500, "cpu_ms": 2_000,
}  # fmt: skip


def test_a_reading_is_in_bytes_and_seconds() -> None:
    assert reading(TOLD, 7.0) == Reading(7.0, 64_000_000, 120, 1, 4, 90.5, 2.0)


def test_the_load_is_processor_time_by_scheduler_since_the_reading_before() -> None:
    before = reading(TOLD, 0.0)
    now = reading(TOLD | {"uptime_ms": 92_500, "cpu_ms": 6_000}, 2.0)
    assert compared(now, before).load == 0.5
    assert compared(now, None).load is None


def test_a_node_that_was_started_anew_has_no_load_yet() -> None:
    assert compared(reading(TOLD | {"uptime_ms": 10}, 2.0), reading(TOLD, 0.0)).load is None


class Source:
    """Gives the figures that a test put in; counts the beats."""

    def __init__(self) -> None:
        self.beats: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.failing = False

    def __call__(self) -> dict[str, Reading]:
        self.beats.put(threading.current_thread().name)
        if self.failing:
            raise Lost("The local Erlang ended")
        return {"shop": reading(TOLD, 0.0)}


@pytest.fixture
def figures() -> Iterator[Figures]:
    made = Figures("figures test", beat=0.001)
    yield made
    made.detach()


def running() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("figures")]


def test_watchers_hear_each_beat_from_one_thread_that_ends_with_the_last(figures: Figures) -> None:
    source, heard = Source(), [queue.SimpleQueue[Any](), queue.SimpleQueue[Any]()]
    figures.attach(source)
    assert running() == []
    leave = [figures.watch(each.put) for each in heard]
    assert [each.get(timeout=5)["shop"].processes for each in heard] == [120, 120]
    assert running() == ["figures test"]
    leave[0]()
    heard[1].get(timeout=5)
    leave[1]()
    figures.detach()
    assert running() == []


def test_it_waits_for_a_connection_and_goes_on_with_the_next_one(figures: Figures) -> None:
    heard: queue.SimpleQueue[Any] = queue.SimpleQueue()
    figures.watch(heard.put)
    for _ in range(2):
        figures.attach(Source())
        assert heard.get(timeout=5)
        figures.detach()
        assert running() == []


def test_a_beat_that_fails_is_skipped(figures: Figures) -> None:
    source, heard = Source(), queue.SimpleQueue[Any]()
    source.failing = True
    figures.attach(source)
    figures.watch(heard.put)
    source.beats.get(timeout=5)
    source.beats.get(timeout=5)
    assert heard.empty()
    source.failing = False
    assert heard.get(timeout=5)
