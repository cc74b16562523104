"""The demo server inside the window: it runs on a thread of its own and ends with the program.

Its host key, its own known_hosts and the name of its server stand in an ``ssh_config`` of
Spyglass's own, which includes the person's: their hosts work as before meanwhile. The
profile is not saved, and nothing is left behind, not even by a program that is killed.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import msgspec
from PySide6.QtCore import QObject, Signal

from spyglass.errors import Failure
from spyglass.profile import Profile, SSHHop
from spyglass.store import paths

if TYPE_CHECKING:
    from spyglass.demo import Demo

HOST = "spyglass-demo"
_END = 15.0  # seconds that the server, the node and a container may take to end

_CONFIG = """\
# Written by Spyglass for its demo, and removed at its end.
Host {host}
  HostName {address}
  Port {port}
  User {user}
  IdentityFile "{identity}"
{own}
Match all
  Include ~/.ssh/config
  Include /etc/ssh/ssh_config
"""


class DemoRun(QObject):
    """``ready`` carries the profile that knows the way, ``failed`` a Failure."""

    ready = Signal(object)
    failed = Signal(object)

    def __init__(self, erl: str, parent: QObject | None = None) -> None:
        """``erl`` is the path that the person chose, or empty."""
        super().__init__(parent)
        self._erl = erl
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="demo", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def close(self) -> None:
        """End server and node, and wait for that."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(_END)

    def _run(self) -> None:
        from spyglass import demo  # noqa: PLC0415 - not before it is wanted

        try:
            with ExitStack() as stack:
                profile = stack.enter_context(known(stack.enter_context(demo.start(erl=self._erl))))
                self.ready.emit(profile)
                self._stop.wait()
        except Failure as failure:
            self.failed.emit(failure)


@contextmanager
def known(server: Demo) -> Iterator[Profile]:
    """A profile that reaches the server by name, while inside. Raises a Failure where that can't be."""
    from spyglass.demo.watch import remove_at_end  # noqa: PLC0415

    file = paths.current().config / "ssh_config"
    if file.exists() and not file.read_text("utf-8", "replace").startswith(_CONFIG.partition("\n")[0]):
        raise Failure(
            f"The demo can't add its server to {file}", "Run the demo by itself: spyglass demo", code="demo"
        )
    with remove_at_end(file):
        file.write_text(_config(server), "utf-8")
        hops = (SSHHop(HOST),)
        yield msgspec.structs.replace(server.profile, id=uuid.uuid4().hex, name="Demo", hops=hops)


def _config(server: Demo) -> str:
    hop = server.profile.hops[0]
    own = [line for line in server.ssh_config.read_text("utf-8").splitlines() if line.startswith("  ")]
    if not isinstance(hop, SSHHop):
        raise TypeError(hop)
    return _CONFIG.format(
        host=HOST, address=hop.host, port=hop.port, user=hop.user, identity=hop.identity, own="\n".join(own)
    )
