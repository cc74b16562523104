"""Where secrets stay between two questions: in the system's keyring, in memory, or nowhere.

The person chooses for each secret (:class:`spyglass.questions.Typed`):

* ``keyring``: stored under the profile; found again by every later run;
* ``run``: in memory until the program ends;
* ``ask``: in memory until the connection ends, so that a link that comes back by itself asks nothing.

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
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Protocol

from spyglass import log
from spyglass.errors import Cancelled, Failure
from spyglass.questions import Ask, Keep, Question, Secret, Typed
from spyglass.store.choices import Choices

if TYPE_CHECKING:
    from spyglass.profile import Profile
    from spyglass.remote.base import Stop

ENTRIES: Final = {"password": "ssh-password", "passphrase": "key-passphrase", "cookie": "cookie"}
"""The keyring's name for each kind of :attr:`spyglass.questions.Secret.lasting`."""

PLACES: Final[tuple[Keep, ...]] = ("keyring", "run", "ask")
COOKIE: Final = "cookie"
WAITS: Final = "The system's keyring waits to be unlocked"
UNSAVED: Final = "Only a saved profile's secrets go into the keyring."


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
        self._call: threading.Thread | None = None
        self._refused = ""
        self.memory: dict[tuple[str, str, str], str] = {}
        self.choices = choices or Choices()

    def __repr__(self) -> str:
        return f"<Safe: {len(self.memory)} in memory>"

    def keeper(self, profile: Profile, ask: Ask, stop: Stop, *, saved: bool) -> Keeper:
        """Who keeps the secrets of one connection. A person wants it now: the keyring gets another chance."""
        self._refused = ""
        return Keeper(self, profile, ask, stop, saved=saved)

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
            return self._run(lambda ring: _bundle(ring, profile.id, kind), stop).get(subject)
        except Failure as failure:
            self._refuse(profile, failure)
            return None

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


class Keeper:
    """The secrets of one connection: asks by ``ask``, and is the ``secrets`` of a login.

    ``saved``: the profile is a saved one; what is not saved has no place in the keyring.
    """

    def __init__(self, safe: Safe, profile: Profile, ask: Ask, stop: Stop, *, saved: bool) -> None:
        self._safe = safe
        self._profile = profile
        self._ask = ask
        self._stop = stop
        self._saved = saved
        self._mine: dict[tuple[str, str], str] = {}
        self._chosen: dict[tuple[str, str], Keep] = {}
        self._stored: set[tuple[str, str]] = set()

    def __repr__(self) -> str:
        return f"<Keeper of {self._profile.name}: {len(self._mine)} known>"

    def close(self) -> None:
        """The connection has ended."""
        self._mine.clear()

    def ask(self, question: Question) -> Any:
        """The person's answer. A cookie that is kept is not asked for; of a secret only the str returns."""
        if not isinstance(question, Secret):
            return self._ask(question)
        kind, subject = question.lasting, question.subject
        if question.again:
            self._drop(kind, subject)
        elif kind == COOKIE and (kept := self.get(kind, subject)):
            return kept
        value = self._typed(question, kind)
        if kind == COOKIE:  # proved by the node, which nobody tells us; a wrong one is asked for again
            self.put(kind, subject, value)
        return value

    def get(self, kind: str, subject: str) -> str | None:
        """A kept secret, told to the log's redaction."""
        key = (kind, subject)
        kept = self._mine.get(key) or self._safe.memory.get((self._profile.id, *key))
        if kept is None and self._saved:
            kept = self._safe.read(self._profile, kind, subject, self._stop)
            if kept is not None:
                self._stored.add(key)
                self._mine[key] = kept
        return log.forget(kept) if kept is not None else None

    def put(self, kind: str, subject: str, value: str) -> None:
        """This one was right: it goes where the person chose, and away from where it was before."""
        keep = self._chosen.pop((kind, subject), None)
        if keep is None:
            return  # it was kept already
        if kind == COOKIE and self._profile.cookie == "keyring" and subject != self._profile.name:
            self._store(kind, self._profile.name, value, keep)  # the one that discovery tries did not fit
        self._store(kind, subject, value, keep)
        if self._saved:
            self._safe.choices.set(self._profile.id, kind, keep)

    def _typed(self, question: Secret, kind: str) -> str:
        offered = self._offered(question, kind) if kind else question
        answer = self._ask(offered)
        typed = answer if isinstance(answer, Typed) else Typed(str(answer), self._unsaid(kind))
        self._chosen[kind, question.subject] = typed.keep if typed.keep in offered.keep else "ask"
        return log.forget(typed.value)

    def _unsaid(self, kind: str) -> Keep:
        """What a plain str means."""
        return "ask" if kind == COOKIE and self._profile.cookie == "ask" else "run"

    def _offered(self, question: Secret, kind: str) -> Secret:
        """The question with the places that are open to its answer."""
        if kind == COOKIE and self._profile.cookie == "ask":
            return question
        why_not = self._safe.why_not(self._stop) if self._saved else UNSAVED
        keep = PLACES[1:] if why_not else PLACES
        usual = self._safe.choices.get(self._profile.id, kind)
        if not usual and kind == COOKIE and self._profile.cookie == "keyring":
            usual = "keyring"
        fits = next((place for place in keep if place == usual), "run")
        return replace(question, keep=keep, usual=fits, why_not=why_not)  # type: ignore[arg-type]

    def _store(self, kind: str, subject: str, value: str, keep: Keep) -> None:
        key = (kind, subject)
        self._mine[key] = value
        stored = keep == "keyring" and self._safe.write(self._profile, kind, subject, value, self._stop)
        if keep == "run" or (keep == "keyring" and not stored):
            self._safe.memory[self._profile.id, kind, subject] = value
        if not stored and key in self._stored:
            self._safe.write(self._profile, kind, subject, None, self._stop)
            self._stored.discard(key)

    def _drop(self, kind: str, subject: str) -> None:
        """The kept one was wrong. What the keyring has is replaced by the next right one."""
        self._mine.pop((kind, subject), None)
        self._safe.memory.pop((self._profile.id, kind, subject), None)
        if kind == COOKIE and (kind, subject) in self._stored:
            self._safe.write(self._profile, kind, subject, None, self._stop)
            self._stored.discard((kind, subject))


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
