"""What a person agreed to is not asked again while the connection lives.

A link that comes back by itself must not put up the same question each time. Secrets are
the business of :mod:`spyglass.keeping`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spyglass.questions import Consent

if TYPE_CHECKING:
    from spyglass.questions import Ask, Question


class Answers:
    """Asks by ``ask``, and keeps each yes."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._agreed: set[Consent] = set()

    def __repr__(self) -> str:
        return f"<Answers: {len(self._agreed)} kept>"

    def ask(self, question: Question) -> Any:
        """The kept answer, or the person's."""
        if not isinstance(question, Consent):
            return self._ask(question)
        if question not in self._agreed and self._ask(question):
            self._agreed.add(question)
        return question in self._agreed
