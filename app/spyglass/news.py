"""What has changed between two looks at a target. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from spyglass.status import NodeInfo

_SHOWN = ("address", "port", "container_id", "image", "otp", "epmd_port", "networks")


@dataclass(frozen=True, slots=True)
class Change:
    """A node ``came`` or ``went``, or something about it ``changed``: then ``what`` says what."""

    kind: Literal["came", "went", "changed"]
    node: NodeInfo
    what: str = ""

    def __str__(self) -> str:
        """In one line, for people."""
        where = f" ({self.node.container})" if self.node.container else ""
        why = f": {self.what}" if self.what else ""
        return f"{self.node.node}{where} {self.kind}{why}"


def changes(before: Iterable[NodeInfo], after: Iterable[NodeInfo]) -> Iterator[Change]:
    """What went, then what changed, then what came, each by key."""
    old, new = ({node.key: node for node in nodes} for nodes in (before, after))
    for key in sorted(old.keys() - new.keys()):
        yield Change("went", old[key])
    for key in sorted(old.keys() & new.keys()):
        if what := _difference(old[key], new[key]):
            yield Change("changed", new[key], what)
    for key in sorted(new.keys() - old.keys()):
        why = new[key].why_not or "not reachable"
        yield Change("came", new[key], "" if new[key].reachable else why)


def _difference(old: NodeInfo, new: NodeInfo) -> str:
    """In words; empty when people would see no difference."""
    if old.reachable != new.reachable or old.why_not != new.why_not:
        return "ready" if new.reachable else new.why_not or "not reachable"
    if not new.reachable:
        return ""
    told = [name for name in _SHOWN if getattr(old, name) != getattr(new, name)]
    if "container_id" in told:
        return "its container was made anew"
    if {"address", "port"} & set(told):
        return f"now at {new.address}:{new.port}"
    return ", ".join(name.replace("_", " ") for name in told)


def lines(before: Iterable[NodeInfo], after: Iterable[NodeInfo]) -> list[str]:
    """The same as lines for a log."""
    return [str(change) for change in changes(before, after)]
