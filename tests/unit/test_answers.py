from typing import Any

import pytest

from spyglass.answers import Answers
from spyglass.errors import Cancelled
from spyglass.questions import Consent, HostKey, Secret

LEND = Consent("shop@h has no runtime_tools", "Two modules are lent.", "Lend")


class Person:
    """Answers from a list, and counts the questions."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[Any] = []

    def ask(self, question: Any) -> Any:
        self.asked.append(question)
        if not self.answers:
            raise Cancelled
        return self.answers.pop(0)


def test_what_was_agreed_is_not_asked_again() -> None:
    person = Person(True)
    answers = Answers(person.ask)
    assert answers.ask(LEND)
    assert answers.ask(LEND)
    assert person.asked == [LEND]


def test_a_no_is_not_kept() -> None:
    person = Person(False, True)
    answers = Answers(person.ask)
    assert not answers.ask(LEND)
    assert answers.ask(LEND)


def test_a_host_key_and_a_code_are_asked_each_time() -> None:
    code = Secret("keyboard-interactive", "deploy@prod", prompt="Code:")
    person = Person("once", "once", "123", "456")
    answers = Answers(person.ask)
    key = HostKey("prod", "ssh-ed25519", "SHA256:x")
    assert [answers.ask(key), answers.ask(key)] == ["once", "once"]
    assert [answers.ask(code), answers.ask(code)] == ["123", "456"]


def test_taking_a_question_back_keeps_nothing() -> None:
    answers = Answers(Person().ask)
    with pytest.raises(Cancelled):
        answers.ask(LEND)
    assert repr(answers) == "<Answers: 0 kept>"
