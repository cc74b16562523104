"""The icon in the tray, where the desktop has one; it comes when a tray comes later."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QSystemTrayIcon

from spyglass.ui import style, tray_icon
from spyglass.ui.tray_host import TrayHost

if TYPE_CHECKING:
    from PySide6.QtWidgets import QMenu

    from spyglass.ui.notices import Notice

_CLICK = QSystemTrayIcon.ActivationReason.Trigger


class Tray(QObject):
    """Shows a shape, a tooltip, a menu and notifications.

    ``clicked``: the person clicked the icon (on macOS that opens the menu and nothing else);
    ``message_clicked``: a notification; ``came``, ``left``: the tray itself.
    """

    clicked = Signal()
    message_clicked = Signal()
    came = Signal()
    left = Signal()

    def __init__(self, menu: QMenu, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._menu = menu
        self._shape = ""
        self._tooltip = "Spyglass"
        self._icon: QSystemTrayIcon | None = None
        self.host = TrayHost(self)
        self.host.came.connect(self._renew)
        self.host.left.connect(self.left)
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._draw)
        style.Theme.current.changed.connect(self._draw)
        if QSystemTrayIcon.isSystemTrayAvailable() or QGuiApplication.platformName() == "xcb":
            self._make()  # on X11 Qt itself waits for an old-style tray

    @property
    def available(self) -> bool:
        """Whether a person can see the icon now. Qt's ``isVisible`` is true even without a tray."""
        return self._icon is not None and QSystemTrayIcon.isSystemTrayAvailable()

    def show(self, shape: str, tooltip: str) -> None:
        """Show this state."""
        changed, self._shape, self._tooltip = shape != self._shape, shape, tooltip
        if changed:
            self._draw()
        if self._icon:
            self._icon.setToolTip(tooltip)

    def notify(self, notice: Notice) -> None:
        """Put up a notification."""
        if self._icon:
            look = tray_icon.icon(notice.shape, tray_icon.tokens())
            self._icon.showMessage(notice.title, notice.text, look)

    def close(self) -> None:
        """Take the icon away."""
        self.host.blockSignals(True)
        self._drop()

    def _renew(self) -> None:
        """A host has come: an icon that was made before it would never show."""
        self._drop()
        self._make()
        self.came.emit()

    def _make(self) -> None:
        self._icon = QSystemTrayIcon(tray_icon.icon(self._shape, tray_icon.tokens()), self)
        self._icon.setToolTip(self._tooltip)
        self._icon.setContextMenu(self._menu)  # before it shows: some trays ask for it only once
        self._icon.activated.connect(self._activated)
        self._icon.messageClicked.connect(self.message_clicked)
        self._icon.show()

    def _drop(self) -> None:
        if self._icon:
            self._icon.hide()
            self._icon.deleteLater()
            self._icon = None

    def _draw(self) -> None:
        if self._icon:
            self._icon.setIcon(tray_icon.icon(self._shape, tray_icon.tokens()))

    def _activated(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason is _CLICK and sys.platform != "darwin":
            self.clicked.emit()
