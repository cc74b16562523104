from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from spyglass import links
from spyglass.erlang.installation import Erlang
from spyglass.errors import BadHostKey, Lost, Missing
from spyglass.profile import ContainerHop, Profile, Selector, SSHHop
from spyglass.status import NodeInfo

PROFILE = Profile(name="p", hops=(SSHHop(host="a", user="u", port=2222), ContainerHop(name="web")))


def node(name: str, **more: object) -> NodeInfo:
    return NodeInfo(name, name, reachable=True, **more)  # type: ignore[arg-type]


def states(chain: links.Chain) -> list[str]:
    return [link.state for link in chain]


def test_planned_chain_names_each_hop() -> None:
    assert [link.label for link in links.planned(PROFILE)] == ["This computer", "u@a:2222", "web"]


def test_a_busy_hop_makes_those_before_it_ok_and_is_the_one_that_breaks() -> None:
    chain = links.hop_changed(links.planned(PROFILE), 2, "busy", "looking")
    assert states(chain) == ["ok", "ok", "busy"]
    assert states(links.broken(chain)) == ["ok", "ok", "bad"]


def test_complete_chain_shows_engine_container_and_the_only_node() -> None:
    home = {"container": "shop-1", "container_id": "1" * 64, "runtime": "docker", "image": "shop:1.42"}
    nodes = (node("shop@h", otp="25", address="172.17.0.4", **home),)
    chain = links.complete(links.planned(PROFILE), 2, nodes, counts={"docker": (14, 14)})
    assert [(link.label, link.detail) for link in chain[3:]] == [
        ("Docker", "14 containers, 1 with nodes"),
        ("shop-1", "shop:1.42 · 172.17.0.4"),
        ("shop@h", "OTP 25 · hidden, no mesh"),
    ]
    assert "Container 111111111111" in chain[4].facts


def test_an_engine_tells_how_many_containers_the_profile_means() -> None:
    home = {"container_id": "1", "runtime": "docker"}
    nodes = (node("a@h", container="web", **home), node("b@h", container="web-2", **home))
    chain = links.complete(
        links.planned(PROFILE)[:2], 1, nodes, counts={"docker": (14, 3)}, select=Selector("web*")
    )
    assert [(link.label, link.detail) for link in chain[2:4]] == [
        ("Docker", "14 containers, 3 match"),
        ("web*", "2 containers"),
    ]


def test_a_way_that_ends_in_a_container_has_it_once_and_no_engine_behind_it() -> None:
    nodes = (node("shop@h", container="web", container_id="1", runtime="docker", image="shop:1"),)
    chain = links.complete(links.planned(PROFILE), 2, nodes)
    assert [(link.label, link.detail) for link in chain[2:]] == [
        ("web", "shop:1"),
        ("shop@h", "hidden, no mesh"),
    ]


def test_containers_without_a_node_ask_for_a_look() -> None:
    chain = links.complete(links.planned(PROFILE), 2, (), counts={"podman": (4, 4)})
    assert (chain[3].label, chain[3].state, chain[3].detail) == (
        "Podman",
        "warn",
        "4 containers, none with nodes",
    )


def test_nodes_that_cannot_be_reached_are_counted() -> None:
    nodes = (node("a@h"), node("b@h"), NodeInfo("c", "c@h", reachable=False, why_not="speaks TLS"))
    last = links.complete(links.planned(PROFILE), 2, nodes)[-1]
    assert (last.label, last.detail, last.state) == ("2 nodes", "1 more can't be reached", "ok")
    assert last.facts[-1] == "c@h: speaks TLS"


@pytest.mark.parametrize(("number", "said"), [(1, "1 node"), (47, "47 nodes")])
def test_where_no_node_can_be_reached_there_is_no_more(number: int, said: str) -> None:
    nodes = tuple(NodeInfo(str(n), f"n{n}@h", reachable=False) for n in range(number))
    last = links.complete(links.planned(PROFILE), 2, nodes)[-1]
    assert (last.label, last.detail, last.state) == ("No node", f"{said} can't be reached", "warn")


