import queue
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from spyglass import doctor
from spyglass.errors import Cancelled, Failure, Missing, Unreachable
from spyglass.hub import Hub
from spyglass.options import Options
from spyglass.profile import Profile, SSHHop
from spyglass.questions import Ask, Secret
from spyglass.remote.base import Stop
from spyglass.safe import Safe
from spyglass.status import Phase, Status
from spyglass.store.profiles import Profiles
from support.fake_ring import FakeRing
from support.fake_world import FakeVM, World, found


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    monkeypatch.setattr("spyglass.remote.opening.open_hops", made.open_hops)
    monkeypatch.setattr("spyglass.erlang.discovery.discover", made.discover)
    monkeypatch.setattr("spyglass.erlang.slots.probe_name", lambda: "spyglass_probe@127.0.0.1")
    monkeypatch.setattr("spyglass.hub.Standby", lambda _erl: made)
    monkeypatch.setattr("spyglass.forwards.open_forward", made.open_forward)
    return made


@pytest.fixture
def hub(world: World, tmp_path: Path) -> Iterator[Hub]:
    made = Hub(Profiles(tmp_path), lambda _profile, _question: None)
    made.subscribe(world.published.put)
    yield made
    made.close()


def ready(status: Status) -> bool:
    return status.phase is Phase.READY and status.surveyed


def test_a_saved_profile_is_connected_by_its_id(hub: Hub, world: World) -> None:
    saved = hub.add(Profile(name="lab", hops=(SSHHop(host="prod"),)))
    assert hub.status(saved.id).phase is Phase.OFFLINE
    assert hub.connect(saved.id, Options()) == saved.id
    world.until(ready)
    assert hub.status(saved.id).phase is Phase.READY
    assert [s.profile_id for s in hub.statuses()] == [saved.id]
    assert world.prepared


def test_an_unsaved_profile_gets_an_id_and_a_place_in_the_list_until_it_is_removed(
    hub: Hub, world: World
) -> None:
    made = hub.connect(Profile(name="quick", hops=(SSHHop(host="prod"),)))
    world.until(ready)
    assert [p.id for p in hub.profiles()] == [made]
    hub.remove(made)
    world.until(lambda s: s.phase is Phase.OFFLINE)
    assert hub.profiles() == []


def test_connecting_twice_keeps_the_one_connection(hub: Hub, world: World) -> None:
    made = hub.connect(Profile(name="quick", hops=(SSHHop(host="prod"),)))
    world.until(ready)
    hub.connect(made)
    hub.disconnect(made)
    world.until(lambda s: s.phase is Phase.OFFLINE)
    assert len(world.places) == 1


def test_observe_and_close_window_reach_the_connection(hub: Hub, world: World) -> None:
    world.found = [found("shop@h")]
    made = hub.connect(Profile(name="quick", hops=(SSHHop(host="prod"),)))
    hub.observe(made, "shop@h")
    world.until(lambda s: bool(s.observing))
    hub.close_window(made, "host/shop@h")
    world.until(lambda s: not s.observing)


def test_refresh_sees_what_is_new(hub: Hub, world: World) -> None:
    made = hub.connect(Profile(name="quick", hops=(SSHHop(host="prod"),)))
    world.until(ready)
    world.found = [found("new@h")]
    hub.refresh(made)
    assert world.until(lambda s: bool(s.nodes)).nodes[0].node == "new@h"


def test_disconnect_takes_open_questions_back(world: World, tmp_path: Path) -> None:
    withdrawn: list[str] = []
    hub = Hub(Profiles(tmp_path), lambda _profile, _question: None, withdraw=withdrawn.append)
    made = hub.connect(Profile(name="quick", hops=(SSHHop(host="prod"),)))
    hub.disconnect(made)
    hub.close()
    assert made in withdrawn


def test_a_listener_that_left_hears_nothing_more(hub: Hub, world: World) -> None:
    heard: list[Status] = []
    leave = hub.subscribe(heard.append)
    leave()
    hub.connect(Profile(name="quick", hops=(SSHHop(host="prod"),)))
    world.until(ready)
    assert heard == []


def test_calls_need_a_connection(hub: Hub) -> None:
    with pytest.raises(Failure, match="not connected"):
        hub.session("0" * 32)
    with pytest.raises(Missing):
        hub.connect("0" * 32)


def test_wishes_for_an_unknown_profile_are_dropped(hub: Hub) -> None:
    hub.observe("0" * 32, "shop@h")
    hub.disconnect("0" * 32)
    assert hub.statuses() == []


