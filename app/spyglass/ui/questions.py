"""Questions as dialogs; who shows them, one at a time, is in ``asking``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QDialog,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from spyglass.questions import Choice, Consent, HostKey, Question, Secret, Typed
from spyglass.ui import parts, style, texts

_WIDE = 460
_PLACES = {
    "keyring": "in the system's keyring",
    "run": "in memory, until you quit",
    "ask": "until this connection ends; then ask again",
}


class QuestionDialog(QDialog):
    """What is asked, by whom, and the buttons; ``answer`` is None until one was given."""

    def __init__(self, asker: str, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.answer: Any = None
        self.setWindowTitle(f"{asker} – Spyglass" if asker else "Spyglass")
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(24, 22, 24, 20)
        self.column.setSpacing(10)
        self.column.setSizeConstraint(QVBoxLayout.SizeConstraint.SetFixedSize)
        if asker:
            self.column.addWidget(parts.Elided(asker, role="dim"))
        self.title = self.say(title, strong=True)

    def say(self, text: str, role: str = "", *, strong: bool = False) -> QWidget:
        """Add a paragraph."""
        made = parts.label(text, role, style.semibold(15 / 13) if strong else None)
        made.setWordWrap(True)
        made.setFixedWidth(_WIDE)
        self.column.addWidget(made)
        return made

    def buttons(
        self, *given: tuple[str, Any], default: int, danger: bool = False, enter: bool = True
    ) -> list[QPushButton]:
        """Add Cancel and these buttons, each with its answer (a value, or what is called for it).

        ``default`` is drawn as the main one; Enter presses it unless it is dangerous (then
        Cancel) or ``enter`` is False (then nothing).
        """
        cancel = parts.button("Cancel", self.reject)
        made = [parts.button(text, self._giver(value)) for text, value in given]
        for number, each in enumerate(made):
            if number == default:
                each.setProperty("danger" if danger else "primary", True)
                each.setDefault(enter and not danger)
        if danger:
            cancel.setDefault(True)
        self.column.addSpacing(6)
        self.column.addLayout(parts.row(1, cancel, *made, spacing=10))
        return made

    def _giver(self, value: Any) -> Callable[[], None]:
        def give() -> None:
            self.answer = value() if callable(value) else value
            self.accept()

        return give


class HostKeyDialog(QuestionDialog):
    """An unknown server: once, remember or cancel."""

    def __init__(self, asked: HostKey, asker: str, parent: QWidget | None = None) -> None:
        super().__init__(asker, f"{asked.host} is not known yet", parent)
        self.say(
            "This is the first connection to it from here. Compare its key with what its owner tells you:"
        )
        key = QLineEdit(asked.fingerprint, readOnly=True)
        key.setFont(style.mono())
        key.setAccessibleName(f"Fingerprint of the {asked.key_type} key")
        copy = parts.button(
            "Copy", lambda: QGuiApplication.clipboard().setText(asked.fingerprint), name="Copy fingerprint"
        )
        self.column.addWidget(parts.label(f"Key type {asked.key_type}", "dim"))
        self.column.addLayout(parts.row(key, copy))
        where = (
            f"Remembering adds one line to {asked.file}."
            if asked.file
            else "Remembering adds it to known_hosts."
        )
        self.say(where, "dim")
        # Enter may still be on its way from where the connection was started: it must not trust a key.
        self.buttons(("Connect once", "once"), ("Remember and connect", "remember"), default=1, enter=False)


class SecretDialog(QuestionDialog):
    """A password, a passphrase, a code or a cookie; the server's own words where it has some."""

    _TITLES: ClassVar = {
        "password": "Password for {}",
        "passphrase": "Passphrase of {}",
        "keyboard-interactive": "{} asks",
        "cookie": "Cookie of {}",
    }

    def __init__(self, asked: Secret, asker: str, parent: QWidget | None = None) -> None:
        super().__init__(asker, self._TITLES[asked.kind].format(texts.homely(asked.subject)), parent)
        if asked.again:
            self.say("That was not accepted. Try once more.", "bad")
        if asked.prompt:
            self.say(asked.prompt.strip())
        self.field = QLineEdit()
        self.field.setEchoMode(QLineEdit.EchoMode.Normal if asked.echo else QLineEdit.EchoMode.Password)
        self.field.setAccessibleName(asked.prompt.strip() or self._TITLES[asked.kind].format(asked.subject))
        self.field.setInputMethodHints(
            Qt.InputMethodHint.ImhSensitiveData | Qt.InputMethodHint.ImhNoPredictiveText
        )
        self.column.addWidget(self.field)
        self.keep = self._places(asked) if asked.keep else None
        if not asked.keep:
            self.say("Used for this connection only; not stored.", "dim")
        self.buttons(("Continue", self._typed), default=0)
        self.field.setFocus()

    def _places(self, asked: Secret) -> parts.Combo:
        """Where the answer may be kept, and why not in the keyring."""
        made = parts.Combo("Keep it")
        for place in asked.keep:
            made.addItem(_PLACES[place], place)
        made.setCurrentIndex(max(made.findData(asked.usual), 0))
        word = parts.label("&Keep it")
        word.setTextFormat(Qt.TextFormat.AutoText)  # for the underlined key; the words are ours
        word.setBuddy(made)
        line = parts.row(word, made, spacing=12)
        line.setStretch(1, 1)
        self.column.addLayout(line)
        if asked.why_not:
            self.say(asked.why_not, "warn")
        return made

    def _typed(self) -> str | Typed:
        text = self.field.text()
        return Typed(text, self.keep.currentData()) if self.keep else text

    def done(self, result: int) -> None:
        """Leave nothing in the field."""
        self.field.clear()
        super().done(result)


class ChoiceDialog(QuestionDialog):
    """Pick one of a list."""

    def __init__(self, asked: Choice, asker: str, parent: QWidget | None = None) -> None:
        super().__init__(asker, asked.title, parent)
        self.list = QListWidget()
        self.list.setAccessibleName(asked.title)
        self.list.setFixedSize(_WIDE, min(14 + 32 * len(asked.options), 330))
        details = asked.details + ("",) * len(asked.options)
        for option, detail in zip(asked.options, details, strict=False):
            item = QListWidgetItem(f"{option}   {detail}".rstrip())
            item.setSizeHint(QSize(0, 32))
            item.setData(Qt.ItemDataRole.UserRole, option)
            self.list.addItem(item)
        self.list.setCurrentRow(0)
        self.list.itemActivated.connect(lambda _item: self._giver(self._current)())
        self.column.addWidget(self.list)
        self.buttons(("Choose", self._current), default=0)
        self.list.setFocus()

    def _current(self) -> str:
        return str(self.list.currentItem().data(Qt.ItemDataRole.UserRole))


class ConsentDialog(QuestionDialog):
    """Yes, or no; what is dangerous is never the default."""

    def __init__(self, asked: Consent, asker: str = "", parent: QWidget | None = None) -> None:
        super().__init__(asker, asked.title, parent)
        self.say(asked.text)
        self.buttons((asked.action, True), default=0, danger=asked.danger)


def dialog_for(question: Question, asker: str, parent: QWidget | None = None) -> QuestionDialog:
    """The dialog that asks it."""
    if isinstance(question, HostKey):
        return HostKeyDialog(question, asker, parent)
    if isinstance(question, Secret):
        return SecretDialog(question, asker, parent)
    if isinstance(question, Choice):
        return ChoiceDialog(question, asker, parent)
    return ConsentDialog(question, asker, parent)
