"""The privileged helper, for real: as root, with the kernel of network namespaces of its own."""

from __future__ import annotations

import json
import os
import random
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

import pytest

from support.lab.place import Guest, Place

HELPER = Path(__file__).parents[2] / "packaging/linux/spyglass-loopback"
UID = 4100
PRIVATE = [IPv4Network(net) for net in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")]
FUZZ = int(os.environ.get("SPYGLASS_FUZZ_LINES", "20000"))
SCENE = """
for name in eth0 far tun wifi; do
  ip link add "$name" type veth peer name "$name-far"; ip link set "$name" up; ip link set "$name-far" up
done
ip addr add 172.17.0.1/16 dev eth0
ip addr add 192.168.7.1/24 dev far
ip addr add 10.200.0.1 peer 10.200.0.2 dev tun
ip route add default via 192.168.7.254
ip route add 10.8.0.0/16 dev tun
ip route add 10.9.0.0/16 via 192.168.7.3 table 77
mount -t tmpfs none /mnt; printf 'search x\\nnameserver 10.1.1.1\\nnameserver fe80::1\\n' > /mnt/resolv.conf
mount --bind /mnt/resolv.conf "$(readlink -f /etc/resolv.conf)"
"""


class Client:
    """The app's side: lines out, lines in."""

    def __init__(self, guest: Guest) -> None:
        self.guest = guest
        self._rest = b""
        self.greeting = self.line()

    def line(self, seconds: float = 10) -> str:
        """The next line; empty at the end."""
        deadline = time.monotonic() + seconds
        while b"\n" not in self._rest:
            ready, _, _ = select.select(
                [self.guest.popen.stdout], [], [], max(0, deadline - time.monotonic())
            )
            assert ready, f"no line within {seconds} s"
            piece = os.read(self.guest.popen.stdout.fileno(), 65536)
            if not piece:
                return ""
            self._rest += piece
        line, _, self._rest = self._rest.partition(b"\n")
        return line.decode()

    def ask(self, request: str) -> str:
        """One request and its answer."""
        self.guest.popen.stdin.write(request.encode() + b"\n")
        self.guest.popen.stdin.flush()
        return self.line()

    def hang_up(self) -> int:
        """Close the pipe, as the end of the app does; return the helper's status."""
        self.guest.popen.stdin.close()
        return self.guest.wait(5)


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    if os.geteuid() != 0:
        pytest.skip("needs root, to be given up by the helper")
    with Place("helped") as made:
        made.sh(SCENE)
        yield made


@contextmanager
def helped(place: Place, program: Path = HELPER) -> Iterator[Client]:
    guest = place.popen([str(program)], env={"SUDO_UID": str(UID), "LD_PRELOAD": ""}, stdin=subprocess.PIPE)
    try:
        yield Client(guest)
    finally:
        guest.popen.stdin.close()
        guest.wait(5)
        guest.close()
        assert until(lambda: not aliases(place), 6)


@pytest.fixture(scope="module", autouse=True)
def abandoned(place: Place) -> Iterator[tuple[Place, float]]:
    """A place whose helper was killed, and when: at the start, as its end takes a minute."""
    with Place("abandoned") as made:
        guest = made.popen([str(HELPER)], env={"SUDO_UID": str(UID)}, stdin=subprocess.PIPE)
        assert Client(guest).ask("add 10.42.7.9") == "ok 10.42.7.9"
        guest.send(signal.SIGKILL)
        guest.wait(5)
        yield made, time.monotonic()


@pytest.fixture
def client(place: Place) -> Iterator[Client]:
    with helped(place) as made:
        yield made


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The helper with seconds in place of a minute, so that its time can be waited for."""
    text = HELPER.read_text()
    for old, new in (("LIFETIME = 55", "LIFETIME = 3"), ("RENEW = 15.0", "RENEW = 0.5")):
        assert text.count(old) == 1
        text = text.replace(old, new)
    copy = tmp_path_factory.mktemp("helper") / "hasty"
    copy.write_text(text)
    copy.chmod(0o755)
    return copy


def on_lo(place: Place) -> list[dict[str, Any]]:
    listing = json.loads(place.sh("ip -4 -json address show dev lo"))
    return [entry for entry in listing[0]["addr_info"] if entry["local"] != "127.0.0.1"]


def aliases(place: Place) -> list[str]:
    return [entry["local"] for entry in on_lo(place)]


def until(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def test_it_keeps_the_right_to_configure_the_network_and_no_other(client: Client) -> None:
    status = Path(f"/proc/{client.guest.pid}/status").read_text()
    values = dict(re.findall(r"^(\w+):[ \t]*(.*)$", status, re.MULTILINE))

    assert client.greeting == "hello spyglass-loopback 1"
    assert "0" not in values["Uid"].split() + values["Gid"].split()
    assert values["Groups"].strip() == ""
    assert {int(values[name], 16) for name in ("CapPrm", "CapEff", "CapBnd")} == {1 << 12}
    assert {int(values[name], 16) for name in ("CapInh", "CapAmb")} == {0}
    assert values["NoNewPrivs"] == "1"


@pytest.fixture
def installed() -> Iterator[Path]:
    """The helper where every user can read it, as after an installation; a checkout may lie below /root."""
    with tempfile.TemporaryDirectory(dir="/tmp") as directory:
        Path(directory).chmod(0o755)
        yield Path(shutil.copy(HELPER, directory))


@pytest.mark.parametrize(
    ("user", "env", "arguments"),
    [
        ("root", {}, []),
        ("root", {"SUDO_UID": "0"}, []),
        ("root", {"PKEXEC_UID": "0"}, []),
        ("root", {"SUDO_UID": "-1"}, []),
        ("root", {"SUDO_UID": "1000 "}, []),
        ("root", {"SUDO_UID": "99999999999"}, []),
        ("root", {"SUDO_UID": "1000"}, ["--help"]),
        ("daemon", {"SUDO_UID": "1000"}, []),
    ],
)
def test_it_starts_for_a_user_through_pkexec_or_sudo_and_without_arguments_only(
    place: Place, installed: Path, user: str, env: dict[str, str], arguments: list[str]
) -> None:
    done = place.run([str(installed), *arguments], user=user, env=env, check=False)

    assert done.returncode == 2
    assert done.stdout == ""
    assert "pkexec or sudo" in done.stderr


def test_an_address_bears_its_owners_mark_and_less_than_a_minute_of_life(
    place: Place, client: Client
) -> None:
    assert client.ask("add 10.42.7.9") == "ok 10.42.7.9"
    (entry,) = on_lo(place)

    assert (entry["local"], entry["prefixlen"], entry["scope"]) == ("10.42.7.9", 32, "host")
    assert entry["label"] == f"lo:sg{UID}"
    assert 45 < entry["valid_life_time"] <= 55
    assert client.ask("list") == "ok 10.42.7.9"
    assert client.ask("del 10.42.7.9") == "ok 10.42.7.9"
    assert client.ask("list") == "ok"
    assert aliases(place) == []


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        ("add 8.8.8.8", "err range not a private"),
        ("add 127.0.0.2", "err range not a private"),
        ("add 169.254.1.1", "err range not a private"),
        ("add 172.32.0.1", "err range not a private"),
        ("add 10.0.0.0", "err range the address of a network"),
        ("add 10.255.255.255", "err range the address of a network"),
        ("add 010.0.0.1", "err syntax"),
        ("add 10.1", "err syntax"),
        ("add fd00::1", "err syntax"),
        ("add 10.0.0.7/8", "err syntax"),
        ("add  10.0.0.7", "err syntax"),
        ("add 10.0.0.7 ", "err syntax"),
        ("add 10.0.0.7\r", "err syntax"),
        ("ADD 10.0.0.7", "err syntax"),
        ("add", "err syntax"),
        ("", "err syntax"),
        ("add " + "1" * 200, "err syntax the line is too long"),
        ("del 10.0.0.7", "err not-yours"),
        ("add 172.17.0.4", "err conflict it is in the network of this computer's address 172.17.0.1/16"),
        ("add 172.17.0.1", "err conflict it is in the network"),
        ("add 192.168.7.99", "err conflict it is in the network"),
        ("add 192.168.7.254", "err conflict it is"),
        ("add 10.200.0.2", "err conflict it is in the network"),
        ("add 10.8.3.3", "err conflict this computer has a route to 10.8.0.0/16"),
        ("add 10.9.3.3", "err conflict this computer has a route to 10.9.0.0/16"),
        ("add 10.1.1.1", "err conflict it is a name server"),
    ],
)
def test_what_somebody_else_may_have_is_refused(
    place: Place, client: Client, request_: str, answer: str
) -> None:
    assert client.ask(request_).startswith(answer)
    assert aliases(place) == []


def test_a_gateway_outside_of_every_network_is_refused_too(place: Place, client: Client) -> None:
    place.sh("ip route add 203.0.113.0/24 via 10.33.0.1 dev far onlink")
    assert client.ask("add 10.33.0.1") == "err conflict it is a gateway of this computer"


def test_an_address_with_an_open_connection_is_refused(place: Place, client: Client) -> None:
    script = (
        "import socket, sys\n"
        "caller = socket.socket()\n"
        "caller.setblocking(False)\n"
        "caller.connect_ex(('10.44.0.5', 22))\n"
        "print(flush=True)\n"
        "sys.stdin.read()\n"
    )
    other = place.popen(["python3", "-c", script], stdin=subprocess.PIPE)
    assert other.popen.stdout.readline() == b"\n"

    assert client.ask("add 10.44.0.5") == "err conflict a connection to it is open"
    other.close()


def test_one_that_is_on_lo_already_is_refused_and_left_alone(place: Place, client: Client) -> None:
    place.sh("ip addr add 10.45.0.5/32 dev lo")
    try:
        assert client.ask("add 10.45.0.5").startswith("err exists")
        assert client.ask("del 10.45.0.5").startswith("err not-yours")
        client.hang_up()
        assert aliases(place) == ["10.45.0.5"]
    finally:
        place.sh("ip addr del 10.45.0.5/32 dev lo")


def test_sixteen_are_the_limit(place: Place, client: Client) -> None:
    answers = [client.ask(f"add 10.46.0.{number}") for number in range(1, 18)]

    assert [answer.split()[0] for answer in answers] == ["ok"] * 16 + ["err"]
    assert answers[-1] == "err limit 16 addresses are the limit"
    assert len(aliases(place)) == 16


def test_it_ends_at_the_end_of_its_input(place: Place, client: Client) -> None:
    client.ask("add 10.42.7.9")
    assert client.hang_up() == 0
    assert aliases(place) == []


def test_it_ends_when_told_to(place: Place, client: Client) -> None:
    client.ask("add 10.42.7.9")
    assert client.ask("quit") == ""
    assert client.guest.wait(5) == 0
    assert aliases(place) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_it_takes_its_addresses_along_when_a_signal_ends_it(
    place: Place, client: Client, number: signal.Signals
) -> None:
    client.ask("add 10.42.7.9")
    client.guest.send(number)
    assert client.guest.wait(5) == 0
    assert aliases(place) == []


def test_two_hundred_rounds_leave_nothing(place: Place, client: Client) -> None:
    for number in range(200):
        assert client.ask(f"add 10.47.0.{number + 1}").startswith("ok")
        assert client.ask(f"del 10.47.0.{number + 1}").startswith("ok")
    assert aliases(place) == []


def test_a_killed_owner_leaves_nothing_for_a_second(place: Place) -> None:
    script = (
        "import subprocess as s, sys, time\n"
        f"p = s.Popen([{str(HELPER)!r}], stdin=s.PIPE, stdout=s.PIPE)\n"
        "p.stdout.readline(); p.stdin.write(b'add 10.42.7.9\\n'); p.stdin.flush()\n"
        "print(p.stdout.readline().decode().strip(), flush=True); time.sleep(60)\n"
    )
    owner = place.popen(["python3", "-c", script], env={"SUDO_UID": str(UID)})
    assert owner.popen.stdout.readline() == b"ok 10.42.7.9\n"
    assert aliases(place) == ["10.42.7.9"]
    owner.send(signal.SIGKILL)

    assert until(lambda: not aliases(place), 1)
    owner.close()


def test_it_renews_while_it_lives_and_the_kernel_ends_what_a_killed_one_leaves(
    place: Place, hasty: Path
) -> None:
    with helped(place, hasty) as client:
        client.ask("add 10.42.7.9")
        assert not until(lambda: not aliases(place), 5)  # longer than the lifetime
        client.guest.send(signal.SIGKILL)
        client.guest.wait(5)
        assert aliases(place) == ["10.42.7.9"]
        assert until(lambda: not aliases(place), 6)


def test_an_address_is_given_up_when_a_network_that_has_it_appears(place: Place, hasty: Path) -> None:
    with helped(place, hasty) as client:
        client.ask("add 10.48.7.9")
        client.ask("add 10.49.7.9")
        place.sh("ip addr add 10.48.0.1/16 dev wifi")
        try:
            told = client.line(5)
            assert told.startswith(
                "gone 10.48.7.9 it is in the network of this computer's address 10.48.0.1/16"
            )
            assert aliases(place) == ["10.49.7.9"]
            assert client.ask("list") == "ok 10.49.7.9"
        finally:
            place.sh("ip addr del 10.48.0.1/16 dev wifi")


def random_lines(count: int) -> Iterator[bytes]:
    """Requests as they should be, spoilt ones, and noise; never the one that ends it."""
    chance = random.Random(77)  # the same each time
    words = [b"add", b"del", b"list", b"hello", b"quit ", b"", b"ad", b"add\0", b"\xff", b"list list"]

    def address() -> bytes:
        net = chance.choice([10, 100, 127, 172, 192, chance.randrange(256), chance.randrange(1000)])
        rest = [chance.choice([0, 1, 16, 17, 64, 168, 255, chance.randrange(256)]) for _ in range(3)]
        return b".".join(b"%d" % part for part in (net, *rest))

    for _ in range(count):
        line = (
            chance.choice(words) + b" " + address()
            if chance.random() < 0.8
            else chance.randbytes(chance.randrange(300))
        )
        if chance.random() < 0.3:
            at = chance.randrange(len(line) + 1)
            line = line[:at] + chance.randbytes(chance.randrange(4)) + line[at + chance.randrange(3) :]
        line = line.replace(b"\n", b" ")
        yield b"list" if line == b"quit" else line


def test_whatever_it_is_told_it_answers_each_line_and_never_has_a_forbidden_address(
    place: Place, client: Client
) -> None:
    given = list(random_lines(FUZZ))

    def write() -> None:
        client.guest.popen.stdin.write(b"\n".join(given) + b"\n")
        client.guest.popen.stdin.flush()

    writer = threading.Thread(target=write)
    writer.start()
    answers = [client.line(30) for _ in given]
    writer.join(10)
    had = {IPv4Address(a.split()[1]) for a in answers if re.fullmatch(r"ok \d+\.\d+\.\d+\.\d+", a)}

    assert all(answer.startswith(("ok", "err ")) for answer in answers)
    assert had
    assert all(any(address in net for net in PRIVATE) for address in had)
    assert not any(
        address in IPv4Network(net) for net in ("172.17.0.0/16", "192.168.7.0/24") for address in had
    )
    assert len(aliases(place)) <= 16
    assert client.ask("hello") == "ok spyglass-loopback 1"
    assert client.hang_up() == 0
    assert client.guest.popen.stderr.read() == b""
    assert aliases(place) == []


LISTEN = """
import sys
import tempfile
from spyglass.aliases import listen
from spyglass.forward import OwnListener
kept = listen("10.50.0.9", 5001, 4369)
plain = OwnListener("plain")
plain.bind(("10.50.0.9", 5002))
plain.listen()
print("up", flush=True)
sys.stdin.read()
"""
REACH = """
import socket, sys
for port in (5001, 5002):
    try:
        socket.create_connection(("10.50.0.9", port), 2).close()
        print(port, "open")
    except OSError as error:
        print(port, type(error).__name__)
"""


@pytest.fixture
def neighbour(place: Place) -> Iterator[Place]:
    with Place("neighbour") as made:
        to = ["nsenter", f"--target={place.first}", "--net", "--"]
        veth = ["ip", "link", "add", "lan", "type", "veth", "peer", "name", "eth9", "netns", str(made.first)]
        subprocess.run([*to, *veth], check=True)
        place.sh("ip addr add 10.51.0.1/24 dev lan; ip link set lan up")
        made.sh(
            "ip addr add 10.51.0.2/24 dev eth9; ip link set eth9 up; ip route add 10.50.0.9 via 10.51.0.1"
        )
        yield made


def test_a_neighbour_on_the_network_does_not_reach_it(place: Place, neighbour: Place, client: Client) -> None:
    """The port that is not kept to the interface shows that the way there is open."""
    assert client.ask("add 10.50.0.9").startswith("ok")
    env = {"PYTHONPATH": os.pathsep.join(sys.path)}
    server = place.popen([sys.executable, "-c", LISTEN], env=env, stdin=subprocess.PIPE)
    assert server.popen.stdout.readline() == b"up\n"

    assert place.run(["python3", "-c", REACH]).stdout.split() == ["5001", "open", "5002", "open"]
    assert neighbour.run(["python3", "-c", REACH]).stdout.split() == [
        "5001",
        "ConnectionRefusedError",
        "5002",
        "open",
    ]
    server.close()


JOURNAL = """
mkdir /run/up /run/work
mount -t overlay -o lowerdir=/dev,upperdir=/run/up,workdir=/run/work none /dev
rm -f /dev/log
"""
RECEIVE = """
import os, socket
journal = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
journal.bind("/dev/log")
os.chmod("/dev/log", 0o666)
print("up", flush=True)
while True:
    print(journal.recv(2000).decode(), flush=True)
"""


def test_what_is_added_and_removed_stands_in_the_journal_with_the_users_number() -> None:
    with Place("journal") as place:
        place.sh("mount -t tmpfs none /run")
        place.sh(JOURNAL)
        journal = place.popen(["python3", "-c", RECEIVE])
        assert journal.popen.stdout.readline() == b"up\n"
        with helped(place) as client:
            client.ask("add 10.42.7.9")
            client.ask("del 10.42.7.9")
            client.ask("add 10.42.7.10")
            client.ask("add 8.8.8.8")
            client.hang_up()
        told = [journal.popen.stdout.readline().decode().partition(": ") for _ in range(4)]
        assert [words for _, _, words in told] == [
            f"{what} {address} on the loopback interface for uid {UID}\n"
            for what, address in (
                ("added", "10.42.7.9"),
                ("removed", "10.42.7.9"),
                ("added", "10.42.7.10"),
                ("removed", "10.42.7.10"),
            )
        ]
        assert all(re.fullmatch(r"<29>.* spyglass-loopback\[\d+\]", head) for head, _, _ in told)


def test_the_kernel_ends_what_a_killed_helper_leaves_within_a_minute(
    abandoned: tuple[Place, float],
) -> None:
    place, killed = abandoned
    assert until(lambda: not aliases(place), killed + 60 - time.monotonic())
