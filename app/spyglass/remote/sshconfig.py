"""How to reach an SSH host: what the profile says, filled up from ssh_config.

``~/.ssh/config`` and then ``/etc/ssh/ssh_config`` are read with OpenSSH's own rules
(ssh_config(5)); the tests compare the outcome with ``ssh -G``. Options that weaken the
check of host keys are never honoured, only noted in :attr:`Settings.warnings`.
"""

from __future__ import annotations

import getpass
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from spyglass.errors import BadInput
from spyglass.profile import SSHHop
from spyglass.remote import configvalues as values
from spyglass.remote import tokens
from spyglass.remote.configfile import CORRECT, Entry, Scan, entries, included, read_file
from spyglass.remote.configmatch import Matcher

SYSTEM = Path("/etc/ssh/ssh_config")
_KEYS = ("id_ed25519", "id_ecdsa", "id_rsa")
_KNOWN = ("~/.ssh/known_hosts", "~/.ssh/known_hosts2")
_KNOWN_GLOBALLY = ("/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2")


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything needed to open one SSH connection.

    ``identity_files`` may name files that do not exist when somebody listed them
    (``explicit_identities``); ``identity_agent`` is a socket's path, None for no agent;
    ``known_hosts`` has the user's files first; ``connect_timeout`` is in seconds;
    ``strict_host_keys``: an unknown host is refused without asking.
    """

    alias: str
    hostname: str
    user: str
    port: int = 22
    identity_files: tuple[Path, ...] = ()
    explicit_identities: bool = False
    certificate_files: tuple[Path, ...] = ()
    identities_only: bool = False
    identity_agent: str | None = None
    proxy_jump: tuple[SSHHop, ...] = ()
    proxy_command: str | None = None
    known_hosts: tuple[Path, ...] = ()
    host_key_alias: str = ""
    hash_known_hosts: bool = False
    strict_host_keys: bool = False
    connect_timeout: float = values.CONNECT_TIMEOUT
    methods: tuple[str, ...] = values.METHODS
    home: Path = Path()
    warnings: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """The account as people write it: ``deploy@prod1``."""
        return f"{self.user}@{self.alias}"

    @property
    def known_as(self) -> tuple[str, int]:
        """Name and port under which known_hosts files know the server (an alias stands for both)."""
        return (self.host_key_alias, 22) if self.host_key_alias else (self.hostname, self.port)

    def short(self, file: Path) -> str:
        """A file's path as people write it: ``~`` for the home directory."""
        home, text = str(self.home), str(file)
        return f"~{text[len(home) :]}" if home != "." and text.startswith(home + "/") else text


