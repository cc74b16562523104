"""Waiting for a node that went down, and for the next try: how long is seen, and it can be cut short."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from PySide6.QtTest import QTest

from spyglass.log import Ring
from spyglass.status import Phase, Problem
from spyglass.ui import app as ui
from spyglass.ui import words
from spyglass.ui.bridge import QuestionDesk
from spyglass.ui.wait_bar import WaitBar
from spyglass.ui.window import MainWindow
from support import fake_hub as fake

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

KEY = fake.THREE[0].key
AWAY = replace(
    fake.connected(),
    observing=frozenset(),
    awaited=frozenset({KEY}),
    next_try=fake.NOW + 9,
    troubles={KEY: Problem("shop@172.17.0.4 is gone", "It opens again.")},
)


@pytest.fixture
def bar(hub: fake.FakeHub, window: MainWindow, qtbot: QtBot) -> WaitBar:
    hub.publish(AWAY)
    qtbot.waitUntil(window.page.away.isVisible)
    return window.page.away


def test_it_says_whom_it_waits_for_and_how_long_in_place_of_the_trouble(
    bar: WaitBar, window: MainWindow
) -> None:
    assert bar.words.whole() == "Waiting for shop@172.17.0.4 to come back · next look in 9 s"
    assert not window.page.problem.isVisible()


def test_another_nodes_trouble_is_told_beside_it(bar: WaitBar, hub: fake.FakeHub, window: MainWindow) -> None:
    trouble = Problem("jobs@172.17.0.9 refuses", "Look at its cookie.")
    assert words.problem(replace(AWAY, troubles={"other": trouble, **AWAY.troubles})) == trouble


def test_look_now_looks_and_says_so(
    bar: WaitBar, hub: fake.FakeHub, window: MainWindow, qtbot: QtBot
) -> None:
    bar.look_now.click()
    assert hub.calls == [("refresh", fake.SHOP.id)]
    hub.publish(replace(AWAY, next_try=None))
    qtbot.waitUntil(lambda: bar.words.whole().endswith("looking now"))
    assert not bar.look_now.isEnabled()


def test_stop_waiting_gives_every_missed_window_up(
    bar: WaitBar, hub: fake.FakeHub, window: MainWindow, qtbot: QtBot
) -> None:
    bar.give_up.click()
    assert hub.calls == [("close_window", fake.SHOP.id, KEY)]
    hub.publish(fake.connected())
    qtbot.waitUntil(lambda: not bar.isVisible())


def test_several_are_counted_and_named() -> None:
    both = replace(AWAY, awaited=frozenset(node.key for node in fake.THREE[:2]))
    said = words.awaiting(both, fake.NOW)
    assert said == "Waiting for 2 nodes (shop@172.17.0.5, shop@172.17.0.4) to come back · next look in 9 s"
    assert "gone@h" in words.awaiting(replace(AWAY, awaited=frozenset({"docker/web/gone@h"})), fake.NOW)


def test_both_countdowns_tick_while_they_are_seen(qtbot: QtBot, tmp_path: Path) -> None:
    moment = [fake.NOW]
    hub = fake.scene()
    hub.publish(AWAY)
    window = MainWindow(hub, QuestionDesk(), Ring(), ui.sizes(tmp_path), clock=lambda: moment[0])
    qtbot.addWidget(window)
    window.show()
    qtbot.waitExposed(window)
    moment[0] += 2
    qtbot.waitUntil(lambda: window.page.away.words.whole().endswith("in 7 s"), timeout=3000)
    window.sidebar.choose(fake.RANCHER.id)
    assert hub.status(fake.RANCHER.id).phase is Phase.WAITING
    moment[0] += 2
    qtbot.waitUntil(lambda: window.page.header.words.whole().endswith("try 3 in 8 s"), timeout=3000)
    assert window.page.header.primary.text() == "Retry now"
    QTest.qWait(0)
    window.hide()
    assert not window.page.header._timer.isActive()
    assert not window.page.away._timer.isActive()
    window.close()
