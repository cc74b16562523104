"""A window that nobody sees does nothing by itself: not one timer runs, neither ours nor Qt's."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec
import pytest
from PySide6.QtCore import QAbstractEventDispatcher, QObject
from PySide6.QtWidgets import QApplication

from support import fake_hub as fake

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from spyglass.ui.window import MainWindow


def ticking() -> list[str]:
    """What has a timer of any kind now, in this program's windows."""
    clock = QAbstractEventDispatcher.instance()
    roots: list[QObject] = [QApplication.instance(), *QApplication.topLevelWidgets()]
    known = [each for root in roots for each in (root, *root.findChildren(QObject))]
    return [repr(each) for each in known if clock.registeredTimers(each)]


@pytest.mark.parametrize(
    "status",
    [fake.connected(), fake.waiting(), fake.connecting(), fake.changed_key()],
    ids=lambda status: status.phase.value,
)
def test_in_a_hidden_window_no_timer_runs(
    status: object, make_window: Callable[[fake.FakeHub], MainWindow], qtbot: QtBot
) -> None:
    hub = fake.FakeHub(list(fake.PROFILES))
    window = make_window(hub)
    hub.publish(msgspec.structs.replace(status, profile_id=window.sidebar.current().id))
    qtbot.waitUntil(lambda: window.page.status.phase is status.phase)
    window.quick.setFocus()
    assert ticking()
    window.hide()
    qtbot.waitUntil(lambda: not ticking(), timeout=10_000)
    hub.publish(msgspec.structs.replace(window.page.status, doing="something else"))
    qtbot.waitUntil(lambda: window.page.status.doing == "something else")
    qtbot.waitUntil(lambda: not ticking(), timeout=2000)
