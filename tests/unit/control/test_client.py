import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from spyglass.control import claim, client
from spyglass.errors import Failure, Lost, Missing


@contextmanager
def app(directory: Path, serve: Callable[[socket.socket], None]) -> Iterator[None]:
    """An app that serves one guest in its own way."""
    made = claim.claim(directory)
    assert made is not None

    def run() -> None:
        with made.listener.accept()[0] as guest:
            guest.recv(10_000)
            serve(guest)

    serving = threading.Thread(target=run)
    serving.start()
    try:
        yield
    finally:
        serving.join(5)
        made.close()


def lines(*documents: dict[str, Any]) -> Callable[[socket.socket], None]:
    return lambda guest: guest.sendall(b"".join(json.dumps(one).encode() + b"\n" for one in documents))


def test_what_comes_before_the_answer_is_heard(tmp_path: Path) -> None:
    heard: list[dict[str, Any]] = []
    with app(tmp_path, lines({"phase": "connecting"}, {"phase": "ready"}, {"ok": True, "x": 1})):
        assert client.talk(tmp_path, {"do": "connect"}, heard.append) == {"ok": True, "x": 1}
    assert heard == [{"phase": "connecting"}, {"phase": "ready"}]


def test_a_no_is_the_apps_own_failure(tmp_path: Path) -> None:
    answer = {"ok": False, "title": "There is no profile x", "hint": "Look.", "code": "no-profile"}
    with (
        app(tmp_path, lines(answer)),
        pytest.raises(Failure, match="There is no profile x") as caught,
    ):
        client.talk(tmp_path, {"do": "connect"})
    assert (caught.value.hint, caught.value.code) == ("Look.", "no-profile")


@pytest.mark.parametrize("serve", [lines(), lines({"phase": "ready"})], ids=["at once", "later"])
def test_an_app_that_ends_meanwhile(tmp_path: Path, serve: Callable[[socket.socket], None]) -> None:
    with app(tmp_path, serve), pytest.raises(Lost, match="ended before it answered"):
        client.talk(tmp_path, {"do": "status"})


def test_an_app_that_talks_nonsense(tmp_path: Path) -> None:
    with (
        app(tmp_path, lambda guest: guest.sendall(b"HTTP/1.1 200 OK\r\n")),
        pytest.raises(Lost, match="gives no answer"),
    ):
        client.talk(tmp_path, {"do": "status"})


def test_an_app_that_hangs(tmp_path: Path) -> None:
    made = claim.claim(tmp_path)
    assert made is not None
    with ExitStack() as stack:
        stack.callback(made.close)
        with pytest.raises(Lost, match="gives no answer"):
            client.talk(tmp_path, {"do": "status"}, seconds=0.05)


def test_a_lock_without_a_socket_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = claim.claim(tmp_path)
    assert made is not None
    (tmp_path / claim.SOCKET).unlink()
    monkeypatch.setattr(client, "PATIENCE", 0.05)
    with pytest.raises(Lost, match="gives no answer"):
        client.talk(tmp_path, {"do": "status"})
    made.close()


def test_nobody_runs(tmp_path: Path) -> None:
    with pytest.raises(Missing, match="not running"):
        client.talk(tmp_path, {"do": "status"})


def test_who_comes_first_is_the_app(tmp_path: Path) -> None:
    made = client.enter(tmp_path, {"do": "show"})
    assert made is not None
    made.close()


def test_a_moments_look_at_the_lock_does_not_turn_a_start_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    claims = iter([None, None, claim.claim(tmp_path)])
    monkeypatch.setattr(client.claims, "claim", lambda _directory: next(claims))
    monkeypatch.setattr(client.claims, "held", lambda _directory: False)
    (tmp_path / claim.SOCKET).unlink()
    made = client.enter(tmp_path, {"do": "show"})
    assert made is not None
    made.close()


def test_a_start_while_the_app_ends_becomes_the_next_app(tmp_path: Path) -> None:
    made = []
    with app(tmp_path, lines()):
        starting = threading.Thread(target=lambda: made.append(client.enter(tmp_path, {"do": "show"})))
        starting.start()
    starting.join(5)
    [second] = made
    assert second is not None
    second.close()


def test_an_app_that_is_ending_is_waited_for(tmp_path: Path) -> None:
    made = []
    ending = {"ok": False, "title": "Spyglass is just ending", "hint": "", "code": client.ENDING}
    with app(tmp_path, lines(ending)):
        starting = threading.Thread(target=lambda: made.append(client.enter(tmp_path, {"do": "show"})))
        starting.start()
    starting.join(5)
    [second] = made
    assert second is not None
    second.close()
