"""Waits for a place to show a tray icon: a StatusNotifier host on the session bus.

A program that starts at login is often there before the panel is. Qt looks for a host only
when an icon is made and never again, so somebody has to tell when it is time to make
another one. A bar may also claim the name before it shows anything (the property
``IsStatusNotifierHostRegistered`` turns true later), hence both are watched.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import SLOT, QObject, QTimer, Signal, Slot

if TYPE_CHECKING:
    from PySide6.QtDBus import QDBusServiceWatcher

WATCHER = "org.kde.StatusNotifierWatcher"
_SETTLED = 200  # milliseconds until a host that has come also answers


class TrayHost(QObject):
    """``came`` when a host has come or come back, ``left`` when it has gone."""

    came = Signal()
    left = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._timer = QTimer(self, singleShot=True, interval=_SETTLED)
        self._timer.timeout.connect(self.came)
        self._watcher: QDBusServiceWatcher | None = None
        if has_bus():
            self._watch()

    @property
    def watching(self) -> bool:
        """Whether a host may still come."""
        return self._watcher is not None

    def _watch(self) -> None:
        from PySide6.QtDBus import QDBusConnection, QDBusServiceWatcher  # noqa: PLC0415 - the window first

        bus = QDBusConnection.sessionBus()
        if not bus.isConnected():
            return
        mode = QDBusServiceWatcher.WatchModeFlag
        either = mode.WatchForRegistration | mode.WatchForUnregistration
        self._watcher = QDBusServiceWatcher(WATCHER, bus, either, self)
        self._watcher.serviceRegistered.connect(self._arrived)
        self._watcher.serviceUnregistered.connect(self.left)
        signal = "StatusNotifierHostRegistered"
        slot: Any = SLOT("_arrived()")  # a str, whatever the stubs say: bytes are refused
        bus.connect(WATCHER, "/StatusNotifierWatcher", WATCHER, signal, self, slot)

    @Slot()
    def _arrived(self, *_: object) -> None:
        self._timer.start()


def has_bus() -> bool:
    """Whether there is a session bus; asking Qt where there is none would start a stray one."""
    if sys.platform != "linux":
        return False
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    return bool(os.environ.get("DBUS_SESSION_BUS_ADDRESS")) or bool(runtime and Path(runtime, "bus").exists())
