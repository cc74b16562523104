"""What the window says about a connection: pure functions of Status, no Qt.

The list, the header, the chain and (later) the tray all ask here, so they never differ.
Times are seconds since the epoch, as in :class:`spyglass.status.Status`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import Enum

from msgspec import Struct

from spyglass.profile import ContainerHop, EngineHop, KubernetesHop, Profile, SSHHop
from spyglass.status import Link, NodeInfo, Phase, Problem, Status

TABS = ("Nodes", "Forwards", "Log")
BUSY = frozenset({Phase.CONNECTING, Phase.DISCOVERING, Phase.FORWARDING})
_DOING = {
    Phase.CONNECTING: "Opening the way",
    Phase.DISCOVERING: "Looking for nodes",
    Phase.FORWARDING: "Setting up forwards",
    Phase.CLOSING: "Closing",
}
_SHORT = {
    Phase.CONNECTING: "opening",
    Phase.DISCOVERING: "looking",
    Phase.FORWARDING: "opening",
    Phase.CLOSING: "closing",
    Phase.WAITING: "waiting",
}
_ASKED = {
    "HostKey": "Waiting for you: is this the right server?",
    "Secret": "Waiting for you: a password or a code",
    "Choice": "Waiting for you: a choice",
    "Consent": "Waiting for your consent",
}


class Verb(Enum):
    """What the header's buttons can do."""

    CONNECT = "Connect"
    CANCEL = "Cancel"
    OBSERVE = "Observe"
    RETRY = "Retry now"
    AGAIN = "Try again"
    DISCONNECT = "Disconnect"
    EDIT = "Edit"
    SAVE = "Save…"
    TOGETHER = "Observe all"
    REFRESH = "Look again"
    GIVE_UP = "Stop waiting"


class Buttons(Struct, frozen=True):
    """The one primary button, its objects, and what stands quietly beside it."""

    primary: Verb
    nodes: tuple[NodeInfo, ...] = ()
    others: tuple[Verb, ...] = ()

    @property
    def text(self) -> str:
        """The primary button's words: the verb and its object."""
        if self.primary is not Verb.OBSERVE or not self.nodes:
            return self.primary.value
        return f"Observe {several(self.nodes)}"


def buttons(status: Status, chosen: Sequence[NodeInfo] = ()) -> Buttons:
    """Which buttons fit; ``chosen`` are the selected nodes, else the first reachable one counts."""
    if status.phase is Phase.READY:
        able = tuple(node for node in chosen if node.reachable) or first_reachable(status.nodes)
        return Buttons(Verb.OBSERVE, able, (Verb.DISCONNECT,)) if able else Buttons(Verb.DISCONNECT)
    if status.phase in BUSY:
        return Buttons(Verb.CANCEL)
    if status.phase is Phase.CLOSING:
        return Buttons(Verb.DISCONNECT)
    if status.phase is Phase.WAITING:
        return Buttons(Verb.RETRY, (), (Verb.CANCEL,))
    return Buttons(Verb.AGAIN if status.phase is Phase.FAILED else Verb.CONNECT, (), (Verb.EDIT,))


def first_reachable(nodes: Iterable[NodeInfo]) -> tuple[NodeInfo, ...]:
    """The first node that Observer can be opened on, if there is one."""
    return tuple(node for node in nodes if node.reachable)[:1]


def shape(status: Status) -> str:
    """The state's shape: ``ok`` ``off`` ``busy`` ``warn`` ``bad`` (see :mod:`spyglass.ui.icons`)."""
    if status.question or status.phase is Phase.WAITING:
        return "warn"
    if status.phase in BUSY or status.phase is Phase.CLOSING:
        return "busy"
    return {Phase.READY: "ok", Phase.FAILED: "bad"}.get(status.phase, "off")


