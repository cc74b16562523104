"""What the window says of nodes' own addresses on this computer: pure functions, no Qt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from spyglass.status import Phase

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spyglass.profile import Profile
    from spyglass.status import Link, NodeInfo, Status


def address(node: NodeInfo) -> str:
    """``127.0.0.2:19000``, or in a few words that there is none; empty where none was wanted."""
    if node.alias is None:
        return ""
    return "refused" if node.alias.problem else f"{node.alias.address}:{node.alias.port}"


def headline(node: NodeInfo) -> str:
    """What has become of the node's address, in one sentence."""
    alias = node.alias
    if alias is None:
        return ""
    if alias.problem:
        return f"{node.node} has no address of its own here: {alias.problem.title}"
    return f"{node.node} answers at {alias.address}, port {alias.port}, to your own tools as well"


def told(status: Status, chosen: Sequence[NodeInfo]) -> NodeInfo | None:
    """The node whose address is worth telling of: the chosen one, else the first with one, or refused one."""
    if status.phase is not Phase.READY:
        return None
    able = [node for node in chosen if node.alias] if len(chosen) == 1 else []
    with_alias = [node for node in status.nodes if node.alias]
    with_address = [node for node in with_alias if node.alias and node.alias.address]
    return next(iter((*able, *with_address, *with_alias)), None)


def chain(links: tuple[Link, ...], profile: Profile, status: Status) -> tuple[Link, ...]:
    """The links, with what belongs to whom on this computer."""
    nodes = [node for node in status.nodes if node.alias]
    if not links or not nodes:
        return links
    here = sorted({node.alias.address for node in nodes if node.alias and node.alias.address})
    detail = here[0] if len(here) == 1 else f"{len(here)} own addresses" if here else "no own address"
    facts = tuple(fact(node, profile) for node in nodes)
    first = links[0]
    words = " · ".join(filter(None, (first.detail, detail)))
    return (replace(first, detail=words, facts=(*first.facts, *facts)), *links[1:])


def fact(node: NodeInfo, profile: Profile) -> str:
    """Who owns the address, or why there is none."""
    alias = node.alias
    assert alias is not None  # noqa: S101 - the callers' business
    if alias.problem:
        return f"{node.node}: {alias.problem.title}"
    return f"{alias.address} belongs to profile {profile.name}: {node.node}, port {alias.port}"
