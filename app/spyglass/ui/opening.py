"""The window first: whatever it does not show waits until it has been painted once."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QTimer, Signal

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtWidgets import QWidget

PATIENCE = 1000
"""Milliseconds after which it goes on without: a window that starts minimized is not painted."""


class Opening(QObject):
    """``painted`` is emitted when the window has been painted for the first time."""

    painted = Signal()

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._later: deque[Callable[[], object]] = deque()
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self._go_on)
        window.installEventFilter(self)

    def then(self, *calls: Callable[[], object]) -> None:
        """Call these when it is painted, each in a turn of the event loop of its own.

        A window that is not shown is not waited for.
        """
        self._later.extend(calls)
        if not self._timer.isActive():
            self._timer.start(PATIENCE if self._window.isVisible() else 0)

    def eventFilter(self, window: QObject, event: QEvent) -> bool:
        """Qt: what happens to the window."""
        if event.type() is QEvent.Type.Paint:
            window.removeEventFilter(self)
            QTimer.singleShot(0, self, self._painted)  # what lies in the window is painted in the same go
        return False

    def _painted(self) -> None:
        self._timer.start(0)
        self.painted.emit()

    def _go_on(self) -> None:
        if self._later:
            self._timer.start(0)
            self._later.popleft()()
