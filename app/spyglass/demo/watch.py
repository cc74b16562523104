"""Programs that end with Spyglass, whatever ends it.

A shell stands between: it waits for the end of its standard input, a pipe that only this
process holds, and then ends its program. The kernel closes the pipe of a process that is
killed, so nothing is left to run on its own.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

_WATCH = '"$@" </dev/null & child=$!; cat >/dev/null; kill "$child" 2>/dev/null; wait "$child"'
_REMOVE = 'cat >/dev/null; rm -rf -- "$1"'
_END = 5.0  # seconds that a program may take to end


@contextmanager
def watched(argv: Sequence[str], log: IO[bytes]) -> Iterator[None]:
    """Run a program until the block is left, or this process ends; it writes to ``log``."""
    with _shell(_WATCH, *argv, log=log):
        yield


@contextmanager
def remove_at_end(directory: Path) -> Iterator[None]:
    """Remove the directory when the block is left, or this process ends."""
    with _shell(_REMOVE, str(directory)):
        yield
    shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def _shell(script: str, *arguments: str, log: IO[bytes] | None = None) -> Iterator[None]:
    shell = subprocess.Popen(
        ["/bin/sh", "-c", script, "spyglass-demo", *arguments],
        stdin=subprocess.PIPE,
        stdout=log or subprocess.DEVNULL,
        stderr=log or subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is Spyglass's; these end in their turn
    )
    try:
        yield
    finally:
        end(shell)


def end(process: subprocess.Popen[bytes]) -> None:
    """Close the process's standard input and wait for its end; kill it if that takes too long."""
    if process.stdin:
        process.stdin.close()
    try:
        process.wait(_END)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
