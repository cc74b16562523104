"""The subcommands that reach a node: connect, do one thing, leave nothing behind."""

from __future__ import annotations

import argparse
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from spyglass import log
from spyglass.cli import api, selecting, tls
from spyglass.cli.terminal import Terminal, say
from spyglass.errors import BadInput, Failure, NeedsAnswer
from spyglass.hub import Hub
from spyglass.loopback import client
from spyglass.options import Boots, Follows, Options
from spyglass.owntools import COOKIE
from spyglass.profile import Profile, SSHHop, check, parse_hop, parse_target
from spyglass.questions import Choice
from spyglass.status import NodeInfo, Phase, Status
from spyglass.store import paths
from spyglass.store.profiles import Profiles, slug
from spyglass.store.settings import load as load_settings

if TYPE_CHECKING:
    from spyglass.session import Session


@dataclass
class Run:
    """One command's connection."""

    hub: Hub
    terminal: Terminal
    profile: str

    @property
    def session(self) -> Session:
        """The connected period."""
        return self.hub.session(self.profile)

    def surveyed(self) -> Status:
        """Wait until everything that is there was seen."""
        return self.terminal.reach(lambda status: status.phase is Phase.READY and status.surveyed)


def profile_of(options: argparse.Namespace) -> Profile:
    """The profile that TARGET and the options mean."""
    saved, broken = Profiles(paths.current().profiles).load()
    for failure in broken:
        if f"{slug(options.target)}.toml" in failure.title and all(p.name != options.target for p in saved):
            raise failure  # this target is meant, and its file can't be used
    profile = parse_target(options.target, {p.name: p for p in saved}).profile
    hops = profile.hops
    if options.jump:
        hops = (*(parse_hop(text) for text in options.jump), *hops)
    if options.identity:
        if not hops or not isinstance(hops[-1], SSHHop):
            raise BadInput("--identity is for an SSH host", "Leave it out for `local` and tcp://.")
        hops = (*hops[:-1], msgspec.structs.replace(hops[-1], identity=options.identity))
    hops = api.applied(hops, options)
    select = selecting.selected(profile.select, options)
    files, key = tls.named(profile.tls, options), profile.id or uuid.uuid4().hex
    return check(msgspec.structs.replace(profile, hops=hops, select=select, tls=files, id=key))


def chosen_erl() -> str:
    """The Erlang that the person chose in the settings, or an empty text: search."""
    return load_settings(paths.current().settings)[0].erl


def cookie_of(options: argparse.Namespace) -> str | None:
    """The cookie in --cookie-file: its first line. Raises BadInput."""
    name = options.cookie_file
    if not name:
        return None
    try:
        text = sys.stdin.readline() if name == "-" else Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(
            f"The cookie file {name} can't be read: {getattr(error, 'strerror', None) or 'not a text'}",
            "Check --cookie-file.",
        ) from None
    cookie = text.split("\n", 1)[0].strip()
    if not cookie:
        raise BadInput(f"The cookie file {name} is empty", "It has to hold the cookie on its first line.")
    return log.forget(cookie)


@contextmanager
def connected(
    options: argparse.Namespace,
    boots: Boots = "",
    *,
    persist: bool = False,
    profile: Profile | None = None,
    cookie: str | None = None,
    aliases: bool = False,
    follow: Follows = "",
) -> Iterator[Run]:
    """Connect to the target, or to ``profile``; everything is gone when this is left.

    ``aliases``: nodes get addresses of their own if the profile says so. ``follow``: see Options.
    """
    terminal = Terminal(batch=options.batch, agrees=getattr(options, "lend", False))
    hub = Hub(
        Profiles(paths.current().profiles),
        terminal.ask,
        erl=chosen_erl,
        withdraw=terminal.withdraw,
        elevate=partial(client.trusted, terminal=terminal.may_ask, ask=terminal.may_ask),
    )
    hub.subscribe(terminal.hear)
    try:
        key = hub.connect(
            profile or profile_of(options),
            Options(persist, boots, cookie or cookie_of(options), follow, aliases),
        )
        yield Run(hub, terminal, key)
    finally:
        terminal.clear()
        hub.close()


def nodes(options: argparse.Namespace) -> int:
    """``spyglass nodes TARGET``."""
    from spyglass.cli import listing  # noqa: PLC0415 - its turn comes late

    return listing.watch(options) if options.watch else listing.once(options)


def observe(
    options: argparse.Namespace, opened: Callable[[], None] | None = None, *, stay: bool = True
) -> int:
    """``spyglass observe TARGET [NODE]``: until the window closes, or only until ``opened`` is done."""
    with connected(options, "window", follow="events" if options.all else "") as run:
        if options.all and not options.node:
            wanted = first(run).key
        else:
            wanted = options.node if "@" in options.node else choose(run, options.node).key
        watch(run, wanted, opened, stay=stay, company=options.all)
    return 0


def first(run: Run) -> NodeInfo:
    """The first node that can be reached, by name. Raises Failure where there is none."""
    able = sorted((n for n in run.surveyed().nodes if n.reachable), key=lambda n: n.node)
    return able[0] if able else choose(run, "")


