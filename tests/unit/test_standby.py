import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from spyglass.errors import Missing
from spyglass.standby import Booted, Standby
from support.fake_world import FakeVM


class Slots:
    """How many names are held."""

    held = 0

    @contextmanager
    def take(self) -> Iterator[object]:
        self.held += 1
        yield object()
        self.held -= 1


@pytest.fixture
def vms(monkeypatch: pytest.MonkeyPatch) -> list[FakeVM]:
    made: list[FakeVM] = []

    def start(_erlang: Any, _ebin: Any, _slot: Any, *, on_event: Any) -> FakeVM:
        vm = FakeVM()
        vm.listener = on_event
        made.append(vm)
        return vm

    slots = Slots()
    monkeypatch.setattr("spyglass.erlang.slots.take", slots.take)
    monkeypatch.setattr("spyglass.erlang.runtime.find", lambda _erl, **_k: SimpleNamespace(otp=25))
    monkeypatch.setattr("spyglass.erlang.runtime.modules", lambda _erlang: "ebin")
    monkeypatch.setattr("spyglass.erlang.node.LocalNode.start", start)
    monkeypatch.setattr("support.fake_world.FakeVM.slots", slots, raising=False)
    return made


def test_the_spare_is_handed_over_once(vms: list[FakeVM]) -> None:
    standby = Standby(str)
    standby.prepare()
    standby.prepare()
    assert len(vms) == 1
    first, second = standby.take(), standby.take()
    assert (first.vm, second.vm) == (vms[0], vms[1])
    for booted in (first, second):
        booted.close()
    standby.close()


def test_a_vm_for_calls_has_no_graphics_loaded(vms: list[FakeVM]) -> None:
    booted = Standby(str).plain()
    booted.close()
    assert vms[0].did() == []


def test_closing_ends_the_spare_and_frees_its_name(vms: list[FakeVM]) -> None:
    standby = Standby(str)
    standby.prepare(graphics=False)
    standby.close()
    standby.prepare()
    assert vms[0].closed.is_set()
    assert len(vms) == 1
    assert vms[0].slots.held == 0  # type: ignore[attr-defined]


def test_events_before_anybody_listens_are_not_lost(vms: list[FakeVM]) -> None:
    booted = Booted("", preload=False)
    vms[0].listener({"event": "nodeup"})
    heard: list[Any] = []
    booted.listen(heard.append)
    vms[0].listener({"event": "nodedown"})
    assert [event["event"] for event in heard] == ["nodeup", "nodedown"]
    booted.close()
    booted.close()


def test_a_failing_preload_is_met_by_whoever_opens_the_window(vms: list[FakeVM]) -> None:
    booted = Booted("", preload=True)
    vms[0].fails["preload"] = Missing("no display")
    assert booted.vm is vms[0]
    booted.close()


def test_beginning_without_an_erlang_stays_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    searched = threading.Event()

    def find(_erl: str, **_more: object) -> None:
        searched.set()
        raise Missing("There is no Erlang on this computer")

    monkeypatch.setattr("spyglass.erlang.runtime.find", find)
    standby = Standby(str)
    standby.begin()
    assert searched.wait(5)
    with pytest.raises(Missing):
        standby.take()


def test_why_nothing_can_be_shown_is_known_until_something_can(
    vms: list[FakeVM], monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(_erl: str, **_k: object) -> object:
        raise Missing("There is no Erlang on this computer", "Install one.", code="no-erlang")

    here = SimpleNamespace(otp=25)
    monkeypatch.setattr("spyglass.erlang.runtime.find", missing)
    standby, told = Standby(str), threading.Event()
    standby.begin(then=told.set)
    assert told.wait(5)
    assert standby.problem is not None
    assert standby.problem.code == "no-erlang"
    monkeypatch.setattr("spyglass.erlang.runtime.find", lambda _erl, **_k: here)
    standby.take().close()
    assert standby.problem is None
    standby.close()
