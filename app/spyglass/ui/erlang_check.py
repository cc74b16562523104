"""Whether the Erlang of this computer can show Observer, in words, with the command that helps."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from spyglass.ui import parts, style, texts
from spyglass.ui.errand import Errand

if TYPE_CHECKING:
    from spyglass.erlang.runtime import Erlang
    from spyglass.errors import Failure

_COMMAND = re.compile(r"^(?P<command>(?:sudo|doas|brew|winget|nix|guix|apt|apk) .+?)(?:  |$)", re.MULTILINE)


def installed() -> list[Erlang]:
    """Every Erlang that is here; takes a while, so not for the window's thread."""
    from spyglass.erlang import runtime  # noqa: PLC0415 - the window first

    return runtime.installed()


def find(setting: str) -> Erlang:
    """The Erlang to use, for a thread of its own. Raises Failure."""
    from spyglass.erlang import runtime  # noqa: PLC0415 - the window first

    return runtime.find(setting)


class ErlangCheck(QWidget):
    """Says it by shape and words; ``known`` carries whether Observer can be shown."""

    known = Signal(bool)

    def __init__(self) -> None:
        super().__init__()
        self._setting = ""
        self._looks = 0
        self.mark = parts.StateMark("off")
        self.words = parts.label()
        self.words.setWordWrap(True)
        self.words.setMinimumWidth(400)  # or a form takes it for a narrow column of many lines
        self.words.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self.words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.command = QLineEdit(readOnly=True)
        self.command.setFont(style.mono())
        self.command.setAccessibleName("The command that installs it")
        self.copy = parts.button("Copy", self._copy, name="Copy the command")
        self.again = parts.button("Check again", lambda: self.look(self._setting))
        self._lay_out()

    def _lay_out(self) -> None:
        said = parts.row(self.mark, self.words)
        said.setAlignment(self.mark, Qt.AlignmentFlag.AlignTop)
        said.setStretch(1, 1)
        remedy = parts.row(self.command, self.copy, self.again)
        remedy.setStretch(0, 1)
        remedy.addStretch(0)  # without a command the button stands alone, and no wider for that
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(style.GAP)
        column.addLayout(said)
        column.addLayout(remedy)
        column.addStretch(1)

    def look(self, setting: str) -> None:
        """Look for it, on a thread; ``setting`` is the path that the person chose, or empty."""
        self._setting = setting
        self._looks += 1
        self._say("busy", "Looking for Erlang")
        Errand(partial(_judged, setting, self._looks), self._judge)

    def _judge(self, outcome: tuple[int, Erlang | Failure]) -> None:
        number, found = outcome
        if number != self._looks:
            return  # somebody chose another one in the meantime
        if isinstance(found, Exception):
            self._say("bad", texts.homely(f"{found.title}."), found.hint)
        else:
            self._say("ok", f"Erlang/OTP {found.version} with Observer, at {texts.homely(str(found.path))}")
        self.known.emit(not isinstance(found, Exception))

    def _say(self, shape: str, words: str, hint: str = "") -> None:
        command = _COMMAND.search(hint)
        self.mark.show_shape(shape)
        self.words.setText(f"{words} {_sentence(hint[command.end() :] if command else hint)}".strip())
        self.command.setText(command["command"].strip() if command else "")
        self.command.setVisible(bool(command))
        self.copy.setVisible(bool(command))
        self.again.setVisible(shape == "bad")

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.command.text())


def _sentence(text: str) -> str:
    """What a hint says beside its command, which stands in brackets there."""
    text = text.replace("`", "").replace("(", "", 1).replace(")", "", 1).strip(" ,.")
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def _judged(setting: str, number: int) -> tuple[int, Erlang | Failure]:
    from spyglass.errors import Failure  # noqa: PLC0415

    try:
        return number, find(setting)
    except Failure as failure:
        return number, failure
