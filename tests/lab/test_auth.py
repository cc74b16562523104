"""Logging in by keys: a real sshd, a real agent, real certificates."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from spyglass.errors import Cancelled, Denied
from spyglass.questions import Ask, Question, Secret
from spyglass.remote import auth, hostkeys
from spyglass.remote.agent import Agent
from spyglass.remote.base import Stop
from spyglass.remote.local import Local
from spyglass.remote.ssh import SSH
from spyglass.remote.sshconfig import Settings
from spyglass.remote.transport import Transport
from support import sshd
from support.authserver import Doorman, door
from support.links import connect, nobody
from support.sshd import Sshd
from support.sshd_auth import SshAgent, keygen, new_key, sign, ssh_agent

LIMIT = 4
FORMS = ["ed25519", "ecdsa -b 256", "ecdsa -b 384", "ecdsa -b 521", "rsa", "rsa -m PEM", "rsa -m PKCS8"]
Login = Callable[..., str]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    home = tmp_path_factory.mktemp("sshd")
    new_key(home / "user_ca")
    options = [f"MaxAuthTries {LIMIT}", f"TrustedUserCAKeys {home}/user_ca.pub"]
    with sshd.running(home, options, log_level="DEBUG1") as made:
        yield made


@pytest.fixture
def keys(tmp_path: Path, server: Sshd) -> Iterator[Callable[..., Path]]:
    """Makes a key pair; ``let_in`` puts it into authorized_keys."""
    authorized = server.home / "authorized_keys"
    authorized.write_text("")

    def make(name: str, *kind: str, let_in: bool = False, passphrase: str = "") -> Path:
        first, *more = kind or ("ed25519",)
        key = new_key(tmp_path / name, first, passphrase, *more)
        if let_in:
            with authorized.open("a") as file:
                file.write(Path(f"{key}.pub").read_text())
        return key

    yield make
    authorized.write_text("")


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[SshAgent]:
    with ssh_agent(tmp_path) as made:
        yield made


@pytest.fixture
def login(server: Sshd, tmp_path: Path) -> Login:
    """Log in with these settings; whoever is asked gives ``answers`` in turn."""

    def run(*answers: str, ask: Ask | None = None, stop: Any = None, kept: Any = None, **more: Any) -> str:
        left = list(answers)
        settings = Settings("prod1", "127.0.0.1", server.user, server.port, home=tmp_path, **more)
        transport = Transport(Local().dial("127.0.0.1", server.port))
        try:
            transport.shake_hands(10)
            asker = ask or (lambda _: left.pop(0))
            return auth.authenticate(transport, settings, asker, stop or Stop(), secrets=kept)
        finally:
            transport.close()

    return run


def fingerprint(key: Path) -> str:
    return keygen("-lf", f"{key}.pub").split()[1]


def log_since(server: Sshd, start: int) -> str:
    return (server.home / "sshd.log").read_text()[start:]


def log_size(server: Sshd) -> int:
    return len((server.home / "sshd.log").read_text())


@pytest.mark.parametrize("form", FORMS)
def test_key_file_of_each_kind(keys: Any, login: Login, form: str) -> None:
    key = keys("id", *form.split(), let_in=True)
    assert login(identity_files=(key,), explicit_identities=True) == "key ~/id"


@pytest.mark.parametrize("form", ["ed25519", "rsa", "rsa -m PEM", "ecdsa -m PKCS8"])
@pytest.mark.parametrize("public", [True, False], ids=["with .pub", "without .pub"])
def test_passphrase_is_asked_for(keys: Any, login: Login, form: str, public: bool) -> None:
    key = keys("id", *form.split(), passphrase="right", let_in=True)
    if not public:
        Path(f"{key}.pub").unlink()
    asked: list[Question] = []

    def ask(question: Question) -> str:
        asked.append(question)
        return ["wrong", "right"][len(asked) - 1]

    assert login(ask=ask, identity_files=(key,)) == "key ~/id"
    assert asked == [Secret("passphrase", str(key)), Secret("passphrase", str(key), again=True)]


def test_passphrase_is_not_asked_for_a_key_that_the_server_does_not_know(keys: Any, login: Login) -> None:
    locked = keys("locked", passphrase="right")
    right = keys("right", passphrase="right", let_in=True)
    asked: list[Any] = []

    def ask(question: Question) -> str:
        asked.append(question)
        return "right"

    assert login(ask=ask, identity_files=(locked, right)) == "key ~/right"
    assert [question.subject for question in asked] == [str(right)]


def test_key_without_a_passphrase_comes_before_one_with(keys: Any, login: Login) -> None:
    locked = keys("locked", passphrase="right", let_in=True)
    plain = keys("plain", let_in=True)
    assert login(identity_files=(locked, plain)) == "key ~/plain"


def test_wrong_passphrases_end_in_a_refusal(keys: Any, login: Login) -> None:
    key = keys("id", passphrase="right", let_in=True)
    with pytest.raises(Denied) as caught:
        login("a", "b", "c", identity_files=(key,))
    assert caught.value.hint == "Tried: key ~/id (no right passphrase). The server accepts: publickey."


class Kept:
    """Remembers one answer of an earlier time, and what it is told."""

    def __init__(self, answer: str) -> None:
        self.answer = answer
        self.told: list[tuple[str, str, str]] = []

    def get(self, kind: str, subject: str) -> str | None:
        return self.answer

    def put(self, kind: str, subject: str, value: str) -> None:
        self.told.append((kind, subject, value))


def test_kept_passphrase_is_used_before_asking(keys: Any, login: Login) -> None:
    key = keys("id", passphrase="right", let_in=True)
    right, stale = Kept("right"), Kept("stale")
    assert login(kept=right, identity_files=(key,)) == "key ~/id"
    assert login("right", kept=stale, identity_files=(key,)) == "key ~/id"
    assert right.told == stale.told == [("passphrase", str(key), "right")]


def test_empty_passphrase_passes_the_key_over(keys: Any, login: Login) -> None:
    key = keys("id", passphrase="right", let_in=True)
    with pytest.raises(Denied, match="refused"):
        login("", identity_files=(key,))


def test_refusal_lists_what_was_tried(keys: Any, login: Login, server: Sshd, agent: SshAgent) -> None:
    held, file = keys("held"), keys("file")
    agent.add(held)
    with pytest.raises(Denied) as caught:
        login(identity_files=(file,), identity_agent=str(agent.path))
    assert caught.value.title == f"prod1 refused {server.user}"
    assert caught.value.hint == (
        f"Tried: agent {fingerprint(held)}, key ~/file. The server accepts: publickey."
    )


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
def test_agent(keys: Any, login: Login, agent: SshAgent, kind: str) -> None:
    key = keys("id", kind, let_in=True)
    agent.add(key)
    assert login(identity_agent=str(agent.path)) == f"agent {fingerprint(key)}"


def test_no_passphrase_is_asked_for_what_the_agent_holds(keys: Any, login: Login, agent: SshAgent) -> None:
    key = keys("id", let_in=True)
    agent.add(key)
    keygen("-p", "-N", "later", "-f", key)
    assert login(identity_files=(key,), identity_agent=str(agent.path)) == f"agent {fingerprint(key)}"


def test_public_key_alone_names_a_key_of_the_agent(keys: Any, login: Login, agent: SshAgent) -> None:
    key = keys("id", let_in=True)
    others = [keys(f"other{n}") for n in range(8)]
    agent.add(*others, key)
    key.unlink()
    named = {"identity_files": (Path(f"{key}.pub"),), "explicit_identities": True, "identities_only": True}
    assert login(identity_agent=str(agent.path), **named) == f"agent {fingerprint(key)}"
    named["identity_files"] = (key,)
    assert login(identity_agent=str(agent.path), **named) == f"agent {fingerprint(key)}"


def test_named_key_is_tried_before_others_of_the_agent(keys: Any, login: Login, agent: SshAgent) -> None:
    """Eight useless keys in the agent would burn the server's limit."""
    named = keys("named", let_in=True)
    agent.add(*[keys(f"other{n}") for n in range(8)])
    found = login(identity_files=(named,), explicit_identities=True, identity_agent=str(agent.path))
    assert found == "key ~/named"


