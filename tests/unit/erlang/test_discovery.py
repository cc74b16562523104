"""Discovery at a server made of answers: what is found, what is asked, and what is said of the rest."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spyglass.erlang import survey
from spyglass.erlang.discovery import Discovery, Found, discover
from spyglass.errors import Cancelled, Lost
from spyglass.profile import Selector
from spyglass.remote.base import Output, Stop
from spyglass.remote.container import Container, read_inspect
from support.fake_remote import FakeEpmd, FakeNode, FakeRemote, Player, Said
from support.fake_survey import FakeBeam, FakeHost, container, identity

Listening = dict[tuple[str, int], Callable[[], Player]]
ME = "spyglass_1234_probe@127.0.0.1"
ALL = "00000000"
WEB = "172.17.0.1"


def look(host: FakeHost, listening: Listening, **more: Any) -> tuple[dict[str, Found], Discovery, FakeRemote]:
    """Discover; return the nodes by name, and everything besides."""
    remote = FakeRemote(listening, host.answer)
    discovery = discover(remote, hops=("deploy@web1",), me=ME, stop=more.pop("stop", Stop()), **more)
    return {found.info.node: found for found in discovery.found}, discovery, remote


def web(words: str = "-name hello@172.17.0.1 -setcookie right", **more: Any) -> FakeHost:
    """A host with one container and one node in it."""
    beam = FakeBeam(11, words, container=identity(1), listening=[(ALL, 4369, 1), (ALL, 45011, 2)], **more)
    return FakeHost([container()], [beam])


def node_at(node: FakeNode, address: str = WEB, port: int = 45011) -> Listening:
    short = node.name.partition("@")[0]
    return {(address, 4369): lambda: FakeEpmd({short: port}), (address, port): node.player}


def test_a_node_in_a_container_is_found_named_and_proved() -> None:
    node = FakeNode("hello@172.17.0.1")
    found, discovery, _ = look(web(), node_at(node))
    info = found["hello@172.17.0.1"].info
    assert (info.reachable, info.why_not, info.name_type, info.otp) == (True, None, "long", "24-27")
    assert (info.runtime, info.container, info.image, info.networks) == (
        "docker",
        "web",
        "elixir:lab",
        ("bridge",),
    )
    assert (info.address, info.port, info.via, info.epmd_port) == (WEB, 45011, "epmd", 4369)
    assert (info.cookie.found, info.cookie.source, info.cookie.proved) == (True, "-setcookie", True)
    assert (info.key, info.hops) == ("docker/web/hello@172.17.0.1", ("deploy@web1",))
    assert found["hello@172.17.0.1"].cookie == "right"
    assert discovery.warnings == []
    assert "right" not in repr(discovery)


def test_one_visit_a_node_and_no_wrong_cookie() -> None:
    node = FakeNode("hello@172.17.0.1")
    _, _, remote = look(web(), node_at(node))
    assert node.visits == [ME]
    assert remote.dialled == [(WEB, 4369), (WEB, 45011)]
    assert remote.ran == [["sh", "-s"]]
    assert all(stream.closed for stream in remote.streams)


def test_a_container_without_a_beam_costs_nothing() -> None:
    _, discovery, remote = look(FakeHost([container()]), {})
    assert (discovery.found, discovery.warnings, remote.dialled) == ([], [], [])


def test_a_beam_without_a_name_is_no_node() -> None:
    host = FakeHost(
        [container()], [FakeBeam(1, "-noshell", container=identity(1), listening=[(ALL, 4000, 1)])]
    )
    _, discovery, remote = look(host, {})
    assert (discovery.found, remote.dialled) == ([], [])


def test_found_as_soon_as_known() -> None:
    told = []
    look(web(), node_at(FakeNode("hello@172.17.0.1")), on_found=told.append)
    assert [found.info.node for found in told] == ["hello@172.17.0.1"]


def test_a_cookie_that_lies_only_inside_is_looked_for_there() -> None:
    host = web("-sname app")
    host.inside[identity(1)] = [FakeBeam(1, "-sname app", files=[(".erlang.cookie", "right\n")])]
    node = FakeNode("app@web-1")
    found, _, remote = look(host, node_at(node))
    assert found["app@web-1"].info.cookie.source == ".erlang.cookie"
    assert node.visits == [ME]
    assert node.wrong == 0
    assert sum("exec" in argv for argv in remote.ran) == 1
    assert "1000" in remote.ran[-1]  # as the user whose process it is


def test_the_container_s_configured_environment_tells_the_source() -> None:
    host = web("-name shop@shop.internal -setcookie right")
    host.containers = [container(Env=["RELEASE_COOKIE=right", None])]
    found, _, _ = look(host, node_at(FakeNode("shop@shop.internal")))
    assert found["shop@shop.internal"].info.cookie.source == "RELEASE_COOKIE"


def test_a_given_cookie_is_tried_first() -> None:
    node = FakeNode("hello@172.17.0.1", cookie="given")
    found, _, _ = look(web(), node_at(node), given={"hello@172.17.0.1": "given"})
    assert found["hello@172.17.0.1"].info.cookie.source == "profile"
    assert node.wrong == 0


def test_never_more_than_four_wrong_cookies() -> None:
    files = [(".erlang.cookie", "e"), ("COOKIE", "f"), ("vm.args", "-setcookie g\n-setcookie h")]
    host = web(
        "-name hello@172.17.0.1 -setcookie a", environ={"RELEASE_COOKIE": "b", "MY_COOKIE": "c"}, files=files
    )
    node = FakeNode("hello@172.17.0.1")
    found, _, _ = look(host, node_at(node))
    assert node.wrong == 4
    info = found["hello@172.17.0.1"].info
    assert (info.reachable, info.why_not) == (False, "none of 4 cookies fits")
    assert (info.cookie.found, info.cookie.proved) == (True, False)


def test_no_cookie_at_all_is_said() -> None:
    host = web("-name hello@172.17.0.1")
    host.inside[identity(1)] = []
    found, _, _ = look(host, node_at(FakeNode("hello@172.17.0.1")))
    info = found["hello@172.17.0.1"].info
    assert (info.reachable, info.why_not, info.port) == (False, "no cookie found", 45011)


def test_a_port_that_refuses_is_listed_with_its_reason() -> None:
    listening = node_at(FakeNode("hello@172.17.0.1"))
    del listening[WEB, 45011]
    found, _, _ = look(web(), listening)
    assert found["hello@172.17.0.1"].info.why_not == "port 45011 refuses"


def test_tls_is_said() -> None:
    listening = {**node_at(FakeNode("hello@x")), (WEB, 45011): lambda: Said(bytes.fromhex("15030300020228"))}
    found, _, _ = look(web(), listening)
    info = found["hello@172.17.0.1"].info
    assert (info.tls, info.why_not) == (True, "wants a client certificate")


def test_a_web_server_where_epmd_says_a_node_is() -> None:
    listening = {**node_at(FakeNode("hello@x")), (WEB, 45011): lambda: Said(b"HTTP/1.1 400 Bad Request\r\n")}
    found, _, _ = look(web(), listening)
    assert found["hello@172.17.0.1"].info.why_not == "what answers at port 45011 is no node"


def test_a_node_that_gives_no_answer() -> None:
    listening = {**node_at(FakeNode("hello@x")), (WEB, 45011): lambda: Said(b"", stays=True)}
    found, _, _ = look(web(), listening)
    assert found["hello@172.17.0.1"].info.why_not == "port 45011 accepts, but gives no answer"


def test_a_paused_container_is_not_asked() -> None:
    host = web()
    host.containers = [container(Paused=True)]
    found, _, remote = look(host, {})
    assert found["hello@172.17.0.1"].info.why_not == "its container is paused"
    assert remote.dialled == []


def test_a_node_without_epmd_is_found_by_its_socket() -> None:
    beam = FakeBeam(11, "-name n@10.0.0.1 -setcookie right", container=identity(1), sockets=[7],
                    listening=[(ALL, 8080, 3), (ALL, 12345, 7)])  # fmt: skip
    node = FakeNode("n@10.0.0.1")
    found, _, remote = look(FakeHost([container()], [beam]), {(WEB, 12345): node.player})
    info = found["n@10.0.0.1"].info
    assert (info.via, info.port, info.epmd_port) == ("socket", 12345, None)
    assert (WEB, 8080) not in remote.dialled


def test_the_published_port_where_the_address_is_out_of_reach() -> None:
    host = web()
    ports = {"45011/tcp": [{"HostIp": "0.0.0.0", "HostPort": "32001"}], "4369/tcp": [{"HostPort": "32000"}]}
    host.containers = [container(Ports=ports)]
    node = FakeNode("hello@172.17.0.1")
    listening = {("127.0.0.1", 32000): lambda: FakeEpmd({"hello": 45011}), ("127.0.0.1", 32001): node.player}
    found, _, _ = look(host, listening)
    one = found["hello@172.17.0.1"]
    assert (one.info.via, one.host, one.port) == ("published port", "127.0.0.1", 32001)


def test_a_node_that_listens_on_the_container_s_loopback_only_where_nothing_serves() -> None:
    beam = FakeBeam(
        1,
        "-name a@b.c -setcookie right",
        container=identity(1),
        listening=[(ALL, 4369, 1), ("0100007F", 999, 2)],
    )
    found, _, _ = look(FakeHost([container()], [beam]), {(WEB, 4369): lambda: FakeEpmd({"a": 999})})
    assert found["a@b.c"].info.why_not == (
        "listens on its container's loopback only, and container web has none of nc, perl, socat, python3, "
        "bash and erl to connect with from inside: publish the port"
    )


def test_a_node_that_listens_on_nothing() -> None:
    host = FakeHost([], [FakeBeam(1, "-name a@b.c -setcookie right -dist_listen false")])
    found, _, _ = look(host, {})
    assert found["a@b.c"].info.why_not == "runs, but listens on nothing (no distribution)"


def test_nodes_of_the_host_and_of_containers_that_share_its_network() -> None:
    listening = [(ALL, 4369, 1), (ALL, 5001, 2), (ALL, 5002, 3)]
    host = FakeHost(
        [container(name="net", Mode="host", Networks={"host": {"IPAddress": ""}})],
        [
            FakeBeam(1, "-sname bare -setcookie right", listening=listening),
            FakeBeam(2, "-name inner@10.99.0.1 -setcookie right", container=identity(1), listening=listening),
        ],
    )
    bare, inner = FakeNode("bare@web1"), FakeNode("inner@10.99.0.1")
    epmd = {("127.0.0.1", 4369): lambda: FakeEpmd({"bare": 5001, "inner": 5002})}
    found, _, remote = look(
        host, {**epmd, ("127.0.0.1", 5001): bare.player, ("127.0.0.1", 5002): inner.player}
    )
    assert (found["bare@web1"].info.runtime, found["bare@web1"].info.container) == ("host", None)
    assert (found["inner@10.99.0.1"].info.container, found["inner@10.99.0.1"].info.networks) == (
        "net",
        ("host",),
    )
    assert remote.dialled.count(("127.0.0.1", 4369)) == 1


def test_a_node_on_another_loopback_address() -> None:
    beam = FakeBeam(
        1, "-name remotenode@127.0.0.2 -setcookie right", listening=[(ALL, 4369, 1), ("0200007F", 19000, 2)]
    )
    node = FakeNode("remotenode@127.0.0.2")
    listening = {
        ("127.0.0.1", 4369): lambda: FakeEpmd({"remotenode": 19000}),
        ("127.0.0.2", 19000): node.player,
    }
    found, _, _ = look(FakeHost([], [beam]), listening)
    assert (found["remotenode@127.0.0.2"].host, found["remotenode@127.0.0.2"].info.reachable) == (
        "127.0.0.2",
        True,
    )


def test_another_epmd_port() -> None:
    beam = FakeBeam(
        1,
        "-sname a -setcookie right",
        environ={"ERL_EPMD_PORT": "5999"},
        listening=[(ALL, 5999, 1), (ALL, 7000, 2)],
    )
    node = FakeNode("a@web1")
    found, _, _ = look(
        FakeHost([], [beam]),
        {("127.0.0.1", 5999): lambda: FakeEpmd({"a": 7000}), ("127.0.0.1", 7000): node.player},
    )
    assert found["a@web1"].info.epmd_port == 5999


@pytest.mark.warns("that the engine refuses")
def test_without_leave_to_ask_the_engine_the_processes_still_tell() -> None:
    host = web(addresses=[WEB])
    host.trouble = "permission denied while trying to connect to the Docker daemon socket"
    found, discovery, _ = look(host, node_at(FakeNode("hello@172.17.0.1")))
    info = found["hello@172.17.0.1"].info
    assert (info.reachable, info.runtime, info.container_id) == (True, "container", identity(1))
    assert len(discovery.warnings) == 1
    assert discovery.warnings[0].startswith("Docker on deploy@web1: permission denied.")
    assert "group docker" in discovery.warnings[0]


def test_an_engine_that_does_not_run_is_no_news() -> None:
    _, discovery, _ = look(
        FakeHost(trouble="Cannot connect to the Docker daemon. Is the docker daemon running?"), {}
    )
    assert discovery.warnings == []


def test_where_processes_are_hidden_containers_are_asked_all_the_same() -> None:
    host = FakeHost([container()], readable=False, visible=False)
    host.inside[identity(1)] = [FakeBeam(1, "-sname app -setcookie right")]
    found, _, _ = look(host, node_at(FakeNode("app@web")))
    assert found["app@web"].info.reachable


def test_where_processes_are_hidden_a_container_in_the_host_s_network_knows_its_own() -> None:
    net = container(name="net", Mode="host", Networks={"host": {"IPAddress": ""}})
    home = FakeBeam(-1, files=[(".erlang.cookie", "other")])
    host = FakeHost([net], [home], readable=False, visible=False)
    host.inside[identity(1)] = [FakeBeam(1, "-name inner@10.99.0.1 -setcookie right")]
    node = FakeNode("inner@10.99.0.1")
    found, _, _ = look(host, node_at(node, "127.0.0.1"))
    assert (found["inner@10.99.0.1"].info.reachable, node.wrong) == (True, 0)


@pytest.mark.warns("that there is no shell")
def test_where_no_shell_is_the_loopback_s_epmd_is_asked() -> None:
    remote = FakeRemote(
        node_at(FakeNode("a@b"), "127.0.0.1"),
        lambda _argv, _stdin: Output(1, b"", b"This account is for tunnels"),
    )
    discovery = discover(remote, hops=(), me=ME, given="right", stop=Stop())
    assert [(f.info.node, f.info.reachable) for f in discovery.found] == [("a@b", True)]
    assert "does not run a script" in discovery.warnings[0]


@pytest.mark.parametrize(
    ("select", "names"),
    [
        (Selector(), ["a@one", "b@two"]),
        (Selector(container="one"), ["a@one"]),
        (Selector(container="o*"), ["a@one"]),
        (Selector(container=identity(2)[:12]), ["b@two"]),
        (Selector(container=identity(2)), ["b@two"]),
        (Selector(container="service"), ["b@two"]),
        (Selector(node="b@*"), ["b@two"]),
        (Selector(container="none"), []),
    ],
)
def test_the_selector(select: Selector, names: list[str]) -> None:
    def beam(number: int, words: str) -> FakeBeam:
        return FakeBeam(
            number, words, container=identity(number), listening=[(ALL, 4369, 1), (ALL, 45011, 2)]
        )

    host = FakeHost(
        [container(1, "one"), container(2, "two", Labels={"com.docker.compose.service": "service"})],
        [beam(1, "-sname a -setcookie right"), beam(2, "-sname b -setcookie right")],
    )
    a, b = FakeNode("a@one"), FakeNode("b@two", creation=2000)
    found, _, _ = look(host, {**node_at(a, "172.17.0.1"), **node_at(b, "172.17.0.2")}, select=select)
    assert sorted(found) == names
    assert bool(a.visits) is ("a@one" in found)


def test_only_what_is_in_the_container_when_the_place_is_one() -> None:
    host = FakeHost(
        [container(1, "one"), container(2, "two")],
        [FakeBeam(n, f"-sname {s} -setcookie right", container=identity(n)) for n, s in ((1, "a"), (2, "b"))],
    )
    for beam in host.beams:
        beam.listening = [(ALL, 4369, 1), (ALL, 45011, 2)]
    a, b = FakeNode("a@one"), FakeNode("b@two")
    remote = FakeRemote({**node_at(a, "172.17.0.1"), **node_at(b, "172.17.0.2")}, host.answer)
    facts, _ = read_inspect("docker", [json.dumps(container(2, "two"))])
    place = Container(remote, facts[0])
    discovery = discover(place, hops=(), me=ME, stop=Stop())
    assert [f.info.node for f in discovery.found] == ["b@two"]
    assert place.dial(discovery.found[0].host, discovery.found[0].port)


def test_two_containers_in_one_network_are_asked_once() -> None:
    host = FakeHost(
        [container(1, "one"), container(2, "two", Mode=f"container:{identity(1)}", Networks={})],
        [
            FakeBeam(
                2,
                "-sname a -setcookie right",
                container=identity(2),
                listening=[(ALL, 4369, 1), (ALL, 45011, 2)],
            )
        ],
    )
    node = FakeNode("a@one")
    found, _, _ = look(host, node_at(node))
    assert found["a@one"].info.container == "two"
    assert len(node.visits) == 1


def test_a_node_with_two_addresses_is_listed_once() -> None:
    networks = {name: {"IPAddress": address} for name, address in (("x", WEB), ("y", "172.18.0.9"))}
    host = web()
    host.containers = [container(Networks=networks)]
    node = FakeNode("hello@172.17.0.1")
    found, _, _ = look(host, {**node_at(node), **node_at(node, "172.18.0.9")})
    assert len(found) == len(node.visits) == 1
    assert found["hello@172.17.0.1"].info.networks == ("x", "y")


@pytest.mark.warns("of a container that cannot be read")
@pytest.mark.parametrize(
    "raw", ["{", "[]", '{"Id": 7}', '{"Id": "zz"}', '"text"', '{"Id": "../etc"}', "[" * 100_000]
)
def test_one_strange_container_does_not_spoil_the_others(raw: str) -> None:
    host = web()
    host.raw = [raw]
    found, discovery, _ = look(host, node_at(FakeNode("hello@172.17.0.1")))
    assert found["hello@172.17.0.1"].info.reachable
    assert discovery.warnings == [
        "docker describes a container in a way that Spyglass cannot read; it is left out"
    ]


def test_stop_ends_it_at_once() -> None:
    stop, inside = Stop(), threading.Event()
    free = threading.Event()

    def slow(argv: list[str], stdin: bytes | None) -> Output:
        inside.set()
        free.wait(10)
        return Output(0)

    threading.Thread(target=lambda: (inside.wait(5), stop.set())).start()
    remote = FakeRemote({}, slow)
    with pytest.raises(Cancelled):
        discover(remote, hops=(), me=ME, stop=stop)
    free.set()


def test_a_lost_link_is_told_as_such() -> None:
    def lost(argv: list[str], stdin: bytes | None) -> Output:
        raise Lost("gone")

    with pytest.raises(Lost):
        discover(FakeRemote({}, lost), hops=(), me=ME, stop=Stop())


def test_what_a_process_writes_into_its_command_line_speaks_for_nobody_else() -> None:
    evil = FakeBeam(1, "-sname evil\n==0\x01beam\x0199 -setcookie right", listening=[])
    found, _, _ = look(FakeHost([], [evil]), {})
    assert len(found) <= 1


WORD = st.text(max_size=9)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | WORD,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORD, inner, max_size=3),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(st.sampled_from(sorted(container())), JSON)
def test_any_type_in_any_field_is_survived(name: str, value: object) -> None:
    for facts in read_inspect("docker", [json.dumps(container() | {name: value})])[0]:
        assert all(isinstance(text, str) for text in (facts.name, facts.image, *facts.addresses))
        assert all(0 < p.port < 2**31 for p in facts.published)


def test_sudo_that_was_refused_is_not_asked_again_on_the_same_connection() -> None:
    """Each refusal is a line in the server's log."""
    begins = []

    def answer(argv: list[str], stdin: bytes | None) -> Output:
        mark = (stdin or b"").splitlines()[0].removeprefix(b"mark=").decode()
        begins.append((stdin or b"").splitlines()[1])
        return Output(0, f"\n{mark} facts\nweb1\n\n{mark} nosudo docker\n\n{mark} nosudo rm -rf\n".encode())

    remote = FakeRemote({}, answer)
    survey.take(remote)
    survey.take(remote)
    survey.take(FakeRemote({}, answer))
    assert begins == [b"nosudo=''", b"nosudo='docker'", b"nosudo=''"]
