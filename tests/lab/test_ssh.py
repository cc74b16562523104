"""SSH against a real sshd: logging in, running commands, dialling, sessions, and leaving nothing behind."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from spyglass.errors import Denied, Failure, Unreachable
from spyglass.profile import SSHHop
from spyglass.remote.base import Stop
from spyglass.remote.carried import CarriedStream
from spyglass.remote.local import Local
from spyglass.remote.ssh import SSH
from support import sshd, target
from support.links import connect, connected, everything, gone, holdings, nobody, until
from support.sshd import Sshd


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with sshd.running(tmp_path_factory.mktemp("sshd")) as made:
        yield made


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with target.running() as made:
        yield made


@pytest.fixture
def link(server: Sshd) -> Iterator[SSH]:
    with connected(server) as made:
        yield made


def test_it_says_who_and_how(link: SSH, server: Sshd) -> None:
    assert link.describe() == f"{server.user}@lab"
    assert link.auth_method.startswith("key ")


def test_steps_are_told(server: Sshd) -> None:
    steps: list[str] = []
    link = SSH.connect(server.hop, Local(), nobody, Stop(), config=server.config, on_step=steps.append)
    link.close()
    assert [step.split()[0] for step in steps] == ["connecting", "exchanging", "logging"]


def test_a_command_gives_status_and_both_outputs(link: SSH) -> None:
    output = link.run(["sh", "-c", "echo out; echo err >&2; exit 3"])
    assert (output.status, output.stdout, output.stderr) == (3, b"out\n", b"err\n")


def test_arguments_keep_their_blanks_and_quotes(link: SSH) -> None:
    words = ["a b", "it's", '"', "$HOME", "*", "", "\\"]
    assert link.run(["printf", "<%s>", *words]).stdout.decode() == "".join(f"<{word}>" for word in words)


def test_five_megabytes_go_in_and_come_out(link: SSH) -> None:
    data = os.urandom(5_000_000)
    output = link.run(["cat"], stdin=data)
    assert output.status == 0
    assert output.stdout == data


def test_both_outputs_are_drained_while_input_is_fed(link: SSH) -> None:
    script = "head -c 3000000 /dev/zero >&2; cat >/dev/null; head -c 3000000 /dev/zero"
    output = link.run(["sh", "-c", script], stdin=bytes(3_000_000))
    assert (len(output.stdout), len(output.stderr)) == (3_000_000, 3_000_000)


def test_a_command_that_ignores_its_input_is_no_error(link: SSH) -> None:
    assert link.run(["echo", "done"], stdin=bytes(4_000_000)).stdout == b"done\n"


def test_a_command_ended_by_a_signal_has_status_minus_one(link: SSH) -> None:
    assert link.run(["sh", "-c", "kill -9 $$"]).status == -1


def test_an_unknown_command_is_an_output(link: SSH) -> None:
    output = link.run(["no-such-command-here"])
    assert output.status == 127
    assert b"not found" in output.stderr


def test_a_slow_command_is_killed_at_its_time(link: SSH, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    started = time.monotonic()
    with pytest.raises(Failure) as failure:
        # sshd gives no signals to root's sessions, but closing the channel breaks the pipe
        link.run(["sh", "-c", f"echo $$ > {pid_file}; while :; do echo x; sleep 0.05; done"], timeout=1)
    assert failure.value.code == "timeout"
    assert time.monotonic() - started < 3
    pid = int(pid_file.read_text())
    assert until(lambda: gone(pid))


def test_twenty_commands_at_once_keep_to_max_sessions(link: SSH) -> None:
    outputs: list[bytes] = []

    def run(number: int) -> None:
        outputs.append(link.run(["sh", "-c", f"sleep 0.1; echo {number}"], timeout=60).stdout)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(int(text) for text in outputs) == list(range(20))


def test_a_server_that_allows_two_sessions_is_enough(tmp_path: Path) -> None:
    with sshd.running(tmp_path, ["MaxSessions 2"]) as server, connected(server) as link:
        outputs: list[int] = []
        threads = [
            threading.Thread(target=lambda: outputs.append(link.run(["sleep", "0.1"], timeout=60).status))
            for _ in range(6)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert outputs == [0] * 6


def test_a_server_without_sessions_says_so(tmp_path: Path) -> None:
    with sshd.running(tmp_path, ["MaxSessions 0"]) as server, connected(server) as link:
        with pytest.raises(Denied) as failure:
            link.run(["true"])
        assert failure.value.code == "exec-prohibited"
        assert "MaxSessions" in failure.value.hint


def test_dialling_reaches_a_port_of_the_server(link: SSH, port: int) -> None:
    stream = link.dial("127.0.0.1", port)
    stream.sendall(b"Ehello")
    assert stream.recv(100) == b"hello"
    stream.close()
    stream.close()


def test_a_late_answer_is_a_timeout_error(link: SSH, port: int) -> None:
    stream = link.dial("127.0.0.1", port)
    stream.sendall(b"E")
    stream.settimeout(0.05)
    with pytest.raises(TimeoutError):
        stream.recv(1)
    stream.close()


def test_half_close_then_the_answer(link: SSH, port: int) -> None:
    stream = link.dial("127.0.0.1", port)
    stream.sendall(b"H" + bytes(300_000))
    stream.shutdown_write()
    assert everything(stream) == b"300000"
    stream.close()


def test_sending_after_a_half_close_is_an_error_and_does_not_spin(link: SSH, port: int) -> None:
    stream = link.dial("127.0.0.1", port)
    stream.sendall(b"Z")
    stream.shutdown_write()
    with pytest.raises(OSError, match="closed for sending"):
        stream.sendall(b"x")
    stream.close()


def test_a_refused_port_is_told_as_such(link: SSH) -> None:
    with pytest.raises(Unreachable) as failure:
        link.dial("127.0.0.1", sshd.free_port())
    assert failure.value.code == "refused"
    assert link.describe() in failure.value.title


def test_an_unknown_name_is_told_as_such(link: SSH) -> None:
    with pytest.raises(Unreachable, match="can't be found from"):
        link.dial("nothing.invalid", 80)


def test_thirty_refusals_at_once_each_get_their_own_reason(link: SSH) -> None:
    codes: list[str] = []
    free = sshd.free_port()

    def dial() -> None:
        with pytest.raises(Unreachable) as failure:
            link.dial("127.0.0.1", free)
        codes.append(failure.value.code)

    threads = [threading.Thread(target=dial) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == ["refused"] * 30


def test_where_forwarding_is_forbidden_a_command_carries_the_connection(tmp_path: Path, port: int) -> None:
    with sshd.running(tmp_path, ["AllowTcpForwarding no"]) as server, connected(server) as link:
        stream = link.dial("127.0.0.1", port)
        assert isinstance(stream, CarriedStream)
        stream.sendall(b"Hhello")
        stream.shutdown_write()
        assert everything(stream) == b"5"
        stream.close()
        bad = link.dial("127.0.0.1", sshd.free_port())
        assert everything(bad) == b""
        assert "refused" in bad.why().lower()
        bad.close()
        with (
            socket.create_server(("127.0.0.1", 0)) as listener,
            contextlib.closing(link.relay(listener, "127.0.0.1", port)),
            socket.create_connection(listener.getsockname()) as local,
        ):
            local.sendall(b"Ethrough")
            assert local.recv(100) == b"through"


def test_forbidden_forwarding_is_denied_with_a_hint_where_no_command_may_run(
    tmp_path: Path, port: int
) -> None:
    options = ["AllowTcpForwarding no", "MaxSessions 0"]
    with sshd.running(tmp_path, options) as server, connected(server) as link:
        with pytest.raises(Denied) as failure:
            link.dial("127.0.0.1", port)
        assert failure.value.code == "forwarding-prohibited"
        assert "AllowTcpForwarding" in failure.value.hint


def test_a_hardened_server_is_reached(tmp_path: Path) -> None:
    options = [
        "KexAlgorithms curve25519-sha256",
        "Ciphers aes256-gcm@openssh.com",
        "MACs hmac-sha2-512-etm@openssh.com",
        "HostKeyAlgorithms ssh-ed25519",
    ]
    with sshd.running(tmp_path, options) as server, connected(server) as link:
        assert link.run(["echo", "in"]).stdout == b"in\n"


def test_a_server_with_nothing_in_common_is_told_as_such(tmp_path: Path) -> None:
    with sshd.running(tmp_path, ["Ciphers chacha20-poly1305@openssh.com"]) as server:
        with pytest.raises(Failure) as failure:
            connect(server)
        assert failure.value.code == "algorithms"
        assert not failure.value.retry


def test_a_pipe_is_a_stream_to_a_command(link: SSH) -> None:
    stream = link.pipe(["sh", "-c", "cat; echo 'the end' >&2"])
    data = os.urandom(3_000_000)  # more than a window
    received: list[bytes] = []
    reader = threading.Thread(target=lambda: received.append(everything(stream)))
    reader.start()
    stream.sendall(data)
    stream.shutdown_write()
    reader.join(20)
    assert received == [data]
    assert stream.why() == "the end"
    stream.close()
    stream.close()


def test_a_pipe_s_standard_error_is_drained_and_its_end_kept(link: SSH) -> None:
    stream = link.pipe(["sh", "-c", "head -c 5000000 /dev/zero >&2; echo; echo last >&2; exit 7"])
    assert everything(stream) == b"\n"
    assert stream.why().endswith("last")
    mute = link.pipe(["sh", "-c", "exit 7"])
    assert everything(mute) == b""
    assert mute.why() == "it ended with status 7"
    mute.close()
    stream.close()


def test_closing_a_pipe_ends_its_command(link: SSH, tmp_path: Path) -> None:
    stream = link.pipe(["sh", "-c", f"echo $$ > {tmp_path}/pid; echo; exec cat"])
    assert stream.recv(1) == b"\n"
    stream.close()
    assert until(lambda: gone(int((tmp_path / "pid").read_text())))


def test_pipes_leave_room_for_commands_and_the_one_too_many_is_told(link: SSH) -> None:
    pipes = [link.pipe(["cat"]) for _ in range(6)]
    with pytest.raises(Unreachable) as failure:
        link.pipe(["cat"], timeout=0.1)
    assert failure.value.code == "sessions"
    assert [link.run(["true"]).status for _ in range(3)] == [0, 0, 0]
    for number in range(12):  # each place is given back
        pipes.pop(0).close()
        pipes.append(link.pipe(["cat"]))
        pipes[-1].sendall(b"%d" % number)
        assert pipes[-1].recv(9) == b"%d" % number
    for pipe in pipes:
        pipe.close()


def test_a_server_that_allows_one_session_gives_it_to_one_after_the_other(tmp_path: Path) -> None:
    with sshd.running(tmp_path, ["MaxSessions 1"]) as server, connected(server) as link:
        for _ in range(3):
            pipe = link.pipe(["cat"])
            pipe.sendall(b"x")
            assert pipe.recv(1) == b"x"
            pipe.close()
            assert link.run(["echo", "y"]).stdout == b"y\n"


def test_a_pipe_of_a_lost_link_breaks(server: Sshd) -> None:
    link = connect(server)
    stream = link.pipe(["cat"])
    link.close()
    with pytest.raises(OSError, match="cut off"):
        stream.recv(1)
    with pytest.raises(Failure) as failure:
        link.pipe(["cat"])
    assert failure.value.code == "lost"


def test_latency_is_measured(link: SSH) -> None:
    seconds = link.latency()
    assert seconds is not None
    assert 0 < seconds < 2


def test_closing_twice_and_using_it_afterwards(server: Sshd) -> None:
    link = connect(server)
    link.close()
    link.close()
    with pytest.raises(Failure) as failure:
        link.run(["true"])
    assert failure.value.code == "lost"
    with pytest.raises(Failure):
        link.dial("127.0.0.1", 1)


def test_closing_is_no_loss(server: Sshd) -> None:
    link, losses = connect(server), []
    link.on_lost = losses.append
    link.close()
    assert losses == []


def test_thirty_cycles_leave_no_thread_and_no_descriptor(server: Sshd, port: int) -> None:
    connect(server).close()
    before = holdings()
    for _ in range(30):
        link = connect(server)
        link.dial("127.0.0.1", port).sendall(b"E")
        link.dial("127.0.0.1", port).close()
        link.close()
        assert holdings() == before


def test_a_jump_host_carries_the_second_connection(server: Sshd, tmp_path: Path) -> None:
    with sshd.running(tmp_path) as inner, connected(server) as outer:
        link = connect(inner, through=outer)
        assert link.run(["echo", "inside"]).stdout == b"inside\n"
        outer.close()
        assert until(lambda: not link._transport.is_alive(), 2)
        link.close()


def test_a_hop_can_be_given_without_ssh_config(server: Sshd, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text(f"UserKnownHostsFile {server.known_hosts}\nIdentityAgent none\n")
    hop = SSHHop(host="127.0.0.1", user=server.user, port=server.port, identity=str(server.key))
    link = SSH.connect(hop, Local(), nobody, Stop(), config=config)
    assert link.run(["true"]).status == 0
    link.close()
