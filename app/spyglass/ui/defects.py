"""Takes defects of ours from wherever they are met to where a person sees them."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QGuiApplication

from spyglass import report
from spyglass.errors import Failure
from spyglass.store import paths

if TYPE_CHECKING:
    from spyglass.ui.crash import CrashDialog


class Crashes(QObject):
    """Takes what nobody caught, from any thread, to one dialog."""

    came = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.came.connect(self._show)
        self._dialog: CrashDialog | None = None

    def tell(self, error: BaseException) -> None:
        """Keep a report about this error and show it; from any thread."""
        from spyglass.erlang import places  # noqa: PLC0415 - the window first

        made = report.text(error, erl=str(next(iter(places.candidates(None)), "")))
        with suppress(OSError, Failure):  # a full disk must not keep the report from being seen
            report.keep(made, paths.current().state)
        self.came.emit(made)

    def _show(self, text: str) -> None:
        from spyglass.ui.crash import CrashDialog  # noqa: PLC0415 - the window first

        if self._dialog is None:  # the first one says most; those that follow are in the log
            self._dialog = CrashDialog(text, QGuiApplication.clipboard().setText)
            self._dialog.finished.connect(self._closed)
            self._dialog.show()

    def _closed(self) -> None:
        if self._dialog is not None:
            self._dialog.deleteLater()
            self._dialog = None
