"""The guards find what they are there to find: a guard that never strikes is worse than none."""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest

from support import guards

NONE: frozenset[str] = frozenset()


@pytest.fixture(autouse=True)
def short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """What stays in these tests stays for good: there is nothing to wait for."""
    monkeypatch.setattr(guards, "GRACE", 0.3)


def test_a_thread_is_named() -> None:
    words: list[str] = []
    end = threading.Event()
    with guards.guarded(NONE, words.append):
        thread = threading.Thread(target=end.wait, name="lazy")
        thread.start()
    end.set()
    thread.join()

    assert words == ["left behind: thread 'lazy'"]


@pytest.mark.parametrize("dead", [False, True], ids=["running", "not waited for"])
def test_a_child_process_is_named(dead: bool) -> None:
    words: list[str] = []
    with guards.guarded(NONE, words.append):
        child = subprocess.Popen(["sleep", "0" if dead else "60"])
        if dead:
            os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    child.kill()
    child.wait()

    assert f"process {child.pid}" in words[0]


def test_a_listener_is_named_with_its_port() -> None:
    words: list[str] = []
    with ExitStack() as later, guards.guarded(NONE, words.append):
        listener = later.enter_context(socket.create_server(("127.0.0.1", 0)))
        port = listener.getsockname()[1]

    assert words[0].endswith(f"listening on port {port}")


def test_what_ends_within_the_grace_is_no_leftover() -> None:
    words: list[str] = []
    with guards.guarded(NONE, words.append):
        thread = threading.Thread(target=threading.Event().wait, args=(0.05,))
        thread.start()
    thread.join()

    assert words == []


def test_what_only_a_reference_cycle_keeps_is_no_leftover() -> None:
    class Quiet(socket.socket):
        def __del__(self) -> None:  # without the warning that a socket gives when it is forgotten
            self.close()

    class Holder:
        def __init__(self) -> None:
            self.me, self.end = self, Quiet()

    words: list[str] = []
    with guards.guarded(NONE, words.append):
        Holder()

    assert words == []


def test_a_kind_that_is_allowed_is_not_looked_at() -> None:
    words: list[str] = []
    with ExitStack() as later, guards.guarded(frozenset({"socket"}), words.append):
        later.enter_context(socket.create_server(("127.0.0.1", 0)))

    assert words == []


def test_homes_of_killed_runs_are_swept_and_living_ones_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = subprocess.Popen(["true"])
    child.wait()
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))
    for pid in (child.pid, os.getpid()):
        (tmp_path / f"spyglass-tests-{pid}-x/home").mkdir(parents=True)
    guards.sweep()

    assert [path.name for path in tmp_path.iterdir()] == [f"spyglass-tests-{os.getpid()}-x"]


def test_tests_never_see_the_persons_own_home() -> None:
    assert Path.home().parent.name.startswith(guards.prefix())
    assert os.environ["XDG_CONFIG_HOME"].startswith(str(Path.home()))
    assert "SSH_AUTH_SOCK" not in os.environ
