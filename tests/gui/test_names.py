"""Every dialog without eyes and without a mouse: each control has a name, and Tab comes to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QComboBox,
    QDialog,
    QLineEdit,
    QPlainTextEdit,
    QWidget,
)

from spyglass.profile import TLS, ContainerHop, EngineHop, KubernetesHop, Profile, SSHHop
from spyglass.questions import Choice, Consent, HostKey, Secret
from spyglass.ui import questions
from spyglass.ui.about import AboutDialog, KeysDialog
from spyglass.ui.crash import CrashDialog
from spyglass.ui.preferences import Preferences
from spyglass.ui.preferred import Preferred
from spyglass.ui.profile_editor import ProfileEditor
from spyglass.ui.wizard import Wizard
from support import fake_hub as fake

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from spyglass.ui.window import MainWindow

KINDS = (QAbstractButton, QAbstractItemView, QComboBox, QLineEdit, QPlainTextEdit)
EVERY = Profile(
    name="Every",
    hops=(SSHHop("bastion"), EngineHop("tcp://10.0.0.7:2375"), ContainerHop("web"), KubernetesHop("shop")),
    tls=TLS("~/ca.pem"),
    alias="127.0.0.2",
)


def editor(_window: MainWindow) -> QDialog:
    made = ProfileEditor(EVERY, fake.PROFILES, lambda _p: None, visit=lambda *_: iter(()))
    made.trial.show()
    return made


def folded(_window: MainWindow) -> QDialog:
    return ProfileEditor(Profile(name="Folded"), fake.PROFILES, lambda _p: None)


def asked(question: object) -> Callable[[MainWindow], QDialog]:
    return lambda _window: questions.dialog_for(question, "Shop EU")  # type: ignore[arg-type]


DIALOGS: dict[str, Callable[[MainWindow], QDialog]] = {
    "editor": editor,
    "editor, folded": folded,
    "wizard": lambda window: Wizard(window, Preferred(None), lambda: None),  # type: ignore[arg-type,return-value]
    "preferences": lambda _window: Preferences(Preferred(None)),
    "about": lambda _window: AboutDialog(),
    "keys": lambda window: KeysDialog(window.commands.shortcuts()),
    "crash": lambda _window: CrashDialog("what happened", lambda _text: None),
    "host key": asked(HostKey("prod", "ssh-ed25519", "SHA256:abc", "~/.ssh/known_hosts")),
    "password": asked(Secret("password", "deploy@prod", keep=("keyring", "run", "ask"))),
    "code": asked(Secret("keyboard-interactive", "deploy@prod", prompt="Code: ", echo=True)),
    "choice": asked(Choice("Which node?", ("a@h", "b@h"), ("web", "jobs"))),
    "consent": asked(Consent("Lend it?", "Two modules.", "Lend and observe")),
}


@pytest.fixture(params=DIALOGS.values(), ids=DIALOGS)
def dialog(request: pytest.FixtureRequest, window: MainWindow, qtbot: QtBot) -> QDialog:
    made: QDialog = request.param(window)
    made.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(made)
    made.show()
    qtbot.waitActive(made)
    return made


def controls(dialog: QDialog) -> list[QWidget]:
    """What a person can act on or type into; a field inside a choice is a part of the choice."""
    found = [widget for kind in KINDS for widget in dialog.findChildren(kind) if widget.isVisible()]
    return [w for w in found if w.isEnabled() and not isinstance(w.parentWidget(), QComboBox)]


def said(widget: QWidget) -> str:
    """What a screen reader says it is."""
    return QAccessible.queryAccessibleInterface(widget).text(QAccessible.Text.Name)


def test_every_control_of_a_dialog_has_a_name(dialog: QDialog) -> None:
    assert [widget for widget in controls(dialog) if not said(widget)] == []


def test_tab_comes_to_every_control_of_a_dialog(dialog: QDialog) -> None:
    seen: set[QWidget] = set()
    while (focused := QApplication.focusWidget()) and focused not in seen:
        seen.add(focused)
        QTest.keyClick(focused, Qt.Key.Key_Tab)
    wanted = {w for w in controls(dialog) if w.focusPolicy() & Qt.FocusPolicy.TabFocus}
    reached = seen | {widget.parentWidget() for widget in seen}
    assert wanted - reached == set()
