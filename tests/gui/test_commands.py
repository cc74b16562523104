"""The window's menu and keys: whatever the tray offers, and how to find the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog, QLabel, QMenu, QStyleOptionMenuItem

from spyglass.profile import SSHHop
from spyglass.ui.about import AboutDialog, KeysDialog
from spyglass.ui.actions import KeyedMenu
from spyglass.ui.commands import MainMenu
from spyglass.ui.tray_menu import TrayMenu
from support import fake_hub as fake

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from spyglass.ui.window import MainWindow


def texts(menu: QMenu) -> dict[str, str]:
    """What a menu says, its submenus included: text and keys."""
    said = {}
    for action in menu.actions():
        said[action.text().replace("&", "").rstrip("…")] = action.shortcut().toString()
        if below := action.menu():
            said |= texts(below)  # type: ignore[arg-type]
    return said


@pytest.fixture
def menu(window: MainWindow) -> Iterator[MainMenu]:
    window.page.nodes.select({fake.THREE[0].key})
    made = MainMenu(window)
    yield made
    made.deleteLater()


def test_the_menu_has_what_the_tray_has(window: MainWindow, menu: MainMenu, qtbot: QtBot) -> None:
    tray = TrayMenu(window)
    qtbot.addWidget(tray)
    in_tray = {text for text in texts(tray) if text and "Shop" not in text}
    elsewhere = {  # in the list, on the page, and what only a tray needs
        *("Connect", "Cancel", "Try again", "Retry now", "Show", "Log", "Hide window", "Show window", "Quit"),
        *(profile.name for profile in fake.PROFILES),
    }
    names = {text for text in in_tray if "@" not in text and "·" not in text and "needs you" not in text}
    assert names - elsewhere - set(texts(menu)) == set()
    assert "Quit Spyglass" in texts(menu)


def test_every_entry_names_its_keys(menu: MainMenu) -> None:
    said = texts(menu)
    wanted = ("New profile", "Import profiles", "Preferences", "Keyboard shortcuts", "Quit Spyglass", "Edit")
    assert [said[name] for name in wanted] == ["Ctrl+N", "Ctrl+O", "Ctrl+,", "F1", "Ctrl+Q", "F2"]


@pytest.mark.parametrize("how", ["key", "click"])
def test_the_menu_opens_by_key_and_by_mouse_and_closes_again(
    window: MainWindow, qtbot: QtBot, how: str
) -> None:
    if how == "key":
        QTest.keyClick(window, Qt.Key.Key_F10)
    else:
        QTest.mouseClick(window.menu_button, Qt.MouseButton.LeftButton)
    [opened] = window.findChildren(MainMenu)
    assert opened.isVisible()
    QTest.keyClick(opened, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not window.findChildren(MainMenu))


def test_the_menu_reaches_the_chosen_profile_and_its_nodes(
    hub: fake.FakeHub, window: MainWindow, menu: MainMenu
) -> None:
    every = {}
    for action in menu.findChildren(QMenu):
        every |= {each.text().replace("&", ""): each for each in action.actions()}
    every["Disconnect"].trigger()
    every["Copy node name"].trigger()
    assert hub.calls == [("disconnect", fake.SHOP.id)]
    assert QGuiApplication.clipboard().text() == fake.THREE[0].node


def test_of_a_connection_that_is_not_saved_only_what_makes_sense(window: MainWindow) -> None:
    window.quick.setText("deploy@prod9")
    window.connect_quick()
    assert window.page.profile.hops == (SSHHop("prod9", "deploy"),)
    window.commands.follow()
    assert window.commands.edit.text() == "&Save…"
    assert not window.commands.export.isEnabled()


def test_the_program_is_asked_for_through_the_menu(window: MainWindow) -> None:
    asked: list[str] = []
    window.preferences_wanted.connect(lambda: asked.append("preferences"))
    window.quit_wanted.connect(lambda: asked.append("quit"))
    window.commands.preferences.trigger()
    window.commands.quit.trigger()
    assert asked == ["preferences", "quit"]


@pytest.mark.parametrize("kind", [KeysDialog, AboutDialog])
def test_keys_and_facts_are_told_and_go_with_escape(
    window: MainWindow, qtbot: QtBot, kind: type[QDialog]
) -> None:
    (window.commands.keys if kind is KeysDialog else window.commands.about).trigger()
    [dialog] = window.findChildren(kind)
    said = " ".join(label.text() for label in dialog.findChildren(QLabel))
    wanted = {
        KeysDialog: ("Ctrl+N", "Profile: edit", "Shift+F10"),
        AboutDialog: ("Version", "Qt 6", "Python"),
    }
    assert [word for word in wanted[kind] if word not in said] == []
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not window.findChildren(kind))


def test_the_report_says_what_it_runs_on(window: MainWindow, qtbot: QtBot) -> None:
    window.commands.about.trigger()
    dialog = window.findChild(AboutDialog)
    dialog.copy.click()
    copied = QGuiApplication.clipboard().text()
    assert copied.startswith("Spyglass 0.")
    assert "The log's last lines:" in copied
    dialog.accept()


def test_no_two_actions_want_the_same_keys(
    window: MainWindow, make_window: Callable[[fake.FakeHub], MainWindow]
) -> None:
    keys = [keys for keys, _ in window.commands.shortcuts()]
    assert len(keys) == len(set(keys))


def test_keys_stand_apart_from_the_words_in_a_menu(window: MainWindow, qtbot: QtBot) -> None:
    plain, keyed = QMenu(window), KeyedMenu(window)
    kept = []
    for menu in (plain, keyed):
        menu.addActions(window.commands.of_profile)
        option = QStyleOptionMenuItem()
        menu.popup(window.pos())
        menu.initStyleOption(option, window.commands.edit)
        kept.append(option.reservedShortcutWidth)
        menu.close()
    assert kept[0] - kept[1] == keyed.sizeHint().width() - plain.sizeHint().width() == 24