def test_keys_of_the_agent_that_nobody_named_are_not_all_tried(
    keys: Any, login: Login, agent: SshAgent, server: Sshd
) -> None:
    usual = keys("id_ed25519", let_in=True)
    agent.add(*[keys(f"other{n}") for n in range(8)])
    assert login(identity_files=(usual,), identity_agent=str(agent.path)) == "key ~/id_ed25519"


def test_guesses_leave_tries_for_a_password(keys: Any, agent: SshAgent) -> None:
    agent.add(*[keys(f"held{n}") for n in range(5)])
    files = tuple(keys(f"id{n}") for n in range(3))
    doorman = Doorman([("publickey", "password")], password="right")
    settings = Settings("web", "web", "bob", identity_files=files, identity_agent=str(agent.path))
    with door(doorman) as transport, pytest.raises(Denied) as caught:
        auth.authenticate(transport, settings, lambda _: "wrong", Stop())
    assert [method for method, _ in doorman.seen] == ["publickey"] * auth.GUESSES + ["password"] * 3
    assert "2 more keys were not tried: name the right one by IdentityFile." in caught.value.hint


def test_identities_only_leaves_other_keys_of_the_agent_out(
    keys: Any, login: Login, agent: SshAgent, server: Sshd
) -> None:
    right, named = keys("right", let_in=True), keys("named")
    agent.add(right)
    with pytest.raises(Denied):
        login(
            identity_files=(named,),
            explicit_identities=True,
            identities_only=True,
            identity_agent=str(agent.path),
        )


