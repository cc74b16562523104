"""What comes from outside while the window is there: a second start's words, and `spyglass quit`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal

from spyglass.control.client import ENDING
from spyglass.errors import Failure, Missing

if TYPE_CHECKING:
    from spyglass.ui.window import MainWindow


class Summons(QObject):
    """Carries the calls of the control socket's threads to the window's thread."""

    came = Signal(list, str)
    leave = Signal()
    over = False
    """Whether the window is closed for good; what is left is undoing the connections."""

    def end(self) -> None:
        """Turn away who comes from now on."""
        self.over = True

    def show(self, arguments: list[str], token: str) -> None:
        """Somebody started Spyglass again with these words; from any thread. Raises a Failure at the end."""
        if self.over:
            raise Failure("Spyglass is just ending", "Start it again in a moment.", code=ENDING)
        self.came.emit(arguments, token)

    def quit(self) -> None:
        """Somebody wants us to end; from any thread."""
        self.leave.emit()


def raise_window(window: MainWindow, token: str = "") -> None:
    """Bring the window to the front; ``token`` is the desktop's leave to do so (Wayland asks for one)."""
    if token:
        os.environ["XDG_ACTIVATION_TOKEN"] = token  # Qt takes it, and away, at the next activation
    window.setWindowState(window.windowState() & ~Qt.WindowState.WindowMinimized)
    window.show()
    window.raise_()
    window.activateWindow()


def summoned(window: MainWindow, arguments: Sequence[str], token: str) -> None:
    """A second start: show the window, unless it was one without a window, and do what its words say."""
    if "--background" not in arguments:
        raise_window(window, token)
    obey(window, arguments)


def obey(window: MainWindow, arguments: Sequence[str]) -> None:
    """Do what the words of a start ask of the window; a link selects, and never connects."""
    from spyglass.control.wishes import LINK  # noqa: PLC0415 - the window first

    for word in arguments:
        if found := LINK.fullmatch(word):
            window.do(_select, window, found["id"])
    if "--new-profile" in arguments:
        window.changes.new()


def _select(window: MainWindow, profile_id: str) -> None:
    if all(profile.id != profile_id for profile in window.hub.profiles()):
        raise Missing("There is no profile of this link", "It may have been deleted.")
    window.sidebar.search.clear()
    window.reload(profile_id)
