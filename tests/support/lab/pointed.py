"""The program with its window, which tells where things lie on the display: a test points at them.

``python pointed.py [WORDS…]``. A line on standard input is what a person would point at: a control by
what a screen reader says of it, a connection by its name, or ``[HEADING]`` of a group. The answer, a line on
standard output, is its rectangle on the display: left, top, width, height; null while it is not to be seen.
"""

from __future__ import annotations

import json
import os
import sys

from PySide6.QtCore import QPoint, QRect, QSocketNotifier, Qt
from PySide6.QtWidgets import QApplication, QWidget

from spyglass.__main__ import main
from spyglass.ui import app as ui
from spyglass.ui.profile_list import ProfileListView


def place(name: str) -> list[int] | None:
    """The rectangle of what is called so."""
    for widget in QApplication.allWidgets():
        if widget.isVisible() and widget.window().isActiveWindow():
            inside = _row(widget, name) if isinstance(widget, ProfileListView) else _whole(widget, name)
            if inside:
                corner = widget.mapToGlobal(QPoint(inside.topLeft()))
                return [corner.x(), corner.y(), inside.width(), inside.height()]
    return None


def _whole(widget: QWidget, name: str) -> QRect | None:
    return widget.rect() if widget.accessibleName() == name and widget.isEnabled() else None


def _row(rows: ProfileListView, name: str) -> QRect | None:
    model = rows.model()
    for number in range(model.rowCount()):
        row = model.index(number, 0).data(Qt.ItemDataRole.UserRole)
        if name == (row.profile.name if row.profile else f"[{row.heading}]"):
            return rows.visualRect(model.index(number, 0))
    return None


def answer() -> None:
    """Answer what was asked by now, a line each."""
    for name in os.read(sys.stdin.fileno(), 4096).decode().splitlines():
        print(json.dumps(place(name)), flush=True)


if __name__ == "__main__":
    ui.application(dressed=False)
    notifier = QSocketNotifier(sys.stdin.fileno(), QSocketNotifier.Type.Read)
    notifier.activated.connect(lambda *_: answer())
    sys.exit(main())
