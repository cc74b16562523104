"""Which containers belong to a profile, a condition to a line, with what is wrong marked in its place."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QPlainTextEdit, QTextEdit

from spyglass import selector
from spyglass.errors import BadInput
from spyglass.selector import Selector
from spyglass.ui import style

_LEAST, _MOST = 2, 6  # lines to be seen at once
_ROUND = 16  # pixels around the lines
_ABOUT = (
    "All conditions must hold, one to a line: network-alias, compose, swarm-service, image, label, dns, "
    "rancher, ask-in. A value with spaces stands in quotation marks."
)


class MembersField(QPlainTextEdit):
    """Grows with its lines; Tab goes on to the next field."""

    def __init__(self, select: Selector) -> None:
        super().__init__(selector.words(select, without=("container", "node"), between="\n"))
        self.setObjectName("members")
        self.setAccessibleName("Members")
        self.setAccessibleDescription(_ABOUT)
        self.setToolTip(_ABOUT)
        self.setPlaceholderText("network-alias=web, compose=shop/web, dns=web.internal …\none to a line")
        self.setTabChangesFocus(True)
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.textChanged.connect(self._grow)
        self._grow()

    def read(self, base: Selector) -> Selector:
        """Take what is written over ``base``. Raises BadInput with the line."""
        return selector.read(self.toPlainText(), base)

    def mark(self) -> None:
        """Underline the lines that can't be used."""
        wrong = [n for n, line in enumerate(self.toPlainText().split("\n")) if _is_wrong(line)]
        self.setExtraSelections([self._underlined(line) for line in wrong])
        if bool(wrong) != bool(self.property("wrong")):
            style.mark(self, wrong=bool(wrong))

    def _underlined(self, line: int) -> QTextEdit.ExtraSelection:
        made = QTextEdit.ExtraSelection()
        made.cursor = QTextCursor(self.document().findBlockByNumber(line))
        made.cursor.select(QTextCursor.SelectionType.LineUnderCursor)
        look = QTextCharFormat()
        look.setUnderlineStyle(QTextCharFormat.UnderlineStyle.WaveUnderline)
        look.setUnderlineColor(style.tokens().color("bad"))
        made.format = look
        return made

    def _grow(self) -> None:
        lines = min(max(self.blockCount(), _LEAST), _MOST)
        self.setFixedHeight(lines * self.fontMetrics().lineSpacing() + _ROUND)


def _is_wrong(line: str) -> bool:
    """Whether it is wrong by itself: what somebody is to be asked for may stand in another line."""
    try:
        selector.check(selector.read(line, Selector(dns="there")))
    except BadInput:
        return True
    return False
