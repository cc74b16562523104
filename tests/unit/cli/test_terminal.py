import io
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from msgspec.structs import replace

from spyglass.cli import terminal
from spyglass.cli.terminal import Terminal, put, unanswered
from spyglass.errors import Cancelled, Failure, NeedsAnswer
from spyglass.questions import Choice, Consent, HostKey, Question, Secret, Typed
from spyglass.status import Phase, Problem, Status

KEY = HostKey("prod", "ssh-ed25519", "SHA256:abc", "~/.ssh/known_hosts")
QUESTIONS: list[Question] = [
    KEY,
    Secret("password", "deploy@prod"),
    Choice("Which node?", ("a@h", "b@h")),
    Consent("a@h has no runtime_tools", "Lending loads code.", "Lend and observe"),
]


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Any:
    def give(text: str) -> None:
        monkeypatch.setattr(sys, "stdin", io.StringIO(text))

    return give


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda q: type(q).__name__)
def test_batch_fails_with_what_would_have_been_asked(question: Question) -> None:
    with pytest.raises(NeedsAnswer) as failure:
        Terminal(batch=True).ask("id", question)
    assert failure.value.title == unanswered(question).title
    assert failure.value.hint


@pytest.mark.parametrize(
    ("keys", "answer"), [("o\n", "once"), ("remember\n", "remember"), ("x\nO\n", "once")]
)
def test_host_key_is_trusted_once_or_remembered(typed: Any, keys: str, answer: str, capsys: Any) -> None:
    typed(keys)
    assert put(KEY) == answer
    assert "SHA256:abc" in capsys.readouterr().err


def test_cancelling_a_host_key_cancels(typed: Any) -> None:
    typed("c\n")
    with pytest.raises(Cancelled):
        put(KEY)


def test_choice_is_by_number_and_asks_again(typed: Any) -> None:
    typed("7\nnone\n2\n")
    assert put(Choice("Which node?", ("a@h", "b@h"))) == "b@h"


def test_consent_is_yes_or_no(typed: Any) -> None:
    typed("y\n")
    assert put(Consent("t", "x", "Lend")) is True
    typed("n\n")
    assert put(Consent("t", "x", "Lend")) is False


def test_a_secret_is_typed_without_echo_and_a_code_with(
    typed: Any, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setattr(terminal.getpass, "getpass", lambda prompt, stream: f"hidden after {prompt}")
    assert put(Secret("password", "deploy@prod", again=True)) == "hidden after Password of deploy@prod: "
    assert "not right" in capsys.readouterr().err
    typed("123456\n")
    assert put(Secret("keyboard-interactive", "deploy@prod", prompt="Code: ", echo=True)) == "123456"


@pytest.mark.parametrize(("word", "keep"), [("y", "keyring"), ("n", "run")])
def test_the_keyring_is_offered_where_there_is_one(
    typed: Any, monkeypatch: pytest.MonkeyPatch, word: str, keep: Any
) -> None:
    monkeypatch.setattr(terminal.getpass, "getpass", lambda prompt, stream: "SECRET")
    typed(f"{word}\n")
    assert put(Secret("password", "deploy@prod", keep=("keyring", "run", "ask"))) == Typed("SECRET", keep)
    assert put(Secret("password", "deploy@prod", keep=("run", "ask"))) == "SECRET"


def test_a_worker_s_question_is_answered_by_the_main_thread(
    typed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terminal, "_can_ask", lambda: True)
    typed("o\n")
    desk = Terminal(batch=False)
    with ThreadPoolExecutor(1) as worker:
        answer = worker.submit(desk.ask, "id", KEY)
        answer.add_done_callback(lambda _f: desk.hear(Status("id", Phase.READY)))
        desk.until(lambda status: status.phase is Phase.READY)
        assert answer.result(5) == "once"


def test_agreeing_beforehand_answers_a_consent_and_nothing_else() -> None:
    desk = Terminal(batch=True, agrees=True)
    assert desk.ask("id", Consent("t", "x", "Lend")) is True
    for other in (KEY, Consent("t", "x", "go without TLS", danger=True)):
        with pytest.raises(NeedsAnswer):
            desk.ask("id", other)


def test_withdrawing_ends_the_wait_of_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "_can_ask", lambda: True)
    desk = Terminal(batch=False)
    with ThreadPoolExecutor(1) as worker:
        answer = worker.submit(desk.ask, "id", KEY)
        while not desk._asked:
            threading.Event().wait(0.001)
        desk.withdraw("id")
        with pytest.raises(Cancelled):
            answer.result(5)


def test_the_end_of_a_connection_is_raised_as_its_failure() -> None:
    desk = Terminal(batch=True)
    desk.hear(Status("id", Phase.CONNECTING))
    desk.hear(
        replace(Status("id", Phase.FAILED), problem=Problem("prod refused", "Check the key.", "denied"))
    )
    with pytest.raises(Failure, match="prod refused") as failure:
        desk.reach(lambda status: status.phase is Phase.READY)
    assert failure.value.hint == "Check the key."


def test_an_offline_connection_is_a_cancellation() -> None:
    desk = Terminal(batch=True)
    desk.hear(Status("id", Phase.OFFLINE))
    with pytest.raises(Cancelled):
        desk.reach(lambda status: status.phase is Phase.READY)
