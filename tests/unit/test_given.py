from typing import Any

import pytest

from spyglass import given
from spyglass.errors import Failure
from spyglass.profile import Profile
from spyglass.questions import Secret

ID = "1" * 32


class Ring:
    """A keyring in memory; ``broken`` raises at each use."""

    kept: dict[tuple[str, str], str]
    broken = False

    def get(self, profile: str, kind: str) -> str | None:
        if self.broken:
            raise Failure("The system's keyring is locked")
        return self.kept.get((profile, kind))

    def set(self, profile: str, kind: str, secret: str) -> None:
        if self.broken:
            raise Failure("The system's keyring is locked")
        self.kept[profile, kind] = secret


@pytest.fixture
def ring(monkeypatch: pytest.MonkeyPatch) -> Ring:
    made = Ring()
    made.kept = {}
    monkeypatch.setattr("spyglass.store.secrets.Keyring", lambda: made)
    return made


def refuse(question: Any) -> str:
    raise AssertionError(question)


def test_auto_asks_nobody(ring: Ring) -> None:
    assert given.cookie(Profile(name="p", id=ID), refuse) is None


def test_ask_asks_each_time_and_keeps_nothing(ring: Ring) -> None:
    asked: list[Any] = []
    profile = Profile(name="p", id=ID, cookie="ask")
    assert given.cookie(profile, lambda q: asked.append(q) or "TYPED") == "TYPED"
    assert asked == [Secret("cookie", "p")]
    assert ring.kept == {}


def test_keyring_asks_once_and_keeps_it(ring: Ring) -> None:
    profile = Profile(name="p", id=ID, cookie="keyring")
    assert given.cookie(profile, lambda _q: "TYPED") == "TYPED"
    assert given.cookie(profile, refuse) == "TYPED"


@pytest.mark.warns("says that the keyring is locked")
def test_a_locked_keyring_means_asking(ring: Ring) -> None:
    ring.broken = True
    assert given.cookie(Profile(name="p", id=ID, cookie="keyring"), lambda _q: "TYPED") == "TYPED"
