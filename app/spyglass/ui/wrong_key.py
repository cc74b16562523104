"""A server whose host key has changed or is revoked: told in red, and never a way to accept it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QFrame, QGridLayout, QLineEdit, QVBoxLayout, QWidget

from spyglass.status import Phase
from spyglass.ui import parts, style

if TYPE_CHECKING:
    from collections.abc import Callable

    from spyglass.errors import WrongKey
    from spyglass.status import Problem, Status

_WIDE = 560
_CHANGED = (
    "Either the server was set up anew, or somebody stands between you and it. "
    "Spyglass stopped before it sent a password, a key or a cookie. Ask whoever runs the server which it is, "
    "and compare the key that is shown now with what they tell you."
)
_REVOKED = (
    "Somebody has marked this key as not to be trusted any more, so whoever shows it may not be the server. "
    "Spyglass stopped before it sent a password, a key or a cookie. "
    "Ask whoever runs the server for its new key."
)
_REMEDY = "Only if the new key is right, forget the old one with this command, then try again:"


class WrongKeyDialog(QDialog):
    """What was expected, what came, where that stands, and how it is put right; it can only be closed."""

    def __init__(self, problem: Problem, key: WrongKey, asker: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._problem = problem
        self.setWindowTitle(f"{asker} – Spyglass" if asker else "Spyglass")
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self.setAccessibleDescription(f"{problem.title}. {problem.hint}")
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 22, 24, 20)
        column.setSpacing(12)
        column.setSizeConstraint(QVBoxLayout.SizeConstraint.SetFixedSize)
        if asker:
            column.addWidget(parts.Elided(asker, role="dim"))
        column.addWidget(self._alarm(key))
        column.addWidget(_paragraph(_CHANGED if key.trusted else _REVOKED))
        if key.remedy:
            column.addWidget(_paragraph(_REMEDY))
            self.command = _copied(key.remedy, "The command that forgets the old key")
            self.copy = parts.button("Copy", partial(_copy, key.remedy), name="Copy the command")
            column.addLayout(parts.row(self.command, self.copy))
        self.details = parts.button("Copy details", lambda: _copy(self.text()))
        self.close_button = parts.button("Close", self.reject)
        self.close_button.setDefault(True)
        column.addSpacing(4)
        column.addLayout(parts.row(1, self.details, self.close_button, spacing=10))
        self.close_button.setFocus()

    def _alarm(self, key: WrongKey) -> QFrame:
        """The red box: the title, then each key with where it comes from."""
        made = QFrame()
        made.setProperty("role", "problem")
        title = parts.label(self._problem.title, font=style.semibold(15 / 13))
        title.setWordWrap(True)
        title.setFixedWidth(_WIDE - 60)
        grid = QGridLayout(made)
        grid.setContentsMargins(18, 14, 16, 16)
        grid.setHorizontalSpacing(14)
        grid.setVerticalSpacing(6)
        grid.addWidget(parts.StateMark("bad"), 0, 0, Qt.AlignmentFlag.AlignTop)
        grid.addWidget(title, 0, 1)
        row = 1
        for name, fingerprint, aside in _keys(key):
            grid.addWidget(parts.label(f"{name} · {aside}"), row, 1)
            grid.addWidget(_copied(fingerprint, f"{name}, its fingerprint"), row + 1, 1)
            row += 2
        return made

    def text(self) -> str:
        """All of it, to be pasted into a message to whoever runs the server."""
        return f"{self._problem.title}\n{self._problem.hint}"


def _keys(key: WrongKey) -> list[tuple[str, str, str]]:
    """Each key: what it is, its fingerprint, its type and place."""
    if not key.trusted:
        return [("Revoked key", key.shown, f"{key.shown_type}, by {key.place}")]
    return [
        ("Expected", key.trusted, f"{key.trusted_type}, from {key.place}"),
        ("Shown now", key.shown, key.shown_type),
    ]


def _paragraph(text: str) -> QWidget:
    made = parts.label(text)
    made.setWordWrap(True)
    made.setFixedWidth(_WIDE)
    return made


def _copied(text: str, name: str) -> QLineEdit:
    """A line to be read, selected and copied, from its beginning."""
    made = QLineEdit(text, readOnly=True)
    made.setFont(style.mono())
    made.setAccessibleName(name)
    made.setCursorPosition(0)
    made.setToolTip(text)
    return made


def _copy(text: str) -> None:
    QGuiApplication.clipboard().setText(text)


class Alarms(QObject):
    """Shows each such key once over the window, one dialog at a time; a hidden window shows it later."""

    def __init__(self, window: QWidget, name_of: Callable[[str], str]) -> None:
        super().__init__(window)
        self._window = window
        self._name_of = name_of
        self._waiting: dict[str, Problem] = {}
        self._told: dict[str, Problem] = {}
        self._shown = ""
        self.dialog: WrongKeyDialog | None = None

    def hear(self, status: Status) -> None:
        """Take a status: one that has failed for a key raises the alarm, a new attempt ends it."""
        profile_id, problem = status.profile_id, status.problem
        if status.phase is not Phase.FAILED:
            for known in (self._waiting, self._told):
                known.pop(profile_id, None)
            if self.dialog and self._shown == profile_id:
                self.dialog.reject()
        elif problem and problem.key and self._told.get(profile_id) != problem:
            self._waiting[profile_id] = self._told[profile_id] = problem
            self.show_waiting()

    def show_waiting(self) -> None:
        """Show the next one, if somebody can see it."""
        if self.dialog is None and self._waiting and self._window.isVisible():
            profile_id = next(iter(self._waiting))
            self._show(profile_id, self._waiting.pop(profile_id))

    def show_status(self, status: Status) -> None:
        """Show the alarm of this connection again."""
        if status.problem:
            self._show(status.profile_id, status.problem)

    def _show(self, profile_id: str, problem: Problem) -> None:
        if problem.key and self.dialog is None:
            self._shown = profile_id
            self.dialog = WrongKeyDialog(problem, problem.key, self._name_of(profile_id), self._window)
            self.dialog.finished.connect(self._finished)
            self.dialog.open()

    def _finished(self) -> None:
        if self.dialog:
            self.dialog.deleteLater()
        self.dialog = None
        self.show_waiting()
