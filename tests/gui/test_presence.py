"""Closing, hiding and quitting, with a tray that a test plays."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QApplication, QPushButton

from spyglass.profile import Profile
from spyglass.status import Phase, Status
from spyglass.ui.preferred import Preferred
from spyglass.ui.presence import Presence
from spyglass.ui.questions import ConsentDialog
from support import fake_hub as fake

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from spyglass.ui.notices import Notice
    from spyglass.ui.window import MainWindow


class FakeTray(QObject):
    """A tray that is there; remembers what it was told."""

    clicked, message_clicked, came, left = Signal(), Signal(), Signal(), Signal()

    def __init__(self, menu: QObject, parent: QObject) -> None:
        super().__init__(parent)
        self.menu = menu
        self.available = True
        self.host = SimpleNamespace(watching=True)
        self.shown: list[tuple[str, str]] = []
        self.told: list[Notice] = []

    def show(self, shape: str, tooltip: str) -> None:
        self.shown.append((shape, tooltip))

    def notify(self, notice: Notice) -> None:
        self.told.append(notice)

    def close(self) -> None:
        self.available = False


class App(QObject):
    """The part of a QApplication that matters, and whether it was told to end."""

    commitDataRequest, aboutToQuit = Signal(), Signal()  # noqa: N815 - Qt's own names

    def __init__(self) -> None:
        super().__init__()
        self.ended = False

    def setQuitOnLastWindowClosed(self, _on: bool) -> None:  # noqa: N802 - Qt's own name
        pass

    def exit(self) -> None:
        self.ended = True


@pytest.fixture
def app() -> App:
    return App()


@pytest.fixture
def preferred(tmp_path: Path) -> Preferred:
    made = Preferred(tmp_path / "settings.toml")
    made.change(welcomed=True)
    return made


@pytest.fixture
def make(
    window: MainWindow, app: App, preferred: Preferred, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> Iterator[Callable[..., Presence]]:
    monkeypatch.setattr("spyglass.ui.tray.Tray", FakeTray)
    made: list[Presence] = []

    def begin(**words: bool) -> Presence:
        made.append(Presence(app, window, preferred, **words))  # type: ignore[arg-type]
        made[-1].begin()
        return made[0]

    yield begin
    window.may_close = lambda: True
    for each in made:
        each.close()
        if each.tray:
            vars(each.tray)["menu"].deleteLater()


def dialog() -> ConsentDialog:
    [found] = [w for w in QApplication.topLevelWidgets() if isinstance(w, ConsentDialog) and w.isVisible()]
    return found


def press(text: str) -> None:
    next(b for b in dialog().findChildren(QPushButton) if b.text() == text).click()


def test_closing_says_once_that_it_goes_on_in_the_tray(
    make: Callable[..., Presence], window: MainWindow, app: App, preferred: Preferred, tmp_path: Path
) -> None:
    make()
    window.close()
    assert window.isVisible()
    assert "tray" in dialog().title.text()  # type: ignore[attr-defined]
    press("Close the window")
    assert not window.isVisible()
    assert Preferred(tmp_path / "settings.toml").value.close_to_tray_said
    window.show()
    window.close()
    assert not window.isVisible()
    assert not app.ended


def test_cancelling_keeps_the_window(make: Callable[..., Presence], window: MainWindow) -> None:
    make()
    window.close()
    press("Cancel")
    assert window.isVisible()
    window.close()
    press("Cancel")


def test_without_a_tray_closing_is_quitting(
    make: Callable[..., Presence], window: MainWindow, app: App, hub: fake.FakeHub
) -> None:
    presence = make()
    presence.tray.available = False  # type: ignore[union-attr,misc]
    for profile in fake.PROFILES:
        hub.publish(Status(profile.id))
    window.close()
    assert app.ended


def test_quitting_asks_and_lists_what_is_open(
    make: Callable[..., Presence], window: MainWindow, app: App
) -> None:
    make()
    window.quit_wanted.emit()
    assert not app.ended
    text = " ".join(w.text() for w in dialog().findChildren(type(dialog().title)))  # type: ignore[attr-defined]
    assert "Quit with 3 open connections?" in text
    assert "Shop EU" in text
    assert "Billing" not in text
    window.quit_wanted.emit()
    press("Quit")
    assert app.ended


def test_nothing_is_asked_when_the_session_ends(
    make: Callable[..., Presence], window: MainWindow, app: App
) -> None:
    make()
    app.commitDataRequest.emit()
    assert window.close()
    assert not window.isVisible()


def test_a_click_on_the_icon_shows_and_hides(make: Callable[..., Presence], window: MainWindow) -> None:
    tray = make().tray
    assert tray
    tray.clicked.emit()
    assert not window.isVisible()
    tray.clicked.emit()
    assert window.isVisible()


def test_the_tray_shows_the_state_as_it_changes(
    make: Callable[..., Presence], hub: fake.FakeHub, qtbot: QtBot
) -> None:
    tray = make().tray
    assert tray.shown[-1][0] == "bad"  # type: ignore[union-attr]
    for profile in fake.PROFILES:
        hub.publish(Status(profile.id, Phase.READY))
    qtbot.waitUntil(lambda: tray.shown[-1][0] == "ok")  # type: ignore[union-attr]


def test_notifications_come_while_the_window_is_hidden_unless_muted(
    make: Callable[..., Presence], window: MainWindow, hub: fake.FakeHub, preferred: Preferred, qtbot: QtBot
) -> None:
    tray = make().tray
    hub.publish(fake.connected(fake.STAGING))
    qtbot.waitUntil(lambda: window.model.status(fake.STAGING.id).phase is Phase.READY)
    window.hide()
    hub.publish(fake.changed_key(fake.STAGING))
    qtbot.waitUntil(lambda: [n.title for n in tray.told] == ["Shop staging has stopped"])  # type: ignore[union-attr]
    tray.message_clicked.emit()  # type: ignore[union-attr]
    assert window.isVisible()
    assert window.page.profile == fake.STAGING
    window.hide()
    preferred.change(notifications=False)
    hub.publish(fake.connected(fake.STAGING))
    qtbot.waitUntil(lambda: window.model.status(fake.STAGING.id).phase is Phase.READY)
    assert len(tray.told) == 1  # type: ignore[union-attr]


def test_profiles_that_connect_by_themselves_do_so_unattended(
    make: Callable[..., Presence], window: MainWindow, hub: fake.FakeHub
) -> None:
    hub.replace(Profile(name="Auto", id=fake.STAGING.id, autoconnect=True))
    window.reload()
    hub.calls.clear()
    make()
    assert hub.calls == [("begin", fake.STAGING.id)]


def test_in_the_background_nothing_shows_while_there_is_a_tray(
    make: Callable[..., Presence], window: MainWindow, qtbot: QtBot
) -> None:
    window.hide()
    presence = make(background=True)
    presence._show_without_tray()
    assert not window.isVisible()
    presence.tray.available = False  # type: ignore[union-attr,misc]
    presence._show_without_tray()
    assert window.isVisible()


def test_the_tray_can_be_given_up_at_any_time(make: Callable[..., Presence], preferred: Preferred) -> None:
    presence = make()
    menu = presence.tray.menu
    preferred.change(tray=False)
    assert presence.tray is None
    assert not presence.hides
    menu.deleteLater()


def test_the_log_level_follows_the_settings(make: Callable[..., Presence], preferred: Preferred) -> None:
    make()
    preferred.change(log_level="debug")
    assert logging.getLogger("spyglass").level == logging.DEBUG
    preferred.change(log_level="info")
    assert logging.getLogger("spyglass").level == logging.INFO
