"""Servers and nodes on loopback that bring about each state of a connection for real.

The demo's own ``sshd`` and node, two more servers, and a few nodes with what can be wrong with
one. ``HOME`` must be a directory of our own: ``~/.ssh`` is written as a person's would be.
"""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import paramiko

from spyglass import demo
from spyglass.profile import Profile, Selector, SSHHop
from spyglass.store import paths
from support import sshd
from support.authserver import HOST_KEY, Doorman
from support.beam import beam
from support.sshd_auth import new_key

if TYPE_CHECKING:
    from spyglass.demo import Demo

_LONG = "checkout-worker-7f9c4d5b68-xk2lp.checkout-worker.production.svc.cluster.local"
BASTION = "bastion-eu-central-1a.compute.internal.example.org"
WORKER = "lt-worker-017.eu-central-1.compute.internal.example.org"
NODES: dict[str, tuple[str, ...]] = {
    "shop@127.0.0.1": (),
    "jobs@127.0.0.1": ("-hidden",),
    # knows another cookie than its command line says
    "audit@127.0.0.1": ("-eval", "erlang:set_cookie(node(), another)."),
    # as a release without runtime_tools
    "legacy@127.0.0.1": ("-eval", "code:del_path(runtime_tools)."),
    **{f"checkout_worker_{number}@{_LONG}": () for number in (1, 2, 3)},
}
"""Besides the demo's own: a name, and what else it is started with."""

_BLOCK = """\
Host {name}
  HostName 127.0.0.1
  Port {port}
  User {user}
  IdentityFile ~/.ssh/{key}
  HostKeyAlias {name}
"""


@dataclass(frozen=True)
class Stage:
    """What runs. ``go_away`` ends the server named ``reports`` and with it who is connected to it."""

    demo: Demo
    go_away: Callable[[], None]


def profiles() -> list[Profile]:
    """The saved profiles, by the state that they come to."""
    return [
        _profile("Shop EU", "Production", "prod-eu", node="*@127.0.0.1", production=True),
        _profile("Billing", "Production", "bastion", "billing", production=True),  # its key has changed
        _profile("Shop staging", "Staging", "bastion", "stage"),  # accepts, and says nothing
        _profile("Reports", "Staging", "reports"),  # goes away
        _profile(
            "Load test of the whole checkout with a rather long name", "Staging", BASTION, WORKER,
            node="checkout_worker_*",
        ),
        _profile("Empty server", "Elsewhere", "bastion", node="nothing@*"),
        _profile("Archive", "Elsewhere", "archive"),  # never connected
    ]  # fmt: skip


QUESTIONS = {
    "ask-hostkey": Profile(name="new-server", hops=(SSHHop("new-server"),)),
    "ask-passphrase": Profile(name="vault", hops=(SSHHop("vault"),)),
    "ask-password": Profile(name="mail", hops=(SSHHop("mail"),)),
    "ask-code": Profile(name="payments", hops=(SSHHop("payments"),)),
    "ask-cookie": Profile(name="bastion", hops=(SSHHop("bastion"),), cookie="ask"),
}
"""Ways on which a person is asked something, by the picture of it."""


@contextmanager
def stage(top: Path) -> Iterator[Stage]:
    """Everything runs while inside; ``top`` is a directory for it."""
    ssh = Path.home() / ".ssh"
    ssh.mkdir(mode=0o700)
    with ExitStack() as stack:
        shown = stack.enter_context(demo.start(paths.under(top / "demo"), engine=False))
        second, third, silent = (
            stack.enter_context(sshd.running(top / name)) for name in ("second", "third", "silent")
        )
        for name, flags in NODES.items():
            stack.enter_context(beam(name, flags=flags))
        os.kill(silent.pid, signal.SIGSTOP)
        stack.callback(os.kill, silent.pid, signal.SIGCONT)
        doors = {
            "mail": Doorman(steps=[["password"]]),
            "payments": Doorman(
                steps=[["keyboard-interactive"]],
                instructions="Payments needs a second factor.",
                rounds=[[("Code of the app on your phone: ", True)]],
            ),
        }
        ports = {name: stack.enter_context(_door(doorman)) for name, doorman in doors.items()}
        ports |= dict.fromkeys(("bastion", "billing", "vault", "new-server", BASTION, WORKER), second.port)
        ports |= {"prod-eu": shown.port, "reports": third.port, "archive": third.port, "stage": silent.port}
        _write_client(ssh, ports, shown, (second, third))
        yield Stage(shown, third.stop)


def _profile(name: str, group: str, *hosts: str, node: str = "", production: bool = False) -> Profile:
    hops = tuple(SSHHop(host) for host in hosts)
    return Profile(name=name, group=group, hops=hops, select=Selector(node=node), production=production)


def _write_client(ssh: Path, ports: dict[str, int], shown: Demo, others: tuple[sshd.Sshd, ...]) -> None:
    """A person's ``~/.ssh``: hosts by name, keys, and the host keys that were seen before."""
    shutil.copy(str(shown.profile.hops[0].identity), ssh / "id_ed25519")  # type: ignore[union-attr]
    new_key(ssh / "id_vault", passphrase="not to be typed")
    keys = [shown.paths.state / "demo/client_key.pub", ssh / "id_vault.pub"]
    for server in others:
        (server.home / "authorized_keys").write_text("".join(key.read_text() for key in keys))
    (ssh / "config").write_text(
        "".join(
            _BLOCK.format(name=name, port=port, user=getpass.getuser(), key=_key_for(name))
            for name, port in ports.items()
        )
    )
    known = {"prod-eu": (shown.paths.state / "demo/host_key.pub").read_text()}
    seen = dict.fromkeys(("bastion", "vault", BASTION, WORKER), others[0])
    seen |= dict.fromkeys(("billing", "reports"), others[1])  # billing was another server's name then
    known |= {name: (server.home / "host_ed25519.pub").read_text() for name, server in seen.items()}
    known |= {name: f"{HOST_KEY.get_name()} {HOST_KEY.get_base64()}\n" for name in ("mail", "payments")}
    (ssh / "known_hosts").write_text("".join(f"{name} {key}" for name, key in known.items()))


def _key_for(name: str) -> str:
    return "id_vault" if name == "vault" else "id_ed25519"


@contextmanager
def _door(doorman: Doorman) -> Iterator[int]:
    """A server that asks for what a real sshd without accounts can't; gives its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener, ExitStack() as stack:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    visitor, _ = listener.accept()
                    server = paramiko.Transport(visitor)
                    stack.callback(server.close)
                    server.add_server_key(HOST_KEY)
                    server.start_server(event=threading.Event(), server=doorman)

        threading.Thread(target=serve, name="door", daemon=True).start()
        yield int(listener.getsockname()[1])
        listener.shutdown(socket.SHUT_RDWR)