def test_this_computer_tells_its_erlang() -> None:
    erlang = Erlang(Path("/opt/erl"), Path("/opt"), 25, "13.1.5", wx=True, observer=True, compiler=True)
    first = links.here(links.planned(PROFILE), erlang)[0]
    assert (first.detail, first.facts) == ("OTP 25, wx", ("Erlang/OTP 25 (ERTS 13.1.5)", "/opt/erl"))
    assert links.here(links.planned(PROFILE), None) == links.planned(PROFILE)


@pytest.mark.parametrize(
    ("code", "said"),
    [("no-erlang", "no Erlang"), ("no-wx", "no Observer"), ("broken-erlang", "no Erlang that works")],
)
def test_a_missing_erlang_warns_with_the_remedy_whatever_comes_after(code: str, said: str) -> None:
    problem = Missing("There is no Erlang on this computer", "sudo apt install erlang-observer", code=code)
    chain = links.here(links.planned(PROFILE), None, problem)
    chain = links.complete(links.hop_changed(chain, 1, "ok", "deploy"), 2, ())
    assert (chain[0].state, chain[0].detail) == ("warn", said)
    assert chain[0].facts == (problem.title, problem.hint)
    erlang = Erlang(Path("/opt/erl"), Path("/opt"), 25, "13.1.5", wx=True, observer=True, compiler=True)
    assert links.here(chain, erlang)[0].state == "ok"


def remote(label: str, user: str = "", method: str = "") -> Any:
    settings = SimpleNamespace(hostname=label, port=22, user=user) if user else None
    return SimpleNamespace(describe=lambda: label, settings=settings, auth_method=method)


def test_an_open_way_tells_servers_logins_and_jump_hosts() -> None:
    remotes = [remote("this computer"), remote("jump"), remote("a", "deploy", "key ~/.ssh/k"), remote("web")]
    chain = links.travelled(links.planned(PROFILE), remotes)
    assert chain[1].facts == (
        "SSH server a, port 22, as deploy",
        "Logged in by key ~/.ssh/k",
        "Through jump",
    )
    assert chain[2].facts == ("web",)


def test_a_measured_hop_tells_how_soon_it_answers() -> None:
    chain = links.hop_changed(links.planned(PROFILE), 1, "ok", "deploy · password")
    assert links.measured(chain, 1, 0.0124)[1].detail == "deploy · password · 12 ms"
    assert links.measured(chain, 9, 0.01) == chain


def test_a_broken_link_carries_reason_and_remedy_and_what_lies_behind_is_not_reached() -> None:
    chain = links.hop_changed(links.planned(PROFILE), 1, "busy", "asking the agent")
    failure = BadHostKey("a shows another key", "Ask its owner.", code="host-key-changed")
    bad, beyond = links.broken(chain, failure)[1:]
    assert (bad.state, bad.detail, bad.facts) == (
        "bad",
        "host key changed",
        ("a shows another key", "Ask its owner."),
    )
    assert (beyond.state, beyond.detail) == ("todo", "not reached")


def test_a_link_that_is_lost_later_is_the_one_told() -> None:
    chain = links.complete(links.planned(PROFILE), 2, (node("a@h"),))
    assert states(links.broken(chain, Lost("a is lost"), index=1)) == ["ok", "bad", "todo", "todo"]
    assert links.broken(chain, Lost("a is lost")) == chain


def test_no_node_at_all_asks_for_a_look() -> None:
    assert links.complete(links.planned(PROFILE), 2, ())[-1].state == "warn"


def test_problem_carries_what_the_failure_says() -> None:
    problem = links.problem_of(Lost("gone", "wait"))
    assert (problem.title, problem.hint, problem.code, problem.retry) == ("gone", "wait", "lost", True)
