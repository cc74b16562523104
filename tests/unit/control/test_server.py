import json
import queue
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from spyglass.control import claim, client, server
from spyglass.control.server import Server
from spyglass.errors import Failure, Missing
from spyglass.log import Line, Ring
from support.fake_hub import FakeHub


class Calls:
    def __init__(self) -> None:
        self.shown: list[tuple[list[str], str]] = []
        self.quit = threading.Event()

    def show(self, arguments: list[str], token: str) -> None:
        self.shown.append((arguments, token))


@pytest.fixture
def calls() -> Calls:
    return Calls()


@pytest.fixture
def hub() -> FakeHub:
    return FakeHub()


@pytest.fixture
def ring() -> Ring:
    return Ring()


@pytest.fixture
def running(tmp_path: Path, hub: FakeHub, calls: Calls, ring: Ring) -> Iterator[ExitStack]:
    made = claim.claim(tmp_path)
    assert made is not None
    with ExitStack() as stack:
        stack.enter_context(Server(made, hub, calls.show, calls.quit.set, ring=ring))
        yield stack


def raw(directory: Path, sent: bytes) -> dict[str, Any]:
    with claim.dial(directory, 5) as sock:
        sock.sendall(sent)
        sock.shutdown(socket.SHUT_WR)
        return dict(json.loads(b"".join(iter(lambda: sock.recv(1000), b""))))


@pytest.mark.usefixtures("running")
def test_a_second_start_hands_its_words_over(tmp_path: Path, calls: Calls) -> None:
    assert client.enter(tmp_path, {"do": "show", "args": ["--new-profile"], "token": "leave"}) is None
    assert calls.shown == [(["--new-profile"], "leave")]


@pytest.mark.usefixtures("running")
@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (b"GET / HTTP/1.1\n", "not JSON"),
        (b"x" * 70_000, "longer than 64 KiB"),
        (b'{"do": "status"}\n', "another version"),
        (b'{"v": 2, "do": "status"}\n', "another version"),
        (b'{"v": 1, "do": "format the disk"}\n', "none that Spyglass knows"),
        (b'{"v": 1, "do": []}\n', "none that Spyglass knows"),
        (b'{"v": 1, "do": "show", "args": "words"}\n', "no list of texts"),
        (b'{"v": 1, "do": "connect", "profile": 7}\n', "no text"),
    ],
)
def test_what_is_no_request_gets_an_answer_that_says_why(tmp_path: Path, sent: bytes, said: str) -> None:
    answer = raw(tmp_path, sent)
    assert answer["ok"] is False
    assert said in answer["title"]
    assert answer["hint"]


@pytest.mark.usefixtures("running")
def test_who_says_nothing_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "WAIT", 0.05)
    with claim.dial(tmp_path, 5) as sock:
        assert b"No answer came in time" in sock.recv(1000)


@pytest.mark.usefixtures("running")
def test_too_many_guests_are_turned_away(tmp_path: Path) -> None:
    with ExitStack() as stack:
        for _ in range(server.GUESTS):
            stack.enter_context(claim.dial(tmp_path, 5))
        last = stack.enter_context(claim.dial(tmp_path, 5))
        assert last.recv(1) == b""


@pytest.mark.usefixtures("running")
def test_another_persons_process_is_not_listened_to(
    tmp_path: Path, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server.os, "getuid", lambda: 4711)
    with pytest.raises(Failure, match="ended before it answered"):
        client.talk(tmp_path, {"do": "show"})
    assert calls.shown == []


@pytest.mark.warns("a defect is logged as such")
@pytest.mark.usefixtures("running")
def test_a_defect_while_answering_is_told_as_one(
    tmp_path: Path, hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "statuses", lambda: 1 // 0)
    with pytest.raises(Failure, match="a defect of its own"):
        client.talk(tmp_path, {"do": "status"})
    monkeypatch.undo()
    assert client.talk(tmp_path, {"do": "status"})["connections"] == []


def test_quit_is_answered_when_everything_is_undone(tmp_path: Path, running: ExitStack, calls: Calls) -> None:
    answers: queue.SimpleQueue[tuple[dict[str, Any], bool]] = queue.SimpleQueue()

    def ask() -> None:
        answer = client.talk(tmp_path, {"do": "quit"}, seconds=10)
        answers.put((answer, claim.held(tmp_path)))

    asking = threading.Thread(target=ask)
    asking.start()
    assert calls.quit.wait(5)
    assert answers.empty()
    running.close()
    assert answers.get(timeout=5) == ({"ok": True}, False)
    asking.join()


def test_the_end_ends_every_wait(tmp_path: Path, running: ExitStack, ring: Ring) -> None:
    ends: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    heard = threading.Event()
    ring._lines.append(Line(0.0, 20, "", "a line"))

    def follow() -> None:
        ends.put(client.talk(tmp_path, {"do": "logs", "follow": True}, lambda _line: heard.set()))

    following = threading.Thread(target=follow)
    following.start()
    assert heard.wait(5)
    with claim.dial(tmp_path, 5):  # who says nothing does not keep it either
        running.close()
    assert ends.get(timeout=5) == {"ok": True}
    following.join()


def test_without_an_app_it_is_said(tmp_path: Path) -> None:
    with pytest.raises(Missing, match="not running") as caught:
        client.talk(tmp_path, {"do": "status"})
    assert caught.value.code == "not-running"
