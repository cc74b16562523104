from __future__ import annotations

from pathlib import Path

import pytest

from spyglass.erlang import refusals
from spyglass.erlang.node import arguments
from spyglass.erlang.process import Refused
from spyglass.erlang.slots import Slot
from spyglass.errors import BadInput, Failure, Lost, Missing, Unreachable

SLOT = Slot("0123abcd", 3)


def test_the_vm_is_hidden_deaf_and_knows_no_epmd() -> None:
    words = " ".join(arguments(SLOT, Path("/ebin")))
    for flag in (
        "-hidden",
        "-dist_listen false",
        "-start_epmd false",
        "-epmd_module spyglass_epmd",
        "-name spyglass_0123abcd_3@127.0.0.1",
        "-kernel dist_auto_connect never",
        "-kernel prevent_overlapping_partitions false",
    ):
        assert flag in words


def test_the_cookie_on_the_command_line_is_a_new_dummy_each_time() -> None:
    dummies = {arguments(SLOT, Path("/ebin"))[-1] for _ in range(3)}
    assert len(dummies) == 3


@pytest.mark.parametrize(
    ("code", "kind", "retry"),
    [
        ("not_connected", Unreachable, True),
        ("nodedown", Lost, True),
        ("timeout", Failure, True),
        ("failed_there", Failure, False),
        ("bad_term", BadInput, False),
        ("too_new", Missing, False),
        ("no_display", Missing, False),
        ("something_else", Failure, False),
    ],
)
def test_every_refusal_becomes_a_failure_with_a_hint(code: str, kind: type[Failure], retry: bool) -> None:
    failure = refusals.explained(Refused(code, "29 25"), "a@b")
    assert type(failure) is kind
    assert failure.retry is retry
    assert failure.title
    assert failure.hint


def test_a_local_erlang_that_is_too_new_to_lend_says_what_to_do() -> None:
    failure = refusals.explained(Refused("too_new", "29 25"), "app@web-1")
    assert "Erlang 29" in failure.title
    assert ":runtime_tools" in failure.hint
    assert "extra_applications" in failure.hint
    assert "Erlang 25 or older" in failure.hint
