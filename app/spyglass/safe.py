"""The keyring and the memory that all connections of one run share (see :mod:`spyglass.keeping`).

An entry of the keyring can be seen by every program of the person, so its name holds no host
and no key file: one entry for each kind of a profile's secrets, and inside of it, encrypted,
a JSON object from subject to secret.

The keyring is never waited for without a way out: a locked one keeps its caller until the
person has answered its own dialog, so each call runs on a thread of its own, and a stop of
the connection leaves it alone. After it failed once it is left alone until somebody connects
anew; the reason stands in the log and in the next question.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Protocol

from spyglass import log
from spyglass.errors import Cancelled, Failure
from spyglass.store.choices import Choices

if TYPE_CHECKING:
    from spyglass.profile import Profile
    from spyglass.remote.base import Stop

ENTRIES: Final = {"password": "ssh-password", "passphrase": "key-passphrase", "cookie": "cookie"}
"""The keyring's name for each kind of :attr:`spyglass.questions.Secret.lasting`."""

WAITS: Final = "The system's keyring waits to be unlocked"


class Ring(Protocol):
    """What is used of :class:`spyglass.store.secrets.Keyring`."""

    @property
    def why_not(self) -> str:
        """Why nothing can be stored; empty when it can."""

    def get(self, profile_id: str, kind: str) -> str | None:
        """The stored text, or None."""

    def set(self, profile_id: str, kind: str, secret: str) -> None:
        """Store a text."""

    def delete(self, profile_id: str, kind: str) -> None:
        """Forget one."""

    def delete_all(self, profile_id: str) -> None:
        """Forget all of a profile."""


def _system() -> Ring:
    from spyglass.store.secrets import Keyring  # noqa: PLC0415 - it takes 70 ms to import

    return Keyring()


class Safe:
    """What all connections of one run share: the memory, the keyring, and whether it is of use now."""

    def __init__(self, ring: Callable[[], Ring] = _system, choices: Choices | None = None) -> None:
        self._make = ring
        self._ring: Ring | None = None
        self._lock = threading.Lock()
        self._call: _Call | None = None
        self._refused = ""
        self.memory: dict[tuple[str, str, str], str] = {}
        self.choices = choices or Choices()

    def __repr__(self) -> str:
        return f"<Safe: {len(self.memory)} in memory>"

    def retry(self) -> None:
        """A person wants something now: the keyring gets another chance."""
        self._refused = ""

    def why_not(self, stop: Stop) -> str:
        """Why the keyring is of no use now, as a sentence; empty when it is."""
        if not self._refused:
            try:
                reason = str(self._run(lambda ring: ring.why_not, stop))
            except Failure as failure:
                reason = failure.title
            self._refused = f"{reason[:1].upper()}{reason[1:]}." if reason else ""
        return self._refused

    def read(self, profile: Profile, kind: str, subject: str, stop: Stop) -> str | None:
        """A stored secret; None where there is none, or the keyring can't be used (which is logged)."""
        if self.why_not(stop):
            return None
        try:
            bundle: dict[str, str] = self._run(lambda ring: _bundle(ring, profile.id, kind), stop)
        except Failure as failure:
            self._refuse(profile, failure)
            return None
        return bundle.get(subject)

    def write(self, profile: Profile, kind: str, subject: str, value: str | None, stop: Stop) -> bool:
        """Store a secret, or remove it (None). False when that was not possible, which is logged."""
        if self.why_not(stop):
            return False
        try:
            self._run(lambda ring: _change(ring, profile.id, kind, subject, value), stop)
        except Failure as failure:
            self._refuse(profile, failure)
            return False
        return True

    def forget(self, profile_id: str) -> None:
        """Remove every secret of a deleted profile. Blocks while the keyring does."""
        for key in [key for key in self.memory if key[0] == profile_id]:
            self.memory.pop(key, None)
        self.choices.drop(profile_id)
        try:
            self._opened().delete_all(profile_id)
        except Failure as failure:
            words = "secrets of a deleted profile may still be in the keyring: %s — %s"
            log.logger_for(profile_id).warning(words, failure.title, failure.hint)

    def _refuse(self, profile: Profile, failure: Failure) -> None:
        self._refused = f"{failure.title}."
        log.logger_for(profile.id).warning("%s — %s", failure.title, failure.hint)

    def _opened(self) -> Ring:
        with self._lock:
            self._ring = self._ring or self._make()
            return self._ring

    def _run(self, work: Callable[[Ring], Any], stop: Stop) -> Any:
        """Do it on a thread; ``stop`` leaves that behind. Raises Cancelled, and what ``work`` raises."""
        while (before := self._call) is not None and before.is_alive():  # its window is open: one is enough
            if before.abandoned:
                raise Failure(WAITS, "Answer its window.", code="keyring-locked")
            stop.check()
            before.join(0.1)
        self._call = call = _Call(lambda: work(self._opened()))
        call.start()
        try:
            with stop.ending(call.over.set):
                call.over.wait()
        except Cancelled:
            call.abandoned = True
            raise
        return call.outcome()


class _Call(threading.Thread):
    """One call of the keyring."""

    def __init__(self, work: Callable[[], Any]) -> None:
        super().__init__(name="keyring", daemon=True)
        self._work = work
        self._value: Any = None
        self._failure: Failure | None = None
        self.over = threading.Event()
        self.abandoned = False

    def run(self) -> None:
        """Do the work; nobody may be waiting any more."""
        try:
            self._value = self._work()
        except Failure as failure:
            self._failure = failure
        self.over.set()

    def outcome(self) -> Any:
        """What came of it."""
        self.join()
        value, self._value = self._value, None
        if self._failure is not None:
            raise self._failure
        return value


def _bundle(ring: Ring, profile_id: str, kind: str) -> dict[str, str]:
    """All stored secrets of a kind, by subject."""
    text = ring.get(profile_id, ENTRIES[kind])
    try:
        found = json.loads(text) if text else {}
    except ValueError:  # not ours
        return {}
    return {str(subject): str(value) for subject, value in found.items()} if isinstance(found, dict) else {}


def _change(ring: Ring, profile_id: str, kind: str, subject: str, value: str | None) -> None:
    bundle = _bundle(ring, profile_id, kind)
    bundle.pop(subject, None)
    if value is not None:
        bundle[subject] = value
    if bundle:
        ring.set(profile_id, ENTRIES[kind], json.dumps(bundle))
    else:
        ring.delete(profile_id, ENTRIES[kind])
