"""``spyglass scratch``: a node that is there only as long as somebody looks at it."""

from __future__ import annotations

import argparse
import secrets
from typing import TYPE_CHECKING

import msgspec

from spyglass.cli import commands, selecting
from spyglass.cli.terminal import say
from spyglass.erlang.scratch import Scratch
from spyglass.profile import Profile, Selector

if TYPE_CHECKING:
    from spyglass.cli.commands import Run
    from spyglass.remote.base import Remote


def run(options: argparse.Namespace) -> int:
    """Start the node, look at it, end it. With ``--hold``: until Ctrl-C."""
    selecting.refuse_all_but("container", options, "`spyglass scratch` starts its node on the host")
    short = f"scratch_{secrets.token_hex(3)}"
    cookie = commands.cookie_of(options) or secrets.token_hex(16)
    profile = commands.profile_of(options)
    ours = _only(profile, f"{short}_*")
    with commands.connected(
        options, "" if options.hold else "window", persist=options.hold, profile=ours, cookie=cookie
    ) as run:
        run.surveyed()
        with Scratch(_place(run, profile), cookie, short) as scratch:
            say(f"{scratch.node} runs Erlang/OTP {scratch.otp}, and ends with this command.")
            if options.hold:
                _hold(run, scratch)
            commands.watch(run, scratch.node)
    return 0


def _only(profile: Profile, pattern: str) -> Profile:
    """The same way, with nothing but our node to be found at its end; the cookie is for no other."""
    select = Selector(container=profile.select.container, node=pattern)
    return msgspec.structs.replace(profile, select=select)


def _place(run: Run, profile: Profile) -> Remote:
    remote = run.session.remote
    if not profile.select.container:
        return remote
    from spyglass.remote import container  # noqa: PLC0415 - most scratch nodes run on the host

    return container.find(remote, profile.select.container)


def _hold(run: Run, scratch: Scratch) -> None:
    run.hub.refresh(run.profile)
    status = run.terminal.reach(lambda s: any(n.node == scratch.node for n in s.nodes))
    info = next(n for n in status.nodes if n.node == scratch.node)
    print(f"{info.node}  127.0.0.1:{info.forward}", flush=True)
    say("Held until Ctrl-C.")
    run.terminal.reach(lambda s: all(n.node != scratch.node for n in s.nodes))
