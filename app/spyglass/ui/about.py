"""What this program is, with a report to copy; and the list of its keys."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QGridLayout, QLabel, QVBoxLayout, QWidget

from spyglass import __version__, report
from spyglass.erlang import places
from spyglass.ui import icons, parts, style


class _Sheet(QDialog):
    """A small dialog that only tells something."""

    def __init__(self, title: str, parent: QWidget | None) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"{title} – Spyglass")
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(24, 22, 24, 20)
        self.column.setSpacing(10)
        self.column.setSizeConstraint(QVBoxLayout.SizeConstraint.SetFixedSize)
        self.done_button = parts.button("Close", self.accept)
        self.done_button.setDefault(True)


class AboutDialog(_Sheet):
    """The version and what it runs on; the report has the log's last lines and no secret."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("About", parent)
        names = QVBoxLayout()
        names.setSpacing(2)
        names.addWidget(parts.label("Spyglass", font=style.title()))
        names.addWidget(parts.label(f"Version {__version__} · Apache-2.0", "dim"))
        head = parts.row(QLabel(pixmap=icons.app_icon(style.tokens()).pixmap(48, 48)), spacing=16)
        head.addLayout(names, 1)
        erl = str(next(iter(places.candidates(None)), ""))
        self.facts = parts.label("\n".join(report.facts(erl)[1:]), "dim")
        self.facts.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        said = parts.label(
            "Opens Erlang’s Observer on any BEAM node that SSH can reach. It sends nothing anywhere. "
            "To tell of a problem, copy the report into an issue: it holds the versions above and the log’s "
            "last lines, and no secrets."
        )
        said.setWordWrap(True)
        said.setFixedWidth(440)
        self.copy = parts.button(
            "Copy the report", lambda: QGuiApplication.clipboard().setText(report.text(None, erl=erl))
        )
        self.column.addLayout(head)
        self.column.addSpacing(4)
        for each in (said, self.facts):
            self.column.addWidget(each)
        self.column.addSpacing(6)
        self.column.addLayout(parts.row(1, self.copy, self.done_button, spacing=10))
        self.done_button.setFocus()


class KeysDialog(_Sheet):
    """Every key, in two columns."""

    def __init__(self, keys: Sequence[tuple[str, str]], parent: QWidget | None = None) -> None:
        super().__init__("Keyboard shortcuts", parent)
        self.column.addWidget(parts.label("Keyboard shortcuts", font=style.semibold(15 / 13)))
        grid = QGridLayout()
        grid.setHorizontalSpacing(28)
        grid.setVerticalSpacing(6)
        for row, (key, text) in enumerate(keys):
            told = parts.label(text)
            name = parts.label(key, "dim")
            name.setBuddy(told)
            grid.addWidget(told, row, 0)
            grid.addWidget(name, row, 1)
        self.column.addLayout(grid)
        self.column.addSpacing(6)
        self.column.addLayout(parts.row(1, self.done_button))
