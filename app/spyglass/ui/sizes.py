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
        self._settings = settings
        self._saves: dict[str, Callable[[], QByteArray]] = {}
        window.resize(*SIZE)
        window.splitter.setSizes([WIDTH, SIZE[0] - WIDTH])
        self.adopt("window", window.saveGeometry, window.restoreGeometry)
        self.adopt("splitter", window.splitter.saveState, window.splitter.restoreState)

    def adopt(self, name: str, save: Callable[[], QByteArray], restore: Callable[[QByteArray], bool]) -> None:
        """Give a part the size that was remembered, and remember it from now on."""
        self._saves[name] = save
        kept = self._settings.value(f"sizes/{name}")
        if isinstance(kept, QByteArray):
            restore(kept)

    def remember(self) -> None:
        """Write them down. Of parts that were not made what was remembered stays."""
        for name, save in self._saves.items():
            self._settings.setValue(f"sizes/{name}", save())
        self._settings.sync()
