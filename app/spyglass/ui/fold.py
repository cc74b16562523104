"""A form that may be longer than its window, and says what lies below the fold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QFormLayout, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from spyglass.ui import style

if TYPE_CHECKING:
    from PySide6.QtGui import QResizeEvent

_HIGH = 26  # pixels of the line that says it


class Fold(QScrollArea):
    """Scrolls a form; at its lower edge stands which parts of it come next, if any."""

    def __init__(self, form: QFormLayout) -> None:
        super().__init__(widgetResizable=True)
        self.form = form
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        inner = QWidget()
        inner.setObjectName("clear")
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(form)
        column.addStretch(1)  # what there is too much of lies below, not between the fields
        self.setWidget(inner)
        self.viewport().setAutoFillBackground(False)
        inner.setAutoFillBackground(False)
        self.more = QPushButton(self)
        self.more.setObjectName("below")
        self.more.setFont(style.small())
        self.more.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # keys move through the fields, which come into view
        self.more.setCursor(Qt.CursorShape.PointingHandCursor)
        self.more.clicked.connect(self._on)
        bar = self.verticalScrollBar()
        bar.valueChanged.connect(self._tell)
        bar.rangeChanged.connect(self._tell)

    def needed(self, width: int) -> int:
        """Pixels in height that show all of the form in this width."""
        return max(self.form.sizeHint().height(), self.form.totalHeightForWidth(width))

    def below(self) -> list[str]:
        """The parts that begin below the fold."""
        edge = self.viewport().height() - _HIGH
        return [name for name, widget in self._parts() if widget.mapTo(self, QPoint(0, 16)).y() > edge]

    def _parts(self) -> list[tuple[str, QWidget]]:
        labels = (
            self.form.itemAt(row, QFormLayout.ItemRole.LabelRole) for row in range(self.form.rowCount())
        )
        shown = (item.widget() for item in labels if item)
        return [(w.text().replace("&", ""), w) for w in shown if isinstance(w, QLabel) and w.text()]

    def _tell(self) -> None:
        bar = self.verticalScrollBar()
        names = self.below() if bar.value() < bar.maximum() else []
        self.more.setText(f"Below: {', '.join(names)}")
        self.more.setVisible(bool(names))

    def _on(self) -> None:
        bar = self.verticalScrollBar()
        bar.setValue(bar.value() + bar.pageStep() - 2 * _HIGH)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Qt: the line stays at the lower edge."""
        super().resizeEvent(event)
        self.more.setGeometry(0, self.height() - _HIGH, self.viewport().width(), _HIGH)
        self._tell()
