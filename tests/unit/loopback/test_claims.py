"""One address, one owner."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from spyglass.errors import Failure
from spyglass.loopback.claims import Claims

HOLD = """
import sys
from pathlib import Path
from spyglass.loopback.claims import Claims
Claims("Production", Path(sys.argv[1])).take("10.0.0.7")
print("held", flush=True)
sys.stdin.read()
"""


def test_the_second_is_refused_with_the_name_of_the_first(tmp_path: Path) -> None:
    first, second = Claims("Production", tmp_path), Claims("Staging", tmp_path)
    first.take("10.0.0.7")
    first.take("10.0.0.7")
    second.take("10.0.0.8")
    with pytest.raises(Failure, match="Production") as refusal:
        second.take("10.0.0.7")
    assert refusal.value.code == "no-alias"
    first.close()
    second.take("10.0.0.7")
    second.close()


def test_so_it_is_across_processes_and_a_killed_one_holds_nothing(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={"PYTHONPATH": ":".join(sys.path)}
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        mine = Claims("Staging", tmp_path)
        with pytest.raises(Failure, match="Production"):
            mine.take("10.0.0.7")
        other.kill()
    mine.take("10.0.0.7")
    mine.close()
