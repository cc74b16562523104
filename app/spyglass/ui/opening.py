"""The window first: whatever it does not show waits until it has been painted once."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QTimer, Signal

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtWidgets import QAbstractScrollArea, QWidget

PATIENCE = 1000
"""Milliseconds after which it goes on without: a window that starts minimized is not painted."""


class Opening(QObject):
    """``painted`` is emitted when the window has been painted for the first time."""

    painted = Signal()

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._first: list[Callable[[], object]] = []
        self._later: deque[Callable[[], object]] = deque()
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self._go_on)
        window.installEventFilter(self)

    def first(self, *calls: Callable[[], object]) -> None:
        """Call these once it is painted, and not before; they come before all others."""
        self._first.extend(calls)

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
        self._later.extendleft(reversed(self._first))
        self._timer.start(0)
        self.painted.emit()

    def _go_on(self) -> None:
        if self._later:
            try:
                self._later.popleft()()
            finally:
                self._timer.start(0)  # from now: other timers that are due come before the next call


def acquaint(view: QAbstractScrollArea) -> None:
    """Take what the page needs and what is slow the first time, in a turn of its own.

    That is its modules, and PySide6's own types: it makes them all at the first widget that it is
    handed and that was not made by Python.
    """
    from spyglass.ui import page  # noqa: F401, PLC0415 - the window first

    view.viewport()