def test_broken_files_are_told(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text("name = 1\n")
    assert [f.code for f in hub.read()[1]] == ["bad-input"]


def test_a_vm_for_calls_is_joined_once(hub: Hub, world: World) -> None:
    world.found = [found("shop@h")]
    made = hub.connect(Profile(name="quick", hops=(SSHHop(host="prod"),)), Options(boots="calls"))
    world.until(ready)
    session: Any = hub.session(made)
    assert session.calling("shop@h")[1] == "shop@h"
    assert session.calling("host/shop@h")[1] == "shop@h"
    assert world.vms[0].did().count("connect") == 1
    with pytest.raises(Failure, match="There is no node ghost@h there"):
        session.calling("ghost@h")


@pytest.mark.warns("a connection that stops is logged")
def test_what_begins_unattended_asks_nobody_until_a_person_wants_it(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def open_hops(hops: tuple[Any, ...], ask: Ask, *rest: Any, **named: Any) -> list[Any]:
        ask(Secret("password", "deploy@prod"))
        return world.open_hops(hops, ask, *rest, **named)

    monkeypatch.setattr("spyglass.remote.opening.open_hops", open_hops)
    asked: list[str] = []
    hub = Hub(Profiles(tmp_path), lambda profile, _question: asked.append(profile))
    hub.subscribe(world.published.put)
    made = hub.connect(Profile(name="quick", hops=(SSHHop(host="prod"),)), unattended=True)
    stopped = world.until(lambda s: s.phase is Phase.FAILED)
    assert (stopped.problem.code if stopped.problem else "", asked) == ("needs-answer", [])
    hub.retry(made)
    world.until(ready)
    hub.close()
    assert asked == [made]


class Watch:
    """As desktop.changes.Changes."""

    made: list["Watch"]

    def __init__(self, notify: Any) -> None:
        self.notify = notify
        self.closed = False
        type(self).made.append(self)

    def close(self) -> None:
        self.closed = True

    def join(self, _seconds: float) -> None:
        assert self.closed


@pytest.fixture
def watches(monkeypatch: pytest.MonkeyPatch) -> list[Watch]:
    Watch.made = []
    monkeypatch.setattr("spyglass.desktop.changes.Changes", Watch)
    return Watch.made


QUICK = Profile(name="quick", hops=(SSHHop(host="prod"),))


def test_the_network_is_watched_while_a_connection_stands(
    watches: list[Watch], hub: Hub, world: World
) -> None:
    assert watches == []
    made = hub.connect(QUICK)
    world.until(ready)
    assert [w.closed for w in watches] == [False]
    hub.disconnect(made)
    world.until(lambda s: s.phase is Phase.OFFLINE)
    assert [w.closed for w in watches] == [True]


def test_a_command_that_ends_soon_watches_nothing(watches: list[Watch], hub: Hub, world: World) -> None:
    hub.connect(QUICK, Options(persist=False))
    world.until(ready)
    assert watches == []


@pytest.mark.warns("that prod does not answer, on purpose")
def test_a_change_lets_who_waits_try_now_and_who_is_up_make_sure(
    watches: list[Watch], hub: Hub, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spyglass.connection.backoff", lambda _attempt: 3600)
    probed: queue.SimpleQueue[str] = queue.SimpleQueue()
    monkeypatch.setattr("spyglass.session.Session.probe", lambda _self: probed.put("probed"))
    world.hop_failures = [Unreachable("prod does not answer")]
    hub.connect(QUICK)
    world.until(lambda s: s.phase is Phase.WAITING)
    watches[0].notify()
    world.until(ready)
    watches[0].notify()
    assert probed.get(timeout=5)


def test_live_figures_reach_whoever_watches_until_they_leave(
    hub: Hub, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = {"memory": 1, "processes": 2, "run_queue": 0, "schedulers": 4, "uptime_ms": 10, "cpu_ms": 1}
    world.next_vm = vm = FakeVM()
    vm.answers["figures"] = [{"node": "shop@h", **told}]
    world.found = [found("shop@h")]
    heard: queue.SimpleQueue[Any] = queue.SimpleQueue()
    made = hub.connect(QUICK)
    world.until(ready)
    leave = hub.watch_stats(made, heard.put)
    assert heard.get(timeout=5)["host/shop@h"].processes == 2
    leave()
    hub.disconnect(made)
    world.until(lambda s: s.phase is Phase.OFFLINE)
    assert vm.closed.is_set()


def test_without_a_connection_there_are_no_figures(hub: Hub) -> None:
    hub.watch_stats("0" * 32, lambda _readings: None)()


def test_removing_a_profile_removes_its_secrets_and_waits_for_no_keyring(hub: Hub) -> None:
    ring = FakeRing()
    hub._safe = Safe(lambda: ring)
    saved = hub.add(Profile(name="lab"))
    ring.kept[saved.id, "cookie"] = "{}"
    ring.gate.clear()
    hub.remove(saved.id)  # returns although the keyring does not
    assert ring.kept
    ring.gate.set()
    hub.close()
    assert ring.kept == {}


def test_a_profile_is_tried_out_beside_its_connection(hub: Hub, world: World) -> None:
    told: list[str] = []
    profile = Profile(name="lab", hops=(SSHHop(host="prod"),))
    checks = list(doctor.visit(hub, profile, Stop(), told.append))
    assert [check.state for check in checks if check.name == "prod"] == ["ok"]
    assert "Looking for nodes" in told
    assert (hub.statuses(), hub.profiles()) == ([], [])


def test_trying_a_profile_out_can_be_stopped(hub: Hub, world: World) -> None:
    stop = Stop()
    with pytest.raises(Cancelled):
        for _ in doctor.visit(
            hub, Profile(name="lab", hops=(SSHHop(host="prod"),)), stop, lambda _: stop.set()
        ):
            pass
