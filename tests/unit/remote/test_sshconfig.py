from __future__ import annotations

import getpass
import os
import pwd
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from spyglass.errors import BadInput
from spyglass.profile import SSHHop
from spyglass.remote import sshconfig
from spyglass.remote.sshconfig import Settings

needs_ssh = pytest.mark.skipif(shutil.which("ssh") is None, reason="compares with the ssh command")
Resolve = Callable[..., Settings]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / ".ssh").mkdir(mode=0o700)
    return tmp_path


@pytest.fixture
def resolve(home: Path, monkeypatch: pytest.MonkeyPatch) -> Resolve:
    """Resolve a host by the text of ~/.ssh/config, with a home and an environment of our own."""
    monkeypatch.setattr(sshconfig, "SYSTEM", home / "etc" / "ssh_config")

    def run(text: str = "", host: str = "web", /, **more: str | int) -> Settings:
        (home / ".ssh" / "config").write_text(dedent(text))
        (home / ".ssh" / "config").chmod(0o600)
        environ = {"HOME": str(home), "LOGNAME": "ada", "SSH_AUTH_SOCK": "/run/agent", "KEYS": "/keys"}
        return sshconfig.resolve(SSHHop(host, **more), environ=environ)  # type: ignore[arg-type]

    return run


# Each is a configuration, the host asked for, and what has to be equal to what ssh -G says.
TABLE = {
    "nothing": ("", "web"),
    "first value wins": ("Host web\n Port 1\nHost w*\n Port 2\n User bob\nHost *\n User eve\n Port 3", "web"),
    "equals signs and quotes": ('Host=web\n HostName = "10.0.0.7"\n\tPort="2222"\n User\t=\t"bob"', "web"),
    "comments": ("# one\nHost web # two\n Port 22 # c\n  #Port 3\n HostName a.b # d", "web"),
    "keywords in any case": ("HOST web\n hOsTnAmE real\n PORT 7", "web"),
    "several patterns": ("Host db web-? *.lan\n Port 5\nHost *\n Port 6", "web-1"),
    "question mark is one character": ("Host web-?\n Port 5\nHost *\n Port 6", "web-12"),
    "negation": ("Host * !web\n Port 5\nHost *\n Port 6", "web"),
    "negation alone never matches": ("Host !web\n Port 5\nHost *\n Port 6", "db"),
    "host patterns mind the case": ("Host Web\n Port 5\nHost *\n Port 6", "web"),
    "brackets are not a set": ("Host [w]eb\n Port 5\nHost *\n Port 6", "web"),
    "host name token": ("Host web\n HostName %h.example.org", "web"),
    "host name in capitals": ("Host web\n HostName WWW.Example.ORG", "web"),
    "match all": ("Match all\n Port 5", "web"),
    "match host sees HostName": ("Host web\n HostName real.org\nMatch host real.*\n Port 5", "web"),
    "match host, negated list": ("Match host *,!web\n Port 5\nMatch all\n Port 6", "web"),
    "match originalhost": ("Host web\n HostName real.org\nMatch originalhost web\n Port 5", "web"),
    "match user": ("Host web\n User bob\nMatch user bob,eve\n Port 5", "web"),
    "match user too late": ("Match user bob\n Port 5\nHost web\n User bob", "web"),
    "match localuser": (f"Match localuser {getpass.getuser()}\n Port 5", "web"),
    "match not": ("Match !host db\n Port 5\nMatch !host web\n User eve", "web"),
    "match several": ("Match host web user nobody\n Port 5\nMatch host web !user nobody\n Port 6", "web"),
    "match exec": (
        'Match exec "test %h = real"\n Port 5\nMatch host web exec "test %n = web"\n Port 6',
        "web",
    ),
    "match exec failing": ("Match exec false\n Port 5\nMatch !exec false\n Port 6", "web"),
    "match final": ("Match final host real\n Port 5\nHost web\n HostName real\nHost *\n User u", "web"),
    "match final meets Host again": (
        "Host web\n HostName real\nHost real\n Port 5\nMatch final\n User f",
        "web",
    ),
    "match with equals": ("Match host=web\n Port 5", "web"),
    "identity files add up": (
        "Host web\n IdentityFile /k/a\nHost *\n IdentityFile /k/b\n IdentityFile /k/a",
        "web",
    ),
    "identity file tokens": ("IdentityFile ~/.ssh/%h-%p-%r-%n-%u-%%-%i-%L-%k\nPort 9\nUser bob", "web"),
    "identity file by hash": ("IdentityFile /k/%C\nPort 9\nUser bob", "web"),
    "identity file by variable": ("IdentityFile ${HOME}/k", "web"),
    "certificates": ("CertificateFile /k/a-cert.pub\nCertificateFile /k/%r-cert.pub", "web"),
    "identities only": ("IdentitiesOnly yes\nIdentityFile ~/k", "web"),
    "jump": ("Host web\n ProxyJump bob@gate:2200", "web"),
    "jump chain": ("Host web\n ProxyJump a,bob@b:2200,c", "web"),
    "jump by address": ("Host web\n ProxyJump bob@[2001:db8::1]:2200", "web"),
    "jump by URI": ("Host web\n ProxyJump ssh://bob@gate:2200/", "web"),
    "jump with more words": ("Host web\n ProxyJump a , b", "web"),
    "jump before command": ("ProxyJump gate\nProxyCommand nc %h %p", "web"),
    "command before jump": ("ProxyCommand nc %h %p\nProxyJump gate", "web"),
    "no jump after all": ("Host web\n ProxyJump none\nHost *\n ProxyJump gate", "web"),
    "command with a hash sign": ("ProxyCommand sh -c 'nc %h %p' # not a comment", "web"),
    "known hosts files": ('UserKnownHostsFile ~/a "/b c" /%h\nGlobalKnownHostsFile /g /h', "web"),
    "known hosts none": ("UserKnownHostsFile none\nGlobalKnownHostsFile /dev/null", "web"),
    "alias for the key": ("HostKeyAlias Prod\nHashKnownHosts yes", "web"),
    "timeout": ("ConnectTimeout 1m30", "web"),
    "words with blanks": ('IdentityFile \'/k/a b\'\nUserKnownHostsFile "/k/c \\" d"', "web"),
    "include twice, first wins": ("Include {dir}/one {dir}/two\nPort 3", "web"),
    "include by pattern, sorted": ("Include {dir}/*.conf\nPort 3", "web"),
    "include in a block": ("Host db\n Include {dir}/one\nHost *\n Port 3", "web"),
    "include in a block that matches": (
        "Host web\n Include {dir}/hosts\n User after\nHost *\n Port 3",
        "web",
    ),
    "include in a block that does not match": ("Host db\n Include {dir}/hosts\nHost *\n Port 3", "web"),
    "include nested": ("Include {dir}/nest\nUser after", "web"),
    "include what is not there": ("Include {dir}/none*\nPort 3", "web"),
    "include ends its own blocks": ("Include {dir}/ends\nPort 3", "web"),
    "canonical is not final": ("Match canonical\n Port 5\nMatch all\n Port 6", "web"),
    "ipv6 as the host": ("Host fe80::*\n Port 5", "fe80::1"),
}
FILES = {
    "one": "Port 1\n",
    "two": "Port 2\nUser two\n",
    "10.conf": "Port 10\n",
    "20.conf": "Port 20\nUser twenty\n",
    "hosts": "Host db\n Port 7\nHost web\n Port 8\n",
    "nest": "Host web\n Include {dir}/two\nHost *\n HostName nested\n",
    "ends": "Host db\n User never\n",
}


