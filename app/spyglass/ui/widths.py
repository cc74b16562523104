"""How the room of a table is divided among its columns. Pure.

The first column has the names: it gets its room first. The others are as narrow as they can be
read; those that do not fit even so are left out, in a fixed order, the least telling one first.
What is left over makes them roomier, the most telling one first, and the last one takes the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Need:
    """One column's need, in pixels: ``least`` to be read at all, ``best`` to show the whole.

    ``roomy`` is what it takes besides, once each of them shows the whole. The column of the lowest
    ``rank`` is left out first; 0 is never left out.
    """

    least: int
    best: int
    rank: int = 0
    roomy: int = 0


def divide(room: int, needs: Sequence[Need]) -> list[int]:
    """The width of each column, 0 for one that is left out. The first one has the names."""
    if not needs:
        return []
    name, *others = needs
    kept = _kept(room - name.best, others)
    widths = [each.least if at in kept else 0 for at, each in enumerate(others)]
    first = max(name.least, min(name.best, room - sum(widths)))
    spare = room - first - sum(widths)
    ranked = sorted(kept, key=lambda at: -(others[at].rank or len(others) + 1))
    wishes = [*((at, others[at].best) for at in ranked), *((at, others[at].roomy) for at in ranked)]
    for at, wish in wishes:
        more = max(0, min(spare, wish - widths[at]))
        widths[at] += more
        spare -= more
    if spare > 0 and kept:
        widths[max(kept)] += spare
    return [first + (spare if spare > 0 and not kept else 0), *widths]


def _kept(room: int, others: Sequence[Need]) -> set[int]:
    kept = set(range(len(others)))
    while kept and sum(others[at].least for at in kept) > room:
        ranked = [at for at in kept if others[at].rank]
        if not ranked:
            break
        kept.discard(min(ranked, key=lambda at: others[at].rank))
    return kept
