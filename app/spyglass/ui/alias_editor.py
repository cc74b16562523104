"""The part of the profile editor that is about nodes' own addresses on this computer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QSizePolicy, QVBoxLayout, QWidget

from spyglass.ui import parts, style

if TYPE_CHECKING:
    from spyglass.profile import Profile

_OFF, _AUTO, _THERE = "off", "auto", "there"
_CHOICES = (
    (_OFF, "only through Spyglass"),
    (_AUTO, "at the address in each node's name"),
    (_THERE, "at this address"),
)
_WHAT = (
    "Your own iex, Livebook or debugger reaches the node there by its true name. "
    "An address outside 127.0.0.0/8 takes an administrator's password, once a run."
)
_WARNING = "Whoever works on this computer gets through to the node there; only its cookie still protects it."


class AliasEditor(QWidget):
    """How a node is reached by other tools, and by whom."""

    changed = Signal()

    def __init__(self, profile: Profile) -> None:
        super().__init__()
        fixed = profile.alias not in {_OFF, _AUTO}
        self.choice = parts.Combo("Own tools")
        for value, text in _CHOICES:
            self.choice.addItem(text, value)
        self.choice.setCurrentIndex(self.choice.findData(_THERE if fixed else profile.alias))
        self.choice.setMinimumWidth(240)
        self.address = QLineEdit(profile.alias if fixed else "", placeholderText="127.0.0.2")
        self.address.setAccessibleName("Address for own tools")
        self.everyone = parts.Check("Let every user of this computer in there")
        self.everyone.setChecked(profile.alias_everyone)
        self.what = parts.label(_WHAT, "dim", style.small())
        self.warning = parts.label(_WARNING, "warn", style.small())
        line = parts.row(self.choice, self.address, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addLayout(line)
        for each in (self.what, self.everyone, self.warning):
            column.addWidget(each)
        for each in (self.what, self.warning):
            each.setWordWrap(True)
        grows = self.sizePolicy()
        grows.setHorizontalPolicy(QSizePolicy.Policy.Expanding)  # its words have the form's width
        self.setSizePolicy(grows)
        self.setFocusProxy(self.choice)
        self.choice.currentIndexChanged.connect(self._edited)
        self.address.textChanged.connect(self._edited)
        self.everyone.toggled.connect(self._edited)
        self._show()

    def fields(self) -> dict[str, Any]:
        """The profile's fields as chosen."""
        chosen = self.choice.currentData()
        alias = self.address.text().strip() if chosen == _THERE else chosen
        return {"alias": alias, "alias_everyone": self.everyone.isChecked() and chosen != _OFF}

    def _edited(self) -> None:
        self._show()
        self.changed.emit()

    def _show(self) -> None:
        on = self.choice.currentData() != _OFF
        self.address.setVisible(self.choice.currentData() == _THERE)
        self.what.setVisible(on)
        self.everyone.setVisible(on)
        self.warning.setVisible(on and self.everyone.isChecked())
