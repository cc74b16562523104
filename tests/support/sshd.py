"""A real sshd of our own on a loopback port, with its own keys; ended by its pid."""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from spyglass.profile import SSHHop

CONFIG = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {home}/host_ed25519
AuthorizedKeysFile {home}/authorized_keys
PidFile {home}/sshd.pid
UsePAM no
StrictModes no
PermitRootLogin yes
PasswordAuthentication no
KbdInteractiveAuthentication no
AllowTcpForwarding yes
X11Forwarding no
MaxStartups 100
LogLevel {log_level}
PrintMotd no
UseDNS no
SetEnv HOME={home}/empty
Subsystem sftp internal-sftp
"""


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def keygen(file: Path, *options: str) -> Path:
    """Make an SSH key without a passphrase; ``options`` go to ssh-keygen."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", *options, "-f", str(file)], check=True)
    return file


class Sshd:
    """One server. ``home`` holds everything of it, the client's key and known_hosts included."""

    def __init__(self, home: Path, options: Sequence[str] = (), *, log_level: str = "ERROR") -> None:
        self.home = home
        (home / "empty").mkdir(
            parents=True, exist_ok=True
        )  # the account's own shell start-up is not under test
        self.key = keygen(home / "client_ed25519")
        keygen(home / "host_ed25519")
        shutil.copy(home / "client_ed25519.pub", home / "authorized_keys")
        self.known_hosts = home / "known_hosts"
        self.config = home / "ssh_config"
        self.user = getpass.getuser()
        self._options, self._log_level = list(options), log_level
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    @property
    def pid(self) -> int:
        """The listening server's process."""
        assert self._process is not None
        return self._process.pid

    @property
    def hop(self) -> SSHHop:
        """The hop that leads here, by the alias that :attr:`config` explains."""
        return SSHHop(host="lab")

    def start(self) -> None:
        """Listen; known_hosts and ssh_config are written for the port."""
        self.port = self.port or free_port()
        text = CONFIG.format(port=self.port, home=self.home, log_level=self._log_level)
        options = [option.replace("{home}", str(self.home)) for option in self._options]
        # the first occurrence of an option counts
        (self.home / "sshd_config").write_text("\n".join(options) + "\n" + text)
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)
        program = shutil.which("sshd", path=os.environ.get("PATH", "") + ":/usr/sbin")
        assert program, "openssh-server is not installed"
        command = [program, "-D", "-f", str(self.home / "sshd_config"), "-E", str(self.home / "sshd.log")]
        self._process = subprocess.Popen(command, start_new_session=True)
        self._await()
        self.trust()
        self.config.write_text(self.ssh_config())

    def trust(self) -> None:
        """Write known_hosts with the server's true key."""
        kind, blob = (self.home / "host_ed25519.pub").read_text().split()[:2]
        self.known_hosts.write_text(f"[127.0.0.1]:{self.port} {kind} {blob}\n")

    def ssh_config(self, alias: str = "lab", *lines: str) -> str:
        """A Host block for this server; works for the program and for ``ssh -F``."""
        block = [
            f"Host {alias}",
            "HostName 127.0.0.1",
            f"Port {self.port}",
            f"User {self.user}",
            f"IdentityFile {self.key}",
            "IdentitiesOnly yes",
            "IdentityAgent none",
            f"UserKnownHostsFile {self.known_hosts}",
            "GlobalKnownHostsFile none",
            *lines,
        ]
        return "\n  ".join(block) + "\n"

    def sessions(self) -> list[int]:
        """The processes that serve connections now."""
        return _descendants(self.pid)

    def signal(self, number: int) -> list[int]:
        """Send a signal to all that serve connections now; the processes that got it."""
        return [pid for pid in self.sessions() if _sent(pid, number)]

    def stop(self) -> None:
        """End the server and the connections that it serves."""
        if self._process is None:
            return
        self.signal(signal.SIGKILL)
        _sent(self.pid, signal.SIGKILL)
        self._process.wait(5)
        self._process = None

    def _await(self) -> None:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1):
                    return
            except OSError:
                assert self._process is not None
                if self._process.poll() is not None:
                    break
                time.sleep(0.01)
        raise RuntimeError(f"sshd does not start: {(self.home / 'sshd.log').read_text()}")


def _sent(pid: int, number: int) -> bool:
    """Send a signal to a process that may have ended by itself, or with the one before it."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


def _descendants(pid: int) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                found += [int(child), *_descendants(int(child))]
    return found


@contextlib.contextmanager
def running(home: Path, options: Sequence[str] = (), *, log_level: str = "ERROR") -> Iterator[Sshd]:
    """A server for a ``with`` block. ``options`` are lines of sshd_config, before the usual ones."""
    server = Sshd(home, options, log_level=log_level)
    try:
        server.start()
        yield server
    finally:
        server.stop()
