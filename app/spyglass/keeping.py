"""Where secrets stay between two questions: in the system's keyring, in memory, or nowhere.

The person chooses for each secret (:class:`spyglass.questions.Typed`):

* ``keyring``: stored under the profile; found again by every later run;
* ``run``: in memory until the program ends;
* ``ask``: in memory until the connection ends, so that a link that comes back by itself asks nothing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from spyglass import log
from spyglass.questions import Ask, Keep, Question, Secret, Typed

if TYPE_CHECKING:
    from spyglass.profile import Profile
    from spyglass.remote.base import Stop
    from spyglass.safe import Safe

PLACES: Final[tuple[Keep, ...]] = ("keyring", "run", "ask")
COOKIE: Final = "cookie"
UNSAVED: Final = "Only a saved profile's secrets go into the keyring."


class Keeper:
    """The secrets of one connection: asks by ``ask``, and is the ``secrets`` of a login.

    ``saved``: the profile is a saved one; what is not saved has no place in the keyring.
    """

    def __init__(self, safe: Safe, profile: Profile, ask: Ask, stop: Stop, *, saved: bool) -> None:
        safe.retry()
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
        unoffered: Keep = "run" if offered.keep else "ask"
        self._chosen[kind, question.subject] = typed.keep if typed.keep in offered.keep else unoffered
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
