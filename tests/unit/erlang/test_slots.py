from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from spyglass.erlang import slots
from spyglass.errors import Failure

HOLD = """
import sys
from pathlib import Path
from spyglass.erlang import slots
with slots.take(Path(sys.argv[1]), Path(sys.argv[1])) as slot:
    print(slot.number, flush=True)
    sys.stdin.read()
"""


def take(directory: Path) -> str:
    with slots.take(directory, directory) as slot:
        return slot.node_name


def test_the_identity_is_drawn_once_and_kept(tmp_path: Path) -> None:
    first = slots.identity(tmp_path)
    assert len(first) == 8
    assert int(first, 16) >= 0
    assert slots.identity(tmp_path) == first


def test_many_at_once_draw_the_same_identity(tmp_path: Path) -> None:
    barrier = threading.Barrier(8)
    seen: list[str] = []

    def draw() -> None:
        barrier.wait()
        seen.append(slots.identity(tmp_path))

    threads = [threading.Thread(target=draw) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(seen)) == 1
    assert [file.name for file in tmp_path.iterdir()] == ["installation-id"]


def test_a_broken_identity_is_drawn_anew(tmp_path: Path) -> None:
    (tmp_path / "installation-id").write_text("no identity")
    assert slots.identity(tmp_path) == slots.identity(tmp_path) != "no identity"


def test_names_are_the_same_every_time(tmp_path: Path) -> None:
    assert take(tmp_path) == take(tmp_path) == f"spyglass_{slots.identity(tmp_path)}_0@127.0.0.1"
    assert slots.probe_name(tmp_path) == f"spyglass_{slots.identity(tmp_path)}_probe@127.0.0.1"


def test_the_lowest_free_slot_is_taken(tmp_path: Path) -> None:
    with slots.take(tmp_path, tmp_path) as first:
        with slots.take(tmp_path, tmp_path) as second:
            assert (first.number, second.number) == (0, 1)
        with slots.take(tmp_path, tmp_path) as again:
            assert again.number == 1


def test_a_slot_of_another_process_is_free_again_when_that_is_killed(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(
        argv,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline().strip() == b"0"
        with slots.take(tmp_path, tmp_path) as mine:
            assert mine.number == 1
        other.kill()
    with slots.take(tmp_path, tmp_path) as mine:
        assert mine.number == 0


def test_when_all_are_taken_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slots, "_SLOTS", 1)
    with slots.take(tmp_path, tmp_path), pytest.raises(Failure, match="Too many"):
        take(tmp_path)


def test_a_directory_that_is_gone_is_a_failure_that_names_the_file(tmp_path: Path) -> None:
    slots.identity(tmp_path)
    with pytest.raises(Failure, match="slot-0") as caught, slots.take(tmp_path, tmp_path / "gone"):
        pass
    assert caught.value.hint
    with pytest.raises(Failure, match="installation-id"):
        slots.identity(tmp_path / "gone")


def test_a_local_node_of_any_spyglass_is_known_by_its_name(tmp_path: Path) -> None:
    with slots.take(tmp_path, tmp_path) as slot:
        assert slots.is_ours(slot.node_name.partition("@")[0])
    assert not slots.is_ours("spyglass_demo")
    assert not slots.is_ours("shop")
