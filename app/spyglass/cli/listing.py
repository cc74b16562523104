"""``spyglass nodes``: what is there, once or as it comes and goes."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from typing import Any

from spyglass.cli import commands
from spyglass.cli.output import node_json, node_table, plain, print_json
from spyglass.cli.terminal import say
from spyglass.news import Change, changes
from spyglass.status import NodeInfo, Phase, Status

_SIGNS = {"came": "+", "went": "-", "changed": "~"}
Tell = Callable[[str, dict[str, Any], str], None]


def once(options: argparse.Namespace) -> int:
    """A table, or one JSON document."""
    with commands.connected(options) as run:
        status = run.surveyed()
    if options.json:
        print_json(_document(options.target, status))
        return 0
    _table(status)
    return 0


def watch(options: argparse.Namespace) -> int:
    """The same, then each change until Ctrl-C: a line, or with ``--json`` a JSON document on a line.

    Documents have ``time`` (UTC, ISO 8601) and ``event``: ``nodes`` (the first, with ``target``, ``nodes``
    and ``warnings``), ``came``, ``went``, ``changed`` (with ``node`` and ``what``), ``lost`` (with ``why``)
    and ``back`` for the connection itself.
    """
    tell = _json_line if options.json else _line
    with commands.connected(options, persist=True, follow="always") as run:
        status = run.surveyed()
        if options.json:
            _json_line("nodes", _document(options.target, status), "")
        else:
            _table(status)
        seen = _Seen(status.nodes, tell)
        while True:
            before = run.terminal.last
            seen.hear(run.terminal.reach(lambda s, before=before: s is not before))  # type: ignore[misc]


class _Seen:
    """What was told last."""

    def __init__(self, nodes: tuple[NodeInfo, ...], tell: Tell) -> None:
        self._nodes, self._tell, self._linked = nodes, tell, True

    def hear(self, status: Status) -> None:
        """Tell what is new in this status."""
        if status.phase is Phase.READY and status.surveyed:
            if not self._linked:
                self._tell("back", {}, "the connection is back")
            self._linked = True
            for change in changes(self._nodes, status.nodes):
                self._tell(change.kind, _fields(change), f"{_SIGNS[change.kind]} {change}")
            self._nodes = status.nodes
        elif status.phase is Phase.WAITING and self._linked:
            self._linked = False
            why = status.problem.title if status.problem else "lost"
            self._tell("lost", {"why": why}, f"! {why}")


def _fields(change: Change) -> dict[str, Any]:
    return {"node": node_json(change.node), "what": change.what}


def _document(target: str, status: Status) -> dict[str, Any]:
    found = [node_json(node) for node in status.nodes]
    return {"target": target, "nodes": found, "warnings": list(status.warnings)}


def _table(status: Status) -> None:
    if status.nodes:
        print(node_table(status.nodes), flush=True)
    else:
        say("No BEAM node is there.")
    for warning in status.warnings:
        say(warning)


def _line(_event: str, _about: dict[str, Any], text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')}  {plain(text)}", flush=True)


def _json_line(event: str, about: dict[str, Any], _text: str) -> None:
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    print(json.dumps({"time": now, "event": event, **about}, ensure_ascii=False), flush=True)
