"""A defect of ours, shown: the report to copy, nothing is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QDialog, QPlainTextEdit, QVBoxLayout, QWidget

from spyglass.ui import parts, style

if TYPE_CHECKING:
    from collections.abc import Callable


class CrashDialog(QDialog):
    """The report, with Copy and Close; the program goes on."""

    def __init__(self, text: str, copy: Callable[[str], None], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Spyglass")
        self.text = QPlainTextEdit(text, readOnly=True)
        self.text.setFont(style.mono())
        self.text.setAccessibleName("Report")
        self.copy = parts.button("Copy the report", lambda: copy(self.text.toPlainText()))
        self.close_button = parts.button("Close", self.accept)
        self.close_button.setDefault(True)
        said = parts.label(
            "It goes on, and nothing was sent anywhere. "
            "The report holds no secrets: copy it into an issue if you like to help."
        )
        said.setWordWrap(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 22, 24, 20)
        column.setSpacing(10)
        column.addWidget(parts.label("Spyglass met a defect of its own", font=style.semibold(15 / 13)))
        column.addWidget(said)
        column.addWidget(self.text, 1)
        column.addSpacing(6)
        column.addLayout(parts.row(1, self.copy, self.close_button, spacing=10))
        self.resize(640, 420)
