"""The host key question against a real sshd, and the way over jump hosts."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from spyglass.errors import BadHostKey, BadInput, NeedsAnswer
from spyglass.profile import SSHHop
from spyglass.questions import HostKey, Question
from spyglass.remote.base import Stop
from spyglass.remote.opening import open_hops
from support import sshd
from support.links import connect, nobody
from support.sshd import Sshd, keygen


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Sshd]:
    with sshd.running(tmp_path / "sshd") as made:
        yield made


class Answering:
    def __init__(self, answer: object) -> None:
        self.answer, self.questions = answer, []  # type: ignore[var-annotated]

    def __call__(self, question: Question) -> object:
        self.questions.append(question)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def fingerprint(server: Sshd) -> str:
    words = subprocess.run(
        ["ssh-keygen", "-l", "-f", str(server.home / "host_ed25519.pub")],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return words.split()[1]


def test_an_unknown_server_is_a_question_with_its_fingerprint(server: Sshd) -> None:
    server.known_hosts.write_text("")
    ask = Answering("once")
    connect(server, ask).close()
    (question,) = ask.questions
    assert isinstance(question, HostKey)
    assert question.fingerprint == fingerprint(server)
    assert question.key_type == "ssh-ed25519"
    assert question.host == f"[127.0.0.1]:{server.port}"
    assert question.file == str(server.known_hosts)
    assert server.known_hosts.read_text() == ""


def test_a_remembered_server_is_not_asked_about_again(server: Sshd) -> None:
    before = "# mine\n"
    server.known_hosts.write_text(before)
    connect(server, Answering("remember")).close()
    assert server.known_hosts.read_text().startswith(before)
    connect(server, nobody).close()


def test_nobody_to_ask_is_needs_answer(server: Sshd) -> None:
    server.known_hosts.write_text("")
    with pytest.raises(NeedsAnswer):
        connect(server, Answering(NeedsAnswer("The host key is unknown")))


def test_strict_checking_asks_nobody(server: Sshd) -> None:
    server.known_hosts.write_text("")
    server.config.write_text(server.ssh_config("lab", "StrictHostKeyChecking yes"))
    with pytest.raises(BadHostKey) as failure:
        connect(server)
    assert fingerprint(server) in failure.value.hint


def test_a_changed_key_is_a_hard_stop_with_both_fingerprints_and_the_remedy(server: Sshd) -> None:
    other = keygen(server.home / "other")
    kind, blob = (other.with_suffix(".pub")).read_text().split()[:2]
    server.known_hosts.write_text(f"# first\n[127.0.0.1]:{server.port} {kind} {blob}\n")
    with pytest.raises(BadHostKey) as failure:
        connect(server)
    hint = failure.value.hint
    assert failure.value.code == "host-key-changed"
    assert not failure.value.retry
    told = failure.value.key
    assert told is not None
    assert (told.shown, told.shown_type) == (fingerprint(server), "ssh-ed25519")
    assert told.trusted.startswith("SHA256:")
    assert told.place.endswith(":2")
    assert told.remedy in failure.value.hint
    assert fingerprint(server) in hint
    assert hint.count("SHA256:") == 2
    assert f"{server.known_hosts}:2" in hint
    assert f"ssh-keygen -R '[127.0.0.1]:{server.port}' -f {shlex.quote(str(server.known_hosts))}" in hint


def test_a_revoked_key_is_a_hard_stop(server: Sshd) -> None:
    line = server.known_hosts.read_text()
    server.known_hosts.write_text(line + "@revoked " + line)
    with pytest.raises(BadHostKey) as failure:
        connect(server)
    assert failure.value.code == "host-key-revoked"
    assert failure.value.key is not None
    assert (failure.value.key.shown, failure.value.key.remedy) == (fingerprint(server), "")
    assert f"{server.known_hosts}:2" in failure.value.hint


def test_a_certificate_of_a_known_authority_is_enough(tmp_path: Path) -> None:
    home = tmp_path / "sshd"
    server = Sshd(home, ["HostCertificate {home}/host_ed25519-cert.pub"])
    authority = keygen(home / "ca")
    sign = ["ssh-keygen", "-q", "-s", str(authority), "-I", "host", "-h", "-n", "127.0.0.1"]
    subprocess.run([*sign, str(home / "host_ed25519.pub")], check=True)
    try:
        server.start()
        kind, blob = authority.with_suffix(".pub").read_text().split()[:2]
        server.known_hosts.write_text(f"@cert-authority [127.0.0.1]:{server.port} {kind} {blob}\n")
        connect(server).close()
    finally:
        server.stop()


def test_proxy_jump_chains_are_opened_in_order(tmp_path: Path) -> None:
    with ExitStack() as stack:
        servers = [stack.enter_context(sshd.running(tmp_path / name)) for name in "abc"]
        config = tmp_path / "config"
        config.write_text(
            servers[0].ssh_config("first")
            + servers[1].ssh_config(
                "second", "ProxyJump nowhere.invalid"
            )  # ignored: it is not the first jump
            + servers[2].ssh_config("third", "ProxyJump first,second")
        )
        told: list[tuple[int, str, str]] = []
        with ExitStack() as opened:
            hops = [SSHHop(host="third")]
            remotes = open_hops(
                hops, nobody, Stop(), opened, config=config, on_hop=lambda *words: told.append(words)
            )
            names = [remote.describe() for remote in remotes]
            assert [name.partition("@")[2] or name for name in names] == [
                "this computer",
                "first",
                "second",
                "third",
            ]
            assert remotes[-1].run(["echo", "there"]).stdout == b"there\n"
        assert {index for index, _, _ in told} == {0}
        assert told[-1][1] == "ok"
        assert told[-1][2].endswith(remotes[-1].auth_method)  # type: ignore[attr-defined]


def test_a_failing_hop_closes_those_before_it(server: Sshd, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text(server.ssh_config("lab") + "Host broken\n  HostName 127.0.0.1\n  Port 1\n")
    with pytest.raises(Exception, match="refuses connections from"), ExitStack() as stack:
        open_hops([SSHHop(host="lab"), SSHHop(host="broken")], nobody, Stop(), stack, config=config)


def test_jumps_in_a_circle_are_told_as_such(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text("Host a\n  ProxyJump b\nHost b\n  ProxyJump a\n")
    with pytest.raises(BadInput, match="circles"), ExitStack() as stack:
        open_hops([SSHHop(host="a")], nobody, Stop(), stack, config=config)


def test_no_hop_is_this_computer() -> None:
    with ExitStack() as stack:
        (here,) = open_hops([], nobody, Stop(), stack)
        assert here.describe() == "this computer"
