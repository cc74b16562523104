from collections.abc import Iterator
from typing import Any

import pytest

from spyglass.calls import AGAIN, REST, Calls
from spyglass.errors import Failure, Unreachable
from support.fake_world import FakeVM, World, found

FIGURES = {"memory": 1, "processes": 2, "run_queue": 0, "schedulers": 4, "uptime_ms": 10, "cpu_ms": 1}


class Way:
    """A way on which everything goes well."""

    def port(self, _found: Any) -> int:
        return 40001

    def prove(self, _found: Any, cookie: str) -> bool:
        return cookie == "TYPED"

    def explain(self, node: Any) -> Failure:
        return Unreachable(f"{node.info.node} is gone")


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def calls(world: World) -> Iterator[Calls]:
    made = Calls(Way(), world, lambda _question: "TYPED")  # type: ignore[arg-type]
    yield made
    made.close()


def test_a_node_is_joined_once(calls: Calls, world: World) -> None:
    node = found("shop@h")
    first, cookie = calls.joined(node)
    assert calls.joined(node) == (first, cookie) == (first, "SECRETCOOKIE")
    assert world.vms[0].did().count("connect") == 1


def test_a_node_that_went_down_is_told_and_joined_anew(world: World) -> None:
    went: list[str] = []
    calls = Calls(Way(), world, lambda _question: "TYPED", went.append)  # type: ignore[arg-type]
    calls.joined(found("shop@h"))
    world.vms[0].listener({"event": "nodedown", "node": "shop@h"})
    calls.joined(found("shop@h"))
    assert world.vms[0].did().count("connect") == 2
    assert went == ["shop@h"]
    calls.close()


def test_a_vm_that_died_is_replaced(calls: Calls, world: World) -> None:
    calls.joined(found("shop@h"))
    world.vms[0].close()
    calls.joined(found("shop@h"))
    assert [vm.did().count("connect") for vm in world.vms] == [1, 1]


def test_a_cookie_that_is_missing_is_asked_for(calls: Calls) -> None:
    assert calls.joined(found("locked@h", cookie=None))[1] == "TYPED"


def test_after_the_end_there_is_no_other_vm(calls: Calls, world: World) -> None:
    calls.close()
    with pytest.raises(Failure, match="not connected"):
        calls.joined(found("shop@h"))
    assert world.vms == []


def asked(vm: FakeVM) -> list[Any]:
    return [call[1] for call in vm.calls if call[0] == "figures"]


def test_all_nodes_are_asked_in_one_request_and_the_slow_one_skips_the_beat(
    calls: Calls, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.next_vm = vm = FakeVM()
    vm.answers["figures"] = [{"node": "a@h", **FIGURES}]
    nodes = {"ka": found("a@h"), "kb": found("slow@h")}
    now = [100.0]
    monkeypatch.setattr("spyglass.calls.time.monotonic", lambda: now[0])
    for _ in range(2):
        assert set(calls.figures(nodes)) == {"ka"}
    now[0] += REST
    calls.figures(nodes)
    assert asked(vm) == [["a@h", "slow@h"], ["a@h"], ["a@h", "slow@h"]]


def test_nobody_is_asked_for_a_cookie_for_the_sake_of_figures(calls: Calls, world: World) -> None:
    assert calls.figures({"k": found("locked@h", cookie=None)}) == {}
    assert world.vms == []


def test_a_node_that_can_t_be_joined_is_left_alone_for_a_while(
    calls: Calls, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr("spyglass.calls.time.monotonic", lambda: now[0])
    world.next_vm = vm = FakeVM()
    vm.fails["connect"] = Unreachable("false")
    for _ in range(2):
        assert calls.figures({"k": found("shop@h")}) == {}
    assert vm.did().count("connect") == 1
    del vm.fails["connect"]
    vm.answers["figures"] = [{"node": "shop@h", **FIGURES}]
    now[0] += AGAIN + 1
    assert set(calls.figures({"k": found("shop@h")})) == {"k"}
