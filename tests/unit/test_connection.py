import itertools
import queue
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from spyglass.connection import Connection
from spyglass.errors import BadHostKey, Cancelled, Denied, Failure, Lost, NeedsAnswer, Unreachable
from spyglass.messages import CloseWindow, Observe, Refresh, Retry
from spyglass.options import Options
from spyglass.profile import Observing, Profile, SSHHop
from spyglass.questions import Consent, Secret
from spyglass.remote.base import Stop
from spyglass.status import Phase, Status
from support.fake_world import FakeVM, World, found

pytestmark = pytest.mark.warns("troubles are logged, on purpose")

LAB = Profile(name="lab", id="0" * 32, hops=(SSHHop(host="bastion"), SSHHop(host="prod")))


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    monkeypatch.setattr("spyglass.remote.opening.open_hops", made.open_hops)
    monkeypatch.setattr("spyglass.erlang.discovery.discover", made.discover)
    monkeypatch.setattr("spyglass.erlang.slots.probe_name", lambda: "spyglass_probe@127.0.0.1")
    monkeypatch.setattr("spyglass.forwards.open_forward", made.open_forward)
    monkeypatch.setattr("spyglass.connection.backoff", lambda attempt: 0.01 * attempt)
    return made


class Desk:
    """Answers what is asked, from a list; without one it cancels."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.answers: list[Any] = []

    def ask(self, question: Any) -> Any:
        self.asked.append(question)
        if not self.answers:
            raise Cancelled
        return self.answers.pop(0)


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def connect(world: World, desk: Desk) -> Iterator[Any]:
    made: list[Connection] = []

    def start(profile: Profile = LAB, **options: Any) -> Connection:
        connection = Connection(profile, desk.ask, world.published.put, world, Options(**options))  # type: ignore[arg-type]
        made.append(connection)
        connection.start()
        return connection

    yield start
    for connection in made:
        connection.stop()
        assert connection.join(5)


def ready(status: Status) -> bool:
    return status.phase is Phase.READY and status.surveyed


def test_goes_through_every_phase_and_ends_with_forwards(world: World, connect: Any) -> None:
    world.found = [found("shop@10.0.0.1"), found("locked@10.0.0.2", cookie=None)]
    world.warnings = ["docker: permission denied"]
    connect()
    status = world.until(ready)
    phases = list(dict.fromkeys(s.phase for s in world.history))
    assert phases == [Phase.CONNECTING, Phase.DISCOVERING, Phase.FORWARDING, Phase.READY]
    assert [(n.node, n.forward) for n in status.nodes] == [("shop@10.0.0.1", 9001), ("locked@10.0.0.2", None)]
    assert [link.label for link in status.chain] == ["This computer", "bastion", "prod", "shop@10.0.0.1"]
    assert {link.state for link in status.chain} == {"ok"}
    assert status.warnings == ("docker: permission denied",)


def test_stop_unwinds_everything_and_says_offline(world: World, connect: Any) -> None:
    world.found = [found("shop@10.0.0.1")]
    connection = connect()
    world.until(ready)
    connection.stop()
    assert world.until(lambda s: s.phase is Phase.OFFLINE).nodes == ()
    assert world.forwards == {"shop@10.0.0.1": "closed"}
    assert all(place.closed for place in world.places)


def test_a_failing_hop_is_shown_where_it_broke(world: World, connect: Any) -> None:
    world.hop_failures = [Denied("prod refused deploy", "Check the key.")]
    connection = connect()
    status = world.until(lambda s: s.phase is Phase.FAILED)
    assert status.problem is not None
    assert status.problem.title == "prod refused deploy"
    assert [link.state for link in status.chain] == ["ok", "bad", "todo"]
    assert connection.join(5)


def test_an_unreachable_host_is_tried_again_until_it_answers(world: World, connect: Any) -> None:
    world.hop_failures = [Unreachable("bastion does not answer"), Unreachable("bastion does not answer")]
    connect()
    status = world.until(ready)
    waits = [s for s in world.history if s.phase is Phase.WAITING]
    assert [s.attempt for s in waits] == [1, 2]
    assert all(s.next_try for s in waits)
    assert status.problem is None


def test_without_persist_an_unreachable_host_is_the_end(world: World, connect: Any) -> None:
    world.hop_failures = [Unreachable("bastion does not answer")]
    connection = connect(persist=False)
    world.until(lambda s: s.phase is Phase.FAILED)
    assert connection.join(5)


def test_retry_cuts_the_wait_short(world: World, connect: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spyglass.connection.backoff", lambda attempt: 3600)
    world.hop_failures = [Unreachable("bastion does not answer")]
    connection = connect()
    world.until(lambda s: s.phase is Phase.WAITING)
    connection.post(Retry())
    world.until(ready)


def test_a_change_of_the_network_cuts_the_wait_short(
    world: World, connect: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[int] = []
    monkeypatch.setattr("spyglass.connection.backoff", lambda attempt: tries.append(attempt) or 3600)
    world.hop_failures = [Unreachable("bastion does not answer")] * 3
    connection = connect()
    for _ in range(3):
        world.until(lambda s: s.phase is Phase.WAITING)
        connection.nudge()
    world.until(ready)
    assert tries == [1, 1, 1]  # the old network's failures say nothing of the new one


def hanging(monkeypatch: pytest.MonkeyPatch, world: World, times: int) -> queue.SimpleQueue[None]:
    """Let the first attempts hang until they are stopped; each is told."""
    begun: queue.SimpleQueue[None] = queue.SimpleQueue()

    def open_hops(hops: Any, ask: Any, stop: Stop, *more: Any, **named: Any) -> Any:
        begun.put(None)
        if begun_before() < times:
            over = threading.Event()
            with stop.ending(over.set):
                over.wait(10)
        return world.open_hops(hops, ask, stop, *more, **named)

    counter = itertools.count()
    monkeypatch.setattr("spyglass.remote.opening.open_hops", open_hops)

    def begun_before() -> int:
        return next(counter)

    return begun


def test_an_attempt_that_hangs_on_the_old_network_is_begun_anew(
    world: World, connect: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spyglass.connection.HASTE", 0.0)
    begun = hanging(monkeypatch, world, 1)
    connection = connect()
    begun.get(timeout=5)
    connection.nudge()
    world.until(ready)


def test_a_network_that_never_rests_does_not_keep_it_from_connecting(
    world: World, connect: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spyglass.connection.HASTE", 0.0)
    begun = hanging(monkeypatch, world, 2)
    connection = connect()
    begun.get(timeout=5)
    connection.nudge()
    begun.get(timeout=5)
    connection.nudge()
    assert not connection._attempt.is_set()
    assert connection.status.phase is Phase.CONNECTING


def test_a_fresh_attempt_is_left_alone(world: World, connect: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = hanging(monkeypatch, world, 1)
    connection = connect()
    begun.get(timeout=5)
    connection.nudge()
    assert not connection._attempt.is_set()


def test_after_a_steady_minute_the_pauses_begin_anew(
    world: World, connect: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[int] = []
    monkeypatch.setattr("spyglass.connection.backoff", lambda attempt: tries.append(attempt) or 3600)
    connection = connect()
    for steady in (3600.0, 3600.0, 0.0, 0.0):
        monkeypatch.setattr("spyglass.connection.STEADY", steady)
        world.until(ready)
        world.places[-1].lose(Lost("The connection to prod is gone"))
        world.until(lambda s: s.phase is Phase.WAITING)
        connection.post(Retry())
    world.until(ready)
    assert tries == [1, 2, 1, 1]


@pytest.mark.parametrize(
    "failure",
    [
        BadHostKey("The host key of prod has changed"),
        Denied("prod refused deploy"),
        NeedsAnswer("The password of deploy@prod is needed"),
    ],
)
def test_what_a_person_has_to_decide_stops_the_loop(world: World, connect: Any, failure: Failure) -> None:
    connection = connect()
    world.until(ready)
    world.hop_failures = [failure]
    world.places[-1].lose(Lost("The connection to prod is gone"))
    status = world.until(lambda s: s.phase is Phase.FAILED)
    assert status.problem is not None
    assert status.problem.title == failure.title
    assert connection.join(5)


def test_a_question_taken_back_while_coming_back_is_asked_once(
    world: World, connect: Any, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = connect()
    world.until(ready)

    def refuse(_hops: Any, ask: Any, *_a: Any, **_k: Any) -> None:
        ask(Secret("password", "deploy@prod"))

    monkeypatch.setattr("spyglass.remote.opening.open_hops", refuse)
    world.places[-1].lose(Lost("The connection to prod is gone"))
    status = world.until(lambda s: s.phase is Phase.OFFLINE)
    assert status.problem is None
    assert len(desk.asked) == 1
    assert connection.join(5)


def test_questions_of_a_lost_period_are_taken_back(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.found = [found("bare@10.0.0.1")]
    world.next_vm = vm = FakeVM()
    vm.backend = False
    asked, withdrawn = threading.Event(), threading.Event()

    def ask(_question: Any) -> Any:
        asked.set()
        assert withdrawn.wait(5)
        raise Cancelled

    monkeypatch.setattr("spyglass.connection.backoff", lambda _attempt: 3600)
    connection = Connection(LAB, ask, world.published.put, world, Options(), withdrawn.set)  # type: ignore[arg-type]
    connection.start()
    connection.post(Observe("bare@10.0.0.1"))
    assert asked.wait(5)
    world.places[-1].lose(Lost("The connection to prod is gone"))
    status = world.until(lambda s: s.phase is Phase.WAITING)
    assert status.question is None
    connection.stop()
    assert connection.join(5)


def test_observe_before_the_node_is_known_opens_it_as_soon_as_it_is_seen(world: World, connect: Any) -> None:
    world.found = [found("shop@10.0.0.1")]
    world.hold_survey = threading.Event()
    connection = connect()
    connection.post(Observe("shop@10.0.0.1"))
    status = world.until(lambda s: bool(s.observing))
    assert not status.surveyed
    assert world.vms[0].did() == [
        "ready",
        "add_route",
        "set_cookie",
        "connect",
        "check_backend",
        "watch",
        "observe",
    ]
    world.hold_survey.set()


def test_observing_a_node_that_is_not_there_names_those_that_are(world: World, connect: Any) -> None:
    world.found = [found("shop@10.0.0.1")]
    connection = connect()
    connection.post(Observe("ghost@10.0.0.9"))
    status = world.until(lambda s: bool(s.troubles))
    assert status.troubles["ghost@10.0.0.9"].hint == "Nodes found: shop@10.0.0.1."
    assert connection.status.phase is Phase.READY


def test_closing_the_window_is_noticed_and_ends_its_vm(world: World, connect: Any) -> None:
    world.found = [found("shop@10.0.0.1")]
    connection = connect()
    connection.post(Observe("shop@10.0.0.1"))
    world.until(lambda s: bool(s.observing))
    world.vms[0].listener({"event": "observer_closed", "node": "shop@10.0.0.1"})
    status = world.until(lambda s: not s.observing)
    assert not status.troubles
    assert world.vms[0].closed.wait(5)


def test_close_window_from_our_side(world: World, connect: Any) -> None:
    world.found = [found("shop@10.0.0.1")]
    connection = connect()
    connection.post(Observe("shop@10.0.0.1"))
    world.until(lambda s: bool(s.observing))
    connection.post(CloseWindow("host/shop@10.0.0.1"))
    assert not world.until(lambda s: not s.observing).troubles


def test_a_node_that_goes_down_closes_its_window_and_says_so(world: World, connect: Any) -> None:
    world.found = [found("shop@10.0.0.1")]
    connection = connect(persist=False)
    connection.post(Observe("shop@10.0.0.1"))
    world.until(lambda s: bool(s.observing))
    world.vms[0].listener({"event": "nodedown", "node": "shop@10.0.0.1", "reason": "connection_closed"})
    status = world.until(lambda s: bool(s.troubles))
    assert status.troubles["host/shop@10.0.0.1"].title == "shop@10.0.0.1 is gone"
    assert world.vms[0].closed.wait(5)


def test_after_a_lost_link_the_window_comes_back_on_the_same_node(world: World, connect: Any) -> None:
    world.found = [found("shop@10.0.0.1")]
    connection = connect()
    connection.post(Observe("shop@10.0.0.1"))
    world.until(lambda s: bool(s.observing))
    world.places[1].lose(Lost("The connection to prod is gone"))
    world.until(lambda s: s.phase is Phase.WAITING)
    assert world.vms[0].closed.wait(5)
    status = world.until(lambda s: bool(s.observing))
    assert status.observing == {"host/shop@10.0.0.1"}
    assert len(world.vms) == 2


def test_a_forward_keeps_its_port_when_the_connection_comes_back(world: World, connect: Any) -> None:
    world.found = [found("shop@10.0.0.1")]
    connect()
    world.until(ready)
    world.places[1].lose(Lost("The connection to prod is gone"))
    world.until(lambda s: s.phase is Phase.WAITING)
    world.until(ready)
    assert world.ports_again == [0, 9001]


def test_lending_needs_consent_and_is_taken_back(world: World, connect: Any, desk: Desk) -> None:
    world.found = [found("bare@10.0.0.1")]
    world.next_vm = vm = FakeVM()
    vm.backend = False
    desk.answers = [True]
    connection = connect()
    connection.post(Observe("bare@10.0.0.1"))
    world.until(lambda s: bool(s.observing))
    assert isinstance(desk.asked[0], Consent)
    connection.post(CloseWindow("host/bare@10.0.0.1"))
    world.until(lambda s: not s.observing)
    assert ("withdraw", "bare@10.0.0.1", ["observer_backend"]) in vm.calls


def test_no_consent_means_no_window_and_nothing_lent(world: World, connect: Any, desk: Desk) -> None:
    world.found = [found("bare@10.0.0.1")]
    world.next_vm = vm = FakeVM()
    vm.backend = False
    desk.answers = [False]
    connection = connect()
    connection.post(Observe("bare@10.0.0.1"))
    status = world.until(lambda s: bool(s.troubles))
    assert "runtime_tools" in status.troubles["host/bare@10.0.0.1"].title
    assert "lend" not in vm.did()


@pytest.mark.parametrize("lend", ["always", "never"])
def test_a_profile_can_say_beforehand_whether_to_lend(
    world: World, connect: Any, desk: Desk, lend: str
) -> None:
    world.found = [found("bare@10.0.0.1")]
    world.next_vm = vm = FakeVM()
    vm.backend = False
    connection = connect(msgspec.structs.replace(LAB, observer=Observing(lend=lend)))  # type: ignore[arg-type]
    connection.post(Observe("bare@10.0.0.1"))
    status = world.until(lambda s: bool(s.observing or s.troubles))
    assert (bool(status.observing), "lend" in vm.did()) == ((lend == "always"),) * 2
    assert desk.asked == []


def test_a_missing_cookie_is_asked_for_and_proved(
    world: World, connect: Any, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.found = [found("locked@10.0.0.1", cookie=None)]
    monkeypatch.setattr(
        "spyglass.session.Session.prove", lambda _self, _found, cookie: cookie == "RIGHTCOOKIE"
    )
    desk.answers = ["WRONGCOOKIE", "RIGHTCOOKIE"]
    connection = connect()
    connection.post(Observe("locked@10.0.0.1"))
    world.until(lambda s: bool(s.observing))
    assert [q.again for q in desk.asked if isinstance(q, Secret)] == [False, True]
    assert ("set_cookie", "locked@10.0.0.1", "RIGHTCOOKIE") in world.vms[0].calls


def test_when_connecting_fails_the_reason_is_asked_of_the_port(
    world: World, connect: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.found = [found("shop@10.0.0.1")]
    world.next_vm = vm = FakeVM()
    vm.fails["connect"] = Unreachable("false")
    monkeypatch.setattr(
        "spyglass.session.Session.explain",
        lambda _self, f: Unreachable(f"{f.info.node} is gone since it was found"),
    )
    connection = connect(persist=False)
    connection.post(Observe("shop@10.0.0.1"))
    status = world.until(lambda s: bool(s.troubles))
    assert status.troubles["host/shop@10.0.0.1"].title == "shop@10.0.0.1 is gone since it was found"


def test_refresh_drops_the_forward_of_a_node_that_is_gone(world: World, connect: Any) -> None:
    world.found = [found("a@h"), found("b@h")]
    connection = connect()
    world.until(ready)
    world.found = [found("b@h")]
    connection.post(Refresh())
    status = world.until(lambda s: len(s.nodes) == 1)
    assert status.phase is Phase.READY
    assert world.forwards == {"a@h": "closed", "b@h": "open"}


def test_a_failed_survey_is_a_failure_of_the_connection(world: World, connect: Any) -> None:
    world.survey_failure = Lost("The connection to prod is gone")
    connect(persist=False)
    status = world.until(lambda s: s.phase is Phase.FAILED)
    assert status.problem is not None
    assert status.problem.code == "lost"


def test_a_defect_becomes_one_clear_failure(
    world: World, connect: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spyglass.remote.opening.open_hops", lambda *_a, **_k: SimpleNamespace().nothing)
    connect()
    status = world.until(lambda s: s.phase is Phase.FAILED)
    assert status.problem is not None
    assert status.problem.title == "Spyglass met a defect of its own"


def test_cancelling_a_question_leaves_a_clean_offline(
    world: World, connect: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_hops: Any, ask: Any, *_a: Any, **_k: Any) -> None:
        ask(Secret("password", "deploy@prod"))

    monkeypatch.setattr("spyglass.remote.opening.open_hops", refuse)
    connect()
    status = world.until(lambda s: s.phase is Phase.OFFLINE)
    assert status.problem is None
    assert status.question is None
    assert "Secret" in {s.question for s in world.history}
