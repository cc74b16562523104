"""The bar that tells where a node answers to a person's own tools, and what to type; or why it does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout

from spyglass.owntools import COOKIE
from spyglass.ui import alias_words, parts, style
from spyglass.ui.chain import rich

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spyglass.status import NodeInfo, Status
    from spyglass.ui.nodes_table import NodeTable

OWN_ADDRESS, INSTEAD = "Own address", "Cookie from"
FOR_TOOLS = "For own tools"
"""The column that is there where nodes have, or should have, such an address; and the one that makes room."""


class AliasBar(QFrame):
    """One node at a time: the chosen one, else the first. ``again``: what is in the way was cleared."""

    again = Signal()
    copied = Signal(str, str)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("card")
        self._node: NodeInfo | None = None
        self._closed: set[str] = set()
        self.mark = parts.StateMark("ok", 14)
        self.title = parts.label(font=style.strong())
        self.title.setWordWrap(True)
        self.hint = QLabel(wordWrap=True)
        self.line = parts.Elided(mode=parts.ElideMode.ElideRight)
        self.line.setFont(style.mono())
        self.copy = parts.button("Copy command", self._copy, small=True)
        self.retry = parts.button("Try again", self.again.emit, small=True, name="Try the address again")
        self.close_button = parts.button("Close", self._close, small=True, name="Close what it says")
        self._lay_out()
        style.Theme.current.changed.connect(self._restyle)
        self.hide()

    def _lay_out(self) -> None:
        text = QVBoxLayout()
        text.setSpacing(4)
        for each in (self.title, self.hint, self.line):
            text.addWidget(each)
        across = QHBoxLayout(self)
        across.setContentsMargins(16, 11, 12, 11)
        across.setSpacing(10)
        across.addWidget(self.mark, 0, Qt.AlignmentFlag.AlignTop)
        across.addLayout(text, 1)
        for button in (self.retry, self.copy, self.close_button):
            across.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)

    def show_status(self, status: Status, chosen: Sequence[NodeInfo]) -> None:
        """Tell of the node that is chosen there, or of the first that has something to tell."""
        node = alias_words.told(status, chosen)
        if node is None or alias_words.headline(node) in self._closed:
            self._node = None
            self.hide()
        elif node != self._node or self.isHidden():
            self._node = node
            self._tell(node)

    def _tell(self, node: NodeInfo) -> None:
        alias, headline = node.alias, alias_words.headline(node)
        assert alias is not None  # noqa: S101 - what there is to tell of has one
        problem = alias.problem
        self.mark.show_shape("warn" if problem else "ok")
        self.setObjectName("" if problem else "card")
        style.mark(self, role="attention" if problem else "")
        self.title.setText(headline)
        style.mark(self.hint, role="" if problem else "dim")
        self.hint.setText(rich(problem.hint) if problem else COOKIE)
        self.line.say(alias.command, f"{alias.command}\n{COOKIE}")
        self.line.setVisible(bool(alias.command))
        self.copy.setVisible(bool(alias.command))
        self.retry.setVisible(problem is not None)
        self.setAccessibleName(f"{headline}. {problem.hint if problem else COOKIE}")
        self.show()

    def _restyle(self) -> None:
        """Colours of the text's own markup, after a change of palette."""
        if self._node and not self.isHidden():
            self._tell(self._node)

    def _copy(self) -> None:
        if self._node and self._node.alias:
            self.copied.emit(self._node.alias.command, "The command")

    def _close(self) -> None:
        if self._node:
            self._closed.add(alias_words.headline(self._node))
        self.hide()


def show_column(table: NodeTable, nodes: Sequence[NodeInfo]) -> None:
    """Have the column of own addresses come and go with them; in between the columns are the person's."""
    wanted = any(node.alias for node in nodes)
    if bool(table.property("own")) != wanted:
        table.setProperty("own", wanted)
        titles = [column.title for column in table.model_.columns]
        for title, there in ((OWN_ADDRESS, wanted), (FOR_TOOLS, wanted), (INSTEAD, not wanted)):
            if title in titles:
                table.fitting.want(titles.index(title), there)
