"""The subcommands that talk to the running app: status, connect, disconnect, logs, quit."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

from spyglass.cli.output import plain, print_json, table
from spyglass.contract import step_json
from spyglass.control import client
from spyglass.errors import Missing
from spyglass.store import paths


def _talk(
    request: client.Request,
    hear: Callable[[dict[str, Any]], None] | None = None,
    *,
    seconds: float | None = 10.0,
) -> dict[str, Any]:
    return client.talk(paths.current().runtime, request, hear, seconds=seconds)


def status(options: argparse.Namespace) -> int:
    """``spyglass status``."""
    found = _talk({"do": "status"})["connections"]
    if options.json:
        print_json({"connections": found})
    elif found:
        print(table(("PROFILE", "STATE", "NODES", "OBSERVER"), [_row(connection) for connection in found]))
    else:
        print("Spyglass is running; nothing is connected.")
    return 0


def _row(connection: dict[str, Any]) -> tuple[str, ...]:
    able = sum(node["reachable"] for node in connection["nodes"])
    problem = connection["problem"]
    step = {**connection, "question": None, "problem": problem["title"] if problem else ""}
    words = words_of(step) if connection["phase"] != "ready" else "Ready"
    observing = ", ".join(plain(node) for node in connection["observing"])
    return plain(connection["profile"]), words, str(able or ""), observing


def connect(options: argparse.Namespace) -> int:
    """``spyglass connect PROFILE``: by the running app, else here, until Ctrl-C."""
    lines = _Lines()
    try:
        _talk({"do": "connect", "profile": options.profile}, lines.tell, seconds=None)
    except Missing as missing:
        if missing.code != "not-running":
            raise
        return _foreground(options, lines)
    return 0


def _foreground(options: argparse.Namespace, lines: _Lines) -> int:
    from spyglass.cli import alias, commands, parser  # noqa: PLC0415 - needed only where no app runs
    from spyglass.store.profiles import Profiles  # noqa: PLC0415

    name = Profiles(paths.current().profiles).get(options.profile).name
    batch = ["--batch"] if options.batch else []
    words = parser.build().parse_args(["nodes", *batch, "--", name])  # all the way's options, as if not given
    with commands.connected(words, persist=True, aliases=True) as run:
        told: dict[str, str] = {}
        while True:  # questions are put here, so a line about them says nothing
            before = run.terminal.last
            now = run.terminal.reach(lambda status, before=before: status is not before)  # type: ignore[misc]
            lines.tell({**step_json(now), "question": None})
            alias.tell(now, told)


def disconnect(options: argparse.Namespace) -> int:
    """``spyglass disconnect PROFILE|--all``."""
    _talk({"do": "disconnect", "profile": options.profile, "all": options.all}, seconds=client.LEAVING)
    return 0


def logs(options: argparse.Namespace) -> int:
    """``spyglass logs [PROFILE] [--follow]``."""
    request = {"do": "logs", "profile": options.profile, "follow": options.follow}
    _talk(request, lambda said: print(plain(said["line"], lines=True), flush=True), seconds=None)
    return 0


def leave(_options: argparse.Namespace) -> int:
    """``spyglass quit``: returns when it has ended."""
    _talk({"do": "quit"}, seconds=client.LEAVING)
    return 0


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "status": status,
    "connect": connect,
    "disconnect": disconnect,
    "logs": logs,
    "quit": leave,
}


class _Lines:
    """Prints a line for each state that reads differently from the one before."""

    def __init__(self) -> None:
        self._shown = ""

    def is_new(self, step: dict[str, Any]) -> bool:
        """Whether there is something to tell."""
        return words_of(step) not in {"", self._shown}

    def tell(self, step: dict[str, Any]) -> None:
        """Print it, if it is new."""
        if self.is_new(step):
            self._shown = words_of(step)
            print(self._shown, flush=True)


def words_of(step: dict[str, Any]) -> str:
    """A state in words, on one line."""
    if step["question"]:
        return "Spyglass asks for an answer"
    if step["phase"] == "ready":
        return f"Ready, nodes: {step['nodes']}" if step["surveyed"] else ""
    if step["phase"] == "waiting":
        seconds = max(0, round((step["next_try"] or 0) - time.time()))
        return plain(f"Next try in {seconds} s: {step['problem']}")
    if step["phase"] == "failed":
        return plain(step["problem"])
    return plain(step["doing"])
