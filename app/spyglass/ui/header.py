"""The top of the page: the connection's name, its state in words, and what to do now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from spyglass.status import Phase, Status
from spyglass.ui import parts, style, words
from spyglass.ui.words import Buttons, Verb

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from PySide6.QtGui import QHideEvent, QResizeEvent, QShowEvent

    from spyglass.profile import Profile
    from spyglass.status import NodeInfo

_ROOMY, _LONG, _SHORT = 660, 32, 24
"""Pixels from which the button may have the longer of these two lengths, in characters."""


class Header(QWidget):
    """The name over the state, so that neither takes the other's room.

    ``acted`` carries the verb and, for Observe, the nodes.
    """

    acted = Signal(object, object)

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__()
        self._clock = clock
        self._status = Status("")
        self.now = Buttons(Verb.CONNECT)
        self.title = parts.Elided(mode=parts.ElideMode.ElideRight, least=110)
        self.title.setFont(style.title())
        self.title.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.badge = parts.label("production", "badge", style.semibold(11.5 / 13))
        self.words = parts.Elided(role="dim", mode=parts.ElideMode.ElideRight, least=90)
        self.words.setFont(style.font(tabular=True))
        self.others = [parts.button("", lambda n=n: self._other(n)) for n in range(2)]  # type: ignore[misc]
        self.primary = parts.button("", self._primary)
        self.primary.setProperty("primary", True)
        self.primary.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.primary.setFont(style.strong())
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self._tell)
        across = QHBoxLayout(self)
        across.setContentsMargins(0, 0, 0, 0)
        across.setSpacing(12)
        name = parts.row(self.title, self.badge, 1, spacing=12)
        name.setAlignment(self.badge, Qt.AlignmentFlag.AlignVCenter)
        told = QVBoxLayout()
        told.setSpacing(1)
        told.addLayout(name)
        told.addWidget(self.words)
        across.addLayout(told, 1)
        for each in (*self.others, self.primary):
            across.addWidget(each)

    def show_status(
        self, profile: Profile, status: Status, chosen: Sequence[NodeInfo], *, saved: bool
    ) -> None:
        """Show this connection."""
        self._status = status
        self.title.say(profile.name)
        self.badge.setVisible(profile.production)
        self.now = words.buttons(status, chosen)
        others = (
            self.now.others if saved else (Verb.SAVE, *(v for v in self.now.others if v is not Verb.EDIT))
        )
        self._show_others(others)
        self.primary.setEnabled(status.phase is not Phase.CLOSING)
        self._name_primary()
        self._tell()

    def _name_primary(self) -> None:
        """With the node's name where there is room for it: the title's own goes first."""
        text = words.elided(self.now.text, _LONG)
        if self.width() <= _ROOMY and len(text) > _SHORT:
            text = self.now.primary.value
        if self.primary.text() != text:
            self.primary.setText(text)
        self.primary.setToolTip(self.now.text if text != self.now.text else "")
        self.primary.setAccessibleName(self.now.text)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Qt: the button's words fit the room."""
        super().resizeEvent(event)
        self._name_primary()

    def _show_others(self, verbs: tuple[Verb, ...]) -> None:
        self._verbs = verbs
        for number, button in enumerate(self.others):
            button.setVisible(number < len(verbs))
            if number < len(verbs):
                button.setText(verbs[number].value)
                button.setAccessibleName(verbs[number].value)

    def _tell(self) -> None:
        now = self._clock()
        self.words.say(words.headline(self._status, now))
        wait = words.seconds_to_change(self._status, now)
        self._timer.stop()
        if wait is not None and self.isVisible():
            self._timer.start(int(wait * 1000) + 20)

    def showEvent(self, event: QShowEvent) -> None:
        """Catch up with the clock."""
        super().showEvent(event)
        self._tell()

    def hideEvent(self, event: QHideEvent) -> None:
        """Nothing wakes up for a header that nobody sees."""
        super().hideEvent(event)
        self._timer.stop()

    def _primary(self) -> None:
        self.acted.emit(self.now.primary, self.now.nodes)

    def _other(self, number: int) -> None:
        self.acted.emit(self._verbs[number], ())
