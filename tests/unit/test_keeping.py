from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from spyglass.errors import Cancelled, Failure
from spyglass.keeping import UNSAVED, Keeper
from spyglass.profile import Profile
from spyglass.questions import Consent, HostKey, Secret, Typed
from spyglass.remote.base import Stop
from spyglass.safe import WAITS, Safe
from support.fake_ring import FakeRing

LAB = Profile(name="lab", id="1" * 32)
PASSWORD = Secret("password", "deploy@prod")
COOKIE = Secret("cookie", "shop@h")
WHERE = ("password", "deploy@prod")
LOCKED = Failure("The system's keyring is locked", "Unlock it.", code="keyring-locked")


class Person:
    """Answers from a list, and notes what was asked."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[Any] = []

    def ask(self, question: Any) -> Any:
        self.asked.append(question)
        if not self.answers:
            raise Cancelled
        return self.answers.pop(0)


@pytest.fixture
def ring() -> Iterator[FakeRing]:
    made = FakeRing()
    yield made
    made.gate.set()


@pytest.fixture
def safe(ring: FakeRing) -> Safe:
    return Safe(lambda: ring)


def keeper(safe: Safe, person: Person, profile: Profile = LAB, *, saved: bool = True) -> Keeper:
    return Keeper(safe, profile, person.ask, Stop(), saved=saved)


def log_in(safe: Safe, person: Person, right: str, question: Secret = PASSWORD) -> str | None:
    """What a login does: the kept one, else the person's, until it is right."""
    one = keeper(safe, person)
    value = one.get(question.lasting, question.subject)
    if value != right:
        value = one.ask(replace(question, again=value is not None))
    if value == right:
        one.put(question.lasting, question.subject, right)
    return value


def test_what_goes_into_the_keyring_is_found_by_the_next_run(ring: FakeRing) -> None:
    assert log_in(Safe(lambda: ring), Person(Typed("SECRET", "keyring")), "SECRET") == "SECRET"
    assert ring.bundle(LAB.id, "ssh-password") == {"deploy@prod": "SECRET"}
    person = Person()
    assert log_in(Safe(lambda: ring), person, "SECRET") == "SECRET"
    assert person.asked == []


def test_no_host_is_in_the_name_of_an_entry(ring: FakeRing, safe: Safe) -> None:
    log_in(safe, Person(Typed("SECRET", "keyring")), "SECRET")
    assert list(ring.kept) == [(LAB.id, "ssh-password")]


def test_secrets_of_several_hosts_lie_side_by_side(ring: FakeRing, safe: Safe) -> None:
    log_in(safe, Person(Typed("SECRET", "keyring")), "SECRET")
    log_in(safe, Person(Typed("OTHER1", "keyring")), "OTHER1", Secret("password", "ops@bastion"))
    assert ring.bundle(LAB.id, "ssh-password") == {"deploy@prod": "SECRET", "ops@bastion": "OTHER1"}


@pytest.mark.parametrize("answer", ["SECRET", Typed("SECRET", "run")], ids=["a str", "run"])
def test_for_this_run_it_stays_in_memory_and_is_there_for_the_next_connection(
    ring: FakeRing, safe: Safe, answer: Any
) -> None:
    log_in(safe, Person(answer), "SECRET")
    assert ring.kept == {}
    assert keeper(safe, Person()).get(*WHERE) == "SECRET"
    assert keeper(Safe(lambda: ring), Person()).get(*WHERE) is None


def test_asked_each_time_means_that_only_the_same_connection_knows_it(safe: Safe) -> None:
    one = keeper(safe, Person(Typed("SECRET", "ask")))
    one.put(*WHERE, one.ask(PASSWORD))
    assert one.get(*WHERE) == "SECRET"
    assert keeper(safe, Person()).get(*WHERE) is None
    one.close()
    assert one.get(*WHERE) is None


def test_what_was_wrong_is_not_kept(ring: FakeRing, safe: Safe) -> None:
    keeper(safe, Person(Typed("WRONG1", "keyring"))).ask(PASSWORD)
    assert ring.kept == {}
    assert keeper(safe, Person()).get(*WHERE) is None


