"""``spyglass forward --alias`` and ``spyglass helper``: nodes at their own addresses on this computer."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from spyglass.aliases import EPMD, Aliases
from spyglass.cli.terminal import say
from spyglass.errors import Failure
from spyglass.loopback import client, install
from spyglass.status import NodeInfo, Phase

if TYPE_CHECKING:
    from spyglass.cli.commands import Run

_BEFORE = (
    "The address goes on this computer's loopback interface, and is taken away when this ends. "
    "That takes root's rights once: {how}."
)


def hold(run: Run, chosen: Sequence[NodeInfo], options: argparse.Namespace) -> int:
    """Let the nodes answer at their addresses until Ctrl-C; those that come back are led to again."""
    helper = client.Helper(lambda: _command(options), once=True)
    with Aliases(options.target, lambda: run.session, helper) as aliases:

        def gone(address: str, reason: str) -> None:
            say(f"{address} is not answered any more: {reason}.")
            aliases.drop(address)

        helper.on_gone = gone
        told = _open(run, aliases, chosen, options.alias)
        if not told:
            raise Failure(
                "No node there can have an address here", "The reasons stand above.", code="no-alias"
            )
        say("Held until Ctrl-C.")
        while True:
            before = run.terminal.last
            status = run.terminal.reach(lambda s, before=before: s is not before)  # type: ignore[misc]
            if status.phase is Phase.READY and status.surveyed:
                _open(
                    run,
                    aliases,
                    [n for n in status.nodes if n.node in told and n.reachable],
                    options.alias,
                    told,
                )


def _open(
    run: Run, aliases: Aliases, chosen: Sequence[NodeInfo], asked: str, told: frozenset[str] = frozenset()
) -> frozenset[str]:
    """Open what can be opened; tell of each what is new; return the names of those that are open."""
    opened = set()
    for info in chosen:
        found = run.session.match(info.key)
        if found is None:
            continue
        try:
            address, port, epmd = aliases.open(found, asked)
        except Failure as failure:
            if len(chosen) == 1 and not told:
                raise
            say(f"{info.node}: {failure.title}.")
            continue
        opened.add(info.node)
        if info.node not in told:
            print(f"{info.node}  {address}:{port}\n  {tool(info, epmd)}", flush=True)
    return frozenset(opened)


def tool(info: NodeInfo, epmd_port: int = EPMD) -> str:
    """What to type in one's own shell to be on the node, in Elixir's or Erlang's words.

    The environment keeps the epmd that is started along off the node's address; hidden, as a
    visible node from outside is thrown out of a cluster and upsets it.
    """
    port = f" ERL_EPMD_PORT={epmd_port}" if epmd_port != EPMD else ""
    long = info.name_type != "short"
    name = "name me@127.0.0.1" if long else "sname me@localhost"
    if info.elixir:
        line = f'iex --hidden --{name} --cookie "$COOKIE" --remsh {info.node}'
    else:
        line = f'erl -hidden -{name} -setcookie "$COOKIE" -remsh {info.node}'
    return f"ERL_EPMD_ADDRESS=127.0.0.1{port} {line}"


def _command(options: argparse.Namespace) -> list[str]:
    command = client.trusted(terminal=sys.stdin.isatty(), ask=not options.batch)
    say(
        _BEFORE.format(
            how="sudo may ask for your password" if command[0] == "sudo" else "a window asks for a password"
        )
    )
    return command


def helper(_options: argparse.Namespace) -> int:
    """Print what installs the helper."""
    say(f"{install.state()} These commands install it, with the rights that it must have:")
    print("\n".join(install.commands()))
    say(f"To remove it: {install.removal()}")
    return 0
