"""The chain that people see: this computer, each hop, the engine, the nodes. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from spyglass.profile import ContainerHop, Profile
from spyglass.status import Link, Problem

if TYPE_CHECKING:
    from spyglass.errors import Failure
    from spyglass.status import NodeInfo

Chain = tuple[Link, ...]


def planned(profile: Profile) -> Chain:
    """The chain before anything is tried."""
    return (Link("This computer", "ok"), *(Link(label, "todo") for label in place_of(profile)))


def place_of(profile: Profile) -> tuple[str, ...]:
    """The labels of a profile's hops."""
    return tuple(hop.name if isinstance(hop, ContainerHop) else hop.label for hop in profile.hops)


def hop_changed(chain: Chain, index: int, state: str, detail: str) -> Chain:
    """Link ``index`` (1 is the first hop, in the order of travel) is busy or ok; those before it are ok."""
    links = list(chain)
    while len(links) <= index:
        links.append(Link(detail, "todo"))
    links[index] = replace(links[index], state=state, detail=detail)
    return (*(replace(link, state="ok") for link in links[:index]), *links[index:])


def broken(chain: Chain) -> Chain:
    """The link that was busy is the one that broke."""
    return tuple(replace(link, state="bad") if link.state == "busy" else link for link in chain)


def complete(chain: Chain, hops: int, nodes: tuple[NodeInfo, ...]) -> Chain:
    """All hops are up and the survey is over: what lies behind them follows."""
    engines = sorted({n.runtime for n in nodes if n.container and n.runtime})
    up = (replace(link, state="ok") for link in chain[: 1 + hops])
    return (*up, *(_engine(engine, nodes) for engine in engines), _nodes(nodes))


def _engine(engine: str, nodes: tuple[NodeInfo, ...]) -> Link:
    containers = {n.container_id for n in nodes if n.runtime == engine}
    return Link(engine.capitalize(), "ok", count(len(containers), "container") + " with nodes")


def _nodes(nodes: tuple[NodeInfo, ...]) -> Link:
    able = [n for n in nodes if n.reachable]
    if len(able) == 1:
        label, detail = able[0].node, f"OTP {able[0].otp}" if able[0].otp else ""
    else:
        label, detail = count(len(able), "node"), ""
    if len(nodes) > len(able):
        detail = f"{count(len(nodes) - len(able), 'more')} can't be reached"
    return Link(label, "ok" if able else "warn", detail)


def count(number: int, noun: str) -> str:
    """The number with its noun: ``1 node``, ``3 nodes``."""
    return f"{number} {noun}" if number == 1 or noun == "more" else f"{number} {noun}s"


def problem_of(failure: Failure) -> Problem:
    """The Failure as data."""
    return Problem(failure.title, failure.hint, failure.code, failure.retry)
