"""Live figures on their way into the window: watched only while somebody can see them."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

if TYPE_CHECKING:
    from spyglass.figures import Reading
    from spyglass.ui.bridge import HubLike

KEPT = 60
"""Readings that a line shows: two minutes of them."""

_GAP = 9.0  # seconds without a reading after which a line begins anew, for it would tell a lie
_LEAST = 0.04  # a line's whole height stands for at least this part of the value: noise stays small


class Live(QObject):
    """Watches the figures of one connection at a time and keeps the newest of each node."""

    came = Signal(object)
    _woken = Signal(str, object)

    def __init__(self, hub: HubLike, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._hub = hub
        self._lock = threading.Lock()
        self._profile = ""
        self._stop: Callable[[], None] | None = None
        self._series: dict[str, deque[Reading]] = {}
        self._woken.connect(self._take, Qt.ConnectionType.QueuedConnection)

    @property
    def watched(self) -> str:
        """The id of the profile whose figures are asked for, or empty."""
        return self._profile if self._stop else ""

    def watch(self, profile_id: str, *, wanted: bool) -> None:
        """Watch this connection if its figures are ``wanted``, and no other any more."""
        if profile_id != self._profile:
            self.close()
            self._profile, self._series = profile_id, {}
            self.came.emit({})
        if wanted and profile_id and self._stop is None:
            self._stop = self._hub.watch_stats(
                profile_id, lambda readings: self._woken.emit(profile_id, readings)
            )
        elif not wanted:
            self.close()

    def forget(self) -> None:
        """The connection is gone, and what was measured is not true any more."""
        if self._series:
            self._series = {}
            self.came.emit({})

    def close(self) -> None:
        """Ask no more."""
        if self._stop is not None:
            self._stop()
            self._stop = None

    def _take(self, profile_id: str, readings: Mapping[str, Reading]) -> None:
        if profile_id != self._profile or self._stop is None:
            return
        for key, reading in readings.items():
            series = self._series.get(key)
            if series is None or reading.when - series[-1].when > _GAP or reading.uptime < series[-1].uptime:
                series = self._series[key] = deque(maxlen=KEPT)
            series.append(reading)
        for key in self._series.keys() - readings.keys():
            del self._series[key]
        self.came.emit(self._series)


def paint_line(painter: QPainter, box: QRectF, values: list[float], colour: QColor) -> None:
    """Draw the newest values as a line that ends at the box's right edge; a dot while there is one only."""
    if not values:
        return
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    # Joins that are no arcs take less than half the time, and a table draws very many.
    round_, solid = Qt.PenCapStyle.RoundCap, Qt.PenStyle.SolidLine
    painter.setPen(QPen(colour, 1.3, solid, round_, Qt.PenJoinStyle.BevelJoin))
    points = _points(box, values)
    if len(points) == 1:
        painter.drawEllipse(points[0], 0.8, 0.8)
    else:
        painter.drawPolyline(QPolygonF(points))
    painter.restore()


def _points(box: QRectF, values: list[float]) -> list[QPointF]:
    low, high = min(values), max(values)
    middle = (low + high) / 2
    step = box.width() / (KEPT - 1)
    left, centre = box.right() - step * (len(values) - 1), box.center().y()
    scale = box.height() / max(high - low, abs(middle) * _LEAST, 1e-9)
    return [QPointF(left + step * n, centre - (value - middle) * scale) for n, value in enumerate(values)]
