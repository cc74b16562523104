"""Secrets in the system's keyring, and nowhere else.

Back-ends are taken from a list of our own, by class: ``keyring.get_keyring()`` would
choose a plain text file where there is nothing better, and obeys an environment variable
that can name one that keeps nothing. What was written is read back once. Without a
keyring nothing is stored; :attr:`Keyring.why_not` says why.

A locked keyring blocks the calling thread until the person answers its own dialog, so
none of this may run in the thread of the user interface.
"""

from __future__ import annotations

import importlib
from typing import Protocol

from spyglass import APP_ID, log
from spyglass.errors import Failure

KINDS = ("ssh-password", "key-passphrase", "cookie")
"""What is stored for a profile. Service and user of an entry are readable by every program
of the person, so they hold no host and no node: only our name, the profile's id, the kind."""

ALLOWED = ("SecretService", "macOS", "Windows.WinVaultKeyring")
"""Modules of ``keyring.backends``; the class is ``Keyring`` where none is given."""


class Backend(Protocol):
    """The three verbs of a ``keyring`` back-end."""

    def get_password(self, service: str, username: str, /) -> str | None:
        """The secret, or None."""

    def set_password(self, service: str, username: str, password: str, /) -> None:
        """Store it."""

    def delete_password(self, service: str, username: str, /) -> None:
        """Forget it; raises if there is none."""


class Keyring:
    """The secrets of profiles. Looks for a back-end at the first use, and again while there is none."""

    def __init__(self, backend: Backend | None = None) -> None:
        self._backend = backend

    def __repr__(self) -> str:
        return f"<Keyring {type(self._backend).__module__ if self._backend else 'not opened'}>"

    @property
    def why_not(self) -> str:
        """Why nothing can be stored, in words; empty when it can."""
        if self._backend is None:
            self._backend, reason = choose()
            return reason
        return ""

    def get(self, profile_id: str, kind: str) -> str | None:
        """The stored secret, or None (also without a keyring). Raises a Failure, ``keyring-locked``, if
        the keyring stays closed: then wait for the person instead of asking again and again."""
        user = _user(profile_id, kind)
        if self.why_not or self._backend is None:
            return None
        try:
            found = self._backend.get_password(APP_ID, user)
        except Exception as error:  # noqa: BLE001 - a back-end lets D-Bus, COM and ctypes errors through
            raise _failure("read", error) from None
        return log.forget(found) if found is not None else None

    def set(self, profile_id: str, kind: str, secret: str) -> None:
        """Store a secret. Raises a Failure, ``keyring``, unless it can be read back afterwards."""
        log.forget(secret)
        user = _user(profile_id, kind)
        if (reason := self.why_not) or self._backend is None:
            raise Failure(f"The secret was not stored: {reason}", _INSTEAD, code="keyring")
        try:
            self._backend.set_password(APP_ID, user, secret)
            stored = self._backend.get_password(APP_ID, user)
        except Exception as error:  # noqa: BLE001 - as above
            raise _failure("written", error) from None
        if stored != secret:
            raise Failure(
                "The system's keyring took the secret but does not give it back", _INSTEAD, code="keyring"
            )

    def delete(self, profile_id: str, kind: str) -> None:
        """Forget a secret; it is no error if there is none. Raises a Failure if it is still there."""
        if self.get(profile_id, kind) is None or self._backend is None:
            return
        try:
            self._backend.delete_password(APP_ID, _user(profile_id, kind))
        except Exception as error:  # noqa: BLE001 - as above
            raise _failure("cleared", error) from None

    def delete_all(self, profile_id: str) -> None:
        """Forget everything of a profile (when it is removed)."""
        for kind in KINDS:
            self.delete(profile_id, kind)


_INSTEAD = "It is kept in memory until you quit."


def choose() -> tuple[Backend | None, str]:
    """The first allowed back-end that works here, or None and the reason in words."""
    reasons = []
    for name in ALLOWED:
        backend, reason = _open(name)
        if backend is not None:
            return backend, ""
        reasons.append(reason)
    return None, f"no system keyring found ({next(filter(None, reasons), 'none for this system')})"


def _open(name: str) -> tuple[Backend | None, str]:
    module, _, kind = name.partition(".")
    try:
        found = getattr(importlib.import_module(f"keyring.backends.{module}"), kind or "Keyring")
        if not found.viable:  # a class property: true where its system service answers
            return None, _reason(found)
        backend: Backend = found()
    except Exception as error:  # noqa: BLE001 - whatever an absent service makes it raise, it is not there
        return None, _one_line(error)
    return backend, ""


def _reason(kind: type) -> str:
    """What the back-end says of itself: its priority raises with the reason where it is of no use."""
    try:
        kind.priority  # type: ignore[attr-defined]  # noqa: B018 - reading it is what raises
    except RuntimeError as error:
        text = _one_line(error)
        return "" if text.endswith("required") else text  # "macOS required" is no news on Linux
    return ""


def _user(profile_id: str, kind: str) -> str:
    if kind not in KINDS:
        raise ValueError(f"{kind!r} is not one of {KINDS}")
    return f"{profile_id}/{kind}"


def _failure(deed: str, error: Exception) -> Failure:
    if type(error).__name__ in {"KeyringLocked", "InitError", "LockedException", "PromptDismissedException"}:
        return Failure("The system's keyring is locked", "Unlock it, then try again.", code="keyring-locked")
    reason = f"The system's keyring could not be {deed}: {_one_line(error)}"
    return Failure(reason, "Check that the keyring service runs.", code="keyring")


def _one_line(error: Exception) -> str:
    return log.redact((str(error).strip().splitlines() or [type(error).__name__])[0])
