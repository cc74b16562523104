import queue
from types import SimpleNamespace
from typing import Any

import pytest

from spyglass.errors import Cancelled, Missing
from spyglass.messages import Declined, LinkLost, Surveyed, SurveyFailed
from spyglass.profile import ContainerHop, Profile, SSHHop
from spyglass.session import Session
from support.fake_world import FakePlace, World, found

NODE = "shop@10.0.0.1"
LAB = Profile(name="p", hops=(SSHHop(host="prod"),))


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    monkeypatch.setattr("spyglass.erlang.discovery.discover", made.discover)
    monkeypatch.setattr("spyglass.erlang.slots.probe_name", lambda: "spyglass_probe@127.0.0.1")
    monkeypatch.setattr("spyglass.forwards.open_forward", made.open_forward)
    return made


class Period:
    """A session over fake places, and what it reported."""

    def __init__(self, world: World, profile: Profile = LAB, *more: Any, ask: Any = None) -> None:
        self.told: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.places: list[Any] = [FakePlace("this computer"), FakePlace("prod"), *more]
        self.session = Session(profile, self.places, world, ask or (lambda _q: None), self.told.put)  # type: ignore[arg-type]

    def report(self, kind: type) -> Any:
        """The next report of this kind."""
        while not isinstance(told := self.told.get(timeout=5), kind):
            pass
        return told


def test_hops_are_told_without_this_computer(world: World) -> None:
    assert Period(world).session.hops == ("prod",)


def test_a_question_taken_back_is_told_so_that_nobody_waits_for_the_survey(world: World) -> None:
    def refuse(_question: Any) -> Any:
        raise Cancelled

    period = Period(world, Profile(name="p", cookie="ask"), ask=refuse)
    period.session.survey()
    assert period.report(Declined)
    period.session.close()


def test_a_node_that_went_down_is_forgotten_with_its_forward(world: World) -> None:
    world.found = [found(NODE)]
    session = Period(world).session
    session.admit(world.found[0])
    assert session.match(NODE)
    session.forget(f"host/{NODE}")
    assert session.match(NODE) is None
    assert world.forwards == {NODE: "closed"}
    session.close()


def test_a_container_is_resolved_again_at_every_further_look(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[Any] = []

    def find(remote: Any, name: str, engine: str) -> Any:
        looked.append((remote.name, name, engine))
        if len(looked) > 1:
            raise Missing("prod runs no container web", code="no-container")
        return FakePlace("container web, made anew")

    monkeypatch.setattr("spyglass.remote.container.find", find)
    profile = Profile(name="p", hops=(SSHHop(host="prod"), ContainerHop("web", "docker")))
    period = Period(world, profile, FakePlace("container web"))
    period.session.survey()
    period.report(Surveyed)
    assert looked == []
    period.session.survey()
    period.report(Surveyed)
    assert looked == [("prod", "web", "docker")]
    assert period.session.remote.describe() == "container web, made anew"
    period.session.survey()
    assert period.report(SurveyFailed).failure.code == "no-container"
    period.session.close()


@pytest.mark.parametrize(("latency", "lost"), [(0.01, False), (None, True)])
def test_a_server_that_gives_no_sign_of_life_is_lost(world: World, latency: float | None, lost: bool) -> None:
    period = Period(world)
    period.places[1].latency = lambda _seconds: latency
    period.session.probe()
    if lost:
        assert period.report(LinkLost).failure.retry
    period.session.close()
    assert period.told.empty()


def test_figures_are_asked_of_what_can_be_reached(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr("spyglass.calls.Calls.figures", lambda _self, nodes: asked.append(set(nodes)) or {})
    session = Period(world).session
    for node in (found(NODE), found("locked@h", cookie=None)):
        session.admit(node)
    assert session.figures() == {}
    assert asked == [{f"host/{NODE}"}]
    session.close()


def test_all_figures_of_one_node_come_from_the_vm_for_calls(world: World) -> None:
    world.next_vm = vm = world.take().vm
    vm.answers["stats"] = {"process_count": 7}
    session = Period(world).session
    session.admit(found(NODE))
    assert session.stats(NODE) == {"process_count": 7}
    session.close()
    assert vm.closed.is_set()


def test_what_was_searched_and_where_is_told_to_explain(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spyglass.ports.explain", lambda remote, node: SimpleNamespace(of=(remote, node)))
    period, node = Period(world), found(NODE)
    assert period.session.explain(node).of == (period.places[1], node)  # type: ignore[attr-defined]
