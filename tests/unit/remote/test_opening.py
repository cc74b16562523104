from __future__ import annotations

import sys
import types
from contextlib import ExitStack
from pathlib import Path

import pytest

from spyglass.errors import Cancelled
from spyglass.profile import ContainerHop, SSHHop
from spyglass.remote.base import Remote, Stop
from spyglass.remote.local import Local
from spyglass.remote.opening import open_hops


def nobody(question: object) -> object:
    raise AssertionError(f"asked {question}")


class Inner(Local):
    def __init__(self, through: Remote, name: str, engine: str) -> None:
        self.through, self.name, self.engine = through, name, engine
        self.closed = 0

    def describe(self) -> str:
        return f"container {self.name}"

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> list[Inner]:
    made: list[Inner] = []

    def find(through: Remote, name: str, engine: str) -> Inner:
        if name == "gone":
            raise Cancelled
        made.append(Inner(through, name, engine))
        return made[-1]

    module = types.ModuleType("spyglass.remote.container")
    module.find = find  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "spyglass.remote.container", module)
    monkeypatch.setattr("spyglass.remote.container", module, raising=False)  # if it was imported before
    return made


def test_each_hop_is_reached_through_the_one_before(engine: list[Inner]) -> None:
    told: list[tuple[int, str, str]] = []
    with ExitStack() as stack:
        hops = [ContainerHop("a"), ContainerHop("b", engine="podman")]
        remotes = open_hops(hops, nobody, Stop(), stack, on_hop=lambda *words: told.append(words))
        assert remotes[1:] == engine
        assert engine[0].through is remotes[0]
        assert engine[1].through is remotes[1]
        assert engine[1].engine == "podman"
        assert [one.closed for one in engine] == [0, 0]
    assert [one.closed for one in engine] == [1, 1]
    assert [(index, state) for index, state, _ in told] == [(0, "busy"), (0, "ok"), (1, "busy"), (1, "ok")]
    assert told[-1][2] == "container b"


def test_a_hop_that_fails_leaves_the_others_on_the_stack(engine: list[Inner]) -> None:
    with ExitStack() as stack:
        with pytest.raises(Cancelled):
            open_hops([ContainerHop("a"), ContainerHop("gone")], nobody, Stop(), stack)
        assert engine[0].closed == 0
    assert engine[0].closed == 1


def test_nothing_is_opened_once_stopped(engine: list[Inner]) -> None:
    stop = Stop()
    stop.set()
    with ExitStack() as stack, pytest.raises(Cancelled):
        open_hops([ContainerHop("a")], nobody, stop, stack)
    assert engine == []


def test_what_ssh_config_wants_and_does_not_get_is_noted_in_the_log(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = tmp_path / "config"
    config.write_text("Host prod\n  StrictHostKeyChecking no\n")
    monkeypatch.setattr("spyglass.remote.opening._open", lambda *_: Local())
    with ExitStack() as stack, caplog.at_level("INFO", "spyglass"):
        open_hops([SSHHop("prod")], nobody, Stop(), stack, config=config)
    noted = [record.getMessage() for record in caplog.records if record.levelname == "INFO"]
    assert [line.partition(": ")[2] for line in noted] == [
        "StrictHostKeyChecking no is not followed, unknown keys are asked about"
    ]
