"""Discovery of real nodes on this machine's loopback, with an epmd of their own."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from spyglass.erlang import epmd, handshake
from spyglass.erlang.discovery import Found, discover
from spyglass.profile import Selector
from spyglass.remote.base import Stop
from spyglass.remote.local import Local
from support.sshd import free_port

ME = "spyglass_00000000_probe@127.0.0.1"


@dataclass
class Nodes:
    """Nodes that share an epmd and an unlikely beginning of their names."""

    home: Path
    epmd_port: int
    prefix: str = field(default_factory=lambda: "t" + secrets.token_hex(4))
    cookie: str = field(default_factory=lambda: "C" + secrets.token_hex(8))
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, *words: str, environ: Mapping[str, str] | None = None, registers: bool = True) -> str:
        """Start ``erl``; ``{n}`` in a word is the short name, ``{c}`` the cookie. Return the short name."""
        short = f"{self.prefix}{len(self.running)}"
        argv = [word.format(n=short, c=self.cookie) for word in words]
        # An empty ERL_EPMD_PORT would mean port 0; HOME is where .erlang.cookie is looked for.
        env = {"PATH": os.environ["PATH"], "HOME": str(self.home), "ERL_EPMD_PORT": str(self.epmd_port)}
        with (self.home / f"{short}.log").open("wb") as log:
            command = ["erl", "-noinput", "-start_epmd", "false", *argv]
            self.running.append(
                subprocess.Popen(
                    command, env=env | dict(environ or {}), stdout=log, stderr=log, cwd=self.home
                )
            )
        if registers:
            wait_until(lambda: short in self.registered())
        return short

    def registered(self) -> dict[str, int]:
        """What their epmd knows."""
        with closing(Local().dial("127.0.0.1", self.epmd_port, 2)) as stream:
            return epmd.names(stream)

    def find(self, short: str, **more: object) -> Found:
        """Discover the one node."""
        select = Selector(node=f"{short}@*")
        found = discover(Local(), hops=(), me=ME, select=select, stop=Stop(), **more).found  # type: ignore[arg-type]
        assert len(found) == 1
        return found[0]

    def log(self, short: str) -> str:
        """What the node wrote."""
        return (self.home / f"{short}.log").read_text()

    def close(self) -> None:
        """End them all."""
        for node in self.running:
            node.kill()
            node.wait(10)


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    home, port = tmp_path_factory.mktemp("home"), free_port()
    daemon = subprocess.Popen(["epmd", "-port", str(port), "-address", "127.0.0.1"])
    made = Nodes(home, port)
    try:
        wait_until(lambda: answers(port))
        yield made
    finally:
        made.close()
        daemon.kill()
        daemon.wait(10)


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


pytestmark = pytest.mark.leaves("process", "the nodes and their epmd stay for the next test of this file")


def test_a_node_of_another_loopback_address_with_a_fixed_port(nodes: Nodes) -> None:
    port = free_port()
    limits = ("-kernel", "inet_dist_listen_min", str(port), "inet_dist_listen_max", str(port))
    one = nodes.find(nodes.start("-name", "{n}@127.0.0.2", "-setcookie", "{c}", *limits))
    assert one.info.node == f"{one.info.node.partition('@')[0]}@127.0.0.2"
    assert (one.port, one.info.via, one.info.epmd_port) == (port, "epmd", nodes.epmd_port)
    assert (one.info.reachable, one.info.cookie.source, one.info.runtime) == (True, "-setcookie", "host")
    assert one.cookie == nodes.cookie


def test_a_cookie_of_an_args_file(nodes: Nodes) -> None:
    file = nodes.home / "vm.args"
    file.write_text(f"# mine\n-setcookie {nodes.cookie}\n")
    one = nodes.find(nodes.start("-sname", "{n}", "-args_file", str(file)))
    assert (one.info.cookie.source, one.info.name_type) == ("vm.args", "short")
    assert one.info.node.partition("@")[2] == socket.gethostname().partition(".")[0]


def test_a_cookie_of_the_home_directory(nodes: Nodes) -> None:
    file = nodes.home / ".erlang.cookie"
    file.write_text(nodes.cookie + "\n")
    file.chmod(0o400)
    one = nodes.find(nodes.start("-name", "{n}@127.0.0.1"))
    assert (one.info.reachable, one.info.cookie.source) == (True, ".erlang.cookie")


def test_a_cookie_of_the_environment_of_a_release(nodes: Nodes) -> None:
    environ = {"RELEASE_COOKIE": nodes.cookie}
    one = nodes.find(nodes.start("-name", "{n}@127.0.0.1", "-setcookie", "{c}", environ=environ))
    assert one.info.cookie.source == "RELEASE_COOKIE"


def test_a_node_without_epmd_by_its_socket(nodes: Nodes) -> None:
    port = free_port()
    fixed = ("-erl_epmd_port", str(port), "-setcookie", "{c}")
    short = nodes.start(
        "-name", "{n}@127.0.0.1", *fixed, environ={"ERL_EPMD_PORT": str(free_port())}, registers=False
    )
    wait_until(lambda: answers(port))
    one = nodes.find(short)
    assert (one.info.reachable, one.info.via, one.port, one.info.epmd_port) == (True, "socket", port, None)


def test_a_hidden_node_is_told(nodes: Nodes) -> None:
    one = nodes.find(nodes.start("-hidden", "-name", "{n}@127.0.0.1", "-setcookie", "{c}"))
    assert (one.info.hidden, one.info.otp) == (True, "24-27")


def test_a_node_that_does_not_listen_is_named_with_the_reason(nodes: Nodes) -> None:
    argv = ("-name", "{n}@127.0.0.1", "-setcookie", "{c}", "-dist_listen", "false")
    short = nodes.start(*argv, registers=False)
    wait_until(lambda: b"beam" in Path(f"/proc/{nodes.running[-1].pid}/comm").read_bytes())
    one = nodes.find(short)
    assert one.info.node == f"{short}@127.0.0.1"
    assert not one.info.reachable
    assert one.info.why_not


def test_a_right_cookie_leaves_no_line_in_the_node_s_log_and_no_node_behind(nodes: Nodes) -> None:
    short = nodes.start("-name", "{n}@127.0.0.1", "-setcookie", "{c}")
    for _ in range(3):
        assert nodes.find(short).info.reachable
    assert nodes.log(short) == ""


def test_a_wrong_cookie_is_tried_once_and_the_next_one_fits(nodes: Nodes) -> None:
    short = nodes.start("-name", "{n}@127.0.0.1", "-setcookie", "{c}")
    one = nodes.find(short, given="wrong")
    assert (one.info.reachable, one.info.cookie.source) == (True, "-setcookie")
    wait_until(lambda: "Invalid challenge reply" in nodes.log(short))
    assert nodes.log(short).count("Connection attempt") == 1


def test_names_that_never_were_and_ports(nodes: Nodes) -> None:
    short = nodes.start("-name", "{n}@127.0.0.1", "-setcookie", "{c}")
    with closing(Local().dial("127.0.0.1", nodes.epmd_port, 2)) as stream:
        assert epmd.port_please(stream, "nobody") is None
    with closing(Local().dial("127.0.0.1", nodes.epmd_port, 2)) as stream:
        known = epmd.port_please(stream, short)
    assert known
    assert (known.name, known.hidden, known.highest) == (short, False, 6)
    with closing(Local().dial("127.0.0.1", known.port, 2)) as stream:
        assert handshake.greet(stream, ME).peer.node == f"{short}@127.0.0.1"


def test_a_new_node_hangs_up_on_the_old_greeting(nodes: Nodes) -> None:
    """OTP 25 hangs up on it: so the new one goes first and the old one is for OTP 22 and older."""
    short = nodes.start("-name", "{n}@127.0.0.1", "-setcookie", "{c}")
    with (
        closing(Local().dial("127.0.0.1", nodes.registered()[short], 2)) as stream,
        pytest.raises(handshake.HungUp),
    ):
        handshake.greet(stream, ME, version=5)


def test_a_node_behind_tls_is_opened_with_the_certificate_that_it_has_itself(nodes: Nodes) -> None:
    certificate = str(nodes.home / "tls.pem")
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x", "-days", "2"]
    subprocess.run(
        [*make, "-keyout", certificate, "-out", certificate + ".crt"], check=True, capture_output=True
    )
    options = ("-proto_dist", "inet_tls", "-ssl_dist_opt", "server_certfile", certificate + ".crt")
    keys = ("server_keyfile", certificate)
    one = nodes.find(nodes.start("-name", "{n}@127.0.0.1", "-setcookie", "{c}", *options, *keys))
    assert (one.info.reachable, one.info.tls, one.info.why_not) == (True, True, None)


class Minding:
    """A stream to a node as one over TLS would be, and what was last read of it."""

    minds_hanging_up = True

    def __init__(self, port: int) -> None:
        self._inner = Local().dial("127.0.0.1", port, 2)
        self.sendall, self.settimeout, self.close = (
            self._inner.sendall,
            self._inner.settimeout,
            self._inner.close,
        )
        self.shutdown_write = self._inner.shutdown_write
        self.last = b""

    def recv(self, size: int, /) -> bytes:
        """As the socket's; remembered."""
        self.last = self._inner.recv(size)
        return self.last


