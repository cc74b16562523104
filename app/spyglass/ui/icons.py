"""Five state shapes, drawn: the same in the list, on the chain and in the tray.

The shape alone tells the state; colour only helps. ``ok`` is a filled disc with a tick,
``off`` a ring, ``busy`` an arc (the only thing that moves), ``warn`` a triangle, ``bad``
a disc with a cross. ``todo`` is drawn as ``off``.
"""

from __future__ import annotations

from PySide6.QtCore import QObject, QPointF, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QIcon, QPainter, QPen, QPixmap, QPolygonF

from spyglass.ui.palette import Tokens

SHAPES = ("ok", "off", "busy", "warn", "bad")
WORDS = {"ok": "ready", "off": "offline", "busy": "working", "warn": "needs attention", "bad": "stopped"}


def paint(painter: QPainter, rect: QRectF, shape: str, tokens: Tokens, turn: int = 0) -> None:
    """Draw a shape into a square; ``turn`` is the arc's angle in degrees."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(rect.topLeft())
    painter.scale(rect.width() / 12, rect.height() / 12)  # the shapes are drawn on a grid of 12
    if shape in {"ok", "bad", "warn"}:
        _solid(painter, shape, tokens)
    elif shape == "busy":
        _arc(painter, tokens, turn)
    else:
        painter.setPen(QPen(tokens.color("faint"), 1.4))
        painter.drawEllipse(QPointF(6, 6), 4.6, 4.6)
    painter.restore()


def _solid(painter: QPainter, shape: str, tokens: Tokens) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(tokens.color(shape))
    if shape == "warn":
        corners = QPolygonF([QPointF(6, 0.9), QPointF(11.6, 10.9), QPointF(0.4, 10.9)])
        painter.setPen(_pen(tokens.color("warn"), 1.0))
        painter.drawPolygon(corners)
    else:
        painter.drawEllipse(QPointF(6, 6), 5.4, 5.4)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    ground = tokens.color("panel")
    painter.setPen(_pen(ground, 1.5))
    if ground.alpha() == 0:  # a mask: cut the figure out
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Clear)
    if shape == "ok":
        painter.drawPolyline(QPolygonF([QPointF(3.6, 6.2), QPointF(5.3, 7.9), QPointF(8.5, 4.5)]))
    elif shape == "bad":
        painter.drawLine(QPointF(4.2, 4.2), QPointF(7.8, 7.8))
        painter.drawLine(QPointF(7.8, 4.2), QPointF(4.2, 7.8))
    else:
        painter.drawLine(QPointF(6, 4.4), QPointF(6, 7.0))
        painter.drawPoint(QPointF(6, 9.1))


def _arc(painter: QPainter, tokens: Tokens, turn: int) -> None:
    box = QRectF(1.3, 1.3, 9.4, 9.4)
    painter.setPen(QPen(tokens.color("line"), 1.7))
    painter.drawEllipse(box)
    painter.setPen(_pen(tokens.color("busy"), 1.7))
    painter.drawArc(box, (90 - turn) * 16, -100 * 16)


def _pen(colour: QColor, width: float) -> QPen:
    return QPen(colour, width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)


def pixmap(shape: str, tokens: Tokens, size: int = 16, ratio: float = 1.0, turn: int = 0) -> QPixmap:
    """A shape as a pixmap of ``size`` device-independent pixels, sharp at that pixel ratio."""
    image = QPixmap(round(size * ratio), round(size * ratio))
    image.setDevicePixelRatio(ratio)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    paint(painter, QRectF(0, 0, size, size), shape, tokens, turn)
    painter.end()
    return image


def app_icon(tokens: Tokens) -> QIcon:
    """The program's mark: a lens with a node in it."""
    icon = QIcon()
    for size in (16, 32, 64, 128):
        image = QPixmap(size, size)
        image.fill(Qt.GlobalColor.transparent)
        painter = QPainter(image)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.scale(size / 32, size / 32)
        painter.setPen(_pen(tokens.color("accent"), 3.4))
        painter.drawLine(QPointF(20, 20), QPointF(28, 28))
        painter.drawEllipse(QPointF(13, 13), 9.4, 9.4)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(tokens.color("accent"))
        painter.drawEllipse(QPointF(13, 13), 3.6, 3.6)
        painter.end()
        icon.addPixmap(image)
    return icon


class Spinner(QObject):
    """Turns the arcs of the whole window with one timer, which runs only while it is wanted."""

    turned = Signal(int)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.turn = 0
        self._timer = QTimer(self, interval=66)
        self._timer.timeout.connect(self._step)

    @property
    def running(self) -> bool:
        """Whether the timer runs."""
        return self._timer.isActive()

    def run(self, wanted: bool) -> None:
        """Start or stop turning."""
        if wanted != self.running:
            self._timer.start() if wanted else self._timer.stop()

    def _step(self) -> None:
        self.turn = (self.turn + 24) % 360
        self.turned.emit(self.turn)
