"""Remembers how large the window is and how wide its columns are."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QSettings

from spyglass.ui.sidebar import WIDTH

if TYPE_CHECKING:
    from spyglass.ui.window import MainWindow

SIZE = (1180, 760)
"""The window's first size, in device-independent pixels."""


class Sizes:
    """The window's geometry, its splitter and the columns of its tables, in an ini file."""

    def __init__(self, window: MainWindow, settings: QSettings) -> None:
        self._window = window
        self._settings = settings
        nodes, forwards = window.page.nodes.fitting, window.page.forwards.fitting
        self._parts: dict[str, tuple[Callable[[], QByteArray], Callable[[QByteArray], bool]]] = {
            "window": (window.saveGeometry, window.restoreGeometry),
            "splitter": (window.splitter.saveState, window.splitter.restoreState),
            "nodes": (nodes.save, nodes.restore),
            "forwards": (forwards.save, forwards.restore),
        }

    def restore(self) -> None:
        """Take the first sizes, then what was remembered."""
        self._window.resize(*SIZE)
        self._window.splitter.setSizes([WIDTH, SIZE[0] - WIDTH])
        for name, (_, restore) in self._parts.items():
            kept = self._settings.value(f"sizes/{name}")
            if isinstance(kept, QByteArray):
                restore(kept)

    def remember(self) -> None:
        """Write them down."""
        for name, (save, _) in self._parts.items():
            self._settings.setValue(f"sizes/{name}", save())
        self._settings.sync()
