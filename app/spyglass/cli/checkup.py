"""``spyglass doctor [TARGET]``: each link of the chain, one line each, one remedy each."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import asdict

from spyglass import doctor
from spyglass.cli import commands
from spyglass.cli.output import print_json
from spyglass.doctor import Check
from spyglass.errors import Failure
from spyglass.status import Phase

_MARK = {"ok": "ok  ", "warn": "look", "bad": "bad "}


def run(options: argparse.Namespace) -> int:
    """Print the checks as they come; exit status 1 when one is bad."""
    checks: list[Check] = []
    for check in _checks(options):
        checks.append(check)
        if not options.json:
            _print(check)
    if options.json:
        print_json({"target": options.target, "checks": [asdict(check) for check in checks]})
    return 1 if any(check.state == "bad" for check in checks) else 0


def _checks(options: argparse.Namespace) -> Iterator[Check]:
    yield from doctor.this_computer(commands.chosen_erl())
    if options.target is None:
        return
    with commands.connected(options, "calls") as run:
        status = run.terminal.until(
            lambda s: (s.phase is Phase.READY and s.surveyed) or s.phase in {Phase.FAILED, Phase.OFFLINE}
        )
        yield from doctor.chain(status)
        if status.phase is Phase.READY:
            try:
                yield from doctor.nodes(status, run.session)
            except Failure as failure:
                yield Check("connection", "bad", failure.title, failure.hint)


def _print(check: Check) -> None:
    print(f"{_MARK[check.state]}  {check.name}: {check.detail}", flush=True)
    if check.remedy:
        print(f"      {check.remedy}", flush=True)
