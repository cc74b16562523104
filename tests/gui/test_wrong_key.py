"""A changed or revoked host key: told in red, never acceptable, and it leaves nothing behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QLineEdit, QPushButton

from spyglass.errors import WrongKey
from spyglass.status import Phase, Problem, Status
from spyglass.ui.wrong_key import WrongKeyDialog
from support import fake_hub as fake

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from spyglass.ui.window import MainWindow

REMEDY = "ssh-keygen -R '[10.0.3.7]:2222' -f /home/ada/.ssh/known_hosts"
OLD, NEW = "SHA256:q0x3Jd8mPz5w1yVhXb7kRt2sLfNc9gUe4aQoZiT6Hn8", "SHA256:Zk2pW8vYt4qNs6rBx1mLd9hJc3gFe7aUoVi"
CHANGED = WrongKey(
    "[10.0.3.7]:2222", "/home/ada/.ssh/known_hosts:41", NEW, "ssh-ed25519", OLD, "ecdsa-sha2-nistp256", REMEDY
)
REVOKED = CHANGED._replace(trusted="", trusted_type="", remedy="")


def failed(key: WrongKey, profile_id: str = fake.BILLING.id) -> Status:
    problem = Problem("The host key of [10.0.3.7]:2222 is wrong", f"now: {NEW}", "host-key-changed", key=key)
    return replace(fake.changed_key(), profile_id=profile_id, problem=problem)


@pytest.fixture
def alarm(hub: fake.FakeHub, window: MainWindow, qtbot: QtBot) -> WrongKeyDialog:
    hub.publish(failed(CHANGED))
    qtbot.waitUntil(lambda: window.alarms.dialog is not None)
    assert window.alarms.dialog
    return window.alarms.dialog


def test_it_shows_both_keys_the_place_and_the_way_out(alarm: WrongKeyDialog) -> None:
    assert [line.text() for line in alarm.findChildren(QLineEdit)] == [OLD, NEW, REMEDY]
    said = [label.text() for label in alarm.findChildren(QLabel)]
    assert "Expected · ecdsa-sha2-nistp256, from /home/ada/.ssh/known_hosts:41" in said
    assert alarm.windowTitle() == "Billing – Spyglass"
    alarm.copy.click()
    assert QGuiApplication.clipboard().text() == REMEDY
    alarm.details.click()
    assert NEW in QGuiApplication.clipboard().text()


def test_no_button_accepts_the_key_and_enter_only_closes(
    alarm: WrongKeyDialog, hub: fake.FakeHub, window: MainWindow, qtbot: QtBot
) -> None:
    assert {b.text() for b in alarm.findChildren(QPushButton)} == {"Copy", "Copy details", "Close"}
    QTest.keyClick(alarm, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window.alarms.dialog is None)
    assert hub.calls == []
    assert window.isEnabled()


def test_it_comes_once_until_somebody_tries_again(
    alarm: WrongKeyDialog, hub: fake.FakeHub, window: MainWindow, qtbot: QtBot
) -> None:
    alarm.reject()
    with qtbot.waitSignal(window.feed.changed):
        hub.publish(replace(failed(CHANGED), since=fake.NOW))
    assert window.alarms.dialog is None
    with qtbot.waitSignal(window.feed.changed):
        hub.publish(Status(fake.BILLING.id, Phase.CONNECTING))
    hub.publish(failed(CHANGED))
    qtbot.waitUntil(lambda: window.alarms.dialog is not None)


def test_a_new_attempt_takes_the_alarm_away(
    alarm: WrongKeyDialog, hub: fake.FakeHub, window: MainWindow, qtbot: QtBot
) -> None:
    hub.publish(Status(fake.BILLING.id, Phase.CONNECTING))
    qtbot.waitUntil(lambda: window.alarms.dialog is None)


def test_the_page_keeps_the_place_and_brings_the_alarm_back(
    alarm: WrongKeyDialog, window: MainWindow
) -> None:
    alarm.reject()
    window.sidebar.choose(fake.BILLING.id)
    assert window.page.problem.isVisible()
    window.page.problem.explain.click()
    assert window.alarms.dialog is not None
    window.alarms.dialog.reject()


def test_a_revoked_key_has_no_remedy_but_to_ask(hub: fake.FakeHub, window: MainWindow, qtbot: QtBot) -> None:
    hub.publish(failed(REVOKED))
    qtbot.waitUntil(lambda: window.alarms.dialog is not None)
    dialog = window.alarms.dialog
    assert dialog
    assert [line.text() for line in dialog.findChildren(QLineEdit)] == [NEW]
    assert "not to be trusted any more" in " ".join(label.text() for label in dialog.findChildren(QLabel))
    dialog.reject()


def test_two_alarms_come_one_after_the_other(
    alarm: WrongKeyDialog, hub: fake.FakeHub, window: MainWindow, qtbot: QtBot
) -> None:
    with qtbot.waitSignal(window.feed.changed):
        hub.publish(failed(REVOKED, fake.SHOP.id))
    assert window.alarms.dialog is alarm
    alarm.reject()
    assert window.alarms.dialog not in {None, alarm}
    window.alarms.dialog.reject()  # type: ignore[union-attr]


def test_a_hidden_window_tells_it_when_it_is_back(
    hub: fake.FakeHub, window: MainWindow, qtbot: QtBot
) -> None:
    window.hide()
    with qtbot.waitSignal(window.feed.changed):
        hub.publish(failed(CHANGED))
    assert window.alarms.dialog is None
    window.show()
    qtbot.waitUntil(lambda: window.alarms.dialog is not None)
