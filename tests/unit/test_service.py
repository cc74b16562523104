import queue
from collections.abc import Iterator
from typing import Any

import pytest

from spyglass.connection import Connection
from spyglass.errors import Denied, Failure, Lost, Missing, Unreachable
from spyglass.messages import CloseWindow, Nudge, Observe, Refresh, Retry
from spyglass.options import Options
from spyglass.profile import Profile, SSHHop
from spyglass.questions import Consent
from spyglass.status import Phase, Status
from support.fake_world import FakeVM, World, found

pytestmark = pytest.mark.warns("troubles are logged, on purpose")

LAB = Profile(name="lab", id="0" * 32, hops=(SSHHop(host="prod"),))
NODE = "shop@172.17.0.4"
KEY = f"docker/web/{NODE}"
NEVER = 3600.0


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    monkeypatch.setattr("spyglass.remote.opening.open_hops", made.open_hops)
    monkeypatch.setattr("spyglass.erlang.discovery.discover", made.discover)
    monkeypatch.setattr("spyglass.erlang.slots.probe_name", lambda: "spyglass_probe@127.0.0.1")
    monkeypatch.setattr("spyglass.forwards.open_forward", made.open_forward)
    monkeypatch.setattr("spyglass.connection.backoff", lambda _tries: NEVER)
    monkeypatch.setattr("spyglass.service.backoff", lambda _looks: NEVER)
    return made


