"""The chain that people see: this computer, each hop, the engine, the container, the nodes. Pure.

Each link has a short detail to be drawn below its name, and facts, one a line, for whoever
looks closer; where it broke, the reason and the remedy are among them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from msgspec.structs import replace

from spyglass.errors import BadHostKey
from spyglass.profile import ContainerHop, Hop, Profile, Selector
from spyglass.status import DOWN, Link, Problem

if TYPE_CHECKING:
    from spyglass.erlang.installation import Erlang
    from spyglass.errors import Failure
    from spyglass.remote.base import Remote
    from spyglass.status import NodeInfo

Chain = tuple[Link, ...]
Counts = Mapping[str, tuple[int, int]]
"""By engine: how many containers run, and how many of them the profile means."""

HERE = "This computer"
_LISTED = 8
_NO_ERLANG = {"no-erlang": "no Erlang", "no-wx": "no Observer", "no-compiler": "no compiler"}
_SHORT = {
    "host-key-changed": "host key changed",
    "host-key-revoked": "host key revoked",
    "host-key": "host key unknown",
    "denied": "refused",
    "lost": "connection lost",
    "refused": "connection refused",
    "timeout": "no answer",
    "no-container": "not found",
    "engine-denied": "permission denied",
    "unreachable": "can't be reached",
    "needs-answer": "needs you",
}


class _Settings(Protocol):
    user: str
    hostname: str
    port: int


def planned(profile: Profile) -> Chain:
    """The chain before anything is tried."""
    return (Link(HERE, "ok"), *(Link(label, "todo") for label in place_of(profile)))


def place_of(profile: Profile) -> tuple[str, ...]:
    """The labels of a profile's hops."""
    return tuple(hop.name if isinstance(hop, ContainerHop) else hop.label for hop in profile.hops)


def here(chain: Chain, erlang: Erlang | None, problem: Failure | None = None) -> Chain:
    """What is known of this computer's own Erlang by now; None leaves all as it is.

    ``problem``: why it can't show Observer, with the remedy.
    """
    if problem is not None and chain:
        detail = _NO_ERLANG.get(problem.code, "no Erlang that works")
        warned = replace(chain[0], state="warn", detail=detail, facts=(problem.title, problem.hint))
        return (warned, *chain[1:])
    if erlang is None or not chain:
        return chain
    detail = f"OTP {erlang.otp}, {'wx' if erlang.wx else 'no wx'}"
    facts = (f"Erlang/OTP {erlang.otp} (ERTS {erlang.version})", str(erlang.path))
    return (replace(chain[0], state="ok", detail=detail, facts=facts), *chain[1:])


def _passed(link: Link) -> Link:
    """The way went through it; what is to be said of it still is."""
    return link if link.state == "warn" else replace(link, state="ok")


def hop_changed(chain: Chain, index: int, state: str, detail: str) -> Chain:
    """Link ``index`` (1 is the first hop, in the order of travel) is busy or ok; those before it are ok."""
    links = list(chain)
    while len(links) <= index:
        links.append(Link(detail, "todo"))
    links[index] = replace(links[index], state=state, detail=detail)
    return (*map(_passed, links[:index]), *links[index:])


def travelled(chain: Chain, remotes: Sequence[Remote]) -> Chain:
    """The hops are open: each tells where it leads. ``remotes`` may begin with jump hosts of ssh_config."""
    hops, open_ = len(chain) - 1, list(remotes[1:])
    jumps, ends = open_[: len(open_) - hops], open_[len(open_) - hops :]
    links = [replace(link, facts=_way(end)) for link, end in zip(chain[1:], ends, strict=False)]
    if jumps and links:
        through = "Through " + ", then ".join(jump.describe() for jump in jumps)
        links[0] = replace(links[0], facts=(*links[0].facts, through))
    return (*chain[:1], *links, *chain[1 + len(links) :])


def numbered(remotes: Sequence[Remote], hops: Sequence[Hop]) -> list[tuple[int, Remote]]:
    """What was travelled, each with the hop that it belongs to, counted from 1; jump hosts to the first."""
    jumps = len(remotes) - 1 - len(hops)
    return [(max(position - jumps, 1), remote) for position, remote in enumerate(remotes) if position]


def _way(remote: Remote) -> tuple[str, ...]:
    settings: _Settings | None = getattr(remote, "settings", None)
    if settings is None:
        return (remote.describe(),)
    server = f"SSH server {settings.hostname}, port {settings.port}, as {settings.user}"
    method = str(getattr(remote, "auth_method", ""))
    return (server, f"Logged in by {method}") if method else (server,)


def measured(chain: Chain, index: int, seconds: float) -> Chain:
    """How soon the server of link ``index`` answers, measured once."""
    if not 0 < index < len(chain):
        return chain
    took = f"{max(round(seconds * 1000), 1)} ms"
    link = chain[index]
    told = replace(
        link,
        detail=" · ".join(filter(None, (link.detail, took))),
        facts=(*link.facts, f"Answered in {took} when it was opened"),
    )
    return (*chain[:index], told, *chain[index + 1 :])


