"""Everything without a mouse: the order of Tab, the chain's links, and names for screen readers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QComboBox,
    QLineEdit,
    QMenu,
    QTabBar,
    QWidget,
)

from support import fake_hub as fake

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from spyglass.ui.window import MainWindow

Key = Qt.Key


def visited(window: MainWindow) -> list[QWidget]:
    """What Tab goes through, from the search on until it is there again."""
    window.sidebar.search.setFocus()
    seen: list[QWidget] = []
    while (focused := QApplication.focusWidget()) and focused not in seen:
        seen.append(focused)
        QTest.keyClick(focused, Key.Key_Tab)
    return seen


def test_tab_goes_through_the_window_as_the_eye_does(window: MainWindow) -> None:
    page = window.page
    way = visited(window)
    wanted = [
        window.sidebar.search, window.sidebar.list, window.quick, window.new, window.menu_button,
        page.header.others[0], page.header.primary, page.chain, page.tabs, page.nodes,
    ]  # fmt: skip
    assert [widget for widget in way if widget in wanted] == wanted
    assert way[:2] == wanted[:2]


def test_the_chain_is_walked_link_by_link_and_told(window: MainWindow) -> None:
    chain = window.page.chain
    chain.setFocus()
    said = [chain.accessibleName()]
    for key in (Key.Key_Right, Key.Key_Right, Key.Key_End, Key.Key_Right, Key.Key_Left, Key.Key_Home):
        QTest.keyClick(chain, key)
        said.append(chain.accessibleName())
    assert [text.split(": ")[0][-11:] for text in said] == [f"link {n} of 5" for n in (1, 2, 3, 5, 5, 4, 1)]
    assert "prod-eu, deploy · ed25519 · 42 ms" in said[1]
    QTest.keyClick(chain, Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text() == "This computer\nOTP 27, wx 3.2"
    window.sidebar.list.setFocus()
    assert chain.accessibleName() == "The way to the node"


@pytest.mark.parametrize("view", ["list", "nodes"])
def test_the_menu_key_opens_what_a_right_click_does(window: MainWindow, qtbot: QtBot, view: str) -> None:
    shown = window.sidebar.list if view == "list" else window.page.nodes
    shown.setFocus()
    if view == "nodes":
        window.page.nodes.selectRow(0)
    at = shown.visualRect(shown.currentIndex()).center()
    shown.customContextMenuRequested.emit(at)
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    QTest.keyClick(menu, Key.Key_Escape)
    qtbot.waitUntil(lambda: QApplication.activePopupWidget() is None)


@pytest.mark.parametrize("profile", [fake.SHOP, fake.BILLING, fake.STAGING, fake.RANCHER, fake.LOCAL])
def test_every_control_has_a_name(window: MainWindow, profile: object) -> None:
    window.sidebar.choose(profile.id)  # type: ignore[attr-defined]
    kinds = (QAbstractButton, QAbstractItemView, QComboBox, QLineEdit, QTabBar)
    controls = [widget for kind in kinds for widget in window.findChildren(kind) if widget.isVisible()]
    nameless = [
        widget
        for widget in controls
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus and not widget.accessibleName()
    ]
    assert nameless == []
