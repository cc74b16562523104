from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from spyglass.errors import Cancelled, Denied, Failure, Lost, NeedsAnswer
from spyglass.log import redact
from spyglass.questions import Question, Secret
from spyglass.remote import auth
from spyglass.remote.base import Stop
from spyglass.remote.keyfiles import public_key
from spyglass.remote.sshconfig import Settings
from support.authserver import Doorman, door
from support.sshd_auth import new_key

KEY, ASKED, PASSWORD = ("publickey",), ("keyboard-interactive",), ("password",)


class Person:
    """Answers questions in this order, and remembers them."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.asked: list[Secret] = []

    def __call__(self, question: Question) -> Any:
        assert isinstance(question, Secret)
        self.asked.append(question)
        if not self.answers:
            raise NeedsAnswer("nobody to ask")
        return self.answers.pop(0)


class Kept:
    """Secrets of earlier times."""

    def __init__(self, **kept: str) -> None:
        self.kept = kept
        self.told: list[tuple[str, str, str]] = []

    def get(self, kind: str, subject: str) -> str | None:
        return self.kept.get(kind)

    def put(self, kind: str, subject: str, value: str) -> None:
        self.told.append((kind, subject, value))


def settings(**more: Any) -> Settings:
    return Settings(alias="web", hostname="127.0.0.1", user="bob", **more)


def login(
    doorman: Doorman,
    ask: Callable[[Question], Any],
    *,
    kept: Kept | None = None,
    stop: Stop | None = None,
    **more: Any,
) -> str:
    with door(doorman) as transport:
        return auth.authenticate(transport, settings(**more), ask, stop or Stop(), secrets=kept)


def test_password() -> None:
    person = Person("right")
    assert login(Doorman([PASSWORD]), person) == "password"
    assert person.asked == [Secret("password", "bob@web")]


def test_wrong_password_is_asked_again() -> None:
    person = Person("wrong", "right")
    assert login(Doorman([PASSWORD]), person) == "password"
    assert [question.again for question in person.asked] == [False, True]


def test_three_wrong_passwords_are_a_refusal_that_says_what_was_tried() -> None:
    person = Person("a", "b", "c", "right")
    with pytest.raises(Denied) as caught:
        login(Doorman([PASSWORD]), person)
    assert caught.value.title == "web refused bob"
    assert caught.value.hint == "Tried: password. The server accepts: password."
    assert len(person.asked) == 3


def test_server_that_lets_anyone_in() -> None:
    assert login(Doorman([("none", "password")]), Person()) == "no password"


def test_nothing_in_common_is_a_refusal() -> None:
    with pytest.raises(Denied) as caught:
        login(Doorman([PASSWORD]), Person(), methods=KEY)
    assert caught.value.hint == "Tried: nothing. The server accepts: password."


def test_expired_password_is_told_apart() -> None:
    with pytest.raises(Denied) as caught:
        login(Doorman([PASSWORD], expired="old"), Person("old"))
    assert caught.value.code == "password-expired"
    assert caught.value.title == "The password of bob on web has expired"
    assert "ssh bob@web" in caught.value.hint


def test_questions_come_in_the_words_of_the_server() -> None:
    person = Person("right", "123")
    doorman = Doorman(
        [ASKED],
        rounds=[[("Password: ", False), ("Code: ", True)]],
        answers=["right", "123"],
        title="Two \x1b[31mfactors",
        instructions="Look at your token.",
    )
    assert login(doorman, person) == "keyboard-interactive"
    assert person.asked == [
        Secret("keyboard-interactive", "bob@web", "Two [31mfactors\nLook at your token.\nPassword:"),
        Secret("keyboard-interactive", "bob@web", "Code:", echo=True),
    ]


def test_questions_may_come_in_rounds_and_rounds_may_be_empty() -> None:
    person = Person("right", "123")
    doorman = Doorman(
        [ASKED], rounds=[[("Password", False)], [], [("Code", False)]], answers=["right", "", "123"]
    )
    assert login(doorman, person) == "keyboard-interactive"


def test_wrong_answers_are_asked_again_then_the_next_way_is_tried() -> None:
    person = Person("a", "b", "c", "right")
    assert login(Doorman([ASKED + PASSWORD], answers=["never"]), person) == "password"
    assert [(question.kind, question.again) for question in person.asked] == [
        ("keyboard-interactive", False),
        ("keyboard-interactive", True),
        ("keyboard-interactive", True),
        ("password", False),
    ]


def test_order_is_the_one_of_the_configuration() -> None:
    doorman = Doorman([ASKED + PASSWORD])
    assert login(doorman, Person("right"), methods=("password", "keyboard-interactive")) == "password"


def test_key_file_comes_before_questions(tmp_path: Path) -> None:
    key = new_key(tmp_path / "id")
    doorman = Doorman(keys=[public_key(Path(f"{key}.pub"))])
    assert login(doorman, Person(), identity_files=(key,), home=tmp_path) == "key ~/id"


def test_two_factors(tmp_path: Path) -> None:
    key = new_key(tmp_path / "id")
    doorman = Doorman([KEY, PASSWORD], keys=[public_key(Path(f"{key}.pub"))])
    assert login(doorman, Person("right"), identity_files=(key,)) == f"key {key} and password"


def test_second_factor_refused_says_how_far_it_went(tmp_path: Path) -> None:
    key = new_key(tmp_path / "id")
    doorman = Doorman([KEY, PASSWORD], keys=[public_key(Path(f"{key}.pub"))])
    with pytest.raises(Denied) as caught:
        login(doorman, Person("a", "b", "c"), identity_files=(key,), home=tmp_path)
    assert caught.value.hint == (
        "Tried: key ~/id, password. The server accepts: password. It took key ~/id, but wants something more."
    )


def test_kept_password_is_used_before_asking() -> None:
    kept = Kept(password="right")
    assert login(Doorman([PASSWORD]), Person(), kept=kept) == "password"
    assert kept.told == [("password", "bob@web", "right")]


def test_kept_password_that_is_wrong_is_used_once_then_asked() -> None:
    kept, person = Kept(password="stale"), Person("right")
    doorman = Doorman([PASSWORD])
    assert login(doorman, person, kept=kept) == "password"
    assert [shown for _, shown in doorman.seen] == ["stale", "right"]
    assert person.asked == [Secret("password", "bob@web", again=True)]
    assert kept.told == [("password", "bob@web", "right")]


def test_kept_password_answers_a_question_for_the_password() -> None:
    kept = Kept(password="right")
    assert login(Doorman([ASKED]), Person(), kept=kept) == "keyboard-interactive"
    assert kept.told == [("password", "bob@web", "right")]


def test_kept_password_is_no_one_time_code() -> None:
    kept, person = Kept(password="secret"), Person("123456")
    doorman = Doorman([ASKED], rounds=[[("Verification code: ", False)]], answers=["123456"])
    assert login(doorman, person, kept=kept) == "keyboard-interactive"
    assert kept.told == []


def test_wrong_password_is_not_kept() -> None:
    kept = Kept()
    with pytest.raises(NeedsAnswer):
        login(Doorman([PASSWORD]), Person("wrong"), kept=kept)
    assert kept.told == []


def test_secrets_never_reach_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    login(Doorman([PASSWORD], password="geheim77"), Person("geheim77"))
    assert redact("it was geheim77") == "it was •••"
    assert "geheim77" not in caplog.text


def test_nobody_to_ask_is_told_as_such() -> None:
    with pytest.raises(NeedsAnswer):
        login(Doorman([PASSWORD]), Person())


def test_stop_ends_the_wait_for_the_server() -> None:
    stop, busy, ended = Stop(), threading.Event(), []
    doorman = Doorman([PASSWORD], busy=busy)
    with door(doorman) as transport:

        def work() -> None:
            try:
                auth.authenticate(transport, settings(), Person("right"), stop)
            except BaseException as error:  # noqa: BLE001 - whatever it is, the test looks at it
                ended.append(type(error))

        worker = threading.Thread(target=work)
        worker.start()
        assert doorman.arrived.wait(10)
        stop.set()
        worker.join(1)
        assert ended == [Cancelled]
        busy.set()


def test_stop_while_a_person_is_asked() -> None:
    stop = Stop()

    def ask(question: Question) -> Any:
        stop.set()
        stop.check()

    with pytest.raises(Cancelled):
        login(Doorman([PASSWORD]), ask, stop=stop)


def test_connection_that_breaks_is_lost_and_worth_another_try() -> None:
    with door(Doorman([PASSWORD])) as transport:

        def ask(question: Question) -> Any:
            transport.cut()
            return "right"

        with pytest.raises(Lost) as caught:
            auth.authenticate(transport, settings(), ask, Stop())
    assert caught.value.title == "web closed the connection during the login"
    assert caught.value.retry


def test_server_that_does_not_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spyglass.remote.userauth.TIMEOUT", 0.3)
    busy = threading.Event()
    with door(Doorman([PASSWORD], busy=busy)) as transport:
        with pytest.raises(Failure, match="does not answer") as caught:
            auth.authenticate(transport, settings(), Person("right"), Stop())
        busy.set()
    assert caught.value.retry


def test_dead_agent_is_as_good_as_none(tmp_path: Path) -> None:
    assert login(Doorman(), Person("right"), identity_agent=str(tmp_path / "none")) == "keyboard-interactive"


def test_key_files_that_can_not_be_used_are_explained(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello")
    (tmp_path / "open").write_text("-----BEGIN RSA PRIVATE KEY-----\n")
    (tmp_path / "broken").write_text("-----BEGIN RSA PRIVATE KEY-----\nx\n")
    for file, mode in (("text", 0o600), ("open", 0o644), ("broken", 0o600)):
        (tmp_path / file).chmod(mode)
    files = tuple(tmp_path / name for name in ("text", "open", "broken", "missing"))
    with pytest.raises(Denied) as caught:
        login(Doorman([KEY]), Person(), identity_files=files, home=tmp_path)
    assert caught.value.hint == (
        "Tried: key ~/broken (it is not a private key that can be read). The server accepts: publickey. "
        "~/text: it is not a private key. ~/open: others may read it; take that away with chmod 600."
    )