def said_by_ssh(config: Path, host: str) -> dict[str, list[str]]:
    argv = ["ssh", "-G", "-F", str(config), host]
    ended = subprocess.run(
        argv, capture_output=True, text=True, check=True, timeout=20, stdin=subprocess.DEVNULL
    )
    said: dict[str, list[str]] = {}
    for line in ended.stdout.splitlines():
        keyword, _, value = line.partition(" ")
        said.setdefault(keyword, []).append(value)
    return said


def jump_text(hop: SSHHop) -> str:
    user = f"{hop.user}@" if hop.user else ""
    host = f"[{hop.host}]" if ":" in hop.host else hop.host
    return f"{user}{host}:{hop.port}" if hop.port else f"{user}{host}"


@needs_ssh
@pytest.mark.parametrize("name", TABLE)
def test_settings_are_those_of_ssh(name: str, tmp_path: Path) -> None:
    text, host = TABLE[name]
    for file, words in FILES.items():
        (tmp_path / file).write_text(words.replace("{dir}", str(tmp_path)))
        (tmp_path / file).chmod(0o600)
    config = tmp_path / "config"
    config.write_text(text.replace("{dir}", str(tmp_path)) + "\n")
    said = said_by_ssh(config, host)
    home = Path(pwd.getpwuid(os.getuid()).pw_dir)  # ssh does not look at HOME

    ours = sshconfig.resolve(SSHHop(host), config=config, environ={**os.environ, "HOME": str(home)})

    assert ours.hostname == said["hostname"][0]
    assert (ours.user, str(ours.port)) == (said["user"][0], said["port"][0])
    if "IdentityFile" in text:
        assert [str(file) for file in ours.identity_files] == [
            expanded(path, ours) for path in said["identityfile"]
        ]
    assert [str(file) for file in ours.certificate_files] == [
        expanded(path, ours) for path in said.get("certificatefile", [])
    ]
    assert ours.identities_only == (said["identitiesonly"] == ["yes"])
    assert ",".join(jump_text(hop) for hop in ours.proxy_jump) == said.get("proxyjump", [""])[0]
    command = (said.get("proxycommand") or [None])[0]
    assert ours.proxy_command == (
        command and command.replace("%h", ours.hostname).replace("%p", str(ours.port))
    )
    assert ours.hash_known_hosts == (said["hashknownhosts"] == ["yes"])
    assert ours.host_key_alias == said.get("hostkeyalias", [""])[0]
    if "none" not in text:
        said_files = f"{said['userknownhostsfile'][0]} {said['globalknownhostsfile'][0]}"
        assert " ".join(map(str, ours.known_hosts)) == said_files
    if "ConnectTimeout" in text:
        assert ours.connect_timeout == float(said["connecttimeout"][0])


