"""The tray's icon: the program's mark with the overall state's shape on it.

Nothing on it moves: an animated tray icon wakes the whole desktop. On macOS it is a mask
(black on clear) that the menu bar colours itself; elsewhere it follows the desktop's
light or dark, which tells more of the panel than the theme that was chosen for the window.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable

from msgspec.structs import replace
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QIcon, QPainter, QPen, QPixmap

from spyglass.status import Phase, Status, overall
from spyglass.ui import icons, palette

SIZES = (16, 22, 24, 32, 48, 64)
_SHAPES = {"busy": "busy", "on": "ok", "idle": ""}
_MASK = sys.platform == "darwin"
_CLEAR = QPainter.CompositionMode.CompositionMode_Clear


def shape(statuses: Iterable[Status]) -> str:
    """The shape of all connections together: ``bad`` and ``warn`` want attention; empty: idle."""
    seen = list(statuses)
    word = overall(seen)
    if word != "attention":
        return _SHAPES[word]
    return "warn" if any(status.question for status in seen) or not _stopped(seen) else "bad"


def _stopped(statuses: Iterable[Status]) -> bool:
    return any(s.phase is Phase.FAILED for s in statuses)


def tokens() -> palette.Tokens:
    """The colours for a panel: the desktop's, or black on clear where it colours them itself."""
    return mask() if _MASK else palette.chosen("system")


def mask() -> palette.Tokens:
    """All black; what shows the ground is cut out, and faint lines are left out."""
    names = [name for name in palette.Tokens.__struct_fields__ if name != "dark"]
    clear = dict.fromkeys(("panel", "line"), "#00000000")
    return palette.Tokens(dark=False, **dict.fromkeys(names, "#000000") | clear)


def icon(name: str, colours: palette.Tokens) -> QIcon:
    """The icon for a shape (empty: the mark alone)."""
    made = QIcon()
    for size in SIZES:
        made.addPixmap(pixmap(name, colours, size))
    made.setIsMask(_MASK)
    return made


def pixmap(name: str, colours: palette.Tokens, size: int) -> QPixmap:
    """The icon in one size, in pixels."""
    image = QPixmap(size, size)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.scale(size / 32, size / 32)
    _mark(painter, colours, idle=not name)
    if name:
        _badge(painter, name, colours)
    painter.end()
    return image


def _mark(painter: QPainter, colours: palette.Tokens, *, idle: bool) -> None:
    colour = colours.color("dim" if idle else "accent")
    painter.setPen(QPen(colour, 3.2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    painter.drawLine(QPointF(20.4, 20.4), QPointF(28.2, 28.2))
    painter.setPen(QPen(colour, 3.2))
    painter.drawEllipse(QPointF(13, 13), 9.8, 9.8)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    painter.drawEllipse(QPointF(13, 13), 3.4, 3.4)


def _badge(painter: QPainter, name: str, colours: palette.Tokens) -> None:
    """The shape, in a gap cut out of the mark so that it reads on any ground."""
    room = QRectF(13.5, 13.5, 18, 18)
    painter.setCompositionMode(_CLEAR)
    painter.setBrush(Qt.GlobalColor.black)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.drawEllipse(room.adjusted(-1.6, -1.6, 1.6, 1.6))
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceOver)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    visible = colours if colours.color("line").alpha() == 0 else replace(colours, line=colours.faint)
    icons.paint(painter, room, name, visible)  # in this size the arc's ring needs more than a hint of grey
