"""Who stands in the Nodes menu besides the node that a window shows."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import pytest

from spyglass.company import Company
from spyglass.erlang.discovery import Found
from spyglass.errors import Failure, Missing
from spyglass.status import NodeInfo
from support.fake_world import FakeVM


class Way:
    """Every node is at its own port here."""

    lends = "ask"

    def port(self, found: Found) -> int:
        return found.port

    def explain(self, found: Found) -> Failure:
        return Failure(f"{found.info.node} refuses", "")


def node(name: str, port: int = 9, cookie: str | None = "right", *, reachable: bool = True) -> Found:
    return Found(NodeInfo(f"host/{name}", name, reachable), cookie, "h", port)


@pytest.fixture
def there() -> list[Found]:
    return [node("a@h"), node("b@h", 10), node("locked@h", 11, None)]


def company(there: list[Found], vm: FakeVM, agrees: bool = True) -> Company:
    way: Any = Way()
    any_vm: Any = vm
    made = Company(lambda: list(there), way, lambda _question: agrees, "x")
    made.begin(any_vm, ExitStack(), "a@h")
    return made


def test_each_other_one_is_joined_by_its_own_route_and_cookie(there: list[Found]) -> None:
    vm = FakeVM()
    company(there, vm)
    assert ("add_route", "b@h", 10) in vm.calls
    assert ("set_cookie", "b@h", "right") in vm.calls
    assert [call[1] for call in vm.calls if call[0] == "connect"] == ["b@h"]
    assert [call[1] for call in vm.calls if call[0] == "watch"] == ["b@h"]


def test_who_comes_is_let_in_and_who_is_gone_let_out(there: list[Found]) -> None:
    vm = FakeVM()
    made = company(there, vm)
    there[:] = [node("a@h"), node("c@h", 12)]
    made.gather("a@h")
    assert [call[1] for call in vm.calls if call[0] == "connect"] == ["b@h", "c@h"]
    assert [call[1] for call in vm.calls if call[0] == "disconnect"] == ["b@h"]


def test_the_one_that_is_shown_is_never_let_out_nor_one_that_is_only_busy(there: list[Found]) -> None:
    vm = FakeVM()
    made = company(there, vm)
    there[:] = [node("b@h", 0, reachable=False)]
    made.gather("a@h")
    assert "disconnect" not in vm.did()


def test_a_link_that_fell_is_made_again(there: list[Found]) -> None:
    vm = FakeVM()
    made = company(there, vm)
    made.lost("b@h")
    made.gather("a@h")
    assert vm.did().count("connect") == 2


def test_who_refuses_is_left_out_and_tried_at_the_next_change(there: list[Found]) -> None:
    vm = FakeVM()
    vm.fails["connect"] = Failure("no", "")
    made = company(there, vm)
    del vm.fails["connect"]
    made.gather("a@h")
    assert vm.did().count("watch") == 1


def test_nobody_is_asked_twice_to_lend(there: list[Found]) -> None:
    vm = FakeVM()
    vm.backend = False
    made = company(there, vm, agrees=False)
    made.gather("a@h")
    assert vm.did().count("check_backend") == 1
    assert "lend" not in vm.did()
    assert ("disconnect", "b@h") in vm.calls


def test_a_node_that_cannot_be_lent_to_is_let_out(there: list[Found]) -> None:
    vm = FakeVM()
    vm.backend = False
    vm.fails["can_lend"] = Missing("too new", "", code="no-backend")
    made = company(there, vm)
    made.gather("a@h")
    assert vm.did().count("connect") == 1
    assert made.member("b@h")
    assert made.member("z@h") is None
