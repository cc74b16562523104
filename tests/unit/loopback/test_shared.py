"""One helper for all connections: who is asked, how often, and what becomes of a no."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from spyglass.errors import Cancelled, Denied, Failure, Missing
from spyglass.loopback.shared import Share, Shared
from spyglass.remote.base import Stop

GOOD = """
import sys
print("hello spyglass-loopback 1", flush=True)
for line in sys.stdin:
    word, _, address = line.strip().partition(" ")
    if word == "del" and address == "10.0.0.66":
        print("gone 10.0.0.7 a network has it", flush=True)
    print("ok", line.strip(), file=sys.stderr, flush=True)
    print("ok", address, flush=True)
"""


@dataclass
class Person:
    """Answers, and counts how often the system's own dialog came up."""

    answer: Any = True
    asked: list[Any] = field(default_factory=list)
    started: int = 0
    program: str = GOOD

    def ask(self, question: Any) -> Any:
        self.asked.append(question)
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer

    def command(self) -> list[str]:
        return [sys.executable, "-c", self.program]


@pytest.fixture
def person() -> Person:
    return Person()


@pytest.fixture
def shared(person: Person) -> Iterator[Shared]:
    made = Shared(person.command)
    yield made
    made.close()


def part(shared: Shared, person: Person, told: list[tuple[str, str]] | None = None) -> Share:
    heard = [] if told is None else told
    return shared.share(person.ask, Stop(), lambda *gone: heard.append(gone))


def test_a_person_is_asked_once_for_all_connections_before_the_system_asks(
    shared: Shared, person: Person
) -> None:
    first, second = part(shared, person), part(shared, person)
    first.add("10.0.0.7")
    second.add("10.0.0.8")
    first.close()
    second.add("10.0.0.9")

    (question,) = person.asked
    assert "10.0.0.7" in question.title
    for word in ("administrator", "password next", "/usr/libexec/spyglass/spyglass-loopback", "disconnect"):
        assert word in question.text


def test_a_no_holds_for_all_until_somebody_wants_another_try(shared: Shared, person: Person) -> None:
    person.answer = False
    for _ in range(2):
        with pytest.raises(Denied, match="you did not want it"):
            part(shared, person).add("10.0.0.7")
    assert len(person.asked) == 1
    person.answer = True
    shared.again()
    part(shared, person).add("10.0.0.7")


@pytest.mark.parametrize(("status", "why"), [(126, "dismissed"), (127, "not allowed to start")])
def test_so_does_a_no_to_the_systems_own_question(
    shared: Shared, person: Person, status: int, why: str
) -> None:
    person.program = f"raise SystemExit({status})"
    for _ in range(2):
        with pytest.raises(Failure, match=why):
            part(shared, person).add("10.0.0.7")
    assert len(person.asked) == 1


def test_a_question_that_was_taken_back_is_no_answer(shared: Shared, person: Person) -> None:
    person.answer = Cancelled()
    with pytest.raises(Cancelled):
        part(shared, person).add("10.0.0.7")
    person.answer = True
    part(shared, person).add("10.0.0.7")


def test_where_there_is_no_helper_nobody_is_asked(person: Person) -> None:
    def command() -> list[str]:
        raise Missing("The helper is not installed")

    with pytest.raises(Missing):
        part(Shared(command), person).add("10.0.0.7")
    assert not person.asked


def test_whoever_disconnects_while_the_system_asks_does_not_wait_for_it(
    shared: Shared, person: Person
) -> None:
    person.program = "import time; time.sleep(60)"
    stop = Stop()
    share = shared.share(person.ask, stop, lambda *_: None)
    timer = threading.Timer(0.3, stop.set)
    timer.start()
    with pytest.raises(Cancelled):
        share.add("10.0.0.7")
    timer.join()
    person.program = GOOD
    part(shared, person).add("10.0.0.7")


def test_one_who_waits_for_anothers_question_can_leave(shared: Shared, person: Person) -> None:
    stop = Stop()
    stop.set()
    with shared._my_turn(Stop()), pytest.raises(Cancelled):
        shared.share(person.ask, stop, lambda *_: None).add("10.0.0.7")


@pytest.mark.warns("an address is given up")
def test_whose_address_was_given_up_hears_it_and_nobody_else(shared: Shared, person: Person) -> None:
    mine: list[tuple[str, str]] = []
    others: list[tuple[str, str]] = []
    first, second = part(shared, person, mine), part(shared, person, others)
    first.add("10.0.0.7")
    second.add("10.0.0.66")
    second.close()

    assert mine == [("10.0.0.7", "a network has it")]
    assert not others


def test_only_what_is_ones_own_is_taken_away(
    shared: Shared, person: Person, capfd: pytest.CaptureFixture[str]
) -> None:
    first, second = part(shared, person), part(shared, person)
    first.add("10.0.0.7")
    second.add("10.0.0.8")
    second.remove("10.0.0.7")
    first.close()
    shared.close()

    assert capfd.readouterr().err.splitlines() == ["ok add 10.0.0.7", "ok add 10.0.0.8", "ok del 10.0.0.7"]
