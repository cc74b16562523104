"""Small behaviour for widgets: actions by key or menu, and names to complete from."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QCompleter, QMenu

if TYPE_CHECKING:
    from PySide6.QtCore import QObject, QStringListModel
    from PySide6.QtWidgets import QStyleOptionMenuItem, QWidget

_APART = 24  # pixels more between an entry's words and its keys; the stylesheet has room for them


class KeyedMenu(QMenu):
    """A menu whose entries have keys. Qt puts these right beside the longest words."""

    def __init__(self, parent: QWidget, title: str = "") -> None:
        super().__init__(title, parent)
        self.setObjectName("keyed")

    def initStyleOption(self, option: QStyleOptionMenuItem, action: QAction) -> None:
        """Qt: how an entry is drawn."""
        super().initStyleOption(option, action)
        if option.reservedShortcutWidth:
            option.reservedShortcutWidth -= _APART


def action(on: QWidget, text: str, keys: str, then: Callable[[], object]) -> QAction:
    """Give the widget an action; its keys count in all of a window, but elsewhere in that widget only."""
    made = QAction(text, on)
    made.setShortcut(QKeySequence(keys))
    whole = Qt.ShortcutContext.WindowShortcut if on.isWindow() else Qt.ShortcutContext.WidgetShortcut
    made.setShortcutContext(whole)
    made.triggered.connect(lambda _checked: then())
    on.addAction(made)
    return made


def completer(names: QStringListModel, owner: QObject) -> QCompleter:
    """Offers the names that hold what is typed, wherever in them and in whatever case."""
    made = QCompleter(names, owner)
    made.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
    made.setFilterMode(Qt.MatchFlag.MatchContains)
    return made