def expanded(path: str, ours: Settings) -> str:
    """What ssh -G leaves as it was written; checked against fixed values further below."""
    known = {
        "%h": ours.hostname,
        "%p": str(ours.port),
        "%r": ours.user,
        "%n": ours.alias,
        "%u": getpass.getuser(),
    }
    known |= {"%i": str(os.getuid()), "%L": os.uname().nodename.partition(".")[0], "%k": ours.alias}
    known |= {"${HOME}": str(ours.home), "%%": "%"}
    if "%C" in path:
        return next(str(file) for file in ours.identity_files)
    for token, value in known.items():
        path = path.replace(token, value)
    return path.replace("~", str(ours.home), 1) if path.startswith("~") else path


def test_tokens_in_file_names(resolve: Resolve, home: Path) -> None:
    (home / "etc").mkdir()
    text = """
        HostName real.org
        Port 2200
        User bob
        IdentityFile ~/.ssh/%h_%n_%p_%r_%u_%%
        IdentityFile ${KEYS}/id
        IdentityFile %d/d
        CertificateFile ~/c-cert.pub
        IdentityAgent ~/agent-%r
        HostKeyAlias prod
        UserKnownHostsFile ~/known-%k
    """
    found = resolve(text)
    assert found.identity_files == (home / ".ssh/real.org_web_2200_bob_ada_%", Path("/keys/id"), home / "d")
    assert found.certificate_files == (home / "c-cert.pub",)
    assert found.identity_agent == f"{home}/agent-bob"
    assert found.known_hosts[0] == home / "known-prod"
    assert found.known_as == ("prod", 22)


@needs_ssh
def test_connection_hash_is_the_one_of_ssh(resolve: Resolve, tmp_path: Path) -> None:
    marker = tmp_path / "said"
    config = tmp_path / "other"
    config.write_text(f'Match exec "echo %C > {marker}"\n Port 22\n')
    said_by_ssh(config, "web")
    found = sshconfig.resolve(SSHHop("web"), config=config)
    theirs = marker.read_text().strip()
    config.write_text("IdentityFile /k/%C\n")
    assert [file.name for file in sshconfig.resolve(SSHHop("web"), config=config).identity_files] == [theirs]
    assert found.port == 22


