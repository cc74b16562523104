"""The profile editor: says what is wrong while one types, and saves only what can work."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import msgspec
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QDialog, QFormLayout, QVBoxLayout, QWidget

from spyglass.errors import BadInput, Failure
from spyglass.profile import Profile, Selector, SSHHop, check
from spyglass.ui import parts, style, texts
from spyglass.ui.alias_editor import AliasEditor
from spyglass.ui.fields import RingNote, field
from spyglass.ui.fold import Fold
from spyglass.ui.hop_editor import HopEditor
from spyglass.ui.members_editor import MembersField
from spyglass.ui.observer_editor import ObserverEditor
from spyglass.ui.tls_editor import TLSEditor
from spyglass.ui.trial import Trial, Visit

if TYPE_CHECKING:
    from PySide6.QtGui import QShowEvent

_TRIAL = 204  # pixels that a test takes at least
_WIDE, _NOTE = 780, 24
_LEAST, _AROUND = 480, 60  # pixels of height: of the editor, and of a screen for what is around it
_COOKIES = (("auto", "found by Spyglass"), ("keyring", "from the system's keyring"), ("ask", "ask each time"))


class ProfileEditor(QDialog):
    """Edits one profile; ``save`` stores it and may raise Failure, which is shown here."""

    def __init__(
        self,
        profile: Profile,
        others: Iterable[Profile],
        save: Callable[[Profile], object],
        parent: QWidget | None = None,
        *,
        title: str = "Edit profile",
        visit: Visit | None = None,
    ) -> None:
        """``visit`` is the doctor's, for the button Test; without one there is no such button."""
        super().__init__(parent)
        others = list(others)
        self._profile = profile
        self._taken = {other.name.casefold() for other in others if not profile.id or other.id != profile.id}
        self._save = save
        self._refused: tuple[Profile, str] | None = None
        self.setObjectName("editor")
        self.setWindowTitle(f"{title} – Spyglass")
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self.name = field(profile.name, "Shop EU", "Name")
        self.group = parts.Combo("Group", editable=True)
        self.production = parts.Check("Production: in red, and asks before observing")
        self.autoconnect = parts.Check("Connect when Spyglass starts")
        self.hops = HopEditor(profile.hops)
        self.container = field(profile.select.container, "all containers, and the host itself", "Containers")
        self.node = field(profile.select.node, "all nodes", "Nodes")
        self.members = MembersField(profile.select)
        self.cookie = parts.Combo("Cookie")
        self.tls = TLSEditor(profile.tls)
        self.observer = ObserverEditor(profile.observer)
        self.own = AliasEditor(profile)
        self.reason = parts.label(role="dim")
        self.cancel = parts.button("Cancel", self.reject)
        self.ok = parts.button("Save", self._accept)
        self.trial = Trial(visit) if visit else None
        self.test = parts.button("Test", self._test)
        self.test.setVisible(bool(visit))
        self.ring = RingNote()
        self._fill(others)
        self._lay_out(title)
        self._listen()
        self.validate()

    def _fill(self, others: list[Profile]) -> None:
        self.group.addItems(sorted({other.group for other in others if other.group}))
        self.group.setCurrentText(self._profile.group)
        self.group.setPlaceholderText("none")
        for value, text in _COOKIES:
            self.cookie.addItem(text, value)
        self.cookie.setMinimumWidth(240)
        self.group.setMinimumWidth(240)
        self.cookie.setCurrentIndex(self.cookie.findData(self._profile.cookie))
        self.production.setChecked(self._profile.production)
        self.autoconnect.setChecked(self._profile.autoconnect)
        self.ok.setProperty("primary", True)
        self.ok.setDefault(True)
        self.reason.setWordWrap(True)
        self.reason.setMinimumHeight(self.reason.fontMetrics().height() * 2 + 4)
        self.reason.setAlignment(Qt.AlignmentFlag.AlignVCenter)

    def _lay_out(self, title: str) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 22, 24, 20)
        column.setSpacing(style.BLOCK)
        column.addWidget(parts.label(title, font=style.semibold(17 / 13)))
        self.fold = Fold(self._form())
        column.addWidget(self.fold, 3)
        if self.trial:
            self.trial.setMinimumHeight(_TRIAL - style.BLOCK)
            self.trial.ended.connect(self._tested)
            column.addWidget(self.trial, 2)
        bottom = parts.row(self.test, self.reason, self.cancel, self.ok, spacing=10)
        bottom.setStretch(1, 1)
        column.addLayout(bottom)
        self.resize(_WIDE, _LEAST)

    def showEvent(self, event: QShowEvent) -> None:
        """Qt: as high as the form is, as far as the screen goes; its height is known by now."""
        super().showEvent(event)
        if (column := self.layout()) and self.height() == _LEAST:
            rest = column.sizeHint().height() - self.fold.sizeHint().height()
            notes = _NOTE * len(self.hops.rows)  # which come when the hops are resolved
            room = self.screen().availableGeometry().height() - _AROUND
            wanted = rest + self.fold.needed(_WIDE - 48) + notes
            self.resize(_WIDE, max(_LEAST, min(wanted, room)))

    def _form(self) -> QFormLayout:
        form = QFormLayout()
        form.setContentsMargins(0, 0, 8, 0)
        form.setHorizontalSpacing(18)
        form.setVerticalSpacing(10)
        form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        for text, widget in (
            ("&Name", self.name),
            ("&Group", self.group),
            ("Way", self.hops),
            ("&Containers", self.container),
            ("N&odes", self.node),
            ("&Members", self.members),
            ("Coo&kie", self.cookie),
        ):
            form.addRow(text, widget)
            form.labelForField(widget).setFixedHeight(34)
        note = parts.label("Containers and nodes may be patterns: web-*, shop@*.", "dim", style.small())
        form.insertRow(5, "", note)
        form.insertRow(2, "", parts.row(self.production, self.autoconnect, 1, spacing=22))
        form.addRow("", self.ring)
        for text, part in (("T&LS", self.tls), ("O&bserver", self.observer), ("Own &tools", self.own)):
            form.addRow(text, part)
            form.labelForField(part).setFixedHeight(34)
        return form

    def _listen(self) -> None:
        for each in (self.name, self.container, self.node, self.members):
            each.textChanged.connect(self._edited)
        self.group.currentTextChanged.connect(self._edited)
        self.cookie.currentIndexChanged.connect(self._edited)
        self.hops.changed.connect(self._edited)
        for part in (self.tls, self.observer, self.own):
            part.changed.connect(self._edited)
        for box in (self.production, self.autoconnect):
            box.toggled.connect(self._edited)
        self.cookie.currentIndexChanged.connect(self._look_for_ring)
        self._look_for_ring()
        QTimer.singleShot(0, self.name, self.name.setFocus)

    def _look_for_ring(self) -> None:
        self.ring.follow(wanted=self.cookie.currentData() == "keyring")

    # -- trying it out ----------------------------------------------------------------

    def _test(self) -> None:
        if self.trial is None:
            return
        if self.trial.running:
            self.trial.cancel()
            return
        try:
            made = self._named()
        except BadInput:
            return
        self.test.setText("Stop test")
        self._make_room()
        self.trial.start(made)

    def _make_room(self) -> None:
        """Grow for the lines of the test, as far as the screen goes: the form stays to be seen."""
        if self.trial and self.trial.isHidden():
            room = self.screen().availableGeometry().height() - _AROUND
            self.resize(self.width(), max(self.height(), min(self.height() + _TRIAL, room)))

    def _tested(self) -> None:
        self.test.setText("Test")

    def _named(self) -> Profile:
        """The profile as written; to try it out it needs no name yet."""
        made = self._written()
        return check(msgspec.structs.replace(made, name=made.name or "test"))

    def done(self, result: int) -> None:
        """Qt: also the end of a test."""
        if self.trial:
            self.trial.cancel()
        super().done(result)

    # -- what is written --------------------------------------------------------------

    def profile(self) -> Profile:
        """The profile as written. Raises BadInput with the place."""
        return self._checked(self._written())

    def _written(self) -> Profile:
        return msgspec.structs.replace(
            self._profile,
            name=self.name.text().strip(),
            group=self.group.currentText().strip(),
            hops=self.hops.hops(),
            select=self.members.read(Selector(self.container.text().strip(), self.node.text().strip())),
            cookie=self.cookie.currentData(),
            autoconnect=self.autoconnect.isChecked(),
            production=self.production.isChecked(),
            **self.tls.fields(),
            **self.observer.fields(),
            **self.own.fields(),
        )

    def _checked(self, made: Profile) -> Profile:
        check(made)
        if made.name.casefold() in self._taken:
            raise BadInput(f"Another profile has the name {made.name}", "Choose another name.")
        try:  # the bounds of the fields (lengths, ports), which only decoding checks
            msgspec.convert(msgspec.to_builtins(made), Profile)
        except msgspec.ValidationError as fault:
            raise BadInput(f"A field is not usable: {fault}", "Shorten or correct it.") from fault
        return made

    def _edited(self) -> None:
        style.mark(self.reason, role="bad")  # before the first key it is a request, not a reproach
        self.validate()

    def validate(self) -> None:
        """Show what is wrong, if anything; only what is right can be saved."""
        self.test.setEnabled(self._can_go())
        self.members.mark()
        try:
            made = self.profile()
        except BadInput as fault:
            hint = "" if "`" in fault.hint else fault.hint  # names of fields in the file help nobody here
            self._say(f"{fault.title}. {hint}".strip())
            return
        refused = self._refused
        self._say(refused[1] if refused and refused[0] == made else "")

    def _can_go(self) -> bool:
        try:
            self._named()
        except BadInput:
            return False
        return True

    def _say(self, reason: str) -> None:
        self.reason.setText(texts.homely(reason.replace("`", "")))
        self.ok.setEnabled(not reason)
        self.ok.setToolTip(reason)
        untouched = not self.name.text() and not self._profile.name
        style.mark(
            self.name, wrong=bool(reason) and "name" in reason and "Hop" not in reason and not untouched
        )

    def _accept(self) -> None:
        try:
            made = self.profile()
            self._save(made)
        except BadInput as fault:
            self._refuse(fault)
        except Failure as fault:
            self._refuse(fault, again=True)
        else:
            self._profile = made
            self.accept()

    def _refuse(self, fault: Failure, *, again: bool = False) -> None:
        style.mark(self.reason, role="bad")
        text = f"{fault.title}. {fault.hint}"
        self._refused = None if again else (self.profile(), text)
        self._say(text)
        self.ok.setEnabled(again)  # a full disk may have room a moment later

    def result_profile(self) -> Profile:
        """What was saved."""
        return self._profile


def blank() -> Profile:
    """Where a new profile starts: one SSH server, not yet named."""
    return Profile(name="", hops=(SSHHop(host=""),))
