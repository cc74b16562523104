"""The files that TLS takes: of a container engine's API, and of nodes that speak it with each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from spyglass.profile import TLS
from spyglass.ui import parts, style
from spyglass.ui.fields import FileField

if TYPE_CHECKING:
    from spyglass.profile import EngineHop

_FILES = (("ca", "authority"), ("certificate", "certificate"), ("key", "its key"))
_NAMES = {
    "ca": "Certificates of the authority that signed for",
    "certificate": "Certificate for",
    "key": "Private key for",
}
_WHAT = (
    "For nodes that speak TLS with each other (PEM files). Without an authority they are believed; "
    "where they want a certificate and none is named, Spyglass asks before it reads the node's own."
)


class FileFields(QWidget):
    """The three files, side by side."""

    changed = Signal()

    def __init__(self, now: TLS | EngineHop, whose: str) -> None:
        """``whose`` completes what a screen reader says: "the engine's API"."""
        super().__init__()
        across = QHBoxLayout(self)
        across.setContentsMargins(0, 0, 0, 0)
        across.setSpacing(6)
        self.fields: dict[str, FileField] = {}
        for name, short in _FILES:
            made = FileField(getattr(now, name), short, f"{_NAMES[name]} {whose}")
            made.textChanged.connect(self.changed)
            across.addWidget(made, 1)
            self.fields[name] = made

    def paths(self) -> dict[str, str]:
        """The files as written, by the names of the profile's fields; empty: none."""
        return {name: made.text().strip() for name, made in self.fields.items()}


class TLSEditor(QWidget):
    """Folded up to one button until there is something to see."""

    changed = Signal()

    def __init__(self, now: TLS) -> None:
        super().__init__()
        self.files = FileFields(now, "nodes that speak TLS")
        self.what = parts.label(_WHAT, "dim", style.small())
        self.what.setWordWrap(True)
        self.unfold = parts.button(
            "Name certificates", self._unfold, small=True, name="TLS: name certificates"
        )
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        for each in (self.files, self.what):
            column.addWidget(each)
        column.addLayout(parts.row(self.unfold, 1))
        self.setFocusProxy(self.unfold)
        self.files.changed.connect(self.changed)
        self._show(folded=now == TLS())

    def fields(self) -> dict[str, TLS]:
        """The profile's fields as written."""
        return {"tls": TLS(**self.files.paths())}

    def _unfold(self) -> None:
        self._show(folded=False)
        self.files.fields["ca"].setFocus()

    def _show(self, *, folded: bool) -> None:
        self.files.setVisible(not folded)
        self.what.setVisible(not folded)
        self.unfold.setVisible(folded)
        self.setFocusProxy(self.unfold if folded else self.files.fields["ca"])