def resolve(hop: SSHHop, *, config: Path | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Return the settings for a hop; the hop's own fields win over the files.

    ``config`` is read instead of the two usual files; ``environ`` (default: the process's)
    gives HOME, the agent's socket and ``${NAME}``. Raises BadInput with file and line.
    """
    env = os.environ if environ is None else environ
    reading = _Reading(hop, env, Path(env["HOME"]) if env.get("HOME") else Path.home(), _login(env))
    scan = reading.scan(config, hop.host, final=None)
    if scan.wants_final:
        scan = reading.scan(config, reading.hostname(scan), final=scan)
    return reading.settings(scan)


def hosts(config: Path | None = None, environ: Mapping[str, str] | None = None) -> list[str]:
    """The host names that the user's configuration spells out (no patterns), in its order."""
    env = os.environ if environ is None else environ
    home = Path(env["HOME"]) if env.get("HOME") else Path.home()
    names: dict[str, None] = {}
    _gather(config or home / ".ssh" / "config", home, names, 0)
    return list(names)


def _gather(file: Path, home: Path, names: dict[str, None], depth: int) -> None:
    for keyword, entry in entries(file, trusted=True):
        if keyword == "host":
            names.update((word, None) for word in entry.words if not set(word) & set("*?!"))
        elif keyword == "include":
            for inner in included(entry, home / ".ssh", home, depth + 1):
                _gather(inner, home, names, depth + 1)


def _login(env: Mapping[str, str]) -> str:
    """Our own account. Like ssh, by the system's accounts: LOGNAME may be left over from before a su."""
    if env is not os.environ and env.get("LOGNAME"):
        return env["LOGNAME"]
    try:
        import pwd  # noqa: PLC0415 - not on Windows
    except ImportError:
        return getpass.getuser()
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # an account without a name, as in some containers
        return env.get("LOGNAME") or env.get("USER") or str(os.getuid())


@dataclass(frozen=True, slots=True)
class _Reading:
    """Turns the lines that count for one hop into settings."""

    hop: SSHHop
    env: Mapping[str, str]
    home: Path
    login: str

    def scan(self, config: Path | None, host: str, final: Scan | None) -> Scan:
        """Read the files once. ``final``: the first pass, whose findings stay in force."""
        judge = Matcher(self.hop.host, self.login, self.env, self.hostname, self.user, self._expand)
        scan = Scan(host, self.home, judge, final=final is not None)
        if final is not None:
            scan.first, scan.several, scan.warnings = final.first, final.several, final.warnings
        if config is not None:
            read_file(config, scan, trusted=True)
            return scan
        read_file(self.home / ".ssh" / "config", scan)
        read_file(SYSTEM, scan, system=True, trusted=True)
        return scan

    def settings(self, scan: Scan) -> Settings:
        """The whole outcome."""
        listed = self._identities(scan)
        command, jump = self._proxy(scan)
        return Settings(
            alias=self.hop.host,
            hostname=self.hostname(scan),
            user=self.user(scan),
            port=self.port(scan),
            identity_files=listed or (() if "identityfile" in scan.several else self._default_keys()),
            explicit_identities=bool(listed),
            certificate_files=tuple(self._paths(scan, scan.several.get("certificatefile", []))),
            identities_only=values.flag(scan, "identitiesonly", default=False),
            identity_agent=self._agent(scan),
            proxy_jump=jump,
            proxy_command=command,
            known_hosts=self._known_hosts(scan),
            host_key_alias=values.word(scan, "hostkeyalias").lower(),
            hash_known_hosts=values.flag(scan, "hashknownhosts", default=False),
            strict_host_keys=values.strict(scan),
            connect_timeout=values.timeout(scan),
            methods=values.methods(scan),
            home=self.home,
            warnings=tuple(scan.warnings),
        )

    def hostname(self, scan: Scan) -> str:
        """The name or address to connect to."""
        entry = scan.first.get("hostname")
        if entry is None:
            return values.lower(self.hop.host)
        return values.lower(tokens.percent(entry.word, {"%": "%", "h": self.hop.host}, entry.place))

    def user(self, scan: Scan) -> str:
        """The account there."""
        return self.hop.user or values.word(scan, "user") or self.login

    def port(self, scan: Scan) -> int:
        """The port there."""
        entry = scan.first.get("port")
        return self.hop.port or (22 if entry is None else values.port(entry.word, entry.place))

    def _tokens(self, scan: Scan) -> dict[str, str]:
        jump = scan.first.get("proxyjump")
        return tokens.values(
            original=self.hop.host,
            hostname=self.hostname(scan),
            port=self.port(scan),
            user=self.user(scan),
            login=self.login,
            home=self.home,
            alias=values.word(scan, "hostkeyalias").lower(),
            jump=jump.words[0] if jump and jump.words else "",
        )

    def _expand(self, scan: Scan, text: str, place: str) -> str:
        return tokens.percent(text, self._tokens(scan), place)

    def _paths(self, scan: Scan, lines: list[Entry]) -> list[Path]:
        known = self._tokens(scan)
        return [
            tokens.path(word, known, self.env, line.place)
            for line in lines
            for word in line.words
            if word.lower() != "none"
        ]

    def _identities(self, scan: Scan) -> tuple[Path, ...]:
        lines = list(scan.several.get("identityfile", []))
        if self.hop.identity:
            lines.insert(0, Entry((self.hop.identity,), self.hop.identity, "the profile's identity"))
        return tuple(dict.fromkeys(self._paths(scan, lines)))

    def _default_keys(self) -> tuple[Path, ...]:
        usual = (self.home / ".ssh" / name for name in _KEYS)
        return tuple(file for file in usual if file.exists())

    def _agent(self, scan: Scan) -> str | None:
        entry = scan.first.get("identityagent")
        named = entry.word if entry else "SSH_AUTH_SOCK"
        if named.lower() == "none":
            return None
        if named == "SSH_AUTH_SOCK" or (named.startswith("$") and not named.startswith("${")):
            return self.env.get(named.lstrip("$")) or None
        return str(tokens.path(named, self._tokens(scan), self.env, entry.place if entry else ""))

    def _known_hosts(self, scan: Scan) -> tuple[Path, ...]:
        files: list[Path] = []
        for keyword, usual in (("userknownhostsfile", _KNOWN), ("globalknownhostsfile", _KNOWN_GLOBALLY)):
            line = scan.first.get(keyword) or Entry(usual, "", "")
            files += self._paths(scan, [line])
        return tuple(dict.fromkeys(files))

    def _jumps(self, scan: Scan, text: str, place: str) -> tuple[SSHHop, ...]:
        jumps = values.jumps(text, place)
        me = (self.hop.host, self.port(scan), self.user(scan))
        if any((hop.host, hop.port or 22, hop.user or me[2]) == me for hop in jumps):
            raise BadInput(
                f"{place}: {self.hop.host} is its own jump host", f"Leave it out: Host * !{self.hop.host}"
            )
        return jumps

    def _proxy(self, scan: Scan) -> tuple[str | None, tuple[SSHHop, ...]]:
        """The command or the jump hosts: whichever line came first rules out the other."""
        command, jump = scan.first.get("proxycommand"), scan.first.get("proxyjump")
        if jump is not None and not jump.words:
            raise BadInput(f"{jump.place}: the line has no value", CORRECT)
        both = command and jump
        if both and list(scan.first).index("proxycommand") < list(scan.first).index("proxyjump"):
            jump = None
        known = {key: value for key, value in self._tokens(scan).items() if key in "%hnpr"}
        if jump is not None:
            return None, self._jumps(scan, tokens.percent(jump.words[0], known, jump.place), jump.place)
        if command is None or command.word.lower() == "none":
            return None, ()
        return tokens.percent(command.word, known, command.place), ()
