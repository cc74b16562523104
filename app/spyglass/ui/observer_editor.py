"""The part of the profile editor that is about Observer: when it opens, and what may be lent for it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from spyglass.profile import Observing
from spyglass.ui import parts

_LEND = (
    ("ask", "ask before lending runtime_tools"),
    ("always", "lend runtime_tools without asking"),
    ("never", "never lend runtime_tools"),
)
_WHY = (
    "A node without runtime_tools can be lent two of its modules, in memory, for as long as Observer is open."
)


class ObserverEditor(QWidget):
    """How Observer is opened."""

    changed = Signal()

    def __init__(self, now: Observing) -> None:
        super().__init__()
        self.open = parts.Check("Open it as soon as connected, where just one node fits")
        self.open.setChecked(now.open)
        self.together = parts.Check("All nodes of the profile in its Nodes menu, in one window")
        self.together.setChecked(now.together)
        self.lend = parts.Combo("Lending for Observer")
        for value, text in _LEND:
            self.lend.addItem(text, value)
        self.lend.setCurrentIndex(self.lend.findData(now.lend))
        self.lend.setMinimumWidth(280)
        self.lend.setToolTip(_WHY)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(parts.row(self.lend, 1))
        for box in (self.open, self.together):
            column.addWidget(box)
            box.toggled.connect(self.changed)
        self.setFocusProxy(self.lend)
        self.lend.currentIndexChanged.connect(self.changed)

    def fields(self) -> dict[str, Observing]:
        """The profile's fields as chosen."""
        opens, together = self.open.isChecked(), self.together.isChecked()
        return {"observer": Observing(open=opens, together=together, lend=self.lend.currentData())}