def test_a_node_that_minds_is_left_only_once_it_has_answered_as_connected(nodes: Nodes) -> None:
    """OTP's inet_tls_dist logs a crash if the other side hangs up right after the handshake."""
    short = nodes.start("-name", "{n}@127.0.0.1", "-setcookie", "{c}")
    with closing(Minding(nodes.registered()[short])) as stream:
        assert handshake.greet(stream, ME).prove(nodes.cookie, seconds=10)
        length = int.from_bytes(stream.last, "big")
        assert stream.recv(length)[:6] == b"p\x83h\x05a\x15"  # MONITOR_P_EXIT: only what is up says that


def test_a_node_that_is_stopped_is_listed_with_the_reason(nodes: Nodes) -> None:
    short = nodes.start("-name", "{n}@127.0.0.1", "-setcookie", "{c}")
    nodes.running[-1].send_signal(signal.SIGSTOP)
    one = nodes.find(short)
    assert (one.info.node, one.info.reachable) == (f"{short}@127.0.0.1", False)
    assert one.info.why_not == f"port {one.info.port} accepts, but gives no answer"


def test_an_epmd_is_no_node(nodes: Nodes) -> None:
    with closing(Local().dial("127.0.0.1", nodes.epmd_port, 2)) as stream, pytest.raises(handshake.HungUp):
        handshake.greet(stream, ME, seconds=2)
