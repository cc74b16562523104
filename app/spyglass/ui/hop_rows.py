"""One hop's fields and buttons, for each kind of hop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import msgspec
from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from spyglass.errors import BadInput
from spyglass.profile import ContainerHop, Engine, EngineHop, Hop, KubernetesHop, SSHHop
from spyglass.ui import parts, style
from spyglass.ui.fields import FileField, field, sign
from spyglass.ui.tls_editor import FileFields


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
        self._signs: dict[QPushButton, str] = {}
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
        self.below = column
        self.up = self._tool("up", "Move this hop towards this computer", lambda: self.moved.emit(-1))
        self.down = self._tool("down", "Move this hop away from this computer", lambda: self.moved.emit(1))
        self.drop = self._tool("cross", "Remove this hop", self.removed.emit)
        style.Theme.current.changed.connect(self._restyle)

    def field(self, text: str, placeholder: str, name: str, stretch: int, width: int = 0) -> QLineEdit:
        """Add a field before the buttons."""
        made = field(text, placeholder, name)
        made.setToolTip(name)
        if width:
            made.setFixedWidth(width)
        return self.put(made, stretch)

    def put(self, made: QLineEdit, stretch: int) -> QLineEdit:
        """Add this field before the buttons."""
        made.textChanged.connect(self.changed)
        if self.first is self:
            self.first = made
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
        made.setIcon(sign(shape))
        made.setIconSize(QSize(16, 16))
        self._signs[made] = shape
        self._across.addWidget(made)
        return made

    def _restyle(self) -> None:
        for button, shape in self._signs.items():
            button.setIcon(sign(shape))


class SSHRow(HopRow):
    """An SSH server."""

    def __init__(self, hop: SSHHop | None = None) -> None:
        super().__init__()
        hop = hop or SSHHop(host="")
        self.host = self.field(hop.host, "host or ssh alias", "Host", 5)
        self.user = self.field(hop.user, "user", "User", 2)
        self.port = self.field(str(hop.port or ""), "22", "Port", 0, 66)
        self.identity = self.put(FileField(hop.identity, "key file", "Identity file"), 4)

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
    """A container engine's API: its address, and its certificates or the person's consent to go without."""

    def __init__(self, hop: EngineHop | None = None) -> None:
        super().__init__()
        hop = hop or EngineHop(url="")
        self._agreed = hop.url if hop.plain else ""
        self.url = self.field(hop.url, "tcp://host:port", "Address of the engine's API", 5)
        self.files = FileFields(hop, "the engine's API")
        self.plain = parts.Check("Go without TLS, though whoever reaches that port is root there")
        self.plain.setChecked(hop.plain)
        self.below.addWidget(self.files)
        self.below.addWidget(self.plain)
        self.url.textChanged.connect(self._follow)
        self.files.changed.connect(self._follow)
        self.files.changed.connect(self.changed)
        self.plain.toggled.connect(self._agree)
        self._follow()

    def hop(self) -> EngineHop:
        """The hop as written."""
        made = self._named()
        return msgspec.structs.replace(made, plain=self.plain.isChecked() and not made.tls)

    def _named(self) -> EngineHop:
        return msgspec.structs.replace(EngineHop(self.url.text().strip()), **self.files.paths())

    def _agree(self, agreed: bool) -> None:
        self._agreed = self.url.text().strip() if agreed else ""
        self.changed.emit()

    def _follow(self) -> None:
        """What was agreed to counts for that address only."""
        named = self._named()
        self.plain.setVisible(not named.tls)
        self.plain.blockSignals(True)
        self.plain.setChecked(bool(named.url) and named.url == self._agreed)
        self.plain.blockSignals(False)


class ClusterRow(HopRow):
    """The pods of a Kubernetes cluster."""

    def __init__(self, hop: KubernetesHop | None = None) -> None:
        super().__init__()
        hop = hop or KubernetesHop("all")
        self.namespace = self.field(hop.namespace, "namespace, or all", "Namespace of the cluster", 3)
        self.context = self.field(hop.context, "kubectl's own context", "Context of kubectl", 2)

    def hop(self) -> KubernetesHop:
        """The hop as written."""
        return KubernetesHop(self.namespace.text().strip(), self.context.text().strip())


ROWS: dict[type[Hop], Callable[[Any], HopRow]] = {
    SSHHop: SSHRow,
    ContainerHop: ContainerRow,
    EngineHop: EngineRow,
    KubernetesHop: ClusterRow,
}
