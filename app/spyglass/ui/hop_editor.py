"""The way of a profile, hop by hop: add, remove, reorder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QStringListModel, QTimer, Signal
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from spyglass.errors import BadInput
from spyglass.profile import Hop, SSHHop
from spyglass.ui import parts, resolving
from spyglass.ui.actions import completer
from spyglass.ui.errand import Errand
from spyglass.ui.hop_rows import ROWS, ClusterRow, ContainerRow, EngineRow, HopRow, SSHRow

if TYPE_CHECKING:
    from collections.abc import Iterable

_OFFERS: tuple[tuple[str, str, type[SSHRow | ContainerRow | EngineRow | ClusterRow]], ...] = (
    ("Add SSH server", "A host that SSH reaches from the place before", SSHRow),
    ("Add container", "Nodes are looked for inside this container, as if it were a host", ContainerRow),
    ("Add engine's API", "A container engine that answers at an address: tcp://host:port", EngineRow),
    ("Add Kubernetes", "The pods of a cluster, by kubectl at the place before", ClusterRow),
)
_PAUSE = 250  # milliseconds without a key before ssh_config is read again


class HopEditor(QWidget):
    """All hops, in the order of travel."""

    changed = Signal()

    def __init__(self, hops: Iterable[Hop]) -> None:
        super().__init__()
        self.rows: list[HopRow] = []
        self.names = QStringListModel(self)
        self._asked: list[SSHHop | None] = []
        self._pause = QTimer(self, singleShot=True, interval=_PAUSE)
        self._pause.timeout.connect(self._resolve)
        self.changed.connect(self._pause.start)
        self._column = QVBoxLayout()
        self._column.setSpacing(6)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._none = parts.label("No hop: the nodes and containers of this computer.", "dim")
        self.add_ssh, self.add_container, self.add_engine, self.add_cluster = self._offers()
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(8)
        whole.addWidget(self._none)
        whole.addLayout(self._column)
        whole.addLayout(parts.row(self.add_ssh, self.add_container, self.add_engine, self.add_cluster, 1))
        for hop in hops:
            self.add(ROWS[type(hop)](hop), quiet=True)
        self._arrange()
        Errand(resolving.aliases, self.names.setStringList)
        self._pause.start(0)

    def _offers(self) -> list[QPushButton]:
        made = []
        for text, what, kind in _OFFERS:
            made.append(parts.button(text, lambda kind=kind: self.add(kind()), small=True))  # type: ignore[misc]
            made[-1].setToolTip(what)
        return made

    def hops(self) -> tuple[Hop, ...]:
        """The hops as written. Raises BadInput that names the hop."""
        out: list[Hop] = []
        for number, row in enumerate(self.rows, 1):
            try:
                out.append(row.hop())
            except BadInput as fault:
                raise BadInput(f"Hop {number}: {fault.title}", fault.hint) from fault
        return tuple(out)

    def add(self, row: HopRow, *, quiet: bool = False) -> None:
        """Add a hop at the end."""
        row.changed.connect(self.changed)
        row.moved.connect(lambda step: self._move(row, step))
        row.removed.connect(lambda: self._remove(row))
        self.rows.append(row)
        if isinstance(row, SSHRow):
            row.host.setCompleter(completer(self.names, row))
        if not quiet:
            self._arrange()
            self.changed.emit()
            row.first.setFocus()

    def _resolve(self) -> None:
        """Read ssh_config on a thread; what comes back counts if the hops are still the same."""
        asked = self._asked = [row.ssh() for row in self.rows]
        Errand(lambda: (asked, resolving.resolved(asked)), self._resolved)

    def _resolved(self, outcome: tuple[list[SSHHop | None], list[tuple[str, bool]]]) -> None:
        asked, told = outcome
        if asked is self._asked and len(told) == len(self.rows):
            for row, (text, wrong) in zip(self.rows, told, strict=True):
                row.tell(text, wrong=wrong)

    def _move(self, row: HopRow, step: int) -> None:
        at = self.rows.index(row)
        to = min(max(at + step, 0), len(self.rows) - 1)
        self.rows.insert(to, self.rows.pop(at))
        self._arrange()
        self.changed.emit()

    def _remove(self, row: HopRow) -> None:
        self.rows.remove(row)
        row.hide()
        row.deleteLater()
        self._arrange()
        self.changed.emit()

    def _arrange(self) -> None:
        for number, row in enumerate(self.rows):
            self._column.removeWidget(row)
            self._column.insertWidget(number, row)
            row.up.setEnabled(number > 0)
            row.down.setEnabled(number < len(self.rows) - 1)
        self._none.setVisible(not self.rows)
