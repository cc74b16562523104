"""Trying a profile out in the editor: the doctor's checks, line by line, as they come."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget

from spyglass.errors import Cancelled, Failure
from spyglass.remote.base import Stop
from spyglass.ui import parts, style, texts

if TYPE_CHECKING:
    from spyglass.doctor import Check
    from spyglass.profile import Profile

Visit = Callable[["Profile", Stop, Callable[[str], None]], "Iterator[Check]"]
"""The doctor's visit: gives the checks, tells what it is doing; stopped by the Stop."""


class Run(QObject):
    """One visit on a thread of its own; its checks as signals in the GUI thread."""

    came = Signal(object)
    doing = Signal(str)
    over = Signal(str)

    def __init__(self, visit: Visit, profile: Profile) -> None:
        super().__init__()
        self._visit = visit
        self._profile = profile
        self.stop = Stop()
        self.thread_ = threading.Thread(target=self._go, name="trial", daemon=True)

    def _go(self) -> None:
        outcome = "Stopped by a defect of Spyglass"
        try:
            for check in self._visit(self._profile, self.stop, self.doing.emit):
                self.stop.check()
                self.came.emit(check)
            outcome = "Done"
        except Cancelled:
            outcome = "Cancelled"
        except Failure as fault:
            outcome = f"{fault.title}. {fault.hint}".strip()
        finally:  # whatever it was: the button must not stay on "Stop test"
            self.over.emit(outcome)


class Trial(QFrame):
    """The lines of a visit, below the form; hidden until there was one."""

    ended = Signal()

    def __init__(self, visit: Visit) -> None:
        super().__init__()
        self._visit = visit
        self._run: Run | None = None
        self.counts = {"ok": 0, "warn": 0, "bad": 0}
        self.setObjectName("card")
        self.said = parts.Elided(role="dim")
        self._lines = QVBoxLayout()
        self._lines.setContentsMargins(0, 0, 8, 0)
        self._lines.setSpacing(8)
        inner = QWidget()
        inner.setObjectName("clear")
        inner.setLayout(self._lines)
        self._scroll = QScrollArea(widgetResizable=True)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setWidget(inner)
        self._scroll.viewport().setAutoFillBackground(False)
        inner.setAutoFillBackground(False)
        bar = self._scroll.verticalScrollBar()
        bar.rangeChanged.connect(lambda _least, most: bar.setValue(most))  # the newest line is seen
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 12, 8, 12)
        column.setSpacing(style.GAP)
        column.addWidget(self.said)
        column.addWidget(self._scroll, 1)
        self.hide()

    @property
    def running(self) -> bool:
        """Whether a visit is on its way."""
        return self._run is not None

    def start(self, profile: Profile) -> None:
        """Begin a visit; the lines of the one before go."""
        self.cancel()
        while (item := self._lines.takeAt(0)) is not None:
            if widget := item.widget():
                widget.hide()
                widget.deleteLater()
        self.counts = dict.fromkeys(self.counts, 0)
        self.said.say("Testing")
        run = self._run = Run(self._visit, profile)
        queued = Qt.ConnectionType.QueuedConnection
        run.came.connect(self._came, queued)
        run.doing.connect(self._doing, queued)
        run.over.connect(self._over, queued)
        self.show()
        run.thread_.start()

    def cancel(self) -> None:
        """End the visit; its thread closes what it opened."""
        if self._run is not None:
            self._run.stop.set()
            self._run.disconnect(self)
            self._run = None
            self.said.say("Test cancelled")
            self.ended.emit()

    def _doing(self, text: str) -> None:
        if text:
            self.said.say(f"Testing: {text[:1].lower()}{text[1:]}")

    def _came(self, check: Check) -> None:
        self.counts[check.state] = self.counts.get(check.state, 0) + 1
        self._lines.addWidget(Line(check))

    def _over(self, outcome: str) -> None:
        self._run = None
        counted = (f"{self.counts['bad']} broken", f"{self.counts['warn']} worth a look")
        found = ", ".join(words for words in counted if words[0] != "0") or "everything works"
        self.said.say(f"Tested: {found}" if outcome == "Done" else outcome)
        self.ended.emit()


class Line(QWidget):
    """One check: its state as a shape, what was found, and the remedy below."""

    def __init__(self, check: Check) -> None:
        super().__init__()
        name = parts.label(check.name, font=style.strong())
        text = parts.label(texts.homely(check.detail))
        words = QVBoxLayout()
        words.setContentsMargins(0, 0, 0, 0)
        words.setSpacing(2)
        words.addWidget(name)
        words.addWidget(_readable(text))
        if check.remedy:
            words.addWidget(_readable(parts.label(texts.homely(check.remedy), "dim", style.small())))
        across = parts.row(spacing=10)
        across.addWidget(parts.StateMark(check.state), 0, Qt.AlignmentFlag.AlignTop)
        across.addLayout(words, 1)
        self.setLayout(across)
        self.setAccessibleName(f"{check.name}: {check.detail}. {check.remedy}".strip())


def _readable(made: QLabel) -> QLabel:
    """As long as it is, and to be copied from."""
    made.setWordWrap(True)
    made.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return made