def watch(
    run: Run,
    wanted: str,
    opened: Callable[[], None] | None = None,
    *,
    stay: bool = True,
    company: bool = False,
) -> None:
    """Open Observer on the node of this key or name, and stay until its window closes."""
    run.hub.observe(run.profile, wanted, company=company)
    status = run.terminal.reach(lambda status: bool(status.observing or status.troubles))
    _raise_trouble(status)
    if opened is not None:
        opened()
    if stay:
        say(f"Observer is open on {_names(status)}; close its window or press Ctrl-C to end.")
        _raise_trouble(run.terminal.reach(_no_window))


def shell(options: argparse.Namespace) -> int:
    """``spyglass shell TARGET [NODE]``: the terminal is the shell's until it ends."""
    with connected(options, "calls") as run:
        node = choose(run, options.node)
        banner, attach = run.session.shell(node.key)
        run.terminal.clear()
        say(banner)
        return attach()


def rpc(options: argparse.Namespace) -> int:
    """``spyglass rpc TARGET NODE M F [TERM …]``."""
    with connected(options, "calls") as run:
        node = choose(run, options.node)
        vm, name = run.session.calling(node.key)
        print(vm.call(name, options.module, options.function, options.args))
    return 0


def forward(options: argparse.Namespace) -> int:
    """``spyglass forward TARGET [NODE]``: hold the tunnel until Ctrl-C."""
    profile = profile_of(options)
    asked = options.alias or profile.alias
    follow: Follows = "" if asked == "off" else "events"  # one of another name has another address
    with connected(options, persist=True, profile=profile, follow=follow) as run:
        status = run.surveyed()
        chosen = [choose(run, options.node)] if options.node else [n for n in status.nodes if n.reachable]
        if not chosen:
            hint = "See `spyglass nodes` for the reasons."
            raise Failure("No node there can be reached", hint, code="no-node")
        from spyglass.cli import alias  # noqa: PLC0415 - rarely needed

        if asked != "off":
            return alias.hold(run, chosen, asked, batch=options.batch)
        for info in chosen:
            print(f"{info.node}  127.0.0.1:{info.forward}\n  {alias.routed(info)}".rstrip(), flush=True)
        say(COOKIE)
        say("Held until Ctrl-C.")
        while True:
            before = run.terminal.last
            run.terminal.until(lambda s, before=before: s is not before)  # type: ignore[misc]


def choose(run: Run, wanted: str) -> NodeInfo:
    """The node that is meant: a full name, the part before @, or the only one; else ask. Raises Failure."""
    status = run.surveyed()
    fitting = [n for n in status.nodes if not wanted or wanted in {n.node, n.node.split("@")[0]}]
    if not fitting:
        known = ", ".join(n.node for n in status.nodes) or "none"
        hint = "; ".join((f"Nodes found: {known}.", *status.warnings))
        raise Failure(
            f"There is no node {wanted} there" if wanted else "No BEAM node is there", hint, code="no-node"
        )
    able = [n for n in fitting if n.reachable] or fitting
    if len(able) == 1:
        return able[0]
    question = Choice("Which node?", tuple(n.node for n in able), tuple(n.container or "" for n in able))
    answer = _ask_here(run, question)
    return next(n for n in able if n.node == answer)


def _ask_here(run: Run, question: Choice) -> str:
    """Put a question from the main thread."""
    from spyglass.cli import terminal  # noqa: PLC0415 - so that tests can answer in its place

    if not run.terminal.may_ask:
        raise NeedsAnswer("Several nodes are there", "Name one of: " + ", ".join(question.options))
    return str(terminal.put(question))


def _no_window(status: Status) -> bool:
    """Whether the last window is gone; while the connection closes, the reason is still to come."""
    return not status.observing and status.phase is not Phase.CLOSING


def _raise_trouble(status: Status) -> None:
    for problem in status.troubles.values():
        raise Failure(problem.title, problem.hint, code=problem.code)


def _names(status: Status) -> str:
    return ", ".join(n.node for n in status.nodes if n.key in status.observing)


def doctor(options: argparse.Namespace) -> int:
    """``spyglass doctor [TARGET]``."""
    from spyglass.cli import checkup  # noqa: PLC0415 - rarely needed

    return checkup.run(options)


def scratch(options: argparse.Namespace) -> int:
    """``spyglass scratch TARGET``."""
    from spyglass.cli import scratch as command  # noqa: PLC0415 - rarely needed

    return command.run(options)


def demo(options: argparse.Namespace) -> int:
    """``spyglass demo``."""
    from spyglass.cli import trial  # noqa: PLC0415 - rarely needed

    return trial.run(options)


def helper(options: argparse.Namespace) -> int:
    """``spyglass helper``."""
    from spyglass.cli import alias  # noqa: PLC0415 - rarely needed

    return alias.helper(options)


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "nodes": nodes,
    "observe": observe,
    "shell": shell,
    "rpc": rpc,
    "forward": forward,
    "doctor": doctor,
    "helper": helper,
    "scratch": scratch,
    "demo": demo,
}