def test_a_stored_one_that_is_wrong_is_asked_anew_and_replaced(ring: FakeRing, safe: Safe) -> None:
    log_in(safe, Person(Typed("OLDONE", "keyring")), "OLDONE")
    person = Person(Typed("NEWONE", "keyring"))
    assert log_in(safe, person, "NEWONE") == "NEWONE"
    assert person.asked[0].usual == "keyring"
    assert ring.bundle(LAB.id, "ssh-password") == {"deploy@prod": "NEWONE"}


def test_it_leaves_the_keyring_when_the_person_wants_it_elsewhere(ring: FakeRing, safe: Safe) -> None:
    log_in(safe, Person(Typed("OLDONE", "keyring")), "OLDONE")
    log_in(safe, Person(Typed("NEWONE", "ask")), "NEWONE")
    assert ring.kept == {}


def test_the_choice_of_last_time_is_offered_first(safe: Safe) -> None:
    log_in(safe, Person(Typed("SECRET", "ask")), "SECRET")
    person = Person("SECRET")
    log_in(safe, person, "SECRET")
    assert (person.asked[0].keep, person.asked[0].usual) == (("keyring", "run", "ask"), "ask")


def test_a_profile_that_is_not_saved_has_no_place_in_the_keyring(ring: FakeRing, safe: Safe) -> None:
    person = Person(Typed("SECRET", "keyring"))
    one = keeper(safe, person, saved=False)
    one.put(*WHERE, one.ask(PASSWORD))
    assert (person.asked[0].keep, person.asked[0].why_not) == (("run", "ask"), UNSAVED)
    assert (ring.uses, ring.kept) == (0, {})


def test_without_a_keyring_the_reason_is_told_and_memory_is_offered(ring: FakeRing, safe: Safe) -> None:
    ring.why_not = "no system keyring found (none runs)"
    person = Person("SECRET")
    log_in(safe, person, "SECRET")
    assert person.asked[0].why_not == "No system keyring found (none runs)."
    assert person.asked[0].keep == ("run", "ask")


@pytest.mark.warns("says that the keyring is locked")
def test_a_locked_keyring_is_told_of_once_and_not_tried_in_a_loop(ring: FakeRing, safe: Safe) -> None:
    ring.fault = LOCKED
    person = Person("SECRET")
    one = keeper(safe, person)
    assert [one.get(*WHERE) for _ in range(5)] == [None] * 5
    one.put(*WHERE, one.ask(PASSWORD))
    assert ring.uses == 1
    assert person.asked[0].why_not == "The system's keyring is locked."
    ring.fault = None
    assert keeper(safe, Person())._offered(PASSWORD, "password").why_not == ""


@pytest.mark.warns("says that the keyring is locked")
def test_a_keyring_that_is_locked_meanwhile_loses_nothing(ring: FakeRing, safe: Safe) -> None:
    one = keeper(safe, Person(Typed("SECRET", "keyring")))
    value = one.ask(PASSWORD)
    ring.fault = LOCKED
    one.put(*WHERE, value)
    assert keeper(safe, Person()).get(*WHERE) == "SECRET"


def test_stopping_ends_the_wait_for_a_keyring_that_nobody_unlocks(ring: FakeRing, safe: Safe) -> None:
    ring.gate.clear()
    stop = Stop()
    one = Keeper(safe, LAB, Person().ask, stop, saved=True)
    threading.Timer(0.05, stop.set).start()
    with pytest.raises(Cancelled):
        one.get(*WHERE)
    again = Person("SECRET")
    assert keeper(safe, again).ask(PASSWORD) == "SECRET"
    assert again.asked[0].why_not == f"{WAITS}."
    ring.gate.set()
    call = safe._call
    assert call is not None
    call.join(5)


def test_the_keyring_is_used_on_threads_of_its_own(ring: FakeRing, safe: Safe) -> None:
    log_in(safe, Person(Typed("SECRET", "keyring")), "SECRET")
    assert ring.threads == {"keyring"}


