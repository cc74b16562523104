"""``spyglass forward --alias`` and ``spyglass helper``: nodes at their own addresses on this computer."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from spyglass import owntools
from spyglass.aliases import Aliases
from spyglass.cli.output import plain, print_failure
from spyglass.cli.terminal import input_line, say
from spyglass.errors import Cancelled, Failure
from spyglass.loopback import client, install, pool
from spyglass.status import NodeInfo, Phase, Status

if TYPE_CHECKING:
    from spyglass.cli.commands import Run
    from spyglass.erlang.found import Found

Held = dict[str, tuple["NodeInfo", str]]
"""The nodes that are held, by name, each with its address here; empty: it could not be had yet."""
_BEFORE = (
    "The address goes on this computer's loopback interface, and is taken away when this ends. "
    "That takes root's rights once: {how}."
)
_EVERYONE = "Every user of this computer is let in there, as this profile says."
_BY_HAND = "These commands install it, with the rights that it must have"
_FROM_PACKAGE = "It comes with the package spyglass; this installs that anew"


def hold(run: Run, chosen: Sequence[NodeInfo], asked: str, *, batch: bool) -> int:
    """Let the nodes answer at their addresses until Ctrl-C; those that come back are led to again."""
    helper = client.Helper(lambda: _command(run, batch=batch), once=True)
    profile = run.hub.profile(run.profile)
    everyone = profile.alias_everyone
    with Aliases(profile.name, lambda: run.session, helper, everyone=everyone) as aliases:

        def gone(address: str, reason: str) -> None:
            say(f"{address} is not answered any more: {reason}.")
            aliases.drop(address)

        helper.on_gone = gone
        held: Held = {}
        _open(run, aliases, chosen, asked, held)
        if not held:
            raise Failure(
                "No node there can have an address here", "The reasons stand above.", code="no-alias"
            )
        say(f"{owntools.COOKIE}{f' {_EVERYONE}' * everyone}\nHeld until Ctrl-C.")
        while True:
            before = run.terminal.last
            status = run.terminal.reach(lambda s, before=before: s is not before)  # type: ignore[misc]
            if status.phase is Phase.READY and status.surveyed:
                _again(run, aliases, status.nodes, asked, held)


def _again(run: Run, aliases: Aliases, nodes: Sequence[NodeInfo], asked: str, held: Held) -> None:
    """After a search: lead to where the nodes are by now; one of another name has another address."""
    for old, new in renamed([info for info, _ in held.values()], nodes):
        say(plain(f"{old.node} is {new.node} now."))
        _, address = held.pop(old.node)
        held[new.node] = new, ""
        if address not in {each for _, each in held.values()}:
            aliases.release(address)
    _open(run, aliases, [n for n in nodes if n.node in held and n.reachable], asked, held)


def renamed(known: Sequence[NodeInfo], nodes: Sequence[NodeInfo]) -> list[tuple[NodeInfo, NodeInfo]]:
    """Which of the known nodes are gone, with who is in their place: the same but for its name's host."""
    there, names = {n.node for n in nodes}, {n.node for n in known}
    found = []
    for old in (each for each in known if each.node not in there):
        new = [n for n in nodes if n.reachable and n.node not in names and _place(n) == _place(old)]
        if len(new) == 1:
            found.append((old, new[0]))
    return found


def _place(info: NodeInfo) -> tuple[str, str]:
    """Where it lives, and the part of its name that is its own."""
    return info.key.removesuffix(info.node), info.node.partition("@")[0]


def _open(run: Run, aliases: Aliases, chosen: Sequence[NodeInfo], asked: str, held: Held) -> None:
    """Open what can be opened, tell of each what is new, and note it in ``held``."""
    first = not held
    for info in chosen:
        found = run.session.match(info.key)
        if found is None:
            continue
        try:
            address, port, epmd = _opened(run, aliases, found, asked, first=first)
        except Failure as failure:
            if len(chosen) == 1 and first:
                raise
            say(plain(f"{info.node}: {failure.title}."))
            if first and (line := routed(info)):
                say(plain(f"  {line}"))
            continue
        if info.node not in held or not held[info.node][1]:
            line = owntools.at_address(info, epmd)
            print(f"{info.node}  {address}:{port}\n  {line}", flush=True)
        held[info.node] = info, address


def _opened(run: Run, aliases: Aliases, found: Found, asked: str, *, first: bool) -> tuple[str, int, int]:
    """The node at its address. Whoever can clear a taken port away is offered another try."""
    while True:
        try:
            return aliases.open(found, asked)
        except Failure as failure:
            if failure.code != "port-taken" or not first or not run.terminal.may_ask:
                raise
            print_failure(failure)
        try:
            input_line("Press Enter to try again, or Ctrl-C to end. ")
        except EOFError:
            raise Cancelled from None


def tell(status: Status, told: dict[str, str]) -> None:
    """Print what has become of the nodes' addresses since it was told."""
    for info in status.nodes:
        if info.alias is None:
            continue
        problem = info.alias.problem
        if problem:
            text = f"{info.node}: {problem.title}.\n  {problem.hint}"
        else:
            text = f"{info.node}  {info.alias.address}:{info.alias.port}"
        if told.get(info.key) != text:
            told[info.key] = text
            print(plain(f"{text}\n  {info.alias.command}".rstrip(), lines=True), flush=True)


def routed(info: NodeInfo) -> str:
    """The line for one's own tool on a node that is reached by its forward; empty without an Erlang here."""
    from spyglass.cli.commands import chosen_erl  # noqa: PLC0415 - it imports us
    from spyglass.erlang import runtime  # noqa: PLC0415 - compiles at first use

    try:
        return owntools.by_route(info, runtime.modules(runtime.find(chosen_erl(), window=False)))
    except Failure:
        return ""


def _command(run: Run, *, batch: bool) -> list[str]:
    command = client.trusted(terminal=run.terminal.may_ask, ask=not batch)
    how = "sudo may ask for your password" if command[0] == "sudo" else "a window asks for a password"
    say(_BEFORE.format(how=how))
    return command


def helper(_options: argparse.Namespace) -> int:
    """Print what installs the helper; on a Mac, what has the pool of addresses added."""
    if sys.platform == "win32":
        say("Nothing has to be installed: the addresses of 127.0.0.0/8 are there, and others can't be had.")
        return 0
    if sys.platform == "darwin":
        say(f"{pool.state()} These commands have them added now, and at each start:")
        commands, removal = pool.commands(), pool.removal()
    else:
        say(f"{install.state()} {_FROM_PACKAGE if install.packaged() else _BY_HAND}:")
        commands, removal = install.commands(), install.removal()
    print("\n".join(commands))
    say(f"To remove it: {removal}")
    return 0
