"""The program's side of the helper's pipe, against helpers of few lines."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from spyglass.errors import Denied, Failure, Missing
from spyglass.loopback import client
from spyglass.loopback.client import Helper

GOOD = """
import sys
print("hello spyglass-loopback 1", flush=True)
for line in sys.stdin:
    word, _, address = line.strip().partition(" ")
    if address == "10.0.0.66":
        print("gone 10.0.0.7 a network has it", flush=True)
    if address == "10.0.0.1":
        print("err conflict it is a gateway of this computer", flush=True)
    elif address == "10.0.0.99":
        break
    else:
        print("ok", address, flush=True)
"""


@contextmanager
def helper(program: str) -> Iterator[Helper]:
    made = Helper(lambda: [sys.executable, "-c", program])
    try:
        yield made
    finally:
        made.close()


def test_it_is_not_started_before_an_address_is_wanted() -> None:
    with helper("raise SystemExit(9)") as made:
        made.remove("10.0.0.7")
        assert made._process is None


def test_one_helper_adds_and_removes_them_all() -> None:
    with helper(GOOD) as made:
        made.add("10.0.0.7")
        first = made._process
        made.add("10.0.0.8")
        made.remove("10.0.0.7")
        assert made._process is first


def test_a_refusal_tells_the_helpers_reason_and_the_ways_that_remain() -> None:
    with helper(GOOD) as made, pytest.raises(Failure) as refusal:
        made.add("10.0.0.1")
    assert refusal.value.title == "10.0.0.1 was refused: it is a gateway of this computer"
    assert "spyglass shell" in refusal.value.hint


@pytest.mark.warns("an address is given up")
def test_an_address_that_was_given_up_is_told_while_another_is_answered() -> None:
    told: list[tuple[str, str]] = []
    heard = threading.Event()
    with helper(GOOD) as made:
        made.on_gone = lambda address, reason: (told.append((address, reason)), heard.set())[1]
        made.add("10.0.0.66")
        assert heard.wait(5)
    assert told == [("10.0.0.7", "a network has it")]


def test_a_helper_that_ends_is_told_and_started_again_next_time() -> None:
    with helper(GOOD) as made:
        made.add("10.0.0.7")
        with pytest.raises(Failure, match="has ended"):
            made.add("10.0.0.99")
        made.add("10.0.0.7")


@pytest.mark.parametrize("greeting", ["hello spyglass-loopback 2", "hello spyglass-loopback 0", "spam"])
def test_another_version_is_refused(greeting: str) -> None:
    with helper(f"print({greeting!r}, flush=True); input()") as made, pytest.raises(Denied) as refusal:
        made.add("10.0.0.7")
    assert "another version" in refusal.value.title
    assert "spyglass helper" in refusal.value.hint


@contextmanager
def pkexec(directory: Path, status: int, words: str) -> Iterator[Helper]:
    """A pkexec that does not run the helper."""
    played = directory / "pkexec"
    played.write_text(f"#!/bin/sh\necho '{words}' >&2\necho x >>{directory}/asked\nexit {status}\n")
    played.chmod(0o755)
    made = Helper(lambda: [str(played)])
    try:
        yield made
    finally:
        made.close()


def test_a_dismissed_dialog_is_told_with_the_ways_that_remain(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pkexec(tmp_path, 126, "Request dismissed") as made, pytest.raises(Denied) as refusal:
        made.add("10.0.0.7")
    assert refusal.value.code == "dismissed"
    assert "dismissed" in refusal.value.title
    assert "spyglass shell" in refusal.value.hint
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(("once", "times"), [(True, 1), (False, 2)])
def test_who_said_no_is_not_asked_for_the_next_address_where_once_is_enough(
    tmp_path: Path, once: bool, times: int
) -> None:
    with pkexec(tmp_path, 126, "") as made:
        made._once = once
        for address in ("10.0.0.7", "10.0.0.8"):
            with pytest.raises(Denied, match="dismissed"):
                made.add(address)
    assert (tmp_path / "asked").read_text().count("x") == times


@pytest.mark.parametrize(
    ("words", "meaning"),
    [
        ("Error executing command as another user: No authentication agent found.", "in a terminal sudo"),
        ("Error executing command as another user: Not authorized", "The password was not right"),
        ("pkexec must be setuid root", "pkexec must be setuid root. Observer"),
        ("", "Observer"),
    ],
)
def test_a_helper_that_was_not_allowed_to_start_is_told_with_the_reason(
    tmp_path: Path, words: str, meaning: str
) -> None:
    with (
        pkexec(tmp_path, 127, words) as made,
        pytest.raises(Denied, match="not allowed to start") as refusal,
    ):
        made.add("10.0.0.7")
    assert meaning in refusal.value.hint
    assert refusal.value.hint.endswith("`spyglass forward` prints.")


def test_a_terminal_has_sudo_and_a_window_has_a_dialog(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(client, "_no_new_rights", lambda: False)

    assert client.elevation(terminal=True) == ["sudo", "--"]
    assert client.elevation(terminal=False)[0] == "pkexec"
    assert client.elevation(terminal=True, ask=False) == ["sudo", "--non-interactive", "--"]


def test_without_either_that_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client.shutil, "which", lambda name: None)
    monkeypatch.setattr(client, "_no_new_rights", lambda: False)
    with pytest.raises(Missing, match="no sudo nor pkexec"):
        client.elevation(terminal=True)


def test_where_no_program_can_become_root_nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "_no_new_rights", lambda: True)
    with pytest.raises(Denied, match="no_new_privs"):
        client.elevation(terminal=True)
