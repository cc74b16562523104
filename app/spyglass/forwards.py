"""The forwards of one connected period, by node: each with the local port that it had before."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from spyglass.forward import Forward, open_forward

if TYPE_CHECKING:
    from spyglass.erlang.discovery import Found
    from spyglass.remote.base import Remote

_Place = tuple[str, int, str | None]


class Forwards:
    """Touched by the connection's thread and by windows. ``ports``, by node key, outlives the period."""

    def __init__(self, remote: Callable[[], Remote], ports: dict[str, int]) -> None:
        self._remote, self._ports = remote, ports
        self._open: dict[str, tuple[_Place, Forward]] = {}

    def port(self, found: Found) -> int:
        """The local port that leads to the node, opened at need; anew where the node has moved."""
        key, place = found.info.key, (found.host, found.port, found.info.container_id)
        known = self._open.get(key)
        if known and known[0] == place:
            return known[1].port
        if known:
            known[1].close()
        remote, again = found.remote or self._remote(), self._ports.get(key, 0)
        forward = open_forward(remote, found.host, found.port, label=found.info.node, again=again)
        self._ports[key] = forward.port
        self._open[key] = (place, forward)
        return forward.port

    def drop(self, key: str) -> None:
        """Close the forward to a node that is gone."""
        if key in self._open:
            self._open.pop(key)[1].close()

    def close(self) -> None:
        """Close them all."""
        for key in list(self._open):
            self.drop(key)
