"""The cookie that a profile brings along, where it does not leave finding one to discovery."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from spyglass import log
from spyglass.errors import Failure
from spyglass.questions import Ask, Secret

if TYPE_CHECKING:
    from spyglass.profile import Profile

KIND: Final = "cookie"


def cookie(profile: Profile, ask: Ask) -> str | None:
    """The profile's own cookie: typed now (``ask``), kept in the keyring, or None (``auto``).

    What the keyring does not have yet is asked for and kept there. Raises Cancelled and
    NeedsAnswer as any question does; a keyring that can't be used only means asking.
    """
    if profile.cookie == "auto":
        return None
    kept = _kept(profile) if profile.cookie == "keyring" else None
    if kept:
        return log.forget(kept)
    typed: str = log.forget(ask(Secret(KIND, profile.name)))
    if profile.cookie == "keyring":
        _keep(profile, typed)
    return typed


def _kept(profile: Profile) -> str | None:
    from spyglass.store.secrets import Keyring  # noqa: PLC0415 - it takes 70 ms to import

    try:
        return Keyring().get(profile.id, KIND)
    except Failure as failure:
        log.logger_for(profile.id).warning("%s — %s", failure.title, failure.hint)
        return None


def _keep(profile: Profile, typed: str) -> None:
    from spyglass.store.secrets import Keyring  # noqa: PLC0415

    try:
        Keyring().set(profile.id, KIND, typed)
    except Failure as failure:
        log.logger_for(profile.id).warning("%s — %s", failure.title, failure.hint)
