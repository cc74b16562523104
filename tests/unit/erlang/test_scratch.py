from __future__ import annotations

import threading

import pytest

from spyglass.erlang import scratch
from spyglass.erlang.scratch import Scratch
from spyglass.errors import Failure, Missing
from spyglass.remote.base import Output
from support.fake_remote import FakeRemote, Said


class Node(Said):
    """Says that it is up, and keeps what it heard; ``beaten`` is set at the second beat."""

    def __init__(self, says: bytes) -> None:
        super().__init__(says)
        self.heard = b""
        self.beaten = threading.Event()

    def hear(self, data: bytes) -> None:
        self.heard += data
        if self.heard.endswith(b".."):
            self.beaten.set()


def place(*said: bytes | Node) -> FakeRemote:
    """Each pipe gives the next of these answers."""
    answers = iter([one if isinstance(one, Node) else Said(one) for one in said])
    return FakeRemote({}, lambda _argv, _stdin: Output(0), lambda _argv: next(answers))


def test_it_tells_who_it_is_whatever_the_login_shell_says_before() -> None:
    remote = place(b"Welcome to prod!\nspyglass scratch_1_20001@web 27 true\n")
    with Scratch(remote, "sesame", "scratch_1") as node:
        assert (node.node, node.otp, node.elixir) == ("scratch_1_20001@web", "27", True)
    assert remote.streams[0].closed


def test_the_cookie_goes_in_by_the_pipe_and_never_by_the_command_line() -> None:
    node = Node(b"spyglass scratch_1_20001@web 27 false\n")
    remote = place(node)
    with Scratch(remote, "sesame", "scratch_1"):
        assert node.heard.startswith(b"sesame\n")
    assert "sesame" not in " ".join(remote.piped[0])


def test_a_port_that_is_taken_is_not_the_end() -> None:
    remote = place(b"", b"spyglass scratch_1_20002@web 27 false\n")
    with Scratch(remote, "sesame", "scratch_1") as node:
        assert node.node == "scratch_1_20002@web"
    ports = {argv[-1] for argv in remote.piped}
    assert len(ports) == 2


def test_where_there_is_no_erlang_it_says_so() -> None:
    with pytest.raises(Missing, match="No Erlang was found"):
        Scratch(place(b"spyglass none\n"), "sesame", "scratch_1")


def test_three_vain_tries_are_enough() -> None:
    remote = place(b"", b"", b"", b"")
    with pytest.raises(Failure, match="No scratch node could be started"):
        Scratch(remote, "sesame", "scratch_1")
    assert len(remote.piped) == 3


def test_it_beats_until_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scratch, "BEAT", 0.001)
    node = Node(b"spyglass scratch_1_20001@web 27 false\n")
    with Scratch(place(node), "sesame", "scratch_1"):
        assert node.beaten.wait(5)
    assert not any(thread.name.startswith("beat ") for thread in threading.enumerate())
