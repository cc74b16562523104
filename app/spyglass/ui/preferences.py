"""The preferences: each change counts at once and is kept; there is nothing to confirm."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QFileDialog, QFormLayout, QLabel, QVBoxLayout, QWidget

from spyglass.errors import Failure
from spyglass.ui import parts, style, texts
from spyglass.ui.erlang_check import ErlangCheck, installed
from spyglass.ui.errand import Errand

if TYPE_CHECKING:
    from spyglass.erlang.runtime import Erlang
    from spyglass.ui.preferred import Preferred

_THEMES = (("auto", "As the system"), ("light", "Light"), ("dark", "Dark"))
_LEVELS = (
    ("error", "Only what failed"),
    ("warning", "Failures and warnings"),
    ("info", "What happens"),
    ("debug", "Everything, for a report"),
)
_FOUND = "The first that can show Observer"


class Preferences(QDialog):
    """The dialog; it does not stand in the way of the window."""

    def __init__(self, preferred: Preferred, parent: QWidget | None = None, *, tray: bool = True) -> None:
        """``tray``: whether this desktop shows one now."""
        super().__init__(parent)
        self._preferred = preferred
        now = preferred.value
        self.setObjectName("preferences")
        self.setWindowTitle("Preferences – Spyglass")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.erl = parts.Combo("Erlang")
        self.browse = parts.button("Choose…", self._browse, name="Choose another Erlang")
        self.check = ErlangCheck()
        self.theme = self._choice("Theme", _THEMES, now.theme, self._use_theme)
        self.level = self._choice("Log", _LEVELS, now.log_level, partial(self._keep, "log_level"))
        self.tray = _box(
            "Stay in the tray when the window is closed", partial(self._keep, "tray"), on=now.tray
        )
        self.notify = _box(
            "Tell of changes while the window is hidden",
            partial(self._keep, "notifications"),
            on=now.notifications,
        )
        self.login = _box("Start at login, in the tray", self._start_at_login, on=_starts_at_login())
        self.fault = parts.label(role="bad")
        self._list_erlangs([])
        self._lay_out(tray=tray)
        self.erl.currentIndexChanged.connect(self._use_erlang)
        self.check.look(now.erl)
        Errand(installed, self._list_erlangs)

    def _lay_out(self, *, tray: bool) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 22, 24, 20)
        column.setSpacing(style.BLOCK)
        column.addWidget(parts.label("Preferences", font=style.semibold(17 / 13)))
        column.addLayout(self._form(tray=tray))
        self.fault.setWordWrap(True)
        self.fault.hide()
        column.addWidget(self.fault)
        column.addStretch(1)
        done = parts.button("Close", self.close)
        done.setDefault(True)
        column.addLayout(parts.row(1, done))
        self.resize(600, 430)

    def _form(self, *, tray: bool) -> QFormLayout:
        form = QFormLayout()
        form.setHorizontalSpacing(18)
        form.setVerticalSpacing(10)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        chosen = parts.row(self.erl, self.browse)
        chosen.setStretch(0, 1)
        form.addRow("&Erlang", chosen)
        label = form.labelForField(chosen)
        if isinstance(label, QLabel):
            label.setBuddy(self.erl)
            label.setFixedHeight(34)
        form.addRow("", self.check)
        for text, field in (("&Theme", self.theme), ("&Log", self.level)):
            form.addRow(text, field)
            form.labelForField(field).setFixedHeight(34)
        for box in (self.tray, self.notify, self.login):
            form.addRow("", box)
        if not tray:
            form.addRow("", parts.label("This desktop shows no tray now: closing the window quits.", "dim"))
        return form

    # -- what a person changes -----------------------------------------------------------

    def _keep(self, field: str, value: Any) -> None:
        self._try(partial(self._preferred.change, **{field: value}))

    def _use_theme(self, value: str) -> None:
        style.Theme.current.choose(value)
        self._keep("theme", value)

    def _start_at_login(self, wanted: bool) -> None:
        from spyglass import desktop  # noqa: PLC0415 - not before it is wanted

        if self._try(partial(desktop.start_at_login, wanted)):
            self._keep("autostart", wanted)
        self.login.blockSignals(True)
        self.login.setChecked(_starts_at_login())
        self.login.blockSignals(False)

    def _use_erlang(self, _index: int) -> None:
        setting = str(self.erl.currentData() or "")
        self._keep("erl", setting)
        self.check.look(setting)

    def _browse(self) -> None:
        dialog = QFileDialog(self, "Choose the program erl")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(self.choose_erlang)
        dialog.open()

    def choose_erlang(self, path: str) -> None:
        """Use the Erlang at this path, listed or not."""
        if self.erl.findData(path) < 0:
            self.erl.addItem(texts.homely(path), path)
        self.erl.setCurrentIndex(self.erl.findData(path))

    def _list_erlangs(self, found: list[Erlang]) -> None:
        now = self._preferred.value.erl
        self.erl.blockSignals(True)
        self.erl.clear()
        self.erl.addItem(_FOUND, "")
        for each in found:
            lacks = "" if each.shows_windows else ", without Observer"
            self.erl.addItem(f"OTP {each.otp}{lacks}: {texts.homely(str(each.path))}", str(each.path))
        if self.erl.findData(now) < 0:
            self.erl.addItem(texts.homely(now), now)
        self.erl.setCurrentIndex(self.erl.findData(now))
        self.erl.blockSignals(False)

    def _try(self, call: Callable[[], object]) -> bool:
        try:
            call()
        except Failure as fault:
            self.fault.setText(texts.homely(f"{fault.title}. {fault.hint}".strip()))
            self.fault.show()
            return False
        self.fault.hide()
        return True

    @staticmethod
    def _choice(
        name: str, values: tuple[tuple[str, str], ...], now: str, then: Callable[[str], object]
    ) -> parts.Combo:
        made = parts.Combo(name)
        for value, text in values:
            made.addItem(text, value)
        made.setMinimumWidth(240)
        made.setCurrentIndex(made.findData(now))
        made.currentIndexChanged.connect(lambda _index: then(made.currentData()))
        return made


def _box(text: str, then: Callable[[bool], object], *, on: bool) -> parts.Check:
    made = parts.Check(text)
    made.setAccessibleName(text)
    made.setChecked(on)
    made.toggled.connect(then)
    return made


def _starts_at_login() -> bool:
    from spyglass import desktop  # noqa: PLC0415 - not before it is wanted

    return desktop.starts_at_login()
