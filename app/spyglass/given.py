"""The cookie that a profile brings along, where it does not leave finding one to discovery."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from spyglass import log
from spyglass.questions import Ask, Secret, Typed

if TYPE_CHECKING:
    from spyglass.profile import Profile

KIND: Final = "cookie"


def cookie(profile: Profile, ask: Ask) -> str | None:
    """The profile's own cookie, or None where finding one is left to discovery (``auto``).

    Whether ``ask`` has to bother a person is decided behind it: :class:`spyglass.keeping.Keeper`
    answers what it keeps. Raises Cancelled and NeedsAnswer as any question does.
    """
    if profile.cookie == "auto":
        return None
    answer = ask(Secret(KIND, profile.name))
    return log.forget(answer.value if isinstance(answer, Typed) else str(answer))
