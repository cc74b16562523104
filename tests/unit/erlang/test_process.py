from __future__ import annotations

import os
import queue
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from spyglass import log
from spyglass.erlang.process import Child, Event, Refused
from spyglass.errors import Failure, Lost, Missing

PARTNER = r"""
import base64, json, sys, threading, time
def say(**message): print(json.dumps(message), flush=True)
say(event="ready")
for line in sys.stdin:
    number, command, *args = line.split()
    args = ["" if a == "-" else base64.b64decode(a).decode() for a in args]
    if command == "echo": say(id=number, ok=args)
    elif command == "refuse": say(id=number, error="no", text=args[0])
    elif command == "later": threading.Timer(0.2, say, (), {"id": number, "ok": "late"}).start()
    elif command == "events": [say(event="n", n=n) for n in range(int(args[0]))]; say(id=number, ok=None)
    elif command == "garbage": print("what is this"); print("[1]"); say(id=number, ok=None)
    elif command == "mutter": print(args[0], file=sys.stderr, flush=True); say(id=number, ok=None)
    elif command == "die": sys.stderr.write("last words\n"); sys.exit(3)
    elif command == "deaf": time.sleep(30)
"""


class Partner:
    def __init__(self, directory: Path) -> None:
        self.events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self.on_event: Callable[[Event], None] = self.events.put
        self.child = Child(
            [sys.executable, "-u", "-c", PARTNER],
            dict(os.environ),
            directory,
            self._hear,
        )

    def _hear(self, event: Event) -> None:
        self.on_event(event)  # which a test may have exchanged

    def ask(self, command: str, *args: str, timeout: float = 10) -> object:
        return self.child.request(command, args, timeout)


@pytest.fixture
def partner(tmp_path: Path) -> Iterator[Partner]:
    made = Partner(tmp_path)
    yield made
    made.child.close()


def test_arguments_arrive_as_they_are(partner: Partner) -> None:
    assert partner.ask("echo", "plain", "", "two words", "naïve ☃\n") == [
        "plain",
        "",
        "two words",
        "naïve ☃\n",
    ]


def test_an_answer_that_is_null_is_an_answer(partner: Partner) -> None:
    assert partner.ask("events", "0") is None


def test_a_refusal_carries_code_and_text(partner: Partner) -> None:
    with pytest.raises(Refused) as caught:
        partner.ask("refuse", "because")
    assert (caught.value.code, caught.value.text) == ("no", "because")


def test_a_slow_answer_holds_up_no_other_and_does_not_answer_another(partner: Partner) -> None:
    with pytest.raises(Failure) as caught:
        partner.ask("later", timeout=0.01)
    assert (caught.value.code, caught.value.retry) == ("timeout", True)
    assert partner.ask("echo", "x") == ["x"]


def test_events_come_in_order_before_the_exit(partner: Partner) -> None:
    partner.ask("events", "50")
    partner.child.close()
    seen = [partner.events.get(timeout=5) for _ in range(52)]
    assert seen == [
        {"event": "ready"},
        *({"event": "n", "n": n} for n in range(50)),
        {"event": "exit", "status": 0},
    ]


def test_a_listener_may_itself_ask(partner: Partner) -> None:
    answers: queue.SimpleQueue[object] = queue.SimpleQueue()

    def listen(event: Event) -> None:
        if event["event"] == "n":
            answers.put(partner.ask("echo", "from a listener"))

    partner.on_event = listen
    partner.ask("events", "1")
    assert answers.get(timeout=5) == ["from a listener"]


def test_a_child_that_dies_ends_every_wait_with_its_last_words(partner: Partner) -> None:
    failures: queue.SimpleQueue[Failure] = queue.SimpleQueue()

    def wait() -> None:
        try:
            partner.ask("later", timeout=10)
        except Failure as failure:
            failures.put(failure)

    waiter = threading.Thread(target=wait)
    waiter.start()
    with pytest.raises(Lost):
        partner.ask("die")
    waiter.join()
    while partner.events.get(timeout=5)["event"] != "exit":
        pass
    with pytest.raises(Lost) as caught:
        partner.ask("echo")
    assert caught.value.hint == "last words"
    assert partner.child.last_words() == ["last words"]


def test_noise_on_standard_output_is_kept_aside(partner: Partner) -> None:
    partner.ask("garbage")
    assert partner.child.last_words() == ["what is this", "[1]"]


def test_last_words_hold_no_secret_and_are_not_many(partner: Partner) -> None:
    log.forget("SECRETCOOKIE")
    for number in range(60):
        partner.ask("mutter", f"{number} SECRETCOOKIE")
    partner.child.close()
    words = partner.child.last_words()
    assert len(words) == 50
    assert words[-1] == "59 •••"


def test_closing_ends_a_child_that_does_not_listen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spyglass.erlang.process._GRACE", 0.1)
    partner = Partner(tmp_path)
    with pytest.raises(Failure):
        partner.ask("deaf", timeout=0.01)
    partner.child.close()
    partner.child.close()
    assert not Path(f"/proc/{partner.child.pid}").exists()


def test_a_program_that_is_not_there_is_missing(tmp_path: Path) -> None:
    with pytest.raises(Missing, match="/nowhere/erl"):
        Child(["/nowhere/erl"], {}, tmp_path, print)
