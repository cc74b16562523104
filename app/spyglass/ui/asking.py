"""Shows questions: one at a time, never blocking the window.

Closing a dialog takes the question back: its worker gets Cancelled and unwinds. A
question that its worker no longer asks closes its dialog.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from spyglass.ui.bridge import Pending, QuestionDesk
    from spyglass.ui.questions import QuestionDialog


class Counter(QObject):
    """Shows the desk's questions over a window, oldest first."""

    def __init__(self, desk: QuestionDesk, window: QWidget, name_of: Callable[[str], str]) -> None:
        super().__init__(window)
        self._desk = desk
        self._window = window
        self._name_of = name_of
        self._waiting: list[Pending] = []
        self.dialog: QuestionDialog | None = None
        self._shown: Pending | None = None
        desk.asked.connect(self._asked, Qt.ConnectionType.QueuedConnection)
        desk.withdrawn.connect(self._withdrawn, Qt.ConnectionType.QueuedConnection)

    def _asked(self, pending: Pending) -> None:
        self._waiting.append(pending)
        self._next()

    def _next(self) -> None:
        while self.dialog is None and self._waiting:
            pending = self._waiting.pop(0)
            if pending.open:
                self._show(pending)

    def _show(self, pending: Pending) -> None:
        from spyglass.ui.questions import dialog_for  # noqa: PLC0415 - the window first

        self._shown = pending
        over = self._window if self._window.isVisible() else None  # it may be hidden in the tray
        self.dialog = dialog_for(pending.question, self._name_of(pending.profile_id), over)
        self.dialog.finished.connect(self._finished)
        self.dialog.open()
        self.dialog.raise_()

    def _finished(self, _result: int) -> None:
        from spyglass.questions import Consent  # noqa: PLC0415 - the window first

        dialog, pending = self.dialog, self._shown
        self.dialog = self._shown = None
        if dialog and pending:
            refused = isinstance(pending.question, Consent) and dialog.answer is None
            answer, dialog.answer = (False if refused else dialog.answer), None
            pending.settle(answer, cancelled=answer is None)
            dialog.deleteLater()
        self._next()

    def _withdrawn(self, pending: Pending) -> None:
        if pending is self._shown and self.dialog:
            self.dialog.reject()