def test_key_is_shown_to_the_server_before_the_agent_signs(
    keys: Any, login: Login, agent: SshAgent, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong, right = keys("wrong"), keys("right", let_in=True)
    agent.add(wrong, right)
    signed: list[bytes] = []
    real = Agent.sign

    def watched(self: Agent, blob: bytes, *more: Any) -> bytes:
        signed.append(blob)
        return real(self, blob, *more)

    monkeypatch.setattr(Agent, "sign", watched)
    assert login(identity_agent=str(agent.path)) == f"agent {fingerprint(right)}"
    assert {hostkeys.fingerprint(key) for key in signed} == {fingerprint(right)}


def test_agent_that_will_not_sign_is_passed_over(keys: Any, login: Login, agent: SshAgent) -> None:
    """An agent that asks for confirmation and can't, or whose owner says no."""
    key, file = keys("confirm", let_in=True), keys("file", let_in=True)
    agent.add("-c", key)
    assert login(identity_files=(file,), identity_agent=str(agent.path)) == "key ~/file"


def test_too_many_keys_are_told_as_such(keys: Any, login: Login, server: Sshd) -> None:
    files = tuple(keys(f"k{n}") for n in range(LIMIT + 2))
    with pytest.raises(Denied) as caught:
        login(identity_files=files, explicit_identities=True)
    assert caught.value.code == "too-many-tries"
    assert caught.value.title.startswith(f"prod1 ended the login of {server.user} after ")
    assert "IdentitiesOnly" in caught.value.hint
    assert not caught.value.retry


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
@pytest.mark.parametrize("place", ["beside the key", "named", "agent", "for a key of the agent"])
def test_certificate(keys: Any, login: Login, agent: SshAgent, server: Sshd, kind: str, place: str) -> None:
    key = keys("id", kind)
    certificate = sign(server.home / "user_ca", key, principals=server.user)
    start = log_size(server)
    if place == "beside the key":
        words = login(identity_files=(key,))
    elif place == "named":
        moved = certificate.rename(key.with_name("my.pub"))
        words = login(identity_files=(key,), certificate_files=(moved,))
    elif place == "agent":  # ssh-add takes the certificate along
        agent.add(key)
        certificate.unlink()
        words = login(identity_agent=str(agent.path))
    else:
        agent.add(key)
        key.unlink()
        words = login(identity_files=(key,), identity_agent=str(agent.path))
    assert words
    assert "Accepted publickey" in log_since(server, start) or "Accepted certificate" in log_since(
        server, start
    )
    assert "CERT" in log_since(server, start)


def test_refused_certificate_leaves_the_plain_key(keys: Any, login: Login, server: Sshd) -> None:
    key = keys("id", let_in=True)
    sign(server.home / "user_ca", key, principals="somebody-else")
    assert login(identity_files=(key,)) == "key ~/id"


def test_two_keys_where_the_server_wants_two(tmp_path: Path, keys: Any) -> None:
    first, second = keys("first"), keys("second", passphrase="right")
    with sshd.running(tmp_path / "two", ["AuthenticationMethods publickey,publickey"]) as server:
        lines = [Path(f"{key}.pub").read_text() for key in (first, second)]
        (server.home / "authorized_keys").write_text("".join(lines))
        settings = Settings("two", "127.0.0.1", server.user, server.port, (first, second), home=tmp_path)
        transport = Transport(Local().dial("127.0.0.1", server.port))
        try:
            transport.shake_hands(10)
            words = auth.authenticate(transport, settings, lambda _: "right", Stop())
        finally:
            transport.close()
    assert words == "key ~/first and key ~/second"


def test_cancelled_while_the_passphrase_is_asked_for(keys: Any, login: Login) -> None:
    key = keys("id", passphrase="right", let_in=True)
    stop = Stop()

    def ask(question: Question) -> Any:
        stop.set()
        raise Cancelled

    with pytest.raises(Cancelled):
        login(ask=ask, stop=stop, identity_files=(key,))


def test_security_key_file_is_explained(keys: Any, login: Login, tmp_path: Path) -> None:
    """The file of a FIDO key holds a handle only; made by hand, for there is no such device here."""
    file = tmp_path / "id_ed25519_sk"
    public = _string(b"sk-ssh-ed25519@openssh.com") + _string(b"k" * 32) + _string(b"ssh:")
    body = (
        b"openssh-key-v1\0"
        + _string(b"none") * 2
        + _string(b"")
        + b"\0\0\0\1"
        + _string(public)
        + _string(b"")
    )
    text = base64.encodebytes(body).decode()
    file.write_text(f"-----BEGIN OPENSSH PRIVATE KEY-----\n{text}-----END OPENSSH PRIVATE KEY-----\n")
    file.chmod(0o600)
    with pytest.raises(Denied) as caught:
        login(identity_files=(file,))
    assert (
        "~/id_ed25519_sk: such keys work through the agent only; add it there with ssh-add."
        in caught.value.hint
    )


def _string(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


@pytest.fixture
def certified(tmp_path: Path) -> Iterator[Sshd]:
    """A server with a host certificate for ``prod1``, and a known_hosts file with the authority only."""
    home = tmp_path / "certified"
    made = Sshd(home, [f"HostCertificate {home}/host_ed25519-cert.pub"])
    authority = new_key(tmp_path / "host_ca")
    sign(authority, home / "host_ed25519", principals="prod1", host=True)
    try:
        made.start()
        made.known_hosts.write_text(f"@cert-authority * {Path(f'{authority}.pub').read_text()}")
        yield made
    finally:
        made.stop()


def test_host_certificate_is_as_good_as_a_known_key(certified: Sshd) -> None:
    certified.config.write_text(certified.ssh_config("lab", "HostKeyAlias prod1"))
    link = connect(certified)
    link.close()


def test_host_certificate_for_another_name_is_told_and_asked_about(certified: Sshd) -> None:
    certified.config.write_text(certified.ssh_config("lab", "HostKeyAlias prod2"))
    asked: list[Any] = []

    def ask(question: Question) -> str:
        asked.append(question)
        return "remember"

    connect(certified, ask).close()
    (question,) = asked
    assert "it is for prod1, not for prod2" in question.host
    assert question.fingerprint == fingerprint(certified.home / "host_ed25519")
    connect(certified).close()  # remembered by its plain key


def test_settings_of_the_configuration_lead_in(server: Sshd, keys: Any, tmp_path: Path) -> None:
    key = keys("id", let_in=True)
    config = tmp_path / "config"
    config.write_text(server.ssh_config("lab").replace(str(server.key), str(key)))
    assert SSH.connect(server.hop, Local(), nobody, Stop(), config=config).close() is None
