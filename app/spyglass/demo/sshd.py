"""A real ``sshd`` for the demo, as the current user, on a free port of 127.0.0.1.

It has a host key of its own and lets in one client key, made for it, and nothing else
(options: sshd_config(5)).
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from spyglass.demo.watch import watched
from spyglass.errors import Failure, Missing

ADDRESS = "127.0.0.1"
_PLACES = ("/usr/sbin", "/usr/local/sbin", "/sbin", "/opt/homebrew/sbin", "/usr/bin")
_START = 5.0  # seconds
_TRIES = 3  # another program may take the free port before sshd does

_CONFIG = """\
Port {port}
ListenAddress {address}
HostKey "{top}/host_key"
AuthorizedKeysFile "{top}/authorized_keys"
AuthenticationMethods publickey
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
StrictModes no
UsePAM {pam}
PidFile none
AllowTcpForwarding yes
GatewayPorts no
X11Forwarding no
AllowAgentForwarding no
PermitUserRC no
PermitUserEnvironment no
PrintMotd no
PrintLastLog no
UseDNS no
LogLevel INFO
"""

_CLIENT = """\
# Written by `spyglass demo`, and removed at its end.
Host {address}
  UserKnownHostsFile "{top}/known_hosts"
  GlobalKnownHostsFile none
  IdentitiesOnly yes
  IdentityAgent none
"""


@dataclass(frozen=True)
class Server:
    """A running server: its directory and port."""

    top: Path
    port: int

    @property
    def client_key(self) -> Path:
        """The private key that it lets in."""
        return self.top / "client_key"


def check_programs() -> None:
    """Raise Missing when a program that the demo needs is not installed."""
    if _program() is None or shutil.which("ssh-keygen") is None:
        raise Missing(
            "There is no sshd on this computer, and the demo starts one of its own",
            "Install it: sudo apt-get install openssh-server  (it need not be switched on).",
            code="no-sshd",
        )


@contextmanager
def start(top: Path) -> Iterator[Server]:
    """Make keys and run the server while inside. Raises Failure when it does not come up."""
    for name in ("host_key", "client_key"):
        _make_key(top / name)
    (top / "authorized_keys").write_text((top / "client_key.pub").read_text("utf-8"), "utf-8")
    for last in (False,) * (_TRIES - 1) + (True,):
        port = _free_port()
        config = top / "sshd_config"
        config.write_text(_CONFIG.format(port=port, address=ADDRESS, top=top, pam=_pam()), "utf-8")
        _privilege_separation(config)
        with (
            (top / "sshd.log").open("wb") as log,
            watched([str(_program()), "-D", "-e", "-f", str(config)], log),
        ):
            if _listens(top / "sshd.log", last=last):
                _remember(top, port)
                yield Server(top, port)
                return


def write_client_config(path: Path, server: Server) -> Path:
    """Write the ssh_config that names the server's host key; return its path."""
    path.write_text(_CLIENT.format(address=ADDRESS, top=server.top), "utf-8")
    return path


def _program() -> str | None:
    return shutil.which("sshd", path=os.pathsep.join((os.environ.get("PATH", ""), *_PLACES)))


def _make_key(path: Path) -> None:
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "spyglass demo", "-f", str(path)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failure("ssh-keygen made no key for the demo", done.stderr.strip() or "It said nothing more.")


def _remember(top: Path, port: int) -> None:
    key = (top / "host_key.pub").read_text("utf-8")
    (top / "known_hosts").write_text(f"[{ADDRESS}]:{port} {key}", "utf-8")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((ADDRESS, 0))
        return int(probe.getsockname()[1])


def _pam() -> str:
    """``no``, but for a locked root account (Ubuntu's): without PAM, sshd lets nobody into such a one."""
    if os.getuid() != 0:
        return "no"
    try:
        shadow = Path("/etc/shadow").read_text("utf-8")
    except OSError:
        return "no"
    return "yes" if re.search(r"^root:!", shadow, re.MULTILINE) else "no"


def _privilege_separation(config: Path) -> None:
    """As root, sshd wants an empty directory that a system without a running sshd may lack."""
    command = [str(_program()), "-t", "-f", str(config)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    lacking = re.search(r"Missing privilege separation directory: (\S+)", done.stderr)
    if lacking:
        Path(lacking[1]).mkdir(mode=0o755, parents=True, exist_ok=True)
    elif done.returncode:
        raise Failure("The demo's sshd does not start", done.stderr.strip() or "It gave no reason.")


def _listens(log: Path, *, last: bool) -> bool:
    """Wait for the server's word; False: the port was taken and there may be another try."""
    deadline = time.monotonic() + _START
    while time.monotonic() < deadline:
        text = log.read_text("utf-8", errors="replace")
        if "Server listening" in text:
            return True
        if "already in use" in text and not last:
            return False
        time.sleep(0.01)
    raise Failure("The demo's sshd does not start", log.read_text("utf-8", errors="replace").strip()[-500:])
