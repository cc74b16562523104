"""The way of a profile, hop by hop: add, remove, reorder."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, get_args

import msgspec
from PySide6.QtCore import QPointF, QSize, QStringListModel, Qt, QTimer, Signal
from PySide6.QtGui import QIcon, QPainter, QPen, QPixmap, QPolygonF
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from spyglass.errors import BadInput
from spyglass.profile import ContainerHop, Engine, EngineHop, Hop, KubernetesHop, SSHHop
from spyglass.ui import parts, resolving, style
from spyglass.ui.actions import completer
from spyglass.ui.errand import Errand

if TYPE_CHECKING:
    from collections.abc import Iterable

_PAUSE = 250  # milliseconds without a key before ssh_config is read again
_ARROWS = {"up": [(4, 9), (8, 5), (12, 9)], "down": [(4, 7), (8, 11), (12, 7)]}


def port_of(text: str) -> int:
    """Read a port; empty is 0 (left to ssh_config). Raises BadInput."""
    text = text.strip()
    if not text:
        return 0
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= 65535):
        raise BadInput(f"{text} is not a port", "Ports go from 1 to 65535; leave it empty for the usual one.")
    return int(text)


class HopRow(QWidget):
    """One hop's fields and its buttons."""

    changed = Signal()
    moved = Signal(int)
    removed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.first: QWidget = self
        self._across = QHBoxLayout()
        self._across.setContentsMargins(0, 0, 0, 0)
        self._across.setSpacing(6)
        self.note = parts.Elided(role="dim")
        self.note.setFont(style.small())
        self.note.setContentsMargins(2, 0, 0, 0)
        self.note.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        column.addLayout(self._across)
        column.addWidget(self.note)
        self.up = self._tool("up", "Move this hop towards this computer", lambda: self.moved.emit(-1))
        self.down = self._tool("down", "Move this hop away from this computer", lambda: self.moved.emit(1))
        self.drop = self._tool("cross", "Remove this hop", self.removed.emit)

    def field(self, text: str, placeholder: str, name: str, stretch: int, width: int = 0) -> QLineEdit:
        """Add a field before the buttons."""
        made = QLineEdit(text, placeholderText=placeholder)
        made.setAccessibleName(name)
        made.setToolTip(name)
        made.textChanged.connect(self.changed)
        if self.first is self:
            self.first = made
        if width:
            made.setFixedWidth(width)
        self._across.insertWidget(self._across.count() - 3, made, stretch)
        return made

    def hop(self) -> Hop:
        """The hop as written. Raises BadInput."""
        raise NotImplementedError

    def ssh(self) -> SSHHop | None:
        """The hop, if ssh_config has to do with it and it can be read."""
        return None

    def tell(self, text: str, *, wrong: bool) -> None:
        """Show what the hop comes to."""
        style.mark(self.note, role="bad" if wrong else "dim")
        self.note.say(text)
        self.note.setVisible(bool(text))

    def _tool(self, shape: str, name: str, then: object) -> QPushButton:
        made = parts.button("", then, small=True, name=name)  # type: ignore[arg-type]
        made.setToolTip(name)
        made.setFixedWidth(32)
        made.setStyleSheet("QPushButton { padding: 0; min-height: 32px; }")
        made.setIcon(_tool_icon(shape))
        made.setIconSize(QSize(16, 16))
        self._across.addWidget(made)
        return made


class SSHRow(HopRow):
    """An SSH server."""

    def __init__(self, hop: SSHHop | None = None) -> None:
        super().__init__()
        hop = hop or SSHHop(host="")
        self.host = self.field(hop.host, "host or ssh alias", "Host", 5)
        self.user = self.field(hop.user, "user", "User", 2)
        self.port = self.field(str(hop.port or ""), "22", "Port", 0, 66)
        self.identity = self.field(hop.identity, "key file", "Identity file", 4)

    def hop(self) -> SSHHop:
        """The hop as written. Raises BadInput."""
        host, user, identity = (f.text().strip() for f in (self.host, self.user, self.identity))
        return SSHHop(host=host, user=user, port=port_of(self.port.text()), identity=identity)

    def ssh(self) -> SSHHop | None:
        """The hop, while it can be read."""
        try:
            return self.hop()
        except BadInput:
            return None


class ContainerRow(HopRow):
    """A container to go on from."""

    def __init__(self, hop: ContainerHop | None = None) -> None:
        super().__init__()
        hop = hop or ContainerHop(name="")
        self.name = self.field(hop.name, "container", "Container to go through", 5)
        self.engine = parts.Combo("Container engine")
        self.engine.addItems(get_args(Engine))
        self.engine.setCurrentText(hop.engine)
        self.engine.currentTextChanged.connect(self.changed)
        self._across.insertWidget(1, self.engine, 2)

    def hop(self) -> ContainerHop:
        """The hop as written."""
        return ContainerHop(name=self.name.text().strip(), engine=self.engine.currentText())  # type: ignore[arg-type]


class EngineRow(HopRow):
    """A container engine's API. Its certificates are kept as they are in the profile."""

    def __init__(self, hop: EngineHop | None = None) -> None:
        super().__init__()
        self._hop = hop or EngineHop(url="")
        self.url = self.field(self._hop.url, "tcp://host:port", "Address of the engine's API", 5)

    def hop(self) -> EngineHop:
        """The hop as written."""
        url = self.url.text().strip()
        plain = self._hop.plain and url == self._hop.url  # agreed to for that address only
        return msgspec.structs.replace(self._hop, url=url, plain=plain)


class ClusterRow(HopRow):
    """The pods of a Kubernetes cluster."""

    def __init__(self, hop: KubernetesHop) -> None:
        super().__init__()
        self.namespace = self.field(hop.namespace, "namespace, or all", "Namespace of the cluster", 3)
        self.context = self.field(hop.context, "kubectl's context", "Context of kubectl", 2)

    def hop(self) -> KubernetesHop:
        """The hop as written."""
        return KubernetesHop(self.namespace.text().strip(), self.context.text().strip())


_ROWS: dict[type[Hop], Callable[[Any], HopRow]] = {
    SSHHop: SSHRow,
    ContainerHop: ContainerRow,
    EngineHop: EngineRow,
    KubernetesHop: ClusterRow,
}


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
        self.add_ssh = parts.button("Add SSH server", lambda: self.add(SSHRow()), small=True)
        self.add_container = parts.button("Add container", lambda: self.add(ContainerRow()), small=True)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(8)
        whole.addWidget(self._none)
        whole.addLayout(self._column)
        whole.addLayout(parts.row(self.add_ssh, self.add_container, 1))
        for hop in hops:
            self.add(_ROWS[type(hop)](hop), quiet=True)
        self._arrange()
        Errand(resolving.aliases, self.names.setStringList)
        self._pause.start(0)

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


def _tool_icon(shape: str) -> QIcon:
    icon = QIcon()
    for mode, colour in ((QIcon.Mode.Normal, "dim"), (QIcon.Mode.Disabled, "line")):
        image = QPixmap(32, 32)
        image.setDevicePixelRatio(2)
        image.fill(Qt.GlobalColor.transparent)
        painter = QPainter(image)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(
            QPen(style.tokens().color(colour), 1.6, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap)
        )
        if shape == "cross":
            painter.drawLine(5, 5, 11, 11)
            painter.drawLine(11, 5, 5, 11)
        else:
            painter.drawPolyline(QPolygonF([QPointF(x, y) for x, y in _ARROWS[shape]]))
        painter.end()
        icon.addPixmap(image, mode)
    return icon
