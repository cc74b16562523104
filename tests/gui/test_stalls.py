"""Nothing that happens in the background may hold up the window for 50 ms."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from PySide6.QtCore import Qt

from spyglass import log
from spyglass.log import Ring
from spyglass.ui.columns import NODES
from spyglass.ui.live import KEPT
from spyglass.ui.opening import Opening
from spyglass.ui.window import MainWindow
from support import fake_hub as fake
from support.heartbeat import Heartbeat

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from spyglass.status import Status

MOST = 0.050


def flood(work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work)
    thread.start()
    return thread


@pytest.fixture
def calm(window: MainWindow, qtbot: QtBot) -> MainWindow:
    """The window, drawn once: what is made at first sight is not what is measured."""
    for tab in (2, 1, 0):
        window.page.tabs.setCurrentIndex(tab)
        qtbot.wait(60)
    return window


def test_a_flood_of_10000_log_lines(
    calm: MainWindow, ring: Ring, qtbot: QtBot, heartbeat: Callable[[], Heartbeat]
) -> None:
    calm.page.tabs.setCurrentIndex(2)

    def work() -> None:
        for number in range(10_000):
            text = f"line {number} of a very talkative connection"
            ring.handle(
                logging.makeLogRecord({"msg": text, "levelno": logging.INFO, "profile": fake.SHOP.id})
            )
            if number % 100 == 0:
                time.sleep(0.001)

    beat = heartbeat()
    thread = flood(work)
    qtbot.waitUntil(lambda: calm.page.log.model.rowCount() == 10_000, timeout=20_000)
    thread.join()
    assert beat.stop() < MOST
    beat = heartbeat()
    calm.page.log.field.setText("line 99")
    qtbot.wait(100)
    assert calm.page.log.model.rowCount() == 111
    calm.page.log.field.clear()
    qtbot.wait(100)
    assert beat.stop() < MOST


def test_200_nodes_found_one_by_one_and_changing(
    calm: MainWindow, hub: fake.FakeHub, qtbot: QtBot, heartbeat: Callable[[], Heartbeat]
) -> None:
    nodes = fake.crowd(200).nodes
    last = replace(fake.crowd(200), observing=frozenset({nodes[7].key}))

    def work() -> None:
        for number in range(1, 201):
            hub.publish(replace(fake.connected(nodes=fake.THREE), nodes=nodes[:number]))
            time.sleep(0.002)
        for number in range(50):
            hub.publish(replace(last, observing=frozenset({nodes[number].key})))
            time.sleep(0.002)
        hub.publish(last)

    beat = heartbeat()
    thread = flood(work)
    qtbot.waitUntil(lambda: calm.page.status is last, timeout=20_000)
    thread.join()
    assert beat.stop() < MOST
    calm.page.arrivals.forget()  # those of before are shown for a moment more
    assert calm.page.nodes.model().rowCount() == 200


def test_200_nodes_at_once_while_sorted(
    calm: MainWindow, hub: fake.FakeHub, qtbot: QtBot, heartbeat: Callable[[], Heartbeat]
) -> None:
    calm.page.nodes.sortByColumn(0, calm.page.nodes.horizontalHeader().sortIndicatorOrder())
    beat = heartbeat()
    for status in (
        fake.crowd(200),
        replace(fake.crowd(200), nodes=fake.crowd(200).nodes[::-1]),
        fake.connected(),
    ):
        flood(lambda status=status: hub.publish(status)).join()
        qtbot.waitUntil(lambda status=status: calm.page.status is status)
    assert beat.stop() < MOST


def test_200_nodes_that_all_tell_figures_while_a_person_looks_about(
    make_window: Callable[[fake.FakeHub], MainWindow],
    hub: fake.FakeHub,
    qtbot: QtBot,
    heartbeat: Callable[[], Heartbeat],
) -> None:
    """Figures of two minutes are there, and with each new ones a person does something else."""
    crowd, beats = fake.crowd(200), count()
    hub.publish(crowd)
    window = make_window(hub)
    window.resize(1400, 900)
    deeds = looking_about(window, hub, crowd)

    def tell() -> None:
        figures = fake.readings(next(beats), nodes=crowd.nodes)
        flood(lambda: hub.measure(fake.SHOP.id, figures)).join()

    for _ in range(KEPT):
        tell()
    rounds = []
    for _ in range(4):
        beat = heartbeat()
        for deed in deeds:
            tell()
            deed()
            qtbot.wait(30)
        rounds.append(beat.stop())
        if rounds[1:] and rounds[-1] < MOST:  # the first one is not measured: much is made at first sight
            break
    assert min(rounds[1:]) < MOST  # what holds the window up holds it up each time
    assert {len(series) for series in window.live._series.values()} == {KEPT}
    assert len(window.live._series) == 200


def looking_about(window: MainWindow, hub: fake.FakeHub, crowd: Status) -> list[Callable[[], object]]:
    table, tabs = window.page.nodes, window.page.tabs
    bar, memory = table.verticalScrollBar(), [column.title for column in NODES].index("Memory")
    return [
        table.selectAll,
        lambda: bar.setValue(bar.maximum()),
        lambda: table.sortByColumn(memory, Qt.SortOrder.DescendingOrder),
        table.clearSelection,
        lambda: bar.setValue(0),
        lambda: hub.publish(replace(crowd, observing=frozenset({crowd.nodes[9].key}))),
        lambda: table.sortByColumn(0, Qt.SortOrder.AscendingOrder),
        lambda: tabs.setCurrentIndex(1),
        lambda: tabs.setCurrentIndex(0),
        lambda: window.sidebar.search.setText("shop"),
        lambda: window.sidebar.search.setText(""),
    ]


def test_making_the_page_after_the_first_paint(
    make_window: Callable[[fake.FakeHub], MainWindow],
    qtbot: QtBot,
    heartbeat: Callable[[], Heartbeat],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As at the start: nothing is connected yet."""
    painted, beats = Opening._painted, []

    def watched(opening: Opening) -> None:
        beats.append(heartbeat())
        painted(opening)

    monkeypatch.setattr(Opening, "_painted", watched)
    hub = fake.FakeHub(list(fake.PROFILES))
    make_window(hub)
    qtbot.wait(100)
    beats[0].stop()
    assert beats[0].busiest < MOST


def test_switching_to_a_full_log(
    calm: MainWindow, ring: Ring, qtbot: QtBot, heartbeat: Callable[[], Heartbeat]
) -> None:
    for number in range(10_000):
        ring._lines.append(log.Line(fake.NOW, logging.INFO, fake.BILLING.id, f"line {number}"))
    beat = heartbeat()
    calm.sidebar.choose(fake.BILLING.id)
    qtbot.wait(100)
    assert calm.page.log.model.rowCount() == 10_000
    assert beat.stop() < MOST
