from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QLineEdit, QPushButton

from spyglass.errors import Cancelled
from spyglass.keeping import PLACES
from spyglass.questions import Choice, Consent, HostKey, Question, Secret, Typed
from spyglass.status import Phase, Status
from spyglass.ui.bridge import QuestionDesk
from spyglass.ui.window import MainWindow
from support import fake_hub as fake

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

KEY = HostKey("deploy@prod", "ssh-ed25519", "SHA256:abc", "/home/me/.ssh/known_hosts")
PASSWORD = Secret("password", "deploy@prod")
CODE = Secret("keyboard-interactive", "prod", "Code from your phone: ", echo=True)
CHOICE = Choice("Which node?", ("a@h", "b@h"), ("web", "jobs"))
LEND = Consent("Lend modules?", "For a while.", "Lend")


class Asker(threading.Thread):
    """A worker that asks."""

    def __init__(self, desk: QuestionDesk, question: Question, profile_id: str = fake.SHOP.id) -> None:
        super().__init__()
        self._desk, self._question, self._profile_id = desk, question, profile_id
        self.answer: Any = None
        self.start()

    def run(self) -> None:
        try:
            self.answer = self._desk.ask(self._profile_id, self._question)
        except Cancelled:
            self.answer = Cancelled

    def result(self, qtbot: QtBot) -> Any:
        qtbot.waitUntil(lambda: not self.is_alive())
        self.join()
        return self.answer


@pytest.fixture
def ask(window: MainWindow, desk: QuestionDesk, qtbot: QtBot) -> Iterator[Callable[..., tuple[Asker, Any]]]:
    askers: list[Asker] = []

    def start(question: Question, profile_id: str = fake.SHOP.id) -> tuple[Asker, Any]:
        askers.append(Asker(desk, question, profile_id))
        qtbot.waitUntil(lambda: window.questions.dialog is not None)
        return askers[-1], window.questions.dialog

    yield start
    desk.withdraw()
    for asker in askers:
        asker.join(5)


def press(dialog: Any, text: str) -> None:
    next(b for b in dialog.findChildren(QPushButton) if b.text() == text).click()


@pytest.mark.parametrize(
    ("button", "answer"),
    [("Connect once", "once"), ("Remember and connect", "remember"), ("Cancel", Cancelled)],
)
def test_an_unknown_host_key(
    ask: Callable[..., tuple[Asker, Any]], qtbot: QtBot, button: str, answer: object
) -> None:
    asker, dialog = ask(KEY)
    assert dialog.findChild(QLineEdit).text() == "SHA256:abc"
    press(dialog, button)
    assert asker.result(qtbot) == answer


def test_a_password_is_hidden_goes_with_enter_and_leaves_nothing_behind(
    ask: Callable[..., tuple[Asker, Any]], qtbot: QtBot
) -> None:
    asker, dialog = ask(PASSWORD)
    field = dialog.field
    assert field.echoMode() is QLineEdit.EchoMode.Password
    QTest.keyClicks(field, "s3cret!")
    left: list[str] = []
    dialog.finished.connect(lambda: left.append(field.text()))
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert asker.result(qtbot) == "s3cret!"
    assert left == [""]


@pytest.mark.parametrize("place", PLACES)
def test_where_it_is_kept_is_the_persons_choice(
    ask: Callable[..., tuple[Asker, Any]], qtbot: QtBot, place: Any
) -> None:
    asker, dialog = ask(replace(PASSWORD, keep=PLACES, usual="ask"))
    assert dialog.keep.currentData() == "ask"
    dialog.keep.setCurrentIndex(dialog.keep.findData(place))
    QTest.keyClicks(dialog.field, "s3cret!")
    QTest.keyClick(dialog.field, Qt.Key.Key_Return)
    assert asker.result(qtbot) == Typed("s3cret!", place)


def test_without_a_keyring_the_reason_stands_in_the_dialog(
    ask: Callable[..., tuple[Asker, Any]], qtbot: QtBot
) -> None:
    asker, dialog = ask(replace(PASSWORD, keep=PLACES[1:], why_not="The system's keyring is locked."))
    assert [dialog.keep.itemData(row) for row in range(dialog.keep.count())] == ["run", "ask"]
    assert "The system's keyring is locked." in [each.text() for each in dialog.findChildren(QLabel)]
    press(dialog, "Cancel")
    assert asker.result(qtbot) is Cancelled


def test_a_code_is_asked_in_the_servers_words_and_may_be_seen(
    ask: Callable[..., tuple[Asker, Any]], qtbot: QtBot
) -> None:
    asker, dialog = ask(CODE)
    assert dialog.field.echoMode() is QLineEdit.EchoMode.Normal
    assert dialog.field.accessibleName() == "Code from your phone:"
    dialog.field.setText("123456")
    press(dialog, "Continue")
    assert asker.result(qtbot) == "123456"


