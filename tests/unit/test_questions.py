"""What is asked, as data."""

from __future__ import annotations

import dataclasses
from typing import get_args

import pytest

from spyglass.questions import Choice, Consent, HostKey, Question, Secret, Typed

ASKED: list[Question] = [
    HostKey("prod", "ssh-ed25519", "SHA256:abc"),
    Secret("password", "deploy@prod"),
    Choice("Which node", ("a@x", "b@x")),
    Consent("Lend two modules", "They are taken back.", "Lend"),
]


def test_every_kind_of_question_is_covered_here() -> None:
    assert {type(one) for one in ASKED} == set(get_args(Question))


@pytest.mark.parametrize("question", ASKED, ids=lambda one: type(one).__name__)
def test_a_question_cannot_change_while_it_waits(question: Question) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(question, dataclasses.fields(question)[0].name, "other")


@pytest.mark.parametrize("question", ASKED, ids=lambda one: type(one).__name__)
def test_equal_questions_are_one_so_that_nobody_is_asked_twice(question: Question) -> None:
    assert len({question, dataclasses.replace(question)}) == 1


def test_secrets_are_hidden_while_typing_unless_said_otherwise() -> None:
    assert not Secret("password", "x").echo
    assert not Consent("t", "x", "Do").danger


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        (Secret("password", "x"), "password"),
        (Secret("passphrase", "x"), "passphrase"),
        (Secret("cookie", "x"), "cookie"),
        (Secret("keyboard-interactive", "x", "(deploy@prod) Password: "), "password"),
        (Secret("keyboard-interactive", "x", "Password: ", echo=True), ""),
        (Secret("keyboard-interactive", "x", "New password: "), ""),
        (Secret("keyboard-interactive", "x", "Retype new password: "), ""),
        (Secret("keyboard-interactive", "x", "One-time password: "), ""),
        (Secret("keyboard-interactive", "x", "Verification code: "), ""),
    ],
)
def test_only_what_is_asked_for_again_may_be_kept(question: Secret, kind: str) -> None:
    assert question.lasting == kind


def test_a_typed_secret_does_not_show() -> None:
    assert repr(Typed("SECRET", "keyring")) == "Typed(keep='keyring')"
