"""A Kubernetes cluster as a place: containers, and no shell outside them.

A pod's port is dialled at the pod's own address where the host of kubectl routes to it, as a
member of the cluster does; elsewhere by ``kubectl port-forward``, which ends with the connection.
"""

from __future__ import annotations

import re
import socket
import time
from typing import TYPE_CHECKING

from spyglass.errors import Failure, Lost, Unreachable
from spyglass.remote.pods import Home, Pods
from spyglass.remote.relay import ThreadRelay
from spyglass.remote.shellless import Shellless
from spyglass.remote.upon import Upon

if TYPE_CHECKING:
    from spyglass.kubernetes import KubernetesHop
    from spyglass.remote.base import Piped, Relay, Remote, Stream

_FORWARDING = re.compile(rb"Forwarding from 127\.0\.0\.1:(\d{1,5}) ->")
_DIRECT = 1.5  # seconds for a pod's own address, which answers at once or never
_LINE = 4096


class Cluster(Shellless):
    """The pods that ``inner``'s kubectl knows. Closing it leaves ``inner`` open."""

    def __init__(self, inner: Remote, hop: KubernetesHop, pods: Pods) -> None:
        super().__init__(inner, hop.label, hop.label, pods)
        self.pods = pods
        self._routed: bool | None = None

    def __repr__(self) -> str:
        return f"<Cluster {self.label}>"

    @classmethod
    def reach(cls, hop: KubernetesHop, inner: Remote) -> Cluster:
        """See that the cluster answers. Raises what :meth:`Pods.refresh` does."""
        pods = Pods(inner, hop)
        pods.refresh()
        return cls(inner, hop, pods)

    def dial(self, host: str, port: int, timeout: float = 5.0) -> Stream:
        """Connect to a port of the pod that has this address."""
        home = self.pods.at(host)
        if home is None:
            raise Unreachable(f"No pod has the address {host} any more", "Refresh the list.")
        if self._routed is not False:
            try:
                stream = self.inner.dial(host, port, min(timeout, _DIRECT))
            except Unreachable as failure:
                if failure.code == "refused" and self._routed:
                    raise
                self._routed = False
            else:
                self._routed = True
                return stream
        return Forwarded(self.inner, self.pods.forward(home, port, timeout), home, timeout)

    def relay(self, listener: socket.socket, host: str, port: int) -> Relay:
        """Carry what the listener accepts, each connection by a way of its own."""
        return ThreadRelay(listener, lambda: self.dial(host, port), name=f"{self.describe()}: {port}")


class Forwarded(Upon):
    """A stream through ``kubectl port-forward``, which lives as long as the stream."""

    def __init__(self, place: Remote, piped: Piped, home: Home, timeout: float) -> None:
        self._piped = piped
        try:
            stream = place.dial("127.0.0.1", _port(piped, home, timeout), timeout)
        except BaseException:
            piped.close()
            raise
        super().__init__(stream)

    def recv(self, size: int, /) -> bytes:
        """At least one byte, or ``b""`` at the end."""
        return self._stream.recv(size)

    def close(self) -> None:
        """End the stream and kubectl; may be called twice and from any thread."""
        super().close()
        self._piped.close()


def _port(piped: Piped, home: Home, timeout: float) -> int:
    """The port that kubectl listens on, out of its first line."""
    deadline, said = time.monotonic() + timeout, b""
    try:
        while not (found := _FORWARDING.search(said)) and len(said) < _LINE:
            piped.settimeout(max(0.1, deadline - time.monotonic()))
            piece = piped.recv(_LINE)
            if not piece:
                break
            said += piece
    except TimeoutError:
        raise Unreachable(f"kubectl port-forward to {home.pod} did not begin", code="no-answer") from None
    except OSError as exc:
        raise Lost("The connection broke") from exc
    if not found:
        raise Failure(f"kubectl port-forward to {home.pod} failed", piped.why()[-300:], code="kubernetes")
    return int(found[1])