def test_an_empty_password_is_an_answer(ask: Callable[..., tuple[Asker, Any]], qtbot: QtBot) -> None:
    asker, dialog = ask(PASSWORD)
    press(dialog, "Continue")
    assert asker.result(qtbot) == ""


def test_a_choice(ask: Callable[..., tuple[Asker, Any]], qtbot: QtBot) -> None:
    asker, dialog = ask(CHOICE)
    dialog.list.setCurrentRow(1)
    press(dialog, "Choose")
    assert asker.result(qtbot) == "b@h"


@pytest.mark.parametrize(("button", "answer"), [("Lend", True), ("Cancel", False)])
def test_consent_is_yes_or_no(
    ask: Callable[..., tuple[Asker, Any]], qtbot: QtBot, button: str, answer: bool
) -> None:
    asker, dialog = ask(LEND)
    press(dialog, button)
    assert asker.result(qtbot) is answer


def test_enter_trusts_no_key(ask: Callable[..., tuple[Asker, Any]], qtbot: QtBot) -> None:
    asker, dialog = ask(KEY)
    QTest.keyClick(dialog, Qt.Key.Key_Return)
    QTest.keyClick(dialog.findChild(QLineEdit), Qt.Key.Key_Return)
    assert dialog.isVisible()
    press(dialog, "Cancel")
    assert asker.result(qtbot) is Cancelled


@pytest.mark.parametrize("question", [KEY, PASSWORD, CODE, CHOICE], ids=["key", "password", "code", "choice"])
def test_escape_takes_the_question_back(
    ask: Callable[..., tuple[Asker, Any]], qtbot: QtBot, question: Question
) -> None:
    asker, dialog = ask(question)
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert asker.result(qtbot) is Cancelled


def test_the_dialog_says_which_connection_asks(ask: Callable[..., tuple[Asker, Any]], qtbot: QtBot) -> None:
    asker, dialog = ask(PASSWORD)
    assert dialog.windowTitle() == "Shop EU – Spyglass"
    press(dialog, "Cancel")
    asker.result(qtbot)


def test_questions_come_one_after_the_other(
    ask: Callable[..., tuple[Asker, Any]], window: MainWindow, desk: QuestionDesk, qtbot: QtBot
) -> None:
    first, dialog = ask(PASSWORD)
    second = Asker(desk, LEND, fake.BILLING.id)
    qtbot.waitUntil(lambda: len(desk.pending()) == 2)
    assert window.questions.dialog is dialog
    press(dialog, "Cancel")
    qtbot.waitUntil(lambda: window.questions.dialog not in {None, dialog})
    press(window.questions.dialog, "Lend")
    assert first.result(qtbot) is Cancelled
    assert second.result(qtbot) is True


def test_cancelling_the_connection_takes_its_question_back(
    ask: Callable[..., tuple[Asker, Any]], window: MainWindow, hub: fake.FakeHub, qtbot: QtBot
) -> None:
    asker, _dialog = ask(PASSWORD, fake.STAGING.id)
    window.sidebar.choose(fake.STAGING.id)
    window.page.header.primary.click()
    assert asker.result(qtbot) is Cancelled
    qtbot.waitUntil(lambda: window.questions.dialog is None)
    assert hub.calls == [("disconnect", fake.STAGING.id)]


def test_a_connection_that_ends_by_itself_takes_its_question_back(
    ask: Callable[..., tuple[Asker, Any]], window: MainWindow, hub: fake.FakeHub, qtbot: QtBot
) -> None:
    asker, _dialog = ask(PASSWORD)
    hub.publish(Status(fake.SHOP.id, Phase.CLOSING))
    assert asker.result(qtbot) is Cancelled
    qtbot.waitUntil(lambda: window.questions.dialog is None)


def test_closing_the_window_takes_everything_back(
    ask: Callable[..., tuple[Asker, Any]], window: MainWindow, qtbot: QtBot
) -> None:
    asker, _dialog = ask(PASSWORD)
    window.close()
    assert asker.result(qtbot) is Cancelled


@pytest.mark.parametrize(
    "question", [LEND, Consent("Remove?", "For good.", "Remove", danger=True)], ids=["mild", "dangerous"]
)
def test_enter_never_does_what_is_dangerous(
    ask: Callable[..., tuple[Asker, Any]], qtbot: QtBot, question: Consent
) -> None:
    asker, dialog = ask(question)
    QTest.keyClick(dialog, Qt.Key.Key_Return)
    assert asker.result(qtbot) is not question.danger
