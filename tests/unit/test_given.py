from typing import Any

import pytest

from spyglass import given
from spyglass.profile import Profile
from spyglass.questions import Secret, Typed

ID = "1" * 32


def refuse(question: Any) -> str:
    raise AssertionError(question)


def test_auto_asks_nobody() -> None:
    assert given.cookie(Profile(name="p", id=ID), refuse) is None


@pytest.mark.parametrize("source", ["ask", "keyring"])
@pytest.mark.parametrize("answer", ["TYPED", Typed("TYPED", "keyring")], ids=["str", "Typed"])
def test_what_is_not_left_to_discovery_is_asked_for(source: Any, answer: Any) -> None:
    asked: list[Any] = []
    profile = Profile(name="p", id=ID, cookie=source)
    assert given.cookie(profile, lambda q: asked.append(q) or answer) == "TYPED"
    assert asked == [Secret("cookie", "p")]
