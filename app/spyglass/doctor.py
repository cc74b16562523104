"""The chain, link by link, with one remedy each: what ``spyglass doctor`` tells.

The checks of this computer need no connection; those of a target come from the same steps
that connecting takes, so what the doctor says is what happens.
"""

from __future__ import annotations

import os
import queue
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from spyglass.errors import Cancelled, Failure
from spyglass.options import Options
from spyglass.status import Phase, Status

if TYPE_CHECKING:
    from spyglass.hub import Hub
    from spyglass.profile import Profile
    from spyglass.remote.base import Stop
    from spyglass.session import Session
    from spyglass.status import NodeInfo


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the doctor's. ``state`` is ok, warn or bad; ``remedy`` only where it is not ok."""

    name: str
    state: str
    detail: str
    remedy: str = ""


class Visited(Protocol):
    """What a visit needs of a hub."""

    def erl(self) -> str:
        """The Erlang that the person chose, or empty."""

    def apart(self) -> Hub:
        """A hub with connections of its own."""


def this_computer(erl: str = "") -> Iterator[Check]:
    """What Spyglass needs here, whatever the target."""
    yield _erlang(erl)
    yield _display()
    yield _keyring()
    yield _agent()
    yield _ssh_config()


def visit(hub: Visited, profile: Profile, stop: Stop, tell: Callable[[str], None]) -> Iterator[Check]:
    """Every check of this computer and of the profile's way, by a connection of its own that ends after.

    ``tell`` hears what is being done. ``stop`` ends it (Cancelled). Blocks: not for the window's thread.
    """
    yield from this_computer(hub.erl())
    apart, heard = hub.apart(), queue.SimpleQueue[Status | None]()
    try:
        with stop.ending(lambda: heard.put(None)):
            apart.subscribe(heard.put)
            key = apart.connect(profile, Options(persist=False, boots="calls"))
            status = _came(heard, tell, stop)
            yield from chain(status)
            if status.phase is Phase.READY:
                tell("Asking the nodes")
                yield from nodes(status, apart.session(key))
    finally:
        apart.close()


def _came(heard: queue.SimpleQueue[Status | None], tell: Callable[[str], None], stop: Stop) -> Status:
    """The first status that decides."""
    while True:
        status = heard.get()
        stop.check()
        if status is None or status.phase is Phase.OFFLINE:
            raise Cancelled
        if status.phase is Phase.FAILED or (status.phase is Phase.READY and status.surveyed):
            return status
        tell(status.doing)


def chain(status: Status) -> Iterator[Check]:
    """The links of a connection that came up, or that broke at its last link."""
    for link in status.chain[1:]:
        state = {"ok": "ok", "warn": "warn"}.get(link.state, "bad")
        yield Check(link.label, state, link.detail or link.state)
        if state == "bad":
            break
    if status.problem:
        yield Check("problem", "bad", status.problem.title, status.problem.hint)
    for warning in status.warnings:
        yield Check("warning", "warn", warning)


def nodes(status: Status, session: Session) -> Iterator[Check]:
    """Each node found: reachable or why not; whether Observer finds what it needs there."""
    if not status.nodes:
        yield Check(
            "nodes",
            "warn",
            "no BEAM node is there",
            "Start one with a name: -name, -sname, or RELEASE_DISTRIBUTION.",
        )
    for info in status.nodes:
        yield _node(info, session)


def _node(info: NodeInfo, session: Session) -> Check:
    where = f"in {info.container}" if info.container else "on the host"
    if not info.reachable:
        return Check(info.node, "warn", f"{where}: {info.why_not}", "Observe it after that is mended.")
    told = f"{where}, OTP {info.otp}, cookie from {info.cookie.source}"
    try:
        vm, name = session.calling(info.key)
        backend = vm.check_backend(name)
    except Failure as failure:
        return Check(info.node, "bad", f"{told}; {failure.title}", failure.hint)
    if backend:
        return Check(info.node, "ok", told)
    return Check(
        info.node,
        "warn",
        f"{told}; no runtime_tools",
        "Spyglass can lend them when asked, or add :runtime_tools to extra_applications of the release.",
    )


def _erlang(erl: str) -> Check:
    from spyglass.erlang import runtime  # noqa: PLC0415 - late: the doctor is rarely called

    try:
        found = runtime.find(erl)
        runtime.modules(found)
    except Failure as failure:
        return Check("Erlang here", "bad", failure.title, failure.hint)
    return Check("Erlang here", "ok", f"OTP {found.otp} with Observer, {found.path}")


def _display() -> Check:
    if sys.platform != "linux" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        return Check(
            "display", "ok", os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or "native"
        )
    return Check("display", "warn", "there is none", "Observer needs one; nodes, rpc and shell work without.")


def _keyring() -> Check:
    from spyglass.store.secrets import Keyring  # noqa: PLC0415

    why_not = Keyring().why_not
    if why_not:
        return Check(
            "keyring", "warn", why_not, "Secrets are asked for and kept in memory until Spyglass ends."
        )
    return Check("keyring", "ok", "the system's keyring answers")


def _agent() -> Check:
    socket = os.environ.get("SSH_AUTH_SOCK", "")
    if not socket:
        return Check(
            "SSH agent",
            "warn",
            "none runs (SSH_AUTH_SOCK is not set)",
            "Key files are used; an agent saves typing passphrases.",
        )
    if not os.path.exists(socket):  # noqa: PTH110 - no Path needed for one question
        return Check(
            "SSH agent", "warn", f"its socket {socket} is gone", "Start the agent again, or log in again."
        )
    return Check("SSH agent", "ok", socket)


def _ssh_config() -> Check:
    from spyglass.remote import sshconfig  # noqa: PLC0415

    try:
        hosts = sshconfig.hosts()
    except Failure as failure:
        return Check("SSH configuration", "bad", failure.title, failure.hint)
    return Check("SSH configuration", "ok", f"{len(hosts)} named hosts")