def test_two_connections_take_turns_at_a_keyring_that_is_being_unlocked(ring: FakeRing, safe: Safe) -> None:
    ring.kept[LAB.id, "ssh-password"] = json.dumps({"deploy@prod": "SECRET"})
    found: list[str | None] = []
    makers = [keeper(safe, Person()) for _ in range(2)]
    ring.gate.clear()
    threads = [threading.Thread(target=lambda one=one: found.append(one.get(*WHERE))) for one in makers]
    for thread in threads:
        thread.start()
    ring.gate.set()
    for thread in threads:
        thread.join(5)
    assert found == ["SECRET", "SECRET"]


def test_deleting_a_profile_deletes_its_secrets(ring: FakeRing, safe: Safe) -> None:
    log_in(safe, Person(Typed("SECRET", "keyring")), "SECRET")
    log_in(safe, Person("OTHER1"), "OTHER1", Secret("password", "ops@bastion"))
    safe.forget(LAB.id)
    assert (ring.kept, safe.memory, safe.choices.get(LAB.id, "password")) == ({}, {}, "")


@pytest.mark.warns("says that secrets may be left")
def test_deleting_a_profile_says_what_could_not_be_deleted(
    ring: FakeRing, safe: Safe, caplog: pytest.LogCaptureFixture
) -> None:
    ring.fault = LOCKED
    safe.forget(LAB.id)
    assert "may still be in the keyring: The system's keyring is locked" in caplog.text


def test_a_cookie_is_kept_until_it_was_wrong(ring: FakeRing, safe: Safe) -> None:
    person = Person(Typed("OLDONE", "keyring"), Typed("NEWONE", "keyring"))
    one = keeper(safe, person)
    assert [one.ask(COOKIE), one.ask(COOKIE)] == ["OLDONE", "OLDONE"]
    assert one.ask(replace(COOKIE, again=True)) == "NEWONE"
    assert one.ask(COOKIE) == "NEWONE"
    assert ring.bundle(LAB.id, "cookie") == {"shop@h": "NEWONE"}


def test_a_stored_cookie_that_was_wrong_is_gone_even_when_nobody_knows_another(
    ring: FakeRing, safe: Safe
) -> None:
    keeper(safe, Person(Typed("OLDONE", "keyring"))).ask(COOKIE)
    one = keeper(safe, Person())
    assert one.ask(COOKIE) == "OLDONE"
    with pytest.raises(Cancelled):
        one.ask(replace(COOKIE, again=True))
    assert ring.kept == {}


def test_a_profile_that_says_ask_offers_no_place_and_keeps_the_cookie_for_the_connection(
    ring: FakeRing, safe: Safe
) -> None:
    asks = Profile(name="lab", id=LAB.id, cookie="ask")
    person = Person("TYPED1")
    one = keeper(safe, person, asks)
    assert [one.ask(Secret("cookie", "lab")), one.ask(Secret("cookie", "lab"))] == ["TYPED1", "TYPED1"]
    assert person.asked == [Secret("cookie", "lab")]
    assert (ring.kept, safe.memory) == ({}, {})


def test_a_profile_that_says_keyring_is_offered_that_and_a_nodes_cookie_replaces_its_own(
    ring: FakeRing, safe: Safe
) -> None:
    rings = Profile(name="lab", id=LAB.id, cookie="keyring")
    person = Person(Typed("OLDONE", "keyring"), Typed("NEWONE", "keyring"))
    one = keeper(safe, person, rings)
    one.ask(Secret("cookie", "lab"))
    assert person.asked[0].usual == "keyring"
    one.ask(COOKIE)
    assert ring.bundle(LAB.id, "cookie") == {"lab": "NEWONE", "shop@h": "NEWONE"}


def test_codes_host_keys_and_consents_pass_through(safe: Safe) -> None:
    code = Secret("keyboard-interactive", "deploy@prod", prompt="Code:")
    questions = [code, code, HostKey("prod", "ssh-ed25519", "SHA256:x"), Consent("t", "x", "Do")]
    person = Person("123456", "654321", "once", True)
    one = keeper(safe, person)
    assert [one.ask(question) for question in questions] == ["123456", "654321", "once", True]
    assert person.asked == questions


def test_neither_keeper_nor_safe_nor_answer_show_a_secret(safe: Safe) -> None:
    one = keeper(safe, Person("SECRET"))
    one.put(*WHERE, one.ask(PASSWORD))
    assert "SECRET" not in f"{one!r}{safe!r}{Typed('SECRET')!r}"
