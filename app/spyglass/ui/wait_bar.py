"""The quiet bar that says which nodes are waited for, and when they are looked for next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QFrame, QVBoxLayout

from spyglass.status import Phase, Status
from spyglass.ui import parts, style, words

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import QHideEvent, QShowEvent


class WaitBar(QFrame):
    """There while a node that was observed is away; ``look``: now; ``stop``: wait no more."""

    look = Signal()
    stop = Signal()

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__()
        self._clock = clock
        self._status = Status("")
        self.setProperty("role", "attention")
        self.words = parts.Elided()
        self.words.setFont(style.font(tabular=True))
        self.look_now = parts.button("Look now", self.look.emit, small=True, name="Look for the node now")
        self.give_up = parts.button("Stop waiting", self.stop.emit, small=True)
        self.give_up.setToolTip("Observer does not open again by itself when the node is back.")
        line = parts.row(parts.StateMark("warn"), self.words, self.look_now, self.give_up, spacing=12)
        line.setStretch(1, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(17, 7, 9, 7)
        column.addLayout(line)
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self._tell)
        self.hide()

    def show_status(self, status: Status) -> None:
        """Show what this connection waits for, or nothing."""
        self._status = status
        self.setVisible(status.phase is Phase.READY and bool(status.awaited))
        self._tell()

    def _tell(self) -> None:
        now = self._clock()
        due = self._status.next_try
        text = words.awaiting(self._status, now) if self._status.awaited else ""
        self.words.say(text)
        self.setAccessibleName(text)
        self.look_now.setEnabled(due is not None)
        self._timer.stop()
        if self.isVisible() and due is not None and due > now:
            self._timer.start(int(((due - now) % 1.0 or 1.0) * 1000) + 20)

    def showEvent(self, event: QShowEvent) -> None:
        """Catch up with the clock."""
        super().showEvent(event)
        self._tell()

    def hideEvent(self, event: QHideEvent) -> None:
        """Nothing wakes up for a bar that nobody sees."""
        super().hideEvent(event)
        self._timer.stop()
