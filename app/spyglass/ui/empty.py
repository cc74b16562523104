"""What stands where nothing is: words that teach, and the one action that fills the place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from spyglass.ui import icons, parts, style

if TYPE_CHECKING:
    from PySide6.QtGui import QPixmap


class EmptyState(QWidget):
    """What would be here, and the one action that brings it."""

    acted = Signal()

    def __init__(self, picture: QPixmap | None = None) -> None:
        super().__init__()
        self._title = parts.label(font=style.semibold(15 / 13))
        self._text = parts.label(role="dim")
        self._button = parts.button("", self.acted.emit)
        for each in (self._title, self._text):
            each.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._text.setWordWrap(True)
        self._text.setFixedWidth(440)
        column = QVBoxLayout(self)
        column.setSpacing(style.GAP)
        column.addStretch(2)
        if picture:
            shown = QLabel(pixmap=picture)
            column.addWidget(shown, 0, Qt.AlignmentFlag.AlignHCenter)
        for widget in (self._title, self._text, self._button):
            column.addWidget(widget, 0, Qt.AlignmentFlag.AlignHCenter)
        column.insertSpacing(column.indexOf(self._button), 8)
        column.addStretch(3)

    def say(self, title: str, text: str, action: str = "") -> None:
        """Set the words; no action, no button."""
        self._title.setText(title)
        self._text.setText(text)
        self._text.setMinimumHeight(self._text.heightForWidth(self._text.width()))
        self._button.setText(action)
        self._button.setAccessibleName(action)
        self._button.setVisible(bool(action))

    @property
    def action(self) -> str:
        """The button's words, or empty."""
        return self._button.text()


def nothing_saved() -> EmptyState:
    """The window's right side before there is any profile."""
    made = EmptyState(icons.app_icon(style.tokens()).pixmap(64, 64))
    made.say(
        "No connection saved yet",
        "A profile keeps the way to a server and its containers. "
        "Or type a host above: it connects without saving.",
        "New profile",
    )
    return made
