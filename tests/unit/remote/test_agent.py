from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from spyglass.remote import agent as agents
from spyglass.remote.agent import Agent, AgentRefused
from spyglass.remote.sshwire import number, string


@contextmanager
def answering(path: Path, *replies: bytes) -> Iterator[Agent]:
    """An agent that gives these bytes, one for each request, and then hangs up."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        def serve() -> None:
            with listener.accept()[0] as peer:
                for reply in replies:
                    peer.recv(65536)
                    peer.sendall(reply)
                peer.recv(65536)

        server = threading.Thread(target=serve)
        server.start()
        agent = Agent(str(path))
        try:
            yield agent
        finally:
            agent.close()
            server.join(5)


def test_keys_come_with_their_comments(tmp_path: Path) -> None:
    listing = b"\x0c" + number(2) + string(b"k1") + string("one") + string(b"k2") + string(b"\xff")
    with answering(tmp_path / "s", string(listing)) as agent:
        held = agent.keys()
    assert [(key.blob, key.comment) for key in held] == [(b"k1", "one"), (b"k2", "\ufffd")]


@pytest.mark.parametrize(
    "reply",
    [
        b"\0\0\0\0",
        b"\xff\xff\xff\xff",
        string(b"\x05"),
        string(b"\x0c"),
        string(b"\x0c" + number(9) + string(b"k")),
    ],
    ids=["empty", "huge", "failure", "no count", "too short"],
)
def test_strange_answer_is_a_refusal(tmp_path: Path, reply: bytes) -> None:
    with answering(tmp_path / "s", reply) as agent, pytest.raises(AgentRefused):
        agent.keys()


def test_agent_that_will_not_sign(tmp_path: Path) -> None:
    with (
        answering(tmp_path / "s", string(b"\x05")) as agent,
        pytest.raises(AgentRefused, match="did not sign"),
    ):
        agent.sign(b"key", b"data", "ssh-ed25519")


def test_silent_agent_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agents, "LIST_TIMEOUT", 0.1)
    with answering(tmp_path / "s") as agent, pytest.raises(AgentRefused):
        agent.keys()


def test_closing_wakes_whoever_waits_for_a_signature(tmp_path: Path) -> None:
    with answering(tmp_path / "s") as agent:
        ended = threading.Event()

        def sign() -> None:
            with pytest.raises(AgentRefused):
                agent.sign(b"key", b"data", "ssh-ed25519")
            ended.set()

        worker = threading.Thread(target=sign)
        worker.start()
        agent.close()
        assert ended.wait(5)
        worker.join(5)


@pytest.mark.parametrize("path", ["/nowhere/agent", "a\0b", "x" * 300])
def test_no_agent_there(path: str) -> None:
    with pytest.raises(AgentRefused):
        Agent(path)
