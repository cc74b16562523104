"""What a person answered is not asked again while the connection lives.

A link that comes back by itself must not put up the same question each time. Kept in
memory only: consents, cookies that were typed, and passwords that let us in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spyglass.questions import Consent, Secret

if TYPE_CHECKING:
    from spyglass.questions import Ask, Question


class Answers:
    """Asks by ``ask``; also the ``secrets`` of :func:`spyglass.remote.opening.open_hops`."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._kept: dict[object, Any] = {}

    def __repr__(self) -> str:
        return f"<Answers: {len(self._kept)} kept>"

    def ask(self, question: Question) -> Any:
        """The kept answer, or the person's. One that was wrong is asked for again."""
        name = _name(question)
        if isinstance(question, Secret) and question.again:
            self._kept.pop(name, None)
        if name is not None and name in self._kept:
            return self._kept[name]
        answer = self._ask(question)
        if name is not None and answer:
            self._kept[name] = answer
        return answer

    def get(self, kind: str, subject: str) -> str | None:
        """A password or passphrase that was right before."""
        kept: str | None = self._kept.get((kind, subject))
        return kept

    def put(self, kind: str, subject: str, value: str) -> None:
        """Keep one that was right."""
        self._kept[kind, subject] = value


def _name(question: Question) -> object:
    """What an answer is kept by; None for what is not kept here."""
    match question:
        case Consent():
            return question
        case Secret("cookie", subject):
            return ("cookie", subject)
        case _:
            return None
