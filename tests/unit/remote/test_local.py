from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from spyglass.errors import Failure
from spyglass.remote.local import Local
from support.links import gone, until


def test_a_command_gives_status_and_both_outputs() -> None:
    output = Local().run(["sh", "-c", "cat; echo err >&2; exit 3"], stdin=b"in")
    assert (output.status, output.stdout, output.stderr) == (3, b"in", b"err\n")


def test_arguments_are_not_read_by_a_shell() -> None:
    assert Local().run(["printf", "%s", "$HOME; ls"]).stdout == b"$HOME; ls"


def test_a_signal_is_status_minus_one() -> None:
    assert Local().run(["sh", "-c", "kill -9 $$"]).status == -1


def test_what_is_not_there_is_an_output_as_from_a_shell(tmp_path: Path) -> None:
    assert Local().run(["no-such-command-here"]).status == 127
    assert Local().run([str(tmp_path)]).status == 126


def test_at_its_time_a_command_is_killed_with_all_it_started(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    started = time.monotonic()
    with pytest.raises(Failure) as failure:
        Local().run(["sh", "-c", f"sleep 60 & echo $! > {file}; wait"], timeout=0.5)
    assert failure.value.code == "timeout"
    assert time.monotonic() - started < 5
    pid = int(file.read_text())
    assert until(lambda: gone(pid))


def test_a_command_inherits_no_descriptor() -> None:
    reading, writing = os.pipe()
    os.set_inheritable(writing, True)
    try:
        output = Local().run(["sh", "-c", f"test ! -e /proc/self/fd/{writing}"])
    finally:
        os.close(reading)
        os.close(writing)
    assert output.status == 0
