from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from spyglass import cli
from spyglass.cli import commands, entry, talk
from spyglass.cli.terminal import Terminal
from spyglass.control import claim
from spyglass.control.server import Server
from spyglass.errors import Failure
from spyglass.log import Line, Ring
from spyglass.profile import Profile, SSHHop
from spyglass.status import NodeInfo, Phase, Problem, Status
from spyglass.store import paths
from spyglass.store.profiles import Profiles
from support.fake_hub import SHOP, FakeHub

NODE = NodeInfo(key="web/shop@h", node="shop@h\x1b[2J", reachable=True)
READY = Status(SHOP.id, Phase.READY, nodes=(NODE,), observing=frozenset({NODE.key}), surveyed=True)


@pytest.fixture(autouse=True)
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> paths.Paths:
    monkeypatch.setattr(entry.signal, "signal", lambda *_a: None)
    return paths.use(paths.under(tmp_path)).ensure()


@pytest.fixture
def hub() -> FakeHub:
    return FakeHub([SHOP])


@pytest.fixture
def ring() -> Ring:
    return Ring()


@pytest.fixture
def app(places: paths.Paths, hub: FakeHub, ring: Ring) -> Iterator[ExitStack]:
    made = claim.claim(places.runtime)
    assert made is not None
    with ExitStack() as stack:
        stack.enter_context(Server(made, hub, lambda *_: None, lambda: None, ring=ring))
        yield stack


@pytest.mark.parametrize("words", [["status"], ["status", "--json"], ["quit"], ["disconnect", "x"], ["logs"]])
def test_without_an_app_it_is_said(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(words) == 1
    assert capsys.readouterr() == ("", "Spyglass is not running\n  Start it: spyglass\n")


@pytest.mark.usefixtures("app")
def test_status_for_people(hub: FakeHub, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["status"]) == 0
    assert capsys.readouterr().out == "Spyglass is running; nothing is connected.\n"
    hub.publish(READY)
    assert cli.main(["status"]) == 0
    assert capsys.readouterr().out.split() == [
        *("PROFILE", "STATE", "NODES", "OBSERVER"),
        *("Shop", "EU", "Ready", "1", "shop@h?[2J"),
    ]


@pytest.mark.usefixtures("app")
def test_status_for_scripts(hub: FakeHub, capsys: pytest.CaptureFixture[str]) -> None:
    hub.publish(READY)
    assert cli.main(["status", "--json"]) == 0
    [told] = json.loads(capsys.readouterr().out)["connections"]
    assert (told["profile"], told["phase"]) == ("Shop EU", "ready")


@pytest.mark.usefixtures("app")
def test_connect_prints_each_state_once(
    hub: FakeHub, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = [Status(SHOP.id, Phase.CONNECTING, doing) for doing in ("Connecting", "Connecting", "at prod")]
    asks = Status(SHOP.id, Phase.CONNECTING, "at prod", question="HostKey")
    monkeypatch.setattr(hub, "connect", lambda _id: [hub.publish(s) for s in (*steps, asks, READY)])
    assert cli.main(["connect", "Shop EU"]) == 0
    assert capsys.readouterr().out == "Connecting\nat prod\nSpyglass asks for an answer\nReady, nodes: 1\n"


@pytest.mark.usefixtures("app")
def test_connect_that_fails_says_why(
    hub: FakeHub, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = Status(SHOP.id, Phase.FAILED, problem=Problem("prod refused deploy", "Check the key."))
    monkeypatch.setattr(hub, "connect", lambda _id: hub.publish(failed))
    assert cli.main(["connect", "Shop EU"]) == 1
    assert capsys.readouterr().err == "prod refused deploy\n  Check the key.\n"
    assert cli.main(["connect", "nobody"]) == 1
    assert "There is no profile nobody" in capsys.readouterr().err


@pytest.mark.usefixtures("app")
def test_disconnect_one_or_all(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "disconnect", lambda p: hub.publish(Status(p, Phase.OFFLINE)))
    hub.publish(READY)
    assert cli.main(["disconnect", "Shop EU"]) == 0
    assert cli.main(["disconnect", "Shop EU"]) == 1
    assert cli.main(["disconnect", "--all"]) == 0
    assert cli.main(["disconnect"]) == 2
    assert cli.main(["disconnect", "Shop EU", "--all"]) == 2


@pytest.mark.usefixtures("app")
def test_logs_cannot_drive_the_terminal(ring: Ring, capsys: pytest.CaptureFixture[str]) -> None:
    ring._lines.append(Line(0.0, 20, SHOP.id, "title \x1b]0;x\x07"))
    assert cli.main(["logs", "Shop EU"]) == 0
    assert capsys.readouterr().out.endswith("info    title ?]0;x?\n")


def test_connect_without_an_app_holds_it_here(
    places: paths.Paths, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Profiles(places.profiles).add(Profile(name="lab", hops=(SSHHop(host="prod"),)))
    monkeypatch.setattr("spyglass.cli.talk.time", SimpleNamespace(time=lambda: 1000.0))
    lost = Status(
        SHOP.id, Phase.WAITING, "Waiting", problem=Problem("gone", "", "lost", True), next_try=1004.0
    )
    failed = Status(SHOP.id, Phase.FAILED, problem=Problem("prod refused deploy", "Check the key."))

    @contextmanager
    def connected(options: Any, *, persist: bool, aliases: bool) -> Iterator[Any]:
        assert (options.target, options.batch, persist) == ("lab", True, True)
        assert aliases
        terminal = Terminal(batch=True)
        for status in (Status(SHOP.id, Phase.CONNECTING, "Connecting"), READY, READY, lost, failed):
            terminal.hear(status)
        yield commands.Run(None, terminal, SHOP.id)  # type: ignore[arg-type]

    monkeypatch.setattr(commands, "connected", connected)
    assert cli.main(["connect", "lab", "--batch"]) == 1
    out, err = capsys.readouterr()
    assert out == "Connecting\nReady, nodes: 1\nNext try in 4 s: gone\n"
    assert err.startswith("prod refused deploy")


def test_connect_without_an_app_knows_saved_profiles_only(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["connect", "deploy@prod"]) == 1
    assert "deploy@prod" in capsys.readouterr().err


def test_the_end_of_the_app_ends_quit(app: ExitStack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Server, "_answer", lambda *_: {"ok": True})
    assert cli.main(["quit"]) == 0


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ({"phase": "ready", "nodes": 2, "surveyed": True}, "Ready, nodes: 2"),
        ({"phase": "ready", "nodes": 0, "surveyed": False}, ""),
        ({"phase": "failed", "problem": "no\x07"}, "no?"),
        ({"phase": "closing", "doing": "Closing"}, "Closing"),
    ],
)
def test_a_state_in_words(step: dict[str, Any], words: str) -> None:
    assert talk.words_of({"question": None, "doing": "", "problem": "", "next_try": None, **step}) == words


def test_a_failure_of_another_kind_is_not_taken_for_no_app(monkeypatch: pytest.MonkeyPatch) -> None:
    def hung(*_args: Any, **_options: Any) -> Any:
        raise Failure("Spyglass runs, but gives no answer")

    monkeypatch.setattr(talk.client, "talk", hung)
    assert cli.main(["connect", "lab"]) == 1
