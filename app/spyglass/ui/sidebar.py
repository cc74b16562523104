"""The left side: the search and the list of connections."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from spyglass.ui import parts
from spyglass.ui.profile_list import ProfileListModel, ProfileListView

if TYPE_CHECKING:
    from PySide6.QtGui import QKeyEvent

    from spyglass.profile import Profile
    from spyglass.ui.icons import Spinner

WIDTH = 268


class Sidebar(QWidget):
    """Chooses the connection that the page shows."""

    chosen = Signal(object)
    opened = Signal(object)

    def __init__(self, model: ProfileListModel, spinner: Spinner) -> None:
        super().__init__()
        self.setObjectName("sidebar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setMinimumWidth(190)
        self.model = model
        self._last = ""
        self.search = _SearchField(self)
        self.list = ProfileListView(model, spinner)
        self.nothing = parts.label("", "dim")
        self.nothing.setWordWrap(True)
        self.nothing.setContentsMargins(10, 14, 10, 0)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 12, 12, 8)
        column.setSpacing(6)
        column.addWidget(self.search)
        column.addWidget(self.nothing)
        column.addWidget(self.list, 1)
        self.search.textChanged.connect(self._search)
        self.list.selectionModel().currentChanged.connect(self._current)
        self.list.activated.connect(self._activated)

    def load(self, saved: list[Profile], unsaved: list[Profile], choose: str = "") -> None:
        """Show these; choose one, else what was chosen before, else the first."""
        self.model.load(saved, unsaved)
        self.choose(choose or self._last)
        self._say_nothing()

    def current(self) -> Profile | None:
        """The chosen profile."""
        return self.model.profile_at(self.list.currentIndex())

    def choose(self, profile_id: str) -> None:
        """Choose a profile if it is shown, else the first."""
        index = self.model.index_of(profile_id)
        index = index if index.isValid() else self.model.first()
        self.list.setCurrentIndex(index)
        if not index.isValid():
            self.chosen.emit(None)

    def open_first(self) -> None:
        """Enter in the search: go to what was found."""
        self.list.setFocus()

    def _search(self, text: str) -> None:
        self.model.search(text)
        self.choose(self._last)
        self._say_nothing()

    def _say_nothing(self) -> None:
        searched = self.search.text().strip()
        empty = self.model.rowCount() == 0
        self.nothing.setVisible(empty)
        self.nothing.setText(
            f"No connection has “{searched}” in its name or way."
            if searched
            else "Saved connections are listed here."
        )

    def _current(self, index: QModelIndex, _before: QModelIndex) -> None:
        profile = self.model.profile_at(index)
        if profile:
            self._last = profile.id
            self.chosen.emit(profile)

    def _activated(self, index: QModelIndex) -> None:
        profile = self.model.profile_at(index)
        if profile:
            self.opened.emit(profile)


class _SearchField(parts.KeyField):
    """Escape empties it; Down and Enter go to the list."""

    def __init__(self, sidebar: Sidebar) -> None:
        super().__init__("Search profiles", "Ctrl F", "Search profiles")
        self.setObjectName("search")
        self._sidebar = sidebar
        self.returnPressed.connect(sidebar.open_first)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Qt: the keys."""
        if event.key() == Qt.Key.Key_Escape:
            self.clear()
        elif event.key() == Qt.Key.Key_Down:
            self._sidebar.open_first()
        else:
            super().keyPressEvent(event)