def broken(chain: Chain, failure: Failure | None = None, *, index: int = 0) -> Chain:
    """The link that was busy is the one that broke, else link ``index`` if that is not 0."""
    busy = next((n for n, link in enumerate(chain) if link.state == "busy"), index)
    if not 0 < busy < len(chain):
        return chain
    link = replace(chain[busy], state="bad")
    if failure:
        detail = _SHORT.get(failure.code, link.detail if link.state == "busy" else "stopped here")
        link = replace(link, detail=detail, facts=tuple(filter(None, (failure.title, failure.hint))))
    beyond = (replace(later, state="todo", detail="not reached", facts=()) for later in chain[busy + 1 :])
    return (*chain[:busy], link, *beyond)


def complete(
    chain: Chain,
    hops: int,
    nodes: tuple[NodeInfo, ...],
    *,
    counts: Counts | None = None,
    select: Selector = Selector(),
) -> Chain:
    """All hops are up and the survey is over: what lies behind them follows."""
    up = [_passed(link) for link in chain[: 1 + hops]]
    seen = {n.runtime for n in nodes if n.container and n.runtime}
    engines = sorted(seen | set(counts or {}))
    behind = [_engine(engine, nodes, (counts or {}).get(engine), select) for engine in engines]
    inside = _container(nodes, select)
    if inside and up[-1].label == inside.label:  # the way ended in that container
        up[-1], behind, inside = replace(inside, state="ok"), [], None
    return (*up, *behind, *([inside] if inside else []), _nodes(nodes))


def _engine(
    engine: str, nodes: tuple[NodeInfo, ...], counted: tuple[int, int] | None, select: Selector
) -> Link:
    homes = {n.container: n.container_id for n in nodes if n.runtime == engine and n.container}
    facts = tuple(f"{name} has a node" for name in sorted(filter(None, homes))[:_LISTED])
    if counted is None:
        return Link(engine.capitalize(), "ok", f"{count(len(homes), 'container')} with nodes", facts)
    running, meant = counted
    fit = f"{meant or 'none'} {'matches' if meant == 1 else 'match'}" if select.narrows else ""
    with_nodes = f"{len(homes) or 'none'} with nodes"
    detail = f"{count(running, 'container')}, {fit or with_nodes}"
    wanted = (f"Containers wanted: {select.label_text}",) if select.narrows else ()
    return Link(engine.capitalize(), "ok" if homes else "warn", detail, (*wanted, *facts))


def _container(nodes: tuple[NodeInfo, ...], select: Selector) -> Link | None:
    """The container in which all reachable nodes are, or those that the profile means."""
    able = [n for n in nodes if n.reachable] or list(nodes)
    homes = {n.container for n in able}
    if len(homes) == 1 and able[0].container:
        node = able[0]
        detail = " · ".join(filter(None, (node.image, node.address)))
        facts = (
            f"Container {(node.container_id or '')[:12]}",
            *((f"Image {node.image}",) if node.image else ()),
            *((f"Networks {', '.join(node.networks)}",) if node.networks else ()),
            *((f"Address {node.address}",) if node.address else ()),
        )
        return Link(node.container or "", "ok", detail, facts)
    if select.narrows and len(homes) > 1:
        return Link(
            select.label_text, "ok", count(len(homes), "container"), tuple(map(str, sorted(map(str, homes))))
        )
    return None


def _nodes(nodes: tuple[NodeInfo, ...]) -> Link:
    able = [n for n in nodes if n.reachable]
    closed = len(nodes) - len(able)
    listed = (*able, *(n for n in nodes if not n.reachable))
    facts = tuple(map(_fact, listed[:_LISTED]))
    if len(listed) > _LISTED:
        facts = (*facts, f"and {len(listed) - _LISTED} more")
    if not able:
        detail = f"{count(closed, 'node')} can't be reached" if closed else "none was found"
        return Link("No node", "warn", detail, facts)
    label = able[0].node if len(able) == 1 else count(len(able), "node")
    told = (_otps(able), "hidden, no mesh")
    detail = f"{closed} more can't be reached" if closed else " · ".join(filter(None, told))
    return Link(label, "ok", detail, facts)


def _otps(nodes: list[NodeInfo]) -> str:
    known = sorted({n.otp for n in nodes if n.otp})
    return f"OTP {', '.join(known)}" if len(known) <= 3 and known else ""


def _fact(node: NodeInfo) -> str:
    where = f" in {node.container}" if node.container else ""
    return f"{node.node}{where}: {'ready' if node.reachable else node.why_not or 'not reachable'}"


def gone(node: NodeInfo) -> NodeInfo:
    """The node, known to have gone down."""
    return replace(node, reachable=False, why_not=DOWN, forward=None, alias=None)


def without(nodes: tuple[NodeInfo, ...], key: str) -> tuple[NodeInfo, ...]:
    """The nodes, with the one of this key gone down."""
    return tuple(gone(node) if node.key == key else node for node in nodes)


def count(number: int, noun: str) -> str:
    """The number with its noun: ``1 node``, ``3 nodes``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def problem_of(failure: Failure) -> Problem:
    """The Failure as data."""
    key = failure.key if isinstance(failure, BadHostKey) else None
    return Problem(failure.title, failure.hint, failure.code, failure.retry, key)
