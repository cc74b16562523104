"""A local command as a stream: both directions, each end of it, and its end with all that it started."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from spyglass.errors import Missing, Unreachable
from spyglass.remote.base import TAIL, Piped
from spyglass.remote.child import CommandStream
from spyglass.remote.local import Local
from support.links import everything, gone, holdings, until


def test_what_goes_in_comes_out_and_the_half_close_is_one() -> None:
    stream: Piped = Local().pipe(["sh", "-c", "cat; echo end"])
    data = bytes(range(256)) * 200
    stream.sendall(data)
    stream.shutdown_write()
    assert everything(stream) == data + b"end\n"
    assert stream.why() == ""
    stream.close()
    stream.close()


def test_the_output_may_end_before_the_input() -> None:
    stream = CommandStream(["sh", "-c", "echo out; exec >&-; cat >&2"])
    assert everything(stream) == b"out\n"
    stream.sendall(b"still heard")
    stream.shutdown_write()
    assert stream.why() == "still heard"
    stream.close()


def test_a_late_answer_is_a_timeout_error() -> None:
    stream = CommandStream(["cat"])
    stream.settimeout(0.02)
    with pytest.raises(TimeoutError):
        stream.recv(1)
    stream.close()


def test_why_is_the_end_of_standard_error_or_else_the_status() -> None:
    loud = CommandStream(
        ["sh", "-c", f"head -c {TAIL * 40} /dev/zero | tr '\\0' x >&2; echo last >&2; exit 3"]
    )
    assert everything(loud) == b""
    assert loud.why().endswith("xxxlast")
    assert len(loud.why()) <= TAIL
    mute = CommandStream(["sh", "-c", "exit 3"])
    assert everything(mute) == b""
    assert mute.why() == "sh ended with status 3"
    loud.close()
    mute.close()


def test_sending_to_a_command_that_is_gone_is_a_broken_pipe() -> None:
    stream = CommandStream(["true"])
    assert everything(stream) == b""
    assert stream.why() == ""
    assert stream._child.status(20) == 0  # its end of our pipe is closed, however busy the computer
    with pytest.raises(BrokenPipeError):
        stream.sendall(b"x")
    stream.close()


def test_closing_ends_the_command_and_what_it_started(tmp_path: Path) -> None:
    file = tmp_path / "pids"
    before = holdings()
    stream = CommandStream(["sh", "-c", f"trap '' TERM HUP; sleep 60 & echo $$ $! > {file}; echo; wait"])
    assert stream.recv(1) == b"\n"
    started = time.monotonic()
    stream.close()
    assert time.monotonic() - started < 3
    assert until(lambda: all(gone(int(pid)) for pid in file.read_text().split()))
    assert holdings() == before


def test_what_cannot_be_started_is_told(tmp_path: Path) -> None:
    before = holdings()
    with pytest.raises(Missing, match="no-such-command-here is not there"):
        CommandStream(["no-such-command-here"])
    with pytest.raises(Unreachable, match="can't be started: Permission denied"):
        CommandStream([str(tmp_path)])
    assert holdings() == before