def headline(status: Status, now: float) -> str:
    """The state in words, one line, for the header."""
    if status.question:
        return _ASKED.get(status.question, "Waiting for your answer")
    if status.phase is Phase.READY:
        parts = ["Connected", count(len(status.nodes), "node"), _lasting(status, now), status.doing]
        return " · ".join(p for p in parts if p)
    if status.phase is Phase.FAILED:
        where = next((link.label for link in status.chain if link.state == "bad"), "")
        return f"Stopped at {where}" if where else "Stopped"
    if status.phase is Phase.WAITING:
        return f"Not connected · {_next_try(status, now)}"
    if status.phase in _DOING:
        doing = status.doing or _DOING[status.phase]
        return doing[:1].upper() + doing[1:]
    return "Offline"


def _lasting(status: Status, now: float) -> str:
    lasted = now - status.since
    return duration(lasted) if status.since and lasted >= 60 else ""


def _next_try(status: Status, now: float) -> str:
    which = f"try {status.attempt + 1}"
    wait = int((status.next_try or now) - now + 0.999)
    return f"{which} in {wait} s" if wait > 0 else f"{which} now"


def seconds_to_change(status: Status, now: float) -> float | None:
    """When :func:`headline` will read differently by time alone; None: never."""
    if status.phase is Phase.WAITING and (status.next_try or 0) > now:
        return ((status.next_try or now) - now) % 1.0 or 1.0
    if status.phase is Phase.READY and status.since:
        return 60.0 - (now - status.since) % 60.0
    return None


def short(status: Status) -> str:
    """The right end of a row in the list."""
    if status.question or (status.phase is Phase.FAILED and not (status.problem and status.problem.retry)):
        return "needs you"
    if status.phase is Phase.READY:
        return count(len(status.nodes), "node")
    return "stopped" if status.phase is Phase.FAILED else _SHORT.get(status.phase, "")


_KINDS = {
    SSHHop: "SSH server",
    ContainerHop: "container",
    EngineHop: "container engine",
    KubernetesHop: "cluster",
}


def chain(profile: Profile, status: Status) -> tuple[Link, ...]:
    """The links to draw: those of the status with what lies behind, or the way as planned while offline."""
    if status.chain and status.phase is not Phase.OFFLINE:
        return status.chain if status.surveyed else (*status.chain, *_behind(profile, status))
    hops = [(hop.label, _KINDS[type(hop)]) for hop in profile.hops]
    planned = [("This computer", "Observer opens here"), *hops, *_ends(profile)]
    return tuple(Link(label, "todo", detail) for label, detail in planned)


def _ends(profile: Profile) -> list[tuple[str, str]]:
    """What lies behind the hops, with what is to be known of it before it is reached."""
    inside = [("Engine", "Docker, Podman …"), (profile.select.label_text, "container")]
    return [*(inside if profile.select.narrows else []), (profile.select.node or "Nodes", "found on the way")]


def _behind(profile: Profile, status: Status) -> list[Link]:
    """What the search will find: waiting for it, under way, or out of reach."""
    if status.phase in {Phase.DISCOVERING, Phase.FORWARDING}:
        *before, last = _ends(profile)
        looking = count(len(status.nodes), "node") + " so far" if status.nodes else "looking"
        return [*(Link(label, "todo") for label, _ in before), Link(last[0], "busy", looking)]
    return [Link(label, "todo", "not reached") for label, _ in _ends(profile)]


def problem(status: Status) -> Problem | None:
    """What the page has to explain: why it stopped, else the newest trouble with a node."""
    if status.phase in {Phase.FAILED, Phase.WAITING, Phase.CLOSING}:
        return status.problem
    told = [trouble for key, trouble in status.troubles.items() if key not in status.awaited]
    return told[-1] if status.phase is Phase.READY and told else None


def awaiting(status: Status, now: float) -> str:
    """Whom a connection waits for, and when it looks for them next."""
    names = {node.key: node.node for node in status.nodes}
    away = [names.get(key, key.rpartition("/")[2]) for key in sorted(status.awaited)]
    who = away[0] if len(away) == 1 else f"{len(away)} nodes ({', '.join(away)})"
    if status.next_try is None:
        return f"Waiting for {who} to come back · looking now"
    wait = int(status.next_try - now + 0.999)
    return f"Waiting for {who} to come back · next look {f'in {wait} s' if wait > 0 else 'now'}"


