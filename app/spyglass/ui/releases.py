"""The exact OTP release of nodes that were asked, in the place of what their handshake hints at. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from msgspec.structs import replace

if TYPE_CHECKING:
    from spyglass.status import Link, NodeInfo

Releases = Mapping[str, str]
"""By the node's key: ``27``."""


def exact(nodes: Iterable[NodeInfo], known: Releases) -> tuple[NodeInfo, ...]:
    """The nodes, with the release of those that told it."""
    return tuple(
        replace(node, otp=known[node.key]) if known.get(node.key, node.otp) != node.otp else node
        for node in nodes
    )


def in_chain(chain: tuple[Link, ...], nodes: tuple[NodeInfo, ...], known: Releases) -> tuple[Link, ...]:
    """The chain, whose last link tells the releases of the nodes that can be reached."""
    if not known:
        return chain
    hinted, told = _said(nodes), _said(exact(nodes, known))
    if not chain or hinted == told:
        return chain
    return (*chain[:-1], replace(chain[-1], detail=chain[-1].detail.replace(hinted, told)))


def _said(nodes: Iterable[NodeInfo]) -> str:
    return f"OTP {', '.join(sorted({n.otp for n in nodes if n.otp and n.reachable}))}"
