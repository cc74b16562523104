from spyglass import links
from spyglass.errors import Lost
from spyglass.profile import ContainerHop, Profile, SSHHop
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


def test_complete_chain_shows_engine_and_the_only_node() -> None:
    nodes = (node("shop@h", container="web", container_id="1", runtime="docker", otp="25"),)
    chain = links.complete(links.planned(PROFILE), 2, nodes)
    told = [(link.label, link.detail) for link in chain[3:]]
    assert told == [("Docker", "1 container with nodes"), ("shop@h", "OTP 25")]


def test_nodes_that_cannot_be_reached_are_counted() -> None:
    nodes = (node("a@h"), node("b@h"), NodeInfo("c", "c@h", reachable=False))
    last = links.complete(links.planned(PROFILE), 2, nodes)[-1]
    assert (last.label, last.detail, last.state) == ("2 nodes", "1 more can't be reached", "ok")


def test_no_node_at_all_asks_for_a_look() -> None:
    assert links.complete(links.planned(PROFILE), 2, ())[-1].state == "warn"


def test_problem_carries_what_the_failure_says() -> None:
    problem = links.problem_of(Lost("gone", "wait"))
    assert (problem.title, problem.hint, problem.code, problem.retry) == ("gone", "wait", "lost", True)
