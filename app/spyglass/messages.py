"""What lands in a connection's mailbox: a person's wishes and the workers' reports, as values.

(Structs, as so many dataclasses would take 10 ms of the program's start.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from spyglass.errors import Failure

if TYPE_CHECKING:
    from spyglass.erlang.discovery import Discovery, Found


class Observe(Struct, frozen=True):
    """Open Observer on this node (a key or a full name), as soon as it is known.

    ``company``: with all nodes of the target in its Nodes menu.
    """

    node: str
    company: bool = False


class CloseWindow(Struct, frozen=True):
    """Close the Observer window of this node."""

    key: str


class Refresh(Struct, frozen=True):
    """Look for nodes again."""


class Retry(Struct, frozen=True):
    """Do not wait any longer for the next try."""


class Nudge(Struct, frozen=True):
    """The network changed, or this computer woke: do not wait, and see whether the link still lives."""


Wish = Observe | CloseWindow | Refresh | Retry | Nudge


class Seen(Struct, frozen=True):
    """One node is known to the end (the survey goes on)."""

    found: Found


class Surveyed(Struct, frozen=True):
    """The survey is over."""

    discovery: Discovery


class SurveyFailed(Struct, frozen=True):
    """The survey could not be made."""

    failure: Failure


class Declined(Struct, frozen=True):
    """The person took back a question without whose answer the survey can't go on."""


class Opened(Struct, frozen=True):
    """An Observer window is on the screen, on its node."""

    key: str


class Ended(Struct, frozen=True):
    """A window is gone; ``failure`` is None when the person closed it or asked for it."""

    key: str
    failure: Failure | None = None


class Turned(Struct, frozen=True):
    """A person turned the window of this key to another node of its company."""

    key: str
    node: str


class Changed(Struct, frozen=True):
    """Word from there that a search may find something else by now."""


class Went(Struct, frozen=True):
    """A node that was joined for calls went down."""

    node: str


class LinkLost(Struct, frozen=True):
    """A hop's link died by itself; ``hop`` counts those of the profile from 1."""

    failure: Failure
    hop: int = 0


class Measured(Struct, frozen=True):
    """The server of a hop (counted from 1) answers in so many seconds."""

    hop: int
    seconds: float


Report = (
    Seen | Surveyed | SurveyFailed | Declined | Opened | Ended | Turned | Changed | Went | LinkLost | Measured
)


class Dated(Struct, frozen=True):
    """A report of one connected period: those of an earlier period are dropped."""

    epoch: int
    report: Report


Message = Wish | Dated | None
"""What the mailbox takes; None only wakes the thread."""
