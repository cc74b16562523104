"""What can be done with nodes besides observing them: a shell in a terminal, and copies of what they are."""

from __future__ import annotations

import shlex
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMenu

from spyglass.errors import Failure
from spyglass.status import Phase
from spyglass.store import paths
from spyglass.ui.columns import forward_address

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtWidgets import QWidget

    from spyglass.profile import Profile
    from spyglass.status import NodeInfo, Status


class NodeActions(QObject):
    """Of one connection's page. ``said`` is a passing remark; the others carry a list of nodes."""

    said = Signal(str)
    observe = Signal(list)
    together = Signal(list)
    unobserve = Signal(list)

    def __init__(self, page: QWidget) -> None:
        super().__init__(page)
        self._page = page

    def menu(
        self, profile: Profile, status: Status, nodes: Sequence[NodeInfo], inside: QMenu | None = None
    ) -> QMenu:
        """What can be done with these nodes; it lives as long as the menu that it is ``inside``."""
        menu = QMenu(inside or self._page)
        can = [node for node in nodes if node.reachable]
        seen = [node for node in nodes if node.key in status.observing]
        menu.addAction("&Observe", lambda: self.observe.emit(can)).setEnabled(bool(can))
        if several_reachable(status) and not profile.observer.together:
            menu.addAction("Observe &all in one window", lambda: self.together.emit(can))
        if seen:
            menu.addAction("C&lose Observer", lambda: self.unobserve.emit(seen))
        for text, then in (("&Shell", self.shell), ("Copy shell &command", self.copy_shell)):
            action = menu.addAction(text, partial(then, profile, nodes[0]))
            action.setEnabled(len(nodes) == 1 and nodes[0].reachable)
        menu.addSeparator()
        names, addresses = "\n".join(n.node for n in nodes), _addresses(nodes)
        menu.addAction("Copy &node name", lambda: self.copy(names, "The name"))
        forward = menu.addAction("Copy &forward address", lambda: self.copy(addresses, "The address"))
        forward.setEnabled(bool(addresses))
        if len(nodes) == 1 and (alias := nodes[0].alias) and alias.command:
            menu.addAction("Copy command for own &tools", lambda: self.copy(alias.command, "The command"))
        return menu

    def shell(self, profile: Profile, node: NodeInfo) -> None:
        """Open a shell in a terminal window; where there is none, its command line is copied."""
        from spyglass import desktop  # noqa: PLC0415 - not before it is wanted: the window shows first
        from spyglass.desktop import terminal  # noqa: PLC0415

        try:
            terminal.run([*desktop.command(), *_shell(profile, node)])
        except Failure as fault:
            self.copy_shell(profile, node)
            self.said.emit(
                f"{fault.title}. The shell's command line is copied: paste it into a terminal of yours."
            )
        else:
            self.said.emit(f"A terminal opens with a shell on {node.node}.")

    def copy_shell(self, profile: Profile, node: NodeInfo) -> None:
        """Put the command line that opens a shell on the node on the clipboard."""
        self.copy(shlex.join(("spyglass", *_shell(profile, node))), "The shell's command line")

    def copy(self, text: str, what: str) -> None:
        """Put it on the clipboard and say so."""
        QGuiApplication.clipboard().setText(text)
        self.said.emit(f"{what} is copied.")


def several_reachable(status: Status) -> bool:
    """Whether there is more than one node to be shown together."""
    return sum(node.reachable for node in status.nodes) > 1 and status.phase is Phase.READY


def _shell(profile: Profile, node: NodeInfo) -> tuple[str, ...]:
    """The words after ``spyglass`` that open a shell on the node; the profile's name is its TARGET.

    A set-up of its own (``--profile-dir``) has its own profiles: the other process must look there.
    """
    top = paths.current().top
    return ("shell", *((f"--profile-dir={top}",) if top else ()), profile.name, node.node)


def _addresses(nodes: Sequence[NodeInfo]) -> str:
    return "\n".join(filter(None, map(forward_address, nodes)))
