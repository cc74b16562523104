"""The log of one connection: filter, copy, save; ten thousand lines without a stutter."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QAction, QColor, QGuiApplication, QKeySequence
from PySide6.QtWidgets import (
    QFileDialog,
    QHeaderView,
    QLineEdit,
    QStackedWidget,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from spyglass.log import redact
from spyglass.ui import parts, style, texts
from spyglass.ui.empty import EmptyState

if TYPE_CHECKING:
    from spyglass.log import Line
    from spyglass.ui.bridge import LogFeed

Index = QModelIndex | QPersistentModelIndex
Role = Qt.ItemDataRole
_MOST = 10_000
_SLACK = 1_000  # drop the oldest so many at a time: seldom, and at once


class LogModel(QAbstractListModel):
    """The newest lines that pass the filter; formatted only when they are looked at."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._all: list[Line] = []
        self._shown: list[Line] = []
        self._filter = ""

    def load(self, lines: list[Line]) -> None:
        """Show these instead."""
        self._all = lines[-_MOST:]
        self.filter(self._filter)

    def add(self, lines: list[Line]) -> None:
        """Append a batch."""
        self._all.extend(lines)
        if len(self._all) > _MOST + _SLACK:
            self.load(self._all)
            return
        passing = [line for line in lines if self._passes(line)]
        if passing:
            first = len(self._shown)
            self.beginInsertRows(QModelIndex(), first, first + len(passing) - 1)
            self._shown.extend(passing)
            self.endInsertRows()

    def filter(self, text: str) -> None:
        """Show only lines with this text in them, in any case of letters."""
        self._filter = text.casefold()
        self.beginResetModel()
        self._shown = [line for line in self._all if self._passes(line)]
        self.endResetModel()

    def text(self, rows: list[int] | None = None) -> str:
        """The shown lines (or those rows) as text, once more without secrets."""
        lines = self._shown if rows is None else [self._shown[row] for row in rows]
        return redact("\n".join(map(str, lines)))

    def _passes(self, line: Line) -> bool:
        return not self._filter or self._filter in str(line).casefold()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        """Qt: one row a line."""
        return 0 if parent.isValid() else len(self._shown)

    def data(self, index: Index, role: int = Role.DisplayRole) -> object:
        """Qt: the line, its colour by level."""
        if not index.isValid():
            return None
        line = self._shown[index.row()]
        if role in {Role.DisplayRole, Role.ToolTipRole}:
            return f"{time.strftime('%H:%M:%S', time.localtime(line.when))} {texts.homely(line.text)}"
        return _colour(line.level) if role == Role.ForegroundRole else None


def _colour(level: int) -> QColor:
    tokens = style.tokens()
    if level >= logging.ERROR:
        return tokens.color("bad")
    return tokens.color("warn_ink" if level >= logging.WARNING else "dim")


class LogLines(QTableView):
    """One column of lines. A table, since Qt's list asks its model for every row at each change."""

    def __init__(self, model: LogModel) -> None:
        super().__init__()
        self.setObjectName("log")
        self.setAccessibleName("Log")
        self.setFont(style.mono())
        self.setModel(model)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setSelectionMode(QTableView.SelectionMode.ExtendedSelection)
        self.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.horizontalHeader().hide()
        self.horizontalHeader().setStretchLastSection(True)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 5)


class LogView(QWidget):
    """The tab: a filter, two buttons, the lines."""

    said = Signal(str)

    def __init__(self, feed: LogFeed) -> None:
        super().__init__()
        self._feed = feed
        self._profile = ""
        self.model = LogModel(self)
        self.field = QLineEdit(placeholderText="Filter", clearButtonEnabled=True)
        self.field.setAccessibleName("Filter the log")
        self.field.textChanged.connect(self._filter)
        self.list = LogLines(self.model)
        self.empty = EmptyState()
        self.copy = parts.button("Copy", self.copy_lines, name="Copy the log")
        self.save = parts.button("Save…", self._choose_file, name="Save the log")
        self._stack = QStackedWidget()
        self._lay_out()
        copy = QAction(self.list)
        copy.setShortcut(QKeySequence.StandardKey.Copy)
        copy.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        copy.triggered.connect(self.copy_lines)
        self.list.addAction(copy)
        feed.came.connect(self._came)

    def _lay_out(self) -> None:
        self._stack.addWidget(self.list)
        self._stack.addWidget(self.empty)
        bar = parts.row(self.field, self.copy, self.save)
        bar.setContentsMargins(14, 10, 14, 10)
        self.list.setContentsMargins(0, 0, 0, 0)
        self.list.setStyleSheet("QTableView#log { padding: 0 11px 8px 11px; }")
        column = QVBoxLayout(self)
        column.setContentsMargins(1, 0, 1, 1)
        column.setSpacing(0)
        column.addLayout(bar)
        column.addWidget(self._stack, 1)

    def show_profile(self, profile_id: str) -> None:
        """Show the lines of this connection."""
        if profile_id != self._profile:
            self._profile = profile_id
            self.model.load(self._feed.ring.lines(profile_id) if profile_id else [])
            self.list.scrollToBottom()
        self._refresh()

    def copy_lines(self) -> None:
        """Copy the selected lines, or all shown, without secrets."""
        rows = sorted(index.row() for index in self.list.selectionModel().selectedRows())
        QGuiApplication.clipboard().setText(self.model.text(rows or None))
        self.said.emit(f"{len(rows) or self.model.rowCount()} log lines copied, secrets removed.")

    def save_to(self, path: Path) -> None:
        """Write what is shown to a file."""
        try:
            path.write_text(self.model.text() + "\n", encoding="utf-8")
        except OSError as error:
            self.said.emit(f"{path} cannot be written: {error.strerror}. Choose another place.")
        else:
            self.said.emit(f"The log is saved in {path}.")

    def _choose_file(self) -> None:
        dialog = QFileDialog(self, "Save the log", "spyglass.log")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda name: self.save_to(Path(name)))
        dialog.open()

    def _came(self, lines: list[Line]) -> None:
        mine = [line for line in lines if self._profile and line.profile == self._profile]
        if mine:
            bar = self.list.verticalScrollBar()
            follow = bar.value() >= bar.maximum() - 4
            self.model.add(mine)
            self._refresh()
            if follow:
                self.list.scrollToBottom()

    def _filter(self, text: str) -> None:
        self.model.filter(text)
        self._refresh()
        self.list.scrollToBottom()

    def _refresh(self) -> None:
        some = self.model.rowCount() > 0
        self._stack.setCurrentIndex(0 if some else 1)
        self.copy.setEnabled(some)
        self.save.setEnabled(some)
        if self.field.text() and not some:
            self.empty.say("No line has these words", "Clear the filter to see the whole log.")
        elif not some:
            self.empty.say(
                "Nothing logged yet", "Each step of a connection is written here, without secrets."
            )