def node_state(node: NodeInfo, observing: frozenset[str]) -> str:
    """A node's state in a word or, where it cannot be reached, the reason."""
    if node.key in observing:
        return "observed"
    if node.cookie.proved is False:
        return "cookie refused"
    return "ready" if node.reachable else node.why_not or "not reachable"


def several(nodes: Sequence[NodeInfo]) -> str:
    """The one node's name, or how many they are."""
    return nodes[0].node if len(nodes) == 1 else count(len(nodes), "node")


def count(number: int, noun: str) -> str:
    """``1 node``, ``3 nodes``, ``no nodes``."""
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"


def duration(seconds: float) -> str:
    """``3 min``, ``2 h 14 min``, ``5 d 2 h``."""
    minutes = int(seconds // 60)
    hours, days = minutes // 60, minutes // 1440
    if days:
        return f"{days} d {hours % 24} h"
    return f"{hours} h {minutes % 60} min" if hours else f"{minutes} min"


def grouped(number: float) -> str:
    """``1 284``: thousands apart by a narrow space that breaks no line."""
    return f"{int(number):,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def size(number: float) -> str:
    """Bytes as ``212 MB``, ``9.5 MB``, ``12.3 GB``."""
    megabytes = number / 2**20
    if megabytes >= 10_000:
        return f"{megabytes / 1024:.1f} GB"
    return f"{megabytes:.1f} MB" if megabytes < 10 else f"{grouped(round(megabytes))} MB"


def percent(part: float) -> str:
    """``12 %``; nothing where it is not known (below 0)."""
    return f"{round(part * 100)} %" if part >= 0 else ""


def uptime(seconds: float) -> str:
    """``41 s``, else as :func:`duration`."""
    return f"{int(seconds)} s" if seconds < 60 else duration(seconds)


def elided(text: str, most: int = 48) -> str:
    """At most that many characters, shortened in the middle."""
    if len(text) <= most:
        return text
    head = (most - 1) // 2
    return f"{text[:head]}…{text[-(most - 1 - head) :]}"


def empty_nodes(profile: Profile, status: Status) -> tuple[str, str, str]:
    """Title, text and action where the nodes would be."""
    if status.phase is Phase.READY:
        what = profile.select.node or profile.select.label_text
        where = (
            f"Nothing there fits {what}." if what else "No BEAM node runs there, or none that may be seen."
        )
        below = " The line below says what was looked at." if status.warnings else ""
        return "No node found", f"{where}{below}", "Look again"
    if status.phase in BUSY or status.phase is Phase.WAITING:
        return "No node yet", "Nodes show up here as soon as the way to them is open.", ""
    if status.phase is Phase.FAILED:
        return "No node", "The way to the nodes is broken; what to do stands above.", ""
    text = "Connecting opens the way and lists every BEAM node there, in containers and outside."
    return "Nodes show up here", text, "" if status.phase is Phase.CLOSING else "Connect"


def empty_forwards(status: Status) -> tuple[str, str, str]:
    """Title, text and action where the forwards would be."""
    offline = status.phase is Phase.OFFLINE
    text = "Each node gets an address on this computer, 127.0.0.1 and a free port, while connected."
    return "No forward is open", text, "Connect" if offline else ""


def footer(status: Status) -> str:
    """What discovery has to remark, in one line."""
    refused = [node.node for node in status.nodes if node.cookie.proved is False]
    closed = sum(not node.reachable for node in status.nodes) - len(
        [n for n in status.nodes if not n.reachable and n.cookie.proved is False]
    )
    parts = list(status.warnings)
    if refused:
        parts.append(f"{count(len(refused), 'node')} refused our cookie: {', '.join(refused)}")
    if closed:
        parts.append(f"{count(closed, 'node')} can't be reached")
    return "    ".join(parts) or (route_remark(status) if status.phase is Phase.READY else "")


def route_remark(status: Status) -> str:
    """What is true of every forward, said where there is nothing else to say."""
    open_ = sum(1 for node in status.nodes if node.forward)
    return f"{count(open_, 'forward')} open on 127.0.0.1, for this user only" if open_ else ""
