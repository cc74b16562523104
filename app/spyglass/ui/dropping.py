"""Files of profiles that are dropped on the window."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QDropEvent

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget


class Drops(QObject):
    """Hands the ``.toml`` files of a drop to ``take``; nothing else can be dropped."""

    def __init__(self, window: QWidget, take: Callable[[Sequence[Path]], object]) -> None:
        super().__init__(window)
        self._take = take
        window.setAcceptDrops(True)
        window.installEventFilter(self)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        """Qt: every event of the window, before the window."""
        if not isinstance(event, QDropEvent):  # entering and moving are drops too, to Qt
            return False
        files = _profiles(event)
        if files and event.type() is QEvent.Type.Drop:
            self._take(files)
        if files:
            event.acceptProposedAction()
        return bool(files)


def _profiles(event: QDropEvent) -> list[Path]:
    named = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
    return [path for path in named if path.suffix.lower() == ".toml"]
