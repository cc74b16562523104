"""Which node is meant: the one that was asked for, also after it has moved. Pure.

A node's full name is who it is, and its container where it lives. A container that is made
anew often gets another address, and a node named after that address another name. So a
node that went down is known again by its key, or by what is left of it: the same container
with the same short name. Whoever lived beside it at that time is somebody else, however
alike: Observer must never come back on the wrong node.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spyglass.errors import Failure, Lost

if TYPE_CHECKING:
    from spyglass.erlang.discovery import Found
    from spyglass.status import NodeInfo


@dataclass(frozen=True, slots=True)
class Want:
    """A node whose window is wanted.

    ``asked`` is its key or full name. ``info`` is how it was last seen with its window open (None:
    never yet); ``beside`` are the keys and containers of the others that were there at that time.
    ``company``: the others are wanted in its menu.
    """

    asked: str
    info: NodeInfo | None = None
    beside: frozenset[str] = frozenset()
    company: bool = False

    @property
    def name(self) -> str:
        """The full name, as far as it is known."""
        return self.info.node if self.info else self.asked


def lost(info: NodeInfo, nodes: Iterable[NodeInfo], *, company: bool = False) -> Want:
    """The wish for a node that had its window open when it, or the way to it, was lost."""
    others = [node for node in nodes if node.key != info.key]
    homes = {node.container for node in others if node.container and node.container != info.container}
    return Want(info.key, info, frozenset({node.key for node in others} | homes), company)


def missed(want: Want | None, failure: Failure) -> bool:
    """Whether it is looked for again: its window had been open, or it went since it was found."""
    return want is not None and failure.retry and (want.info is not None or failure.code == "node-gone")


def away(want: Want) -> Failure:
    """What to say of a node that is waited for."""
    return Lost(f"{want.name} is gone", "Its Observer window opens again when the node is back.")


def pick(want: Want, there: Mapping[str, Found], *, narrow: bool, complete: bool) -> Found | None:
    """The node that is meant among those that are there (by key), or None.

    ``narrow``: the profile selects one service or container, so that a container of another
    name can be its successor. ``complete``: everything that is there was seen; before that only
    a certain match counts.
    """
    if (same := there.get(want.asked)) is not None:
        return same if want.info is None or same.port else None
    if want.info is None:
        return next((found for found in there.values() if found.info.node == want.asked), None)
    if not complete:
        return None
    new = [f for f in there.values() if f.port and not {f.info.key, f.info.container} & want.beside]
    for alike in (_same_home, _same_name, *([_successor] if narrow else [])):
        fitting = [found for found in new if alike(want.info, found.info)]
        if fitting:
            return fitting[0] if len(fitting) == 1 else None
    return None


def _same_home(was: NodeInfo, now: NodeInfo) -> bool:
    return bool(was.container) and was.container == now.container and _short(was) == _short(now)


def _same_name(was: NodeInfo, now: NodeInfo) -> bool:
    return was.node == now.node


def _successor(was: NodeInfo, now: NodeInfo) -> bool:
    return bool(was.container and now.container) and _short(was) == _short(now)


def _short(info: NodeInfo) -> str:
    return info.node.partition("@")[0]
