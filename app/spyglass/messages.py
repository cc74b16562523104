"""What lands in a connection's mailbox: a person's wishes and the workers' reports, as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spyglass.errors import Failure

if TYPE_CHECKING:
    from spyglass.erlang.discovery import Discovery, Found


@dataclass(frozen=True, slots=True)
class Observe:
    """Open Observer on this node (a key or a full name), as soon as it is known."""

    node: str


@dataclass(frozen=True, slots=True)
class CloseWindow:
    """Close the Observer window of this node."""

    key: str


@dataclass(frozen=True, slots=True)
class Refresh:
    """Look for nodes again."""


@dataclass(frozen=True, slots=True)
class Retry:
    """Do not wait any longer for the next try."""


@dataclass(frozen=True, slots=True)
class Nudge:
    """The network changed, or this computer woke: do not wait, and see whether the link still lives."""


Wish = Observe | CloseWindow | Refresh | Retry | Nudge


@dataclass(frozen=True, slots=True)
class Seen:
    """One node is known to the end (the survey goes on)."""

    found: Found


@dataclass(frozen=True, slots=True)
class Surveyed:
    """The survey is over."""

    discovery: Discovery


@dataclass(frozen=True, slots=True)
class SurveyFailed:
    """The survey could not be made."""

    failure: Failure


@dataclass(frozen=True, slots=True)
class Declined:
    """The person took back a question without whose answer the survey can't go on."""


@dataclass(frozen=True, slots=True)
class Opened:
    """An Observer window is on the screen, on its node."""

    key: str


@dataclass(frozen=True, slots=True)
class Ended:
    """A window is gone; ``failure`` is None when the person closed it or asked for it."""

    key: str
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class Went:
    """A node that was joined for calls went down."""

    node: str


@dataclass(frozen=True, slots=True)
class LinkLost:
    """A hop's link died by itself; ``hop`` counts those of the profile from 1."""

    failure: Failure
    hop: int = 0


@dataclass(frozen=True, slots=True)
class Measured:
    """The server of a hop (counted from 1) answers in so many seconds."""

    hop: int
    seconds: float


Report = Seen | Surveyed | SurveyFailed | Declined | Opened | Ended | Went | LinkLost | Measured


@dataclass(frozen=True, slots=True)
class Dated:
    """A report of one connected period: those of an earlier period are dropped."""

    epoch: int
    report: Report


Message = Wish | Dated | None
"""What the mailbox takes; None only wakes the thread."""
