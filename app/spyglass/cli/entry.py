"""From the words of the command line to an exit status."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

from spyglass import log
from spyglass.cli import commands, profiles, talk
from spyglass.cli.output import print_failure
from spyglass.cli.parser import parse
from spyglass.errors import Cancelled, Failure
from spyglass.store import paths

DONE, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130


def main(argv: Sequence[str]) -> int:
    """Run one subcommand; returns the exit status of the contract."""
    try:
        options = parse(argv)
    except SystemExit as end:  # argparse has printed usage or help
        return end.code if isinstance(end.code, int) else USAGE
    log.setup()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        if options.profile_dir:
            paths.use(paths.under(Path(options.profile_dir).absolute()))
        return run(options)
    except Failure as failure:
        print_failure(failure)
        return FAILED
    except (KeyboardInterrupt, Cancelled):
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # whoever read us has seen enough
        return DONE
    except Exception as error:  # noqa: BLE001 - the border: a defect is told in words, its trace kept
        print_failure(_defect(error))
        return FAILED


def run(options: argparse.Namespace) -> int:
    """Hand over to the subcommand."""
    if options.command == "profiles":
        return profiles.run(options)
    if options.command in talk.COMMANDS:
        return talk.COMMANDS[options.command](options)
    return commands.COMMANDS[options.command](options)


def _defect(error: Exception) -> Failure:
    from spyglass import report  # noqa: PLC0415 - rarely needed

    try:
        kept = f"The report is in {report.keep(report.text(error), paths.current().state)};"
    except (OSError, Failure):
        kept = report.text(error)
    return Failure("Spyglass met a defect of its own", f"{kept} it holds no secrets and is worth an issue.")


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    """TERM and HUP end us as Ctrl-C does: everything is unwound."""
    raise KeyboardInterrupt