def test_proxy_command_gets_its_tokens(resolve: Resolve) -> None:
    found = resolve("Host web\n HostName 10.0.0.7\n Port 2200\n User bob\n ProxyCommand nc -x %% %h %p %r %n")
    assert found.proxy_command == "nc -x % 10.0.0.7 2200 bob web"


def test_hop_wins_over_file(resolve: Resolve, home: Path) -> None:
    found = resolve("User eve\nPort 7\nIdentityFile /k/other", "web", user="bob", port=9, identity="~/mine")
    assert (found.user, found.port, found.label) == ("bob", 9, "bob@web")
    assert found.identity_files == (home / "mine", Path("/k/other"))
    assert found.explicit_identities


def test_defaults(resolve: Resolve, home: Path) -> None:
    (home / ".ssh" / "id_rsa").touch()
    (home / ".ssh" / "id_ed25519").touch()
    found = resolve("")
    assert (found.hostname, found.user, found.port) == ("web", "ada", 22)
    assert found.identity_files == (home / ".ssh/id_ed25519", home / ".ssh/id_rsa")
    assert not found.explicit_identities
    assert found.identity_agent == "/run/agent"
    assert found.known_hosts[:3] == (
        home / ".ssh/known_hosts",
        home / ".ssh/known_hosts2",
        Path("/etc/ssh/ssh_known_hosts"),
    )
    assert found.methods == ("publickey", "keyboard-interactive", "password")
    assert found.proxy_command is None
    assert found.proxy_jump == ()


def test_identity_file_none_means_no_file(resolve: Resolve, home: Path) -> None:
    (home / ".ssh" / "id_rsa").touch()
    found = resolve("IdentityFile none")
    assert (found.identity_files, found.explicit_identities) == ((), False)


@pytest.mark.parametrize(
    ("line", "agent"),
    [
        ("IdentityAgent none", None),
        ("IdentityAgent SSH_AUTH_SOCK", "/run/agent"),
        ("IdentityAgent $KEYS", "/keys"),
        ("IdentityAgent ${KEYS}/s", "/keys/s"),
        ("IdentityAgent $NOT_THERE", None),
        ("IdentityAgent /a/%r", "/a/ada"),
    ],
)
def test_agent_socket(resolve: Resolve, line: str, agent: str | None) -> None:
    assert resolve(line).identity_agent == agent


@pytest.mark.parametrize(
    ("text", "methods"),
    [
        ("PreferredAuthentications password,publickey", ("password", "publickey")),
        ("PasswordAuthentication no", ("publickey", "keyboard-interactive")),
        ("PubkeyAuthentication no\nKbdInteractiveAuthentication no", ("password",)),
        ("ChallengeResponseAuthentication no", ("publickey", "password")),
        ("PreferredAuthentications gssapi-with-mic,hostbased", ()),
    ],
)
def test_ways_to_log_in(resolve: Resolve, text: str, methods: tuple[str, ...]) -> None:
    assert resolve(text).methods == methods


@pytest.mark.parametrize("value", ["no", "off", "accept-new"])
def test_weaker_host_key_check_is_noted_and_not_followed(resolve: Resolve, home: Path, value: str) -> None:
    found = resolve(f"StrictHostKeyChecking {value}")
    assert not found.strict_host_keys
    assert found.warnings == (
        f"{home}/.ssh/config:1: StrictHostKeyChecking {value} is not followed, unknown keys are asked about",
    )


def test_stricter_host_key_check_is_followed(resolve: Resolve) -> None:
    assert resolve("StrictHostKeyChecking yes").strict_host_keys
    assert not resolve("StrictHostKeyChecking ask").strict_host_keys


def test_unknown_match_keyword_does_not_match(resolve: Resolve, home: Path) -> None:
    found = resolve(
        "Match localnetwork 10.0.0.0/8\n Port 5\nMatch !tagged x\n Port 6\nMatch host web\n Port 7"
    )
    assert found.port == 7
    assert found.warnings == (
        f"{home}/.ssh/config:1: `Match localnetwork` is not known here, its block is left out",
        f"{home}/.ssh/config:3: `Match tagged` is not known here, its block is left out",
    )


