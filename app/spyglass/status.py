"""The states of a connection, as values.

``Phase`` and ``TRANSITIONS`` are the whole state machine; everything finer (which hop,
which question, when the next try comes) is a field of the immutable :class:`Status`
that a connection publishes at each change.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from enum import Enum

from msgspec import Struct, field

from spyglass.errors import WrongKey


class Phase(Enum):
    """What a connection is doing."""

    OFFLINE = "offline"
    CONNECTING = "connecting"
    DISCOVERING = "discovering"
    FORWARDING = "forwarding"
    READY = "ready"
    CLOSING = "closing"
    WAITING = "waiting"
    FAILED = "failed"


DOWN = "it went down"
"""Why a node cannot be reached that is gone, until it is looked for again."""

_BUSY = {Phase.CONNECTING, Phase.DISCOVERING, Phase.FORWARDING}

TRANSITIONS: dict[Phase, frozenset[Phase]] = {
    Phase.OFFLINE: frozenset({Phase.CONNECTING}),
    Phase.CONNECTING: frozenset({Phase.DISCOVERING, Phase.CLOSING}),
    Phase.DISCOVERING: frozenset({Phase.FORWARDING, Phase.CLOSING}),
    Phase.FORWARDING: frozenset({Phase.READY, Phase.CLOSING}),
    Phase.READY: frozenset({Phase.READY, Phase.DISCOVERING, Phase.CLOSING}),
    Phase.CLOSING: frozenset({Phase.OFFLINE, Phase.WAITING, Phase.FAILED}),
    Phase.WAITING: frozenset({Phase.CONNECTING, Phase.OFFLINE}),
    Phase.FAILED: frozenset({Phase.CONNECTING, Phase.OFFLINE}),
}


def advance(now: Phase, then: Phase) -> Phase:
    """Return ``then`` if it may follow ``now``; raise ValueError otherwise (a defect of ours)."""
    if then is not now and then not in TRANSITIONS[now]:
        raise ValueError(f"{now.value} cannot become {then.value}")
    return then


class Cookie(Struct, frozen=True):
    """What may be told of a cookie: never its value."""

    found: bool = False
    source: str | None = None
    proved: bool | None = None


class Problem(Struct, frozen=True):
    """A Failure as data, for showing it: see :class:`spyglass.errors.Failure`.

    ``key``: the host key that must not be trusted, where that is the problem.
    """

    title: str
    hint: str = ""
    code: str = "failed"
    retry: bool = False
    key: WrongKey | None = None


class Alias(Struct, frozen=True):
    """A node's own address on this computer, or (``problem``) why it has none.

    ``port`` is its distribution there, ``epmd_port`` its epmd. ``command`` is what to type in a terminal
    to be on the node with a tool of one's own, either way; no cookie is in it.
    """

    address: str = ""
    port: int = 0
    epmd_port: int = 0
    command: str = ""
    problem: Problem | None = None


class NodeInfo(Struct, frozen=True):
    """One BEAM node (or a thing that looks like one), as discovery found it.

    ``key`` identifies it within a connection. ``port`` is the distribution port as seen
    from the last hop, ``forward`` the port of our listener on 127.0.0.1 once there is one;
    ``alias`` is None where no address of its own was wanted, or nothing is known yet.
    """

    key: str
    node: str
    reachable: bool
    why_not: str | None = None
    name_type: str | None = None
    hops: tuple[str, ...] = ()
    runtime: str | None = None
    container: str | None = None
    container_id: str | None = None
    image: str | None = None
    networks: tuple[str, ...] = ()
    address: str | None = None
    port: int | None = None
    via: str | None = None
    epmd_port: int | None = None
    hidden: bool | None = None
    otp: str | None = None
    tls: bool = False
    runtime_tools: bool | None = None
    elixir: bool | None = None
    cookie: Cookie = Cookie()
    forward: int | None = None
    alias: Alias | None = None


class Link(Struct, frozen=True):
    """One link of the chain: ``state`` is one of todo, busy, ok, warn, bad.

    ``detail`` is a few words; ``facts`` are lines for whoever looks closer.
    """

    label: str
    state: str
    detail: str = ""
    facts: tuple[str, ...] = ()


class Status(Struct, frozen=True):
    """Everything that can be told of one connection at one moment.

    ``chain`` runs from this computer to the place; ``observing`` holds the keys of the nodes
    whose Observer window is open, ``troubles`` what went wrong with single nodes (by key, or by
    what was asked for when there is no such node). ``awaited`` are the keys of nodes that went down
    while their window was open; it opens again when they are back. ``next_try`` (of connecting, or,
    when READY, of looking for those) and ``since`` are seconds since the epoch. ``surveyed`` says
    that discovery has seen everything once.
    """

    profile_id: str
    phase: Phase = Phase.OFFLINE
    doing: str = ""
    chain: tuple[Link, ...] = ()
    nodes: tuple[NodeInfo, ...] = ()
    warnings: tuple[str, ...] = ()
    observing: frozenset[str] = frozenset()
    problem: Problem | None = None
    attempt: int = 0
    next_try: float | None = None
    since: float = 0.0
    question: str | None = None
    troubles: Mapping[str, Problem] = field(default_factory=dict)
    surveyed: bool = False
    awaited: frozenset[str] = frozenset()


def overall(statuses: Iterable[Status]) -> str:
    """One word for the tray: ``attention`` over ``busy`` over ``on`` over ``idle``."""
    seen = list(statuses)
    if any(s.phase is Phase.FAILED or s.question for s in seen):
        return "attention"
    if any(s.phase in _BUSY or s.phase in {Phase.WAITING, Phase.CLOSING} for s in seen):
        return "busy"
    return "on" if any(s.phase is Phase.READY for s in seen) else "idle"


def backoff(attempt: int, roll: float | None = None) -> float:
    """Seconds to wait before try ``attempt`` (1, 2, 3 …): 1, 2, 4 … 60, each shortened by up to a fifth."""
    base = float(min(60, 2 ** min(max(attempt, 1) - 1, 6)))
    return base * (1 - 0.2 * (random.random() if roll is None else roll))  # noqa: S311 - jitter, no secret
