"""Secrets: an allowed keyring or none, and what is said about it."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from spyglass import APP_ID, log
from spyglass.errors import Failure
from spyglass.store import secrets
from spyglass.store.secrets import Keyring


class Locker:
    """A back-end in memory; ``fault`` is raised by every call."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.kept: dict[tuple[str, str], str] = {}
        self.fault = fault

    def get_password(self, service: str, username: str) -> str | None:
        self._maybe_raise()
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._maybe_raise()
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self._maybe_raise()
        del self.kept[service, username]

    def _maybe_raise(self) -> None:
        if self.fault:
            raise self.fault


class Forgetful(Locker):
    """Takes everything, keeps nothing (keyring's null back-end does that)."""

    def set_password(self, service: str, username: str, password: str) -> None:
        pass


class KeyringLocked(Exception):  # noqa: N818 - named as keyring names it
    pass


def test_a_secret_is_given_back() -> None:
    keyring = Keyring(Locker())
    keyring.set("p1", "cookie", "swordfish ü")

    assert keyring.get("p1", "cookie") == "swordfish ü"
    assert keyring.get("p2", "cookie") is None
    assert keyring.why_not == ""


def test_an_entry_tells_other_programs_only_whose_and_what_kind() -> None:
    locker = Locker()
    Keyring(locker).set("p1", "ssh-password", "swordfish")

    assert list(locker.kept) == [(APP_ID, "p1/ssh-password")]


def test_kinds_are_those_known() -> None:
    with pytest.raises(ValueError, match="not one of"):
        Keyring(Locker()).set("p1", "pin", "1234")


def test_a_secret_is_black_in_the_log_from_then_on() -> None:
    locker = Locker()
    locker.kept[APP_ID, "p1/cookie"] = "from before"
    Keyring(locker).set("p1", "ssh-password", "brand new")
    Keyring(locker).get("p1", "cookie")

    assert log.redact("brand new, from before") == "•••, •••"


def test_a_keyring_that_forgets_is_found_out() -> None:
    with pytest.raises(Failure, match="does not give it back") as caught:
        Keyring(Forgetful()).set("p1", "cookie", "swordfish")

    assert "in memory" in caught.value.hint


@pytest.mark.parametrize("verb", ["get", "set", "delete"])
def test_a_locked_keyring_has_a_code_of_its_own(verb: str) -> None:
    keyring = Keyring(Locker(KeyringLocked("Failed to unlock the collection!")))
    with pytest.raises(Failure) as caught:
        getattr(keyring, verb)("p1", "cookie", *["swordfish"][: verb == "set"])

    assert caught.value.code == "keyring-locked"


@pytest.mark.parametrize(
    "fault", [RuntimeError("bus gone"), OSError(), UnicodeDecodeError("utf-8", b"", 0, 1, "x")]
)
def test_whatever_a_backend_raises_becomes_one_failure_without_the_secret(fault: Exception) -> None:
    with pytest.raises(Failure) as caught:
        Keyring(Locker(fault)).set("p1", "cookie", "swordfish")

    assert caught.value.code == "keyring"
    assert "swordfish" not in caught.value.title


def test_an_error_text_with_the_secret_in_it_is_blackened() -> None:
    with pytest.raises(Failure) as caught:
        Keyring(Locker(RuntimeError("cannot store swordfish"))).set("p1", "cookie", "swordfish")

    assert "swordfish" not in caught.value.title


def test_deleting_takes_exactly_the_profiles_secrets() -> None:
    keyring = Keyring(Locker())
    for profile in ("p1", "p2"):
        for kind in secrets.KINDS:
            keyring.set(profile, kind, "swordfish")
    keyring.delete_all("p1")
    keyring.delete_all("p1")  # nothing left is no error

    assert [keyring.get("p1", kind) for kind in secrets.KINDS] == [None] * 3
    assert [keyring.get("p2", kind) for kind in secrets.KINDS] == ["swordfish"] * 3


def test_only_allowed_backends_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def open_one(name: str) -> tuple[None, str]:
        asked.append(name)
        return None, f"{name} is not here"

    monkeypatch.setattr(secrets, "_open", open_one)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")

    assert Keyring().why_not == "no system keyring found (SecretService is not here)"
    assert tuple(asked) == secrets.ALLOWED


def test_the_first_backend_that_works_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("keyring.backends.SecretService")
    monkeypatch.setattr(Locker, "viable", True, raising=False)
    monkeypatch.setattr(module, "Keyring", Locker, raising=False)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    keyring = Keyring()
    keyring.set("p1", "cookie", "swordfish")

    assert (keyring.why_not, keyring.get("p1", "cookie")) == ("", "swordfish")


def test_without_a_keyring_nothing_is_stored_and_the_reason_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    keyring = Keyring()

    assert keyring.why_not.startswith("no system keyring found (")
    assert keyring.get("p1", "cookie") is None
    keyring.delete_all("p1")
    with pytest.raises(Failure, match="The secret was not stored: no system keyring found"):
        keyring.set("p1", "cookie", "swordfish")


def test_a_keyring_that_comes_later_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [(None, "not yet"), (Locker(), "")]
    monkeypatch.setattr(secrets, "choose", lambda: answers.pop(0))
    keyring = Keyring()

    assert [keyring.why_not, keyring.why_not] == ["not yet", ""]


def test_the_repr_tells_no_secret() -> None:
    keyring = Keyring(Locker())
    keyring.set("p1", "cookie", "swordfish")

    assert "swordfish" not in repr(keyring)
    assert repr(Keyring()) == "<Keyring not opened>"