class Desk:
    """Says yes, and keeps the questions."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def ask(self, question: Any) -> Any:
        self.asked.append(question)
        return True


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def up(world: World, desk: Desk) -> Iterator[Connection]:
    """Connected, with a window on the node in the container web; another node beside it."""
    world.found = [at(NODE), found("job@srv")]
    connection = Connection(LAB, desk.ask, world.published.put, world, Options())  # type: ignore[arg-type]
    connection.start()
    connection.post(Observe(NODE))
    world.until(lambda s: s.observing == {KEY} and s.surveyed)
    yield connection
    connection.stop()
    assert connection.join(5)


def at(node: str, container: str = "web", **more: Any) -> Any:
    return found(node, key=f"docker/{container}/{node}", container=container, **more)


def fall(world: World) -> None:
    """The node of the newest window goes down."""
    world.vms[-1].listener({"event": "nodedown", "node": NODE, "reason": "connection_closed"})


def gone(world: World) -> Status:
    """The node is gone, the window is closed, and one look was in vain."""
    world.found = [found("job@srv")]
    fall(world)
    return world.until(lambda s: bool(s.awaited and s.next_try))


def test_a_node_that_went_down_is_awaited_and_says_so(world: World, up: Connection) -> None:
    status = gone(world)
    assert status.phase is Phase.READY
    assert status.awaited == {KEY}
    assert not status.observing
    assert status.troubles[KEY].title == f"{NODE} is gone"
    assert world.vms[0].closed.wait(5)
    assert world.forwards[NODE] == "closed"
    assert any(n.why_not == "it went down" for s in world.history for n in s.nodes if n.key == KEY)


def test_its_window_opens_again_when_it_is_back(world: World, up: Connection) -> None:
    gone(world)
    world.found = [at(NODE), found("job@srv")]
    up.post(Retry())
    status = world.until(lambda s: s.observing == {KEY})
    assert not status.troubles
    assert not status.awaited
    assert status.next_try is None
    assert len(world.vms) == 2


def test_it_is_looked_for_by_itself_with_longer_and_longer_pauses(
    world: World, up: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[int] = []
    back: queue.SimpleQueue[None] = queue.SimpleQueue()

    def pause(look: int) -> float:
        looks.append(look)
        if look == 4:
            world.found = [at(NODE)]
            back.put(None)
        return 0.001

    monkeypatch.setattr("spyglass.service.backoff", pause)
    world.found = [found("job@srv")]
    fall(world)
    back.get(timeout=5)
    world.until(lambda s: s.observing == {KEY})
    assert looks == [1, 2, 3, 4]


def test_with_a_new_address_it_is_the_same_by_its_container(world: World, up: Connection) -> None:
    gone(world)
    world.found = [at("shop@172.17.0.7"), at(NODE, "usurper"), found("job@srv")]
    up.post(Nudge())
    status = world.until(lambda s: bool(s.observing))
    assert status.observing == {"docker/web/shop@172.17.0.7"}
    assert not status.troubles
    assert ("connect", "shop@172.17.0.7") in world.vms[1].calls


@pytest.mark.parametrize("wish", [Refresh(), Observe(KEY)])
def test_a_person_s_wish_looks_at_once(world: World, up: Connection, wish: Any) -> None:
    gone(world)
    world.found = [at(NODE)]
    up.post(wish)
    assert world.until(lambda s: bool(s.observing)).observing == {KEY}


def test_closing_its_window_gives_it_up(world: World, up: Connection) -> None:
    gone(world)
    up.post(CloseWindow(KEY))
    status = world.until(lambda s: not s.awaited)
    assert not status.troubles
    assert status.next_try is None
    world.found = [at(NODE)]
    up.post(Refresh())
    world.until(lambda s: any(n.key == KEY and n.reachable for n in s.nodes))
    assert len(world.vms) == 1


def test_a_window_that_fails_to_open_again_waits_for_the_next_look(world: World, up: Connection) -> None:
    gone(world)
    world.found = [at(NODE)]
    world.next_vm = vm = FakeVM()
    vm.fails["ready"] = Failure("Erlang did not start within 10 s", retry=True, code="timeout")
    up.post(Retry())
    world.until(lambda s: bool(s.awaited and s.next_try) and s.troubles[KEY].code == "timeout")
    up.post(Retry())
    world.until(lambda s: s.observing == {KEY})


def test_the_pauses_grow_as_long_as_no_window_opens(
    world: World, up: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[int] = []
    monkeypatch.setattr("spyglass.service.backoff", lambda look: looks.append(look) or NEVER)
    gone(world)
    world.found = [at(NODE)]
    for _ in range(3):
        world.next_vm = vm = FakeVM()
        vm.fails["ready"] = Failure("Erlang did not start within 10 s", retry=True, code="timeout")
        up.post(Retry())
        assert vm.closed.wait(5)
        world.until(lambda s: bool(s.awaited and s.next_try) and s.troubles[KEY].code == "timeout")
    assert looks == [1, 2, 3, 4]


def test_a_node_that_went_since_it_was_found_is_looked_for(
    world: World, up: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.next_vm = vm = FakeVM()
    vm.fails["connect"] = Unreachable("false")
    gone_since = Unreachable("job@srv is gone since it was found", code="node-gone")
    monkeypatch.setattr("spyglass.session.Session.explain", lambda _self, _found: gone_since)
    up.post(Observe("job@srv"))
    assert world.until(lambda s: bool(s.awaited and s.next_try)).awaited == {"host/job@srv"}
    up.post(Retry())
    world.until(lambda s: s.observing == {KEY, "host/job@srv"})


def test_a_node_that_only_its_figures_were_asked_of_is_shown_gone_and_looked_for(
    world: World, up: Connection
) -> None:
    assert up.session is not None
    world.next_vm = vm = FakeVM()
    up.session.calling("job@srv")
    world.found = [at(NODE)]
    vm.listener({"event": "nodedown", "node": "job@srv"})
    status = world.until(lambda s: any(n.why_not == "it went down" for n in s.nodes))
    assert world.forwards["job@srv"] == "closed"
    status = world.until(lambda s: len(s.nodes) == 1)
    assert status.observing == {KEY}
    assert not status.troubles


def test_a_refusal_is_not_tried_again(world: World, up: Connection) -> None:
    gone(world)
    world.found = [at(NODE)]
    world.next_vm = vm = FakeVM()
    vm.fails["ready"] = Denied("no")
    up.post(Retry())
    status = world.until(lambda s: KEY in s.troubles and s.troubles[KEY].code == "denied")
    assert not status.awaited


def test_a_dead_local_vm_is_told_and_not_opened_again(world: World, up: Connection) -> None:
    world.vms[0].close()
    status = world.until(lambda s: bool(s.troubles))
    assert status.troubles[KEY].code == "local-erlang"
    assert not world.until(lambda s: not s.observing).awaited


def test_what_was_lent_once_is_lent_again_without_a_question(
    world: World, up: Connection, desk: Desk
) -> None:
    up.post(CloseWindow(KEY))
    world.until(lambda s: not s.observing)
    for _ in range(2):
        world.next_vm = vm = FakeVM()
        vm.backend = False
        up.post(Observe(KEY))
        world.until(lambda s: s.observing == {KEY})
        fall(world)
        world.until(lambda s: not s.observing)
        world.until(lambda s: bool(s.observing))
        up.post(CloseWindow(KEY))
        world.until(lambda s: not s.observing)
    assert [type(question) for question in desk.asked] == [Consent]


def test_a_look_that_fails_costs_no_window(world: World, up: Connection) -> None:
    world.survey_failure = Unreachable("Docker on prod does not run", "Start it.")
    up.post(Refresh())
    status = world.until(lambda s: bool(s.warnings))
    assert status.warnings == ("Docker on prod does not run",)
    assert status.observing == {KEY}
    assert status.phase is Phase.READY


def test_a_look_that_finds_the_link_lost_ends_the_period(world: World, up: Connection) -> None:
    world.survey_failure = Lost("The connection to prod is lost")
    up.post(Refresh())
    status = world.until(lambda s: s.phase is Phase.WAITING)
    assert status.awaited == {KEY}


def test_a_window_that_was_being_closed_does_not_come_back(world: World, up: Connection) -> None:
    up.post(CloseWindow(KEY))
    world.places[0].lose(Lost("The connection to prod is lost"))
    status = world.until(lambda s: s.phase is Phase.WAITING)
    assert not status.awaited


def test_giving_up_while_waiting_for_the_link_holds(world: World, up: Connection) -> None:
    world.places[0].lose(Lost("The connection to prod is lost"))
    assert world.until(lambda s: s.phase is Phase.WAITING).awaited == {KEY}
    up.post(CloseWindow(KEY))
    assert not world.until(lambda s: not s.awaited).awaited
    up.post(Retry())
    world.until(lambda s: s.phase is Phase.READY and s.surveyed)
    assert len(world.vms) == 1


def test_a_container_that_is_gone_for_a_while_is_waited_for_once_it_had_been_there(
    world: World, up: Connection
) -> None:
    world.places[0].lose(Lost("The connection to prod is lost"))
    world.until(lambda s: s.phase is Phase.WAITING)
    world.hop_failures = [Missing("prod runs no container web", code="no-container")]
    up.post(Retry())
    status = world.until(lambda s: s.phase is Phase.WAITING and bool(s.problem) and s.attempt > 1)
    assert status.problem is not None
    assert status.problem.code == "no-container"