def test_match_exec_is_not_run_when_the_block_can_not_match(resolve: Resolve, home: Path) -> None:
    resolve(f"Match host db exec 'touch {home}/ran'\n Port 5\nHost db\n Include {home}/more")
    assert not (home / "ran").exists()


def test_match_exec_that_hangs_is_left_out(resolve: Resolve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spyglass.remote.configmatch.EXEC_TIMEOUT", 0.1)
    found = resolve("Match exec 'sleep 60; true'\n Port 5")
    assert found.port == 22
    assert "its block is left out" in found.warnings[0]


def test_unknown_options_and_canonicalisation_are_passed_over(resolve: Resolve) -> None:
    found = resolve("FutureOption a b c\nAddKeysToAgent confirm\nCanonicalizeHostname yes\nPort 5")
    assert (found.port, found.hostname) == (5, "web")


def test_system_file_comes_second(resolve: Resolve, home: Path) -> None:
    (home / "etc" / "ssh_config.d").mkdir(parents=True)
    (home / "etc" / "ssh_config").write_text("Include ssh_config.d/*.conf\nPort 7\nUser system\n")
    (home / "etc" / "ssh_config.d" / "a.conf").write_text("User included\n")
    found = resolve("Port 5")
    assert (found.port, found.user) == (5, "included")


def test_relative_include_begins_at_the_ssh_directory(resolve: Resolve, home: Path) -> None:
    (home / ".ssh" / "more").write_text("Port 5\n")
    (home / ".ssh" / "tilde").write_text("User bob\n")
    found = resolve("Include more ~/.ssh/tilde")
    assert (found.port, found.user) == (5, "bob")


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("\nPort abc", ":2: 'abc' is not a port"),
        ("Port 70000", ":1: '70000' is not a port"),
        ("Port", ":1: the line has no value"),
        ("User a b", ":1: the line has too many values"),
        ("User 'a", ":1: a quotation mark is left open"),
        ('"x"', ":1: there is no keyword"),
        ("IdentitiesOnly maybe", ":1: 'maybe' is neither yes nor no"),
        ("ConnectTimeout soon", ":1: 'soon' is not a time"),
        ("Match", ":1: Match without a criterion"),
        ("Match host", ":1: Match host lacks a value"),
        ("IdentityFile ~/%y", ":1: the token '%y' is not known here"),
        ("IdentityFile ${NOT_THERE}/x", ":1: the environment has no variable for ${NOT_THERE}"),
        ("ProxyJump -oProxyCommand=x", ":1: '-oProxyCommand=x' is not a jump host"),
        ("ProxyJump web", ":1: web is its own jump host"),
        ("ProxyJump", ":1: the line has no value"),
        ("HostName %p", ":1: the token '%p' is not known here"),
        ("Include config", ":1: more than 16 Includes within each other"),
    ],
)
def test_fault_names_file_and_line(resolve: Resolve, home: Path, text: str, title: str) -> None:
    with pytest.raises(BadInput) as caught:
        resolve(text)
    assert caught.value.title == f"{home}/.ssh/config{title}"
    assert caught.value.hint


def test_file_that_others_may_write_is_refused(resolve: Resolve, home: Path) -> None:
    (home / ".ssh" / "more").write_text("Port 5\n")
    (home / ".ssh" / "more").chmod(0o666)
    with pytest.raises(BadInput, match="Others may write"):
        resolve("Include more")


def test_file_in_another_encoding_is_read(resolve: Resolve, home: Path) -> None:
    (home / ".ssh" / "more").write_bytes(b"# caf\xe9\nPort 5\n")
    assert resolve("Include more").port == 5


def test_hosts_are_the_plain_names(home: Path) -> None:
    config = home / ".ssh" / "config"
    (home / ".ssh" / "more").write_text("Host inner web\n")
    config.write_text("Host web db *.lan\nHost !x y?\nMatch host z\nHost a=b\nInclude more\nHost last\n")
    assert sshconfig.hosts(environ={"HOME": str(home)}) == ["web", "db", "a=b", "inner", "last"]
    assert sshconfig.hosts(home / "none") == []
