from __future__ import annotations

import pytest

from spyglass.profile import Profile
from spyglass.remote.base import Stop
from spyglass.safe import Safe
from support.fake_ring import FakeRing

LAB = Profile(name="lab", id="1" * 32)


@pytest.fixture
def ring() -> FakeRing:
    return FakeRing()


@pytest.fixture
def safe(ring: FakeRing) -> Safe:
    return Safe(lambda: ring)


def test_what_was_written_is_read_and_removed_by_its_subject(ring: FakeRing, safe: Safe) -> None:
    stop = Stop()
    assert safe.write(LAB, "password", "a@x", "SECRET", stop)
    assert safe.write(LAB, "password", "b@x", "OTHER1", stop)
    assert safe.read(LAB, "password", "a@x", stop) == "SECRET"
    assert safe.write(LAB, "password", "a@x", None, stop)
    assert ring.bundle(LAB.id, "ssh-password") == {"b@x": "OTHER1"}
    assert safe.write(LAB, "password", "b@x", None, stop)
    assert ring.kept == {}


@pytest.mark.parametrize("text", ["no JSON", "[1]", "7"])
def test_what_somebody_else_wrote_there_is_no_secret_of_ours(ring: FakeRing, safe: Safe, text: str) -> None:
    ring.kept[LAB.id, "ssh-password"] = text
    assert safe.read(LAB, "password", "a@x", Stop()) is None


def test_it_is_looked_for_once_and_again_when_somebody_wants_something(ring: FakeRing, safe: Safe) -> None:
    ring.why_not = "no system keyring found (none runs)"
    assert not safe.write(LAB, "password", "a@x", "SECRET", Stop())
    ring.why_not = ""
    assert safe.read(LAB, "password", "a@x", Stop()) is None
    assert ring.uses == 0
    safe.retry()
    assert safe.write(LAB, "password", "a@x", "SECRET", Stop())
