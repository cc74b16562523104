"""The settings in use, live: changed by the preferences, heard by whoever follows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from PySide6.QtCore import QObject, Signal

from spyglass.store import settings

if TYPE_CHECKING:
    from pathlib import Path

    from spyglass.errors import Failure


class Preferred(QObject):
    """``value`` is the present :class:`spyglass.store.settings.Settings`; may be read from any thread."""

    changed = Signal()

    def __init__(self, file: Path | None, parent: QObject | None = None) -> None:
        """``file`` keeps them; without one they last as long as the program, and no first run is told of."""
        super().__init__(parent)
        self._file = file
        self.value = settings.Settings(welcomed=True)
        self.faults: list[Failure] = []
        if file:
            self.value, self.faults = settings.load(file)

    def change(self, **fields: Any) -> None:
        """Use these values from now on, and keep them. Raises a Failure that names the file.

        They count for this run even when they can't be kept.
        """
        self.value = msgspec.structs.replace(self.value, **fields)
        self.changed.emit()
        if self._file:
            settings.save(self.value, self._file)

    def erl(self) -> str:
        """The Erlang that the person chose (a path), or empty; what a hub is given."""
        return self.value.erl
