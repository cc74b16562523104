"""Where a profile goes that is dragged in the list, or moved by keys. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from spyglass.profile import Profile

MIME = "application/x-spyglass-profile"
UNGROUPED = "Connections"
UNSAVED = "Not saved"


class Row(Struct, frozen=True):
    """One row: a group's heading (no profile) or a profile."""

    heading: str = ""
    profile: Profile | None = None


class Move(Struct, frozen=True):
    """A profile's new group and the new order of all."""

    profile: Profile
    group: str
    order: tuple[str, ...]


def move(rows: Sequence[Row], saved: Sequence[Profile], profile_id: str, at: int) -> Move | None:
    """Put a saved profile before row ``at`` (at the end: as many as there are); None where it can't go.

    The list may be narrowed by a search: then it goes beside its new neighbour in the whole order.
    """
    mine = next((p for p in saved if p.id == profile_id), None)
    at = max(at, 1)
    headings = [row.heading for row in rows[:at] if row.profile is None]
    if mine is None or not headings or headings[-1] == UNSAVED:
        return None
    group = "" if headings[-1] == UNGROUPED else headings[-1]
    order = [p.id for p in saved if p.id != profile_id]
    order.insert(_place(rows, order, at, profile_id), profile_id)
    if group == mine.group and order == [p.id for p in saved]:
        return None
    return Move(mine, group, tuple(order))


def _place(rows: Sequence[Row], order: Sequence[str], at: int, moving: str) -> int:
    """Before the next profile of the group, else behind the last one before, else at the end."""
    for row in rows[at:]:
        if row.profile is None:
            break
        if row.profile.id in order:
            return order.index(row.profile.id)
    for row in reversed(rows[:at]):
        if row.profile is not None and row.profile.id != moving and row.profile.id in order:
            return order.index(row.profile.id) + 1
    return 0


def step(rows: Sequence[Row], profile_id: str, *, down: bool) -> int:
    """The row before which a profile goes when it is moved by one; -1 when it is not there."""
    for number, row in enumerate(rows):
        if row.profile is not None and row.profile.id == profile_id:
            return number + 2 if down else number - 1
    return -1
