"""Small widgets that the window is put together from."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QPainter, QPen
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from spyglass.ui import icons, style

if TYPE_CHECKING:
    from PySide6.QtGui import QFont, QPaintEvent, QResizeEvent

ElideMode = Qt.TextElideMode


def label(text: str = "", role: str = "", font: QFont | None = None) -> QLabel:
    """A plain-text label in one of the stylesheet's roles."""
    made = QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    if role:
        made.setProperty("role", role)
    if font:
        made.setFont(font)
    return made


def button(text: str, then: Callable[[], object], *, small: bool = False, name: str = "") -> QPushButton:
    """A push button; ``name`` is its accessible name where the text alone is not enough."""
    made = QPushButton(text)
    made.setCursor(Qt.CursorShape.PointingHandCursor)
    made.setAutoDefault(False)
    made.setProperty("small", small)
    made.setAccessibleName(name or text)
    made.clicked.connect(lambda _checked: then())
    return made


def rule() -> QFrame:
    """A line of one pixel across."""
    made = QFrame()
    made.setObjectName("rule")
    made.setFixedHeight(1)
    return made


class Elided(QLabel):
    """One line of text, shortened in the middle to what fits; the whole of it in the tooltip."""

    def __init__(
        self, text: str = "", role: str = "", mode: ElideMode = ElideMode.ElideMiddle, least: int = 24
    ) -> None:
        super().__init__()
        self._least = least
        self._mode = mode
        self._whole = ""
        self._hint = ""
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        if role:
            self.setProperty("role", role)
        self.say(text)

    def say(self, text: str, tooltip: str = "") -> None:
        """Show this text."""
        if (text, tooltip) != (self._whole, self._hint):
            self._whole, self._hint = text, tooltip
            self.setAccessibleName(text)
            self.updateGeometry()
            self._fit()

    def whole(self) -> str:
        """The text as it was given."""
        return self._whole

    def sizeHint(self) -> QSize:
        """Room for all of the text."""
        metrics = self.fontMetrics()
        return QSize(metrics.horizontalAdvance(self._whole) + 4, metrics.height() + 2)

    def minimumSizeHint(self) -> QSize:
        """Room for a few letters."""
        whole = self.sizeHint()
        return QSize(min(self._least, whole.width()), whole.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Shorten anew."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        shown = self.fontMetrics().elidedText(self._whole, self._mode, max(self.contentsRect().width(), 24))
        self.setText(shown)
        self.setToolTip(self._hint or (self._whole if shown != self._whole else ""))


class KeyField(QLineEdit):
    """A field that shows the keys which lead to it, until something is written."""

    def __init__(self, placeholder: str, keys: str, name: str) -> None:
        super().__init__()
        self._keys = keys
        self.setPlaceholderText(placeholder)
        self.setAccessibleName(name)

    def take(self) -> None:
        """Let the person type here."""
        self.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.selectAll()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The field, then the keys in a little box at its end."""
        super().paintEvent(event)
        if self.text():
            return
        tokens, font = style.tokens(), style.font(11 / 13)
        width = QFontMetrics(font).horizontalAdvance(self._keys) + 12
        box = QRect(self.width() - width - 10, (self.height() - 18) // 2, width, 18)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(tokens.color("line"), 1))
        painter.drawRoundedRect(box.toRectF().adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
        painter.setFont(font)
        painter.setPen(tokens.color("dim"))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, self._keys)
        painter.end()


class Combo(QComboBox):
    """A choice; draws its own arrow, since a stylesheet would need a picture for it."""

    def __init__(self, name: str, *, editable: bool = False) -> None:
        super().__init__()
        self.setEditable(editable)
        self._field = self.lineEdit() if editable else None
        self.setAccessibleName(name)

    def setPlaceholderText(self, text: str) -> None:
        """Qt: also where one can type."""
        if self._field:
            self._field.setPlaceholderText(text)

    def paintEvent(self, event: QPaintEvent) -> None:
        """The field, then the arrow."""
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(style.tokens().color("dim"), 1.5))
        x, y = self.width() - 16, self.height() / 2
        painter.drawPolyline([QPointF(x - 4, y - 2), QPointF(x, y + 2), QPointF(x + 4, y - 2)])
        painter.end()


class Check(QCheckBox):
    """A check box with a line around it in both palettes."""

    def paintEvent(self, _event: QPaintEvent) -> None:
        """The box, the tick, the words."""
        tokens = style.tokens()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(0.5, (self.height() - 16) / 2 + 0.5, 15, 15)
        on = self.isChecked()
        painter.setPen(QPen(tokens.color("accent" if on or self.hasFocus() else "faint"), 1))
        painter.setBrush(tokens.color("accent" if on else "panel"))
        painter.drawRoundedRect(box, 4, 4)
        if on:
            painter.setPen(QPen(tokens.color("on_accent"), 1.8))
            x, y = box.left(), box.top()
            painter.drawPolyline(
                [QPointF(x + 3.6, y + 7.8), QPointF(x + 6.4, y + 10.6), QPointF(x + 11.4, y + 4.8)]
            )
        painter.setPen(tokens.color("ink"))
        room = self.rect().adjusted(24, 0, 0, 0)
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextShowMnemonic, self.text())
        if self.hasFocus():
            painter.setPen(QPen(tokens.color("accent"), 1))
            width = painter.fontMetrics().horizontalAdvance(self.text())
            base = room.center().y() + painter.fontMetrics().ascent() / 2 + 3
            painter.drawLine(QPointF(room.left(), base), QPointF(room.left() + width, base))
        painter.end()

    def hitButton(self, at: QPoint) -> bool:
        """Qt: the whole of it can be clicked."""
        return self.rect().contains(at)

    def sizeHint(self) -> QSize:
        """Room for the box and the words."""
        metrics = self.fontMetrics()
        return QSize(metrics.horizontalAdvance(self.text()) + 30, max(metrics.height(), 18) + 4)


class StateMark(QWidget):
    """One state shape."""

    def __init__(self, shape: str = "off", size: int = 12) -> None:
        super().__init__()
        self._shape = shape
        self._size = size
        self.setFixedSize(size + 2, size + 2)
        self.setAccessibleName(icons.WORDS.get(shape, shape))

    def show_shape(self, shape: str) -> None:
        """Change the shape."""
        self._shape = shape
        self.setAccessibleName(icons.WORDS.get(shape, shape))
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw it."""
        painter = QPainter(self)
        box = QRect(1, 1, self._size, self._size).toRectF()
        icons.paint(painter, box, self._shape, style.tokens())
        painter.end()


class Offer(QFrame):
    """A quiet bar: a question, the button that takes the offer, and one that puts it away."""

    taken = Signal()
    declined = Signal()

    def __init__(self, question: str, yes: str) -> None:
        super().__init__()
        self.setObjectName("card")
        self.setAccessibleName(question)
        self.yes = button(yes, self.taken.emit, small=True, name=f"{question} {yes}")
        self.no = button("Not now", self.declined.emit, small=True, name=f"{question} Not now")
        across = QVBoxLayout(self)
        across.setContentsMargins(16, 8, 10, 8)
        across.addLayout(row(label(question), 1, self.no, self.yes))
        self.hide()


def row(*widgets: QWidget | int, spacing: int = style.GAP) -> QHBoxLayout:
    """Widgets side by side; a number is a stretch."""
    made = QHBoxLayout()
    made.setContentsMargins(0, 0, 0, 0)
    made.setSpacing(spacing)
    for each in widgets:
        if isinstance(each, int):
            made.addStretch(each)
        else:
            made.addWidget(each)
    return made
