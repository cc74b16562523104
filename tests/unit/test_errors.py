"""The one exception tree."""

from __future__ import annotations

import inspect

import pytest

from spyglass import errors
from spyglass.errors import Cancelled, Failure

KINDS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, Failure)]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_carries_a_title_a_hint_and_a_code(kind: type[Failure]) -> None:
    failure = kind("The link is gone", "Try again.")

    assert (failure.title, failure.hint, str(failure)) == (
        "The link is gone",
        "Try again.",
        "The link is gone",
    )
    assert failure.code == kind.code
    assert failure.retry is kind.retry


def test_codes_tell_the_kinds_apart() -> None:
    assert len({kind.code for kind in KINDS}) == len(KINDS)


@pytest.mark.parametrize(("kind", "retry"), [("Unreachable", True), ("Lost", True), ("Denied", False)])
def test_only_what_may_pass_by_itself_is_tried_again(kind: str, retry: bool) -> None:
    assert getattr(errors, kind)("x").retry is retry


def test_retry_and_code_can_be_set_for_one_failure_without_touching_its_kind() -> None:
    failure = Failure("x", retry=True, code="timeout")

    assert (failure.retry, failure.code) == (True, "timeout")
    assert (Failure.retry, Failure.code) == (False, "failed")


def test_the_repr_is_made_for_the_log() -> None:
    assert (
        repr(errors.Denied("The password was refused", "hint")) == "<Denied denied: The password was refused>"
    )


def test_a_changed_mind_is_no_failure() -> None:
    assert not issubclass(Cancelled, Failure)
