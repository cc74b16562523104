"""A shell in the person's terminal that runs on a remote node (see ``spyglass_shell.erl``).

A local ``erl`` of ours draws the terminal; iex or Erlang's shell runs on the other side.
Node, port and cookie reach it through a pipe that only it inherits, so they stand in no
command line and in no environment.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from spyglass import log
from spyglass.erlang.installation import Erlang, environment
from spyglass.erlang.node import arguments
from spyglass.erlang.slots import Slot
from spyglass.errors import BadInput, Missing


def banner(node: str, *, elixir: bool) -> str:
    """One line for a person, to be shown before the shell."""
    keys = "Ctrl-\\ or Ctrl-G q" if elixir else "q(), Ctrl-\\ or Ctrl-G q"
    return f"{'iex' if elixir else 'Erlang shell'} on {node}. Leave with {keys}; the node goes on."


def run_shell(erlang: Erlang, ebin: Path, slot: Slot, node: str, port: int, cookie: str) -> int:
    r"""Run a shell on ``node``, which is behind 127.0.0.1:``port``, in this terminal.

    Returns the exit status when the person has left it. Meanwhile Ctrl-C and Ctrl-\ belong
    to the shell; call it from the main thread. Raises Missing when the Erlang is not there,
    BadInput for a cookie that can be none.
    """
    if "\n" in cookie:
        raise BadInput("The cookie has more than one line", "Check the file that it comes from.")
    payload = f"{node}\n{port}\n{log.forget(cookie)}\n".encode()
    with _filled_pipe(payload) as descriptor, _keys_ignored():
        argv = [*shell_command(erlang, ebin, slot), "-spyglass_fd", str(descriptor)]
        try:
            child = subprocess.Popen(argv, env=environment() | _terminal(), pass_fds=(descriptor,))
        except OSError as error:
            raise Missing(
                f"{argv[0]} cannot be started: {error.strerror}", "Choose another Erlang."
            ) from error
        return child.wait()


def _terminal() -> dict[str, str]:
    """What kind of terminal this is; Erlang finds none to draw on where nothing says so."""
    return {"TERM": os.environ.get("TERM") or "xterm"}


def shell_command(erlang: Erlang, ebin: Path, slot: Slot) -> list[str]:
    """The command line of the local half, but for the descriptor (``-spyglass_fd N``) to read from."""
    quiet = ["-noinput", "-boot", "no_dot_erlang"]
    return [str(erlang.path), *quiet, *arguments(slot, ebin), "-run", "spyglass_shell", "start"]


@contextmanager
def _filled_pipe(payload: bytes) -> Iterator[int]:
    """The reading end of a pipe that holds this, and its end; far less than a pipe can hold."""
    reading, writing = os.pipe()
    try:
        try:
            os.write(writing, payload)
        finally:
            os.close(writing)
        yield reading
    finally:
        os.close(reading)


@contextmanager
def _keys_ignored() -> Iterator[None]:
    """The keys signal the whole foreground group; a handler (unlike SIG_IGN) is not inherited."""
    keys = [signal.SIGINT] if sys.platform == "win32" else [signal.SIGINT, signal.SIGQUIT]
    before = [signal.signal(key, lambda *_: None) for key in keys]
    try:
        yield
    finally:
        for key, handler in zip(keys, before, strict=True):
            signal.signal(key, handler)
