"""The line that says why something was refused at once, above the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel

if TYPE_CHECKING:
    from spyglass.errors import Failure


class Complaint(QLabel):
    """Hidden until there is something to say."""

    def __init__(self) -> None:
        super().__init__()
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setProperty("role", "bad")
        self.setWordWrap(True)
        self.hide()

    def tell(self, fault: Failure) -> None:
        """Say it: what is, then what to do."""
        from spyglass.ui import texts  # noqa: PLC0415 - the window first

        told = texts.homely(f"{fault.title}. {fault.hint}".strip())
        self.setText(texts.unbroken(told))
        self.setAccessibleName(told)
        self.setToolTip("")
        self.show()
